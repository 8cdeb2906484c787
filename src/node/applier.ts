/**
 * Applier: the one place where the state changes and the ring hears of it. Both walks end here.
 *
 * On the controller a change is committed: it gets the next sequence. On a follower it is adopted as the stream says.
 * Values run without an allocation. The applier decides nothing about who may write: its callers have.
 */
import { ByteReader, ByteWriter } from "../base/bytes.js";
import { ChangeFlag, EventKind, type Origin } from "../state/change.js";
import { coerce } from "../state/coerce.js";
import { type Declaration, isText, lanesOf, ValueType } from "../state/declaration.js";
import { decodeNamed, sameDeclaration, viewNamed } from "../state/declaration-bytes.js";
import { Reject } from "../state/reject.js";
import { ChangeContext } from "../state/ring.js";
import { LANES, type State } from "../state/state.js";
import { type ContentReader, layoutOf } from "../wire/content.js";
import { encodeStandings, type Standing } from "../wire/standing.js";
import type { PendingWrites } from "../sync/pending-writes.js";
import type { NodeCore } from "./core.js";

/** What came of a delta from the stream. */
export const Adopted = { applied: 0, old: 1, unknown: 2, misfit: 3 } as const;
export type Adopted = (typeof Adopted)[keyof typeof Adopted];

const NO_PAYLOAD = new Uint8Array(0);

export class Applier {
  private readonly core: NodeCore;
  private readonly pending: PendingWrites;
  private readonly context = new ChangeContext();
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** What is committed now changes together with what is committed next. */
  isGrouped = false;
  /** [0] when what is committed now was made, in hybrid time; 0 for now. */
  readonly made = new Float64Array(1);

  constructor(core: NodeCore, pending: PendingWrites) {
    this.core = core;
    this.pending = pending;
  }

  /** Commits what is in hand, coerced, as the next change. False when it changes nothing. */
  commit(id: number, origin: number, gesture: number): boolean {
    const { state, staging } = this.core;
    if ((state.types[id] as number) <= ValueType.bool) return this.commitNumber(id, origin, gesture);
    if (!state.differs(id, staging)) {
      this.core.counters.changesUnchanged++;
      return false;
    }
    state.store(id, staging);
    this.stamp(origin, gesture);
    this.putVersion(id);
    this.core.ring.value(id, state.types[id] as ValueType, staging, this.context);
    this.core.counters.changesApplied++;
    return true;
  }

  /** The same for one number, which is what moves most: no loop over lanes, no question of type. */
  private commitNumber(id: number, origin: number, gesture: number): boolean {
    const { state, staging, counters } = this.core;
    const value = staging.numbers[0] as number;
    if (state.numbers[id * LANES] === value) {
      counters.changesUnchanged++;
      return false;
    }
    state.numbers[id * LANES] = value;
    this.stamp(origin, gesture);
    this.putVersion(id);
    this.core.ring.number(id, state.types[id] as ValueType, value, this.context);
    counters.changesApplied++;
    return true;
  }

  /** Takes the next sequence and the present hybrid time. */
  private stamp(origin: number, gesture: number): void {
    const { context, core } = this;
    core.clock.tickHybrid();
    core.sequence[0] = (core.sequence[0] as number) + 1;
    context.doubles[0] = core.sequence[0] as number;
    context.doubles[1] = (this.made[0] as number) === 0 ? (core.clock.register[1] as number) : (this.made[0] as number);
    context.term = core.term;
    context.origin = origin;
    context.gesture = gesture;
    context.flags = this.isGrouped ? ChangeFlag.grouped : 0;
  }

  private stampPath(id: number): void {
    const { context } = this;
    const { state } = this.core;
    // An event that was repaired may be older than a value that came past the gap: a version never goes back. An
    // image is the truth whatever stands here.
    const isEvent = (context.flags & ChangeFlag.resync) === 0;
    const isOlder =
      state.terms[id] === context.term && (state.sequences[id] as number) > (context.doubles[0] as number);
    if (isEvent && isOlder) return;
    this.putVersion(id);
  }

  private putVersion(id: number): void {
    const { context } = this;
    const { state } = this.core;
    state.sequences[id] = context.doubles[0] as number;
    state.timesUs[id] = context.doubles[1] as number;
    state.terms[id] = context.term;
    state.origins[id] = context.origin;
    state.gestures[id] = context.gesture;
  }

  /** Commits what is in hand, coerced, as the next change, but as old as it is: it was made on another side. */
  commitMerged(id: number, origin: number, timeUs: number): void {
    const { context, core } = this;
    const { state, staging } = core;
    state.store(id, staging);
    this.stamp(origin, 0);
    context.doubles[1] = timeUs;
    this.putVersion(id);
    core.ring.value(id, state.types[id] as ValueType, staging, context);
    core.counters.changesApplied++;
  }

  /** Commits that the state is made of another side's changes too. */
  commitLineage(term: number, sequence: number): void {
    const { number, node } = this.core.terms.at(term);
    const out = new ByteWriter(new Uint8Array(64));
    out.varint(number);
    out.blob(new TextEncoder().encode(node));
    out.varint(sequence);
    this.core.lineage.include(term, sequence);
    this.stamp(0, 0);
    this.core.ring.event(EventKind.lineage, 0, out.buffer.slice(0, out.offset), this.context);
  }

  private adoptLineage(event: ContentReader): boolean {
    const input = new ByteReader(event.payload());
    const number = input.varint();
    const node = this.decoder.decode(input.blob(16));
    const sequence = input.varint();
    if (input.failed || !/^[0-9a-f]{16}$/.test(node)) return false;
    const term = this.termIndex(number, node);
    if (term > 0) this.core.lineage.include(term, sequence);
    return true;
  }

  /** Fires an impulse as the next change. */
  commitImpulse(id: number, origin: number, gesture: number): void {
    this.stamp(origin, gesture);
    this.stampPath(id);
    this.core.ring.event(EventKind.impulse, id, NO_PAYLOAD, this.context);
    this.core.counters.changesApplied++;
  }

  /** Declares a path as the next change. The same declaration again changes nothing. */
  commitDeclare(path: string, declaration: Declaration, origin: number): Reject {
    const { state, limits } = this.core;
    const payload = viewNamed(path, declaration);
    if (payload === undefined) return Reject.badDeclaration;
    const found = state.idOf(path);
    const known = found >= 0 && state.isProvisional(found) ? -1 : found;
    if (known >= 0 && sameDeclaration(declaration, state.declarationOf(known))) return Reject.none;
    if (state.isAliasTaken(path, declaration.oscAlias)) return Reject.aliasTaken;
    if (known < 0 && (state.pathCount >= limits.paths || state.nextId >= state.firstProvisional))
      return Reject.pathsFull;
    const id = known >= 0 ? known : state.nextId;
    this.stamp(origin, 0);
    this.declare(id, path, declaration, payload);
    return Reject.none;
  }

  commitRename(id: number, path: string, origin: number): Reject {
    if (this.core.state.idOf(path) >= 0) return Reject.pathTaken;
    const payload = viewNamed(path, undefined);
    if (payload === undefined) return Reject.badPath;
    this.stamp(origin, 0);
    this.rename(id, path, payload);
    return Reject.none;
  }

  commitRemove(id: number, origin: number): void {
    this.stamp(origin, 0);
    this.remove(id);
  }

  /** Puts a declaration in place; a value that still fits stays. The context says version and origin. */
  private declare(id: number, path: string, declaration: Declaration, payload: Uint8Array): void {
    const { state, staging, digests } = this.core;
    const taken = state.idOf(path);
    if (taken >= 0 && taken !== id) this.replaceProvisional(taken, id, ValueType[declaration.type]);
    const type = ValueType[declaration.type];
    const keeps = state.exists(id) && state.types[id] === type;
    if (keeps) state.load(id, staging);
    else if (state.exists(id)) this.pending.forget(id, Reject.wrongType);
    digests.drop(id);
    state.declare(id, path, declaration);
    state.tombstones.drop(path);
    digests.name(id);
    if (keeps && coerce(state, id, staging) === Reject.none) state.store(id, staging);
    this.stampPath(id);
    this.core.ring.event(EventKind.declare, id, payload, this.context);
    // An image's value follows.
    if ((this.context.flags & ChangeFlag.resync) !== 0) return;
    if (this.pending.isPending(id)) this.showHeld(id);
    else if (keeps) this.showValue(id);
  }

  /** The controller gave a path its id: what was pending under the provisional one moves over. */
  private replaceProvisional(from: number, to: number, type: ValueType): void {
    if (this.core.state.types[from] !== type) this.pending.forget(from, Reject.wrongType);
    this.pending.move(from, to);
    this.core.digests.drop(from);
    this.core.state.remove(from);
    this.core.ring.event(EventKind.remove, from, NO_PAYLOAD, this.context);
  }

  private showValue(id: number): void {
    const { state, staging } = this.core;
    const type = state.types[id] as ValueType;
    if (type === ValueType.impulse) return;
    // It may have come past a gap that the declaration lay in: then it is newer.
    this.contextOf(id);
    state.load(id, staging);
    this.core.ring.value(id, type, staging, this.context);
  }

  private rename(id: number, path: string, payload: Uint8Array): void {
    const { state, digests } = this.core;
    digests.drop(id);
    this.bury(id, path);
    state.rename(id, path);
    digests.name(id);
    this.stampPath(id);
    this.core.ring.event(EventKind.rename, id, payload, this.context);
  }

  private remove(id: number): void {
    this.pending.forget(id, Reject.unknownPath);
    this.bury(id, "");
    this.drop(id);
  }

  /** Notes that a path goes with the change in hand; `renamedTo` is its new name, if it has one. */
  private bury(id: number, renamedTo: string): void {
    const { doubles, term, origin } = this.context;
    const { state } = this.core;
    const { tombstones } = state;
    const [sequence, timeUs] = [doubles[0] as number, doubles[1] as number];
    const [wasTerm, wasSequence] = [state.terms[id] as number, state.sequences[id] as number];
    const path = state.pathOf(id);
    tombstones.add({ path, term, sequence, timeUs, origin, renamedTo, wasTerm, wasSequence });
    if (renamedTo !== "") tombstones.drop(renamedTo);
  }

  private drop(id: number): void {
    this.core.digests.drop(id);
    this.core.state.remove(id);
    this.core.ring.event(EventKind.remove, id, NO_PAYLOAD, this.context);
  }

  /** The index of an origin; a new one is told to the ring. */
  origin(node: string, surface: string): number {
    const { origins } = this.core;
    const before = origins.size;
    const index = origins.intern(node, surface);
    if (index === before) this.tellOrigin(index);
    return index;
  }

  tellOrigin(index: number): void {
    const { core, context } = this;
    const { node, surface } = core.origins.at(index);
    const encoder = new TextEncoder();
    const out = new ByteWriter(new Uint8Array(512));
    out.blob(encoder.encode(node));
    out.blob(encoder.encode(surface));
    context.doubles[0] = core.sequence[0] as number;
    context.doubles[1] = core.clock.register[1] as number;
    context.flags = 0;
    core.ring.event(EventKind.origin, index, out.buffer.slice(0, out.offset), context);
  }

  /** Tells the ring where the writers stand in all that is published up to `sequence`. */
  tellStandings(standings: readonly Standing[], sequence: number): void {
    const bytes = encodeStandings(standings);
    this.context.doubles[0] = sequence;
    this.context.doubles[1] = this.core.clock.register[1] as number;
    this.context.flags = 0;
    this.core.ring.event(EventKind.standings, 0, bytes, this.context);
  }

  /** The index of a term; a new one is told to the ring. -1 when there is no room for one of another node's. */
  termIndex(number: number, node: string): number {
    const { terms, identity } = this.core;
    const before = terms.size;
    const index = node === identity.id ? terms.intern(number, node) : terms.hear(number, node);
    if (index === before) this.tellTerm(index);
    return index;
  }

  tellTerm(index: number): void {
    const { terms, ring, sequence } = this.core;
    const { number, node } = terms.at(index);
    const out = new ByteWriter(new Uint8Array(64));
    out.varint(number);
    out.blob(new TextEncoder().encode(node));
    // A term that this node opens begins at this sequence, which may be less than it had seen.
    this.context.doubles[0] = sequence[0] as number;
    this.context.flags = 0;
    ring.event(EventKind.term, index, out.buffer.slice(0, out.offset), this.context);
  }

  /** Adopts a value from the stream of the present term. `origin` is this node's index of its origin. */
  adoptValue(delta: ContentReader, origin: number, isInOrder: boolean): Adopted {
    const { state, counters } = this.core;
    const { id } = delta;
    const type = state.typeOf(id) as ValueType;
    if ((type as number) === 0) return Adopted.unknown;
    if (state.terms[id] === this.core.term && (delta.doubles[0] as number) <= (state.sequences[id] as number)) {
      counters.deltasOld++;
      return Adopted.old;
    }
    // Ahead of a gap the path may have been declared anew in what is missing: it is judged in its turn.
    if (delta.layout !== layoutOf(type) && !isInOrder) return Adopted.unknown;
    if (delta.layout !== layoutOf(type) || !this.storeDelta(id, type, delta)) {
      counters.deltasMisfit++;
      return Adopted.misfit;
    }
    this.stampDelta(delta, origin);
    this.stampPath(id);
    this.core.digests.touch(id);
    this.noteSequence(delta);
    counters.changesApplied++;
    if (!this.pending.isPending(id)) this.showDelta(id, type);
    return Adopted.applied;
  }

  private storeDelta(id: number, type: ValueType, delta: ContentReader): boolean {
    const { state } = this.core;
    if (isText(type)) {
      const bytes = delta.payload();
      state.texts[id] = type === ValueType.string ? this.decoder.decode(bytes) : bytes;
      return true;
    }
    const { numbers } = delta;
    const lanes = lanesOf(type);
    for (let lane = 0; lane < lanes; lane++) if (!Number.isFinite(numbers[lane])) return false;
    if (type === ValueType.enum && (numbers[0] as number) >= (state.declarations[id]?.values.length ?? 0)) return false;
    const at = id * LANES;
    for (let lane = 0; lane < lanes; lane++) state.numbers[at + lane] = numbers[lane] as number;
    return true;
  }

  private stampDelta(delta: ContentReader, origin: number): void {
    const { context } = this;
    context.doubles[0] = delta.doubles[0] as number;
    context.doubles[1] = delta.doubles[1] as number;
    context.term = this.core.term;
    context.origin = origin;
    context.gesture = delta.gesture;
    context.flags = 0;
  }

  private noteSequence(delta: ContentReader): void {
    const { sequence, clock } = this.core;
    if ((delta.doubles[0] as number) > (sequence[0] as number)) sequence[0] = delta.doubles[0] as number;
    if ((delta.doubles[1] as number) > (clock.register[1] as number)) clock.observeHybrid(delta.doubles, 1);
  }

  private showDelta(id: number, type: ValueType): void {
    const { state, staging } = this.core;
    state.load(id, staging);
    this.core.ring.value(id, type, staging, this.context);
  }

  /** Adopts an event from the stream; an impulse that does not fire leaves its version only. False when it is none. */
  adoptEvent(event: ContentReader, origin: number, fires: boolean): boolean {
    const { state } = this.core;
    const { id } = event;
    this.stampDelta(event, origin);
    this.noteSequence(event);
    if (event.kind === EventKind.declare) return this.adoptDeclare(event);
    if (event.kind === EventKind.lineage) return this.adoptLineage(event);
    if (!state.exists(id) || state.isProvisional(id)) return false;
    if (event.kind === EventKind.impulse) {
      if (!fires) this.adoptSilentImpulse(id);
      else {
        this.adoptVersion(id);
        this.core.ring.event(EventKind.impulse, id, NO_PAYLOAD, this.context);
      }
    } else if (event.kind === EventKind.remove) this.adoptRemove(event);
    else if (event.kind === EventKind.rename) return this.adoptRename(event);
    this.core.counters.changesApplied++;
    return true;
  }

  private adoptDeclare(event: ContentReader): boolean {
    const payload = event.payload();
    const named = decodeNamed(payload);
    if (named?.declaration === undefined || event.id >= this.core.state.firstProvisional) return false;
    this.declare(event.id, named.path, named.declaration, payload);
    this.core.digests.touch(event.id);
    this.core.counters.changesApplied++;
    return true;
  }

  private adoptRemove(event: ContentReader): void {
    this.noteRemoved(event);
    this.remove(event.id);
  }

  private noteRemoved(event: ContentReader): void {
    const { removedSequence } = this.core;
    removedSequence[0] = Math.max(removedSequence[0] as number, event.doubles[0] as number);
  }

  private adoptRename(event: ContentReader): boolean {
    const payload = event.payload();
    const named = decodeNamed(payload);
    if (named === undefined || this.core.state.idOf(named.path) >= 0) return false;
    this.noteRemoved(event);
    this.rename(event.id, named.path, payload);
    this.core.digests.touch(event.id);
    return true;
  }

  /** Takes version, time and origin of a path from an image's state. */
  loadContext(incoming: State, id: number): void {
    const { context } = this;
    context.doubles[0] = incoming.sequences[id] as number;
    context.doubles[1] = incoming.timesUs[id] as number;
    context.term = incoming.terms[id] as number;
    context.origin = incoming.origins[id] as number;
    context.gesture = 0;
    context.flags = ChangeFlag.resync;
  }

  adoptRemoval(id: number): void {
    this.context.flags = ChangeFlag.resync;
    this.drop(id);
  }

  /** False when the ring cannot carry it. */
  adoptDeclaration(id: number, path: string, declaration: Declaration): boolean {
    const payload = viewNamed(path, declaration);
    if (payload === undefined) return false;
    this.declare(id, path, declaration, payload);
    return true;
  }

  adoptVersion(id: number): void {
    this.stampPath(id);
    this.core.digests.touch(id);
  }

  /** Adopts an impulse's version without firing it; the ring's followers learn the version, nothing else. */
  adoptSilentImpulse(id: number): void {
    const { flags } = this.context;
    this.adoptVersion(id);
    this.core.staging.number(0);
    this.context.flags = flags | ChangeFlag.confirmed;
    this.core.ring.value(id, ValueType.impulse, this.core.staging, this.context);
    this.context.flags = flags;
  }

  /**
   * Adopts a value from an image; shown when it differs from what is shown, or when the path is new here. `isHeld`: what
   * is pending on the path is shown instead.
   */
  adoptImageValue(incoming: State, id: number, isNew: boolean, isHeld = this.pending.isPending(id)): void {
    const { state, staging } = this.core;
    incoming.load(id, staging);
    const differs = isNew || state.differs(id, staging);
    state.store(id, staging);
    this.adoptVersion(id);
    if (isHeld) {
      if (isNew && this.pending.isPending(id)) this.showHeld(id);
      return;
    }
    if (!differs) this.context.flags = ChangeFlag.resync | ChangeFlag.confirmed;
    this.core.ring.value(id, state.types[id] as ValueType, staging, this.context);
    this.context.flags = ChangeFlag.resync;
  }

  /** Shows a pending value that is in hand, coerced. */
  showPending(id: number, origin: number, gesture: number): void {
    const { context, core } = this;
    core.clock.tickHybrid();
    context.doubles[0] = 0;
    context.doubles[1] = core.clock.register[1] as number;
    context.term = 0;
    context.origin = origin;
    context.gesture = gesture;
    context.flags = ChangeFlag.pending | (this.isGrouped ? ChangeFlag.grouped : 0);
    core.ring.value(id, core.state.types[id] as ValueType, core.staging, context);
  }

  /** Shows again what is pending on a path that was declared anew. */
  showHeld(id: number): void {
    this.pending.load(id, this.core.staging);
    this.showPending(id, this.pending.surfaceOf(id), 0);
  }

  /** Declares a path of this node's own that the controller has not given an id yet. */
  declareProvisional(id: number, path: string, declaration: Declaration): boolean {
    const payload = viewNamed(path, declaration);
    if (payload === undefined) return false;
    const { context, core } = this;
    context.doubles[0] = 0;
    context.doubles[1] = core.clock.register[1] as number;
    context.term = 0;
    context.origin = 0;
    context.gesture = 0;
    context.flags = ChangeFlag.pending;
    core.state.declare(id, path, declaration);
    core.ring.event(EventKind.declare, id, payload, context);
    return true;
  }

  /** Takes back a provisional path that was refused. */
  dropProvisional(id: number): void {
    this.context.flags = ChangeFlag.rolledBack;
    this.core.state.remove(id);
    this.core.ring.event(EventKind.remove, id, NO_PAYLOAD, this.context);
  }

  /** A pending value that was never sent is given up: shows the confirmed one. */
  showRolledBack(id: number): void {
    this.contextOf(id);
    this.context.flags = ChangeFlag.rolledBack;
    this.core.state.load(id, this.core.staging);
    this.core.ring.value(id, this.core.state.types[id] as ValueType, this.core.staging, this.context);
  }

  /** Takes version, time and origin of a path from the state. */
  private contextOf(id: number): void {
    const { state } = this.core;
    const { context } = this;
    context.doubles[0] = state.sequences[id] as number;
    context.doubles[1] = state.timesUs[id] as number;
    context.term = state.terms[id] as number;
    context.origin = state.origins[id] as number;
    context.gesture = state.gestures[id] as number;
  }

  /** A pending value (in hand) is given up: shows the confirmed one, or only its version if that is the same. */
  showConfirmed(id: number): void {
    const { state, staging } = this.core;
    const isSame = !state.differs(id, staging);
    this.contextOf(id);
    this.context.flags = isSame ? ChangeFlag.resync | ChangeFlag.confirmed : ChangeFlag.rolledBack;
    state.load(id, staging);
    this.core.ring.value(id, state.types[id] as ValueType, staging, this.context);
  }

  /** Reads the payload of an origin event; undefined when it is none. */
  originFrom(payload: Uint8Array): Origin | undefined {
    const input = new ByteReader(payload);
    const node = this.decoder.decode(input.blob(16));
    const surface = this.decoder.decode(input.blob(255));
    return input.failed ? undefined : { node, surface };
  }
}
