/**
 * AskBudget: how much work a known sender may ask for. A message that costs its receiver more than its sender (an answer,
 * a look through the state, a repair) is paid for in units of some 5 µs, from the sender's own bucket and from one for all.
 *
 * Against a member gone mad, and against a recording: frames of an earlier boot open at a node that was started anew and
 * has not heard that sender again, each once, and their answers would go to whatever address they are sent from. It does
 * not count what is the work itself: the stream, writes and what answers us. Bounded.
 */
import type { Clock } from "../base/clock.js";
import { RateLimit } from "../security/rate-limit.js";
import { FrameType } from "../wire/frame.js";

/** What a message may cost, in units. A welcome tells where all writers stand; a bucket ask looks at every path. */
const COSTS = new Uint8Array(256);
COSTS[FrameType.hello] = 10;
COSTS[FrameType.streamAsk] = 5;
COSTS[FrameType.bucketAsk] = 40;
COSTS[FrameType.nak] = 2;
COSTS[FrameType.clockAsk] = 1;
COSTS[FrameType.voteAsk] = 10;

/** A second: a NAK every 2 ms, or a hello every 10. */
export const UNITS_PER_SENDER = 1_000;
/** A tenth of a core. */
export const UNITS_IN_TOTAL = 20_000;
const SENDERS_MAX = 256;
const ALL = "";

export class AskBudget {
  private readonly clock: Clock;
  private readonly senders = new RateLimit({
    perSecond: UNITS_PER_SENDER,
    burst: UNITS_PER_SENDER,
    sources: SENDERS_MAX,
  });
  private readonly total = new RateLimit({ perSecond: UNITS_IN_TOTAL, burst: UNITS_IN_TOTAL, sources: 1 });

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** False when the sender, or all of them, asked for too much: the message is not looked at. */
  take(type: number, sender: string): boolean {
    const cost = COSTS[type & 0xff] as number;
    if (cost === 0) return true;
    const { nowUs } = this.clock;
    return this.senders.take(sender, nowUs, cost) && this.total.take(ALL, nowUs, cost);
  }
}
