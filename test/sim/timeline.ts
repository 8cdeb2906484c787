/**
 * Timeline: virtual time and what is to happen in it. Nothing here knows the real time.
 */
import { EventQueue } from "../unit/node/event-queue.js";

/** Session time is far from zero, as an epoch is: 2024-07-03T00:00:00Z. */
export const START_US = 1_719_964_800_000_000;

export class Timeline {
  nowUs = START_US;
  events = 0;
  private queue = new EventQueue();

  at(timeUs: number, action: () => void): void {
    this.queue.push(timeUs, action);
  }

  after(delayUs: number, action: () => void): void {
    this.queue.push(this.nowUs + delayUs, action);
  }

  /** Nothing is to happen any more. */
  clear(): void {
    this.queue = new EventQueue();
  }

  /** Lets time pass up to `endUs`. */
  runTo(endUs: number): void {
    const { queue } = this;
    for (let next = queue.popUntil(endUs); next !== undefined; next = queue.popUntil(endUs)) {
      this.nowUs = next.timeUs;
      this.events++;
      next.action();
    }
    this.nowUs = endUs;
  }
}
