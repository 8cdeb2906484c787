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
  /** Paths that both sides had changed, and the term in which they went on record. */
  readonly conflicts: readonly string[];
  readonly by: TermRecord;
}

/** What a term is made of beside its own changes: what it was opened upon, and what it took in. */
interface Part extends MergedSide {
  /** Which time it was that this term was opened: above 1 only where it is reused. */
  readonly opening: number;
  /**
   * That term had been opened twice by then. Which of the two was meant this one's node alone knows, and has named all
   * that it is made of: that term is not asked what it is made of itself.
   */
  readonly isEither: boolean;
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
  private openings = 0;
  private readonly parts: Part[] = [];
  private readonly revision: Revision;
  /** By how many parts it had: up to where each other term was part of it. Of the last revision. */
  private readonly ancestors = new Map<number, Map<TermRecord, number>>();
  private ancestorsOf = 0;
  private readonly entries = new Map<number, Entry>();
  /** Sequences by path, rising. */
  private readonly byPath = new Map<string, number[]>();
  /** Changes of this term that are writes which another term had, by path. */
  private readonly takenByPath = new Map<string, { readonly sequence: number; readonly from: Version }[]>();

  constructor(number: number, node: string, revision: Revision) {
    this.number = number;
    this.node = node;
    this.revision = revision;
  }

  /** Sides that it took in beyond a change of it, of those that `has` names. */
  mergedBeyond(sequence: number, has: (side: Version) => boolean): MergedSide[] {
    return this.parts.filter(({ at, side }) => at > sequence && has(side));
  }

  /** `parent`: up to where its node held which term. */
  open(boot: number, base: ReadonlyMap<string, Version>, parent: Version | undefined): void {
    this.openings++;
    this.isReused = this.openings > 1;
    this.boot = boot;
    this.base = base;
    this.parent = parent;
    if (parent !== undefined) this.merge({ side: parent, at: 0, conflicts: [], by: this });
    this.revision.number++;
  }

  merge(side: MergedSide): void {
    this.parts.push({ ...side, opening: this.openings, isEither: side.side.term.isReused });
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

  /** Change `sequence` of this term puts the write there again that was change `from` of another one. */
  take(path: string, sequence: number, from: Version): void {
    const taken = this.takenByPath.get(path);
    if (taken === undefined) this.takenByPath.set(path, [{ sequence, from }]);
    else taken.push({ sequence, from });
  }

  /** The changes of other terms that it put there again after one change of it and up to another. */
  *takenBetween(path: string, before: number, through: number): Generator<Version> {
    for (const { sequence, from } of this.takenByPath.get(path) ?? []) {
      if (sequence > before && sequence <= through) yield from;
    }
  }

  /** Whether it changed a path before `sequence` by more than putting there what another term had. */
  wrote(path: string, sequence: number): boolean {
    const taken = this.takenByPath.get(path) ?? [];
    const isOwn = (change: number): boolean => change < sequence && !taken.some((one) => one.sequence === change);
    return this.byPath.get(path)?.some(isOwn) === true;
  }

  /** What a path had when this term stood at `sequence`. */
  versionAt(path: string, sequence: number): Version | undefined {
    const last = this.byPath.get(path)?.findLast((candidate) => candidate <= sequence);
    return last === undefined ? this.base.get(path) : { term: this, sequence: last };
  }

  /** All that became part of it up to a change of it, and of what that is made of; each once. */
  *mergedThrough(sequence: number, seen = new Map<TermRecord, number>()): Generator<MergedSide> {
    const before = seen.get(this) ?? -1;
    if (before >= sequence) return;
    seen.set(this, sequence);
    for (const part of this.partsThrough(sequence, false)) {
      if (part.at <= before) continue;
      yield part;
      if (!part.isEither) yield* part.side.term.mergedThrough(part.side.sequence, seen);
    }
  }

  /** `isAny`: also those of its later openings. */
  private partsThrough(sequence: number, isAny: boolean): Part[] {
    return this.parts.filter(({ at, opening }) => at <= sequence && (isAny || opening <= 1));
  }

  /**
   * Whether a change is part of what this term was at `sequence`: as what it was opened upon, or merged. Of a term that
   * was opened twice: of either, because lineages know the two of them for one.
   */
  includes(change: Version, sequence: number): boolean {
    if (change.term === this) return change.sequence <= sequence;
    return (this.ancestorsAt(sequence, true).get(change.term) ?? -1) >= change.sequence;
  }

  private ancestorsAt(sequence: number, isAny: boolean): ReadonlyMap<TermRecord, number> {
    const { ancestors } = this;
    if (this.ancestorsOf !== this.revision.number) ancestors.clear();
    this.ancestorsOf = this.revision.number;
    const parts = this.partsThrough(sequence, isAny);
    const key = this.isReused && isAny ? -parts.length : parts.length;
    const known = ancestors.get(key);
    if (known !== undefined) return known;
    const found = new Map<TermRecord, number>();
    // Before it is filled: terms that were opened twice may lie before each other.
    ancestors.set(key, found);
    const take = (term: TermRecord, through: number): void => {
      found.set(term, Math.max(through, found.get(term) ?? -1));
    };
    for (const { side, isEither } of parts) {
      take(side.term, side.sequence);
      if (isEither || side.term === this) continue;
      for (const [term, through] of side.term.ancestorsAt(side.sequence, false)) take(term, through);
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
    record.open(boot, base, parent);
    if (record.isReused) this.reused++;
    return record;
  }

  /** Whether another term was opened upon a change, or took it in. */
  isMerged(change: Version): boolean {
    for (const record of this.terms.values()) {
      if (record !== change.term && record.includes(change, Number.POSITIVE_INFINITY)) return true;
    }
    return false;
  }

  /**
   * Whether a path at `version` holds change `change` of that path, or one that came after it. Where a write that came after
   * it was put there again, in another term, that counts too: what a node got past a gap is taken in without a word of
   * which changes it is made of.
   */
  supersedes(path: string, version: Version, change: Version): boolean {
    return this.reach(path, version)(change);
  }

  /** Answers the same for many changes at the cost of one: a long run asks a thousand times of one version. */
  reach(path: string, version: Version): (change: Version) => boolean {
    let walked: ReadonlyMap<TermRecord, number> | undefined;
    return (change) => {
      // The plain case is asked for often.
      if (isInChain(path, version, change)) return true;
      walked ??= walk(path, version);
      return (walked.get(change.term) ?? -1) >= change.sequence;
    };
  }
}

/** Up to where a path at `version` holds which term. */
function walk(path: string, version: Version): ReadonlyMap<TermRecord, number> {
  const walked = new Map<TermRecord, number>();
  const open = [version];
  for (const from of open) {
    for (const { term, sequence } of chainOf(path, from)) {
      // What lies before was looked at then, too.
      const before = walked.get(term) ?? -1;
      if (before >= sequence) break;
      walked.set(term, sequence);
      open.push(...term.takenBetween(path, before, sequence));
    }
  }
  return walked;
}

function isInChain(path: string, version: Version, change: Version): boolean {
  const seen = new Set<TermRecord>();
  for (let at: Version | undefined = version; at !== undefined && !seen.has(at.term); at = at.term.base.get(path)) {
    if (at.term === change.term) return at.sequence >= change.sequence;
    seen.add(at.term);
  }
  return false;
}

/** A version, what its term began with, and so on. */
function* chainOf(path: string, version: Version): Generator<Version> {
  const seen = new Set<TermRecord>();
  for (let at: Version | undefined = version; at !== undefined && !seen.has(at.term); at = at.term.base.get(path)) {
    seen.add(at.term);
    yield at;
  }
}

/**
 * A version, and what its term was opened upon where it is no more than that. Who opens a term upon one whose beginning it
 * had, and nothing more without a gap, was last seen whole in the term before.
 */
export function beginnings(version: Version): Version[] {
  const found = [version];
  for (let { parent } = version.term; parent?.sequence === version.sequence; { parent } = parent.term) {
    // Of a term that was opened twice nobody knows upon what.
    if (parent.term.isReused || found.some(({ term }) => term === parent?.term)) break;
    found.push(parent);
  }
  return found;
}
