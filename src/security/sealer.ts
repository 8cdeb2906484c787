/**
 * Sealer: turns a body into a sealed datagram of this node and boot.
 *
 * The caller writes the body into `plain`, seals, and sends `view(length)`. Every call takes a new packet counter,
 * repairs included, because the counter is the nonce: one nonce is never used twice with one key. One sealer exists
 * per session, and a session id is never used for two sealers. Nothing is allocated per call.
 */
import { assert } from "../base/assert.js";
import {
  BODY_MAX_BYTES,
  COUNTER_BYTES,
  COUNTER_LIMIT,
  COUNTER_OFFSET,
  DATAGRAM_MAX_BYTES,
  DATAGRAM_MIN_BYTES,
  FLAGS_OFFSET,
  HEADER_BYTES,
  NODE_ID_BYTES,
  NODE_ID_OFFSET,
  SESSION_BYTES,
  SESSION_OFFSET,
  TYPE_OFFSET,
  writeCounter,
  writeSenderHeader,
  writeSessionNumber,
} from "../wire/envelope.js";
import { type FrameCipher, KEY_BYTES, NONCE_BYTES, SODIUM } from "./aead.js";
import { deriveFrameKey } from "./mesh-identity.js";
import { ViewCache } from "./view-cache.js";

const TWO_32 = 0x1_0000_0000;
const PACKETS = 0;
const BYTES = 1;

export class Sealer {
  /** The body goes here: 1,154 bytes. */
  readonly plain = new Uint8Array(BODY_MAX_BYTES);
  /** The sealed datagram: 1,200 bytes, overwritten by the next `seal`. */
  readonly datagram = new Uint8Array(DATAGRAM_MAX_BYTES);

  private readonly cipher: FrameCipher;
  private readonly meshKey: Uint8Array;
  private readonly key = new Uint8Array(KEY_BYTES);
  private readonly nonce = new Uint8Array(NONCE_BYTES);
  private readonly header = this.datagram.subarray(0, HEADER_BYTES);
  private readonly plainViews = new ViewCache(this.plain);
  private readonly sealedViews = new ViewCache(this.datagram, HEADER_BYTES);
  private readonly datagramViews = new ViewCache(this.datagram);
  private readonly totals = new Float64Array(2);

  /** `meshKey`: 32 bytes; `nodeId` and `session`: 8 bytes each. */
  constructor(
    meshKey: Uint8Array,
    meshTag: number,
    nodeId: Uint8Array,
    session: Uint8Array,
    cipher: FrameCipher = SODIUM,
  ) {
    assert(nodeId.length === NODE_ID_BYTES, "a node id has 8 bytes");
    assert(session.length === SESSION_BYTES, "a session id has 8 bytes");
    this.cipher = cipher;
    this.meshKey = meshKey.slice();
    writeSenderHeader(this.header, meshTag, nodeId, session);
    deriveFrameKey(this.key, meshKey, this.header, NODE_ID_OFFSET);
  }

  /** Datagrams sealed, which is the packet counter of the newest one: the first has 1. */
  get packets(): number {
    return this.totals[PACKETS] as number;
  }

  /** Bytes of all datagrams sealed, headers and tags included. */
  get bytesSealed(): number {
    return this.totals[BYTES] as number;
  }

  /** What is sealed from now on is of a session with this number, and a key of its own. The counter goes on. */
  raiseSession(number: number): void {
    writeSessionNumber(this.header, SESSION_OFFSET, number);
    deriveFrameKey(this.key, this.meshKey, this.header, NODE_ID_OFFSET);
  }

  /** Seals the first `bodyLength` bytes of `plain`; returns the length of the datagram. */
  seal(type: number, flags: number, bodyLength: number): number {
    assert(bodyLength >= 0 && bodyLength <= BODY_MAX_BYTES, "a body has at most 1,154 bytes");
    const { header, totals } = this;
    header[TYPE_OFFSET] = type;
    header[FLAGS_OFFSET] = flags;
    this.takeCounter();
    const sealed = this.sealedViews.of(bodyLength + DATAGRAM_MIN_BYTES - HEADER_BYTES);
    this.cipher.seal(sealed, this.plainViews.of(bodyLength), header, this.nonce, this.key);
    const length = DATAGRAM_MIN_BYTES + bodyLength;
    totals[BYTES] = (totals[BYTES] as number) + length;
    return length;
  }

  /** Seals a stored body again, for a repair: new counter, so a new datagram. */
  sealFrom(type: number, flags: number, source: Uint8Array, length: number): number {
    assert(length <= source.length && length <= BODY_MAX_BYTES, "a stored body fits a datagram");
    const { plain } = this;
    if (source.length === length) plain.set(source);
    else for (let index = 0; index < length; index++) plain[index] = source[index] as number;
    return this.seal(type, flags, length);
  }

  /** The first `length` bytes of the datagram; the same object for the same length. */
  view(length: number): Uint8Array {
    return this.datagramViews.of(length);
  }

  private takeCounter(): void {
    const { header, nonce, totals } = this;
    const counter = (totals[PACKETS] as number) + 1;
    assert(counter < COUNTER_LIMIT, "the packet counter is used up: start a new session");
    totals[PACKETS] = counter;
    writeCounter(header, (counter / TWO_32) | 0, counter | 0);
    for (let index = 0; index < COUNTER_BYTES; index++) {
      nonce[NONCE_BYTES - COUNTER_BYTES + index] = header[COUNTER_OFFSET + index] as number;
    }
  }
}
