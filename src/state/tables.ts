/**
 * Tables: terms and origins by a small index, so that a version or an origin is an integer in a typed array.
 *
 * Both only grow, up to a cap. Past the cap an origin is shown as its node alone, and at last as unknown. Terms that
 * others tell of are refused before the cap, so that one of this node's own past it is our own mistake: one change of
 * controller a second for 18 hours would be needed. Index 0 is "none".
 */
import { assert } from "../base/assert.js";
import type { Origin, Term } from "./change.js";

export const TERMS_MAX = 65_535;
export const ORIGINS_MAX = 4_096;
/** Room that is kept for this node's own terms. */
const OWN_TERMS = 1_024;

export class TermTable {
  private readonly terms: Term[] = [{ number: 0, node: "" }];
  private readonly indexes = new Map<string, number>();

  /** The index of a term that somebody tells of; -1 when there is no room for more of those. */
  hear(number: number, node: string): number {
    const isFull = this.terms.length > TERMS_MAX - OWN_TERMS;
    return isFull ? (this.indexes.get(`${number}/${node}`) ?? -1) : this.intern(number, node);
  }

  /** The index of a term, given on first use. */
  intern(number: number, node: string): number {
    const key = `${number}/${node}`;
    const known = this.indexes.get(key);
    if (known !== undefined) return known;
    assert(this.terms.length <= TERMS_MAX, "the term table is not full");
    this.terms.push({ number, node });
    this.indexes.set(key, this.terms.length - 1);
    return this.terms.length - 1;
  }

  at(index: number): Term {
    return this.terms[index] ?? (this.terms[0] as Term);
  }

  /** All of them, by index. */
  list(): Term[] {
    return [...this.terms];
  }

  get size(): number {
    return this.terms.length;
  }
}

export class OriginTable {
  private readonly origins: Origin[] = [{ node: "", surface: "" }];
  private readonly indexes = new Map<string, number>();

  /** The index of an origin, given on first use; past the cap that of its node, else 0. */
  intern(node: string, surface: string): number {
    const key = `${node} ${surface}`;
    const known = this.indexes.get(key);
    if (known !== undefined) return known;
    if (this.origins.length >= ORIGINS_MAX) return this.indexes.get(`${node} `) ?? 0;
    this.origins.push({ node, surface });
    this.indexes.set(key, this.origins.length - 1);
    return this.origins.length - 1;
  }

  at(index: number): Origin {
    return this.origins[index] ?? (this.origins[0] as Origin);
  }

  /** All of them, by index. */
  list(): Origin[] {
    return [...this.origins];
  }

  get size(): number {
    return this.origins.length;
  }
}
