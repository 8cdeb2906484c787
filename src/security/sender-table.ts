/**
 * Sender table: the nodes whose frames have opened, each in a slot with a small dense index.
 *
 * Only a verified frame makes a slot, so nobody without the mesh key can fill the table. Looking a sender up costs no
 * allocation: the node id is compared as two words in an open-addressing table of indexes.
 */
import { NODE_ID_BYTES, NODE_ID_OFFSET, readWord, SESSION_OFFSET } from "../wire/envelope.js";
import { KEY_BYTES } from "./aead.js";

export const NO_SENDER = -1;
/** protocol.md has no figure; a node is pushed out for a new one only after this long without a frame. */
export const EVICT_SILENT_MS = 30_000;

export class SenderTable {
  readonly capacity: number;
  size = 0;
  private readonly ids: Int32Array;
  private readonly sessions: Int32Array;
  private readonly heardMs: Float64Array;
  private readonly keys: Uint8Array[];
  private readonly names: string[];
  /** Slot + 1 by hash of the node id; 0 is free. */
  private readonly index: Int32Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.ids = new Int32Array(capacity * 2);
    this.sessions = new Int32Array(capacity * 2);
    this.heardMs = new Float64Array(capacity);
    this.names = new Array<string>(capacity).fill("");
    const slab = new Uint8Array(capacity * KEY_BYTES);
    this.keys = Array.from({ length: capacity }, (_, slot) => slab.subarray(slot * KEY_BYTES, (slot + 1) * KEY_BYTES));
    this.index = new Int32Array(2 ** Math.ceil(Math.log2(capacity * 4)));
  }

  /** The slot of the node named in a header, or `NO_SENDER`. */
  find(header: Uint8Array): number {
    const high = readWord(header, NODE_ID_OFFSET);
    const low = readWord(header, NODE_ID_OFFSET + 4);
    const { ids, index } = this;
    const mask = index.length - 1;
    for (let place = high & mask; ; place = (place + 1) & mask) {
      const slot = (index[place] as number) - 1;
      if (slot < 0) return NO_SENDER;
      if (ids[slot * 2] === high && ids[slot * 2 + 1] === low) return slot;
    }
  }

  /**
   * A slot for a new sender: a free one, else that of the sender silent longest (its name is not ""), else
   * `NO_SENDER` when all were heard within `EVICT_SILENT_MS`.
   */
  freeSlot(nowMs: number): number {
    return this.size < this.capacity ? this.size : this.longestSilent(nowMs);
  }

  /** Gives a slot to the node named in a header. */
  put(slot: number, header: Uint8Array): void {
    const isFree = slot === this.size;
    this.ids[slot * 2] = readWord(header, NODE_ID_OFFSET);
    this.ids[slot * 2 + 1] = readWord(header, NODE_ID_OFFSET + 4);
    this.names[slot] = nodeName(header, NODE_ID_OFFSET);
    if (isFree) {
      this.size++;
      this.enter(slot);
    } else {
      this.rebuild();
    }
  }

  /** Whether the session in a header is the slot's. */
  inSession(slot: number, header: Uint8Array): boolean {
    const { sessions } = this;
    return (
      sessions[slot * 2] === readWord(header, SESSION_OFFSET) &&
      sessions[slot * 2 + 1] === readWord(header, SESSION_OFFSET + 4)
    );
  }

  /** Whether the session number in a header is above the slot's. */
  isNewer(slot: number, header: Uint8Array): boolean {
    return readWord(header, SESSION_OFFSET) >>> 0 > this.sessionNumber(slot);
  }

  startSession(slot: number, header: Uint8Array, key: Uint8Array): void {
    this.sessions[slot * 2] = readWord(header, SESSION_OFFSET);
    this.sessions[slot * 2 + 1] = readWord(header, SESSION_OFFSET + 4);
    this.key(slot).set(key);
  }

  key(slot: number): Uint8Array {
    return this.keys[slot] as Uint8Array;
  }

  /** The node id as 16 hex digits. */
  name(slot: number): string {
    return this.names[slot] as string;
  }

  sessionNumber(slot: number): number {
    return (this.sessions[slot * 2] as number) >>> 0;
  }

  /** The random half of the slot's session. */
  boot(slot: number): number {
    return (this.sessions[slot * 2 + 1] as number) >>> 0;
  }

  heard(slot: number, nowMs: number): void {
    this.heardMs[slot] = nowMs;
  }

  private longestSilent(nowMs: number): number {
    let oldest = 0;
    for (let slot = 1; slot < this.capacity; slot++) {
      if ((this.heardMs[slot] as number) < (this.heardMs[oldest] as number)) oldest = slot;
    }
    return nowMs - (this.heardMs[oldest] as number) >= EVICT_SILENT_MS ? oldest : NO_SENDER;
  }

  private enter(slot: number): void {
    const { index } = this;
    const mask = index.length - 1;
    let place = (this.ids[slot * 2] as number) & mask;
    while (index[place] !== 0) place = (place + 1) & mask;
    index[place] = slot + 1;
  }

  private rebuild(): void {
    this.index.fill(0);
    for (let slot = 0; slot < this.size; slot++) this.enter(slot);
  }
}

/** A node id as 16 hex digits. */
export function nodeName(bytes: Uint8Array, offset = 0): string {
  let name = "";
  for (let index = offset; index < offset + NODE_ID_BYTES; index++) {
    name += (bytes[index] as number).toString(16).padStart(2, "0");
  }
  return name;
}
