/**
 * Encoder speed: a fast turn counts for more than a slow one, where somebody asked for that.
 *
 * Acceleration is applied once. A device that puts several detents into a message tells of speed by itself: what it says
 * is taken as it is, from the first such message on. Pure, told the time by a clock register; four doubles an encoder.
 */

/** Doubles per encoder, in one array for all. */
export const SPEED_DOUBLES = 4;
/** Own time of its last message. */
const LAST_US = 0;
/** What its last message was multiplied by; below 0 when it turned left. */
const FACTOR = 1;
/** 1 once it told of several detents at a time. */
const TELLS_SPEED = 2;
/** By how much a fast turn counts for more: 0 for not at all. */
const GAIN = 3;

/** Detents that are this far apart or farther are a slow turn: by 24 detents a turn, less than one turn a second. */
const SLOW_US = 40_000;
/** Nearer than this no hand gets them: four turns a second. */
const FAST_US = 10_000;

/** Begins anew. */
export function resetSpeed(speeds: Float64Array, at: number): void {
  speeds.fill(0, at, at + SPEED_DOUBLES);
}

/** From now on a fast turn counts for 1 + `gain`. */
export function setGain(speeds: Float64Array, at: number, gain: number): void {
  speeds[at + GAIN] = gain;
}

/**
 * Multiplies the detents in `turns[0]` by 1 (slow) to 1 + gain (fast). `time[0]`: own time now. Messages of the same
 * instant, which waited together, are as fast as the one before; a turn the other way begins slowly.
 */
export function accelerate(turns: Float64Array, speeds: Float64Array, at: number, time: Float64Array): void {
  const detents = turns[0] as number;
  if (Math.abs(detents) > 1) speeds[at + TELLS_SPEED] = 1;
  if (speeds[at + TELLS_SPEED] === 1 || detents === 0) return;
  const before = speeds[at + FACTOR] as number;
  const gapUs = (time[0] as number) - (speeds[at + LAST_US] as number);
  let factor = 1;
  if (before * detents > 0) {
    const share = Math.min(1, Math.max(0, (SLOW_US - gapUs) / (SLOW_US - FAST_US)));
    factor = gapUs <= 0 ? Math.abs(before) : 1 + (speeds[at + GAIN] as number) * share;
  }
  speeds[at + LAST_US] = time[0] as number;
  speeds[at + FACTOR] = detents > 0 ? factor : -factor;
  turns[0] = detents * factor;
}
