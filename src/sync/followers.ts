/**
 * Followers: how many nodes a controller has on its side: who lately reported to be in sync with its term. Told the
 * time. Bounded to as many nodes as a mesh has.
 */
import type { Clock } from "../base/clock.js";

const FOLLOWERS_MAX = 256;
/** They report once a second: who was silent for two and a half no longer counts. */
const SILENCE_US = 2_500_000;

interface Follower {
  term: number;
  saidUs: number;
}

export class Followers {
  private readonly clock: Clock;
  private readonly followers = new Map<string, Follower>();
  /** Whom the count below is of; -1 when it is to be counted anew. [0] before then none of them can have been silent. */
  private countedTerm = -1;
  private counted = 1;
  private readonly registers = new Float64Array(1);

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** A node said whether it is in sync, and with which term. */
  report(node: string, term: number, isInSync: boolean): void {
    const saidUs = this.clock.nowUs;
    const known = this.followers.get(node);
    if (known === undefined || known.term !== term || !isInSync) this.countedTerm = -1;
    if (!isInSync) this.followers.delete(node);
    else if (known !== undefined) {
      known.term = term;
      known.saidUs = saidUs;
    } else if (this.followers.size < FOLLOWERS_MAX) this.followers.set(node, { term, saidUs });
  }

  remove(node: string): void {
    this.followers.delete(node);
    this.countedTerm = -1;
  }

  /** How many nodes the side of this controller has, itself counted. Asked fifty times a second, it seldom counts. */
  sideOf(term: number): number {
    const { nowUs } = this.clock;
    if (term !== this.countedTerm || nowUs > (this.registers[0] as number)) this.count(term, nowUs);
    return this.counted;
  }

  private count(term: number, nowUs: number): void {
    let oldestUs = Number.POSITIVE_INFINITY;
    this.counted = 1;
    for (const [node, { term: own, saidUs }] of this.followers) {
      if (nowUs - saidUs > SILENCE_US) this.followers.delete(node);
      else {
        oldestUs = Math.min(oldestUs, saidUs);
        if (own === term) this.counted++;
      }
    }
    this.countedTerm = term;
    this.registers[0] = oldestUs + SILENCE_US;
  }
}
