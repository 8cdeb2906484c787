/**
 * Samples: latencies as they were seen, and what can be said of them.
 *
 * A message that never came is a latency without end: it counts, or losing the slow ones would look fast.
 */

/** Longer than any run may hold a message; what lies beyond is no sample but a leftover of an earlier run. */
const LEFTOVER_US = 10_000_000;

/** Preallocated, so that recording leaves no garbage in the process that is measured. */
export class SampleLog {
  private readonly latenciesUs: Float64Array;
  private count = 0;

  constructor(capacity: number) {
    this.latenciesUs = new Float64Array(capacity);
  }

  add(latencyUs: number): void {
    if (latencyUs > LEFTOVER_US || this.count === this.latenciesUs.length) return;
    this.latenciesUs[this.count++] = latencyUs;
  }

  /** What was recorded since the last call. */
  take(): Float64Array {
    const taken = this.latenciesUs.slice(0, this.count);
    this.count = 0;
    return taken;
  }
}

/** Sorted latencies with those that never came at the end. */
export class Distribution {
  readonly sortedUs: Float64Array;
  readonly missing: number;

  constructor(latenciesUs: Float64Array, expected: number) {
    this.missing = Math.max(0, expected - latenciesUs.length);
    this.sortedUs = new Float64Array(latenciesUs.length + this.missing).fill(Number.POSITIVE_INFINITY);
    this.sortedUs.set(latenciesUs);
    this.sortedUs.sort();
  }

  static pooled(parts: readonly Distribution[]): Distribution {
    const whole = Float64Array.from(parts.flatMap((part) => Array.from(part.sortedUs)));
    return new Distribution(whole, whole.length);
  }

  /** The latency that a share of all messages did not exceed; `share` is 0..1. Nearest rank. */
  at(share: number): number {
    const rank = Math.ceil(share * this.sortedUs.length) - 1;
    return this.sortedUs[Math.max(0, rank)] ?? Number.NaN;
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
