/**
 * Ledger: what was really written. Every change that a controller made, by term and sequence, and where terms forked.
 *
 * It is told by watching the controllers; nodes are judged against it. A version supersedes a change when it lies at or
 * after it in the same term, or when the term began with a version that does.
 */
import type { Term } from "../../src/state/change.js";

export interface Entry {
  readonly path: string;
  readonly sequence: number;
  /** The number that its value holds; for an impulse its tag. */
  readonly value: number;
  readonly isImpulse: boolean;
  /** The controller's frames that may hold an impulse: first and last; 0 while it is not out. */
  firstFrame: number;
  lastFrame: number;
}

export interface Version {
  readonly term: TermRecord;
  readonly sequence: number;
}

export class TermRecord {
  readonly number: number;
  readonly node: string;
  /** Which boot of its node opened it; 0 while nobody has. */
  boot = 0;
  /** Opened twice: its node's disk lost what it had promised, and nobody told it of this term. */
  isReused = false;
  /** Versions of the paths that it began with. */
  base: ReadonlyMap<string, Version> = new Map();
  private readonly entries = new Map<number, Entry>();
  private readonly latest = new Map<string, number>();

  constructor(number: number, node: string) {
    this.number = number;
    this.node = node;
  }

  add(entry: Entry): Entry | undefined {
    const known = this.entries.get(entry.sequence);
    if (known !== undefined) return known;
    this.entries.set(entry.sequence, entry);
    this.latest.set(entry.path, entry.sequence);
    return undefined;
  }

  at(sequence: number): Entry | undefined {
    return this.entries.get(sequence);
  }
}

export class Ledger {
  private readonly terms = new Map<string, TermRecord>();
  /** Terms that were opened, and how many of them more than once. */
  opened = 0;
  reused = 0;

  forget(): void {
    this.terms.clear();
  }

  record(term: Term): TermRecord {
    const key = `${term.number}/${term.node}`;
    let record = this.terms.get(key);
    if (record === undefined) {
      record = new TermRecord(term.number, term.node);
      this.terms.set(key, record);
    }
    return record;
  }

  open(term: Term, boot: number, base: ReadonlyMap<string, Version>): TermRecord {
    const record = this.record(term);
    this.opened++;
    if (record.boot !== 0) {
      record.isReused = true;
      this.reused++;
    }
    record.boot = boot;
    record.base = base;
    return record;
  }

  /** Whether a path at `version` holds change `change` of that path, or one that came after it. */
  supersedes(path: string, version: Version, change: Version): boolean {
    const seen = new Set<TermRecord>();
    for (let at: Version | undefined = version; at !== undefined && !seen.has(at.term); ) {
      if (at.term === change.term) return at.sequence >= change.sequence;
      seen.add(at.term);
      at = at.term.base.get(path);
    }
    return false;
  }
}
