import { describe, expect, it } from "vitest";
import { segmentsOf, validateAddress, validatePath, validateSegment } from "../../../src/state/path.js";

describe("a path", () => {
  it.each([
    "/viz/tunnel/camera/zoom",
    "/global/tempo",
    "/displays/left-1/size",
    "/viz/~!$%&'()+.:;<=>@^_`|\\\"/x",
    "/viz/_x/__proto/a__proto__",
    `/viz/${"a".repeat(250)}`,
    `/viz${"/a".repeat(15)}`,
  ])("may be %s", (path) => {
    expect(validatePath(path)).toBe("");
  });

  it.each([
    ["", "begin with /"],
    ["viz/a", "begin with /"],
    ["/", "empty segment"],
    ["//viz", "empty segment"],
    ["/viz/", "empty segment"],
    ["/viz//a", "empty segment"],
    [`/viz/${"a".repeat(251)}`, "255 bytes"],
    [`/viz${"/a".repeat(16)}`, "16 segments"],
    ["/viz/a b", "printable"],
    ["/viz/é", "printable"],
    ["/viz/a\n", "printable"],
    ["/viz/a\u0000", "printable"],
    ["/viz/a\u007f", "printable"],
    ["/viz/__proto__/x", "__proto__"],
    ["/tunnel/zoom", "begins with none of"],
    ["/vizx/zoom", "begins with none of"],
    ["/viz", "whole subtree"],
    ["/Viz/zoom", "begins with none of"],
    ["/constructor/a", "begins with none of"],
  ])("may not be %j", (path, problem) => {
    expect(validatePath(path)).toContain(problem);
  });

  it.each([..."#*,?[]{}"])("may not hold %s", (character) => {
    expect(validatePath(`/viz/a${character}b`)).toContain("OSC keeps for patterns");
  });

  it("is cut into its segments", () => {
    expect(segmentsOf("/viz/tunnel/zoom")).toEqual(["viz", "tunnel", "zoom"]);
  });
});

it("an address may lie outside the tree", () => {
  expect(validateAddress("/fader/1")).toBe("");
  expect(validateAddress("/fader/*")).not.toBe("");
});

it("a segment holds no slash", () => {
  expect(validateSegment("a/b")).not.toBe("");
  expect(validateSegment("a")).toBe("");
});
