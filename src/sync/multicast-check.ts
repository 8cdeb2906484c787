/**
 * MulticastCheck: whether this node's own multicast comes back to it. Told the time, what was sent and what was heard.
 *
 * Loopback is on, so every frame that goes to the group in which nodes meet must return to the sender's own receive
 * socket. When it does not, nobody else can be expected to hear it either, nor the stream: a firewall, a missing route
 * or an interface that is gone.
 */
import type { Clock } from "../base/clock.js";

const PATIENCE_US = 2_000_000;
const FRAMES_MIN = 3;

export class MulticastCheck {
  private readonly clock: Clock;
  private unheard = 0;
  /** [0] when the first frame that did not come back was sent. */
  private readonly registers = new Float64Array(1);
  private isSilent = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  onSent(): void {
    if (this.unheard === 0) this.registers[0] = this.clock.register[0] as number;
    this.unheard = Math.min(this.unheard + 1, FRAMES_MIN);
  }

  onHeard(): void {
    this.unheard = 0;
    this.isSilent = false;
  }

  /** Whether the group is silent to its own sender. */
  get isBlocked(): boolean {
    const waited = (this.clock.register[0] as number) - (this.registers[0] as number);
    if (this.unheard >= FRAMES_MIN && waited > PATIENCE_US) this.isSilent = true;
    return this.isSilent;
  }
}
