/**
 * Content: the changes inside one frame, as bytes. Written by the publisher, read by every follower.
 *
 * A content block stands for itself: the same bytes travel in the frame they were made for, in the journal of later
 * frames and in repairs. Values come in runs that share a layout and a context (origin, gesture, time), so a scalar
 * of a burst costs its id and its number. Sequences are implied: each change's is one more than the last, unless the
 * run is sparse. Every value says its own length by its layout, so a receiver that lacks the declaration can skip it.
 * Nothing here allocates per change, and nothing throws: a block that runs out of room or does not decode says so.
 *
 *   block   = flags u8, hybrid time u56 (microseconds), sequence u48, sections
 *   run     = tag 0cs0llll (c context, s sparse, l layout), count u8, [origin varint, gesture varint, time zigzag],
 *             count x ([gap zigzag], id varint, value)
 *   event   = tag 1000kkkk, gap zigzag, id varint, origin varint, gesture varint, time zigzag, payload blob
 *   piece   = tag 110000lf (first, last), bytes blob: a part of an event that is longer than a frame
 *   taken   = tag 11100000, origin varint, session u32, write varint, refusals u8 x (write varint, reject u8): all
 *             writes of the origin's node up to this one are in the changes up to here, but for those refused
 */
import { ByteReader, ByteWriter } from "../base/bytes.js";
import type { EventKind } from "../state/change.js";
import { type ValueType, ValueType as Types } from "../state/declaration.js";
import { readRefusals, type Refusal } from "./standing.js";

/** How a value's bytes are laid out. */
export const Layout = {
  bool: 1,
  float32: 2,
  float64: 3,
  int: 4,
  index: 5,
  pair: 6,
  triple: 7,
  quad: 8,
  text: 9,
} as const;
export type Layout = (typeof Layout)[keyof typeof Layout];

const LAYOUT_OF_TYPE = new Uint8Array(16);
LAYOUT_OF_TYPE[Types.float] = Layout.float32;
LAYOUT_OF_TYPE[Types.double] = Layout.float64;
LAYOUT_OF_TYPE[Types.int] = Layout.int;
LAYOUT_OF_TYPE[Types.bool] = Layout.bool;
LAYOUT_OF_TYPE[Types.string] = Layout.text;
LAYOUT_OF_TYPE[Types.enum] = Layout.index;
LAYOUT_OF_TYPE[Types.color] = Layout.quad;
LAYOUT_OF_TYPE[Types.vec2] = Layout.pair;
LAYOUT_OF_TYPE[Types.vec3] = Layout.triple;
LAYOUT_OF_TYPE[Types.vec4] = Layout.quad;
LAYOUT_OF_TYPE[Types.quaternion] = Layout.quad;
LAYOUT_OF_TYPE[Types.blob] = Layout.text;

export function layoutOf(type: ValueType): Layout {
  return LAYOUT_OF_TYPE[type] as Layout;
}

export const BLOCK_HEADER_BYTES = 14;
const BLOCK_HAS_EVENTS = 1;
const RUN_CONTEXT = 0x40;
const RUN_SPARSE = 0x20;
const LAYOUT_MASK = 0x0f;
const RUN_LIMIT = 255;
const TAG_EVENT = 0x80;
const TAG_PIECE = 0xc0;
const TAG_TAKEN = 0xe0;
const PIECE_FIRST = 1;
const PIECE_LAST = 2;
/** An event longer than this is not made: 60,000 bytes of text and a little. */
export const EVENT_LIMIT_BYTES = 262_144;

/** What one change is, for the writer; a reused object. */
export class ChangeRecord {
  /** [0] sequence, [1] hybrid time in microseconds. */
  readonly doubles = new Float64Array(2);
  id = 0;
  origin = 0;
  gesture = 0;
}

/** Writes one block after another. */
export class ContentWriter {
  readonly out: ByteWriter;
  private start = 0;
  private runCountAt = -1;
  private runTag = 0;
  private origin = 0;
  private gesture = 0;
  private timeOffset = 0;
  /** [0] last sequence, [1] time base. */
  private readonly registers = new Float64Array(2);
  /** Changes in the block so far. */
  count = 0;

  constructor(buffer: Uint8Array) {
    this.out = new ByteWriter(buffer);
  }

  /** Begins a block at `offset`; it may fill up to `limit`. The first change's sequence and time are the base. */
  begin(offset: number, limit: number, first: ChangeRecord): void {
    const { out } = this;
    out.reset(offset, limit);
    this.start = offset;
    this.runCountAt = -1;
    this.count = 0;
    this.registers[0] = (first.doubles[0] as number) - 1;
    this.registers[1] = first.doubles[1] as number;
    out.u8(0);
    out.u56(first.doubles[1] as number);
    out.u48(first.doubles[0] as number);
  }

  /** Adds a value. False when it does not fit: the block is as it was. */
  value(
    change: ChangeRecord,
    type: ValueType,
    numbers: Float64Array,
    at: number,
    text: Uint8Array | undefined,
  ): boolean {
    if (!this.isNear(change)) return false;
    const { out } = this;
    const offset = out.offset;
    const gap = this.gapOf(change);
    this.openRun(change, LAYOUT_OF_TYPE[type] as number, gap);
    if ((this.runTag & RUN_SPARSE) !== 0) out.zigzag(gap);
    out.varint(change.id);
    this.scalar(this.runTag & LAYOUT_MASK, numbers, at, text);
    if (out.overflow) {
      out.overflow = false;
      out.offset = offset;
      this.runCountAt = -1;
      return false;
    }
    out.buffer[this.runCountAt] = (out.buffer[this.runCountAt] as number) + 1;
    this.registers[0] = change.doubles[0] as number;
    this.count++;
    return true;
  }

  /** Whether a change's sequence and time can be told from this block's: 32 bits are 35 minutes. */
  private isNear(change: ChangeRecord): boolean {
    const gap = (change.doubles[0] as number) - (this.registers[0] as number) - 1;
    const offset = (change.doubles[1] as number) - (this.registers[1] as number);
    return gap > -FAR && gap < FAR && offset > -FAR && offset < FAR;
  }

  private gapOf(change: ChangeRecord): number {
    return ((change.doubles[0] as number) - (this.registers[0] as number) - 1) | 0;
  }

  private offsetOf(change: ChangeRecord): number {
    return ((change.doubles[1] as number) - (this.registers[1] as number)) | 0;
  }

  /** Stays in the open run if layout and context are the same, else opens another. */
  private openRun(change: ChangeRecord, layout: number, gap: number): void {
    const { out } = this;
    const timeOffset = this.offsetOf(change);
    if (
      this.runCountAt >= 0 &&
      (this.runTag & LAYOUT_MASK) === layout &&
      change.origin === this.origin &&
      change.gesture === this.gesture &&
      timeOffset === this.timeOffset &&
      (gap === 0 || (this.runTag & RUN_SPARSE) !== 0) &&
      (out.buffer[this.runCountAt] as number) < RUN_LIMIT
    ) {
      return;
    }
    this.runTag = layout | (gap === 0 ? 0 : RUN_SPARSE) | RUN_CONTEXT;
    out.u8(this.runTag);
    this.runCountAt = out.offset;
    out.u8(0);
    out.varint(change.origin);
    out.varint(change.gesture);
    out.zigzag(timeOffset);
    this.origin = change.origin;
    this.gesture = change.gesture;
    this.timeOffset = timeOffset;
  }

  private scalar(layout: number, numbers: Float64Array, at: number, text: Uint8Array | undefined): void {
    const { out } = this;
    switch (layout) {
      case Layout.float32:
        out.f32At(numbers, at);
        return;
      case Layout.bool:
        out.u8(numbers[at] as number);
        return;
      case Layout.float64:
        out.f64(numbers[at] as number);
        return;
      case Layout.int:
        out.zigzag(numbers[at] as number);
        return;
      case Layout.index:
        out.varint(numbers[at] as number);
        return;
      case Layout.text:
        out.blob(text ?? EMPTY);
        return;
      default:
        for (let lane = 0; lane < layout - Layout.pair + 2; lane++) out.f32(numbers[at + lane] as number);
    }
  }

  /** Adds an event. False when it does not fit: the block is as it was. */
  event(kind: EventKind, change: ChangeRecord, payload: Uint8Array): boolean {
    if (!this.isNear(change)) return false;
    const { out } = this;
    const offset = out.offset;
    this.writeEvent(out, kind, change, payload);
    if (out.overflow) {
      out.overflow = false;
      out.offset = offset;
      return false;
    }
    this.registers[0] = change.doubles[0] as number;
    this.markEvents();
    return true;
  }

  private writeEvent(out: ByteWriter, kind: EventKind, change: ChangeRecord, payload: Uint8Array): void {
    out.u8(TAG_EVENT | kind);
    out.zigzag(this.gapOf(change));
    out.varint(change.id);
    out.varint(change.origin);
    out.varint(change.gesture);
    out.zigzag(this.offsetOf(change));
    out.blob(payload);
  }

  private markEvents(): void {
    const { buffer } = this.out;
    buffer[this.start] = (buffer[this.start] as number) | BLOCK_HAS_EVENTS;
    this.runCountAt = -1;
    this.count++;
  }

  /** Adds as much of an event's bytes (see `encodeEvent`) from `from` as fits. Answers how many bytes went in. */
  piece(bytes: Uint8Array, from: number): number {
    const { out } = this;
    const room = out.limit - out.offset - PIECE_OVERHEAD_BYTES;
    if (room <= 0) return 0;
    const size = Math.min(room, bytes.length - from);
    out.u8(TAG_PIECE | (from === 0 ? PIECE_FIRST : 0) | (from + size === bytes.length ? PIECE_LAST : 0));
    out.varint(size);
    out.bytes(bytes, from, from + size);
    this.markEvents();
    return size;
  }

  /** Says where a writer stands. False when it does not fit: the block is as it was. */
  taken(origin: number, session: number, write: number, refusals: readonly Refusal[]): boolean {
    const { out } = this;
    const offset = out.offset;
    out.u8(TAG_TAKEN);
    out.varint(origin);
    out.u32(session);
    out.varint(write);
    out.u8(refusals.length);
    for (let index = 0; index < refusals.length; index++) {
      const refusal = refusals[index] as Refusal;
      out.varint(refusal.write);
      out.u8(refusal.reject);
    }
    if (out.overflow) {
      out.overflow = false;
      out.offset = offset;
      return false;
    }
    this.markEvents();
    return true;
  }

  /** Ends the open run, so that what follows can be taken back by `rewind`. */
  closeRun(): void {
    this.runCountAt = -1;
  }

  /** Goes back to where the last run was closed (its `out.offset` and `count` then); the block must end there. */
  rewind(offset: number, count: number): void {
    this.out.offset = offset;
    this.out.overflow = false;
    this.runCountAt = -1;
    this.count = count;
  }

  /** Bytes of the block, from its header to here. */
  get length(): number {
    return this.out.offset - this.start;
  }
}

const FAR = 0x7fff_ffff;
const EMPTY = new Uint8Array(0);
const PIECE_OVERHEAD_BYTES = 4;
/** An event's own fields, and where its writer stands. */
const EVENT_EXTRA_BYTES = 1_024;

/**
 * An event's bytes as a block of its own, to be cut into pieces; undefined when it is too long to be sent at all.
 * `complete` adds what belongs to it.
 */
export function encodeEvent(
  kind: EventKind,
  change: ChangeRecord,
  payload: Uint8Array,
  complete: (writer: ContentWriter) => void = () => {},
): Uint8Array | undefined {
  if (payload.length > EVENT_LIMIT_BYTES) return undefined;
  const limit = payload.length + EVENT_EXTRA_BYTES;
  const writer = new ContentWriter(new Uint8Array(limit));
  writer.begin(0, limit, change);
  writer.event(kind, change, payload);
  complete(writer);
  return writer.out.buffer.subarray(0, writer.length);
}

/** What reads a block. The reader's fields hold the change; valid during the call. */
export interface ContentSink {
  onValue(reader: ContentReader): void;
  onEvent(reader: ContentReader): void;
  onPiece(reader: ContentReader): void;
  /** Where a writer stands: `origin`, `session`, `doubles[3]` and `refusals`. */
  onTaken(reader: ContentReader): void;
}

/** Reads blocks. All fields are of the change that the sink is called for. */
export class ContentReader {
  private readonly input = new ByteReader();
  id = 0;
  origin = 0;
  gesture = 0;
  layout: Layout | 0 = 0;
  kind: EventKind | 0 = 0;
  isFirstPiece = false;
  isLastPiece = false;
  readonly numbers = new Float64Array(4);
  session = 0;
  refusals: readonly Refusal[] = [];
  /** [0] sequence, [1] hybrid time in microseconds, [2] time base, [3] the newest write that was taken. */
  readonly doubles = new Float64Array(4);
  /** Where a text or payload lies in `buffer`. */
  buffer: Uint8Array = EMPTY;
  payloadStart = 0;
  payloadEnd = 0;

  /** A copy of the text's or event's bytes. */
  payload(): Uint8Array {
    return this.buffer.slice(this.payloadStart, this.payloadEnd);
  }

  /** Whether a block has events: those wait until every frame before it is here. */
  static hasEvents(buffer: Uint8Array, start: number): boolean {
    return ((buffer[start] as number) & BLOCK_HAS_EVENTS) !== 0;
  }

  /** Reads one block. False when its bytes are no block; what came before the fault has been told. */
  read(buffer: Uint8Array, start: number, end: number, sink: ContentSink): boolean {
    const { input } = this;
    input.reset(buffer, start, end);
    this.buffer = buffer;
    input.u8();
    this.doubles[2] = input.u56();
    this.doubles[0] = input.u48() - 1;
    while (input.offset < end && !input.failed) {
      const tag = input.u8();
      if ((tag & 0x80) === 0) this.run(tag, sink);
      else if ((tag & 0xc0) === TAG_EVENT) this.event(tag & 0x3f, sink);
      else if (tag === TAG_TAKEN) this.taken(sink);
      else this.piece(tag, sink);
    }
    return !input.failed;
  }

  private run(tag: number, sink: ContentSink): void {
    const { input } = this;
    const layout = tag & LAYOUT_MASK;
    if (layout < Layout.bool || layout > Layout.text) {
      input.failed = true;
      return;
    }
    this.layout = layout as Layout;
    const count = input.u8();
    if ((tag & RUN_CONTEXT) !== 0) this.context();
    const isSparse = (tag & RUN_SPARSE) !== 0;
    for (let index = 0; index < count; index++) {
      const gap = isSparse ? input.zigzag() : 0;
      this.doubles[0] = (this.doubles[0] as number) + 1 + gap;
      this.id = input.varint();
      this.scalar(layout);
      if (input.failed) return;
      sink.onValue(this);
    }
  }

  private context(): void {
    this.origin = this.input.varint();
    this.gesture = this.input.varint();
    this.doubles[1] = (this.doubles[2] as number) + this.input.zigzag();
  }

  private scalar(layout: number): void {
    const { input, numbers } = this;
    switch (layout) {
      case Layout.float32:
        numbers[0] = input.f32();
        return;
      case Layout.bool:
        numbers[0] = input.u8() === 0 ? 0 : 1;
        return;
      case Layout.float64:
        numbers[0] = input.f64();
        return;
      case Layout.int:
        numbers[0] = input.zigzag();
        return;
      case Layout.index:
        numbers[0] = input.varint();
        return;
      case Layout.text:
        this.blob();
        return;
      default:
        for (let lane = 0; lane < layout - Layout.pair + 2; lane++) numbers[lane] = input.f32();
    }
  }

  private blob(): void {
    const { input } = this;
    const length = input.varint();
    this.payloadStart = input.offset;
    input.skip(length);
    this.payloadEnd = input.offset;
  }

  private event(kind: number, sink: ContentSink): void {
    const { input } = this;
    this.kind = kind as EventKind;
    const gap = input.zigzag();
    this.doubles[0] = (this.doubles[0] as number) + 1 + gap;
    this.id = input.varint();
    this.context();
    this.blob();
    if (!input.failed) sink.onEvent(this);
  }

  private piece(tag: number, sink: ContentSink): void {
    this.isFirstPiece = (tag & PIECE_FIRST) !== 0;
    this.isLastPiece = (tag & PIECE_LAST) !== 0;
    this.blob();
    if (!this.input.failed) sink.onPiece(this);
  }

  private taken(sink: ContentSink): void {
    const { input } = this;
    this.origin = input.varint();
    this.session = input.u32();
    this.doubles[3] = input.varint();
    this.refusals = readRefusals(input);
    if (!input.failed) sink.onTaken(this);
  }
}
