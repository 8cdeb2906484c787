import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Expression, EXPRESSION_INPUTS_MAX, ExpressionInput } from "../../../src/input/expression.js";
import { parseExpression } from "../../../src/input/expression-parse.js";

interface Given {
  readonly x?: number;
  readonly value?: number;
  readonly paths?: Readonly<Record<string, number>>;
}

function parsed(text: string): Expression {
  const expression = parseExpression(text);
  if ("problem" in expression) throw new Error(`${text}: ${expression.problem}`);
  return expression;
}

/** The result, or undefined where it is no finite number. */
function resultOf(text: string, { x = 0, value = 0, paths = {} }: Given = {}): number | undefined {
  const expression = parsed(text);
  const inputs = new Float64Array(EXPRESSION_INPUTS_MAX);
  inputs[ExpressionInput.x] = x;
  inputs[ExpressionInput.value] = value;
  expression.paths.forEach((path, index) => (inputs[ExpressionInput.paths + index] = paths[path] ?? 0));
  const results = new Float64Array(1);
  return expression.run(inputs, results) ? results[0] : undefined;
}

function problemOf(text: string): string {
  const expression = parseExpression(text);
  return "problem" in expression ? expression.problem : "";
}

describe("an expression", () => {
  it.each([
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["8 - 3 - 2", 3],
    ["16 / 4 / 2", 2],
    ["7 % 4", 3],
    ["-7 % 4", -3],
    ["2 ^ 3 ^ 2", 512],
    ["-2 ^ 2", -4],
    ["2 ^ -1", 0.5],
    ["- -3", 3],
    ["1 < 2", 1],
    ["2 <= 1", 0],
    ["2 > 1", 1],
    ["1 >= 2", 0],
    ["1 + 1 == 2", 1],
    ["1 != 1", 0],
    ["1 < 2 == 2 > 1", 1],
    ["0 || 0.5", 1],
    ["1 && 0", 0],
    ["1 || 1 && 0", 1],
    ["!0", 1],
    ["!0.1 + 1", 1],
    ["1 ? 2 : 3", 2],
    ["0 ? 2 : 0 ? 3 : 4", 4],
    ["0 / 0 ? 2 : 3", 3],
    ["!(0 / 0)", 1],
    ["1 ? 0 ? 1 : 2 : 3", 2],
    ["1.5e1 + .5 + 2.", 17.5],
    ["pi", Math.PI],
  ])("reads %s as %f", (text, expected) => {
    expect(resultOf(text)).toBe(expected);
  });

  it.each([
    ["min(3, 1, 2)", 1],
    ["max(3, 1, 5, 2)", 5],
    ["clamp(5, 0, 2)", 2],
    ["clamp(-5, 0, 2)", 0],
    ["abs(-2)", 2],
    ["floor(-1.5)", -2],
    ["ceil(1.2)", 2],
    ["round(1.5)", 2],
    ["sqrt(9)", 3],
    ["pow(2, 10)", 1024],
    ["exp(0)", 1],
    ["log(exp(1))", 1],
    ["sin(0)", 0],
    ["cos(0)", 1],
    ["mod(-1, 4)", 3],
    ["lerp(2, 8, 0.5)", 5],
    ["step(0.5, 0.4)", 0],
    ["step(0.5, 0.5)", 1],
    ["smoothstep(0, 2, 1)", 0.5],
    ["smoothstep(0, 2, 9)", 1],
    ["sign(-3)", -1],
  ])("knows %s, which is %f", (text, expected) => {
    expect(resultOf(text)).toBe(expected);
  });

  it("is given the control's way, the value that is there, and the values of paths", () => {
    expect(resultOf("value + x * 2", { x: 0.5, value: 3 })).toBe(4);
    const paths = { "/global/master/level": 0.5, "/viz/a-1/b+c": 8 };
    expect(resultOf('/global/master/level * x / 2 + "/viz/a-1/b+c"', { x: 4, paths })).toBe(9);
    expect(parsed("/viz/a / /viz/a + /viz/b").paths).toEqual(["/viz/a", "/viz/b"]);
    expect(resultOf("/viz/a-b", { paths: { "/viz/a-b": 3 } })).toBe(3);
    expect(resultOf("/viz/a - x", { x: 1, paths: { "/viz/a": 3 } })).toBe(2);
  });

  it.each(["1 / 0", "0 / 0", "sqrt(-1)", "log(0)", "10 ^ 400", "1 % 0"])("has no result for %s", (text) => {
    expect(resultOf(text)).toBeUndefined();
  });

  it("takes the outcome that its condition says, whatever the other one would be", () => {
    expect(resultOf("x == 0 ? 0 : 1 / x", { x: 0 })).toBe(0);
    expect(resultOf("x == 0 ? 0 : 1 / x", { x: 2 })).toBe(0.5);
  });

  it.each([
    ["", "ends where a value is awaited (column 1)"],
    ["1 +", "ends where a value is awaited (column 4)"],
    ["1 2", "has 2 where an operator or the end is awaited (column 3)"],
    ["(1", "has no ) (column 3)"],
    ["1)", "has ) where an operator or the end is awaited (column 2)"],
    ["1 ? 2", "has no : (column 6)"],
    ["* 2", "has * where a value is awaited (column 1)"],
    ["x = 1", "has = where an operator or the end is awaited (column 3)"],
    ["x; 1", "has ; where an operator or the end is awaited (column 2)"],
    ["y", "has y, which is nothing it knows: it may have x, value, pi, min"],
    ["flor(x)", "has flor, which is nothing it knows; is floor meant? (column 1)"],
    ["constructor", "has constructor, which is nothing it knows"],
    ["min(1)", "gives min fewer than 2 values (column 1)"],
    ["abs(1, 2)", "gives abs more than 1 values (column 1)"],
    ["lerp(1, 2)", "gives lerp fewer than 3 values (column 1)"],
    ["abs 1", "has no ( (column 5)"],
    ["1e999", "has the number 1e999, which is too large (column 1)"],
    ["x + /nowhere/at/all", "has /nowhere/at/all, which is no path: it begins with none of /global"],
    ["'x' + 1", "has x, which is no path: it does not begin with / (column 1)"],
    ["/global/tempo/", "ends where a value is awaited (column 15)"],
    ["x.y", "has .y where an operator or the end is awaited (column 2)"],
  ])("that is %j is refused: it %s", (text, problem) => {
    expect(problemOf(text)).toContain(problem);
  });

  it("is bounded in length, steps, nesting, numbers on the way and paths", () => {
    expect(problemOf(`${" ".repeat(1_024)}1`)).toBe("is longer than 1024 characters");
    expect(problemOf(Array(128).fill("x").join("+"))).toBe("");
    expect(problemOf(Array(129).fill("x").join("+"))).toContain("has more than 256 steps");
    expect(problemOf(`${"(".repeat(23)}1${")".repeat(23)}`)).toBe("");
    expect(problemOf(`${"(".repeat(24)}1${")".repeat(24)}`)).toContain("is nested deeper than 24 levels");
    expect(problemOf("-".repeat(500))).toContain("is nested deeper than 24 levels");
    expect(problemOf(`${"1+x*".repeat(20)}1`)).toBe("");
    expect(problemOf(`${"lerp(1,1,".repeat(20)}1${")".repeat(20)}`)).toContain("keeps too many numbers at a time");
    const paths = [...Array(17).keys()].map((number) => `/viz/a${number}`);
    expect(problemOf(paths.slice(1).join("+"))).toBe("");
    expect(problemOf(paths.join("+"))).toContain("has more than 16 paths");
  });

  it("of any text at all is refused or has a result, and ends", () => {
    const words = ["x", "value", "1", ".5", "(", ")", "+", "-", "/", "^", "?", ":", "&&", ",", "min", "lerp", "/viz/a"];
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...words)).map((parts) => parts.join(" ")),
    );
    fc.assert(
      fc.property(text, (given) => {
        const expression = parseExpression(given);
        if ("problem" in expression) expect(expression.problem).not.toBe("");
        else expression.run(new Float64Array(EXPRESSION_INPUTS_MAX), new Float64Array(1));
      }),
    );
  });

  it("says what the same formula says in JavaScript, brackets or not", () => {
    const leaf = fc.constantFrom("x", "value", "2", "0.5", "3");
    const formula = fc.letrec<Record<"any" | "sum" | "choice" | "group", string>>((tie) => ({
      any: fc.oneof({ maxDepth: 4 }, leaf, tie("sum"), tie("choice"), tie("group")),
      sum: fc
        .tuple(tie("any"), fc.constantFrom("+", "-", "*", "/", "%", "<", ">=", "==", "!="), tie("any"))
        .map((parts) => parts.join(" ")),
      choice: fc.tuple(tie("any"), tie("any"), tie("any")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      group: tie("any").map((inner) => `(${inner})`),
    })).any;
    fc.assert(
      fc.property(formula, fc.integer({ min: -4, max: 4 }), fc.integer({ min: -4, max: 4 }), (text, x, value) => {
        // eslint-disable-next-line @typescript-eslint/no-implied-eval -- JavaScript is the model
        const model = new Function("x", "value", `return Number(${text})`) as (x: number, value: number) => number;
        const expected = model(x, value);
        expect(resultOf(text, { x, value })).toEqual(Number.isFinite(expected) ? expected : undefined);
      }),
    );
  });
});
