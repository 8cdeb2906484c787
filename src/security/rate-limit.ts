/**
 * Rate limit: a token bucket per source. A source above its rate is told no for what is too much, and never shut out:
 * the bucket fills again as time passes, however much was refused.
 *
 * Keys come from outside (addresses), so the table is bounded: the source silent longest gives way, and comes back
 * with a full bucket. Whoever can make up addresses can so evade the limit; the sockets' own bounds hold then.
 */
import { LRUCache } from "lru-cache";
import { assert } from "../base/assert.js";

export interface RateLimitOptions {
  /** How many a second, on and on. */
  readonly perSecond: number;
  /** How many at once after a rest. */
  readonly burst: number;
  /** Sources remembered. */
  readonly sources: number;
}

export class RateLimit {
  refused = 0;
  private readonly perUs: number;
  private readonly burst: number;
  private readonly slots: LRUCache<string, number>;
  private readonly tokens: Float64Array;
  private readonly filledUs: Float64Array;

  constructor(options: RateLimitOptions) {
    assert(options.perSecond > 0 && options.burst >= 1 && options.sources >= 1, "a rate limit lets something through");
    this.perUs = options.perSecond / 1_000_000;
    this.burst = options.burst;
    this.tokens = new Float64Array(options.sources);
    this.filledUs = new Float64Array(options.sources);
    this.slots = new LRUCache({ max: options.sources });
  }

  /** Takes `count` tokens from the bucket of `source`; false (and counted) when it holds fewer. */
  take(source: string, nowUs: number, count = 1): boolean {
    const slot = this.slots.get(source) ?? this.admit(source, nowUs);
    const { filledUs, tokens } = this;
    const passedUs = Math.max(0, nowUs - (filledUs[slot] as number));
    const held = Math.min(this.burst, (tokens[slot] as number) + passedUs * this.perUs);
    if (passedUs > 0) filledUs[slot] = nowUs;
    const granted = held >= count;
    tokens[slot] = granted ? held - count : held;
    if (!granted) this.refused += count;
    return granted;
  }

  get sourceCount(): number {
    return this.slots.size;
  }

  /** The slot of the source that gives way is the next one's; until the table is full, the next unused one. */
  private admit(source: string, nowUs: number): number {
    const { slots } = this;
    const slot = slots.size < slots.max ? slots.size : (slots.pop() as number);
    slots.set(source, slot);
    this.tokens[slot] = this.burst;
    this.filledUs[slot] = nowUs;
    return slot;
  }
}
