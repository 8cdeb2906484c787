/**
 * NakSchedule: when a follower asks for what it misses. Told the time; sends nothing itself.
 *
 * It first gives the journal of the next frames the chance to fill the gap, then asks after a random delay whose
 * density grows towards its end (truncated exponential, as in RFC 5401 and Aeron), so that of many followers that miss
 * the same frame few ask first. It retries 1.5 times slower each time and gives up after eight tries: a snapshot then.
 */
import type { Clock } from "../base/clock.js";
import type { Random } from "../base/random.js";

const FIRST_DELAY_US = 4_000;
const RETRY_FACTOR = 1.5;
const RETRY_MAX_US = 100_000;
export const NAK_TRIES_MAX = 8;
/** Shapes the truncated exponential: the larger, the fewer ask early. */
const SHAPE = 3;

export const NakDecision = { wait: 0, ask: 1, giveUp: 2 } as const;
export type NakDecision = (typeof NakDecision)[keyof typeof NakDecision];

export class NakSchedule {
  private readonly clock: Clock;
  private readonly random: Random;
  /** [0] due in microseconds, Infinity when nothing is missing; [1] delay; [2] the first missing frame asked for. */
  private readonly registers = new Float64Array([Number.POSITIVE_INFINITY, 0, 0]);
  private tries = 0;
  /** How often it asked. */
  asked = 0;

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  get dueUs(): number {
    return this.registers[0] as number;
  }

  /** Tells which frame is the first missing one, 0 for none. Progress begins the tries anew. */
  observe(firstMissing: number): void {
    const { registers } = this;
    if (firstMissing === 0) {
      registers[0] = Number.POSITIVE_INFINITY;
      registers[2] = 0;
      return;
    }
    if (registers[2] === firstMissing) return;
    registers[2] = firstMissing;
    registers[1] = FIRST_DELAY_US;
    registers[0] = this.clock.nowUs + this.backoffUs(FIRST_DELAY_US);
    this.tries = 0;
  }

  /** Somebody brings what is missing without being asked: not before then. */
  postpone(untilUs: number): void {
    const { registers } = this;
    if (registers[0] !== Number.POSITIVE_INFINITY) registers[0] = Math.max(registers[0] as number, untilUs);
  }

  /** What to do now. After `ask` the caller sends one NAK. */
  decide(): NakDecision {
    const { registers } = this;
    if (this.clock.nowUs < (registers[0] as number)) return NakDecision.wait;
    if (this.tries >= NAK_TRIES_MAX) return NakDecision.giveUp;
    this.tries++;
    this.asked++;
    registers[1] = Math.min((registers[1] as number) * RETRY_FACTOR, RETRY_MAX_US);
    registers[0] = this.clock.nowUs + (registers[1] as number);
    return NakDecision.ask;
  }

  /** Not given up after all: asks on, as seldom as it does at last. */
  goOn(): void {
    this.tries = NAK_TRIES_MAX - 1;
    this.registers[0] = this.clock.nowUs + RETRY_MAX_US;
  }

  private backoffUs(spanUs: number): number {
    const uniform = this.random.next();
    return (spanUs / SHAPE) * Math.log(uniform * (Math.exp(SHAPE) - 1) + 1);
  }
}
