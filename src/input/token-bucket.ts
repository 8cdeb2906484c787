/**
 * Token bucket: so many a second, and a burst. For the rates of OSC sources and of what is sent to subscribers.
 *
 * It reads the time from the clock's register and never takes it as an argument, so that taking a token allocates
 * nothing. It may go into debt when the caller learns a price only afterwards; then nothing can be taken until it is
 * paid. It never waits and never decides what happens to whoever gets no token.
 */
import type { Clock } from "../base/clock.js";

const NOW = 0;
const TOKENS = 0;
const FILLED_US = 1;
const SECOND_US = 1_000_000;

export class TokenBucket {
  /** [0] tokens, [1] when they were counted, in microseconds. */
  private readonly register = new Float64Array(2);
  private readonly time: Float64Array;
  private readonly perUs: number;
  private readonly burst: number;

  /** Begins full. */
  constructor(clock: Clock, perSecond: number, burst: number) {
    this.time = clock.register;
    this.perUs = perSecond / SECOND_US;
    this.burst = burst;
    this.register[TOKENS] = burst;
    this.register[FILLED_US] = this.time[NOW];
  }

  /** Takes `count` tokens; false, and none is taken, when there are fewer. */
  take(count: number): boolean {
    this.fill();
    if (this.register[TOKENS] < count) return false;
    this.register[TOKENS] -= count;
    return true;
  }

  /** Whether `count` tokens are there. */
  has(count: number): boolean {
    this.fill();
    return this.register[TOKENS] >= count;
  }

  /** Takes tokens that may not be there. The debt is never more than one burst, so it is paid within a burst's time. */
  spend(count: number): void {
    this.fill();
    this.register[TOKENS] = Math.max(-this.burst, this.register[TOKENS] - count);
  }

  /** Whole tokens at hand; 0 in debt. */
  get tokens(): number {
    this.fill();
    return Math.max(0, Math.floor(this.register[TOKENS]));
  }

  /** How long until `count` tokens are there, in whole microseconds: less than one is lost in a time of this size. */
  waitUs(count: number): number {
    this.fill();
    return Math.max(0, Math.ceil((count - this.register[TOKENS]) / this.perUs));
  }

  private fill(): void {
    const { register } = this;
    const elapsedUs = this.time[NOW] - register[FILLED_US];
    register[FILLED_US] = this.time[NOW];
    if (elapsedUs > 0) register[TOKENS] = Math.min(this.burst, register[TOKENS] + elapsedUs * this.perUs);
  }
}
