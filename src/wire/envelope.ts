/**
 * Envelope: the layout of a sealed datagram. A clear header of 30 bytes (all of it authenticated), the sealed body,
 * a tag of 16 bytes.
 *
 * It exists so that the bytes are named in one place. It knows no key, opens nothing and judges nothing: whatever it
 * reads from a header is a claim until the tag has been verified (`security/opener.ts`).
 *
 *   offset  bytes  field
 *        0      1  protocol version
 *        1      1  frame type
 *        2      1  key epoch (0)
 *        3      1  flags
 *        4      4  mesh tag: tells meshes apart on a shared group, no secret
 *        8      8  node id
 *       16      8  session id: a number that only rises (4), random and the same for all of a boot (4)
 *       24      6  packet counter: new on every transmission, repairs included; the nonce
 *       30      n  sealed body
 *   30 + n     16  tag
 *
 * All integers are big-endian.
 */

/** The first byte of every datagram. Raise it when the bytes change meaning. */
export const PROTOCOL_VERSION = 1;
/** The only key epoch there is so far; kept in the header so that a later key rotation needs no new version. */
export const KEY_EPOCH = 0;

export const NODE_ID_BYTES = 8;
export const SESSION_BYTES = 8;
export const COUNTER_BYTES = 6;
export const TAG_BYTES = 16;

export const VERSION_OFFSET = 0;
export const TYPE_OFFSET = 1;
export const EPOCH_OFFSET = 2;
export const FLAGS_OFFSET = 3;
export const MESH_TAG_OFFSET = 4;
export const NODE_ID_OFFSET = 8;
export const SESSION_OFFSET = 16;
export const COUNTER_OFFSET = 24;
export const HEADER_BYTES = 30;

/** protocol.md: below the smallest MTU in use by a margin, so that no datagram is ever fragmented. */
export const DATAGRAM_MAX_BYTES = 1_200;
/** A header, an empty body and the tag. */
export const DATAGRAM_MIN_BYTES = HEADER_BYTES + TAG_BYTES;
/** The longest body a datagram can carry: 1,154 bytes. */
export const BODY_MAX_BYTES = DATAGRAM_MAX_BYTES - DATAGRAM_MIN_BYTES;

const TWO_32 = 0x1_0000_0000;
/** Packet counters lie below this. */
export const COUNTER_LIMIT = 0x1_0000 * TWO_32;

/** Writes everything that stays the same for all frames of one sender and boot. */
export function writeSenderHeader(header: Uint8Array, meshTag: number, nodeId: Uint8Array, session: Uint8Array): void {
  header[VERSION_OFFSET] = PROTOCOL_VERSION;
  header[EPOCH_OFFSET] = KEY_EPOCH;
  header[MESH_TAG_OFFSET] = meshTag >>> 24;
  header[MESH_TAG_OFFSET + 1] = meshTag >>> 16;
  header[MESH_TAG_OFFSET + 2] = meshTag >>> 8;
  header[MESH_TAG_OFFSET + 3] = meshTag;
  header.set(nodeId, NODE_ID_OFFSET);
  header.set(session, SESSION_OFFSET);
}

/** Writes the half of a session that rises, at the beginning of the session. */
export function writeSessionNumber(bytes: Uint8Array, offset: number, number: number): void {
  bytes[offset] = number >>> 24;
  bytes[offset + 1] = number >>> 16;
  bytes[offset + 2] = number >>> 8;
  bytes[offset + 3] = number;
}

/** Writes the packet counter given as its high 16 and low 32 bits (small integers cost no allocation). */
export function writeCounter(header: Uint8Array, high: number, low: number): void {
  header[COUNTER_OFFSET] = high >>> 8;
  header[COUNTER_OFFSET + 1] = high;
  header[COUNTER_OFFSET + 2] = low >>> 24;
  header[COUNTER_OFFSET + 3] = low >>> 16;
  header[COUNTER_OFFSET + 4] = low >>> 8;
  header[COUNTER_OFFSET + 5] = low;
}

/** The 32 bits at `offset` as a signed integer: right for comparing, and never boxed. */
export function readWord(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] as number) << 24) |
    ((bytes[offset + 1] as number) << 16) |
    ((bytes[offset + 2] as number) << 8) |
    (bytes[offset + 3] as number)
  );
}

/** Reads the packet counter into `register[index]`. */
export function readCounter(header: Uint8Array, register: Float64Array, index: number): void {
  const high = ((header[COUNTER_OFFSET] as number) << 8) | (header[COUNTER_OFFSET + 1] as number);
  register[index] = high * TWO_32 + (readWord(header, COUNTER_OFFSET + 2) >>> 0);
}
