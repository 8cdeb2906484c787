/**
 * Live loop: the event loop's side of a node. Tells it the time, ends its turns, calls it when something is due.
 *
 * A change after a pause leaves as soon as the callback that made it ends; what follows within a quarter of a
 * millisecond leaves together, at the end of the turn. So a lone move waits for nothing (a detour through the tick queue
 * costs 10 µs after an idle millisecond, measured), and a flood of datagrams, each a callback of its own, makes one
 * frame. Nothing is settled while something runs that may ask for it. One timer serves everything that is due; it is
 * armed anew only when something is due earlier than it would fire.
 */
import type { Clock } from "../base/clock.js";

export interface LiveWork {
  /** The clock was set later than it should have been: before anything else. */
  late(): void;
  /** Ends a turn: publish, pump the followers. */
  settle(): void;
  /** Does what is due. */
  tick(): void;
  /** When it wants to be called, in microseconds of own time. */
  dueUs(): number;
}

/** Flushes this far apart need no token to wait for: 4,000/s. Measured: the end of the turn is some 15 µs away. */
const PAUSE_US = 250;
/** No timer sleeps longer than this. */
const LONGEST_MS = 20;

export class LiveLoop {
  private readonly clock: Clock;
  private readonly work: LiveWork;
  /** Own time at the process's time origin, in microseconds: fixed at the start, so that it never steps. */
  private readonly originUs: number;
  private readonly onTurnEnd: () => void;
  private readonly onTimer: () => void;
  private isSettleDue = false;
  private isScheduled = false;
  /** How many callbacks, settles and ticks of ours are running inside each other. */
  private depth = 0;
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
    this.onTurnEnd = () => this.endTurn();
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
    this.clock.follow();
    if (this.clock.isLate) this.work.late();
  }

  /** Own time at this very moment; the clock's is that of the turn's beginning. */
  nowUs(): number {
    return this.originUs + performance.now() * 1_000;
  }

  /** A callback begins that may change something; it ends with `end`, whatever happens. */
  begin(): void {
    if (this.depth++ === 0) this.enter();
  }

  /** Settles there and then if that was asked for and nothing left just before. */
  end(): void {
    if (--this.depth > 0 || !this.isSettleDue) return;
    if (this.isAfterPause) this.settle();
    else this.schedule();
  }

  /** Asks for `settle`: at the end of the callback that runs now, or of this turn. */
  requestSettle(): void {
    if (this.isSettleDue || this.isStopped) return;
    this.isSettleDue = true;
    if (this.depth === 0) this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    if (this.isAfterPause) process.nextTick(this.onTurnEnd);
    else setImmediate(this.onTurnEnd);
  }

  private get isAfterPause(): boolean {
    return (this.clock.register[0] as number) - (this.settled[0] as number) > PAUSE_US;
  }

  private endTurn(): void {
    this.isScheduled = false;
    if (!this.isSettleDue) return;
    this.enter();
    this.settle();
  }

  private settle(): void {
    this.isSettleDue = false;
    if (this.isStopped) return;
    this.settled[0] = this.clock.register[0] as number;
    this.depth++;
    this.work.settle();
    this.depth--;
    this.afterwards();
  }

  private tick(): void {
    if (this.isStopped) return;
    this.armedUs = Number.POSITIVE_INFINITY;
    this.enter();
    this.depth++;
    this.work.tick();
    this.depth--;
    this.afterwards();
  }

  /** What a listener asked for meanwhile has its turn, and what is due its timer. */
  private afterwards(): void {
    if (this.isSettleDue && this.depth === 0) this.schedule();
    this.wakeBy(this.work.dueUs());
  }

  /** The same for the time in `dues[0]`, without boxing it for a call that mostly does nothing. */
  wakeFor(dues: Float64Array): void {
    if ((dues[0] as number) < this.armedUs) this.wakeBy(dues[0] as number);
  }

  /** Makes sure that `tick` is called by then, in own time. */
  wakeBy(dueUs: number): void {
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
