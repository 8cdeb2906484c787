/**
 * SlowPeers: which followers lose so much more than the others that the stream is not for them. Told the time and what
 * they report; pure.
 *
 * protocol.md: more than 10 % and more than three times the median for five seconds, at most eight at once. Where many
 * lose, the median says so, and nobody is singled out: then the stream itself is made to suit them (`percentile`).
 */
import type { Clock } from "../base/clock.js";

const SLOW_PERMILLE = 100;
const TIMES_MEDIAN = 3;
const FOR_US = 5_000_000;
/** Below this for as long it is well again. */
const WELL_PERMILLE = 50;
export const SLOW_MAX = 8;
/** Who has not reported for this long says nothing about the network. */
const SILENT_US = 3_000_000;
const PEERS_MAX = 256;

interface Report {
  permille: number;
  saidUs: number;
  /** Since when it loses too much, and since when it no longer does. */
  slowSinceUs: number;
  wellSinceUs: number;
  isSlow: boolean;
}

export class SlowPeers {
  private readonly clock: Clock;
  private readonly reports = new Map<string, Report>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** What a follower lost since its last report, or somewhat longer, in 1/1000. */
  report(node: string, permille: number): void {
    const { nowUs } = this.clock;
    const known = this.reports.get(node);
    if (known === undefined && this.reports.size >= PEERS_MAX) return;
    const never = Number.POSITIVE_INFINITY;
    const report = known ?? { permille, saidUs: nowUs, slowSinceUs: never, wellSinceUs: never, isSlow: false };
    const beforeUs = report.saidUs;
    report.permille = permille;
    report.saidUs = nowUs;
    this.reports.set(node, report);
    // It lost what it lost since it reported last.
    const isTooMuch = permille > SLOW_PERMILLE && permille > TIMES_MEDIAN * this.median;
    report.slowSinceUs = isTooMuch ? Math.min(report.slowSinceUs, beforeUs) : never;
    report.wellSinceUs = permille < WELL_PERMILLE ? Math.min(report.wellSinceUs, nowUs) : never;
  }

  private get median(): number {
    return percentileOf([...this.reports.values()], 0.5);
  }

  tick(): void {
    const { nowUs } = this.clock;
    let count = 0;
    for (const [node, report] of this.reports) {
      if (nowUs - report.saidUs > SILENT_US) this.reports.delete(node);
      else if (report.isSlow && nowUs - report.wellSinceUs >= FOR_US) report.isSlow = false;
      if (report.isSlow) count++;
    }
    for (const report of this.reports.values()) {
      if (count >= SLOW_MAX) return;
      if (report.isSlow || nowUs - report.slowSinceUs < FOR_US) continue;
      report.isSlow = true;
      count++;
    }
  }

  isSlow(node: string): boolean {
    return this.reports.get(node)?.isSlow === true;
  }

  /** Who is, and what each loses in 1/1000. */
  slow(): [node: string, permille: number][] {
    const slow: [string, number][] = [];
    for (const [node, { isSlow, permille }] of this.reports) if (isSlow) slow.push([node, permille]);
    return slow;
  }

  /** What this share of all others loses at most, in 1/1000. */
  percentile(share: number): number {
    const others = [...this.reports.values()].filter(({ isSlow }) => !isSlow);
    return percentileOf(others, share);
  }

  clear(): void {
    this.reports.clear();
  }
}

/** Rounded down to one of them: of two, one that loses is not the usual. */
function percentileOf(reports: readonly Report[], share: number): number {
  const losses = reports.map(({ permille }) => permille).sort((left, right) => left - right);
  return losses[Math.floor(share * (losses.length - 1))] ?? 0;
}
