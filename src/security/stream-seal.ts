/**
 * Stream seal: cuts a TCP stream into sealed records and back. [length u32][ciphertext][tag], the length
 * authenticated with the rest; the nonce is the record's number, so a record can be neither repeated, moved nor left
 * out in the middle. One key per connection and direction (`deriveSnapshotKey`).
 *
 * What it cannot see: a stream cut off between two records. What is carried must say itself when it is complete.
 * The opener takes chunks cut anywhere, never throws on bytes, and holds one record at most.
 */
import { assert } from "../base/assert.js";
import { TAG_BYTES } from "../wire/envelope.js";
import { KEY_BYTES, NONCE_BYTES, openBytes, sealBytes } from "./aead.js";

/** The longest record, tag included, without its length field. */
export const RECORD_MAX_BYTES = 65_536;
export const RECORD_PLAIN_MAX_BYTES = RECORD_MAX_BYTES - TAG_BYTES;
const LENGTH_BYTES = 4;

export class StreamSealer {
  private readonly key: Uint8Array;
  private readonly nonce = new Uint8Array(NONCE_BYTES);
  records = 0;

  /** `key`: 32 bytes, of this connection and direction alone. */
  constructor(key: Uint8Array) {
    assert(key.length === KEY_BYTES, "a stream key has 32 bytes");
    this.key = key.slice();
  }

  /** Seals up to 65,520 bytes into a record of its own buffer, because a TCP write keeps the buffer it was given. */
  seal(plain: Uint8Array): Uint8Array {
    assert(plain.length <= RECORD_PLAIN_MAX_BYTES, "a record holds at most 65,520 bytes");
    const sealedLength = plain.length + TAG_BYTES;
    const record = new Uint8Array(LENGTH_BYTES + sealedLength);
    new DataView(record.buffer).setUint32(0, sealedLength);
    writeRecordNonce(this.nonce, this.records++);
    sealBytes(record.subarray(LENGTH_BYTES), plain, record.subarray(0, LENGTH_BYTES), this.nonce, this.key);
    return record;
  }
}

export const StreamResult = {
  ok: 0,
  /** A length above 65,536: not our stream, or another key's. */
  tooLong: 1,
  /** A length that has no room for a tag. */
  tooShort: 2,
  /** The tag failed: forged, damaged, out of order, or sealed with another key. */
  forged: 3,
} as const;
export type StreamResult = (typeof StreamResult)[keyof typeof StreamResult];

export class StreamOpener {
  /** After anything but `ok` the stream is over: every later chunk gets the same answer. */
  result: StreamResult = StreamResult.ok;
  records = 0;

  private readonly key: Uint8Array;
  private readonly nonce = new Uint8Array(NONCE_BYTES);
  private readonly held = new Uint8Array(LENGTH_BYTES + RECORD_MAX_BYTES);
  private heldBytes = 0;
  private readonly plain = new Uint8Array(RECORD_PLAIN_MAX_BYTES);

  constructor(key: Uint8Array) {
    assert(key.length === KEY_BYTES, "a stream key has 32 bytes");
    this.key = key.slice();
  }

  /** Whether the bytes so far end between two records. */
  get isBetweenRecords(): boolean {
    return this.heldBytes === 0;
  }

  /** Takes the next bytes of the stream; gives each record to `sink` as a view that is good during the call only. */
  push(chunk: Uint8Array, sink: (plain: Uint8Array) => void): StreamResult {
    let at = 0;
    while (this.result === StreamResult.ok && at < chunk.length) {
      at += this.fill(chunk, at, this.wantedBytes());
      if (this.heldBytes === LENGTH_BYTES) this.checkLength();
      if (this.result === StreamResult.ok && this.heldBytes === this.wantedBytes()) this.openRecord(sink);
    }
    return this.result;
  }

  /** How many bytes must be held before the next step: the length field, then the whole record. */
  private wantedBytes(): number {
    return this.heldBytes < LENGTH_BYTES ? LENGTH_BYTES : LENGTH_BYTES + this.recordLength();
  }

  private recordLength(): number {
    return new DataView(this.held.buffer).getUint32(0);
  }

  private fill(chunk: Uint8Array, at: number, wanted: number): number {
    const count = Math.min(wanted - this.heldBytes, chunk.length - at);
    this.held.set(chunk.subarray(at, at + count), this.heldBytes);
    this.heldBytes += count;
    return count;
  }

  private checkLength(): void {
    const length = this.recordLength();
    if (length > RECORD_MAX_BYTES) this.result = StreamResult.tooLong;
    else if (length < TAG_BYTES) this.result = StreamResult.tooShort;
  }

  private openRecord(sink: (plain: Uint8Array) => void): void {
    const length = this.recordLength();
    const sealed = this.held.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
    const plain = this.plain.subarray(0, length - TAG_BYTES);
    writeRecordNonce(this.nonce, this.records);
    this.heldBytes = 0;
    if (!openBytes(plain, sealed, this.held.subarray(0, LENGTH_BYTES), this.nonce, this.key)) {
      this.result = StreamResult.forged;
      return;
    }
    this.records++;
    sink(plain);
  }
}

function writeRecordNonce(nonce: Uint8Array, record: number): void {
  const view = new DataView(nonce.buffer, nonce.byteOffset, NONCE_BYTES);
  view.setUint32(4, Math.floor(record / 0x1_0000_0000));
  view.setUint32(8, record >>> 0);
}
