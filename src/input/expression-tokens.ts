/**
 * Expression tokens: the words of an expression's text, one after the other.
 *
 * A slash begins a path where a number is awaited, and divides where an operator is: who reads asks for the one or the
 * other, so no text has two meanings. It never fails; what is no word is a token of kind `wrong`.
 */

export const TokenKind = { number: 0, name: 1, path: 2, operator: 3, end: 4, wrong: 5 } as const;
export type TokenKind = (typeof TokenKind)[keyof typeof TokenKind];

export interface Token {
  readonly kind: TokenKind;
  /** Of a path: without quotation marks. */
  readonly text: string;
  /** Counted from 1. */
  readonly column: number;
}

const SPACE = /\s*/y;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
/** What most paths consist of; a path with other characters stands in quotation marks. */
const PATH = /\/[A-Za-z0-9_.~$@-]+(?:\/[A-Za-z0-9_.~$@-]+)*/y;
const QUOTED = /"[^"]*"|'[^']*'/y;
const OPERATOR = /\|\||&&|==|!=|<=|>=|[-+*/%^<>!?:(),]/y;

export class ExpressionTokens {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The next word where a number, name or path may stand. */
  operand(): Token {
    return (
      this.read(PATH, TokenKind.path) ??
      this.quoted() ??
      this.read(NUMBER, TokenKind.number) ??
      this.read(NAME, TokenKind.name) ??
      this.operator()
    );
  }

  /** The next word where an operator, comma or bracket may stand. */
  operator(): Token {
    return this.read(OPERATOR, TokenKind.operator) ?? this.rest();
  }

  /** Takes the next operator if it is this one. */
  takes(text: string): boolean {
    const { at } = this;
    if (this.operator().text === text) return true;
    this.at = at;
    return false;
  }

  /** The next operator, which is not taken. */
  peek(): Token {
    const { at } = this;
    const token = this.operator();
    this.at = at;
    return token;
  }

  private quoted(): Token | undefined {
    const token = this.read(QUOTED, TokenKind.path);
    return token === undefined ? undefined : { ...token, text: token.text.slice(1, -1) };
  }

  private read(form: RegExp, kind: TokenKind): Token | undefined {
    const start = this.skipSpace();
    form.lastIndex = start;
    const text = form.exec(this.text)?.[0];
    if (text === undefined) return undefined;
    this.at = start + text.length;
    return { kind, text, column: start + 1 };
  }

  /** What stands there is none of the words: the end, or a mistake. */
  private rest(): Token {
    const start = this.skipSpace();
    const isEnd = start === this.text.length;
    const text = isEnd ? "" : (/^[A-Za-z0-9_.]+/.exec(this.text.slice(start))?.[0] ?? (this.text[start] as string));
    return { kind: isEnd ? TokenKind.end : TokenKind.wrong, text, column: start + 1 };
  }

  private skipSpace(): number {
    SPACE.lastIndex = this.at;
    return this.at + (SPACE.exec(this.text)?.[0].length ?? 0);
  }
}
