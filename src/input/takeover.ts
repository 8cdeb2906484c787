/**
 * Takeover: what a move of an absolute control does while its position and the value are apart.
 *
 * Positions and values are ways, 0..1. A control is apart whenever the value is not what the control set last: somebody
 * else moved it, a scene was recalled, a device came back. Nobody need tell: the value itself says so. Pure; one state
 * of three doubles per binding, and nothing is allocated.
 */

/** In the order of the values of `/mappings/{id}/takeover`. */
export const TakeoverMode = { jump: 0, pickup: 1, scale: 2, relative: 3 } as const;
export type TakeoverMode = (typeof TakeoverMode)[keyof typeof TakeoverMode];

/** Doubles per binding, in one array for all. */
export const TAKEOVER_DOUBLES = 3;
/** Where the control stood at its last message; NaN before the first. */
const POSITION = 0;
/** What the value was made by the last move that took; NaN when none did. */
const SET = 1;
/** 1 while the control holds the value. */
const CAUGHT = 2;
/** Nearer than this the control has the value: two steps of 7 bits. */
const NEAR = 2 / 127;
/** A value that was stored and read back differs by the rounding of its type. */
const SAME = 1e-6;

/** The control has to find the value again: a bank was changed, a device came back, a term began. */
export function rearm(states: Float64Array, at: number): void {
  states[at + POSITION] = Number.NaN;
  states[at + SET] = Number.NaN;
  states[at + CAUGHT] = 0;
}

/** Whether nobody knows where the control stands. */
export function isLost(states: Float64Array, at: number): boolean {
  return Number.isNaN(states[at + POSITION]);
}

/** The control moved to `ways[0]` while it had no say: it has to find the value again, from there. */
export function park(states: Float64Array, at: number, ways: Float64Array): void {
  rearm(states, at);
  states[at + POSITION] = ways[0] as number;
}

/**
 * The control moved to `ways[0]` while the value stood at `ways[1]`: puts the value's new way into `ways[0]`. False when
 * the value is to stay. `step`: the least way that the value's type can tell apart, 0 for numbers without steps.
 */
export function take(mode: TakeoverMode, states: Float64Array, at: number, ways: Float64Array, step: number): boolean {
  const position = ways[0] as number;
  const value = ways[1] as number;
  const before = states[at + POSITION] as number;
  states[at + POSITION] = position;
  if (!isAsSet(states, at, value, step)) states[at + CAUGHT] = 0;
  if (mode === TakeoverMode.pickup) {
    if (states[at + CAUGHT] === 0 && !isFound(before, position, value)) return false;
  } else if (mode !== TakeoverMode.jump && Math.abs(position - value) > SAME) {
    if (Number.isNaN(before) || position === before) return false;
    ways[0] = mode === TakeoverMode.scale ? scaled(before, position, value) : moved(before, position, value);
  }
  states[at + SET] = ways[0] as number;
  states[at + CAUGHT] = 1;
  return true;
}

/** The device said where the control stands, without a hand's move: the next one starts from there. */
export function stand(states: Float64Array, at: number, position: number): void {
  states[at + POSITION] = position;
}

/**
 * How far the control stands from the value: above 0 when it has to go up. 0 while it holds it or is near enough to take
 * it, and while nobody knows where it stands. `step` as in `take`.
 */
export function gap(mode: TakeoverMode, states: Float64Array, at: number, value: number, step: number): number {
  const position = states[at + POSITION] as number;
  if (mode !== TakeoverMode.pickup || Number.isNaN(position)) return 0;
  if (states[at + CAUGHT] === 1 && isAsSet(states, at, value, step)) return 0;
  return Math.abs(value - position) <= NEAR ? 0 : value - position;
}

/** Whether the value is still what the control's last move made it. */
function isAsSet(states: Float64Array, at: number, value: number, step: number): boolean {
  return Math.abs(value - (states[at + SET] as number)) <= Math.max(SAME, step);
}

/** Near, or crossed between two messages: however fast the move, it is not missed. */
function isFound(before: number, position: number, value: number): boolean {
  if (Math.abs(position - value) <= NEAR) return true;
  return (before <= value && position >= value) || (before >= value && position <= value);
}

/** The way that is left for the control becomes the way that is left for the value: they meet at the end. */
function scaled(before: number, position: number, value: number): number {
  const isUp = position > before;
  const left = isUp ? 1 - before : before;
  if (left <= 0) return isUp ? 1 : 0;
  const share = Math.abs(position - before) / left;
  return isUp ? value + (1 - value) * share : value - value * share;
}

function moved(before: number, position: number, value: number): number {
  return Math.min(1, Math.max(0, value + position - before));
}
