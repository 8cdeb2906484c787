/**
 * Expression parser: the text of a formula becomes a program, or a sentence that says what is wrong and where.
 *
 *     x * 2 + 1          x ^ 2 > 0.5 ? 1 : 0          /global/master/level * lerp(2, 8, x)
 *
 * From loose to tight: `? :`, `||`, `&&`, `== !=`, `< <= > >=`, `+ -`, `* / %`, `- !` before a value, `^`. Everything is
 * a number; 0 and what is no number are false, any other true, and a comparison gives 1 or 0. Texts come from the network: length, nesting and
 * steps are bounded, and nothing here throws.
 */
import { nearestName } from "../config/nearest-name.js";
import { validatePath } from "../state/path.js";
import {
  Expression,
  EXPRESSION_PATHS_MAX,
  EXPRESSION_STACK_MAX,
  EXPRESSION_STEPS_MAX,
  ExpressionInput,
  expressionStep,
} from "./expression.js";
import { Operation, takenBy } from "./expression-operation.js";
import { ExpressionTokens, type Token, TokenKind } from "./expression-tokens.js";

/** What is wrong with a text as an expression, as a sentence's end. */
export interface ExpressionProblem {
  readonly problem: string;
}

const LENGTH_MAX = 1_024;
const NESTING_MAX = 24;
/** Shorter names are near to too many others. */
const HINTED_MIN = 3;

/** Operators with two sides: how tightly they bind, and what they do. All go from left to right but `^`. */
const BINARY: Readonly<Record<string, readonly [number, Operation]>> = {
  "||": [1, Operation.or],
  "&&": [2, Operation.and],
  "==": [3, Operation.equal],
  "!=": [3, Operation.notEqual],
  "<": [4, Operation.less],
  "<=": [4, Operation.lessEqual],
  ">": [4, Operation.greater],
  ">=": [4, Operation.greaterEqual],
  "+": [5, Operation.add],
  "-": [5, Operation.subtract],
  "*": [6, Operation.multiply],
  "/": [6, Operation.divide],
  "%": [6, Operation.remainder],
  "^": [8, Operation.power],
};
const LOOSEST = 1;
const PREFIX_LEVEL = 7;
const POWER_LEVEL = 8;

const PREFIX: Readonly<Record<string, Operation>> = { "-": Operation.negate, "!": Operation.not };

/** Functions. `min` and `max` take two numbers or more, the others as many as their operation. */
const FUNCTIONS: Readonly<Record<string, Operation>> = {
  min: Operation.min,
  max: Operation.max,
  clamp: Operation.clamp,
  abs: Operation.abs,
  floor: Operation.floor,
  ceil: Operation.ceil,
  round: Operation.round,
  sqrt: Operation.sqrt,
  pow: Operation.power,
  exp: Operation.exp,
  log: Operation.log,
  sin: Operation.sin,
  cos: Operation.cos,
  mod: Operation.mod,
  lerp: Operation.lerp,
  step: Operation.step,
  smoothstep: Operation.smoothstep,
  sign: Operation.sign,
};
const INPUTS: Readonly<Record<string, number>> = { x: ExpressionInput.x, value: ExpressionInput.value };
const CONSTANTS: Readonly<Record<string, number>> = { pi: Math.PI };

export function parseExpression(text: string): Expression | ExpressionProblem {
  if (text.length > LENGTH_MAX) return { problem: `is longer than ${LENGTH_MAX} characters` };
  return new ExpressionParser(text).parse();
}

class ExpressionParser {
  private readonly text: string;
  private readonly tokens: ExpressionTokens;
  private readonly steps: number[] = [];
  private readonly constants: number[] = [];
  private readonly paths: string[] = [];
  private depth = 0;
  private nesting = 0;
  /** The first thing that is wrong: then nothing is read any more. */
  private problem = "";

  constructor(text: string) {
    this.text = text;
    this.tokens = new ExpressionTokens(text);
  }

  parse(): Expression | ExpressionProblem {
    this.choice();
    const { kind, text, column } = this.tokens.operator();
    if (kind !== TokenKind.end) this.fail(column, `has ${text} where an operator or the end is awaited`);
    if (this.problem !== "") return { problem: this.problem };
    return new Expression(this.text, this.paths, this.steps, this.constants);
  }

  private fail(column: number, message: string): void {
    if (this.problem === "") this.problem = `${message} (column ${column})`;
  }

  /** Goes one level deeper, unless something is wrong already. */
  private nest(column: number, read: () => void): void {
    if (this.problem !== "") return;
    if (this.nesting === NESTING_MAX) return this.fail(column, `is nested deeper than ${NESTING_MAX} levels`);
    this.nesting++;
    read();
    this.nesting--;
  }

  private emit(operation: Operation, column: number, index = 0): void {
    this.depth += 1 - takenBy(operation);
    if (this.steps.length === EXPRESSION_STEPS_MAX) this.fail(column, `has more than ${EXPRESSION_STEPS_MAX} steps`);
    else if (this.depth > EXPRESSION_STACK_MAX) this.fail(column, "keeps too many numbers at a time");
    else this.steps.push(expressionStep(operation, index));
  }

  /** A condition with both its outcomes, or anything tighter. */
  private choice(): void {
    const { column } = this.tokens.peek();
    this.nest(column, () => {
      this.binary(LOOSEST);
      if (this.problem !== "" || !this.tokens.takes("?")) return;
      this.choice();
      this.demand(":");
      this.choice();
      this.emit(Operation.choose, column);
    });
  }

  private demand(text: string): void {
    const { column } = this.tokens.peek();
    if (this.problem === "" && !this.tokens.takes(text)) this.fail(column, `has no ${text}`);
  }

  /** Operands joined by operators that bind at least as tightly as `level`. */
  private binary(level: number): void {
    this.prefix();
    while (this.problem === "") {
      const { text, column } = this.tokens.peek();
      const [tightness, operation] = Object.hasOwn(BINARY, text) ? (BINARY[text] as readonly [number, Operation]) : [];
      if (tightness === undefined || operation === undefined || tightness < level) return;
      this.tokens.operator();
      // To the right of ^ stands another ^, or a sign.
      this.nest(column, () => this.binary(tightness === POWER_LEVEL ? POWER_LEVEL : tightness + 1));
      this.emit(operation, column);
    }
  }

  private prefix(): void {
    const token = this.tokens.operand();
    const operation = Object.hasOwn(PREFIX, token.text) ? PREFIX[token.text] : undefined;
    if (token.kind !== TokenKind.operator || operation === undefined) return this.operand(token);
    this.nest(token.column, () => this.binary(PREFIX_LEVEL));
    this.emit(operation, token.column);
  }

  private operand(token: Token): void {
    const { kind, text, column } = token;
    if (kind === TokenKind.number) this.constant(Number(text), text, column);
    else if (kind === TokenKind.path) this.path(text, column);
    else if (kind === TokenKind.name) this.named(text, column);
    else if (text === "(") {
      this.choice();
      this.demand(")");
    } else if (kind === TokenKind.end) this.fail(column, "ends where a value is awaited");
    else this.fail(column, `has ${text} where a value is awaited`);
  }

  private constant(value: number, text: string, column: number): void {
    if (!Number.isFinite(value)) return this.fail(column, `has the number ${text}, which is too large`);
    const known = this.constants.indexOf(value);
    if (known < 0) this.constants.push(value);
    this.emit(Operation.constant, column, known < 0 ? this.constants.length - 1 : known);
  }

  private path(path: string, column: number): void {
    const problem = validatePath(path);
    if (problem !== "") return this.fail(column, `has ${path}, which is no path: it ${problem}`);
    const known = this.paths.indexOf(path);
    if (known < 0 && this.paths.length === EXPRESSION_PATHS_MAX) {
      return this.fail(column, `has more than ${EXPRESSION_PATHS_MAX} paths`);
    }
    if (known < 0) this.paths.push(path);
    const index = known < 0 ? this.paths.length - 1 : known;
    this.emit(Operation.input, column, ExpressionInput.paths + index);
  }

  private named(name: string, column: number): void {
    if (Object.hasOwn(INPUTS, name)) this.emit(Operation.input, column, INPUTS[name]);
    else if (Object.hasOwn(CONSTANTS, name)) this.constant(CONSTANTS[name] as number, name, column);
    else if (Object.hasOwn(FUNCTIONS, name)) this.call(name, FUNCTIONS[name] as Operation, column);
    else {
      const names = [...Object.keys(INPUTS), ...Object.keys(CONSTANTS), ...Object.keys(FUNCTIONS)];
      const nearest = name.length < HINTED_MIN ? undefined : nearestName(name, names);
      const hint = nearest === undefined ? `: it may have ${names.join(", ")} and paths` : `; is ${nearest} meant?`;
      this.fail(column, `has ${name}, which is nothing it knows${hint}`);
    }
  }

  private call(name: string, operation: Operation, column: number): void {
    const wanted = takenBy(operation);
    const takesMore = operation === Operation.min || operation === Operation.max;
    this.demand("(");
    let count = 0;
    do {
      this.choice();
      count++;
      if (takesMore && count > wanted) this.emit(operation, column);
      else if (count > wanted) return this.fail(column, `gives ${name} more than ${wanted} values`);
    } while (this.problem === "" && this.tokens.takes(","));
    this.demand(")");
    if (count < wanted) return this.fail(column, `gives ${name} fewer than ${wanted} values`);
    this.emit(operation, column);
  }
}
