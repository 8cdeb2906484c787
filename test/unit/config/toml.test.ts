import { describe, expect, it } from "vitest";
import { isTable, parseToml, type TomlDocument, tomlKey, tomlNumber, tomlString } from "../../../src/config/toml.js";

const LIMIT = 16 * 1024 * 1024;

function documentOf(text: string): TomlDocument {
  const parsed = parseToml(text, LIMIT);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed;
}

describe("the line of a key", () => {
  const text = [
    "top = 1 # comment = 2",
    "",
    "[a.b]",
    'c = "# no comment"',
    'd = """',
    "e = 1",
    '"""',
    "f = [",
    '  1, # "',
    "  2,",
    "]",
    "g.h = { i = 1 }",
    "\t'quo.ted' = 'x'",
    '"\\"" = 1',
    "[a.c] # d = 1",
    "x = '''",
    "''''' # two quotes belong to it",
    "y = 1",
    "[[list]]",
    "z = 1",
    "[[list]]",
    "z = 2",
    "[list.deep]",
    "z = 3",
    'quotes = ["""a"""", 1]',
    "after = 1",
  ].join("\r\n");
  const document = documentOf(text);

  it.each<[string[], number]>([
    [["top"], 1],
    [["a"], 3],
    [["a", "b"], 3],
    [["a", "b", "c"], 4],
    [["a", "b", "d"], 5],
    [["a", "b", "f"], 8],
    [["a", "b", "g"], 12],
    [["a", "b", "g", "h"], 12],
    [["a", "b", "g", "h", "i"], 12],
    [["a", "b", "quo.ted"], 13],
    [["a", "b", '"'], 14],
    [["a", "c"], 15],
    [["a", "c", "x"], 16],
    [["a", "c", "y"], 18],
    [["list", "0", "z"], 20],
    [["list", "1", "z"], 22],
    [["list", "1", "deep", "z"], 24],
    [["list", "1", "deep", "after"], 26],
    [["a", "b", "missing"], 3],
  ])("%j is %d", (parts, line) => {
    expect(document.lineOf(parts)).toBe(line);
  });

  it("of nothing is undefined", () => {
    expect(document.lineOf(["nowhere"])).toBeUndefined();
  });
});

describe("a TOML text is refused", () => {
  it("where the parser says, with line and column", () => {
    expect(parseToml("a = 1\nb = \nc = 2", LIMIT)).toMatchObject({ problem: "invalid value", line: 2, column: 5 });
  });

  it.each([
    ["a key twice", "a = 1\na = 2", "redefine", 2],
    ["an integer above 2^53", "\na = 9007199254740993", "integer", 2],
    ["a deep array", `a = ${"[".repeat(100)}${"]".repeat(100)}`, "nested", 1],
    ["a deep inline table", `a = ${"{a=".repeat(100)}1${"}".repeat(100)}`, "nested", 1],
    ["a deep key", `b = 1\n${"a.".repeat(40)}a = 1`, "more than 32 parts", 2],
    ["a deep header", `[${"a.".repeat(40)}a]`, "more than 32 parts", 1],
    ["a deep key of strings", `${'"a".'.repeat(40)}a = 1`, "more than 32 parts", 1],
    ["an unfinished string", 'a = "b', "unfinished string", 1],
    ["an unfinished table", "[a", "key", 1],
  ])("for %s", (_, text, problem, line) => {
    const parsed = parseToml(text, LIMIT);
    expect(parsed).toMatchObject({ line });
    expect((parsed as { problem: string }).problem).toContain(problem);
  });

  it("for its length", () => {
    expect(parseToml("#".repeat(101), 100)).toMatchObject({ problem: "is longer than 100 bytes" });
    expect(parseToml("#".repeat(100), 100)).toHaveProperty("table");
  });

  it("for the objects it would make, before they are made", () => {
    expect(parseToml(`a = [${"{},".repeat(1_500_001)}]`, LIMIT)).toMatchObject({
      problem: "more than 1,500,000 entries",
    });
  });

  it("but not for dots and brackets inside strings and comments", () => {
    const dots = ".".repeat(100);
    expect(parseToml(`a = "${dots}" # ${dots}\nb = '''\n${dots}'''\nc = "\\"${dots}"`, LIMIT)).toHaveProperty("table");
  });
});

describe("what the parser gives", () => {
  it("has no prototype to pollute", () => {
    const { table } = documentOf("__proto__.polluted = 1\n[a.__proto__]\npolluted = 1");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.keys(table)).toEqual(["__proto__", "a"]);
  });

  it("tells tables from arrays and dates", () => {
    const { table } = documentOf("a = {}\nb = []\nc = 1979-05-27");
    expect([isTable(table["a"]), isTable(table["b"]), isTable(table["c"])]).toEqual([true, false, false]);
  });
});

describe("what is written is read back", () => {
  it.each(["", 'a"b\\c', "line\nbreak\ttab\u0000\u007f\u0080\u2028", "🎛", "'''", '"""'])("the string %j", (text) => {
    expect(documentOf(`a = ${tomlString(text)}`).table["a"]).toBe(text);
    expect(Object.keys(documentOf(`${tomlKey(text)} = 1`).table)).toEqual([text]);
  });

  it("half a surrogate pair becomes the replacement character", () => {
    expect(documentOf(`a = ${tomlString("a\ud800b")}`).table["a"]).toBe("a\ufffdb");
  });

  it.each(["-0", "0", "1", "-1.5", "1e+21", "9007199254740992", "123456789012345680000", "5e-324"])(
    "the number %s",
    (text) => {
      expect(documentOf(`a = ${tomlNumber(text)}`).table["a"]).toBe(Number(text));
    },
  );
});
