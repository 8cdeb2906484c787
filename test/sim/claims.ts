/**
 * Claims: what a node itself says of what it holds: which changes it is made of, and which conflicts it has on record. The
 * ledger knows what is so; these are what a node can be held to.
 */
import type { HanaNode } from "../../src/node/node.js";
import type { LineageEntry } from "../../src/sync/lineage.js";
import { CONFLICTS_PREFIX, type ConflictSide } from "../../src/sync/merge.js";
import type { Legacy } from "./critical-watch.js";
import type { Ledger, MergedSide, Version } from "./ledger.js";
import type { Machine } from "./machine.js";
import type { View } from "./view.js";
import type { Write } from "./writes.js";

/** Whether a conflict of a path is on record that is no older than a write to it: then what that became is in it. */
export function isOnRecord({ hana }: Machine, write: Write): boolean {
  const sinceUs = madeUs(write);
  for (const side of sidesOnRecord(hana as HanaNode)) {
    if (side.path === write.path && side.timeUs >= sinceUs) return true;
  }
  return false;
}

/** When a write was made at the earliest: a mesh whose clocks were set back stamps it as older than it is. */
function madeUs({ atUs, commits }: Write): number {
  // The wire carries whole microseconds.
  return Math.min(atUs, ...commits.map(({ term, sequence }) => (term.at(sequence)?.timeUs ?? atUs) - 1));
}

/**
 * Whether a conflict's record on the writer's node holds a commit of its own, or a later one: what a node had got past a gap
 * is merged without a word of which changes that is made of, and where it lost only the record says so.
 */
export function isCommitOnRecord({ machine, path }: Write, { term, sequence }: Version): boolean {
  const committedUs = term.at(sequence)?.timeUs ?? Number.POSITIVE_INFINITY;
  for (const side of sidesOnRecord(machine.hana as HanaNode)) {
    // The wire carries whole microseconds.
    if (side.path === path && side.node === machine.id && side.timeUs > committedUs - 1) return true;
  }
  return false;
}

function* sidesOnRecord({ core: { state } }: HanaNode): Generator<ConflictSide> {
  for (const id of state.ids()) {
    // A record is declared before it says anything.
    if (!state.pathOf(id).startsWith(CONFLICTS_PREFIX) || state.texts[id] === "") continue;
    for (const side of sidesOf(state.texts[id] as string)) if (side !== null) yield side;
  }
}

/** Records stay for long and are looked at often. */
const parsed = new Map<string, readonly (ConflictSide | null)[]>();
const PARSED_MAX = 4_096;

function sidesOf(text: string): readonly (ConflictSide | null)[] {
  let sides = parsed.get(text);
  if (sides === undefined) {
    const { mine, theirs } = JSON.parse(text) as Record<"mine" | "theirs", ConflictSide | null>;
    sides = [mine, theirs];
    if (parsed.size >= PARSED_MAX) parsed.clear();
    parsed.set(text, sides);
  }
  return sides;
}

/** Whether a machine says that it is made of a change: within a turn, and within a gap, nobody else can tell. */
export function saysItHas({ hana }: Machine, change: Version): boolean {
  return isIn(hana?.core.lineage.entries() ?? [], change);
}

export function isIn(lineage: readonly LineageEntry[], { term, sequence }: Version): boolean {
  return lineage.some(
    ({ number, node, sequence: through }) => number === term.number && node === term.node && through >= sequence,
  );
}

/** Nothing of the node itself is kept. */
export function legacyOf({ hana }: Machine): Legacy {
  const lineage = hana?.core.lineage.entries() ?? [];
  const newestUs = new Map<string, number>();
  for (const { path, timeUs } of hana === undefined ? [] : sidesOnRecord(hana)) {
    newestUs.set(path, Math.max(timeUs, newestUs.get(path) ?? 0));
  }
  return {
    isMerged: (change) => isIn(lineage, change),
    isOnRecord: (write) => (newestUs.get(write.path) ?? 0) >= madeUs(write),
  };
}

/**
 * What the term that a node leaves had taken in, and the node knows so though it was not whole after that: a merge acts in
 * its turn, records and all, while the stream goes on. Upon a term that was opened twice it brings all that it is made
 * of, as it says itself: the two may come of different sides, and what the other one was made of is none of it.
 */
export function broughtBy({ hana, held }: View, ledger: Ledger): MergedSide[] {
  const { lineage, terms } = hana.core;
  const left = ledger.record(terms.at(lineage.present));
  const entries = lineage.entries();
  if (left.isReused || held?.term.isReused === true) {
    return entries.map((entry) => ({
      side: { term: ledger.record(entry), sequence: entry.sequence },
      ...{ at: 0, conflicts: [], by: left },
    }));
  }
  return left.mergedBeyond(held?.term === left ? held.sequence : 0, (side) => isIn(entries, side));
}
