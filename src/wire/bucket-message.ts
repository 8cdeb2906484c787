/**
 * Bucket messages: how a follower that differs from its controller finds out where, and gets what differs.
 *
 * It sends its own digests of a component by buckets; the controller answers with all it holds in those buckets whose
 * digests differ, in ranges of the hashes of the paths' names. A range stands for itself: what a node holds within it
 * and the range does not name is too much. A range that is longer than a datagram comes in parts. An ask may be sent by
 * any member of the mesh: the controller bounds what it costs.
 *
 *   ask   = term u32, component u8, 64 x (low u32, high u32)
 *   range = term u32, component u8, frame u48, sequence u48, first hash u32, last hash u32, part u16, parts u16, bytes
 */
import { ByteReader, ByteWriter } from "../base/bytes.js";
import { COMPONENTS } from "../state/component.js";
import { CHUNK_LIMIT_BYTES } from "../state/image.js";
import { BUCKETS } from "../state/digest.js";

export interface BucketAsk {
  readonly term: number;
  readonly component: number;
  /** Two words a bucket. */
  readonly digests: Int32Array;
}

export interface RangePart {
  readonly term: number;
  readonly component: number;
  /** All changes up to this frame and this sequence are in it. */
  readonly frame: number;
  readonly sequence: number;
  /** Hashes of path names, unsigned, both included. */
  readonly firstHash: number;
  readonly lastHash: number;
  readonly part: number;
  readonly parts: number;
  /** A part of a chunk of an image. */
  readonly bytes: Uint8Array;
}

const RANGE_HEADER_BYTES = 29;
/** As many as the longest chunk has in the smallest datagrams worth sending. */
const PARTS_MAX = Math.ceil(CHUNK_LIMIT_BYTES / 512);

export function writeBucketAsk(plain: Uint8Array, { term, component, digests }: BucketAsk): number {
  const out = new ByteWriter(plain);
  out.u32(term);
  out.u8(component);
  for (let word = 0; word < BUCKETS * 2; word++) out.u32(digests[word] as number);
  return out.overflow ? 0 : out.offset;
}

/** Undefined when the bytes are none. */
export function readBucketAsk(plain: Uint8Array, length: number): BucketAsk | undefined {
  const input = new ByteReader(plain, 0, length);
  const term = input.u32();
  const component = input.u8();
  const digests = new Int32Array(BUCKETS * 2);
  for (let word = 0; word < BUCKETS * 2; word++) digests[word] = input.i32();
  if (input.failed || input.remaining !== 0 || component >= COMPONENTS.length) return undefined;
  return { term, component, digests };
}

/** How many bytes of a range one datagram of `plainBytes` holds. */
export function rangePartBytes(plainBytes: number): number {
  return plainBytes - RANGE_HEADER_BYTES;
}

/** Answers the length in `plain`. */
export function writeRangePart(plain: Uint8Array, range: RangePart): number {
  const out = new ByteWriter(plain);
  out.u32(range.term);
  out.u8(range.component);
  out.u48(range.frame);
  out.u48(range.sequence);
  out.u32(range.firstHash);
  out.u32(range.lastHash);
  out.u16(range.part);
  out.u16(range.parts);
  out.bytes(range.bytes);
  return out.overflow ? 0 : out.offset;
}

/** Undefined when the bytes are none. Its own bytes are a copy. */
export function readRangePart(plain: Uint8Array, length: number): RangePart | undefined {
  const input = new ByteReader(plain, 0, length);
  const term = input.u32();
  const component = input.u8();
  const frame = input.u48();
  const sequence = input.u48();
  const firstHash = input.u32();
  const lastHash = input.u32();
  const part = input.u16();
  const parts = input.u16();
  if (input.failed || component >= COMPONENTS.length || firstHash > lastHash) return undefined;
  if (parts === 0 || parts > PARTS_MAX || part >= parts) return undefined;
  const bytes = input.bytes(input.remaining);
  return { term, component, frame, sequence, firstHash, lastHash, part, parts, bytes };
}
