/** What a node's contents are made of, told by terms and sequences. */
import { describe, expect, test } from "vitest";
import { TermTable } from "../../../src/state/tables.js";
import { Lineage, LINEAGE_MAX } from "../../../src/sync/lineage.js";

const [LEFT, RIGHT] = ["0000000000000001", "0000000000000002"] as const;

function made(): { terms: TermTable; lineage: Lineage } {
  const terms = new TermTable();
  return { terms, lineage: new Lineage(terms) };
}

describe("a lineage", () => {
  test("includes the present term up to where nothing is missing", () => {
    const { terms, lineage } = made();
    const first = terms.intern(1, LEFT);
    lineage.follow(first);
    lineage.note(7);
    lineage.note(5);
    expect([lineage.includes(first, 7), lineage.includes(first, 8)]).toEqual([true, false]);
  });

  test("seals the parent where a child began", () => {
    const { terms, lineage } = made();
    const [first, second] = [terms.intern(1, LEFT), terms.intern(2, RIGHT)];
    lineage.follow(first);
    lineage.note(7);
    lineage.follow(second);
    lineage.note(20);
    expect([lineage.includes(first, 7), lineage.includes(first, 8), lineage.includes(second, 20)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(lineage.entries()).toEqual([
      { number: 1, node: LEFT, sequence: 7 },
      { number: 2, node: RIGHT, sequence: 20 },
    ]);
  });

  test("knows nothing of a term of the same number that another node opened", () => {
    const { terms, lineage } = made();
    lineage.follow(terms.intern(2, LEFT));
    lineage.note(9);
    expect(lineage.through(terms.intern(2, RIGHT))).toBe(-1);
  });

  test("counts what came before any term as nobody's", () => {
    const { terms, lineage } = made();
    lineage.note(9);
    lineage.include(0, 9);
    expect(lineage.entries()).toEqual([]);
    lineage.follow(terms.intern(1, LEFT));
    expect(lineage.includes(0, 1)).toBe(false);
  });

  test("takes the maximum of both when two sides are merged", () => {
    const { terms, lineage } = made();
    const [first, second] = [terms.intern(1, LEFT), terms.intern(2, RIGHT)];
    lineage.follow(first);
    lineage.note(7);
    lineage.include(first, 3);
    lineage.include(second, 30);
    lineage.include(second, 20);
    expect([lineage.through(first), lineage.through(second)]).toEqual([7, 30]);
  });

  test("is that of the snapshot that took the place of everything", () => {
    const { terms, lineage } = made();
    const [own, first, third] = [terms.intern(2, LEFT), terms.intern(1, LEFT), terms.intern(3, RIGHT)];
    lineage.follow(own);
    lineage.note(50);
    lineage.replace([{ number: 1, node: LEFT, sequence: 4 }], third, 40);
    expect([own, first, third].map((term) => lineage.through(term))).toEqual([-1, 4, 40]);
  });

  test("forgets the oldest terms first, and is never larger than its limit", () => {
    const { terms, lineage } = made();
    for (let number = 1; number <= LINEAGE_MAX + 10; number++) {
      lineage.follow(terms.intern(number, LEFT));
      lineage.note(number);
    }
    expect(lineage.entries().length).toBe(LINEAGE_MAX);
    expect(lineage.through(terms.intern(1, LEFT))).toBe(-1);
    expect(lineage.through(terms.intern(LINEAGE_MAX + 9, LEFT))).toBe(LINEAGE_MAX + 9);
  });
});
