/**
 * Live loop: the event loop's side of a node. Tells it the time, ends its turns, calls it when something is due.
 *
 * A change after a pause is flushed as soon as the callback that made it returns; what follows within a quarter of a
 * millisecond is flushed once, at the end of the turn. So a lone move waits for nothing, and a flood of datagrams, each
 * a callback of its own, makes one frame. One timer serves everything that is due; it is armed anew only when
 * something is due earlier than it would fire.
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

/** Flushes this far apart need no token to wait for: 4,000/s. Measured: the end of the turn is some 15 µs away. */
const PAUSE_US = 250;
/** No timer sleeps longer than this. */
const LONGEST_MS = 20;

export class LiveLoop {
  private readonly clock: Clock;
  private readonly work: LiveWork;
  /** Session time at the process's time origin, in microseconds: fixed at the start, so that it never steps. */
  private readonly originUs: number;
  private readonly onCallbackEnd: () => void;
  private readonly onTurnEnd: () => void;
  private readonly onTimer: () => void;
  private isSettleDue = false;
  private isInCallback = false;
  /** [0] when the last turn was settled. */
  private readonly settled = new Float64Array(1);
  private timer: NodeJS.Timeout | undefined;
  private armedUs = Number.POSITIVE_INFINITY;
  /** Nothing runs before `start`: what would be sent earlier could not be answered. */
  private isStopped = true;

  constructor(clock: Clock, work: LiveWork) {
    this.clock = clock;
    this.work = work;
    this.originUs = Math.round(performance.timeOrigin * 1_000);
    this.onCallbackEnd = () => this.settle();
    this.onTurnEnd = () => {
      this.enter();
      this.settle();
    };
    this.onTimer = () => this.tick();
    this.enter();
  }

  start(): void {
    this.isStopped = false;
    this.tick();
  }

  /** Tells the node the time; at the start of whatever the event loop calls. */
  enter(): void {
    this.clock.register[0] = this.originUs + performance.now() * 1_000;
  }

  /** A socket's callback begins; it ends with `endCallback`. */
  beginCallback(): void {
    this.enter();
    this.isInCallback = true;
  }

  /** Settles there and then if it was asked for and nothing left just before. */
  endCallback(): void {
    this.isInCallback = false;
    if (!this.isSettleDue) return;
    if (this.isAfterPause) this.settle();
    else setImmediate(this.onTurnEnd);
  }

  /** Asks for `settle`: at the end of the callback that runs now, or of this turn. */
  requestSettle(): void {
    if (this.isSettleDue || this.isStopped) return;
    this.isSettleDue = true;
    if (this.isInCallback) return;
    if (this.isAfterPause) process.nextTick(this.onCallbackEnd);
    else setImmediate(this.onTurnEnd);
  }

  private get isAfterPause(): boolean {
    return (this.clock.register[0] as number) - (this.settled[0] as number) > PAUSE_US;
  }

  private settle(): void {
    this.isSettleDue = false;
    if (this.isStopped) return;
    this.settled[0] = this.clock.register[0] as number;
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
