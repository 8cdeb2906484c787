import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePattern, isPattern, OSC_PATTERN_LIMIT, type OscPattern } from "../../../src/input/osc-pattern.js";

function compile(text: string): OscPattern {
  const pattern = compilePattern(text);
  if (pattern === null) throw new Error(`${text} is malformed`);
  return pattern;
}

describe("a pattern", () => {
  it.each([
    ["/a", "/a", true],
    ["/a", "/ab", false],
    ["/a?c", "/abc", true],
    ["/a?c", "/ac", false],
    ["/a?c", "/a/c", false],
    ["/a*", "/a", true],
    ["/a*", "/abc", true],
    ["/a*", "/a/c", false],
    ["/*/c", "/a/c", true],
    ["/*/c", "/a/b/c", false],
    ["/*", "/", true],
    ["/a**c", "/abbc", true],
    ["/*a*b", "/xaxab", true],
    ["/[a-c]", "/b", true],
    ["/[c-a]", "/b", true],
    ["/[a-c]", "/d", false],
    ["/[!a-c]", "/d", true],
    ["/[!a-c]", "/b", false],
    ["/[!a-c]x", "//x", false],
    ["/[a-]", "/-", true],
    ["/[-a]", "/-", true],
    ["/[a!]", "/!", true],
    ["/[*?{]", "/*", true],
    ["/[ -~]", "//", false],
    ["/{one,two}", "/two", true],
    ["/{one,two}", "/three", false],
    ["/{one,two}/x", "/one/x", true],
    ["/{a,ab}b", "/abb", true],
    ["/{a,ab}b", "/ab", true],
    ["/x{,y}z", "/xz", true],
    ["/x{y,}z", "/xyz", true],
    ["/x{y,}", "/x", true],
    ["/{,a}{,b}*{,c}d", "/d", true],
    ["/{a*,?b}/[cd]", "/axx/d", true],
    ["/a//b", "/a/b", true],
    ["/a//b", "/a/x/b", true],
    ["/a//b", "/a/x/y/b", true],
    ["/a//b", "/a/xb", false],
    ["/a//b", "/ab", false],
    ["//b", "/b", true],
    ["//b", "/a/b", true],
    ["//b", "/ab", false],
    ["//*/c", "/a/b/c", true],
    ["//*/c", "/c", false],
    ["/a//b//c", "/a/b/b/x/c", true],
    ["/a//", "/a/b", true],
    ["/a//", "/a/b/c", true],
    ["/a//", "/a", false],
    ["/a//", "/a/", false],
    ["//", "/a", true],
    ["/*", "/é", true],
    ["/[!a]", "/é", true],
    ["/[a-z]", "/é", false],
    ["//b", "/é/b", true],
  ])("%s matches %s: %s", (text, address, expected) => {
    expect(compile(text).matches(address)).toBe(expected);
  });

  it.each([
    "",
    "a",
    "*",
    "/[",
    "/[]",
    "/[!]",
    "/[a",
    "/a]",
    "/[a/b]",
    "/{",
    "/{}",
    "/{a",
    "/a}",
    "/{a/b,c}",
    "/{a,{b,c}}",
    "/{a,[}",
    "/a///b",
    "///",
    "/a\n",
    "/é*",
    "/[é]",
    "/[\u007f]",
    `/${"a".repeat(OSC_PATTERN_LIMIT)}`,
  ])("is malformed: %j", (text) => {
    expect(compilePattern(text)).toBeNull();
  });

  it("says with what every match begins", () => {
    const prefixes = ["/a/b", "/a/b*", "/a//b", "//", "/*", "/a{b,c}", "/ab[c]"].map(
      (text) => compile(text).literalPrefix,
    );
    expect(prefixes).toEqual(["/a/b", "/a/b", "/a/", "/", "/", "/a", "/ab"]);
  });

  it("is literal when nothing in it is special", () => {
    expect([compile("/a b#,!-").isLiteral, compile("/a*").isLiteral]).toEqual([true, false]);
  });

  it("is told from a path by its characters, malformed ones too", () => {
    expect(["/*", "/?", "/[", "/]", "/{", "/}", "/a//b"].map(isPattern)).toEqual(new Array(7).fill(true));
    expect(["/", "/a/b", "/a/", "/a b#,!-"].map(isPattern)).toEqual(new Array(4).fill(false));
  });

  it("matches what a regular expression of the same meaning matches", () => {
    let matched = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 7 }), address, (pieces, candidate) => {
        const text = `/a${pieces.map((part) => part.text).join("")}`;
        const expected = new RegExp(`^/a${pieces.map((part) => part.source).join("")}$`, "s").test(candidate);
        if (expected) matched++;
        const pattern = compile(text);
        expect(pattern.matches(candidate)).toBe(expected);
        if (expected) expect(candidate.startsWith(pattern.literalPrefix)).toBe(true);
      }),
      { seed: 7708, numRuns: 20_000 },
    );
    expect(matched).toBeGreaterThan(1_000);
  });
});

interface Piece {
  readonly text: string;
  /** The same as a regular expression. */
  readonly source: string;
}

/** An alphabet of three letters and short addresses, so that many match. */
const address = fc
  .string({ unit: fc.constantFrom("a", "b", "c", "a", "b", "/"), maxLength: 7 })
  .map((rest) => `/a${rest}`);

const atom: fc.Arbitrary<Piece> = fc.constantFrom(
  { text: "a", source: "a" },
  { text: "b", source: "b" },
  { text: "?", source: "[^/]" },
  { text: "*", source: "[^/]*" },
  { text: "[ab]", source: "[ab]" },
  { text: "[b-c]", source: "[b-c]" },
  { text: "[!a]", source: "[^a/]" },
);

const braces: fc.Arbitrary<Piece> = fc
  .array(fc.array(atom, { maxLength: 3 }), { minLength: 2, maxLength: 3 })
  .map((alternatives) => ({
    text: `{${alternatives.map((atoms) => atoms.map((part) => part.text).join("")).join(",")}}`,
    source: `(?:${alternatives.map((atoms) => atoms.map((part) => part.source).join("")).join("|")})`,
  }));

/** A level separator has a letter behind it, so two never meet. */
const separator: fc.Arbitrary<Piece> = fc.constantFrom(
  { text: "/a", source: "/a" },
  { text: "/*b", source: "/[^/]*b" },
  { text: "//a", source: "/(?:.*/)?a" },
  { text: "//*", source: "/(?:.*/)?[^/]*" },
);

const piece = fc.oneof({ weight: 4, arbitrary: atom }, { weight: 2, arbitrary: braces }, separator);

describe("a nasty pattern", () => {
  const nasty = [
    "/*******b",
    `/${"*a".repeat(64)}b`,
    `/${"*?".repeat(64)}b`,
    `/${"{a,a}".repeat(50)}b`,
    `/${"{a*,*a}".repeat(36)}b`,
    `/${"{,a}".repeat(60)}b`,
    `/a${"//a".repeat(80)}b`,
    `/${"[!b]*".repeat(50)}b`,
    `/${"*{,*,*}".repeat(36)}b`,
    `/${"?".repeat(255)}`,
    "//".repeat(1),
    `/{${",".repeat(250)}}b`,
  ];
  const victims = [`/${"a".repeat(1_000)}`, `/${"a/".repeat(500)}a`, `/${"a".repeat(999)}b`, "/"];

  it.each(nasty)("costs at most its steps for each character: %s", (text) => {
    const pattern = compile(text);
    expect(pattern.stepsPerCharacter).toBeLessThanOrEqual(550);
    for (const victim of victims) {
      const before = pattern.steps;
      pattern.matches(victim);
      expect(pattern.steps - before).toBeLessThanOrEqual(victim.length * pattern.stepsPerCharacter);
    }
  });

  it("has its steps counted, so that a walk over many paths can stop", () => {
    const pattern = compile("/*a");
    expect(pattern.steps).toBe(0);
    pattern.matches("/xxxa");
    expect(pattern.steps).toBeGreaterThanOrEqual(4);
    const before = pattern.steps;
    compile("/b*").matches("/xxxa");
    expect(pattern.steps).toBe(before);
  });

  it("still gives the right answer at full size", () => {
    expect(compile(`/${"*a".repeat(64)}b`).matches(`/${"a".repeat(64)}b`)).toBe(true);
    expect(compile(`/${"*a".repeat(64)}b`).matches(`/${"a".repeat(63)}b`)).toBe(false);
    expect(compile(`/${"{a,aa}".repeat(42)}b`).matches(`/${"a".repeat(84)}b`)).toBe(true);
    expect(compile(`/${"{a,aa}".repeat(42)}b`).matches(`/${"a".repeat(85)}b`)).toBe(false);
    expect(compile(`/a${"//a".repeat(80)}`).matches(`/a${"/x/a".repeat(80)}`)).toBe(true);
    expect(compile(`/a${"//a".repeat(80)}`).matches(`/a${"/x/a".repeat(79)}`)).toBe(false);
    expect(compile(`/${"?".repeat(255)}`).matches(`/${"x".repeat(255)}`)).toBe(true);
  });
});
