/**
 * Lease: until when this controller may write without having looked after its house. It is told the time.
 *
 * Whoever hears nothing of its controller for 500 ms may vote for another one. So a controller whose loop was held up for
 * 400 ms (a collection of garbage, SIGSTOP, a suspended machine) must not write any more: somebody else may be controller
 * already. The end stands in the clock, and whoever sets the clock asks before anything else (`Clock.isLate`).
 */
import type { Clock } from "../base/clock.js";
import type { Peers } from "../sync/peers.js";

/** protocol.md: below the 500 ms of silence that nobody grants a vote before. */
const LEASE_US = 400_000;
/** How long the finding stands that says so. */
const TOLD_US = 10_000_000;

export class Lease {
  private readonly clock: Clock;
  private readonly peers: Peers;
  /** [0] until when it is told that this node was held up, [1] when the house was kept last. */
  private readonly registers = new Float64Array(2);

  constructor(clock: Clock, peers: Peers) {
    this.clock = clock;
    this.peers = peers;
  }

  /** The house was kept: the next time is due soon. Who is alone in the mesh has nobody to give way to. */
  renew(isControlling: boolean): void {
    const { nowUs } = this.clock;
    this.registers[1] = nowUs;
    this.clock.deadlineUs = isControlling && this.peers.size > 0 ? nowUs + LEASE_US : Number.POSITIVE_INFINITY;
  }

  /** The time is up. Answers what to say about it. */
  end(): string {
    const { nowUs } = this.clock;
    const heldUpMs = Math.round((nowUs - (this.registers[1] as number)) / 1_000);
    this.registers[0] = nowUs + TOLD_US;
    this.clock.deadlineUs = Number.POSITIVE_INFINITY;
    return `this node was held up for ${heldUpMs} ms and gave up control`;
  }

  get isTold(): boolean {
    return this.clock.nowUs < (this.registers[0] as number);
  }
}
