/** The short forms of profiles: names and numbers that repeat, and messages with holes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expandName, expandNumbers, NUMBER_LIST, parseMessage } from "../../../src/config/profile-notation.js";

describe("names", () => {
  it.each([
    ["play", ["play"]],
    ["fader{1..3}", ["fader1", "fader2", "fader3"]],
    ["encoder{9..10}-b", ["encoder9-b", "encoder10-b"]],
    ["{play,stop}", ["play", "stop"]],
    ["user-{a, b}", ["user-a", "user-b"]],
  ])("%s stands for %j", (text, names) => {
    const expanded = expandName(text);
    expect("problem" in expanded ? expanded : expanded.map(({ name }) => name)).toEqual(names);
  });

  it("keep what stood in the braces", () => {
    expect(expandName("x{7..8}")).toEqual([
      { name: "x7", part: "7" },
      { name: "x8", part: "8" },
    ]);
  });

  it.each(["Fader", "a b", "a--b", "a{8..1}", "a{1..2000}", "a{1}{2}", "a{", "", "{}", "7", "x".repeat(41), "a/b"])(
    "%j is none",
    (text) => {
      expect(expandName(text)).toHaveProperty("problem");
    },
  );
});

describe("numbers", () => {
  it.each([
    ["7", [7]],
    ["48..51", [48, 49, 50, 51]],
    ["89..59/10", [89, 79, 69, 59]],
    ["1..10/3", [1, 4, 7, 10]],
    ["41..42, 57,60..58", [41, 42, 57, 60, 59, 58]],
  ])("%s are %j", (text, numbers) => {
    expect(NUMBER_LIST.test(text)).toBe(true);
    expect(expandNumbers(text)).toEqual(numbers);
  });

  it.each(["1..2/0", "0..99999", "0..1000,0..1000"])("%s are refused", (text) => {
    expect(expandNumbers(text)).toHaveProperty("problem");
  });

  it.each(["", "1,", "1...2", "a", "-1", "1..", "1.5", "1..2/", " 1"])("%j has not the form", (text) => {
    expect(NUMBER_LIST.test(text)).toBe(false);
  });
});

describe("messages", () => {
  it.each([
    ["F0 7E 7F 06 01 F7", [0xf0, 0x7e, 0x7f, 6, 1, 0xf7]],
    ["b0 7f 01", [0xb0, 0x7f, 1]],
    ["C0 00", [0xc0, 0]],
  ])("%s is one", (text, bytes) => {
    expect(parseMessage(text, { fields: [] })).toEqual(bytes);
  });

  it("have fields and wildcards where they may", () => {
    expect(parseMessage("F0 {index} F7", { fields: ["index"] })).toEqual([0xf0, "index", 0xf7]);
    expect(parseMessage("F0 ? * F7", { fields: [], hasWildcards: true })).toEqual([0xf0, "?", "*", 0xf7]);
    expect(parseMessage("F0 ? F7", { fields: [] })).toHaveProperty("problem", expect.stringContaining("no byte"));
    expect(parseMessage("F0 {indx} F7", { fields: ["index"] })).toHaveProperty(
      "problem",
      "{indx} is no field; known: {index}",
    );
    expect(parseMessage("03 {index}", { fields: ["index"], isPiece: true })).toEqual([3, "index"]);
  });

  it.each([
    ["F0 80 F7", "80 is no data byte"],
    ["F0 01", "must end with F7"],
    ["F0 F7", "hold something"],
    ["F0 01 F0 F7", "F0 is no data byte"],
    ["90 00", "followed by 2 bytes, not 1"],
    ["C0 00 00", "followed by 1 byte, not 2"],
    ["90 80 00", "80 is no data byte"],
    ["00 01 02", "status byte"],
    ["F8", "status byte"],
    ["F0 1 F7", "no byte"],
    ["", "no byte"],
  ])("%j is none: %s", (text, problem) => {
    expect(parseMessage(text, { fields: [] })).toEqual({ problem: expect.stringContaining(problem) });
  });

  it("must be SysEx where nothing else can stand", () => {
    expect(parseMessage("90 00 00", { fields: [], isSysex: true })).toHaveProperty("problem");
  });

  it("never throw", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseMessage(text, { fields: ["a"], hasWildcards: true });
        expandName(text);
        if (NUMBER_LIST.test(text)) expandNumbers(text);
      }),
    );
  });
});
