/**
 * Write part: a piece of a write frame that is longer than a datagram (a long text, blob or declaration).
 *
 *   part = term u32, write u48, parts u16, index u16, bytes
 *
 * The pieces of one write are the same bytes however often they are sent, so a repeated piece fills what was lost.
 */
import { ByteReader, ByteWriter } from "../base/bytes.js";

const HEADER_BYTES = 14;
/** More pieces than the longest write needs; what claims more is refused. */
export const WRITE_PARTS_MAX = 128;

/** How many pieces bytes take, with room for `limitBytes` each, header included. */
export function partsOf(length: number, limitBytes: number): number {
  return Math.ceil(length / (limitBytes - HEADER_BYTES));
}

/** Writes one piece into `plain`; answers its length. */
export function writePart(plain: Uint8Array, whole: Uint8Array, term: number, write: number, index: number): number {
  const out = new ByteWriter(plain);
  const size = plain.length - HEADER_BYTES;
  out.u32(term);
  out.u48(write);
  out.u16(partsOf(whole.length, plain.length));
  out.u16(index);
  out.bytes(whole, index * size, Math.min(whole.length, (index + 1) * size));
  return out.offset;
}

export interface WritePart {
  readonly term: number;
  readonly write: number;
  readonly parts: number;
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** Undefined when the bytes are no piece. */
export function readPart(plain: Uint8Array, length: number): WritePart | undefined {
  const input = new ByteReader(plain, 0, length);
  const term = input.u32();
  const write = input.u48();
  const parts = input.u16();
  const index = input.u16();
  const bytes = input.bytes(input.remaining);
  const isSound = !input.failed && parts > 0 && parts <= WRITE_PARTS_MAX && index < parts;
  return isSound ? { term, write, parts, index, bytes } : undefined;
}
