/**
 * JSON text: a JSON file (RFC 8259) that a person wrote, with the line of each of its parts.
 *
 * The built-in parser says neither in which line something stands nor that a key stands there twice (it takes the last
 * one silently), and a person who is told of a mistake needs both. It never throws on a text, however hostile: size
 * and depth are bounded.
 */

export interface JsonDocument {
  readonly value: unknown;
  /** Keys that stand twice in one object: the place of each, and the line of the later one. */
  readonly repeated: readonly { readonly place: readonly string[]; readonly line: number }[];
  /** The line of what stands at a place (keys, and indexes as text), or of the nearest thing around it. */
  lineOf(place: readonly string[]): number;
}

export interface JsonProblem {
  readonly problem: string;
  readonly line: number;
  readonly column: number;
}

const DEPTH_MAX = 32;
const encoder = new TextEncoder();

export function parseJson(text: string, maxBytes: number): JsonDocument | JsonProblem {
  if (text.length > maxBytes || encoder.encode(text).length > maxBytes) {
    return { problem: `is longer than ${maxBytes} bytes`, line: 1, column: 1 };
  }
  try {
    return new JsonReader(text).read();
  } catch (error) {
    if (error instanceof JsonMistake) return error.found;
    throw error;
  }
}

/** Unwinds the descent; never leaves this file. */
class JsonMistake extends Error {
  readonly found: JsonProblem;

  constructor(found: JsonProblem) {
    super(found.problem);
    this.found = found;
  }
}

const SPACE = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

class JsonReader {
  private readonly text: string;
  private at = 0;
  private readonly lines = new Map<string, number>();
  private readonly repeated: { place: readonly string[]; line: number }[] = [];
  /** Where counting lines has got to: places are noted in the order of the text. */
  private countedAt = 0;
  private countedLine = 1;

  constructor(text: string) {
    this.text = text.startsWith("\ufeff") ? text.slice(1) : text;
  }

  read(): JsonDocument {
    const value = this.value([]);
    if (this.at < this.text.length) this.fail("is not JSON: something follows the end");
    const { lines, repeated } = this;
    return { value, repeated, lineOf: (place) => lineIn(lines, place) };
  }

  private value(place: readonly string[]): unknown {
    this.match(SPACE);
    if (place.length > DEPTH_MAX) this.fail(`is nested deeper than ${DEPTH_MAX}`);
    if (!this.lines.has(keyOf(place))) this.lines.set(keyOf(place), this.line());
    const first = this.text[this.at];
    const value = first === "{" ? this.object(place) : first === "[" ? this.array(place) : this.scalar();
    this.match(SPACE);
    return value;
  }

  private object(place: readonly string[]): unknown {
    const entries = new Map<string, unknown>();
    for (let hasMore = this.open("}"); hasMore; hasMore = this.next("}")) {
      this.match(SPACE);
      const line = this.line();
      const key = this.string("a name in double quotes");
      const inner = [...place, key];
      if (entries.has(key)) this.repeated.push({ place: inner, line });
      this.lines.set(keyOf(inner), line);
      this.match(SPACE);
      if (this.text[this.at] !== ":") this.fail(`is not JSON: a colon must follow ${JSON.stringify(key)}`);
      this.at++;
      entries.set(key, this.value(inner));
    }
    // Own properties whatever they are called, `__proto__` too.
    return Object.fromEntries(entries);
  }

  private array(place: readonly string[]): unknown {
    const items: unknown[] = [];
    for (let hasMore = this.open("]"); hasMore; hasMore = this.next("]")) {
      items.push(this.value([...place, String(items.length)]));
    }
    return items;
  }

  /** Behind the opening bracket: whether anything is between it and the closing one. */
  private open(end: string): boolean {
    this.at++;
    this.match(SPACE);
    if (this.text[this.at] !== end) return true;
    this.at++;
    return false;
  }

  /** Behind an entry: a comma and another one, or the end. */
  private next(end: string): boolean {
    const mark = this.text[this.at];
    if (mark !== "," && mark !== end) this.fail(`is not JSON: a comma or ${end} is missing`);
    this.at++;
    if (mark === end) return false;
    this.match(SPACE);
    if (this.text[this.at] === end) this.fail(`is not JSON: nothing follows the comma before ${end}`);
    return true;
  }

  private scalar(): unknown {
    if (this.text[this.at] === '"') return this.string("a text");
    const word = this.match(WORD);
    if (word === "")
      this.fail("is not JSON: a value is missing (text in double quotes, a number, true, false, null, {}, [])");
    return JSON.parse(word) as unknown;
  }

  private string(what: string): string {
    if (this.text[this.at] !== '"') this.fail(`is not JSON: ${what} is missing`);
    const text = this.match(STRING);
    if (text === "") this.fail("is not JSON: a text without its end, or with a line break or an unknown escape in it");
    return JSON.parse(text) as string;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const text = pattern.exec(this.text)?.[0] ?? "";
    this.at += text.length;
    return text;
  }

  private line(): number {
    for (; this.countedAt < this.at; this.countedAt++) if (this.text[this.countedAt] === "\n") this.countedLine++;
    return this.countedLine;
  }

  private fail(problem: string): never {
    const column = this.at - this.text.lastIndexOf("\n", this.at - 1);
    throw new JsonMistake({ problem, line: this.line(), column });
  }
}

function keyOf(place: readonly string[]): string {
  return place.join("\u0000");
}

function lineIn(lines: ReadonlyMap<string, number>, place: readonly string[]): number {
  for (let length = place.length; length > 0; length--) {
    const line = lines.get(keyOf(place.slice(0, length)));
    if (line !== undefined) return line;
  }
  return lines.get("") ?? 1;
}
