/** Until when a controller under hold may write: as long as most electors echo it, counted from what they heard. */
import { expect, test } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { Policy } from "../../../src/sync/election.js";
import { LEASE_US, QuorumLease } from "../../../src/sync/quorum-lease.js";

const START_US = 1_700_000_000e6;

function leaseOf(electors: readonly string[]) {
  const clock = new Clock();
  clock.set(START_US);
  const nameOf = (node: string): string => (node === "5" ? "five" : "");
  const lease = new QuorumLease(clock, { policy: Policy.hold, electors }, "1", nameOf);
  lease.begin([], 0);
  return {
    lease,
    pass: (ms: number) => clock.set(clock.nowUs + ms * 1_000),
    leftMs: () => (lease.untilUs - clock.nowUs) / 1_000,
  };
}

test("runs from the sending of what most electors heard, not from when they said so", () => {
  const { lease, pass, leftMs } = leaseOf(["1", "2", "3", "4", "five"]);
  lease.announced(10);
  pass(50);
  lease.announced(20);
  pass(50);
  lease.echoed("2", 19);
  expect(leftMs()).toBeLessThan(0);
  lease.echoed("3", 25);
  expect(leftMs()).toBe(300);
  lease.echoed("5", 20);
  expect(leftMs()).toBe(350);
});

test("counts electors only, each of them once, and nothing that was never sent", () => {
  const { lease, leftMs } = leaseOf(["1", "2", "3"]);
  lease.announced(10);
  lease.echoed("9", 10);
  lease.echoed("2", 9);
  expect(leftMs()).toBeLessThan(0);
  lease.echoed("2", 10);
  expect(leftMs()).toBe(400);
  const none = leaseOf(["2", "3", "4"]);
  none.lease.announced(10);
  none.lease.echoed("2", 10);
  expect(none.leftMs()).toBeLessThan(0);
});

test("an older echo that comes late shortens nothing", () => {
  const { lease, pass, leftMs } = leaseOf(["1", "2"]);
  lease.announced(10);
  pass(100);
  lease.announced(20);
  lease.echoed("2", 20);
  lease.echoed("2", 10);
  expect(leftMs()).toBe(400);
});

test("begins with the votes, from the question on, or with what was left of the lease that was handed over", () => {
  const { lease, pass, leftMs } = leaseOf(["1", "2", "3"]);
  pass(30);
  lease.begin(["2"], START_US);
  expect(leftMs()).toBe(370);
  lease.takeOver(START_US + 100_000);
  expect(leftMs()).toBe(70);
  expect(LEASE_US).toBe(400_000);
});

test("an elector alone needs nobody", () => {
  const { pass, leftMs } = leaseOf(["1"]);
  pass(10_000);
  expect(leftMs()).toBe(400);
});
