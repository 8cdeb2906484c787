/**
 * TOML scan: what the parser does not tell: how much it would have to build, and in which line a key stands.
 *
 * The parser refuses deep inline nesting but neither a key of a million dots nor millions of tables, which cost it
 * gigabytes (measured: 16 MB of table headers, 1.4 GB), so `measureToml` runs before it. `TomlLines` runs after it, on
 * text that is known to be TOML, and only when there is something to complain about. Neither judges syntax.
 */

/** Things a parser makes objects for: keys, tables, arrays, dots. 100,000 full declarations and values need 1.2 million. */
const TOML_ENTRIES_MAX = 1_500_000;
/** A path has at most 16 segments; this is the most dots in one key. */
const DOTS_MAX = 32;

const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const HASH = 0x23;
const DOT = 0x2e;
const EQUALS = 0x3d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const COMMA = 0x2c;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;

/** Why a text is too much for the parser, and where; undefined for one that it may have. */
export interface TomlExcess {
  readonly problem: string;
  readonly line: number;
}

/** One pass over the text, before it is parsed. */
export function measureToml(text: string): TomlExcess | undefined {
  let entries = 0;
  let dots = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
      case APOSTROPHE:
        at = endOfString(text, at) - 1;
        break;
      case HASH:
        at = endOfLine(text, at) - 1;
        break;
      case DOT:
        entries++;
        if (++dots > DOTS_MAX) return { problem: "a key of more than 32 parts", line: lineAt(text, at) };
        break;
      case EQUALS:
      case OPEN_BRACKET:
      case OPEN_BRACE:
        entries++;
        dots = 0;
        break;
      case COMMA:
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
      case NEWLINE:
        dots = 0;
        break;
    }
    if (entries > TOML_ENTRIES_MAX) return { problem: "more than 1,500,000 entries", line: lineAt(text, at) };
  }
  return undefined;
}

/** The index behind the string that begins at `start`; the end of the text when it never ends. */
function endOfString(text: string, start: number): number {
  const quote = text[start] as string;
  const isMultiline = text.startsWith(quote.repeat(3), start);
  return isMultiline ? endOfMultiline(text, start + 3, quote) : endOfPlainString(text, start + 1, quote.charCodeAt(0));
}

function endOfPlainString(text: string, start: number, quote: number): number {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    if (code === NEWLINE) return at;
    if (code === BACKSLASH && quote === QUOTE) at++;
  }
  return text.length;
}

function endOfMultiline(text: string, start: number, quote: string): number {
  for (let at = start; at < text.length; at++) {
    if (text.charCodeAt(at) === BACKSLASH && quote === '"') at++;
    else if (text.startsWith(quote.repeat(3), at)) {
      // Up to two more quotes belong to the string: `""""a""""` ends in one.
      let end = at + 3;
      for (let more = 0; more < 2 && text[end] === quote; more++) end++;
      return end;
    }
  }
  return text.length;
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf("\n", start);
  return end < 0 ? text.length : end;
}

function lineAt(text: string, at: number): number {
  let line = 1;
  for (let next = text.indexOf("\n"); next >= 0 && next < at; next = text.indexOf("\n", next + 1)) line++;
  return line;
}

/** The line in which each key of a TOML text was written. Keys inside an inline table count for the table's line. */
export class TomlLines {
  private readonly text: string;
  private readonly lines = new Map<string, number>();
  /** How many tables each `[[array]]` of tables has so far. */
  private readonly arrays = new Map<string, number>();
  private at = 0;
  private line = 1;
  private table: readonly string[] = [];

  constructor(text: string) {
    this.text = text;
    while (this.skipToStatement()) this.statement();
  }

  /** The line of this key, or of the nearest table around it; undefined for a key that is nowhere. */
  lineOf(parts: readonly string[]): number | undefined {
    for (let length = parts.length; length > 0; length--) {
      const line = this.lines.get(keyOf(parts.slice(0, length)));
      if (line !== undefined) return line;
    }
    return undefined;
  }

  private skipToStatement(): boolean {
    for (; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code === HASH) this.at = endOfLine(this.text, this.at);
      if (this.text.charCodeAt(this.at) === NEWLINE) this.line++;
      else if (code > 0x20 && code !== 0xfeff && code !== HASH) return true;
    }
    return false;
  }

  private statement(): void {
    const { line } = this;
    if (this.text.charCodeAt(this.at) === OPEN_BRACKET) this.header(line);
    else {
      const key = [...this.table, ...this.key(EQUALS)];
      this.note(key, line);
      this.skipValue();
    }
  }

  private header(line: number): void {
    const isArray = this.text.charCodeAt(++this.at) === OPEN_BRACKET;
    if (isArray) this.at++;
    const key = this.indexed(this.key(CLOSE_BRACKET), isArray);
    this.note(key, line);
    this.table = key;
    this.at = endOfLine(this.text, this.at);
  }

  /** A header names tables inside arrays without their index: `[[a]]`, then `[a.b]`, is b of the newest a. */
  private indexed(parts: readonly string[], isArray: boolean): string[] {
    const key: string[] = [];
    parts.forEach((part, index) => {
      key.push(part);
      const name = keyOf(key);
      const isLast = index === parts.length - 1;
      const count = this.arrays.get(name);
      if (isLast && isArray) this.arrays.set(name, (count ?? 0) + 1);
      if (isLast && isArray) key.push(String(count ?? 0));
      else if (count !== undefined) key.push(String(count - 1));
    });
    return key;
  }

  /** A dotted key makes the tables it goes through; each is where it was first written. */
  private note(key: readonly string[], line: number): void {
    for (let length = key.length; length > 0; length--) {
      const name = keyOf(key.slice(0, length));
      if (length === key.length || !this.lines.has(name)) this.lines.set(name, line);
    }
  }

  private key(end: number): string[] {
    const parts: string[] = [];
    let bare = "";
    for (; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code === end || code === NEWLINE) break;
      if (code === QUOTE || code === APOSTROPHE) {
        const stop = endOfString(this.text, this.at);
        bare = unquote(this.text.slice(this.at, stop));
        this.at = stop - 1;
      } else if (code === DOT) {
        parts.push(bare);
        bare = "";
      } else if (code > 0x20) bare += this.text[this.at];
    }
    this.at++;
    parts.push(bare);
    return parts;
  }

  private skipValue(): void {
    let depth = 0;
    for (; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code === QUOTE || code === APOSTROPHE) this.skipString();
      else if (code === HASH) this.at = endOfLine(this.text, this.at) - 1;
      else if (code === OPEN_BRACKET || code === OPEN_BRACE) depth++;
      else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) depth--;
      else if (code === NEWLINE) {
        if (depth <= 0) return;
        this.line++;
      }
    }
  }

  private skipString(): void {
    const stop = endOfString(this.text, this.at);
    for (let at = this.at; at < stop; at++) if (this.text.charCodeAt(at) === NEWLINE) this.line++;
    this.at = stop - 1;
  }
}

function keyOf(parts: readonly string[]): string {
  return parts.join("\n");
}

function unquote(quoted: string): string {
  if (quoted.startsWith("'")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    // An escape that TOML knows and JSON does not: such a key only loses its line.
    return quoted.slice(1, -1);
  }
}
