/** The order in which nodes may take control: priority, then what they hold as far as that is known, then id. */
import { describe, expect, test } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { KnownVersion } from "../../../src/sync/known-version.js";
import { Peers } from "../../../src/sync/peers.js";
import { Roles } from "../../../src/sync/roles.js";

const CONTROLLER = "n0";

/** Whom the controller's list tells of, with the version each has reported; and what the node in question holds. */
function rankOf(
  self: string,
  nodes: Readonly<Record<string, { readonly priority?: number; readonly sequence: number }>>,
  { isWhole = true, told = 1_000 } = {},
): number {
  const clock = new Clock();
  clock.set(1e15);
  const peers = new Peers();
  const own = { whole: nodes[self]?.sequence ?? 0, isWhole };
  const roles = new Roles(clock, peers, self, nodes[self]?.priority ?? 100, own);
  roles.join({ number: 1, node: CONTROLLER });
  for (let list = 0; list < 5; list++) {
    roles.versions.told(told);
    clock.set(clock.nowUs + 1e6);
  }
  for (const [node, { priority = 100, sequence }] of Object.entries(nodes)) {
    const notice = { name: node, priority, unicastPort: 1, snapshotPort: 1, term: 1, isInSync: true };
    const peer = peers.notice(node, "10.0.0.1", notice, clock.nowUs);
    if (peer !== undefined) peer.sequence = sequence;
  }
  return roles.rank(true);
}

describe("the rank of a node", () => {
  test("is by priority first, then by id where all have what the controller had two reports ago", () => {
    const nodes = { n1: { sequence: 1_000 }, n2: { sequence: 1_500, priority: 200 }, n3: { sequence: 1_900 } };
    expect(["n1", "n2", "n3"].map((self) => rankOf(self, nodes))).toEqual([1, 0, 2]);
  });

  test("is after those of its priority that hold more, and all agree", () => {
    const nodes = { n1: { sequence: 400 }, n2: { sequence: 1_001 }, n3: { sequence: 600 }, n4: { sequence: 5_000 } };
    expect(["n1", "n2", "n3", "n4"].map((self) => rankOf(self, nodes))).toEqual([3, 0, 2, 1]);
    const first = { ...nodes, n1: { sequence: 400, priority: 101 } };
    expect(["n1", "n2", "n3", "n4"].map((self) => rankOf(self, first))).toEqual([0, 1, 3, 2]);
  });

  test("is two later where it knows of a gap and another of its priority would follow", () => {
    const nodes = { n1: { sequence: 1_000 }, n2: { sequence: 1_000 }, n3: { sequence: 1_000 } };
    expect(["n1", "n2", "n3"].map((self) => rankOf(self, nodes, { isWhole: false }))).toEqual([2, 3, 2]);
    const first = { ...nodes, n1: { sequence: 1_000, priority: 200 } };
    expect(rankOf("n1", first, { isWhole: false })).toBe(0);
  });

  test("is none with priority 0, whatever it holds", () => {
    expect(rankOf("n1", { n1: { priority: 0, sequence: 9_000 }, n2: { sequence: 1 } })).toBe(-1);
  });
});

test("nobody is behind what the controller had in its last reports, and everybody is behind what it had before", () => {
  const clock = new Clock();
  clock.set(1e15);
  const known = new KnownVersion(clock);
  for (let second = 0; second < 10; second++) {
    known.told(second * 100);
    // A report of two seconds ago is as good as one of now.
    if (second > 2) expect(known.of((second - 2) * 100)).toBe(known.of(1e9));
    if (second > 6) expect(known.of((second - 5) * 100)).toBeLessThan(known.of(1e9));
    clock.set(clock.nowUs + 1e6);
  }
  known.restart();
  expect([known.of(0), known.of(1e9)]).toEqual([0, 0]);
});
