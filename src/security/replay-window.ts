/**
 * Replay windows: which of the newest 8,192 packet counters of each sender were accepted. (The anti-replay window of
 * RFC 4303, section 3.4.3, as a ring of bits.)
 *
 * The attack: whoever hears a frame can send it again, tag and all. So a counter is accepted once, and one too old
 * for the window never. `seen` is asked before the tag is verified, because it is cheap; `accept` only after, or a
 * forged counter could push the window past what the real sender will still send.
 */
export class ReplayWindows {
  /** The counter in question: written by the caller, read by `seen` and `accept` (a register, so never boxed). */
  readonly counter = new Float64Array(1);
  private readonly newest: Float64Array;
  private readonly bits: Int32Array;

  constructor(senders: number) {
    this.newest = new Float64Array(senders);
    this.bits = new Int32Array(senders * WORDS);
  }

  /** Forgets everything about a sender: counter 1 is the first one acceptable. */
  reset(sender: number): void {
    this.newest[sender] = 0;
    this.bits.fill(0, sender * WORDS, (sender + 1) * WORDS);
  }

  /** The newest counter accepted from a sender, 0 for none. */
  newestOf(sender: number): number {
    return this.newest[sender] as number;
  }

  /** Whether the counter was accepted before, or is too old to tell. */
  seen(sender: number): boolean {
    const counter = this.counter[0] as number;
    const newest = this.newest[sender] as number;
    if (counter > newest) return false;
    if (counter === 0 || newest - counter >= REPLAY_WINDOW_PACKETS) return true;
    return ((this.bits[wordOf(sender, counter)] as number) & (1 << (counter & 31))) !== 0;
  }

  /** Marks the counter as accepted. The caller asked `seen` and verified the tag. */
  accept(sender: number): void {
    const counter = this.counter[0] as number;
    const ahead = counter - (this.newest[sender] as number);
    if (ahead > 0) this.advance(sender, ahead);
    const word = wordOf(sender, counter);
    this.bits[word] = (this.bits[word] as number) | (1 << (counter & 31));
  }

  /** Clears the bits of the counters that the window now covers anew. */
  private advance(sender: number, ahead: number): void {
    const { bits, newest } = this;
    const from = newest[sender] as number;
    if (ahead >= REPLAY_WINDOW_PACKETS) {
      bits.fill(0, sender * WORDS, (sender + 1) * WORDS);
    } else {
      for (let step = 1; step <= ahead; step++) {
        const word = wordOf(sender, from + step);
        bits[word] = (bits[word] as number) & ~(1 << ((from + step) & 31));
      }
    }
    newest[sender] = from + ahead;
  }
}

/**
 * Reordering and repairs beyond this many packets look like replays. A receiver that was held up reads what came by one
 * socket before what came by another, so this is more than a socket's buffer holds of a stream's frames and more than
 * all that can be repaired. At 20,000 packets/s it is 0.4 s.
 */
export const REPLAY_WINDOW_PACKETS = 8_192;
const WORDS = REPLAY_WINDOW_PACKETS / 32;

/** `counter & 8191` keeps the low bits of a number beyond 32 bits too: the conversion is modulo 2^32. */
function wordOf(sender: number, counter: number): number {
  return sender * WORDS + ((counter & (REPLAY_WINDOW_PACKETS - 1)) >>> 5);
}
