import { beforeEach, describe, expect, it } from "vitest";
import { accelerate, setGain, SPEED_DOUBLES } from "../../../src/input/encoder-speed.js";

const MS = 1_000;

describe("an accelerated encoder", () => {
  let speeds: Float64Array;
  let time: Float64Array;
  beforeEach(() => {
    speeds = new Float64Array(2 * SPEED_DOUBLES);
    setGain(speeds, SPEED_DOUBLES, 3);
    time = Float64Array.of(1_719_964_800_000_000);
  });

  /** What becomes of these detents, each so many milliseconds after the one before. */
  function turn(gapMs: number, ...detents: readonly number[]): number[] {
    return detents.map((count) => {
      time[0] = (time[0] as number) + gapMs * MS;
      const turns = Float64Array.of(count);
      accelerate(turns, speeds, SPEED_DOUBLES, time);
      return turns[0] as number;
    });
  }

  it("counts as it is while it is turned slowly, and for more the faster it is", () => {
    expect(turn(100, 1, 1, -1)).toEqual([1, 1, -1]);
    expect(turn(40, 1, 1)).toEqual([1, 1]);
    expect(turn(25, 1)).toEqual([2.5]);
    expect(turn(10, 1)).toEqual([4]);
    expect(turn(2, 1)).toEqual([4]);
    expect([...speeds.slice(0, SPEED_DOUBLES)]).toEqual([0, 0, 0, 0]);
  });

  it("begins slowly in the other direction", () => {
    expect(turn(10, 1, 1, -1, -1)).toEqual([1, 4, -1, -4]);
  });

  it("is not taken for fast because its messages waited together", () => {
    expect(turn(25, 1, 1)).toEqual([1, 2.5]);
    expect(turn(0, 1, 1)).toEqual([2.5, 2.5]);
  });

  it("is accelerated once: not any more when the device tells of speed by itself (bug class: acceleration twice)", () => {
    expect(turn(10, 1, 1)).toEqual([1, 4]);
    expect(turn(10, 5, 1, -7, 1, 1)).toEqual([5, 1, -7, 1, 1]);
  });

  it("does not move at rest", () => {
    expect(turn(10, 1, 0, 1)).toEqual([1, 0, 1 + 3 * (20 / 30)]);
  });
});
