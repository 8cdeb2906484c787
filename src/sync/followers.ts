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

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** A node said whether it is in sync, and with which term. */
  report(node: string, term: number, isInSync: boolean): void {
    const saidUs = this.clock.nowUs;
    const known = this.followers.get(node);
    if (!isInSync) this.followers.delete(node);
    else if (known !== undefined) Object.assign(known, { term, saidUs });
    else if (this.followers.size < FOLLOWERS_MAX) this.followers.set(node, { term, saidUs });
  }

  remove(node: string): void {
    this.followers.delete(node);
  }

  /** How many nodes the side of this controller has, itself counted. */
  sideOf(term: number): number {
    let count = 1;
    for (const [node, follower] of this.followers) {
      if (this.clock.nowUs - follower.saidUs > SILENCE_US) this.followers.delete(node);
      else if (follower.term === term) count++;
    }
    return count;
  }
}
