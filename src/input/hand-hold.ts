/**
 * Hand hold: whose turn it is at a control that the hand moves and a motor (or the device's own ring) shows.
 *
 * A motor never fights the hand: it is held while the control is touched, and while it still sends. What a device says
 * about where we sent it is no move, so a value is never rounded by its own feedback: a report of the place that the
 * image has already, and what is on the way there, are the motor's own. It is told codes, and the time by a clock.
 */
import type { Clock } from "../base/clock.js";

/** A control without touch sensor is let go when it has said nothing for this long. */
export const HAND_IDLE_US = 300_000;
/** A motor is where it was sent within this; what it reports meanwhile is its own travel. */
const TRAVEL_US = 250_000;

/** What is not known. */
export const UNKNOWN = -1;

export class HandHold {
  private readonly clock: Clock;
  private readonly isEchoed: boolean;
  private readonly travelUs: number;
  private isTouched = false;
  /** Where the control stands, as far as is known: where it was sent, or where it said. */
  private place = UNKNOWN;
  /** It said so itself, and was not sent anywhere since. */
  private isOwn = false;
  private isEchoDue = false;
  private from = UNKNOWN;
  /** [0] when the hand moved it last, [1] when the motor was sent last. */
  private readonly times = new Float64Array(2).fill(Number.NEGATIVE_INFINITY);

  /**
   * `isEchoed`: the device falls back unless it gets its own place again, after release (`selfEcho`). `hasMotor`: it needs
   * time to get where it is sent.
   */
  constructor(clock: Clock, { isEchoed, hasMotor }: { readonly isEchoed: boolean; readonly hasMotor: boolean }) {
    this.clock = clock;
    this.isEchoed = isEchoed;
    this.travelUs = hasMotor ? TRAVEL_US : 0;
  }

  /** The device says where the control stands. False when that is no move of the hand's. */
  report(code: number): boolean {
    if (code === this.place) {
      if (this.isOwn) this.times[MOVED] = this.clock.nowUs;
      return false;
    }
    if (this.isTravelling(code)) return false;
    this.place = code;
    this.isOwn = true;
    this.isEchoDue = this.isEchoed;
    this.times[MOVED] = this.clock.nowUs;
    return true;
  }

  /** Between where it was (from anywhere, if that is not known) and where it was sent, just now, with no hand on it. */
  private isTravelling(code: number): boolean {
    const { from, place } = this;
    if (this.isTouched || this.isOwn) return false;
    const isBetween = from === UNKNOWN || (code >= Math.min(from, place) && code <= Math.max(from, place));
    return isBetween && this.clock.nowUs - (this.times[SENT] as number) < this.travelUs;
  }

  touch(isTouched: boolean): void {
    this.isTouched = isTouched;
    // The sensor knows better than the time that has passed.
    if (!isTouched) this.times[MOVED] = Number.NEGATIVE_INFINITY;
  }

  /** When the motor may move, in own time; infinite while a hand is on it. */
  get freeAtUs(): number {
    return this.isTouched ? Number.POSITIVE_INFINITY : (this.times[MOVED] as number) + HAND_IDLE_US;
  }

  /** Whether a place is to be sent. `near`: codes that the value cannot tell apart from where the hand put it. */
  wants(code: number, near: number): boolean {
    if (this.place === UNKNOWN || this.isEchoDue) return true;
    return this.isOwn ? Math.abs(code - this.place) > near : code !== this.place;
  }

  sent(code: number): void {
    this.from = this.place;
    this.place = code;
    this.isOwn = false;
    this.isEchoDue = false;
    this.times[SENT] = this.clock.nowUs;
  }

  /** Where it stands is not known any more: it was switched off, or shows another bank. */
  forget(): void {
    this.place = UNKNOWN;
    this.from = UNKNOWN;
  }

  /** It went away, and the hand that was on it is none of ours. */
  reset(): void {
    this.forget();
    this.touch(false);
    this.isEchoDue = false;
  }
}

const MOVED = 0;
const SENT = 1;
