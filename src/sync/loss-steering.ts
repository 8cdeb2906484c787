/**
 * LossSteering: how many frames the journal reaches back and how often the stream is flushed, by what nearly all
 * followers lose. Told; sends nothing.
 *
 * A frame is missing for good when it and the next k are lost: k is the least that makes this rarer than one in ten
 * thousand. And where much is lost there may be too many packets, so flushes are spaced until it is well, values conflate,
 * and they come closer again. One that loses alone changes nothing here: it is a slow peer (`slow-peers.ts`).
 */
import { JOURNAL_MAX } from "../wire/frame.js";

const RESIDUAL = 1e-4;
const MUCH_PERMILLE = 100;
const LITTLE_PERMILLE = 50;
/** A second's step. */
const LESS = 0.7;
const MORE = 1.3;
/** Of the flushes that are set: 4,000 a second become 60. */
const SHARE_MIN = 0.015;

export class LossSteering {
  private readonly base: number;
  /** Frames that the journal reaches back. */
  redundancy: number;
  /** Of the flushes a second that are set. */
  share = 1;

  /** `redundancy`: what is set. 0 keeps it off. */
  constructor(redundancy: number) {
    this.base = redundancy;
    this.redundancy = redundancy;
  }

  /** Once a second: what nine of ten followers lose at most, in 1/1000. */
  steer(permille: number): void {
    if (this.base > 0) this.redundancy = Math.min(JOURNAL_MAX, Math.max(this.base, journalFor(permille / 1_000)));
    if (permille > MUCH_PERMILLE) this.share = Math.max(SHARE_MIN, this.share * LESS);
    else if (permille < LITTLE_PERMILLE) this.share = Math.min(1, this.share * MORE);
  }
}

function journalFor(loss: number): number {
  if (loss <= 0) return 0;
  return loss >= 1 ? JOURNAL_MAX : Math.ceil(Math.log(RESIDUAL) / Math.log(loss)) - 1;
}
