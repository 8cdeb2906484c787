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
const NEVER = Number.POSITIVE_INFINITY;

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
  /** Who is slow. */
  private readonly slowNodes = new Set<string>();
  /** [0] when there may be something to do for `tick`: who is slow, or silent, changes after seconds. */
  private readonly registers = new Float64Array(1);

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** What a follower lost since its last report, or somewhat longer, in 1/1000. */
  report(node: string, permille: number): void {
    const { nowUs } = this.clock;
    const known = this.reports.get(node);
    if (known === undefined && this.reports.size >= PEERS_MAX) return;
    const report = known ?? this.open(node, permille);
    const beforeUs = report.saidUs;
    report.permille = permille;
    report.saidUs = nowUs;
    // It lost what it lost since it reported last.
    const isTooMuch = permille > SLOW_PERMILLE && permille > TIMES_MEDIAN * this.median;
    report.slowSinceUs = isTooMuch ? Math.min(report.slowSinceUs, beforeUs) : NEVER;
    report.wellSinceUs = permille < WELL_PERMILLE ? Math.min(report.wellSinceUs, nowUs) : NEVER;
    this.registers[0] = Math.min(this.registers[0] as number, dueUs(report));
  }

  private open(node: string, permille: number): Report {
    const report = { permille, saidUs: this.clock.nowUs, slowSinceUs: NEVER, wellSinceUs: NEVER, isSlow: false };
    this.reports.set(node, report);
    return report;
  }

  private get median(): number {
    return percentileOf([...this.reports.values()], 0.5);
  }

  tick(): void {
    const { nowUs } = this.clock;
    const { registers, slowNodes } = this;
    if (nowUs < (registers[0] as number)) return;
    registers[0] = NEVER;
    for (const [node, report] of this.reports) {
      const isSilent = nowUs - report.saidUs > SILENT_US;
      if (isSilent) this.reports.delete(node);
      if (nowUs - report.wellSinceUs >= FOR_US) report.isSlow = false;
      if (isSilent || !report.isSlow) slowNodes.delete(node);
    }
    for (const [node, report] of this.reports) {
      if (!report.isSlow && slowNodes.size < SLOW_MAX && nowUs - report.slowSinceUs >= FOR_US) {
        report.isSlow = true;
        slowNodes.add(node);
      }
      registers[0] = Math.min(registers[0], dueUs(report));
    }
  }

  isSlow(node: string): boolean {
    return this.slowNodes.has(node);
  }

  /** Who is. */
  slow(): ReadonlySet<string> {
    return this.slowNodes;
  }

  /** What this share of all others loses at most, in 1/1000. */
  percentile(share: number): number {
    const others = [...this.reports.values()].filter(({ isSlow }) => !isSlow);
    return percentileOf(others, share);
  }

  clear(): void {
    if (this.reports.size === 0) return;
    this.reports.clear();
    this.slowNodes.clear();
  }
}

/** When a report may mean something else than now, in microseconds. */
function dueUs({ saidUs, slowSinceUs, wellSinceUs, isSlow }: Report): number {
  return Math.min(saidUs + SILENT_US, (isSlow ? wellSinceUs : slowSinceUs) + FOR_US);
}

/** Rounded down to one of them: of two, one that loses is not the usual. */
function percentileOf(reports: readonly Report[], share: number): number {
  const losses = reports.map(({ permille }) => permille).sort((left, right) => left - right);
  return losses[Math.floor(share * (losses.length - 1))] ?? 0;
}
