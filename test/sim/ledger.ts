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
  /** When it was made, in hybrid time. */
  readonly timeUs: number;
  readonly isImpulse: boolean;
  /** The controller's frames that may hold an impulse: first and last; 0 while it is not out. */
  firstFrame: number;
  lastFrame: number;
}

export interface Version {
  readonly term: TermRecord;
  readonly sequence: number;
}

/** Another side, up to a sequence of its term, became part of a term. */
export interface MergedSide {
  readonly side: Version;
  /** The change of this term from which on it is. */
  readonly at: number;
  /** Paths that both sides had changed. */
  readonly conflicts: readonly string[];
}

/** Rises whenever a term is opened or takes in a side: what was made of which is asked anew then. */
interface Revision {
  number: number;
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
  /** What it was opened upon: up to where its node held which term. */
  parent: Version | undefined;
  /** The same when it had been opened before: lineages know the two of them for one. */
  readonly earlierParents: Version[] = [];
  private readonly merged: MergedSide[] = [];
  private readonly revision: Revision;
  /** By how many sides it had taken in: up to where each other term was part of it. Of the last revision. */
  private readonly ancestors = new Map<number, Map<TermRecord, number>>();
  private ancestorsOf = 0;
  private readonly entries = new Map<number, Entry>();
  /** Sequences by path, rising. */
  private readonly byPath = new Map<string, number[]>();

  constructor(number: number, node: string, revision: Revision) {
    this.number = number;
    this.node = node;
    this.revision = revision;
  }

  merge(side: MergedSide): void {
    this.merged.push(side);
    this.revision.number++;
  }

  add(entry: Entry): Entry | undefined {
    const known = this.entries.get(entry.sequence);
    if (known !== undefined) return known;
    this.entries.set(entry.sequence, entry);
    const sequences = this.byPath.get(entry.path);
    if (sequences === undefined) this.byPath.set(entry.path, [entry.sequence]);
    else sequences.push(entry.sequence);
    return undefined;
  }

  /** What a path had when this term stood at `sequence`. */
  versionAt(path: string, sequence: number): Version | undefined {
    const last = this.byPath.get(path)?.findLast((candidate) => candidate <= sequence);
    return last === undefined ? this.base.get(path) : { term: this, sequence: last };
  }

  /** All that became part of it up to a change of it, its parents' included. */
  *mergedThrough(sequence: number, seen = new Set<TermRecord>()): Generator<MergedSide> {
    if (seen.has(this)) return;
    seen.add(this);
    for (const merged of this.merged) {
      if (merged.at > sequence) continue;
      yield merged;
      yield* merged.side.term.mergedThrough(merged.side.sequence, seen);
    }
    for (const { term, sequence } of this.parents) yield* term.mergedThrough(sequence, seen);
  }

  private get parents(): Version[] {
    return this.parent === undefined ? this.earlierParents : [...this.earlierParents, this.parent];
  }

  /** Whether a change is part of what this term was at `sequence`: as what it was opened upon, or merged. */
  includes(change: Version, sequence: number): boolean {
    if (change.term === this) return change.sequence <= sequence;
    return (this.ancestorsAt(sequence).get(change.term) ?? -1) >= change.sequence;
  }

  private ancestorsAt(sequence: number): ReadonlyMap<TermRecord, number> {
    const { ancestors } = this;
    if (this.ancestorsOf !== this.revision.number) ancestors.clear();
    this.ancestorsOf = this.revision.number;
    const sides = this.merged.filter(({ at }) => at <= sequence);
    const known = ancestors.get(sides.length);
    if (known !== undefined) return known;
    const found = new Map<TermRecord, number>();
    // Before it is filled: terms that were opened twice may lie before each other.
    ancestors.set(sides.length, found);
    const take = (term: TermRecord, through: number): void => {
      found.set(term, Math.max(through, found.get(term) ?? -1));
    };
    for (const version of [...sides.map(({ side }) => side), ...this.parents]) {
      take(version.term, version.sequence);
      if (version.term === this) continue;
      for (const [term, through] of version.term.ancestorsAt(version.sequence)) take(term, through);
    }
    return found;
  }

  at(sequence: number): Entry | undefined {
    return this.entries.get(sequence);
  }
}

export class Ledger {
  private readonly terms = new Map<string, TermRecord>();
  private readonly revision: Revision = { number: 1 };
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
      record = new TermRecord(term.number, term.node, this.revision);
      this.terms.set(key, record);
    }
    return record;
  }

  open(term: Term, boot: number, base: ReadonlyMap<string, Version>, parent: Version | undefined): TermRecord {
    const record = this.record(term);
    this.opened++;
    if (record.boot !== 0) {
      record.isReused = true;
      this.reused++;
      if (record.parent !== undefined) record.earlierParents.push(record.parent);
    }
    record.boot = boot;
    record.base = base;
    record.parent = parent;
    this.revision.number++;
    return record;
  }

  /** Whether another term was opened upon a change, or took it in. */
  isMerged(change: Version): boolean {
    for (const record of this.terms.values()) {
      if (record !== change.term && record.includes(change, Number.POSITIVE_INFINITY)) return true;
    }
    return false;
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
