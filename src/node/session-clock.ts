/**
 * Session clock: keeps this node's session time with its controller's. Asks while it follows, answers while it controls.
 *
 * What the exchanges mean is decided by `sync/clock-sync.ts`. Time of asking and answering is read as late as can be,
 * for a turn may have worked for a while before it comes to that.
 */
import type { Term } from "../state/change.js";
import { ASK_EVERY_US, ClockSync } from "../sync/clock-sync.js";
import { LinkMeasures } from "../sync/link-measures.js";
import { NO_TERM, Role } from "../sync/roles.js";
import type { FrameTarget } from "../sync/stream-frames.js";
import { readClockAnswer, readClockAsk, writeClockAnswer, writeClockAsk } from "../wire/clock-message.js";
import { FrameType } from "../wire/frame.js";
import { BOUND_UNKNOWN_US } from "../wire/write-frame.js";
import { MEASURE_LIMIT_US } from "../wire/fitness.js";
import type { NodeParts, SessionTime } from "./parts.js";
import type { NodePorts } from "./ports.js";

/** By how much two crystals' rates may differ that nothing is known of yet: 1 % fast and 1 % slow. */
const CRYSTALS = 0.02;
/** What two clocks that nothing is known of may part by in the 20 ms between two ticks (4 %). */
const BETWEEN_US = 800;
/** Of so many nodes each asks once a second; of more each asks less often, but not less than this. */
const ASK_EACH_SECOND = 25;
const ASK_SELDOM_TIMES = 4;

export class SessionClock implements SessionTime {
  readonly sync: ClockSync;
  private readonly measures = new LinkMeasures();
  private readonly node: NodeParts;
  private readonly ports: NodePorts;
  /** Whose session time this is: a term, and its controller's boot once that has answered. */
  private term: Term = NO_TERM;
  private session = 0;
  /** By how much session time may be off that term's until the next tick. */
  private bound = BOUND_UNKNOWN_US;
  /** [0] what that was when the term began here, without an exchange yet, [1] when it began, in own time. */
  private readonly carried = new Float64Array([Number.POSITIVE_INFINITY, 0]);

  constructor(node: NodeParts, ports: NodePorts) {
    this.node = node;
    this.ports = ports;
    this.sync = new ClockSync(node.core.clock, ports.random);
  }

  /** How this node's clock and its way to the controller stand now, in whole microseconds. */
  get link(): LinkMeasures {
    const { measures, sync, node } = this;
    const { boundUs, roundTripUs } = sync;
    const aheadUs = Math.round(node.core.clock.nowUs - node.core.clock.sessionUs);
    measures.roundTripUs = roundTripUs === 0 ? -1 : Math.round(roundTripUs);
    measures.clockOffsetUs = Math.min(Math.max(aheadUs, -MEASURE_LIMIT_US), MEASURE_LIMIT_US);
    measures.clockBoundUs = Number.isFinite(boundUs) ? Math.min(MEASURE_LIMIT_US, Math.ceil(boundUs)) : -1;
    return measures;
  }

  get boundUs(): number {
    return this.node.roles.term === this.term ? this.bound : BOUND_UNKNOWN_US;
  }

  /**
   * Session time goes on where control passes within a side: until the first exchange with the new controller this node's
   * time is off that one's by no more than both were off the old one's.
   */
  private carriedUs(term: Term): number {
    const { peers } = this.node;
    const peer = peers.get(term.node);
    const isKnown = this.bound < BOUND_UNKNOWN_US && peer?.isInSync === true && peer.clockBoundUs >= 0;
    return isKnown ? this.bound + peer.clockBoundUs : Number.POSITIVE_INFINITY;
  }

  private noteBound(): void {
    const { nowUs } = this.node.core.clock;
    const sinceUs = nowUs - (this.carried[1] as number);
    const boundUs = Math.min(this.sync.boundUs, (this.carried[0] as number) + CRYSTALS * sinceUs);
    this.bound = Number.isFinite(boundUs)
      ? Math.min(BOUND_UNKNOWN_US, Math.ceil(boundUs) + BETWEEN_US)
      : BOUND_UNKNOWN_US;
  }

  tick(): void {
    this.findSource();
    this.sync.steer();
    this.noteBound();
    const { role, target } = this.node.roles;
    if (role === Role.controlling || role === Role.starting || target.port === 0 || !this.sync.isAskDue) return;
    const { io } = this.node;
    const length = writeClockAsk(io.plain, this.sync.ask(this.ports.nowUs(), this.askEveryUs));
    io.unicast(FrameType.clockAsk, length, target);
  }

  /**
   * All of a large mesh together ask as often as a few do: to answer costs a controller as much as to send a change. The
   * bound grows by what a crystal may drift in four seconds.
   */
  private get askEveryUs(): number {
    const times = this.node.peers.size / ASK_EACH_SECOND;
    return ASK_EVERY_US * Math.min(Math.max(times, 1), ASK_SELDOM_TIMES);
  }

  private findSource(): void {
    const { role, term } = this.node.roles;
    if (term === this.term || role === Role.starting) return;
    this.carried[0] = this.carriedUs(term);
    this.carried[1] = this.node.core.clock.nowUs;
    this.term = term;
    this.session = 0;
    if (role === Role.controlling) this.sync.lead();
    else this.sync.follow();
    this.noteBound();
  }

  /** The followed controller said its session time in passing. */
  hint(sessionUs: number): void {
    this.findSource();
    this.moved(this.sync.hint(sessionUs));
  }

  onAsk(plain: Uint8Array, length: number, from: FrameTarget): void {
    const { node } = this;
    const number = readClockAsk(plain, length);
    if (number < 0) node.core.counters.messagesMalformed++;
    if (number < 0 || !node.controller.isOpen) return;
    this.findSource();
    const { clock } = node.core;
    const receivedUs = Math.round(clock.sessionUs);
    const answeredUs = Math.max(receivedUs, Math.round(clock.sessionAt(this.ports.nowUs())));
    const answer = { number, receivedUs, answeredUs };
    node.io.unicast(FrameType.clockAnswer, writeClockAnswer(node.io.plain, answer), from);
  }

  onAnswer(plain: Uint8Array, length: number, from: string, session: number): void {
    const { node } = this;
    const answer = readClockAnswer(plain, length);
    if (answer === undefined) {
      node.core.counters.messagesMalformed++;
      return;
    }
    if (from !== node.roles.term.node || node.roles.term !== this.term) return;
    const askedUs = this.sync.takeAsked(answer.number);
    if (askedUs === 0) return;
    // A controller that was started anew has another session time.
    if (this.session !== 0 && session !== this.session) {
      this.carried[0] = Number.POSITIVE_INFINITY;
      this.sync.follow();
    }
    this.session = session;
    this.moved(this.sync.take({ ...answer, askedUs, heardUs: node.core.clock.nowUs }));
    this.noteBound();
  }

  /** What waits to be sent is stamped with what was session time when it was written. */
  private moved(byUs: number): void {
    if (byUs !== 0) this.node.pending.moveTimes(byUs);
  }
}
