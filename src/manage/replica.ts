/**
 * Replica: the desk's own copy of what the node shows, kept by following the change ring.
 *
 * The desk is just another follower: it reads the ring with its own cursor, and takes an image of the whole state when
 * it starts and when the ring has lapped it. Values include those that are still pending. Whatever comes after an
 * image is replayed over it, so the image may be taken while the show goes on. It writes nothing back, and it keeps
 * nothing that the ring or the image did not say.
 */
import { ByteReader } from "../base/bytes.js";
import { ChangeFlag, EventKind, type Origin, type Term } from "../state/change.js";
import { decodeNamed } from "../state/declaration-bytes.js";
import type { Declaration } from "../state/declaration.js";
import { ImageDecoder } from "../state/image.js";
import { Found, type RingMemory, RingReader } from "../state/ring.js";
import { Staging } from "../state/staging.js";
import { State } from "../state/state.js";
import { OriginTable, TermTable } from "../state/tables.js";
import type { Tombstone } from "../state/tombstones.js";
import { coerce } from "../state/coerce.js";
import { Reject } from "../state/reject.js";
import type { PendingValue } from "./desk-messages.js";

/** `stale`: an image is needed. `waiting`: it was asked for. `loading`: it comes. `current`: follows the ring. */
export type ReplicaPhase = "stale" | "waiting" | "loading" | "current";

/** Who wants to see changes. Called while the replica pumps, after the change is in place. */
export interface ReplicaWatcher {
  /** The shown value of a path is another now. */
  onValue(id: number): void;
  /** An impulse fired; `impulse` is the replica's and valid during the call only. */
  onImpulse(id: number, impulse: ImpulseFields): void;
  /** The id was declared, renamed or removed; id -1: all of them may be others now. */
  onStructure(id: number): void;
}

/** Where an impulse comes from; indexes into the replica's tables. */
export interface ImpulseFields {
  term: number;
  sequence: number;
  timeUs: number;
  origin: number;
  isPending: boolean;
}

/** Entries worked off before `pump` looks at nothing else: 65,536 take some 10 ms. */
const PUMP_LIMIT = 65_536;
/** Changes whose version says nothing about whether they are newer than what is shown. */
const UNORDERED = ChangeFlag.pending | ChangeFlag.rolledBack | ChangeFlag.resync;
const NODE_LIMIT_BYTES = 16;
const SURFACE_LIMIT_BYTES = 255;

export class Replica {
  phase: ReplicaPhase = "stale";
  state: State;
  terms = new TermTable();
  origins = new OriginTable();
  /** 1 where the shown value is not confirmed, by id. */
  pending: Uint8Array;
  /** The newest change sequence that is in here. */
  sequence = 0;
  /** Where the writers stood (`encodeStandings`) in all that was published up to a sequence; undefined until it is told. */
  standings: { readonly bytes: Uint8Array; readonly sequence: number } | undefined;
  /** How often an image was needed, the first one counted. */
  images = 0;
  private readonly reader: RingReader;
  private readonly capacity: number;
  private readonly staging = new Staging();
  private readonly watchers = new Set<ReplicaWatcher>();
  private readonly impulse: ImpulseFields = { term: 0, sequence: 0, timeUs: 0, origin: 0, isPending: false };
  private loading: Loading | undefined;

  constructor(memory: RingMemory, capacity: number) {
    this.capacity = capacity;
    this.reader = new RingReader(memory);
    this.state = new State(capacity);
    this.pending = new Uint8Array(capacity);
  }

  /** How often the ring was too fast. */
  get laps(): number {
    return this.reader.laps;
  }

  get watcherCount(): number {
    return this.watchers.size;
  }

  addWatcher(watcher: ReplicaWatcher): void {
    this.watchers.add(watcher);
  }

  removeWatcher(watcher: ReplicaWatcher): void {
    this.watchers.delete(watcher);
  }

  /** Takes in what the ring holds; true when there may be more. Does nothing unless `current`. */
  pump(): boolean {
    if (this.phase !== "current") return false;
    for (let count = 0; count < PUMP_LIMIT; count++) {
      const found = this.reader.next();
      if (found === Found.nothing) return false;
      const isTaken = found === Found.value ? this.takeValue() : found === Found.event && this.takeEvent();
      if (isTaken) continue;
      this.phase = "stale";
      return false;
    }
    return true;
  }

  /** Moves to the stream's end. Ask for an image after this and not before: what lies between would be missing. */
  prepareForImage(): void {
    this.reader.skip();
    this.phase = "waiting";
    this.images++;
  }

  beginImage(terms: readonly Term[], origins: readonly Origin[], sequence: number): void {
    this.loading = new Loading(this.capacity, terms, origins);
    this.sequence = sequence;
    this.phase = "loading";
  }

  pushImage(chunk: Uint8Array): void {
    if (this.loading === undefined || this.loading.decoder.push(chunk)) return;
    // The tree changed under the encoder in a way that gave a path twice: take another.
    this.loading = undefined;
    this.phase = "stale";
  }

  endImage(pending: readonly PendingValue[]): void {
    const { loading } = this;
    if (loading === undefined) return;
    this.loading = undefined;
    const before = this.state;
    this.state = loading.state;
    this.terms = loading.terms;
    this.origins = loading.origins;
    this.pending = new Uint8Array(this.capacity);
    for (const { id, value } of pending) this.showPending(id, value);
    this.phase = "current";
    this.tellDifferences(before);
  }

  /** Paths that the node knows to be gone: the ring does not say so of what was removed before a snapshot was made. */
  noteRemovals(removals: readonly Tombstone[]): void {
    const { tombstones } = this.state;
    for (const removal of removals) {
      const isKnown = this.state.idOf(removal.path) >= 0 || tombstones.of(removal.path) !== undefined;
      if (!isKnown) tombstones.add(removal);
    }
  }

  /** The path's declaration, or undefined when there is no such path. */
  declarationOf(path: string): Declaration | undefined {
    return this.state.declarationOf(this.state.idOf(path));
  }

  private showPending(id: number, value: PendingValue["value"]): void {
    if (!this.state.exists(id)) return;
    this.staging.value(value);
    if (coerce(this.state, id, this.staging) !== Reject.none) return;
    this.state.store(id, this.staging);
    this.pending[id] = 1;
  }

  private tellDifferences(before: State): void {
    if (this.watchers.size === 0) return;
    for (const watcher of this.watchers) watcher.onStructure(-1);
    for (const id of this.state.ids()) {
      this.state.load(id, this.staging);
      const isSame = before.pathOf(id) === this.state.pathOf(id) && before.typeOf(id) === this.state.typeOf(id);
      if (!isSame || before.differs(id, this.staging)) this.tellValue(id);
    }
  }

  private tellValue(id: number): void {
    for (const watcher of this.watchers) watcher.onValue(id);
  }

  private tellStructure(id: number): void {
    for (const watcher of this.watchers) watcher.onStructure(id);
  }

  /** False when the replica cannot go on without an image. */
  private takeValue(): boolean {
    const { reader, state, staging } = this;
    const { id, flags } = reader;
    this.noteSequence();
    // Older than an image that the path was removed or declared anew before: what made it so follows in the ring.
    if (state.typeOf(id) !== reader.type) return true;
    if ((flags & UNORDERED) === 0 && this.isOlder(id)) return true;
    if (!reader.stage(staging)) return false;
    const isVisible = state.differs(id, staging);
    state.timesUs[id] = reader.doubles[1] as number;
    state.origins[id] = reader.origin;
    if ((flags & ChangeFlag.pending) !== 0) this.pending[id] = 1;
    else {
      this.pending[id] = 0;
      this.stamp(id);
    }
    if (!isVisible) return true;
    state.store(id, staging);
    if (this.watchers.size > 0) this.tellValue(id);
    return true;
  }

  /** Notes the version of the entry in hand as the path's: digests and snapshots count it. */
  private stamp(id: number): void {
    const { reader, state } = this;
    state.terms[id] = reader.term;
    state.sequences[id] = reader.doubles[0] as number;
    state.timesUs[id] = reader.doubles[1] as number;
    state.origins[id] = reader.origin;
    state.gestures[id] = reader.gesture;
  }

  /** What is told anew keeps its version, which proves nothing: not that all before it is here, nor that it is of this term. */
  private noteSequence(): void {
    const sequence = this.reader.doubles[0] as number;
    if ((this.reader.flags & UNORDERED) === 0 && sequence > this.sequence) this.sequence = sequence;
  }

  /** The same for an event, which may have been repaired after a newer value came: a version never goes back by one. */
  private stampEvent(id: number): void {
    const { reader, state } = this;
    const isFresh = (reader.flags & ChangeFlag.resync) === 0 && state.terms[id] === reader.term;
    if (!isFresh || (reader.doubles[0] as number) >= (state.sequences[id] as number)) this.stamp(id);
  }

  /** Whether the entry in hand was already in the image: then showing it would step back for a moment. */
  private isOlder(id: number): boolean {
    const { reader, state, terms } = this;
    const known = state.terms[id] as number;
    const sequence = reader.doubles[0] as number;
    if (known === reader.term) return sequence < (state.sequences[id] as number);
    // Of two terms of one number either may come after the other, for who starts over.
    return terms.at(reader.term).number < terms.at(known).number;
  }

  private takeEvent(): boolean {
    const { reader } = this;
    switch (reader.kind) {
      case EventKind.impulse:
        this.takeImpulse();
        return true;
      case EventKind.declare:
      case EventKind.rename:
        return this.takeNamed();
      case EventKind.remove:
        return this.takeRemoval();
      case EventKind.origin:
        return this.takeOrigin();
      case EventKind.term:
        return this.takeTerm();
      case EventKind.standings:
        return this.takeStandings();
      case EventKind.lineage:
        this.noteSequence();
        return true;
      default:
        return true;
    }
  }

  private takeImpulse(): void {
    const { reader, impulse } = this;
    this.noteSequence();
    if (!this.state.exists(reader.id)) return;
    if ((reader.flags & ChangeFlag.pending) === 0) this.stampEvent(reader.id);
    if (this.watchers.size === 0) return;
    impulse.term = reader.term;
    impulse.sequence = reader.doubles[0] as number;
    impulse.timeUs = reader.doubles[1] as number;
    impulse.origin = reader.origin;
    impulse.isPending = (reader.flags & ChangeFlag.pending) !== 0;
    for (const watcher of this.watchers) watcher.onImpulse(reader.id, impulse);
  }

  private takeNamed(): boolean {
    const { reader, state } = this;
    const { id, kind } = reader;
    this.noteSequence();
    const payload = reader.payload();
    const named = payload === undefined ? undefined : decodeNamed(payload);
    if (named === undefined || id < 0 || id >= state.capacity) return false;
    if (kind === EventKind.rename) {
      if (state.exists(id) && state.pathOf(id) !== named.path) {
        this.bury(id, named.path);
        state.rename(id, named.path);
      }
    } else {
      if (named.declaration === undefined) return false;
      state.declare(id, named.path, named.declaration);
      state.tombstones.drop(named.path);
      this.pending[id] = 0;
    }
    if (state.exists(id) && (reader.flags & ChangeFlag.pending) === 0) this.stampEvent(id);
    this.tellStructure(id);
    return true;
  }

  private takeRemoval(): boolean {
    const { state } = this;
    const { id } = this.reader;
    this.noteSequence();
    // An image taken after the removal does not hold it any more.
    if (!state.exists(id)) return true;
    if ((this.reader.flags & UNORDERED) === 0) this.bury(id, "");
    state.remove(id);
    this.pending[id] = 0;
    this.tellStructure(id);
    return true;
  }

  /** As `Applier.bury`: snapshots that are made here say what is gone. */
  private bury(id: number, renamedTo: string): void {
    const { doubles, term, origin } = this.reader;
    const { state } = this;
    const { tombstones } = state;
    const [sequence, timeUs] = [doubles[0] as number, doubles[1] as number];
    const [wasTerm, wasSequence] = [state.terms[id] as number, state.sequences[id] as number];
    tombstones.add({ path: state.pathOf(id), term, sequence, timeUs, origin, renamedTo, wasTerm, wasSequence });
    if (renamedTo !== "") tombstones.drop(renamedTo);
  }

  private takeOrigin(): boolean {
    const payload = this.reader.payload();
    if (payload === undefined) return false;
    const input = new ByteReader(payload);
    const node = decodeText(input.blob(NODE_LIMIT_BYTES));
    const surface = decodeText(input.blob(SURFACE_LIMIT_BYTES));
    return !input.failed && this.origins.intern(node, surface) === this.reader.id;
  }

  private takeStandings(): boolean {
    const bytes = this.reader.payload();
    if (bytes === undefined) return false;
    this.standings = { bytes, sequence: this.reader.doubles[0] as number };
    return true;
  }

  private takeTerm(): boolean {
    const payload = this.reader.payload();
    if (payload === undefined) return false;
    const input = new ByteReader(payload);
    const number = input.varint();
    const node = decodeText(input.blob(NODE_LIMIT_BYTES));
    this.sequence = this.reader.doubles[0] as number;
    return !input.failed && this.terms.intern(number, node) === this.reader.id;
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** An image that is not whole yet. Its tables begin as the node's, so that indexes in the ring mean the same here. */
class Loading {
  readonly state: State;
  readonly terms = new TermTable();
  readonly origins = new OriginTable();
  readonly decoder: ImageDecoder;

  constructor(capacity: number, terms: readonly Term[], origins: readonly Origin[]) {
    this.state = new State(capacity);
    for (const term of terms.slice(1)) this.terms.intern(term.number, term.node);
    for (const origin of origins.slice(1)) this.origins.intern(origin.node, origin.surface);
    this.decoder = new ImageDecoder(this);
  }
}
