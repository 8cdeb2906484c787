/** The clock: own time is untouched by what session time does; session time goes on smoothly, and steps when told. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Clock, HYBRID_AHEAD_LIMIT_US } from "../../../src/base/clock.js";

const START_US = 1_719_964_800_000_000;

function clockAt(nowUs: number): Clock {
  const clock = new Clock();
  clock.set(nowUs);
  return clock;
}

describe("session time", () => {
  test("is own time until something is learned", () => {
    const clock = clockAt(START_US);
    expect([clock.nowUs, clock.sessionUs]).toEqual([START_US, START_US]);
  });

  test("gains what it is steered to, and own time does not", () => {
    const clock = clockAt(START_US);
    clock.steer(500e-6);
    clock.set(START_US + 1_000_000);
    expect(clock.nowUs).toBe(START_US + 1_000_000);
    expect(clock.sessionUs).toBeCloseTo(START_US + 1_000_500, 0);
    expect(clock.sessionAt(START_US + 2_000_000)).toBeCloseTo(START_US + 2_001_000, 0);
  });

  test("does not jump however it is steered, and goes forward", () => {
    const gains = fc.array(fc.double({ min: -0.04, max: 0.04, noNaN: true }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(gains, (list) => {
        const clock = clockAt(START_US);
        for (const gain of list) {
          const before = clock.sessionUs;
          clock.steer(gain);
          clock.follow();
          expect(Math.abs(clock.sessionUs - before)).toBeLessThan(1);
          clock.set(clock.nowUs + 20_000);
          expect(clock.sessionUs - before).toBeGreaterThan(19_000);
          expect(clock.sessionUs - before).toBeLessThan(21_000);
        }
      }),
    );
  });

  test("steps when it is told, both ways", () => {
    const clock = clockAt(START_US);
    clock.step(3_600_000_000);
    expect(clock.sessionUs).toBe(START_US + 3_600_000_000);
    clock.step(-7_200_000_000);
    expect([clock.nowUs, clock.sessionUs]).toEqual([START_US, START_US - 3_600_000_000]);
  });
});

describe("the hybrid time", () => {
  const hybrid = (clock: Clock): number => clock.register[1] as number;

  test("is session time, not own time", () => {
    const clock = clockAt(START_US);
    clock.step(5_000_000);
    clock.tickHybrid();
    expect(hybrid(clock)).toBe(START_US + 5_000_000);
  });

  test("is judged by session time: what is too far ahead of it is clamped", () => {
    const clock = clockAt(START_US);
    clock.step(-5_000_000);
    clock.observeHybrid(Float64Array.of(START_US), 0);
    expect([hybrid(clock), clock.clampedHybrids]).toEqual([0, 1]);
  });

  test("that was given in another time does not stand still after a step back", () => {
    const clock = clockAt(START_US);
    clock.tickHybrid();
    clock.step(-3_600_000_000);
    expect(hybrid(clock)).toBe(clock.sessionUs);
  });

  test("does not go back by a small step", () => {
    const clock = clockAt(START_US);
    clock.tickHybrid();
    clock.step(-HYBRID_AHEAD_LIMIT_US);
    expect(hybrid(clock)).toBe(START_US);
  });
});
