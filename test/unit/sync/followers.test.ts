/** How many nodes a controller has on its side, counted seldom and right at any time. */
import { expect, test } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { Random } from "../../../src/base/random.js";
import { Followers } from "../../../src/sync/followers.js";

const SECOND_US = 1_000_000;

function clockAt(us: number): Clock {
  const clock = new Clock();
  clock.set(us);
  return clock;
}

test("who reports to be in sync with the term counts, until it says otherwise, goes, or is silent for 2.5 s", () => {
  const clock = clockAt(SECOND_US);
  const followers = new Followers(clock);
  expect(followers.sideOf(1)).toBe(1);
  followers.report("a", 1, true);
  followers.report("b", 1, true);
  followers.report("c", 2, true);
  expect([followers.sideOf(1), followers.sideOf(2), followers.sideOf(1)]).toEqual([3, 2, 3]);
  followers.report("c", 1, true);
  expect(followers.sideOf(1)).toBe(4);
  followers.report("c", 1, false);
  expect(followers.sideOf(1)).toBe(3);
  followers.remove("b");
  expect(followers.sideOf(1)).toBe(2);
  clock.set(clock.nowUs + 2.5 * SECOND_US);
  expect(followers.sideOf(1)).toBe(2);
  clock.set(clock.nowUs + 1);
  expect(followers.sideOf(1)).toBe(1);
});

test("the count is that of a list that is gone through each time", () => {
  const chance = new Random(5);
  const clock = clockAt(SECOND_US);
  const followers = new Followers(clock);
  const said = new Map<string, { term: number; atUs: number }>();
  for (let step = 0; step < 20_000; step++) {
    clock.set(clock.nowUs + Math.floor(chance.next() * 100_000));
    const node = `n${Math.floor(chance.next() * 12)}`;
    const term = 1 + Math.floor(chance.next() * 2);
    const what = chance.next();
    if (what < 0.6) {
      followers.report(node, term, what < 0.5);
      said.delete(node);
      if (what < 0.5) said.set(node, { term, atUs: clock.nowUs });
    } else if (what < 0.65) {
      followers.remove(node);
      said.delete(node);
    }
    const wanted = [...said.values()].filter((one) => one.term === term && clock.nowUs - one.atUs <= 2.5 * SECOND_US);
    expect(followers.sideOf(term)).toBe(1 + wanted.length);
  }
});
