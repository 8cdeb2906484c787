/**
 * Address table: the bytes of an OSC address, as they lie in a datagram, to the id of a path. No string is made on a hit.
 *
 * A cache before the state's own maps, open-addressed on typed arrays. It is never told of a declaration, a renaming
 * or a removal: every entry notes the generation of the tree in which it was true, and an entry of an older one is
 * looked up again, once, before it answers. So it cannot be out of step, and a tree of 100,000 paths is never copied.
 *
 * Addresses are chosen by whoever sends, so what they can cost is bounded: only paths and aliases that exist are kept,
 * a search looks at `PROBE_LIMIT` slots at most, and a full table begins again empty. The seed keeps hashes from being
 * foreseen.
 */
import { PATH_MAX_BYTES } from "../state/path.js";
import type { State } from "../state/state.js";

/** Slots that a search looks at before it asks the state instead. */
const PROBE_LIMIT = 32;
const INITIAL_ENTRIES = 512;
/** More than all paths and aliases of a full tree of 100,000. */
const ENTRY_LIMIT = 262_144;
const ADDRESS_BYTES_LIMIT = 16 * 1024 * 1024;
/** Golden ratio in 32 bits: an odd multiplier that spreads words well (Knuth, The Art of Computer Programming 6.4). */
const MULTIPLIER = 0x9e37_79b1 | 0;

export class AddressTable {
  private readonly state: State;
  private readonly seed: number;
  /** An entry's index plus one, or 0. Twice as many slots as entries. */
  private slots = new Int32Array(INITIAL_ENTRIES * 2);
  private hashes = new Int32Array(INITIAL_ENTRIES);
  private ids = new Int32Array(INITIAL_ENTRIES);
  private generations = new Int32Array(INITIAL_ENTRIES);
  private offsets = new Int32Array(INITIAL_ENTRIES);
  private lengths = new Uint8Array(INITIAL_ENTRIES);
  private texts: string[] = [];
  private addresses = new Uint8Array(INITIAL_ENTRIES * 32);
  private addressBytes = 0;
  private entryCount = 0;

  /** `seed`: 32 bits of chance. */
  constructor(state: State, seed: number) {
    this.state = state;
    this.seed = seed | 0;
  }

  /** Addresses held; for tests and metrics. */
  get size(): number {
    return this.entryCount;
  }

  /** The id of the path (or of the path with the alias) that these `length` bytes name, or -1. */
  lookup(bytes: Uint8Array, offset: number, length: number): number {
    if (length > PATH_MAX_BYTES) return -1;
    const { slots, hashes } = this;
    const mask = slots.length - 1;
    const hash = this.hash(bytes, offset, length);
    let slot = hash & mask;
    for (let probe = 0; probe < PROBE_LIMIT; probe++) {
      const entry = slots[slot] - 1;
      if (entry < 0) break;
      if (hashes[entry] === hash && this.isAt(entry, bytes, offset, length)) return this.current(entry);
      slot = (slot + 1) & mask;
    }
    return this.learn(bytes, offset, length, hash);
  }

  private hash(bytes: Uint8Array, offset: number, length: number): number {
    let hash = this.seed ^ length;
    let at = offset;
    const end = offset + length;
    for (; at + 4 <= end; at += 4) {
      const word = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
      hash = Math.imul(hash ^ word, MULTIPLIER);
      hash ^= hash >>> 15;
    }
    for (; at < end; at++) hash = Math.imul(hash ^ bytes[at], MULTIPLIER);
    return hash ^ (hash >>> 13);
  }

  private isAt(entry: number, bytes: Uint8Array, offset: number, length: number): boolean {
    if (this.lengths[entry] !== length) return false;
    const { addresses } = this;
    const start = this.offsets[entry];
    for (let at = 0; at < length; at++) if (addresses[start + at] !== bytes[offset + at]) return false;
    return true;
  }

  /** The id of an entry, asked again when the tree has changed since. */
  private current(entry: number): number {
    const generation = this.state.generation | 0;
    if (this.generations[entry] === generation) return this.ids[entry];
    const id = this.idOf(this.texts[entry]);
    this.ids[entry] = id;
    this.generations[entry] = generation;
    return id;
  }

  private idOf(text: string): number {
    const id = this.state.idOf(text);
    return id >= 0 ? id : this.state.idOfAlias(text);
  }

  /** Asks the state, and keeps what exists. */
  private learn(bytes: Uint8Array, offset: number, length: number, hash: number): number {
    let text = "";
    for (let at = offset; at < offset + length; at++) text += String.fromCharCode(bytes[at]);
    const id = this.idOf(text);
    if (id < 0) return -1;
    this.makeRoom(length);
    const slot = this.freeSlot(hash);
    if (slot < 0) return id;
    const entry = this.entryCount++;
    this.slots[slot] = entry + 1;
    this.hashes[entry] = hash;
    this.ids[entry] = id;
    this.generations[entry] = this.state.generation | 0;
    this.offsets[entry] = this.addressBytes;
    this.lengths[entry] = length;
    this.texts[entry] = text;
    for (let at = 0; at < length; at++) this.addresses[this.addressBytes + at] = bytes[offset + at];
    this.addressBytes += length;
    return id;
  }

  private freeSlot(hash: number): number {
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (let probe = 0; probe < PROBE_LIMIT; probe++) {
      if (this.slots[slot] === 0) return slot;
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  /** Room for one more entry and its bytes: the table doubles, up to its limits, and then begins again. */
  private makeRoom(length: number): void {
    if (this.entryCount === ENTRY_LIMIT || this.addressBytes + length > ADDRESS_BYTES_LIMIT) this.clear();
    if (this.entryCount === this.ids.length) this.doubleEntries();
    if (this.addressBytes + length <= this.addresses.length) return;
    const larger = new Uint8Array(this.addresses.length * 2);
    larger.set(this.addresses);
    this.addresses = larger;
  }

  private clear(): void {
    this.slots.fill(0);
    this.texts = [];
    this.entryCount = 0;
    this.addressBytes = 0;
  }

  private doubleEntries(): void {
    this.hashes = doubled(this.hashes);
    this.ids = doubled(this.ids);
    this.generations = doubled(this.generations);
    this.offsets = doubled(this.offsets);
    const lengths = new Uint8Array(this.lengths.length * 2);
    lengths.set(this.lengths);
    this.lengths = lengths;
    this.slots = new Int32Array(this.slots.length * 2);
    for (let entry = 0; entry < this.entryCount; entry++) {
      const slot = this.freeSlot(this.hashes[entry]);
      if (slot >= 0) this.slots[slot] = entry + 1;
    }
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
