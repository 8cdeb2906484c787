/** What commands print for people: tables, durations, values, the status of a node. */
import { describe, expect, it } from "vitest";
import { durationText, plainText, tableText } from "../../../src/cli/output.js";
import { peersText } from "../../../src/cli/peers.js";
import { statusText } from "../../../src/cli/status.js";
import type { PeerReport } from "../../../src/manage/reports.js";
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
    expect(text).toContain("1 of 1 nodes hold exactly version 1/0");
    expect(text).toContain("2024-07-03T00:00:00.000Z, \u00b1 0.123 ms; this machine's own is 250.000 ms behind");
    expect(text).toContain("alarm: the cable is out");
  });

  it("says whom a follower follows, how many hold the same, and who does not", () => {
    const different = [
      { node: "01", name: "left", components: ["viz", "system"], behind: 0, isInSync: true },
      { node: "02", name: "", components: [], behind: 7, isInSync: true },
      { node: "03", name: "foyer", components: [], behind: 0, isInSync: false },
    ] as const;
    const version = { term: 3, node: "00ff", sequence: 40 };
    const sameness = { version, nodes: 5, holding: 2, different };
    const text = statusText({ ...report, role: "follower", controller: "00ff", sequence: 41, sameness });
    expect(text).toContain("follower of 00ff");
    expect(text).toContain("2 of 5 nodes hold exactly version 3/40, newest 41\n");
    expect(text).toContain("\n           left differs in /viz, /system\n");
    expect(text).toContain("\n           02 is 7 versions behind\n");
    expect(text).toContain("\n           foyer is joining\n");
  });
});

describe("the list of peers", () => {
  const peer: PeerReport = {
    ...{ role: "follower" as const, health: "yellow" as const, differs: ["viz" as const] },
    ...{ node: NODE_ID, name: "left", address: "10.0.0.2", port: 9, priority: 1 },
    ...{ interface: "eth0", sequence: 7, lag: 2, inSync: true, silentMs: 12.4, loss: 0.1, conflated: false, naks: 3 },
    ...{ roundTripMs: 0.31, clockOffsetMs: -0.2, clockBoundMs: 0.05 },
  };

  it("is aligned in columns", () => {
    expect(peersText([peer]).split("\n")[1]).toBe(
      `left  ${NODE_ID}  follower  yellow  10.0.0.2:9  eth0       7         2    /viz     10.0 %  0.31 ms  -0.20 ± 0.05 ms  3     12 ms ago`,
    );
    expect(peersText([])).toBe("no other node is heard");
  });

  it("colours health and nothing else", () => {
    const plain = peersText([peer, { ...peer, health: "red" }]).split("\n");
    const text = peersText([peer, { ...peer, health: "red" }], true).split("\n");
    expect(text[1]).toBe(plain[1]?.replace("yellow", "\u001b[33myellow\u001b[0m"));
    expect(text[2]).toBe(plain[2]?.replace("red   ", "\u001b[31mred\u001b[0m   "));
  });
});
