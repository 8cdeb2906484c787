/**
 * Control curve: how the way of a control, 0..1, is bent into the way of a value, 0..1, and back.
 *
 * Every curve rises from 0 to 1, so each can be followed backwards: soft takeover asks where the control would have to
 * stand for the value that is there. Pure numbers; it allocates nothing.
 */

/** In the order of the values of `/mappings/{id}/curve`. */
export const ControlCurve = { linear: 0, exponential: 1, logarithmic: 2, smooth: 3 } as const;
export type ControlCurve = (typeof ControlCurve)[keyof typeof ControlCurve];

/** `way`: 0..1. `exponential` is fine at the low end, `logarithmic` at the high one, `smooth` at both. */
export function bend(curve: ControlCurve, way: number): number {
  switch (curve) {
    case ControlCurve.exponential:
      return way * way;
    case ControlCurve.logarithmic:
      return Math.sqrt(way);
    case ControlCurve.smooth:
      return way * way * (3 - 2 * way);
    default:
      return way;
  }
}

/** The way that `bend` makes this of. */
export function unbend(curve: ControlCurve, bent: number): number {
  switch (curve) {
    case ControlCurve.exponential:
      return Math.sqrt(bent);
    case ControlCurve.logarithmic:
      return bent * bent;
    case ControlCurve.smooth:
      return 0.5 - Math.sin(Math.asin(1 - 2 * bent) / 3);
    default:
      return bent;
  }
}
