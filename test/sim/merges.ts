/**
 * Merges: what must come of two sides that become one, from what the oracle saw both write and where they forked.
 *
 * A path is changed on one side when the other is not made of its version. Changed on one: that value. Changed on both:
 * the later one, or the staying side's on a critical path, and a record of the conflict; no other path has one. Two
 * changes that one controller made in one term are no conflict: the later one.
 */
import type { State } from "../../src/state/state.js";
import { CONFLICTS_PREFIX } from "../../src/sync/merge.js";
import type { TermRecord, Version } from "./ledger.js";
import type { Machine } from "./machine.js";
import type { Oracle } from "./oracle.js";
import { IMPULSES } from "./show.js";

/**
 * Judges a machine that has just made `side` part of its term, by the change `at`. Answers the paths that both had changed.
 */
export function judgeMerge(
  oracle: Oracle,
  machine: Machine,
  record: TermRecord,
  { side, at }: { readonly side: Version; readonly at: number },
): string[] {
  const { state } = machine.hana?.core ?? {};
  if (state === undefined || record.isReused || side.term.isReused || side.term.boot === 0) return [];
  const prefix = recordPrefix(record);
  oracle.judged.add(prefix);
  const begun = { term: record, sequence: 0 };
  const conflicts: string[] = [];
  for (const { path, declaration } of oracle.shownPaths) {
    if ((IMPULSES as readonly string[]).includes(path)) continue;
    const [mine, theirs] = [record.base.get(path), side.term.versionAt(path, side.sequence)];
    if (oracle.isPoked(machine, path) || isBlurred(side, path, mine)) oracle.unsure.add(path);
    if (oracle.unsure.has(path)) continue;
    if (mine === undefined || theirs === undefined || isIncluded(theirs, begun)) continue;
    // Of a term that was opened twice nobody knows what was written where.
    if (mine.term.isReused || theirs.term.isReused) {
      oracle.unsure.add(path);
      continue;
    }
    // One controller wrote both, and only one of the sides has got the second.
    const isOneTerm = mine.term === theirs.term;
    const isConflict = !isOneTerm && !isIncluded(mine, side) && valueOf(mine) !== valueOf(theirs);
    if (isConflict) conflicts.push(path);
    const isNewer = isOneTerm && mine.sequence > theirs.sequence;
    const isKept = isNewer || (isConflict && (declaration.critical || timeOf(mine) > timeOf(theirs)));
    const isOpen = isConflict && !declaration.critical && timeOf(mine) === timeOf(theirs);
    if (!isOpen) judgeValue(oracle, machine, record, path, isKept ? mine : theirs);
  }
  // The list is full: the node says how many it could not put there.
  if ((machine.hana?.core.counters.conflictsUnlisted ?? 0) > 0) return conflicts;
  const listed = listedConflicts(state, prefix, oracle);
  // What waited on this node as it opened the term is written before the other side is looked at, what comes later after.
  const isCertain = (path: string): boolean => !record.wrote(path, at);
  const [has, wants] = [listed, conflicts].map((paths) => paths.filter(isCertain).sort().join(", ") || "nothing");
  if (has !== wants) oracle.fail(machine, `took in a side and lists ${has}; both had changed ${wants}`);
  return [...conflicts.filter(isCertain), ...listed.filter((path) => !isCertain(path))];
}

/** How the ids of its records of conflicts begin. */
export function recordPrefix({ number, node }: TermRecord): string {
  return `${number}-${node.slice(-6)}-`;
}

/** The version that it has is that one, or holds what that one held, or is a write that this term took since. */
function judgeValue(oracle: Oracle, machine: Machine, record: TermRecord, path: string, expected: Version): void {
  const version = oracle.versionOf(machine, path);
  if (version === undefined || valueOf(version) === valueOf(expected)) return;
  const isLater = version.term === record && timeOf(version) > timeOf(expected);
  if (isLater) return;
  oracle.fail(machine, `took in a side and has ${path} = ${valueOf(version)}, not ${valueOf(expected)}`);
}

/**
 * A node that lost its controller within a gap has more than it can be sure of, sides that its controller took in among
 * that: nobody can say which changes.
 */
function isBlurred(side: Version, path: string, mine: Version | undefined): boolean {
  const { term, sequence } = side;
  const whole = { term, sequence: Number.POSITIVE_INFINITY };
  if (term.versionAt(path, whole.sequence)?.sequence !== term.versionAt(path, sequence)?.sequence) return true;
  return mine !== undefined && isIncluded(mine, whole) && !isIncluded(mine, side);
}

/** What was there before any term is nobody's change. */
function isIncluded(version: Version, by: Version | undefined): boolean {
  return version.term.number === 0 || by?.term.includes(version, by.sequence) === true;
}

/** A path that was only declared holds its first value. */
function valueOf({ term, sequence }: Version): number {
  return term.at(sequence)?.value ?? 0;
}

function timeOf({ term, sequence }: Version): number {
  return term.at(sequence)?.timeUs ?? 0;
}

/** The paths of the records whose ids begin with `prefix`, of those of which something can be said. */
export function listedConflicts(state: State, prefix: string, oracle: Oracle): string[] {
  const listed: string[] = [];
  for (const id of state.ids()) {
    const record = state.pathOf(id);
    if (!record.startsWith(CONFLICTS_PREFIX + prefix) || !isJudged(record, oracle)) continue;
    const path = pathIn(String(state.valueOf(id)));
    if (path === "" || oracle.isSure(path)) listed.push(path);
  }
  return listed;
}

/** Of a side that was only within a gap ahead of what the other had, nobody says that it was taken in. */
function isJudged(record: string, { judged }: Oracle): boolean {
  const id = record.slice(CONFLICTS_PREFIX.length);
  return judged.has(id.slice(0, id.lastIndexOf("-") + 1));
}

/** "" for a text that is no record: then the list is not what it should be. */
function pathIn(text: string): string {
  try {
    return (JSON.parse(text) as { path: string }).path;
  } catch {
    return "";
  }
}
