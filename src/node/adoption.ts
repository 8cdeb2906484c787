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
  /** Where writers stand in it, for the changes up to `told`. */
  readonly told: number;
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
  const held = heldPaths(state, pending);
  const stays = ({ path, type, isValue }: Held): boolean => isValue && incoming.types[incoming.idOf(path)] === type;
  const values = new Set([...held.values()].filter(stays).map(({ path }) => path));
  const declared = new Set<number>();
  const change = (): void => {
    removeStrangers(core, applier, incoming);
    for (const id of incoming.ids()) {
      const isHeld = values.has(incoming.pathOf(id));
      if (adoptPath(core, applier, incoming, id, isHeld)) declared.add(id);
    }
    state.tombstones.clear();
    for (const stone of incoming.tombstones.values()) state.tombstones.add(stone);
    state.nextId = Math.max(state.nextId, incoming.nextId);
  };
  pending.remap(change, (id) => state.idOf(held.get(id)?.path ?? ""));
  for (const { path, type } of held.values()) {
    const id = state.idOf(path);
    if (id >= 0 && state.types[id] !== type) pending.forget(id, Reject.wrongType);
    else if (declared.has(id) && pending.isPending(id)) applier.showHeld(id);
  }
}

/** A path that something is pending on. */
interface Held {
  readonly path: string;
  readonly type: ValueType;
  readonly isValue: boolean;
}

/** By the ids that the paths have now. */
function heldPaths(state: State, pending: PendingWrites): Map<number, Held> {
  const held = new Map<number, Held>();
  pending.forEach((slot) => {
    const id = pending.idOf(slot);
    if (!state.exists(id)) return true;
    held.set(id, { path: state.pathOf(id), type: state.types[id] as ValueType, isValue: pending.isPending(id) });
    return true;
  });
  return held;
}

/** Paths that the snapshot lacks go, unless they are provisional; so do those whose id is another's now. */
function removeStrangers(core: NodeCore, applier: Applier, incoming: State): void {
  const { state } = core;
  for (const id of [...state.ids()]) {
    if (state.isProvisional(id)) continue;
    if (incoming.exists(id) && incoming.pathOf(id) === state.pathOf(id)) continue;
    applier.adoptRemoval(id);
  }
}

/**
 * Makes one path equal to what `incoming` holds under that id. `isHeld`: what is pending on it stays shown. Answers
 * whether it was declared anew.
 */
export function adoptPath(core: NodeCore, applier: Applier, incoming: State, id: number, isHeld?: boolean): boolean {
  const { state } = core;
  const declaration = incoming.declarationOf(id);
  if (declaration === undefined) return false;
  const path = incoming.pathOf(id);
  const isSame = state.pathOf(id) === path && sameDeclaration(declaration, state.declarationOf(id));
  applier.loadContext(incoming, id);
  if (!isSame && !applier.adoptDeclaration(id, path, declaration)) return false;
  if ((incoming.types[id] as ValueType) === Types.impulse) applier.adoptSilentImpulse(id);
  else applier.adoptImageValue(incoming, id, !isSame, isHeld);
  return !isSame;
}
