/** JSON as people write it: the same values as the built-in parser's, with lines, repeated keys and clear refusals. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonDocument, type JsonProblem, parseJson } from "../../../src/config/json-text.js";

function documentOf(text: string): JsonDocument {
  const document = parseJson(text, 1_000_000);
  if ("problem" in document) throw new Error(`${document.line}:${document.column}: ${document.problem}`);
  return document;
}

function problemOf(text: string, maxBytes = 1_000): JsonProblem {
  const document = parseJson(text, maxBytes);
  if (!("problem" in document)) throw new Error("it was accepted");
  return document;
}

describe("JSON text", () => {
  it("reads what the built-in parser reads, and refuses what that refuses", () => {
    const text = fc.oneof(
      fc.json({ maxDepth: 5 }),
      fc.json({ maxDepth: 3 }).chain((json) => fc.nat(json.length).map((at) => json.slice(0, at) + json.slice(at + 1))),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (json) => {
        let expected: unknown;
        try {
          expected = JSON.parse(json);
        } catch {
          return "problem" in parseJson(json, 1_000_000);
        }
        expect(documentOf(json).value).toEqual(expected);
        return true;
      }),
      { numRuns: 2_000 },
    );
  });

  it("knows the line of each part, and of what is around a part that is not there", () => {
    const document = documentOf('{\n  "a": 1,\n  "b": {\n    "c": [\n      1,\n      2\n    ]\n  }\n}');
    expect(document.lineOf([])).toBe(1);
    expect(document.lineOf(["a"])).toBe(2);
    expect(document.lineOf(["b", "c"])).toBe(4);
    expect(document.lineOf(["b", "c", "1"])).toBe(6);
    expect(document.lineOf(["b", "missing", "deeper"])).toBe(3);
  });

  it("tells a key that stands twice, and where", () => {
    expect(documentOf('{"a": {"b": 1,\n"c": 2,\n"b": 3}}').repeated).toEqual([{ place: ["a", "b"], line: 3 }]);
    expect(documentOf('[{"b": 1}, {"b": 1}]').repeated).toEqual([]);
  });

  it.each([
    ['{"a": 1,\n}', 2, 1, "nothing follows the comma"],
    ['{"a" 1}', 1, 6, "a colon must follow"],
    ["{a: 1}", 1, 2, "a name in double quotes"],
    ['{"a": 1 "b": 2}', 1, 9, "a comma or }"],
    ["[1, 2\n\n", 3, 1, "a comma or ]"],
    ['{"a": "x\ny"}', 1, 7, "line break"],
    ["{} {}", 1, 4, "something follows the end"],
    ["", 1, 1, "a value is missing"],
  ])("says where %j is wrong", (text, line, column, problem) => {
    expect(problemOf(text)).toEqual({ line, column, problem: expect.stringContaining(problem) });
  });

  it("is bounded in length and depth", () => {
    expect(problemOf(`"${"é".repeat(500)}"`).problem).toBe("is longer than 1000 bytes");
    expect(problemOf("[".repeat(900)).problem).toBe("is nested deeper than 32");
    expect(problemOf('{"a":'.repeat(150)).problem).toBe("is nested deeper than 32");
  });

  it("makes an own property of any key", () => {
    const value = documentOf('{"__proto__": {"polluted": true}}').value as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect((value as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
