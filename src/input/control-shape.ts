/**
 * Control shape: parts of a control's way that say nothing, and a way that goes in steps.
 *
 * Both happen to the way that a control went, 0..1, before anything else looks at it: soft takeover compares what is
 * left. What is left reaches both ends. Numbers are handed over in an array: as results of a call they would be allocated.
 */

/** Where the dead zone lies, in the order of the values of `/mappings/{id}/deadZoneAt`. */
export const DeadZoneAt = { auto: 0, ends: 1, low: 2, centre: 3 } as const;
export type DeadZoneAt = (typeof DeadZoneAt)[keyof typeof DeadZoneAt];

const CENTRE = 0.5;

/** Takes a dead zone, a share of the whole way, out of `ways[0]`: at each end, at the low end, or around the centre. */
export function skipDeadZone(place: DeadZoneAt, zones: Float64Array, at: number, ways: Float64Array): void {
  const zone = zones[at] as number;
  if (zone <= 0) return;
  const way = ways[0] as number;
  if (place === DeadZoneAt.centre) {
    const off = way - CENTRE;
    const beyond = Math.max(0, Math.abs(off) - zone / 2) / (1 - zone);
    ways[0] = off < 0 ? CENTRE - beyond : CENTRE + beyond;
  } else if (place === DeadZoneAt.low) ways[0] = Math.max(0, way - zone) / (1 - zone);
  else ways[0] = Math.min(1, Math.max(0, (way - zone) / (1 - 2 * zone)));
}

/** Makes of `ways[0]` the nearest of so many places, which have equal parts of the way: the first is 0, the last 1. */
export function stepWay(count: number, ways: Float64Array): void {
  if (count < 2) return;
  ways[0] = Math.min(count - 1, Math.floor((ways[0] as number) * count)) / (count - 1);
}
