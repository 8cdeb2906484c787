/**
 * Deafness: whether a controller that had followers hears nobody any more. Told the time and when a message was read.
 *
 * Followers report once a second and ask for the time (a few of them as often), so one of whom nothing comes for 2.5 s is gone. When that
 * is so of all of them, they may be switched off; or this node does not hear, by a cable, a driver or a rule that works
 * one way, and their writes reach nobody. It cannot tell which. It says so, and whoever hears that looks for another
 * controller; where nobody is left nobody minds. It decides nothing else.
 */
import type { Clock } from "../base/clock.js";

const DEAF_US = 2_500_000;
/** A loop that was held up this long has not heard what is queued in its sockets. */
const LAG_US = 200_000;

export class Deafness {
  private readonly clock: Clock;
  /** [0] when a message of another node was read, [1] last tick. */
  private readonly registers = new Float64Array(2);
  private hadFollowers = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** This node controls from now on. */
  begin(): void {
    this.hadFollowers = false;
    this.registers.fill(this.clock.nowUs);
  }

  /** A message of another node was read. */
  heard(): void {
    this.registers[0] = this.clock.register[0] as number;
  }

  /** `followers`: how many nodes follow, as far as is known. Answers whether this controller is to say that it is deaf. */
  tick(followers: number): boolean {
    const { registers } = this;
    const { nowUs } = this.clock;
    if (followers > 0) this.hadFollowers = true;
    if (nowUs - (registers[1] as number) > LAG_US) registers[0] = Math.max(registers[0] as number, nowUs - DEAF_US / 2);
    registers[1] = nowUs;
    return this.hadFollowers && nowUs - (registers[0] as number) > DEAF_US;
  }
}
