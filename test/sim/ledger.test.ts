/** Ledger: which changes a path's version stands for, and what a term is made of. */
import { expect, test } from "vitest";
import { Ledger, type TermRecord, type Version } from "./ledger.js";

const PATH = "/viz/one";

test("a write that was put there again in another term stands for what it had come after, and for nothing later", () => {
  const ledger = new Ledger();
  const before = ledger.record({ number: 316, node: "04" });
  const lost = ledger.record({ number: 317, node: "01" });
  lost.base = new Map([[PATH, { term: before, sequence: 452 }]]);
  const now = ledger.record({ number: 319, node: "04" });
  now.base = new Map([[PATH, { term: lost, sequence: 471 }]]);
  const at = { term: now, sequence: 571 };
  const stands = (sequence: number): boolean => ledger.supersedes(PATH, at, { term: lost, sequence });
  expect([stands(471), stands(561)]).toEqual([true, false]);
  now.take(PATH, 571, { term: lost, sequence: 567 });
  expect([stands(561), stands(567), stands(568)]).toEqual([true, true, false]);
  expect(ledger.supersedes(PATH, { term: now, sequence: 570 }, { term: lost, sequence: 561 })).toBe(false);
  expect(ledger.supersedes("/viz/two", at, { term: lost, sequence: 561 })).toBe(false);
});

/** Opens a term of node 01 upon a version. */
function open(ledger: Ledger, number: number, upon?: Version): TermRecord {
  return ledger.open({ number, node: "01" }, 1, new Map(), upon);
}

function part(side: Version, at: number, conflicts: string[] = []): Parameters<TermRecord["merge"]>[0] {
  return { side, at, conflicts, by: side.term };
}

test("of a term that was opened twice each child is made of the one that it came from", () => {
  const ledger = new Ledger();
  const [one, other] = [11, 13].map((number) => open(ledger, number)) as [TermRecord, TermRecord];
  const twice = open(ledger, 14, { term: other, sequence: 419 });
  const early = open(ledger, 15, { term: twice, sequence: 425 });
  expect(open(ledger, 14, { term: one, sequence: 107 })).toBe(twice);
  const late = open(ledger, 17, { term: twice, sequence: 128 });
  late.merge(part({ term: one, sequence: 107 }, 0));
  const grandchild = open(ledger, 18, { term: late, sequence: 131 });
  const has = (term: TermRecord): boolean[] => {
    const versions = [
      { term: one, sequence: 107 },
      { term: other, sequence: 419 },
    ];
    return versions.map((version) => term.includes(version, 500));
  };
  expect(has(early)).toEqual([false, true]);
  expect(has(late)).toEqual([true, false]);
  expect(has(grandchild)).toEqual([true, false]);
  // Who holds something of it may hold either.
  expect(has(twice)).toEqual([true, true]);
  expect(grandchild.includes({ term: twice, sequence: 128 }, 500)).toBe(true);
  expect(grandchild.includes({ term: twice, sequence: 129 }, 500)).toBe(false);
});

test("what a term took in is part of it from that change on, with all that it was made of by then", () => {
  const ledger = new Ledger();
  const [mine, root] = [1, 2].map((number) => open(ledger, number)) as [TermRecord, TermRecord];
  const theirs = open(ledger, 3, { term: root, sequence: 40 });
  const term = open(ledger, 4, { term: mine, sequence: 20 });
  term.merge(part({ term: theirs, sequence: 60 }, 25, [PATH]));
  const has = (through: number): boolean[] =>
    [theirs, root].map((side) => term.includes({ term: side, sequence: 40 }, through));
  expect([has(24), has(25)]).toEqual([
    [false, false],
    [true, true],
  ]);
  expect(term.includes({ term: root, sequence: 41 }, 25)).toBe(false);
  const conflicts = [24, 25].map((through) => [...term.mergedThrough(through)].flatMap((merged) => merged.conflicts));
  expect(conflicts).toEqual([[], [PATH]]);
});

test("a conflict of a term that both sides are made of counts once, also where one has more of that term", () => {
  const ledger = new Ledger();
  const [root, other] = [1, 2].map((number) => open(ledger, number)) as [TermRecord, TermRecord];
  root.merge(part({ term: other, sequence: 9 }, 30, [PATH]));
  const mine = open(ledger, 3, { term: root, sequence: 20 });
  const theirs = open(ledger, 4, { term: root, sequence: 40 });
  const term = open(ledger, 5, { term: mine, sequence: 25 });
  term.merge(part({ term: theirs, sequence: 45 }, 26));
  term.merge(part({ term: root, sequence: 40 }, 27));
  expect([...term.mergedThrough(30)].flatMap(({ conflicts }) => conflicts)).toEqual([PATH]);
  expect([...mine.mergedThrough(25)].flatMap(({ conflicts }) => conflicts)).toEqual([]);
});
