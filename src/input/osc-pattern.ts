/**
 * OSC address patterns: OSC 1.0's `?` `*` `[a-z]` `[!a-z]` `{one,two}` and OSC 1.1's `//`, any number of levels.
 *
 * A pattern comes from the network, so its cost must be bounded whatever it says: it is compiled into a list of
 * positions, and the set of positions that an address can have reached is carried along as bits, one step a character.
 * No backtracking, no regular expression (another OSC library took 13 s over ten stars). Never matches an address
 * outside the printable ASCII that OSC allows by accident: other characters match only `?`, `*`, `[!...]` and `//`.
 *
 * `?`, `*` and brackets never match a slash. `/a//b` is /a/b, /a/x/b, /a/x/y/b; `/a//` is everything below /a.
 * `?`, `*` and brackets are understood inside braces too; braces inside braces are malformed.
 */

/** The longest pattern, in characters. */
export const OSC_PATTERN_LIMIT = 256;

const SLASH = 0x2f;
/** Characters from this one up share one class: outside ASCII's printable range. */
const OTHER_CODE = 0x7f;
const CODE_COUNT = 0x80;
const WORD_BITS = 32;
/** `//` takes four positions for two characters, everything else at most one a character; one is the end. */
const WORD_LIMIT = Math.ceil((OSC_PATTERN_LIMIT * 2 + 1) / WORD_BITS);

/** Positions reached before and after a character; one match runs at a time. */
let reached = new Int32Array(WORD_LIMIT);
let following = new Int32Array(WORD_LIMIT);

/** True when `address` has a character that is special in patterns, so it names no single path. */
export function isPattern(address: string): boolean {
  let previous = 0;
  for (let at = 0; at < address.length; at++) {
    const code = address.charCodeAt(at);
    if (isSpecial(code) || (code === SLASH && previous === SLASH)) return true;
    previous = code;
  }
  return false;
}

/**
 * The pattern, or null when it is malformed: no leading slash, unprintable, too long, brackets or braces that are
 * empty, not closed, never opened, or hold a slash, braces in braces, three slashes in a row.
 */
export function compilePattern(text: string): OscPattern | null {
  const compiler = new PatternCompiler(text);
  return compiler.compile() ? new OscPattern(text, compiler.positions, compiler.jumps) : null;
}

export class OscPattern {
  readonly text: string;
  /** Every address that matches begins with this, so other subtrees can be skipped. */
  readonly literalPrefix: string;
  /** True when the pattern has nothing special: it matches the address `literalPrefix` and no other. */
  readonly isLiteral: boolean;
  /** Work done by all matches so far: the caller's budget for a walk over many paths reads it. */
  steps = 0;
  /** The most steps that one character of an address takes. */
  readonly stepsPerCharacter: number;

  private readonly wordCount: number;
  private readonly start: Int32Array;
  /** Positions that consume a character, `wordCount` words per character code. */
  private readonly accepted: Int32Array;
  /** Positions that stay where they are after consuming. */
  private readonly loops: Int32Array;
  /** Positions from which a jump leads. */
  private readonly jumping: Int32Array;
  /** Pairs: who has reached the first has reached the second. Every jump to a position stands before those from it. */
  private readonly jumps: Int32Array;
  private readonly end: number;

  constructor(text: string, positions: readonly Position[], jumps: readonly Jump[]) {
    const prefixLength = literalLength(positions);
    const rest = positions.slice(prefixLength);
    this.text = text;
    this.literalPrefix = text.slice(0, prefixLength);
    this.isLiteral = rest.length === 0;
    this.end = rest.length;
    this.wordCount = (this.end >>> 5) + 1;
    this.accepted = acceptTable(rest, this.wordCount);
    this.loops = new Int32Array(this.wordCount);
    for (const [at, position] of rest.entries()) if (position.loops) setBit(this.loops, at);
    this.jumps = Int32Array.from(jumps.flatMap((jump) => [jump.from - prefixLength, jump.to - prefixLength]));
    this.jumping = new Int32Array(this.wordCount);
    for (let at = 0; at < this.jumps.length; at += 2) setBit(this.jumping, this.jumps[at]);
    this.start = new Int32Array(this.wordCount);
    setBit(this.start, 0);
    this.follow(this.start);
    this.stepsPerCharacter = this.wordCount + jumps.length;
    this.steps = 0;
  }

  /** Bounded by `address.length` times `stepsPerCharacter`. */
  matches(address: string): boolean {
    const { literalPrefix } = this;
    if (this.isLiteral) return address === literalPrefix;
    if (!address.startsWith(literalPrefix)) return false;
    reached.set(this.start);
    for (let at = literalPrefix.length; at < address.length; at++) {
      const code = address.charCodeAt(at);
      if (!this.step(code < OTHER_CODE ? code : OTHER_CODE)) return false;
      const spare = reached;
      reached = following;
      following = spare;
    }
    return hasBit(reached, this.end);
  }

  /** Fills `following` from `reached`; false when no position is left. */
  private step(code: number): boolean {
    const { wordCount, accepted, loops } = this;
    const row = code * wordCount;
    let carry = 0;
    let alive = 0;
    let jumping = 0;
    for (let word = 0; word < wordCount; word++) {
      const consumed = reached[word] & accepted[row + word];
      const moved = consumed & ~loops[word];
      const next = (consumed & loops[word]) | (moved << 1) | carry;
      carry = moved >>> 31;
      following[word] = next;
      alive |= next;
      jumping |= next & this.jumping[word];
    }
    this.steps += wordCount;
    if (jumping !== 0) this.follow(following);
    return alive !== 0;
  }

  private follow(states: Int32Array): void {
    const { jumps } = this;
    for (let at = 0; at < jumps.length; at += 2) {
      if (hasBit(states, jumps[at])) setBit(states, jumps[at + 1]);
    }
    this.steps += jumps.length >>> 1;
  }
}

/** One place in the pattern: the characters it consumes, one certain code or a set, and whether it stays for more. */
interface Position {
  readonly accepts: number | ((code: number) => boolean);
  readonly loops: boolean;
}

interface Jump {
  readonly from: number;
  readonly to: number;
}

/** Reads a pattern from left to right into positions and jumps. */
class PatternCompiler {
  readonly positions: Position[] = [];
  readonly jumps: Jump[] = [];
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  compile(): boolean {
    const { text } = this;
    if (text.length > OSC_PATTERN_LIMIT || text.charCodeAt(0) !== SLASH) return false;
    while (this.at < text.length) {
      if (!this.element()) return false;
    }
    return true;
  }

  private element(): boolean {
    const character = this.text[this.at];
    if (character === "/") return this.slash();
    if (character === "{") return this.braces();
    return this.atom();
  }

  /** Behind `//` a fork: to any characters that end with a slash, and past them. */
  private slash(): boolean {
    this.at++;
    this.literal(SLASH);
    if (this.text[this.at] !== "/") return true;
    this.at++;
    if (this.text[this.at] === "/") return false;
    if (this.at === this.text.length) {
      this.add(isNotSlash, false);
      this.loop(isAnything);
      return true;
    }
    const fork = this.positions.length;
    this.add(isNothing, false);
    this.jumps.push({ from: fork, to: fork + 1 });
    this.loop(isAnything);
    this.literal(SLASH);
    this.jumps.push({ from: fork, to: this.positions.length });
    return true;
  }

  /** What may stand inside braces too: a wildcard, a bracket or a literal. */
  private atom(): boolean {
    const code = this.text.charCodeAt(this.at);
    const character = this.text[this.at];
    if (character === "[") return this.bracket();
    if (character === "]" || character === "}" || code < 0x20 || code >= OTHER_CODE) return false;
    this.at++;
    if (character === "?") this.add(isNotSlash, false);
    else if (character === "*") this.star();
    else this.literal(code);
    return true;
  }

  private star(): void {
    while (this.text[this.at] === "*") this.at++;
    this.loop(isNotSlash);
  }

  private bracket(): boolean {
    const close = this.text.indexOf("]", this.at + 1);
    const negated = this.text[this.at + 1] === "!";
    const content = this.text.slice(this.at + (negated ? 2 : 1), close);
    if (close < 0 || content === "" || /[^ -~]|\//.test(content)) return false;
    const listed = bracketSet(content);
    this.add((code) => code !== SLASH && listed.has(code) !== negated, false);
    this.at = close + 1;
    return true;
  }

  /** A fork to the start of every alternative, and a jump from the end of every one to behind the braces. */
  private braces(): boolean {
    const open = this.at++;
    const fork = this.positions.length;
    const ends: number[] = [];
    this.add(isNothing, false);
    this.jumps.push({ from: fork, to: fork + 1 });
    while (this.text[this.at] !== "}") {
      const character = this.text[this.at];
      if (character === undefined || character === "/" || character === "{") return false;
      if (character !== ",") {
        if (!this.atom()) return false;
        continue;
      }
      this.at++;
      ends.push(this.positions.length);
      this.add(isNothing, false);
      this.jumps.push({ from: fork, to: this.positions.length });
    }
    for (const end of ends) this.jumps.push({ from: end, to: this.positions.length });
    this.at++;
    return this.at > open + 2;
  }

  private literal(code: number): void {
    this.positions.push({ accepts: code, loops: false });
  }

  private add(accepts: (code: number) => boolean, loops: boolean): void {
    this.positions.push({ accepts, loops });
  }

  /** Any number of such characters, none too. */
  private loop(accepts: (code: number) => boolean): void {
    this.add(accepts, true);
    this.jumps.push({ from: this.positions.length - 1, to: this.positions.length });
  }
}

/** A minus between two characters is a range, in either order; elsewhere it is itself. */
function bracketSet(content: string): Set<number> {
  const listed = new Set<number>();
  for (let at = 0; at < content.length; at++) {
    const first = content.charCodeAt(at);
    let last = first;
    if (content[at + 1] === "-" && at + 2 < content.length) {
      last = content.charCodeAt(at + 2);
      at += 2;
    }
    for (let code = Math.min(first, last); code <= Math.max(first, last); code++) listed.add(code);
  }
  return listed;
}

function acceptTable(positions: readonly Position[], wordCount: number): Int32Array {
  const table = new Int32Array(CODE_COUNT * wordCount);
  for (const [at, { accepts }] of positions.entries()) {
    if (typeof accepts === "number") {
      setBit(table, accepts * wordCount * WORD_BITS + at);
      continue;
    }
    for (let code = 0; code < CODE_COUNT; code++) {
      if (accepts(code)) setBit(table, code * wordCount * WORD_BITS + at);
    }
  }
  return table;
}

function literalLength(positions: readonly Position[]): number {
  const first = positions.findIndex((position) => typeof position.accepts !== "number");
  return first < 0 ? positions.length : first;
}

function isSpecial(code: number): boolean {
  return (
    code === 0x2a || code === 0x3f || code === 0x5b || code === 0x5d || code === 0x7b || code === 0x7d // * ? [ ] { }
  );
}

const isNotSlash = (code: number): boolean => code !== SLASH;
const isAnything = (): boolean => true;
const isNothing = (): boolean => false;

function setBit(set: Int32Array, index: number): void {
  set[index >>> 5] |= 1 << (index & 31);
}

function hasBit(set: Int32Array, index: number): boolean {
  return (set[index >>> 5] & (1 << (index & 31))) !== 0;
}
