/**
 * Conflated: what the controller sends one follower by unicast in place of frames that it cannot keep up with.
 *
 * A round stands for all frames of the stream from `since + 1` to `through`: their contents without the values that later
 * ones of the round replace. It comes in a few parts, and acts once all of them are here: the follower goes from one
 * place of the stream to another, and what it holds is always something that the controller held. Nothing here decides
 * what may be left out (`sync/conflation.ts`).
 *
 *   round part = term u32, since u48, through u48, round u16, parts u8, part u8, reason u8, entries until the end
 *   entry      = frame - since varint, length varint, block
 *   answer     = term u32, complete u48, round u16, parts that are here u32 (bits)
 */
import { ByteReader, ByteWriter } from "../base/bytes.js";

/** As many parts as an answer has bits to tell of them, or fewer. */
export const ROUND_PARTS_MAX = 16;
/** Frames that a round stands for, at most. */
export const ROUND_FRAMES_MAX = 1_024;
export const PART_HEADER_BYTES = 4 + 6 + 6 + 2 + 1 + 1 + 1;
const ANSWER_BYTES = 4 + 6 + 2 + 4;
const FRAME_LIMIT = 2 ** 48;

/** Why a follower gets rounds. */
export const ConflatedReason = {
  /** It loses much more than the others. */
  slow: 1,
  /** The group does not reach it, nor had the controller a place left for whole copies. */
  cutOff: 2,
} as const;
export type ConflatedReason = (typeof ConflatedReason)[keyof typeof ConflatedReason];

export interface RoundPart {
  readonly term: number;
  readonly since: number;
  readonly through: number;
  /** Counts the rounds to one follower. */
  readonly round: number;
  readonly parts: number;
  readonly part: number;
  readonly reason: ConflatedReason;
}

/** What a follower has of a round. */
export interface RoundAnswer {
  readonly term: number;
  /** All frames up to this one are here. */
  readonly complete: number;
  readonly round: number;
  readonly here: number;
}

/** Writes a part; `entries` are entries as `writeEntry` wrote them. Answers the message's length. */
export function writeRoundPart(plain: Uint8Array, head: RoundPart, entries: Uint8Array): number {
  const out = new ByteWriter(plain);
  out.u32(head.term);
  out.u48(head.since);
  out.u48(head.through);
  out.u16(head.round);
  out.u8(head.parts);
  out.u8(head.part);
  out.u8(head.reason);
  out.bytes(entries);
  return out.offset;
}

/** Adds a frame's block; the writer says `overflow` when it does not fit. */
export function writeEntry(out: ByteWriter, offset: number, bytes: Uint8Array, start: number, end: number): void {
  out.varint(offset);
  out.varint(end - start);
  out.bytes(bytes, start, end);
}

/** Undefined when the bytes are no part. Its entries begin at `PART_HEADER_BYTES`. */
export function readRoundPart(plain: Uint8Array, length: number): RoundPart | undefined {
  const input = new ByteReader(plain, 0, length);
  const term = input.u32();
  const since = input.u48();
  const through = input.u48();
  const round = input.u16();
  const parts = input.u8();
  const part = input.u8();
  const reason = input.u8();
  if (input.failed || through < since || through - since > ROUND_FRAMES_MAX) return undefined;
  if (parts < 1 || parts > ROUND_PARTS_MAX || part >= parts) return undefined;
  if (reason !== ConflatedReason.slow && reason !== ConflatedReason.cutOff) return undefined;
  return { term, since, through, round, parts, part, reason };
}

/** Reads the entries of a round, one after the other. */
export class EntryReader {
  private readonly input = new ByteReader();
  private since = 0;
  private through = 0;
  /** The entry's frame, and where its block lies. */
  frame = 0;
  start = 0;
  end = 0;

  begin(buffer: Uint8Array, start: number, end: number, { since, through }: RoundPart): void {
    this.input.reset(buffer, start, end);
    this.since = since;
    this.through = through;
    this.frame = since;
  }

  /** Goes to the next entry. False at the end, or where the bytes are none: then `failed`. */
  next(): boolean {
    const { input } = this;
    if (input.failed || input.remaining === 0) return false;
    const frame = this.since + input.varint();
    const size = input.varint();
    this.start = input.offset;
    input.skip(size);
    this.end = input.offset;
    // Entries rise, so that nothing stands for two contents of a frame.
    if (frame <= this.frame || frame > this.through) input.failed = true;
    this.frame = frame;
    return !input.failed;
  }

  get failed(): boolean {
    return this.input.failed;
  }
}

/** Answers the message's length. */
export function writeRoundAnswer(plain: Uint8Array, answer: RoundAnswer): number {
  const out = new ByteWriter(plain);
  out.u32(answer.term);
  out.u48(answer.complete);
  out.u16(answer.round);
  out.u32(answer.here);
  return out.offset;
}

/** Undefined when the bytes are none. */
export function readRoundAnswer(plain: Uint8Array, length: number): RoundAnswer | undefined {
  if (length !== ANSWER_BYTES) return undefined;
  const input = new ByteReader(plain, 0, length);
  const answer = { term: input.u32(), complete: input.u48(), round: input.u16(), here: input.u32() };
  return answer.complete < FRAME_LIMIT && answer.here < 2 ** ROUND_PARTS_MAX ? answer : undefined;
}
