/**
 * Surface look: what a bound control is to show, whatever the device shows it with.
 *
 * One reused object that whoever knows the value fills and each output of the device reads. Numbers of 0..1. What blinks
 * is played by the device where its profile says how; else the node does it, by steps that the image counts.
 */

/** How a light shines while it is on. */
export const Shine = { solid: 0, blink: 1, pulse: 2 } as const;
export type Shine = (typeof Shine)[keyof typeof Shine];

/** Which part of a whole note one blink takes, at 120 beats a minute; devices with a clock of their own know such rates. */
export const Beat = { slow: 2, plain: 4, fast: 8 } as const;
export type Beat = (typeof Beat)[keyof typeof Beat];

/** Steps of the looks that the node plays. */
export const LOOK_STEP_US = 125_000;
/** After so many all looks begin again: the slowest one's. */
export const LOOK_STEPS = 16;
/** Steps of one blink of a half note, which is a second. */
const HALF_NOTE_STEPS = 8;
/** What pulses never goes quite dark. */
const PULSE_LEAST = 0.1;

export class SurfaceLook {
  /** Something speaks for the control now. */
  isShown = false;
  /** Where the control would stand for the value that is there. */
  way = 0;
  /** Its colour while it is on. */
  red = 1;
  green = 1;
  blue = 1;
  shines: Shine = Shine.solid;
  beat: Beat = Beat.plain;
  /** How far the control stands from the value that it has to find first: above 0 when it has to go up. */
  gap = 0;
  /** What is written about it: the path's name, and its value. */
  name = "";
  value = "";
  /** 0..LOOK_STEPS - 1, as time goes on. */
  step = 0;
  /** Set by an output that looks otherwise at the next step. */
  isMoving = false;

  /** How far its light is on. One that waits for its control is lit, whatever the value. */
  get bright(): number {
    return this.gap === 0 ? this.way : 1;
  }

  /** What knows only on and off is on from half of the way. */
  get isOn(): boolean {
    return this.bright >= 0.5;
  }

  /** What is bound to nothing that is there. */
  clear(): void {
    this.isShown = false;
    this.way = 0;
    this.gap = 0;
    this.shines = Shine.solid;
    this.name = "";
    this.value = "";
    paint(this, []);
  }
}

/** Sets the colour; of what has no three parts, white. */
export function paint(look: SurfaceLook, [red = 1, green = 1, blue = 1]: readonly number[]): void {
  look.red = red;
  look.green = green;
  look.blue = blue;
}

/** Sets how it shines, by the words of `/mappings/{id}/look`. A control that has to find its value first blinks fast. */
export function shine(look: SurfaceLook, word: string, gap: number): void {
  look.gap = gap;
  look.shines = Shine.solid;
  look.beat = Beat.plain;
  if (gap !== 0 || word.startsWith("blink")) look.shines = Shine.blink;
  else if (word.startsWith("pulse")) look.shines = Shine.pulse;
  if (gap !== 0 || word.endsWith("-fast")) look.beat = Beat.fast;
  else if (word.endsWith("-slow")) look.beat = Beat.slow;
}

/** What is left of a light at this step, where the device cannot blink or pulse by itself. */
export function playedShare(look: SurfaceLook): number {
  const { shines, beat, step } = look;
  if (shines === Shine.solid) return 1;
  look.isMoving = true;
  const blink = (HALF_NOTE_STEPS * Beat.slow) / beat;
  if (shines === Shine.blink) return step % blink < blink / 2 ? 1 : 0;
  // From full to nearly dark and back, in twice a blink's time.
  const away = Math.abs((step % (2 * blink)) - blink) / blink;
  return PULSE_LEAST + (1 - PULSE_LEAST) * away;
}
