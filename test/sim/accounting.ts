/**
 * Accounting: what the mesh ended with, set against what was confirmed. Whatever is not there must have a reason: a takeover
 * that did not have it, or a conflict on record.
 */
import { writerKey, Outcome, isAlive, type Write } from "./writes.js";
import type { Machine } from "./machine.js";
import type { Oracle } from "./oracle.js";
import { LEVEL } from "./show.js";

/** Every confirmed write is in what the mesh ended with, or a takeover that did not have it explains why not. */
export function account(oracle: Oracle, controller: Machine): void {
  const lost = oracle.critical.lostAt(controller, (path) => oracle.pokes.isSpread(path));
  if (lost !== undefined) {
    oracle.fail(controller, `lost write ${lost.number} of ${lost.path}, acknowledged as replicated`);
  }
  // From the last one on: what is so of a later write of the same writer there is so of those before it.
  const kept = new Map<string, Kept>();
  for (const write of oracle.writes.fromNewest()) {
    if (write.path === LEVEL) continue;
    const key = writerKey(write);
    const now = keptOf(oracle, write, controller, kept.get(key));
    kept.set(key, now);
    if (write.outcome === Outcome.confirmed) accountFor(oracle, write, controller, now);
    if (write.outcome === Outcome.pending && isAlive(write)) {
      oracle.fail(write.machine, `never said what became of write ${write.number} of ${write.path}`);
    }
  }
}

function keptOf(oracle: Oracle, write: Write, controller: Machine, later: Kept | undefined): Kept {
  const { hana } = controller;
  const version = oracle.versionOf(controller, write.path);
  if (later?.isThere === true || version === undefined || hana === undefined) return later ?? GONE;
  const record = oracle.ledger.record(hana.roles.term);
  const { commits, path } = write;
  return {
    isThere: commits.some((commit) => oracle.ledger.supersedes(path, version, commit)),
    isOfThisTerm: later?.isOfThisTerm === true || commits.some(({ term }) => term === record && !term.isReused),
    isMerged: later?.isMerged === true || commits.some((at) => record.includes(at, Number.POSITIVE_INFINITY)),
    isReused: later?.isReused === true || commits.some(({ term }) => term.isReused),
  };
}

/** `kept`: what became of it and of what the same writer wrote there later. */
function accountFor(
  oracle: Oracle,
  write: Write,
  controller: Machine,
  { isThere, isOfThisTerm, isMerged, isReused }: Kept,
): void {
  if (isThere || oracle.pokes.isSpread(write.path) || oracle.versionOf(controller, write.path) === undefined) return;
  if (isOfThisTerm) {
    oracle.fail(controller, `lost write ${write.number} of ${write.path}, confirmed in this very term`);
  }
  // Whether it holds or lost to another's is on record: that was judged when its side became part of this one.
  if (isMerged) {
    oracle.tally.merged++;
    return;
  }
  const hasGivenUp = write.machine.hana?.core.counters.headsGivenUp !== 0;
  if (isAlive(write) && !hasGivenUp && !isReused) {
    oracle.fail(write.machine, `lost write ${write.number} of ${write.path}, which it had been told is confirmed`);
  }
  oracle.tally.lostByTakeover++;
}

/** What the mesh ended with of a write, or of what the same writer wrote there later. */
interface Kept {
  readonly isThere: boolean;
  readonly isOfThisTerm: boolean;
  readonly isMerged: boolean;
  readonly isReused: boolean;
}

const GONE: Kept = { isThere: false, isOfThisTerm: false, isMerged: false, isReused: false };
