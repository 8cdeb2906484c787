/**
 * Samples: latencies as they were seen, and what can be said of them.
 *
 * What counts is how long a receiver held something older than what was sent: a value that was conflated away has
 * arrived when a newer one has, and one that nothing ever followed has a latency without end. Otherwise losing the
 * slow ones would look fast.
 */

/** Times in microseconds of the monotonic clock, kept without garbage in the process that is measured. */
export class TimeLog {
  private readonly times: Float64Array;
  private count = 0;

  constructor(capacity: number) {
    this.times = new Float64Array(capacity);
  }

  add(timeUs: number): void {
    if (this.count < this.times.length) this.times[this.count++] = timeUs;
  }

  /** What was noted since the last call. */
  take(): Float64Array {
    const taken = this.times.slice(0, this.count);
    this.count = 0;
    return taken;
  }
}

/** What arrived: by when it was sent, and when it came; equally long. */
export interface Arrivals {
  readonly sentUs: Float64Array;
  readonly cameUs: Float64Array;
}

/** Sorted latencies. */
export class Distribution {
  readonly sortedUs: Float64Array;
  /** Messages that did not come themselves; a newer one stands for them. */
  readonly superseded: number;

  constructor(latenciesUs: Float64Array, superseded = 0) {
    this.sortedUs = latenciesUs.slice().sort();
    this.superseded = superseded;
  }

  /** For each message that was sent, the time until it or a newer one came. Both in the order of sending. */
  static of(sentUs: Float64Array, { sentUs: arrivedUs, cameUs }: Arrivals): Distribution {
    const latencies = new Float64Array(sentUs.length);
    let superseded = 0;
    let from = arrivedUs.length - 1;
    let earliest = Number.POSITIVE_INFINITY;
    for (let index = sentUs.length - 1; index >= 0; index--) {
      const sent = sentUs[index] as number;
      let isHere = false;
      for (; from >= 0 && (arrivedUs[from] as number) >= sent; from--) {
        earliest = Math.min(earliest, cameUs[from] as number);
        isHere ||= arrivedUs[from] === sent;
      }
      latencies[index] = earliest - sent;
      if (!isHere) superseded++;
    }
    return new Distribution(latencies, superseded);
  }

  static pooled(parts: readonly Distribution[]): Distribution {
    return new Distribution(Float64Array.from(parts.flatMap(({ sortedUs }) => Array.from(sortedUs))));
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
