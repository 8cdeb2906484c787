import { describe, expect, it } from "vitest";
import { DeadZoneAt, skipDeadZone, stepWay } from "../../../src/input/control-shape.js";

function skipped(place: DeadZoneAt, zone: number, way: number): number {
  const ways = Float64Array.of(way);
  skipDeadZone(place, Float64Array.of(9, zone), 1, ways);
  return Math.round((ways[0] as number) * 1e9) / 1e9;
}

function stepped(count: number, way: number): number {
  const ways = Float64Array.of(way);
  stepWay(count, ways);
  return ways[0] as number;
}

describe("a dead zone", () => {
  it.each([
    [DeadZoneAt.ends, 0.1, [0, 0.1, 0.5, 0.9, 1], [0, 0, 0.5, 1, 1]],
    [DeadZoneAt.low, 0.2, [0, 0.2, 0.6, 1], [0, 0, 0.5, 1]],
    [DeadZoneAt.centre, 0.2, [0, 0.2, 0.4, 0.5, 0.6, 0.8, 1], [0, 0.25, 0.5, 0.5, 0.5, 0.75, 1]],
    [DeadZoneAt.ends, 0, [0, 0.3, 1], [0, 0.3, 1]],
  ] as const)("at %i of %f says nothing there, and leaves the rest its whole way", (place, zone, ways, expected) => {
    expect(ways.map((way) => skipped(place, zone, way))).toEqual(expected);
  });
});

describe("a way in steps", () => {
  it("gives each step an equal part, and reaches both ends", () => {
    expect([0, 0.24, 0.26, 0.5, 0.74, 0.76, 1].map((way) => stepped(4, way))).toEqual(
      [0, 0, 1, 2, 2, 3, 3].map((step) => step / 3),
    );
    expect([0, 0.49, 0.5, 1].map((way) => stepped(2, way))).toEqual([0, 0, 1, 1]);
  });

  it("is left alone with fewer than two", () => {
    expect([stepped(0, 0.3), stepped(1, 0.3)]).toEqual([0.3, 0.3]);
  });
});
