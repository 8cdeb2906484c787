/**
 * Control curve: how the way of a control, 0..1, is bent into the way of a value, 0..1, and back.
 *
 * Every curve rises from 0 to 1, so each can be followed backwards: soft takeover asks where the control would have to
 * stand for the value that is there. Numbers are handed over in an array: as results of a call they would be allocated.
 */

/** In the order of the values of `/mappings/{id}/curve`. */
export const ControlCurve = { linear: 0, exponential: 1, logarithmic: 2, smooth: 3 } as const;
export type ControlCurve = (typeof ControlCurve)[keyof typeof ControlCurve];

/** Bends `ways[at]`. `exponential` is fine at the low end, `logarithmic` at the high one, `smooth` at both. */
export function bend(curve: ControlCurve, ways: Float64Array, at: number): void {
  const way = ways[at] as number;
  if (curve === ControlCurve.exponential) ways[at] = way * way;
  else if (curve === ControlCurve.logarithmic) ways[at] = Math.sqrt(way);
  else if (curve === ControlCurve.smooth) ways[at] = way * way * (3 - 2 * way);
}

/** Makes `ways[at]` what `bend` would have had to be given. */
export function unbend(curve: ControlCurve, ways: Float64Array, at: number): void {
  const bent = ways[at] as number;
  if (curve === ControlCurve.exponential) ways[at] = Math.sqrt(bent);
  else if (curve === ControlCurve.logarithmic) ways[at] = bent * bent;
  else if (curve === ControlCurve.smooth) ways[at] = 0.5 - Math.sin(Math.asin(1 - 2 * bent) / 3);
}
