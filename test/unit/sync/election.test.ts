/** Who may be controller: votes are counted as the policy says, and promises are kept over a restart. */
import { describe, expect, test } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { compareHeads, Election, isMajority, Policy, Verdict } from "../../../src/sync/election.js";
import { Promises, type TermRecord } from "../../../src/sync/promises.js";
import type { Head, Vote } from "../../../src/wire/vote.js";

const START_US = 1_719_964_800_000_000;
const SELF = "00000000000000aa";
const ISLAND = { policy: Policy.island, electors: [] };
const HOLD = { policy: Policy.hold, electors: ["one", "two", "three"] };
const nameOf = (node: string): string => node;

function headOf(number: number, whole: number, node = SELF): Head {
  return { number, node, whole };
}

function vote(isYes: boolean, more: Partial<Vote> = {}): Vote {
  return { number: 7, nonce: 1, isYes, known: 6, name: "n", head: headOf(6, 100), snapshotPort: 9, ...more };
}

function electionOf(expected: readonly string[]) {
  const clock = new Clock();
  clock.set(START_US);
  const election = new Election(clock);
  election.begin(7, 1, new Set(expected));
  const verdict = (): Verdict => election.verdict(ISLAND, SELF, nameOf);
  const stall = (ms: number): void => clock.set(clock.nowUs + ms * 1_000);
  /** House is kept meanwhile. */
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= 20) {
      stall(Math.min(left, 20));
      if (left > 20) verdict();
    }
  };
  return { election, pass, stall, verdict };
}

describe("under island", () => {
  test("a node that hears nobody waits 60 ms for answers and is alone", () => {
    const { pass, verdict } = electionOf(["b"]);
    pass(59);
    expect(verdict()).toBe(Verdict.open);
    pass(1);
    expect(verdict()).toBe(Verdict.won);
  });

  test("a node that was held up reads what came meanwhile before it counts on silence", () => {
    const { election, pass, stall, verdict } = electionOf(["b", "c"]);
    pass(40);
    stall(200);
    expect(verdict()).toBe(Verdict.open);
    pass(1);
    election.take("b", vote(false), "10.0.0.2");
    pass(40);
    expect(verdict()).toBe(Verdict.open);
  });

  test("a node that is held up again and again goes on all the same", () => {
    const { stall, verdict } = electionOf(["b"]);
    stall(70);
    expect(verdict()).toBe(Verdict.open);
    stall(70);
    expect(verdict()).toBe(Verdict.won);
  });

  test("a node that knows nobody listens as long: its list of peers may be what is wrong", () => {
    const { election, pass, verdict } = electionOf([]);
    expect(verdict()).toBe(Verdict.open);
    election.take("b", vote(false), "10.0.0.2");
    pass(100);
    expect(verdict()).toBe(Verdict.open);
  });

  test("more yes than all that are known could outvote is enough at once", () => {
    const { election, verdict } = electionOf(["b", "c", "d"]);
    election.take("b", vote(true), "10.0.0.2");
    expect(verdict()).toBe(Verdict.open);
    election.take("c", vote(true), "10.0.0.3");
    expect(verdict()).toBe(Verdict.won);
  });

  test("as many no as yes are not enough, however long it waits", () => {
    const { election, pass, verdict } = electionOf(["b"]);
    election.take("b", vote(false), "10.0.0.2");
    pass(299);
    expect(verdict()).toBe(Verdict.open);
    pass(1);
    expect(verdict()).toBe(Verdict.lost);
  });

  test("a voter's newest answer counts", () => {
    const { election, verdict } = electionOf(["b"]);
    election.take("b", vote(false), "10.0.0.2");
    election.take("b", vote(true), "10.0.0.2");
    expect(verdict()).toBe(Verdict.won);
  });

  test("answers to another question are none", () => {
    const { election, verdict } = electionOf(["b"]);
    election.take("b", vote(true, { nonce: 2 }), "10.0.0.2");
    election.take("b", vote(true, { number: 6 }), "10.0.0.2");
    expect(verdict()).toBe(Verdict.open);
  });
});

describe("under hold", () => {
  test("a majority of the electors decides, whoever else says what", () => {
    const { election, pass } = electionOf([]);
    const verdict = (): Verdict => election.verdict(HOLD, "one", nameOf);
    for (const other of ["x", "y", "z"]) election.take(other, vote(true), "10.0.0.9");
    pass(100);
    expect(verdict()).toBe(Verdict.open);
    election.take("three", vote(true), "10.0.0.3");
    expect(verdict()).toBe(Verdict.won);
  });

  test("half of the electors are no majority, and one elector counts once", () => {
    expect(isMajority(["a", "b"], ["a"], nameOf)).toBe(false);
    expect(isMajority(["a", "b", "c"], ["1", "2"], () => "a")).toBe(false);
    expect(isMajority(["a", "b", "c"], ["a", "2"], (node) => (node === "2" ? "c" : ""))).toBe(true);
  });
});

test("the best informed voter is asked first, and nobody who knows no more", () => {
  const { election } = electionOf(["b", "c", "d", "e"]);
  election.take("b", vote(true, { head: headOf(6, 120) }), "10.0.0.2");
  election.take("c", vote(true, { head: headOf(6, 140) }), "10.0.0.3");
  election.take("d", vote(true, { head: headOf(6, 100) }), "10.0.0.4");
  election.take("e", vote(false, { head: headOf(6, 200) }), "10.0.0.5");
  const better = election.betterThan(headOf(6, 100));
  expect(better.map(({ node, snapshots }) => [node, snapshots])).toEqual([
    ["c", { address: "10.0.0.3", port: 9 }],
    ["b", { address: "10.0.0.2", port: 9 }],
  ]);
});

test("heads compare by term, then by how much of it is whole; nothing is below everything", () => {
  expect(compareHeads(headOf(6, 5), headOf(5, 100))).toBeGreaterThan(0);
  expect(compareHeads(headOf(6, 5), headOf(6, 6))).toBeLessThan(0);
  expect(compareHeads(headOf(0, 0, ""), headOf(1, 1))).toBeLessThan(0);
  expect(compareHeads(headOf(9, 0), headOf(1, 1))).toBeLessThan(0);
  expect(compareHeads(headOf(6, 5), headOf(6, 5))).toBe(0);
});

describe("promises", () => {
  function promisesOf(record?: TermRecord) {
    const clock = new Clock();
    clock.set(START_US);
    const saved: [TermRecord, number][] = [];
    const promises = new Promises(clock, record, (kept, revision) => saved.push([kept, revision]));
    return { clock, promises, saved };
  }

  test("are kept only when the disk says so, in whatever lumps it writes", () => {
    const { promises, saved } = promisesOf();
    const done: string[] = [];
    promises.grant(3, "a", (isSafe) => done.push(`3 ${isSafe}`));
    promises.grant(4, "b", (isSafe) => done.push(`4 ${isSafe}`));
    expect(done).toEqual([]);
    promises.saved(1);
    expect(done).toEqual(["3 true"]);
    promises.failed(saved.at(-1)?.[1] ?? 0);
    expect(done).toEqual(["3 true", "4 false"]);
    expect(saved.at(-1)?.[0]).toEqual({ known: 4, granted: 4, grantee: "b" });
  });

  test("of one number go to one node, also after a restart, and never below what is known", () => {
    const { promises, saved } = promisesOf();
    promises.grant(3, "a", () => {});
    const again = promisesOf(saved.at(-1)?.[0]).promises;
    for (const one of [promises, again]) {
      expect([one.canGrant(3, "a"), one.canGrant(3, "b"), one.canGrant(2, "a"), one.canGrant(4, "b")]).toEqual([
        true,
        false,
        false,
        true,
      ]);
    }
    promises.hear(9);
    expect([promises.canGrant(9, "b"), promises.canGrant(10, "b"), promises.known]).toEqual([false, true, 9]);
  });

  test("given again are not written again, and wait if they are still being written", () => {
    const { promises, saved } = promisesOf();
    const done: boolean[] = [];
    promises.grant(3, "a", (isSafe) => done.push(isSafe));
    promises.grant(3, "a", (isSafe) => done.push(isSafe));
    expect([done, saved.length]).toEqual([[], 1]);
    promises.saved(1);
    promises.grant(3, "a", (isSafe) => done.push(isSafe));
    expect([done, saved.length]).toEqual([[true, true, true], 1]);
  });

  test("leave room above a number gone wild", () => {
    const { promises } = promisesOf();
    promises.hear(2 ** 32 - 1);
    expect([promises.known, promises.canGrant(2 ** 32 - 1, "a")]).toEqual([0, false]);
  });
});
