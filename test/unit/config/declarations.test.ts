import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDeclaration, parseDeclared } from "../../../src/config/declarations.js";
import { completeDeclaration, type DeclarationInput } from "../../../src/state/declaration.js";
import { decodeDeclaration, encodeDeclaration } from "../../../src/state/declaration-bytes.js";
import { anyDeclaration, declared } from "./arbitraries.js";

function problemsOf(input: unknown): string[] {
  const parsed = parseDeclaration(input);
  return "problems" in parsed ? parsed.problems.map(({ field, message }) => `${field}: ${message}`) : [];
}

describe("a declaration", () => {
  it("needs nothing but a type", () => {
    expect(declared({ type: "float" })).toEqual(completeDeclaration({ type: "float" }));
  });

  it("takes every field", () => {
    const input: Required<DeclarationInput> = {
      type: "float",
      range: { min: -1, max: 1 },
      clip: "low",
      default: 0.5,
      values: [],
      unit: "m",
      description: "Where",
      group: "Camera",
      smoothMs: 80,
      easing: "easeOut",
      oscAlias: "/1/fader1",
      persist: false,
      undo: false,
      recall: false,
      critical: true,
    };
    expect(declared(input)).toEqual(input);
  });

  it("takes the short names that files use", () => {
    const parsed = parseDeclaration({ type: "float", range: [0, 2], smooth: 80, alias: "/1/fader1" });
    expect(parsed).toMatchObject({ declaration: { range: { min: 0, max: 2 }, smoothMs: 80, oscAlias: "/1/fader1" } });
  });

  it("holds numbers as precise as the state does", () => {
    expect(declared({ type: "float", range: { min: 0.1, max: 1 }, default: 0.3 })).toMatchObject({
      range: { min: Math.fround(0.1) },
      default: Math.fround(0.3),
    });
    expect(declared({ type: "double", default: 0.3 })).toMatchObject({ default: 0.3 });
  });

  it.each<[DeclarationInput, unknown]>([
    [{ type: "float", range: { min: 2, max: 3 } }, 2],
    [{ type: "float", range: { min: -3, max: -2 } }, -2],
    [{ type: "float", range: { min: 2, max: 3 }, clip: "high" }, 0],
    [{ type: "vec2", range: { min: 2, max: 3 } }, [2, 2]],
    [{ type: "enum", values: ["a", "b"] }, "a"],
    [{ type: "color" }, [0, 0, 0, 1]],
    [{ type: "impulse" }, null],
  ])("%o has the default that its type and range imply", (input, value) => {
    expect(declared(input).default).toEqual(value);
  });

  it("reads colors and blobs as files write them", () => {
    expect(parseDeclaration({ type: "color", default: "#ff000080" })).toMatchObject({
      declaration: { default: [1, 0, 0, Math.fround(128 / 255)] },
    });
    expect(parseDeclaration({ type: "blob", default: "aGk=" })).toMatchObject({
      declaration: { default: Uint8Array.of(104, 105) },
    });
  });

  it("is what it was after a second reading, and on the wire", () => {
    fc.assert(
      fc.property(anyDeclaration, (declaration) => {
        expect(declared(declaration)).toEqual(declaration);
        expect(decodeDeclaration(encodeDeclaration(declaration) as Uint8Array)).toEqual(declaration);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a declaration is refused", () => {
  it.each<[unknown, string]>([
    [undefined, ": is not a table"],
    ["float", ": is not a table"],
    [[], ": is not a table"],
    [new Date(0), ": is not a table"],
    [{}, "type: is missing"],
    [{ type: "number" }, "type: is none of float, double"],
    [{ type: 1 }, "type: is none of"],
    [{ type: "toString" }, "type: is none of"],
    [{ type: "float", rnage: [0, 1] }, "rnage: is no field"],
    [JSON.parse('{"type":"float","__proto__":{}}'), "__proto__: is no field"],
    [{ type: "float", range: [1, 0] }, "range: has a minimum above"],
    [{ type: "float", range: [0, 1, 2] }, "range: is not [min, max]"],
    [{ type: "float", range: { min: 0, max: 1, step: 1 } }, "range: is not [min, max]"],
    [{ type: "float", range: [0, Number.NaN] }, "range: is not [min, max]: a bound is not a finite"],
    [{ type: "float", range: [0, Number.POSITIVE_INFINITY] }, "not a finite"],
    [{ type: "float", range: [0, 1e39] }, "too large"],
    [{ type: "int", range: [0, 0.5] }, "whole number"],
    [{ type: "int", range: [0, 2 ** 31] }, "32 bits"],
    [{ type: "color", range: [0, 1] }, "range: a color has no range"],
    [{ type: "quaternion", range: [0, 1] }, "range: a quaternion has no range"],
    [{ type: "bool", range: [0, 1] }, "range: a bool has no range"],
    [{ type: "float", clip: "wrap" }, "clip: is none of none, low, high, both"],
    [{ type: "float", default: "1" }, "default: is not a number"],
    [{ type: "float", default: null }, "default: is not a number"],
    [{ type: "float", default: Number.NaN }, "default: is not a finite"],
    [{ type: "float", range: [1, 2], default: 3 }, "default: is outside the range 1..2"],
    [{ type: "vec2", range: [1, 2], default: [1, 3] }, "default: is outside the range"],
    [{ type: "int", default: 1.5 }, "default: is not a whole number"],
    [{ type: "int", default: 2 ** 53 }, "default: does not fit 32 bits"],
    [{ type: "int", default: -(2 ** 31) - 1 }, "default: does not fit 32 bits"],
    [{ type: "color", default: [0, -0.1, 0] }, "default: is not a color"],
    [{ type: "bool", default: 1 }, "default: is not true or false"],
    [{ type: "string", default: "a\0" }, "default: holds a NUL"],
    [{ type: "string", default: "\ud800" }, "default: is not valid Unicode"],
    [{ type: "color", default: [0, 0, 2] }, "default: is not a color"],
    [{ type: "color", default: "red" }, "default: is not a color"],
    [{ type: "vec3", default: [1, 2] }, "default: is not 3 numbers"],
    [{ type: "vec3", default: [1, 2, "3"] }, "default: is not a number"],
    [{ type: "quaternion", default: [0, 0, 0, 0] }, "default: is no rotation"],
    [{ type: "impulse", default: 1 }, "default: an impulse has no value"],
    [{ type: "blob", default: "a" }, "default: is not base64"],
    [{ type: "enum" }, "values: is not a list"],
    [{ type: "enum", values: [] }, "values: is not a list"],
    [{ type: "enum", values: ["a", "a"] }, 'values: holds "a" twice'],
    [{ type: "enum", values: ["a", ""] }, "values: holds something that is no name"],
    [{ type: "enum", values: ["a", 1] }, "values: holds something that is no name"],
    [{ type: "enum", values: ["a\n"] }, "values: holds a name with a control"],
    [{ type: "enum", values: ["a", "b"], default: "c" }, 'default: is none of "a", "b"'],
    [{ type: "enum", values: Array.from({ length: 1_001 }, (_, index) => `${index}`) }, "values: is not a list"],
    [
      { type: "enum", values: Array.from({ length: 400 }, (_, index) => `${index}`.padEnd(150)) },
      "values: is too long",
    ],
    [{ type: "float", values: ["a"] }, "values: a float has no list"],
    [{ type: "string", default: "a".repeat(5_000) }, "default: is too long"],
    [{ type: "float", smoothMs: -1 }, "smoothMs: is not a time"],
    [{ type: "float", smooth: Number.NaN }, "smooth: is not a time"],
    [{ type: "float", smooth: 10, smoothMs: 10 }, "smooth: is given twice"],
    [{ type: "bool", smooth: 10 }, "smooth: a bool cannot be smoothed"],
    [{ type: "string", smooth: 10 }, "smooth: a string cannot be smoothed"],
    [{ type: "float", easing: "bounce" }, "easing: is none of"],
    [{ type: "float", alias: "1/fader" }, "alias: is not an OSC address"],
    [{ type: "float", alias: "/1/fader*" }, "alias: is not an OSC address"],
    [{ type: "float", alias: "/hana/subscribe" }, "alias: lies under /hana"],
    [{ type: "float", alias: "/system/term" }, "alias: lies under /hana or /system"],
    [{ type: "float", unit: 1 }, "unit: is not a string"],
    [{ type: "float", unit: "m".repeat(201) }, "unit: is longer than 200"],
    [{ type: "float", description: "\0" }, "description: holds a NUL"],
    [{ type: "float", persist: "no" }, "persist: is not true or false"],
  ])("%o", (input, problem) => {
    expect(problemsOf(input).join("\n")).toContain(problem);
  });

  it("with every problem at once", () => {
    const problems = problemsOf({ type: "float", range: [2, 1], default: "x", clip: "?", unit: 1, undo: 1, foo: 1 });
    expect(problems.map((problem) => problem.split(":")[0])).toEqual([
      "foo",
      "clip",
      "range",
      "default",
      "unit",
      "undo",
    ]);
  });

  it("when it and a path would not fit into one message", () => {
    const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`.padEnd(200));
    expect(problemsOf({ type: "enum", values: names(160) })).toEqual([]);
    expect(problemsOf({ type: "enum", values: names(162) })).toEqual([
      "values: is too long to be sent to the other nodes",
    ]);
  });

  it("without a type with every problem that needs none", () => {
    expect(problemsOf({ range: [0, 1], unit: 1 })).toEqual(["type: is missing", "unit: is not a string"]);
  });

  it("for a path that is none", () => {
    const parsed = parseDeclared("/tunnel/zoom", { type: "float", unit: 1 });
    expect("problems" in parsed && parsed.problems.map(({ field }) => field)).toEqual(["path", "unit"]);
    expect(parseDeclared("/viz/tunnel/zoom", { type: "float" })).toHaveProperty("declaration");
  });

  it("and never throws, whatever comes", () => {
    fc.assert(
      fc.property(
        fc.anything(),
        fc.record({ type: fc.constantFrom("float", "enum", "vec3", "blob", "color"), range: fc.anything() }),
        fc.anything(),
        (whole, typed, field) => {
          parseDeclaration(whole);
          parseDeclaration({ ...typed, default: field, values: field, smooth: field, alias: field, unit: field });
        },
      ),
      { numRuns: 500 },
    );
  });
});
