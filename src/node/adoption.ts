/**
 * Adoption: a snapshot takes the place of what this node holds. Only what differs is shown as a change.
 *
 * The image is decoded beside the present state first, so bytes that turn out to be no image change nothing.
 */
import { type ValueType, ValueType as Types } from "../state/declaration.js";
import { sameDeclaration } from "../state/declaration-bytes.js";
import { ImageDecoder } from "../state/image.js";
import { Reject } from "../state/reject.js";
import { State } from "../state/state.js";
import type { PendingWrites } from "../sync/pending-writes.js";
import type { LineageEntry } from "../sync/lineage.js";
import type { Standing } from "../wire/standing.js";
import type { Applier } from "./applier.js";
import type { NodeCore } from "./core.js";
import type { NodeParts } from "./parts.js";

export interface Snapshot {
  readonly termNumber: number;
  readonly termNode: string;
  /** It holds every change up to this sequence. */
  readonly sequence: number;
  /** The controller's origins by its index. */
  readonly origins: readonly { readonly node: string; readonly surface: string }[];
  /** What it is made of beside its own term. */
  readonly lineage: readonly LineageEntry[];
  /** Where writers stand in it, or a little before. */
  readonly standings: readonly Standing[];
  readonly chunks: readonly Uint8Array[];
}

/**
 * Decodes the image of a snapshot; undefined when its bytes are none. The ring hears of its terms and origins. Paths that
 * have no id of the mesh's yet are its maker's own, who goes on to ask for one: here their ids would mean others.
 */
export function decodeSnapshot(core: NodeCore, applier: Applier, snapshot: Snapshot): State | undefined {
  const state = new State(core.state.capacity);
  const decoder = new ImageDecoder({ state, terms: core.terms, origins: core.origins });
  const { size: termsBefore } = core.terms;
  const { size: originsBefore } = core.origins;
  const isWhole = snapshot.chunks.every((chunk) => decoder.push(chunk));
  for (let index = termsBefore; index < core.terms.size; index++) applier.tellTerm(index);
  for (let index = originsBefore; index < core.origins.size; index++) applier.tellOrigin(index);
  for (const id of [...state.ids()]) if (core.state.isProvisional(id)) state.remove(id);
  return isWhole ? state : undefined;
}

/**
 * Takes a snapshot, decoded, in place of what the node holds, as contents of the present term. `whole`: up to where
 * nothing of that term is missing in it.
 */
export function takeSnapshot(
  { core, applier, pending, follower }: NodeParts,
  incoming: State,
  snapshot: Snapshot,
  whole: number,
): void {
  adopt(core, applier, pending, incoming);
  core.sequence[0] = Math.max(snapshot.sequence, 0);
  core.lineage.replace(snapshot.lineage, core.term, whole);
  snapshot.origins.forEach((origin, index) => {
    if (origin.node !== "") follower.mapOrigin(index, origin.node, origin.surface);
  });
  follower.takeStandings(snapshot.standings);
  core.counters.snapshotsTaken++;
}

/** Makes the present state equal to `incoming`. */
export function adopt(core: NodeCore, applier: Applier, pending: PendingWrites, incoming: State): void {
  const { state } = core;
  const paths = new Map<number, string>();
  pending.forEach((slot) => {
    const id = pending.idOf(slot);
    if (state.exists(id)) paths.set(id, state.pathOf(id));
    return true;
  });
  removeStrangers(core, applier, pending, incoming);
  for (const id of incoming.ids()) adoptPath(core, applier, incoming, id);
  state.tombstones.clear();
  for (const stone of incoming.tombstones.values()) state.tombstones.add(stone);
  state.nextId = Math.max(state.nextId, incoming.nextId);
  pending.remap((id) => {
    const path = paths.get(id);
    if (path !== undefined) return state.idOf(path);
    // A provisional path that the snapshot knows has moved to its own id already.
    return state.exists(id) ? id : -1;
  });
}

/** Paths that the snapshot lacks go, unless they are provisional; so do those whose id is another's now. */
function removeStrangers(core: NodeCore, applier: Applier, pending: PendingWrites, incoming: State): void {
  const { state } = core;
  for (const id of [...state.ids()]) {
    if (state.isProvisional(id)) continue;
    if (incoming.exists(id) && incoming.pathOf(id) === state.pathOf(id)) continue;
    // What was written to a path that the mesh has under another id goes there.
    if (incoming.idOf(state.pathOf(id)) < 0) pending.forget(id, Reject.unknownPath);
    applier.adoptRemoval(id);
  }
}

/** Makes one path equal to what `incoming` holds under that id. */
export function adoptPath(core: NodeCore, applier: Applier, incoming: State, id: number): void {
  const { state } = core;
  const declaration = incoming.declarationOf(id);
  if (declaration === undefined) return;
  const path = incoming.pathOf(id);
  const isSame = state.pathOf(id) === path && sameDeclaration(declaration, state.declarationOf(id));
  applier.loadContext(incoming, id);
  if (!isSame && !applier.adoptDeclaration(id, path, declaration)) return;
  if ((incoming.types[id] as ValueType) === Types.impulse) applier.adoptSilentImpulse(id);
  else applier.adoptImageValue(incoming, id, !isSame);
}
