/**
 * Stranger budget: how often the bytes of a sender that never opened may cost more than a look-up.
 *
 * A frame of an unknown node or session costs a key derivation and an opening, some microseconds, and anybody can send
 * fifty thousand a second with made-up ids. So each source address has a few tries a second, and all strangers together
 * have what costs a hundredth of a core: addresses can be made up too. Known senders never come here. A newcomer needs
 * one try and says hello again and again, so a flood delays it and does not keep it out. Bounded; allocates for a new
 * address only.
 *
 * Why no challenge (a nonce that the sender must seal back before its session is believed): what it would save is paid
 * for already. Who lacks the key fails at the first tag, which is cheaper than to answer, and there is no answer to be
 * reflected at somebody else. Who replays is told by a look: frames of this boot by the window, frames of an earlier boot
 * by the session number. Only a node that was started anew and has not heard the true sender yet opens a recording, each
 * frame once and until that sender's next frame; it is of a term that is over, can bring no snapshot (both sides of that
 * connection give a nonce) and no write (writes name their term), and what it can ask for is bounded by
 * `node/ask-budget.ts`. A challenge would add a round trip to every start, a hundred times a hundred in a mesh.
 */
const PER_SOURCE = 50;
const SOURCE_BURST = 64;
const IN_TOTAL = 2_000;
const TOTAL_BURST = 512;
export const SOURCES_MAX = 256;

/** Tokens of one source, and when they were counted. */
interface Source {
  tokens: number;
  countedMs: number;
}

export class StrangerBudget {
  /** In the order of their coming, oldest first. */
  private readonly sources = new Map<string, Source>();
  private readonly total: Source = { tokens: TOTAL_BURST, countedMs: 0 };
  /** How often a try was refused. */
  refused = 0;

  /** Takes a try of `address`, at any steady time in milliseconds; false when it has none left, or nobody has. */
  take(address: string, nowMs: number): boolean {
    const source = this.sources.get(address) ?? this.open(address, nowMs);
    fill(source, nowMs, PER_SOURCE, SOURCE_BURST);
    fill(this.total, nowMs, IN_TOTAL, TOTAL_BURST);
    if (source.tokens < 1 || this.total.tokens < 1) {
      this.refused++;
      return false;
    }
    source.tokens--;
    this.total.tokens--;
    return true;
  }

  /** Whoever is forgotten begins with a full bucket again: the total bounds what that is worth. */
  private open(address: string, nowMs: number): Source {
    if (this.sources.size >= SOURCES_MAX) {
      const oldest = this.sources.keys().next();
      if (oldest.done !== true) this.sources.delete(oldest.value);
    }
    const source = { tokens: SOURCE_BURST, countedMs: nowMs };
    this.sources.set(address, source);
    return source;
  }
}

function fill(source: Source, nowMs: number, perSecond: number, burst: number): void {
  const elapsedMs = Math.max(0, nowMs - source.countedMs);
  source.countedMs = nowMs;
  source.tokens = Math.min(burst, source.tokens + (elapsedMs * perSecond) / 1_000);
}
