/**
 * Promises: the highest term number that this node knows, and to whom it granted which. On disk before they are used.
 *
 * A node that forgot them could open a term number a second time, or vote twice in one. So nothing is answered and no
 * term is opened before the disk said that the record is there. It is told the time; it writes nothing itself.
 */
import type { Clock } from "../base/clock.js";

/** What is kept on disk. */
export interface TermRecord {
  /** The highest term number heard of or granted. */
  readonly known: number;
  /** The highest term number granted, and to which node; 0 and "" for none. */
  readonly granted: number;
  readonly grantee: string;
}

/** Called once the promise is on disk; `isSafe` is false when the disk failed. */
export type PromiseKept = (isSafe: boolean) => void;

interface Waiter {
  readonly revision: number;
  readonly done: PromiseKept;
}

export const NO_TERM_RECORD: TermRecord = { known: 0, granted: 0, grantee: "" };

/** Term numbers have 32 bits; a number gone wild must leave room above it. */
const KNOWN_MAX = 0xf000_0000;

export class Promises {
  private readonly clock: Clock;
  private readonly save: (record: TermRecord, revision: number) => void;
  private record: TermRecord;
  private revision = 0;
  private waiters: Waiter[] = [];
  /** [0] when the present grant was given or repeated. */
  private readonly registers = new Float64Array([Number.NEGATIVE_INFINITY]);

  /** `save` is answered by `saved` or `failed`, for the revision that it was given or a later one. */
  constructor(clock: Clock, record: TermRecord | undefined, save: (record: TermRecord, revision: number) => void) {
    this.clock = clock;
    this.save = save;
    this.record = record ?? NO_TERM_RECORD;
  }

  /** The highest term number that must not be opened again. */
  get known(): number {
    return Math.max(this.record.known, this.record.granted);
  }

  get granted(): number {
    return this.record.granted;
  }

  get grantee(): string {
    return this.record.grantee;
  }

  /** How long ago this node granted a term to somebody, in this boot. */
  get sinceGrantUs(): number {
    return this.clock.nowUs - (this.registers[0] as number);
  }

  /** A term number was heard of. */
  hear(number: number): void {
    if (number <= this.known || number > KNOWN_MAX) return;
    this.put({ ...this.record, known: number });
  }

  /** Whether a number could be granted to this node: nobody else has it, and nothing above it is known. */
  canGrant(number: number, node: string): boolean {
    if (number > KNOWN_MAX) return false;
    return number > this.known || (number === this.record.granted && node === this.record.grantee);
  }

  /** Grants a term that `canGrant` allows. `done` is called when that is on disk: at once if it is there already. */
  grant(number: number, node: string, done: PromiseKept): void {
    this.registers[0] = this.clock.nowUs;
    if (number === this.record.granted && node === this.record.grantee) {
      if (this.waiters.length > 0) this.waiters.push({ revision: this.revision, done });
      else done(true);
      return;
    }
    this.waiters.push({ revision: this.revision + 1, done });
    this.put({ known: Math.max(this.record.known, number), granted: number, grantee: node });
  }

  /** This node does not want what it granted to itself any more: it may promise the next number to another. */
  release(): void {
    this.registers[0] = Number.NEGATIVE_INFINITY;
  }

  private put(record: TermRecord): void {
    this.record = record;
    this.revision++;
    this.save(record, this.revision);
  }

  saved(revision: number): void {
    this.settle(revision, true);
  }

  failed(revision: number): void {
    this.settle(revision, false);
  }

  private settle(revision: number, isSafe: boolean): void {
    const ready = this.waiters.filter((waiter) => waiter.revision <= revision);
    this.waiters = this.waiters.filter((waiter) => waiter.revision > revision);
    for (const { done } of ready) done(isSafe);
  }
}
