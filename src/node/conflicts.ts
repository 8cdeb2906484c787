/**
 * Conflicts: what both sides of a partition had changed, as records in the state under `/system/conflicts`. So every
 * node has them, and they outlive the controller that made them; they are not saved with the show.
 *
 * A record stays until somebody acknowledges it, or decides where that is still open. Bounded; what finds no room is
 * counted and said.
 */
import { completeDeclaration } from "../state/declaration.js";
import { coerce, TEXT_LIMIT_BYTES } from "../state/coerce.js";
import { Reject } from "../state/reject.js";
import { type Conflict, type ConflictSide, CONFLICTS_PREFIX } from "../sync/merge.js";
import type { Applier } from "./applier.js";
import type { NodeCore } from "./core.js";

export const CONFLICTS_MAX = 512;
const RECORD = completeDeclaration({
  type: "string",
  description: "A path that both sides of a partition had changed",
  persist: false,
  undo: false,
  recall: false,
});

/** Puts conflicts on record. Only a controller may call this. Answers how many found no room. */
export function recordConflicts(core: NodeCore, applier: Applier, conflicts: readonly Conflict[]): number {
  const { number, node } = core.terms.at(core.term);
  const origin = applier.origin(core.identity.id, "");
  let room = CONFLICTS_MAX - conflictIds(core).length;
  let lost = 0;
  conflicts.forEach((conflict, index) => {
    const path = `${CONFLICTS_PREFIX}${number}-${node.slice(-6)}-${index + 1}`;
    const isThere = room > 0 && applier.commitDeclare(path, RECORD, origin) === Reject.none;
    if (!isThere) {
      lost++;
      return;
    }
    room--;
    const id = core.state.idOf(path);
    core.staging.string(recordText(conflict));
    if (coerce(core.state, id, core.staging) === Reject.none) applier.commit(id, origin, 0);
  });
  return lost;
}

/** The ids of all records. */
export function conflictIds({ state }: NodeCore): number[] {
  return [...state.ids()].filter((id) => state.pathOf(id).startsWith(CONFLICTS_PREFIX));
}

/** A record as JSON; of values that are too long for one, only what the path has now is left out, or both. */
export function recordText(conflict: Conflict): string {
  const { taken } = conflict;
  const text = JSON.stringify(plain(conflict));
  if (text.length * 3 <= TEXT_LIMIT_BYTES) return text;
  const shorter = JSON.stringify(plain({ ...conflict, [taken]: shortened(conflict[taken]) }));
  if (shorter.length * 3 <= TEXT_LIMIT_BYTES) return shorter;
  return JSON.stringify(plain({ ...conflict, mine: shortened(conflict.mine), theirs: shortened(conflict.theirs) }));
}

function shortened(side: ConflictSide | undefined): ConflictSide | undefined {
  return side === undefined ? undefined : { ...side, value: null };
}

function plain({ mine, theirs, ...rest }: Conflict): object {
  return { ...rest, mine: plainSide(mine), theirs: plainSide(theirs) };
}

/** Bytes as a list of numbers would be long: hex. */
function plainSide(side: ConflictSide | undefined): object | null {
  if (side === undefined) return null;
  const { value } = side;
  if (!(value instanceof Uint8Array)) return side;
  return { ...side, value: Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("") };
}
