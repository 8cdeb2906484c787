import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { REPLAY_WINDOW_PACKETS, ReplayWindows } from "../../../src/security/replay-window.js";

/** What the window stands for, without a bound: every counter accepted so far. */
class Model {
  private readonly accepted = new Set<number>();
  private newest = 0;

  accepts(counter: number): boolean {
    if (counter < 1 || this.accepted.has(counter) || counter <= this.newest - REPLAY_WINDOW_PACKETS) return false;
    this.accepted.add(counter);
    this.newest = Math.max(this.newest, counter);
    return true;
  }
}

const WINDOW = REPLAY_WINDOW_PACKETS;
const LEAP = Math.round(WINDOW * 1.1);

/** Steps that stay near, that leap about a window's length, and that leap far. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -40, max: 60 }) },
  { weight: 2, arbitrary: fc.integer({ min: -LEAP, max: LEAP }) },
  { weight: 1, arbitrary: fc.constantFrom(-WINDOW, 1 - WINDOW, WINDOW - 1, WINDOW, WINDOW + 1, 5_000_000_000) },
);

describe("a replay window", () => {
  it("accepts exactly what a record of all counters would, for each sender by itself", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1), step), { minLength: 400, maxLength: 600 }), (steps) => {
        const windows = new ReplayWindows(2);
        const models = [new Model(), new Model()] as const;
        const at = [1, 1];
        for (const [sender, by] of steps) {
          const counter = Math.max(0, (at[sender] as number) + by);
          at[sender] = counter;
          windows.counter[0] = counter;
          const accepted = !windows.seen(sender);
          if (accepted) windows.accept(sender);
          expect(accepted).toBe((models[sender] as Model).accepts(counter));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("forgets a sender when its slot is given away", () => {
    const windows = new ReplayWindows(2);
    windows.counter[0] = 5;
    for (const sender of [0, 1]) windows.accept(sender);
    windows.reset(0);
    expect([windows.seen(0), windows.seen(1)]).toEqual([false, true]);
  });
});
