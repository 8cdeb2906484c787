/**
 * Write frame: a follower's writes on their way to the controller, as bytes.
 *
 * A frame says from which write on it is complete: it holds every write from there to its last that still counts (one
 * that a newer write to the same path replaced is left out). So the controller takes writes in order, each once,
 * without a window: what it already has it skips, and a frame that begins too late it drops, to be sent again.
 *
 * It says when it left by the writer's own time, and by how much that may be off the session's: so a write's age is
 * known even where the writer's clock is not.
 *
 *   write = term u32, first u48, acknowledged u48, time u56, sent u56, bound u32, entries
 *   entry = flags u8 (kind 3 bits, named, surface follows, grouped), sequence gap varint, surface varint [name blob],
 *           id varint or path blob, gesture varint, time zigzag, then layout u8 + value, or payload blob
 */
import { ByteReader, ByteWriter } from "../base/bytes.js";
import { Layout, layoutOf } from "./content.js";
import type { ValueType } from "../state/declaration.js";

export const WriteKind = {
  /** The writer's origin lets go of a path that it moved. */
  release: 0,
  value: 1,
  trigger: 2,
  declare: 3,
  rename: 4,
  remove: 5,
  /** Ends a group: the grouped writes before it change together. It has no path. */
  groupEnd: 6,
  /** A write that was given up meanwhile; its place in the order stays. It has no path. */
  void: 7,
} as const;
export type WriteKind = (typeof WriteKind)[keyof typeof WriteKind];

const KIND_MASK = 7;
const FLAG_NAMED = 8;
const FLAG_SURFACE = 16;
const FLAG_GROUPED = 32;
export const PATH_LIMIT_BYTES = 255;
export const SURFACE_LIMIT_BYTES = 255;
const SURFACES_PER_FRAME = 32;
const FAR = 0x7fff_ffff;
const EMPTY = new Uint8Array(0);

/** A frame's bound when nothing is known of how far off the writer's time is. */
export const BOUND_UNKNOWN_US = 0xffff_ffff;

/** One write, for the writer; a reused object. */
export class WriteRecord {
  kind: WriteKind = WriteKind.value;
  isGrouped = false;
  id = 0;
  /** Set when the controller does not know the id: the path goes instead. */
  path: string | undefined = undefined;
  /** The surface's index on the writing node, and its name. */
  surface = 0;
  surfaceName = "";
  gesture = 0;
  type: ValueType | 0 = 0;
  readonly numbers = new Float64Array(4);
  bytes: Uint8Array = EMPTY;
  /** [0] write sequence, [1] hybrid time in microseconds. */
  readonly doubles = new Float64Array(2);
}

export class WriteFrameWriter {
  private readonly out: ByteWriter;
  private readonly encoder = new TextEncoder();
  private readonly named = new Int32Array(SURFACES_PER_FRAME);
  private namedCount = 0;
  /** [0] last sequence, [1] time base. */
  private readonly registers = new Float64Array(2);
  count = 0;

  constructor(plain: Uint8Array) {
    this.out = new ByteWriter(plain);
  }

  /**
   * `first`: from where on the frame is complete; `acknowledged`: up to where the writer knows its writes taken;
   * `sentUs`: the writer's session time now, off by `boundUs` at most.
   */
  begin(term: number, first: number, acknowledged: number, timeUs: number, sentUs: number, boundUs: number): void {
    const { out } = this;
    out.reset(0, out.buffer.length);
    out.u32(term);
    out.u48(first);
    out.u48(acknowledged);
    out.u56(timeUs);
    out.u56(sentUs);
    out.u32(boundUs);
    this.registers[0] = first;
    this.registers[1] = timeUs;
    this.namedCount = 0;
    this.count = 0;
  }

  /** False when it does not fit: the frame is as it was. */
  add(write: WriteRecord): boolean {
    const timeOffset = (write.doubles[1] as number) - (this.registers[1] as number);
    // 32 bits are 35 minutes: what waited longer goes in a frame of its own time.
    if (timeOffset <= -FAR || timeOffset >= FAR) return false;
    const { out } = this;
    const offset = out.offset;
    const named = this.namedCount;
    this.write(write);
    if (out.overflow) {
      out.overflow = false;
      out.offset = offset;
      this.namedCount = named;
      return false;
    }
    this.registers[0] = write.doubles[0] as number;
    this.count++;
    return true;
  }

  private write(write: WriteRecord): void {
    const { out } = this;
    const isNewSurface = this.noteSurface(write.surface);
    out.u8(
      write.kind |
        (write.path === undefined ? 0 : FLAG_NAMED) |
        (isNewSurface ? FLAG_SURFACE : 0) |
        (write.isGrouped ? FLAG_GROUPED : 0),
    );
    out.varint((write.doubles[0] as number) - (this.registers[0] as number));
    out.varint(write.surface);
    if (isNewSurface) out.blob(this.encoder.encode(write.surfaceName));
    if (write.path === undefined) out.varint(write.id);
    else out.blob(this.encoder.encode(write.path));
    out.varint(write.gesture);
    out.zigzag(((write.doubles[1] as number) - (this.registers[1] as number)) | 0);
    if (write.kind === WriteKind.value) this.value(write);
    else out.blob(write.bytes);
  }

  private noteSurface(surface: number): boolean {
    for (let index = 0; index < this.namedCount; index++) if (this.named[index] === surface) return false;
    if (this.namedCount < SURFACES_PER_FRAME) this.named[this.namedCount++] = surface;
    return true;
  }

  private value(write: WriteRecord): void {
    const { out } = this;
    const layout = layoutOf(write.type as ValueType);
    out.u8(layout);
    if (layout === Layout.text) out.blob(write.bytes);
    // Doubles, so that what the writer shows as pending is to the bit what the controller gets.
    else if (layout < Layout.pair) out.f64(write.numbers[0] as number);
    else for (let lane = 0; lane < layout - Layout.pair + 2; lane++) out.f32(write.numbers[lane] as number);
  }

  get length(): number {
    return this.out.offset;
  }

  /** The frame so far, as a view. */
  bytes(): Uint8Array {
    return this.out.buffer.subarray(0, this.out.offset);
  }
}

/** What takes writes in. The reader's fields hold the write; valid during the call. False ends the frame. */
export interface WriteSink {
  /** Whether a frame that is complete from `first` on may be taken. */
  onWriteFrame(term: number, first: number, acknowledged: number): boolean;
  onWrite(reader: WriteFrameReader): void;
}

/** One write as it was read. */
export interface WriteCopy {
  readonly kind: WriteKind;
  readonly id: number;
  readonly path: string | undefined;
  readonly surfaceName: string;
  readonly gesture: number;
  readonly layout: number;
  readonly lanes: number;
  readonly numbers: Float64Array;
  readonly bytes: Uint8Array;
  /** [0] write sequence, [1] hybrid time in microseconds. */
  readonly doubles: Float64Array;
}

export class WriteFrameReader implements WriteCopy {
  private readonly input = new ByteReader();
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  private readonly surfaces = new Map<number, string>();
  kind: WriteKind = WriteKind.value;
  isGrouped = false;
  id = 0;
  path: string | undefined = undefined;
  surfaceName = "";
  gesture = 0;
  layout = 0;
  lanes = 0;
  readonly numbers = new Float64Array(4);
  bytes: Uint8Array = EMPTY;
  /** [0] write sequence, [1] hybrid time, [2] time base; of the frame [3] when it left and [4] how far off that may be. */
  readonly doubles = new Float64Array(5);

  /** False when the bytes are no write frame; what came before the fault has been told. */
  read(buffer: Uint8Array, length: number, sink: WriteSink): boolean {
    const { input } = this;
    input.reset(buffer, 0, length);
    const term = input.u32();
    const first = input.u48();
    const acknowledged = input.u48();
    this.doubles[0] = first;
    this.doubles[2] = input.u56();
    this.doubles[3] = input.u56();
    this.doubles[4] = input.u32();
    if (input.failed) return false;
    if (!sink.onWriteFrame(term, first, acknowledged)) return true;
    this.surfaces.clear();
    while (input.remaining > 0) {
      this.entry();
      if (input.failed) return false;
      sink.onWrite(this);
    }
    return true;
  }

  private entry(): void {
    const { input } = this;
    const flags = input.u8();
    this.kind = (flags & KIND_MASK) as WriteKind;
    this.isGrouped = (flags & FLAG_GROUPED) !== 0;
    this.doubles[0] = (this.doubles[0] as number) + input.varint();
    const surface = input.varint();
    if ((flags & FLAG_SURFACE) !== 0) {
      this.surfaces.set(surface, this.decoder.decode(input.blob(SURFACE_LIMIT_BYTES)));
    }
    this.surfaceName = this.surfaces.get(surface) ?? "";
    this.path = undefined;
    if ((flags & FLAG_NAMED) === 0) this.id = input.varint();
    else {
      this.id = -1;
      this.path = this.decoder.decode(input.blob(PATH_LIMIT_BYTES));
    }
    this.gesture = input.varint();
    this.doubles[1] = (this.doubles[2] as number) + input.zigzag();
    if (this.kind === WriteKind.value) this.value();
    else this.bytes = input.blob(input.remaining);
  }

  /** A copy that can be kept. */
  snapshot(): WriteCopy {
    return {
      kind: this.kind,
      id: this.id,
      path: this.path,
      surfaceName: this.surfaceName,
      gesture: this.gesture,
      layout: this.layout,
      lanes: this.lanes,
      numbers: this.numbers.slice(),
      bytes: this.bytes,
      doubles: this.doubles.slice(),
    };
  }

  private value(): void {
    const { input } = this;
    this.layout = input.u8();
    this.lanes = 0;
    this.bytes = EMPTY;
    if (this.layout === Layout.text) this.bytes = input.blob(input.remaining);
    else if (this.layout >= Layout.pair && this.layout <= Layout.quad) {
      this.lanes = this.layout - Layout.pair + 2;
      for (let lane = 0; lane < this.lanes; lane++) this.numbers[lane] = input.f32();
    } else if (this.layout >= Layout.bool && this.layout < Layout.pair) {
      this.lanes = 1;
      this.numbers[0] = input.f64();
    } else input.failed = true;
  }
}
