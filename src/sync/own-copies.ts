/**
 * OwnCopies: a follower's writes to critical paths that came back with the stream, until this node's copy of them counts.
 *
 * The controller has such a write and this node too, but a frame that came past a gap is not yet something that an
 * election would be told of: a takeover could pass over it, though this node lives. So the write is acknowledged when all
 * before it is here as well, and as not replicated when that does not come about. Told the time. Bounded.
 */
import type { Clock } from "../base/clock.js";
import { PATIENCE_US, type Replicated } from "./critical-writes.js";

const WAITING_MAX = 1_024;

interface Waiting {
  readonly frame: number;
  readonly sinceUs: number;
  readonly done: Replicated;
}

export class OwnCopies {
  private readonly clock: Clock;
  private waiting: Waiting[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get size(): number {
    return this.waiting.length;
  }

  /** Calls back when all up to `frame` is here. */
  add(frame: number, done: Replicated): void {
    if (this.waiting.length >= WAITING_MAX) this.waiting.shift()?.done(false);
    this.waiting.push({ frame, sinceUs: this.clock.nowUs, done });
  }

  /** Nothing up to `frame` is missing here. */
  onWhole(frame: number): void {
    this.end((waiting) => waiting.frame <= frame, true);
  }

  tick(): void {
    const { nowUs } = this.clock;
    if (this.waiting.length > 0) this.end(({ sinceUs }) => nowUs - sinceUs > PATIENCE_US, false);
  }

  /** The term is over: whether what it had goes on in the next. */
  clear(isReplicated: boolean): void {
    if (this.waiting.length > 0) this.end(() => true, isReplicated);
  }

  private end(isOver: (waiting: Waiting) => boolean, isReplicated: boolean): void {
    const over = this.waiting.filter(isOver);
    this.waiting = this.waiting.filter((waiting) => !isOver(waiting));
    for (const { done } of over) done(isReplicated);
  }
}
