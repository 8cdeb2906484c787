/**
 * Lineage: which changes what a node holds is made of. For each term in its history, up to which sequence that term's
 * changes are in it. Two nodes tell by it whether one has all that the other has, or whether they are two sides.
 *
 * Opening a term seals the one before where it forked; following a child directly does the same; a snapshot brings the
 * lineage of whoever made it; a merge takes in the other side's. It never claims more than is there: while something of
 * the present term is missing, that term counts only up to where nothing was. Changes from before any term (index 0)
 * are in nobody's lineage: every node begins with its own. Bounded: the oldest terms are forgotten first.
 */
import type { TermTable } from "../state/tables.js";

export const LINEAGE_MAX = 4_096;
/** A change of controller costs one; each is at most 31 bytes of a snapshot. */
export const FORKS_KEPT = 256;

/** Of a term, everything up to a sequence. Terms by number and node, so that it means the same on every node. */
export interface LineageEntry {
  readonly number: number;
  readonly node: string;
  readonly sequence: number;
}

export class Lineage {
  private readonly terms: TermTable;
  /** Term index → sequence, oldest first; without the present one. */
  private readonly sealed = new Map<number, number>();
  /** [0] up to where the present term is here without a gap. */
  private readonly whole = new Float64Array(1);
  /** The index of the term whose changes this node holds and goes on to take; 0 before the first. */
  present = 0;

  constructor(terms: TermTable) {
    this.terms = terms;
  }

  /** Nothing up to this change of the present term is missing. */
  note(sequence: number): void {
    if (sequence > (this.whole[0] as number)) this.whole[0] = sequence;
  }

  /** A term begins with what is here: the one before is sealed where it stands. */
  follow(term: number): void {
    if (term === this.present) return;
    const { present } = this;
    this.present = term;
    if (present !== 0) this.seal(present, this.whole[0] as number);
  }

  /** Takes in another's changes: those of a term up to a sequence. */
  include(term: number, sequence: number): void {
    if (term === 0) return;
    if (term === this.present) this.note(sequence);
    else this.seal(term, sequence);
  }

  private seal(term: number, sequence: number): void {
    const before = this.sealed.get(term) ?? 0;
    this.sealed.delete(term);
    this.sealed.set(term, Math.max(before, sequence));
    if (this.sealed.size >= LINEAGE_MAX) this.sealed.delete(this.sealed.keys().next().value as number);
  }

  /** Up to which sequence a term is included; -1 when nothing of it is. */
  through(term: number): number {
    const sealed = this.sealed.get(term) ?? -1;
    return term === this.present ? Math.max(sealed, this.whole[0] as number) : sealed;
  }

  /** Whether change `sequence` of a term is in what this node holds. */
  includes(term: number, sequence: number): boolean {
    return this.through(term) >= sequence;
  }

  /** A snapshot took the place of everything: its lineage is this node's, and `term` goes on from `sequence`. */
  replace(entries: readonly LineageEntry[], term: number, sequence: number): void {
    this.sealed.clear();
    this.present = term;
    this.whole[0] = sequence;
    for (const entry of entries) {
      const index = this.terms.hear(entry.number, entry.node);
      if (index > 0 && index !== term) this.seal(index, entry.sequence);
    }
  }

  /**
   * Forgets the terms that nothing refers to any more. Only once every node that is known has all of them; who started
   * lately knows few, and would take what it forgot for another side's work: so the newest stay in any case.
   */
  forget(isUsed: (term: number) => boolean): void {
    let spare = this.sealed.size - FORKS_KEPT;
    for (const term of [...this.sealed.keys()]) {
      if (spare <= 0) return;
      if (term === this.present || isUsed(term)) continue;
      this.sealed.delete(term);
      spare--;
    }
  }

  /** All of it, oldest first, the present term last: what a snapshot says beside its own term and sequence. */
  entries(): LineageEntry[] {
    const { present } = this;
    const entries = [...this.sealed].filter(([term]) => term !== present).map(([term, at]) => this.entry(term, at));
    return present === 0 ? entries : [...entries, this.entry(present, this.through(present))];
  }

  private entry(term: number, sequence: number): LineageEntry {
    const { number, node } = this.terms.at(term);
    return { number, node, sequence };
  }
}
