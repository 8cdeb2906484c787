/**
 * MIDI halves: one value of fourteen bits that comes as two messages, high half and low half.
 *
 * Devices disagree on the order, leave out a half that did not change, or never send the low one, and MIDI 1.0 lets
 * them. Told too early, a value is torn: the new high half with the old low one jumps by a whole step of the coarse
 * scale. So a half that may be the first of two is held for a few milliseconds; the order is learned from the pauses
 * (what comes after a pause begins a value), and once it is known that the high half comes first, a low one alone waits
 * for nothing. As MIDI 1.0 says, a high half alone sets the low one to 0.
 *
 * Pauses are measured on the sender's time, which comes with each message, for this process may be late; what is held is
 * told by own time. It never waits itself. Tells at most one value for each half: `tell` answers whether.
 */
import type { Clock } from "../base/clock.js";
import type { MidiCounters } from "./midi-counters.js";
import { MIDI_MAX_7, MIDI_MAX_14 } from "./midi-event.js";
import { MidiReject } from "./midi-reject.js";

/**
 * The halves of one value are less than 1 ms apart on USB and 2 ms on a busy DIN cable (3 bytes each); the values of a
 * fader that is moved are 4 ms and more apart.
 */
const APART_US = 3_000;
/** How long a half is held whose other half may not come at all. */
export const MIDI_HOLD_US = APART_US;
/** How long one is held whose other half has always come: it is late only when this process is. */
export const MIDI_HOLD_SURE_US = 20_000;
/** A message that waits already comes before what was due meanwhile: the loop gets this long to hand it over. */
const GRACE_US = 1_000;
/** A pause tells the order when it is this long, and so many times as long as what lies between the halves. */
const PAUSE_US = 1_000;
const PAUSE_RATIO = 4;
/** How sure one can be of an order: as many values of the other order change it. */
const SCORE_MAX = 2;

const Held = { none: 0, high: 1, low: 2 } as const;
type Held = (typeof Held)[keyof typeof Held];

/** When the last half was sent and the pause before it, by the sender's time; when what is held is told, by own time. */
const LAST = 0;
const PAUSE = 1;
const DUE = 2;

export class MidiHalves {
  /** What is to be told, after `tell` answered true. */
  value = 0;
  max = MIDI_MAX_7;

  private readonly clock: Clock;
  private readonly counters: MidiCounters;
  private readonly heard: Float64Array;
  private readonly dues: Float64Array;
  private readonly times = new Float64Array(3);
  /** The halves as they are now; -1 when none has come. */
  private high = -1;
  private low = 0;
  /** Without it, the high half is the whole value. */
  private hasLow = false;
  private held: Held = Held.none;
  private previous: Held = Held.none;
  private isInGrace = false;
  /** The half that was held last was told without its other half. */
  private wasAlone = false;
  /** Above 0 the high half comes first, below 0 the low one. */
  private score = 0;

  /**
   * `heard[0]` is when the message in hand was sent, in microseconds of any clock that runs evenly; `dues[0]` is made
   * the time, by the clock, when `expire` has something to do, unless it is earlier already.
   */
  constructor(clock: Clock, heard: Float64Array, dues: Float64Array, counters: MidiCounters) {
    this.clock = clock;
    this.heard = heard;
    this.dues = dues;
    this.counters = counters;
    this.reset();
  }

  /** Whether a value has been told or can be. */
  get isKnown(): boolean {
    return this.high >= 0;
  }

  /** Forgets the value; what was learned of the sender stays. */
  reset(): void {
    this.high = -1;
    this.low = 0;
    this.hasLow = false;
    this.held = Held.none;
    this.previous = Held.none;
    this.times[LAST] = Number.POSITIVE_INFINITY;
  }

  /** The high half came. Answers whether a value is to be told. */
  takeHigh(high: number): boolean {
    const isApart = this.score >= 0 && this.isKnown && this.heard[0] - this.times[LAST] > APART_US;
    const isSecond = this.learn(Held.high) && this.score <= 0;
    if (this.held === Held.low ? !isApart : isSecond && this.held === Held.none) {
      this.high = high;
      return this.tellWhole();
    }
    const isTold = this.flush();
    this.high = high;
    this.low = 0;
    this.hold(Held.high);
    return isTold;
  }

  /** The low half came. Answers whether a value is to be told. */
  takeLow(low: number): boolean {
    this.learn(Held.low);
    const isTold = this.held === Held.low && this.flush();
    const isSecond = this.held === Held.high || (this.score > 0 && this.isKnown && !isTold);
    this.low = low;
    this.hasLow = true;
    if (isSecond) return this.tellWhole();
    this.hold(Held.low);
    return isTold;
  }

  /** Tells what was held for too long. Answers whether that is a value; a low half without a high one is none. */
  expire(): boolean {
    if (this.held === Held.none) return false;
    if (this.clock.nowUs >= this.times[DUE]) {
      if (this.isInGrace) return this.flush();
      this.isInGrace = true;
      this.times[DUE] = this.clock.nowUs + GRACE_US;
    }
    this.announce();
    return false;
  }

  /** Tells what is held without waiting any longer. Answers whether that is a value. */
  flush(): boolean {
    if (this.held === Held.none) return false;
    this.wasAlone = true;
    return this.isKnown ? this.tell() : this.drop();
  }

  /** Moves the value by so many of its smallest steps, and answers whether it had one. */
  step(by: number): boolean {
    if (!this.isKnown) return false;
    const max = this.hasLow ? MIDI_MAX_14 : MIDI_MAX_7;
    const value = this.hasLow ? this.high * 128 + this.low : this.high;
    const moved = Math.min(Math.max(value + by, 0), max);
    this.high = this.hasLow ? moved >> 7 : moved;
    this.low = this.hasLow ? moved & MIDI_MAX_7 : 0;
    return this.tell();
  }

  private tellWhole(): true {
    this.wasAlone = false;
    return this.tell();
  }

  private tell(): true {
    this.held = Held.none;
    this.value = this.hasLow ? (this.high << 7) | this.low : this.high;
    this.max = this.hasLow ? MIDI_MAX_14 : MIDI_MAX_7;
    return true;
  }

  private drop(): false {
    this.held = Held.none;
    this.counters.reject(MidiReject.lowWithoutHigh);
    return false;
  }

  private hold(half: Held): void {
    this.held = half;
    this.isInGrace = false;
    const isSure = !this.wasAlone && (half === Held.high || this.score < 0 || !this.isKnown);
    this.times[DUE] = this.clock.nowUs + (isSure ? MIDI_HOLD_SURE_US : MIDI_HOLD_US);
    this.announce();
  }

  private announce(): void {
    if (this.times[DUE] < this.dues[0]) this.dues[0] = this.times[DUE];
  }

  /** Learns the order from this half's time. Answers whether it surely belongs to the other half that came before. */
  private learn(half: Held): boolean {
    const { times } = this;
    const sentUs = this.heard[0];
    const between = sentUs - times[LAST];
    const before = times[PAUSE];
    const { previous } = this;
    times[LAST] = sentUs;
    times[PAUSE] = between;
    this.previous = half;
    if (previous === Held.none || previous === half) return false;
    if (between > APART_US || before < PAUSE_US || before < between * PAUSE_RATIO) return false;
    if (half === Held.low) this.score = Math.min(this.score + 1, SCORE_MAX);
    else this.score = Math.max(this.score - 1, -SCORE_MAX);
    return true;
  }
}
