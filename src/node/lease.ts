/**
 * Lease: until when this controller may write. It is told the time, and gives the end to the clock.
 *
 * Whoever hears nothing of its controller for 500 ms may vote for another one. So a controller whose loop was held up for
 * 400 ms (a collection of garbage, SIGSTOP, a suspended machine) must not write any more: somebody else may be controller
 * already. Under `hold` it also must not write when no majority of the electors has echoed it for as long. The end stands
 * in the clock, and whoever sets the clock asks before anything else (`Clock.isLate`).
 */
import type { Clock } from "../base/clock.js";
import type { Peers } from "../sync/peers.js";
import { LEASE_US, type QuorumLease } from "../sync/quorum-lease.js";

/** How long the finding stands that says so. */
const TOLD_US = 10_000_000;

export class Lease {
  private readonly clock: Clock;
  private readonly peers: Peers;
  /** Undefined under `island`. */
  readonly quorum: QuorumLease | undefined;
  /** [0] until when it is told that this node was held up, [1] when the house was kept last. */
  private readonly registers = new Float64Array(2);

  constructor(clock: Clock, peers: Peers, quorum: QuorumLease | undefined) {
    this.clock = clock;
    this.peers = peers;
    this.quorum = quorum;
  }

  /** The house was kept, or an elector echoed. Under `island` who is alone in the mesh has nobody to give way to. */
  renew(isControlling: boolean): void {
    const { nowUs } = this.clock;
    const { quorum } = this;
    this.registers[1] = nowUs;
    let untilUs = Number.POSITIVE_INFINITY;
    if (isControlling && (quorum !== undefined || this.peers.size > 0)) untilUs = nowUs + LEASE_US;
    if (isControlling && quorum !== undefined) untilUs = Math.min(untilUs, quorum.untilUs);
    this.clock.deadlineUs = untilUs;
  }

  /** How long this controller may still write, in microseconds. */
  get leftUs(): number {
    return Math.max(0, Math.min(LEASE_US, (this.quorum?.untilUs ?? Number.POSITIVE_INFINITY) - this.clock.nowUs));
  }

  /** The time is up. Answers what to say about it. */
  end(): string {
    const { nowUs } = this.clock;
    const heldUpMs = Math.round((nowUs - (this.registers[1] as number)) / 1_000);
    this.registers[0] = nowUs + TOLD_US;
    this.clock.deadlineUs = Number.POSITIVE_INFINITY;
    if (heldUpMs * 1_000 < LEASE_US) return "no majority of the electors was heard, so this node gave up control";
    return `this node was held up for ${heldUpMs} ms and gave up control`;
  }

  get isTold(): boolean {
    return this.clock.nowUs < (this.registers[0] as number);
  }
}
