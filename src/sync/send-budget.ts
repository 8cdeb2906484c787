/**
 * SendBudget: how much may go out now. Token buckets for flushes, packets and bits, told the time.
 *
 * A flush goes out at once while tokens last, so a 1 kHz fader never waits; when they run out, flushes are spaced and
 * values conflate. It never delays a change by more than the refill takes, and never asks a receiver.
 */
import type { Clock } from "../base/clock.js";

export interface SendLimits {
  readonly flushesPerSecond: number;
  readonly flushBurst: number;
  readonly packetsPerSecond: number;
  readonly bitsPerSecond: number;
}

/** protocol.md, wired. */
export const WIRED_LIMITS: SendLimits = {
  flushesPerSecond: 4_000,
  flushBurst: 64,
  packetsPerSecond: 20_000,
  bitsPerSecond: 160_000_000,
};

/**
 * protocol.md, wireless: 60 flushes a second. Packets and bits are what multicast at 6 Mb/s, the lowest rate of most
 * access points, leaves room for.
 */
export const WIRELESS_LIMITS: SendLimits = {
  flushesPerSecond: 60,
  flushBurst: 4,
  packetsPerSecond: 400,
  bitsPerSecond: 3_000_000,
};
/** Against loss: the journal reaches back so many frames. */
export const WIRED_REDUNDANCY = 3;
export const WIRELESS_REDUNDANCY = 6;
/** However much is lost, flushes come this often. */
const FLUSHES_MIN = 60;

/** Packets and bits may burst to what this many seconds give. */
const BURST_SECONDS = 0.02;
const FLUSH = 0;
const PACKET = 1;
const BYTE = 2;
const LAST = 3;

export class SendBudget {
  private readonly clock: Clock;
  /** Tokens per microsecond, and the most there can be. */
  private readonly rates = new Float64Array(3);
  private readonly caps = new Float64Array(3);
  private readonly flushRate: number;
  private readonly tokens = new Float64Array(4);
  /** How often a flush had to wait. */
  waits = 0;

  constructor(clock: Clock, limits: SendLimits) {
    this.clock = clock;
    this.flushRate = limits.flushesPerSecond / 1e6;
    this.rates[FLUSH] = this.flushRate;
    this.rates[PACKET] = limits.packetsPerSecond / 1e6;
    this.rates[BYTE] = limits.bitsPerSecond / 8e6;
    this.caps[FLUSH] = limits.flushBurst;
    this.caps[PACKET] = Math.max(64, limits.packetsPerSecond * BURST_SECONDS);
    this.caps[BYTE] = Math.max(65_536, (limits.bitsPerSecond / 8) * BURST_SECONDS);
    this.tokens.set(this.caps);
    this.tokens[LAST] = -1;
  }

  /** How much of the flushes a second may be used, 0..1: less where much is lost. */
  set share(share: number) {
    this.rates[FLUSH] = Math.max(this.flushRate * share, Math.min(this.flushRate, FLUSHES_MIN / 1e6));
  }

  private refill(): void {
    const { tokens, rates, caps } = this;
    const now = this.clock.register[0] as number;
    const last = tokens[LAST] as number;
    tokens[LAST] = now;
    if (last < 0 || now <= last) return;
    for (let kind = FLUSH; kind <= BYTE; kind++) {
      const filled = (tokens[kind] as number) + (now - last) * (rates[kind] as number);
      tokens[kind] = filled > (caps[kind] as number) ? (caps[kind] as number) : filled;
    }
  }

  /** Takes the right to flush now. */
  takeFlush(): boolean {
    this.refill();
    if ((this.tokens[FLUSH] as number) >= 1 && this.hasPacket()) {
      this.tokens[FLUSH] = (this.tokens[FLUSH] as number) - 1;
      return true;
    }
    this.waits++;
    return false;
  }

  hasPacket(): boolean {
    return (this.tokens[PACKET] as number) >= 1 && (this.tokens[BYTE] as number) >= 0;
  }

  /** Accounts for a packet that was sent. */
  spend(bytes: number): void {
    this.tokens[PACKET] = (this.tokens[PACKET] as number) - 1;
    this.tokens[BYTE] = (this.tokens[BYTE] as number) - bytes;
  }

  /** Whether less than a quarter of the packets are in use: then frames may be half full, to leave room for journals. */
  get isQuiet(): boolean {
    return (this.tokens[PACKET] as number) > (this.caps[PACKET] as number) * 0.75;
  }
}
