/**
 * Live loop: the event loop's side of a node. Tells it the time, ends its turns, calls it when something is due.
 *
 * What arrived in one turn is applied, then flushed once, by setImmediate. One timer serves everything that is due;
 * it is armed anew only when something is due earlier than it would fire.
 */
import type { Clock } from "../base/clock.js";

export interface LiveWork {
  /** Ends a turn: publish, pump the followers. */
  settle(): void;
  /** Does what is due. */
  tick(): void;
  /** When it wants to be called, in microseconds of session time. */
  dueUs(): number;
}

/** No timer sleeps longer than this. */
const LONGEST_MS = 20;

export class LiveLoop {
  private readonly clock: Clock;
  private readonly work: LiveWork;
  /** Session time at the process's time origin, in microseconds: fixed at the start, so that it never steps. */
  private readonly originUs: number;
  private readonly onImmediate: () => void;
  private readonly onTimer: () => void;
  private isSettleDue = false;
  private timer: NodeJS.Timeout | undefined;
  private armedUs = Number.POSITIVE_INFINITY;
  private isStopped = false;

  constructor(clock: Clock, work: LiveWork) {
    this.clock = clock;
    this.work = work;
    this.originUs = Math.round(performance.timeOrigin * 1_000);
    this.onImmediate = () => this.settle();
    this.onTimer = () => this.tick();
    this.enter();
  }

  /** Tells the node the time; at the start of whatever the event loop calls. */
  enter(): void {
    this.clock.register[0] = this.originUs + performance.now() * 1_000;
  }

  /** Asks for `settle` at the end of this turn. */
  requestSettle(): void {
    if (this.isSettleDue || this.isStopped) return;
    this.isSettleDue = true;
    setImmediate(this.onImmediate);
  }

  private settle(): void {
    this.isSettleDue = false;
    if (this.isStopped) return;
    this.enter();
    this.work.settle();
    this.arm(this.work.dueUs());
  }

  tick(): void {
    if (this.isStopped) return;
    this.armedUs = Number.POSITIVE_INFINITY;
    this.enter();
    this.work.tick();
    this.arm(this.work.dueUs());
  }

  /** Makes sure that `tick` is called by then. */
  arm(dueUs: number): void {
    if (this.isStopped || dueUs >= this.armedUs) return;
    clearTimeout(this.timer);
    const now = this.clock.register[0] as number;
    const waitMs = Math.min(LONGEST_MS, Math.max(0, Math.ceil((dueUs - now) / 1_000)));
    this.armedUs = now + waitMs * 1_000;
    this.timer = setTimeout(this.onTimer, waitMs);
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }
}
