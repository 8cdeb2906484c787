import { describe, expect, test } from "vitest";
import { SOURCES_MAX, StrangerBudget } from "../../../src/security/stranger-budget.js";

function taken(budget: StrangerBudget, tries: number, address: (index: number) => string, nowMs: number): number {
  let count = 0;
  for (let index = 0; index < tries; index++) if (budget.take(address(index), nowMs)) count++;
  return count;
}

describe("the budget of strangers", () => {
  test("gives one address 64 tries at once and 50 a second", () => {
    const budget = new StrangerBudget();
    expect(taken(budget, 1_000, () => "10.0.0.9", 0)).toBe(64);
    expect(taken(budget, 1_000, () => "10.0.0.9", 1_000)).toBe(50);
    expect(budget.refused).toBe(1_886);
  });

  test("leaves others theirs while one has none", () => {
    const budget = new StrangerBudget();
    taken(budget, 1_000, () => "10.0.0.9", 0);
    expect(budget.take("10.0.0.10", 0)).toBe(true);
  });

  test("gives all addresses together 512 at once and 2,000 a second, made up or not", () => {
    const budget = new StrangerBudget();
    const madeUp = (index: number): string => `10.${index >> 8}.${index & 255}.1`;
    expect(taken(budget, 50_000, madeUp, 0)).toBe(512);
    let count = 0;
    for (let ms = 1; ms <= 1_000; ms++) count += taken(budget, 50, madeUp, ms);
    expect(count).toBe(2_000);
  });

  test("remembers no more than its bound of addresses", () => {
    const budget = new StrangerBudget();
    taken(budget, 70, () => "first", 0);
    for (let index = 0; index < SOURCES_MAX; index++) budget.take(`${index}`, 0);
    expect(budget.take("first", 0)).toBe(true);
  });

  test("is not fooled by a clock that steps back", () => {
    const budget = new StrangerBudget();
    taken(budget, 64, () => "10.0.0.9", 10_000);
    expect([budget.take("10.0.0.9", 0), budget.take("10.0.0.9", 19)]).toEqual([false, false]);
  });
});
