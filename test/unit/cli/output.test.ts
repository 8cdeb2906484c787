/** What commands print for people: tables, durations, values, the status of a node. */
import { describe, expect, it } from "vitest";
import { durationText, plainText, tableText } from "../../../src/cli/output.js";
import { peersText, statusText } from "../../../src/cli/status.js";
import { NODE_ID, SmallNode } from "../manage/small-node.js";

it.each([
  [0.5, "0.5"],
  [[1, 0.25, 0], "1 0.25 0"],
  [true, "true"],
  ["two words", "two words"],
  [null, ""],
])("prints the value %j as %j", (value, text) => {
  expect(plainText(value)).toBe(text);
});

it("aligns columns and leaves no spaces at the end", () => {
  expect(
    tableText([
      ["a", "bbb", ""],
      ["cccc", "d", "e"],
    ]),
  ).toBe("a     bbb\ncccc  d    e");
});

it.each([
  [400, "0.4 s"],
  [65_000, "1 min 5 s"],
  [3_600_000, "1 h 0 min"],
  [90_061_000, "1 d 1 h"],
])("prints %d ms as %s", (milliseconds, text) => {
  expect(durationText(milliseconds)).toBe(text);
});

describe("the status", () => {
  const report = new SmallNode().status();

  it("names node, mesh, role and what is wrong", () => {
    const text = statusText({ ...report, health: [{ code: "x", level: "alarm", text: "the cable is out" }] });
    expect(text).toContain(`small (${NODE_ID})`);
    expect(text).toContain("controller, term 1");
    expect(text).toContain("no other node is heard");
    expect(text).toContain("2024-07-03T00:00:00.000Z, ± 0.123 ms; 250.000 ms behind this machine's own");
    expect(text).toContain("alarm: the cable is out");
  });

  it("says whom a follower follows, and how many hold the same", () => {
    const text = statusText({ ...report, role: "follower", controller: "00ff", peers: { heard: 3, inSync: 2 } });
    expect(text).toContain("follower of 00ff");
    expect(text).toContain("2 of 3 other nodes");
  });
});

it("lists peers in columns", () => {
  const peer = { node: NODE_ID, name: "left", role: "follower", address: "10.0.0.2", port: 9, priority: 1 } as const;
  const text = peersText([{ ...peer, sequence: 7, inSync: true, silentMs: 12.4, loss: 0.1, clockOffsetMs: 0 }]);
  expect(text.split("\n")[1]).toBe(`left  ${NODE_ID}  follower  10.0.0.2:9  7         yes      12 ms ago  10.0 %`);
  expect(peersText([])).toBe("no other node is heard");
});
