/**
 * Conflation: the contents of a stretch of frames without what later ones of it replace. Newest value per path wins.
 *
 * An event stays what it is, where it is, with all that was before it: values are left out only where no event stands
 * between them and the newer one. So whoever takes the stretch in as a whole stands where the controller stood, and an
 * impulse finds the values that were there when it was fired. Where a writer stands is said once, by the last that says
 * it. A block with an event goes as it is. Pure; knows no follower and no time.
 */
import { ByteWriter } from "../base/bytes.js";
import { ValueType } from "../state/declaration.js";
import { ChangeRecord, ContentReader, type ContentSink, ContentWriter, Layout } from "../wire/content.js";
import { BODY_MAX_BYTES } from "../wire/envelope.js";
import { PART_HEADER_BYTES, ROUND_FRAMES_MAX, ROUND_PARTS_MAX, writeEntry } from "../wire/conflated.js";
import { CONTENT_LIMIT_BYTES, type SentRing } from "./sent-ring.js";

const PART_BYTES = BODY_MAX_BYTES - PART_HEADER_BYTES;
/** A writer's key is made of two numbers of 16 and 32 bits; ids are below. */
const WRITER_KEYS = 2 ** 32;

/** A type of each layout: what is written is a layout. */
const TYPE_OF_LAYOUT: Readonly<Record<Layout, ValueType>> = {
  [Layout.bool]: ValueType.bool,
  [Layout.float32]: ValueType.float,
  [Layout.float64]: ValueType.double,
  [Layout.int]: ValueType.int,
  [Layout.index]: ValueType.enum,
  [Layout.pair]: ValueType.vec2,
  [Layout.triple]: ValueType.vec3,
  [Layout.quad]: ValueType.vec4,
  [Layout.text]: ValueType.blob,
};

/** Why a block is read. */
const Act = { look: 0, note: 1, write: 2 } as const;
type Act = (typeof Act)[keyof typeof Act];

export interface Stretch {
  /** All frames up to this one are in it. */
  readonly through: number;
  /** The entries of each part; one at least, which may be empty. */
  readonly parts: readonly Uint8Array[];
}

export class Conflation implements ContentSink {
  private readonly sent: SentRing;
  private readonly reader = new ContentReader();
  private readonly writer = new ContentWriter(new Uint8Array(CONTENT_LIMIT_BYTES));
  private readonly change = new ChangeRecord();
  /** The last frame of a run without events that has a path, or where a writer stands. */
  private readonly lastIn = new Map<number, number>();
  private hasEvent = false;
  private act: Act = Act.look;
  private isCut = false;
  private frame = 0;
  private isBegun = false;

  constructor(sent: SentRing) {
    this.sent = sent;
  }

  /** The frames after `since`, as many as fit. Undefined when the ring no longer has them all. */
  stretch(since: number): Stretch | undefined {
    const { sent } = this;
    if (since < sent.newest && !sent.has(since + 1)) return undefined;
    let through = Math.min(sent.newest, since + ROUND_FRAMES_MAX);
    for (;;) {
      const parts = this.parts(since, through);
      if (parts !== undefined) return { through, parts };
      // A frame by itself fits a part.
      through = since + Math.max(1, (through - since) >> 1);
    }
  }

  /** Undefined when they are too many. */
  private parts(since: number, through: number): Uint8Array[] | undefined {
    const parts: Uint8Array[] = [];
    let out = new ByteWriter(new Uint8Array(PART_BYTES));
    let first = since + 1;
    while (first <= through) {
      const last = this.runFrom(first, through);
      for (let frame = first; frame <= last; frame++) {
        const mark = out.offset;
        this.entry(out, since, frame);
        if (!out.overflow) continue;
        if (parts.length + 1 >= ROUND_PARTS_MAX) return undefined;
        parts.push(out.buffer.subarray(0, mark));
        out = new ByteWriter(new Uint8Array(PART_BYTES));
        this.entry(out, since, frame);
      }
      first = last + 1;
    }
    parts.push(out.buffer.subarray(0, out.offset));
    return parts;
  }

  /** Notes what is last in the run of frames without events that begins at `first`; one with events is its own run. */
  private runFrom(first: number, through: number): number {
    this.lastIn.clear();
    for (let frame = first; frame <= through; frame++) {
      // A value that stands behind the event in its frame replaces none before it.
      if (this.isEventful(frame)) return Math.max(first, frame - 1);
      this.act = Act.note;
      this.read(frame);
    }
    return through;
  }

  private isEventful(frame: number): boolean {
    this.hasEvent = false;
    this.act = Act.look;
    // The block's flag stands for where writers stand, too.
    if (ContentReader.hasEvents(this.sent.bytes, this.sent.start(frame))) this.read(frame);
    return this.hasEvent;
  }

  private read(frame: number): void {
    this.frame = frame;
    const start = this.sent.start(frame);
    this.reader.read(this.sent.bytes, start, start + this.sent.length(frame), this);
  }

  private entry(out: ByteWriter, since: number, frame: number): void {
    this.act = Act.write;
    this.isCut = false;
    this.isBegun = false;
    this.hasEvent = false;
    this.read(frame);
    const { writer } = this;
    if (this.hasEvent || this.isCut) {
      const start = this.sent.start(frame);
      writeEntry(out, frame - since, this.sent.bytes, start, start + this.sent.length(frame));
    } else if (this.isBegun) writeEntry(out, frame - since, writer.out.buffer, 0, writer.length);
  }

  onValue(delta: ContentReader): void {
    if (this.act === Act.note) this.lastIn.set(delta.id, this.frame);
    else if (this.act === Act.write && this.lastIn.get(delta.id) === this.frame) this.keepValue(delta);
  }

  private keepValue(delta: ContentReader): void {
    this.begin(delta);
    const { change } = this;
    change.id = delta.id;
    change.origin = delta.origin;
    change.gesture = delta.gesture;
    change.doubles[0] = delta.doubles[0] as number;
    change.doubles[1] = delta.doubles[1] as number;
    const type = TYPE_OF_LAYOUT[delta.layout as Layout];
    const text = delta.layout === Layout.text ? delta.payload() : undefined;
    if (!this.writer.value(change, type, delta.numbers, 0, text)) this.isCut = true;
  }

  onTaken(taken: ContentReader): void {
    const key = WRITER_KEYS * (taken.origin + 1) + taken.session;
    if (this.act === Act.note) this.lastIn.set(key, this.frame);
    else if (this.act === Act.write && this.lastIn.get(key) === this.frame) {
      this.begin(taken);
      const isWritten = this.writer.taken(taken.origin, taken.session, taken.doubles[3] as number, taken.refusals);
      if (!isWritten) this.isCut = true;
    }
  }

  /** The block that was read gives the base: what is left of it lies as near to that as it did. */
  private begin(delta: ContentReader): void {
    if (this.isBegun) return;
    this.isBegun = true;
    this.change.doubles[0] = Math.max(0, delta.doubles[0] as number);
    this.change.doubles[1] = delta.doubles[2] as number;
    this.writer.begin(0, CONTENT_LIMIT_BYTES, this.change);
  }

  onEvent(): void {
    this.hasEvent = true;
  }

  onPiece(): void {
    this.hasEvent = true;
  }
}
