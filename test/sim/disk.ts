/**
 * Disk: what one virtual computer keeps over a crash. One small file, replaced in one step, late or not at all.
 *
 * A crash while it is written leaves the old contents or the new ones. In trouble it is slow, fails, or has lost the
 * file when the node starts again.
 */
import type { Random } from "../../src/base/random.js";
import { NO_TERM_RECORD, type TermRecord } from "../../src/sync/promises.js";

export const DiskTrouble = { none: "none", slow: "slow", failing: "failing", losing: "losing" } as const;
export type DiskTrouble = (typeof DiskTrouble)[keyof typeof DiskTrouble];

/** protocol.md: fdatasync p50 0.2 ms, p99 2.6 ms; a slow disk takes a second. */
const WELL_US = 2_600;
const SLOW_US = 1_000_000;

export class Disk {
  trouble: DiskTrouble = DiskTrouble.none;
  /** Whether it ever lost what it was given, or could not take it: then a term number may come twice. */
  hasFailed = false;
  private readonly random: Random;
  private kept: TermRecord | undefined = NO_TERM_RECORD;
  private writing: TermRecord | undefined;
  /** In which order writes were begun: `edge/term-file.ts` puts no older one over a newer, however slow the disk is. */
  private readonly order = new WeakMap<TermRecord, number>();
  private begun = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** What another disk holds now is here too. */
  copy(from: Disk): void {
    this.kept = from.kept;
  }

  /** Begins to write; answers how long that takes. */
  begin(record: TermRecord): number {
    this.writing = record;
    this.order.set(record, ++this.begun);
    const most = this.trouble === DiskTrouble.slow ? SLOW_US : WELL_US;
    return 200 + Math.floor(this.random.next() * most);
  }

  /** Ends a write; false when it failed. */
  end(record: TermRecord): boolean {
    if (this.trouble === DiskTrouble.failing) {
      this.hasFailed = true;
      return false;
    }
    if (this.writing === record) this.writing = undefined;
    if (this.orderOf(record) > this.orderOf(this.kept)) this.kept = record;
    return true;
  }

  private orderOf(record: TermRecord | undefined): number {
    return record === undefined ? 0 : (this.order.get(record) ?? 0);
  }

  /** The node is gone in the middle of whatever it was doing. */
  crash(): void {
    const isWritten = this.writing !== undefined && this.trouble !== DiskTrouble.failing && this.random.next() < 0.5;
    if (isWritten) this.kept = this.writing;
    this.writing = undefined;
  }

  /** What a node that starts finds. */
  read(): TermRecord | undefined {
    if (this.trouble === DiskTrouble.losing) {
      this.kept = undefined;
      this.hasFailed = true;
    }
    return this.kept;
  }
}
