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

/** What `take` answers when the value is to stay. */
export const STAYS = -1;

/** The control has to find the value again: a bank was changed, a device came back, a term began. */
export function rearm(states: Float64Array, at: number): void {
  states[at + POSITION] = Number.NaN;
  states[at + SET] = Number.NaN;
  states[at + CAUGHT] = 0;
}

/**
 * The control moved to `position` while the value stood at `value`: answers the value's new way, or `STAYS`. `step`: the
 * least way that the value's type can tell apart, 0 for numbers without steps.
 */
export function take(
  mode: TakeoverMode,
  states: Float64Array,
  at: number,
  position: number,
  value: number,
  step: number,
): number {
  const before = states[at + POSITION] as number;
  states[at + POSITION] = position;
  const isOwn = Math.abs(value - (states[at + SET] as number)) <= Math.max(SAME, step);
  if (!isOwn) states[at + CAUGHT] = 0;
  let result: number = STAYS;
  if (mode === TakeoverMode.jump || Math.abs(position - value) <= SAME) result = position;
  else if (mode === TakeoverMode.pickup) result = pickUp(states[at + CAUGHT] === 1, before, position, value);
  else if (!Number.isNaN(before))
    result = mode === TakeoverMode.scale ? scaled(before, position, value) : moved(before, position, value);
  if (result !== STAYS) {
    states[at + SET] = result;
    states[at + CAUGHT] = 1;
  }
  return result;
}

/** How far the control stands from the value: above 0 when it has to go up. 0 while it holds it, or has not moved yet. */
export function gap(mode: TakeoverMode, states: Float64Array, at: number, value: number): number {
  const position = states[at + POSITION] as number;
  if (mode !== TakeoverMode.pickup || states[at + CAUGHT] === 1 || Number.isNaN(position)) return 0;
  return value - position;
}

/** Held, near, or crossed between two messages: however fast the move, it is not missed. */
function pickUp(isCaught: boolean, before: number, position: number, value: number): number {
  const isNear = Math.abs(position - value) <= NEAR;
  const isCrossed = (before <= value && position >= value) || (before >= value && position <= value);
  return isCaught || isNear || isCrossed ? position : STAYS;
}

/** The way that is left for the control becomes the way that is left for the value: they meet at the end. */
function scaled(before: number, position: number, value: number): number {
  if (position === before) return STAYS;
  const isUp = position > before;
  const left = isUp ? 1 - before : before;
  if (left <= 0) return isUp ? 1 : 0;
  const share = Math.abs(position - before) / left;
  return isUp ? value + (1 - value) * share : value - value * share;
}

function moved(before: number, position: number, value: number): number {
  return position === before ? STAYS : Math.min(1, Math.max(0, value + position - before));
}
