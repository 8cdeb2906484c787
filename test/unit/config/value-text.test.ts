import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatValue, jsonValue, parseJsonValue, parseValue } from "../../../src/config/value-text.js";
import type { Declaration, Value } from "../../../src/state/declaration.js";
import { anyDeclaration, anyValue, declared } from "./arbitraries.js";

function read(words: string | string[], declaration: Declaration | undefined): Value | string {
  const parsed = parseValue(typeof words === "string" ? [words] : words, declaration);
  return "problem" in parsed ? `problem: ${parsed.problem}` : parsed.value;
}

const anyTypedValue = anyDeclaration.chain((declaration) => fc.tuple(fc.constant(declaration), anyValue(declaration)));
const mode = declared({ type: "enum", values: ["soft light", "add", "1"] });

describe("typed words become the declared type", () => {
  it.each<[string | string[], Declaration, Value]>([
    ["0.5", declared({ type: "float" }), 0.5],
    ["0.1", declared({ type: "float" }), Math.fround(0.1)],
    ["0.1", declared({ type: "double" }), 0.1],
    ["20", declared({ type: "float", range: { min: 0, max: 10 } }), 20],
    ["7", declared({ type: "int" }), 7],
    ["2.5", declared({ type: "int" }), 3],
    ["true", declared({ type: "bool" }), true],
    ["off", declared({ type: "bool" }), false],
    ["0.2", declared({ type: "bool" }), false],
    [["two", "words"], declared({ type: "string" }), "two words"],
    ["true", declared({ type: "string" }), "true"],
    [["soft", "light"], mode, "soft light"],
    ["0", mode, "soft light"],
    ["1", mode, "1"],
    ["#ff8800", declared({ type: "color" }), [1, Math.fround(0x88 / 255), 0, 1]],
    ["#00000080", declared({ type: "color" }), [0, 0, 0, Math.fround(0x80 / 255)]],
    ["1 0 0.5", declared({ type: "color" }), [1, 0, 0.5, 1]],
    [["1", "2"], declared({ type: "vec2" }), [1, 2]],
    ["1,2 3", declared({ type: "vec3" }), [1, 2, 3]],
    ["0 0 0 1", declared({ type: "quaternion" }), [0, 0, 0, 1]],
    [[], declared({ type: "impulse" }), null],
    ["1", declared({ type: "impulse" }), null],
    ["aGk=", declared({ type: "blob" }), Uint8Array.of(104, 105)],
    ["", declared({ type: "blob" }), new Uint8Array(0)],
  ])("%j for %o", (words, declaration, value) => {
    expect(read(words, declaration)).toEqual(value);
  });

  it.each<[string | string[], Declaration, string]>([
    ["fast", declared({ type: "float" }), "not one number"],
    [["1", "2"], declared({ type: "float" }), "not one number"],
    ["1e39", declared({ type: "float" }), "32-bit float"],
    ["2147483648", declared({ type: "int" }), "32 bits"],
    ["maybe", declared({ type: "bool" }), "true or false"],
    ["screen", mode, '"soft light", "add", "1"'],
    ["3", mode, "is none of"],
    ["#ff88", declared({ type: "color" }), "not a color"],
    ["1 2 0", declared({ type: "color" }), "not a color"],
    ["1 2", declared({ type: "vec3" }), "not 3 numbers"],
    ["1 2 x", declared({ type: "vec3" }), "not 3 numbers"],
    ["0 0 0 0", declared({ type: "quaternion" }), "no rotation"],
    ["0", declared({ type: "impulse" }), "no value"],
    ["aGk", declared({ type: "blob" }), "base64"],
    ["a\0b", declared({ type: "string" }), "NUL"],
  ])("%j is refused for %o", (words, declaration, problem) => {
    expect(read(words, declaration)).toContain(problem);
  });
});

describe("without a declaration the type is guessed", () => {
  it.each<[string[], string, Value]>([
    [["0.5"], "float", 0.5],
    [["1", "2"], "vec2", [1, 2]],
    [["1 2 3"], "vec3", [1, 2, 3]],
    [["1", "2", "3", "4"], "vec4", [1, 2, 3, 4]],
    [["1", "2", "3", "4", "5"], "string", "1 2 3 4 5"],
    [["true"], "bool", true],
    [["TRUE"], "string", "TRUE"],
    [["1", "x"], "string", "1 x"],
    [["1,2"], "string", "1,2"],
    [["#ff8800"], "string", "#ff8800"],
    [[""], "string", ""],
  ])("%j is a %s", (words, type, value) => {
    expect(parseValue(words, undefined)).toEqual({ type, value });
  });

  it("nothing is no value", () => {
    expect(parseValue([], undefined)).toHaveProperty("problem");
  });

  it.each<[string, string, Value]>([
    ["0.5", "float", 0.5],
    ["[1,2,3]", "vec3", [1, 2, 3]],
    ["false", "bool", false],
    ['"1"', "string", "1"],
  ])("JSON %s is a %s", (text, type, value) => {
    expect(parseJsonValue(text, undefined)).toEqual({ type, value });
  });

  it.each(["{}", "[1]", '["a","b"]', "null", "nope", "1e999"])("JSON %s is no value", (text) => {
    expect(parseJsonValue(text, undefined)).toHaveProperty("problem");
  });
});

describe("a value is written", () => {
  it.each<[Value, Declaration, string]>([
    [Math.fround(0.1), declared({ type: "float" }), "0.1"],
    [0.1, declared({ type: "double" }), "0.1"],
    [Math.fround(0.1), declared({ type: "double" }), "0.10000000149011612"],
    [-7, declared({ type: "int" }), "-7"],
    [true, declared({ type: "bool" }), "true"],
    ["a  b", declared({ type: "string" }), "a  b"],
    ["add", mode, "add"],
    [[1, Math.fround(0.2), 0, 1], declared({ type: "color" }), "1 0.2 0 1"],
    [[1, 2], declared({ type: "vec2" }), "1 2"],
    [null, declared({ type: "impulse" }), ""],
    [Uint8Array.of(104, 105), declared({ type: "blob" }), "aGk="],
  ])("%o as %s", (value, declaration, text) => {
    expect(formatValue(value, declaration)).toBe(text);
  });

  it("such that it reads back the same, for every type", () => {
    fc.assert(
      fc.property(anyTypedValue, ([declaration, value]) => {
        expect(read(formatValue(value, declaration), declaration)).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it("as JSON such that it reads back the same, for every type", () => {
    fc.assert(
      fc.property(anyTypedValue, ([declaration, value]) => {
        const parsed = parseJsonValue(JSON.stringify(jsonValue(value, declaration)), declaration);
        // JSON has one zero.
        expect("value" in parsed && JSON.stringify(parsed.value)).toEqual(JSON.stringify(value));
      }),
      { numRuns: 500 },
    );
  });
});
