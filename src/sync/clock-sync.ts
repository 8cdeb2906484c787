/**
 * ClockSync: learns by how much the controller's session time is ahead of this node's own time, and steers this node's
 * session time there. Told the times of questions and answers; it sends nothing.
 *
 * One exchange says only that the truth lies within half of its round trip around what it measured (that is certain,
 * however unequal the two ways are). So every measurement is an interval; it widens with its age by what is not known of
 * the two crystals' rates. Of the last 32 the quarter with the shortest round trips counts, weighted by how narrow they
 * are now, and the bound is that of the same weights: the truth lies within it as long as no crystal changes its rate by more than
 * `WANDER`. The difference of rates is learned from two exchanges far apart; a new controller's is learned anew.
 *
 * Session time is slewed by at most 500 ppm beyond the learned rate. It steps only while this node joins: on its first
 * exchanges, and when it finds its time to be another mesh's, far off. A controller's session time is the truth: it
 * goes on as it went when it took over, so a takeover moves nobody's time.
 */
import type { Clock } from "../base/clock.js";
import type { Random } from "../base/random.js";

/** One exchange: when this node asked and was answered (own time), and the controller's session time in between. */
export interface ClockExchange {
  readonly askedUs: number;
  readonly receivedUs: number;
  readonly answeredUs: number;
  readonly heardUs: number;
}

/** protocol.md: the lowest-RTT quarter of the last 32. */
const KEPT = 32;
const CHOSEN_SHARE = 4;
const SLEW_MAX = 500e-6;
/** What is off is made good in so long, if 500 ppm suffice. */
const SLEW_US = 1_000_000;
/** Session time so far off is another mesh's, or this machine stood still. */
const STEP_US = 250_000;
/** Before the first exchange a heartbeat says the time, as old as it is on the way. */
const HINT_US = 10_000;
/** No two differ by more: protocol.md has crystals 1 % fast and slow, and a mesh goes on as its first controller's went. */
const RATE_UNKNOWN = 0.04;
/**
 * By how much a controller's session time may run faster than its own crystal: what two crystals differ by. Crystals that
 * change while they lead would else carry the mesh's pace off, takeover by takeover, to where no follower comes along.
 */
const LEAD_RATE_MAX = 0.018;
const RATE_USUAL = 100e-6;
/** How much faster than known a crystal may become: warmth, and time daemons that trim it. */
const WANDER = 2e-6;
/** What was learned of the rate is worth less with each second. */
const FORGET_PER_S = 1e-6;
/** The clock's own grain, and a double's at this size. */
const GRAIN_US = 2;
const ROUND_TRIP_MAX_US = 2_000_000;
/** Exchanges at once after joining. */
const BURST = 8;
const BURST_EVERY_US = 40_000;
export const ASK_EVERY_US = 1_000_000;
const ASKED_KEPT = 8;
const NUMBERS = 2 ** 31;

export class ClockSync {
  private readonly clock: Clock;
  private readonly random: Random;
  /** The exchanges: own time in the middle, what session time was ahead then, half of the round trip. */
  private readonly atUs = new Float64Array(KEPT);
  private readonly aheadUs = new Float64Array(KEPT);
  private readonly halfUs = new Float64Array(KEPT);
  private readonly chosen: number[] = [];
  private count = 0;
  private next = 0;
  /** Questions under way: when each was asked, by its number modulo 8. */
  private readonly asked = new Float64Array(ASKED_KEPT);
  private number: number;
  /** [0] how far session time is to be ahead [1] at this own time, [2] the bound then, [3] next question due. */
  private readonly registers = new Float64Array(4);
  /** How much faster the controller's session time runs than own time, as a share, and how well that is known. */
  private rate = 0;
  private rateError = RATE_UNKNOWN;
  private rateSinceUs = 0;
  private burst = 0;
  private isLeading = false;
  /** Whether session time may still step to the mesh's: until the first exchanges are through. */
  private isJoining = true;
  /** How often session time was moved at once. */
  steps = 0;
  exchanges = 0;
  /** How often an exchange contradicted all before: a crystal changed, or a machine stood still. */
  contradictions = 0;

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
    // Not from 1: an answer to an earlier boot of this node may be brought to this one.
    this.number = Math.floor(random.next() * NUMBERS);
  }

  /** Another controller's session time is to be learned, as a joiner does. */
  follow(): void {
    this.isLeading = false;
    if (this.exchanges > 0) this.isJoining = false;
    this.forget();
    this.registers[2] = Number.POSITIVE_INFINITY;
    // What was asked before may be answered late, by a controller whose session time was another one then.
    this.asked.fill(0);
    this.clock.steer(this.rate);
  }

  /** This node's session time is the mesh's: it goes on as it goes. */
  lead(): void {
    this.isLeading = true;
    this.isJoining = false;
    this.count = 0;
    this.rate = Math.min(Math.max(this.rate, -LEAD_RATE_MAX), LEAD_RATE_MAX);
    this.clock.steer(this.rate);
  }

  private forget(): void {
    this.count = 0;
    this.next = 0;
    this.rateError = RATE_UNKNOWN;
    this.burst = BURST;
    this.registers[3] = this.clock.nowUs;
  }

  /** How far session time may be off the controller's, in microseconds; infinity while that is not known. */
  get boundUs(): number {
    if (this.isLeading) return 0;
    if (this.count === 0) return Number.POSITIVE_INFINITY;
    return this.boundAt(this.clock.nowUs) + Math.abs(this.errorUs);
  }

  /** Shortest round trip of the exchanges that count, in microseconds; 0 when there is none. */
  get roundTripUs(): number {
    const [best] = this.chosen;
    return this.count === 0 || best === undefined ? 0 : 2 * (this.halfUs[best] as number);
  }

  /** Own time of the oldest exchange that is kept; infinity when none is. */
  get oldestUs(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.count; index++) oldest = Math.min(oldest, this.atUs[index] as number);
    return oldest;
  }

  private boundAt(ownUs: number): number {
    return (
      (this.registers[2] as number) + (this.rateError + WANDER) * Math.max(0, ownUs - (this.registers[1] as number))
    );
  }

  /** How far session time is behind what it is to be. */
  private get errorUs(): number {
    const { clock, registers } = this;
    const goalUs = (registers[0] as number) + this.rate * (clock.nowUs - (registers[1] as number));
    return goalUs - (clock.sessionUs - clock.nowUs);
  }

  get isAskDue(): boolean {
    return !this.isLeading && this.clock.nowUs >= (this.registers[3] as number);
  }

  /** A question leaves at this moment of own time: answers its number. `everyUs`: when the next one is due, about. */
  ask(ownUs: number, everyUs = ASK_EVERY_US): number {
    this.number = (this.number + 1) >>> 0;
    this.asked[this.number % ASKED_KEPT] = ownUs;
    if (this.burst > 0) this.burst--;
    const isHurried = this.burst > 0 || this.count === 0;
    this.registers[3] = this.clock.nowUs + (isHurried ? BURST_EVERY_US : everyUs * (0.9 + 0.2 * this.random.next()));
    return this.number;
  }

  /** When a question was asked, in own time; 0 for one that was not, or is answered. Each answer counts once. */
  takeAsked(number: number): number {
    const place = number % ASKED_KEPT;
    const isKnown = number <= this.number && number > this.number - ASKED_KEPT;
    const askedUs = isKnown ? (this.asked[place] as number) : 0;
    if (isKnown) this.asked[place] = 0;
    return askedUs;
  }

  /** A controller said its session time in passing: enough for a joiner that knows nothing. Answers the step. */
  hint(sessionUs: number): number {
    const offUs = sessionUs - this.clock.sessionUs;
    return this.isJoining && this.count === 0 && Math.abs(offUs) > HINT_US ? this.step(offUs) : 0;
  }

  /** Takes in an exchange. Answers by how much session time stepped, in microseconds. */
  take({ askedUs, receivedUs, answeredUs, heardUs }: ClockExchange): number {
    const halfUs = (heardUs - askedUs - (answeredUs - receivedUs)) / 2;
    if (this.isLeading || halfUs < -GRAIN_US || halfUs * 2 > ROUND_TRIP_MAX_US) return 0;
    this.exchanges++;
    const atUs = (askedUs + heardUs) / 2;
    const aheadUs = (receivedUs - askedUs + (answeredUs - heardUs)) / 2;
    this.keep(atUs, aheadUs, Math.max(0, halfUs) + GRAIN_US);
    this.aim();
    return this.settle();
  }

  private keep(atUs: number, aheadUs: number, halfUs: number): void {
    const { registers } = this;
    const goalUs = (registers[0] as number) + this.rate * (atUs - (registers[1] as number));
    if (this.count > 0 && Math.abs(aheadUs - goalUs) > this.widthOf(halfUs) + this.boundAt(atUs)) {
      this.contradictions++;
      this.forget();
    }
    this.atUs[this.next] = atUs;
    this.aheadUs[this.next] = aheadUs;
    this.halfUs[this.next] = halfUs;
    this.next = (this.next + 1) % KEPT;
    this.count = Math.min(this.count + 1, KEPT);
  }

  /** Half a round trip as it may have passed for the controller, whose crystal is another. */
  private widthOf(halfUs: number): number {
    return halfUs * (1 + Math.abs(this.rate) + this.rateError + WANDER);
  }

  /** Where session time is to be: from the quarter of the exchanges with the shortest round trips. */
  private aim(): void {
    const { chosen, halfUs, registers } = this;
    chosen.length = 0;
    for (let index = 0; index < this.count; index++) chosen.push(index);
    chosen.sort((one, other) => (halfUs[one] as number) - (halfUs[other] as number));
    this.learnRate();
    chosen.length = Math.ceil(this.count / CHOSEN_SHARE);
    const { nowUs } = this.clock;
    let weights = 0;
    let aheadUs = 0;
    let boundUs = 0;
    for (const index of chosen) {
      const ageUs = Math.max(0, nowUs - (this.atUs[index] as number));
      const bound = this.widthOf(halfUs[index] as number) + (this.rateError + WANDER) * ageUs;
      const weight = 1 / (bound * bound);
      weights += weight;
      aheadUs += weight * ((this.aheadUs[index] as number) + this.rate * ageUs);
      boundUs += weight * bound;
    }
    registers[0] = aheadUs / weights;
    registers[1] = nowUs;
    registers[2] = boundUs / weights;
  }

  /** From the two exchanges that say it best: far apart, with short round trips. */
  private learnRate(): void {
    const { nowUs } = this.clock;
    this.rateError = Math.min(RATE_UNKNOWN, this.rateError + (FORGET_PER_S * (nowUs - this.rateSinceUs)) / 1e6);
    this.rateSinceUs = nowUs;
    let best = this.rateError;
    let measured = 0;
    for (let newer = 0; newer < this.count; newer++) {
      for (let older = 0; older < this.count; older++) {
        const apartUs = (this.atUs[newer] as number) - (this.atUs[older] as number);
        const widthUs = this.widthOf(this.halfUs[newer] as number) + this.widthOf(this.halfUs[older] as number);
        const error = widthUs / apartUs + WANDER;
        if (apartUs <= 0 || error >= best) continue;
        best = error;
        measured = ((this.aheadUs[newer] as number) - (this.aheadUs[older] as number)) / apartUs;
      }
    }
    if (best < this.rateError) this.takeRate(measured, best);
  }

  /** The worse it was measured, the more counts that most crystals differ by less than 100 ppm. */
  private takeRate(measured: number, error: number): void {
    const trust = RATE_USUAL ** 2 / (RATE_USUAL ** 2 + error ** 2);
    const likely = this.rate + trust * (measured - this.rate);
    const rate = Math.min(Math.max(likely, measured - error), measured + error);
    // Who takes control goes on at this rate, so one that no crystal has is none.
    this.rate = Math.min(Math.max(rate, -RATE_UNKNOWN), RATE_UNKNOWN);
    this.rateError = Math.min(RATE_UNKNOWN, error + Math.abs(rate - measured));
  }

  /** Steps there while this node joins, else goes there slowly. */
  private settle(): number {
    const { errorUs } = this;
    const offUs = Math.abs(errorUs);
    const isStep = offUs > STEP_US || (this.isJoining && offUs > this.boundAt(this.clock.nowUs) / 2);
    const stepUs = isStep ? this.step(errorUs) : 0;
    if (this.exchanges >= BURST) this.isJoining = false;
    this.steer();
    return stepUs;
  }

  private step(byUs: number): number {
    this.steps++;
    this.clock.step(byUs);
    return byUs;
  }

  /** Every house-keeping: what is off is made good at the pace that is allowed. */
  steer(): void {
    if (this.isLeading || this.count === 0) return;
    const slew = Math.min(Math.max(this.errorUs / SLEW_US, -SLEW_MAX), SLEW_MAX);
    this.clock.steer(this.rate + slew);
  }
}
