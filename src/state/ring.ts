/**
 * Ring: the stream of changes on shared memory. One writer, a cursor per reader, nobody waits.
 *
 * Two rings side by side: values, which may lap (a lapped reader resyncs from the state), and events (impulses,
 * structure), which hold ten seconds at their cap. Texts and event payloads lie in a byte arena. An event notes where
 * the value ring stood, so that a reader gets both in the order in which they happened. Memory is shared with the
 * desk worker; the heads are published last, with Atomics, so what a reader sees below a head is complete.
 * The ring holds what is *shown*: on a follower that includes pending writes. It never blocks, grows or throws.
 */
import { StagedKind, type Staging } from "./staging.js";
import { isText, type ValueType, ValueType as Types } from "./declaration.js";
import type { EventKind } from "./change.js";

export interface RingMemory {
  readonly heads: SharedArrayBuffer;
  readonly values: SharedArrayBuffer;
  readonly events: SharedArrayBuffer;
  readonly arena: SharedArrayBuffer;
}

export interface RingSizes {
  /** Slots, each a power of two. */
  readonly values: number;
  readonly events: number;
  readonly arenaBytes: number;
}

/** 64 Ki values are 130 ms at 500,000 changes/s; 16 Ki events are over 10 s at 1,000/s. */
export const RING_SIZES: RingSizes = { values: 65_536, events: 16_384, arenaBytes: 8 * 1024 * 1024 };

/** 64 bytes, a line of the processor's cache: each value written touches one. */
const VALUE_DOUBLES = 8;
const VALUE_INTS = VALUE_DOUBLES * 2;
const EVENT_DOUBLES = 6;
const EVENT_INTS = EVENT_DOUBLES * 2;

/** Indexes into `heads`: two 32-bit heads that wrap, then the arena's head as a double. */
const VALUE_HEAD = 0;
const EVENT_HEAD = 1;
const ARENA_HEAD = 1;

export function createRingMemory(sizes: RingSizes = RING_SIZES): RingMemory {
  return {
    heads: new SharedArrayBuffer(16),
    values: new SharedArrayBuffer(sizes.values * VALUE_DOUBLES * 8),
    events: new SharedArrayBuffer(sizes.events * EVENT_DOUBLES * 8),
    arena: new SharedArrayBuffer(sizes.arenaBytes),
  };
}

/** The typed views that writer and reader share. */
class RingViews {
  readonly heads: Int32Array;
  readonly arenaHead: Float64Array;
  readonly valueDoubles: Float64Array;
  readonly valueInts: Int32Array;
  readonly eventDoubles: Float64Array;
  readonly eventInts: Int32Array;
  readonly arena: Uint8Array;
  readonly valueMask: number;
  readonly eventMask: number;

  constructor(memory: RingMemory) {
    this.heads = new Int32Array(memory.heads);
    this.arenaHead = new Float64Array(memory.heads);
    this.valueDoubles = new Float64Array(memory.values);
    this.valueInts = new Int32Array(memory.values);
    this.eventDoubles = new Float64Array(memory.events);
    this.eventInts = new Int32Array(memory.events);
    this.arena = new Uint8Array(memory.arena);
    this.valueMask = this.valueDoubles.length / VALUE_DOUBLES - 1;
    this.eventMask = this.eventDoubles.length / EVENT_DOUBLES - 1;
  }
}

/** What a change carries beside its value; filled by the caller, reused. */
export class ChangeContext {
  /** [0] sequence, [1] hybrid time in microseconds. */
  readonly doubles = new Float64Array(2);
  term = 0;
  origin = 0;
  gesture = 0;
  flags = 0;
}

export class RingWriter {
  private readonly views: RingViews;
  private readonly encoder = new TextEncoder();

  constructor(memory: RingMemory) {
    this.views = new RingViews(memory);
  }

  /** Appends a value: what is in hand, coerced. */
  value(id: number, type: ValueType, staging: Staging, context: ChangeContext): void {
    const { views } = this;
    const head = views.heads[VALUE_HEAD] as number;
    const slot = head & views.valueMask;
    const at = slot * VALUE_DOUBLES;
    const { valueDoubles: doubles, valueInts: ints } = views;
    if (staging.kind === StagedKind.numbers) {
      const { numbers } = staging;
      doubles[at] = numbers[0] as number;
      doubles[at + 1] = numbers[1] as number;
      doubles[at + 2] = numbers[2] as number;
      doubles[at + 3] = numbers[3] as number;
    } else doubles[at] = this.storeText(staging.text ?? "", doubles, at + 1);
    doubles[at + 4] = context.doubles[0] as number;
    doubles[at + 5] = context.doubles[1] as number;
    const word = slot * VALUE_INTS + 12;
    ints[word] = id;
    ints[word + 1] = type | (context.flags << 8);
    ints[word + 2] = context.origin | (context.term << 16);
    ints[word + 3] = context.gesture;
    Atomics.store(views.heads, VALUE_HEAD, (head + 1) | 0);
  }

  /** Appends a value of one number. */
  number(id: number, type: ValueType, value: number, context: ChangeContext): void {
    const { heads, valueDoubles: doubles, valueInts: ints, valueMask } = this.views;
    const head = heads[VALUE_HEAD] as number;
    const at = (head & valueMask) * VALUE_DOUBLES;
    doubles[at] = value;
    doubles[at + 4] = context.doubles[0] as number;
    doubles[at + 5] = context.doubles[1] as number;
    const word = at * 2 + 12;
    ints[word] = id;
    ints[word + 1] = type | (context.flags << 8);
    ints[word + 2] = context.origin | (context.term << 16);
    ints[word + 3] = context.gesture;
    Atomics.store(heads, VALUE_HEAD, (head + 1) | 0);
  }

  /** Appends an event with its payload. */
  event(kind: EventKind, id: number, payload: Uint8Array, context: ChangeContext): void {
    const { views } = this;
    const head = views.heads[EVENT_HEAD] as number;
    const slot = head & views.eventMask;
    const at = slot * EVENT_DOUBLES;
    const { eventDoubles: doubles, eventInts: ints } = views;
    doubles[at] = context.doubles[0] as number;
    doubles[at + 1] = context.doubles[1] as number;
    this.storeBytes(payload, doubles, at + 2);
    const word = slot * EVENT_INTS + 6;
    ints[word] = id;
    ints[word + 1] = kind | (context.flags << 8);
    ints[word + 2] = context.origin | (context.term << 16);
    ints[word + 3] = context.gesture;
    ints[word + 4] = payload.length;
    ints[word + 5] = views.heads[VALUE_HEAD] as number;
    Atomics.store(views.heads, EVENT_HEAD, (head + 1) | 0);
  }

  private storeText(text: string | Uint8Array, doubles: Float64Array, at: number): number {
    const bytes = typeof text === "string" ? this.encoder.encode(text) : text;
    this.storeBytes(bytes, doubles, at);
    return bytes.length;
  }

  /** Copies bytes into the arena, never across its end, and notes their absolute offset in `doubles[at]`. */
  private storeBytes(bytes: Uint8Array, doubles: Float64Array, at: number): void {
    const { arena, arenaHead } = this.views;
    let offset = arenaHead[ARENA_HEAD] as number;
    const inside = offset % arena.length;
    if (inside + bytes.length > arena.length) offset += arena.length - inside;
    doubles[at] = offset;
    // Before the bytes: a reader that copies while they are overwritten must see that the arena has moved on.
    arenaHead[ARENA_HEAD] = offset + bytes.length;
    arena.set(bytes, offset % arena.length);
  }
}

/** What `RingReader.next` found. */
export const Found = { nothing: 0, value: 1, event: 2, lapped: 3 } as const;
export type Found = (typeof Found)[keyof typeof Found];

export class RingReader {
  private readonly views: RingViews;
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  private valueCursor: number;
  private eventCursor: number;
  private textLength = -1;

  /** The entry that `next` found; valid until the next call. */
  id = 0;
  type: ValueType | 0 = 0;
  kind: EventKind | 0 = 0;
  flags = 0;
  origin = 0;
  term = 0;
  gesture = 0;
  /** The value's lanes; those that its type does not have hold anything. */
  readonly numbers = new Float64Array(4);
  /** [0] sequence, [1] hybrid time in microseconds, [2] arena offset. */
  readonly doubles = new Float64Array(3);
  /** How often this reader was lapped. */
  laps = 0;

  /** Starts at the present end of the stream. */
  constructor(memory: RingMemory) {
    this.views = new RingViews(memory);
    this.valueCursor = Atomics.load(this.views.heads, VALUE_HEAD);
    this.eventCursor = Atomics.load(this.views.heads, EVENT_HEAD);
  }

  /** Moves to the present end; what lies between is skipped. */
  skip(): void {
    this.valueCursor = Atomics.load(this.views.heads, VALUE_HEAD);
    this.eventCursor = Atomics.load(this.views.heads, EVENT_HEAD);
  }

  get behind(): number {
    const { heads } = this.views;
    return (
      ((Atomics.load(heads, VALUE_HEAD) - this.valueCursor) | 0) +
      ((Atomics.load(heads, EVENT_HEAD) - this.eventCursor) | 0)
    );
  }

  next(): Found {
    const { heads } = this.views;
    // Values first: whatever was written before a value that is seen here is seen here too.
    const valueHead = Atomics.load(heads, VALUE_HEAD);
    const eventHead = Atomics.load(heads, EVENT_HEAD);
    if (eventHead !== this.eventCursor && this.eventIsNext()) return this.readEvent(eventHead);
    if (valueHead !== this.valueCursor) return this.readValue();
    if (eventHead === this.eventCursor) return Found.nothing;
    // An event that is not next has values before it, written since their head was read; or its slot was lapped.
    return Atomics.load(heads, VALUE_HEAD) === this.valueCursor ? this.readEvent(eventHead) : this.readValue();
  }

  /** An event comes first when every value before it has been read. */
  private eventIsNext(): boolean {
    const { eventInts, eventMask } = this.views;
    const before = eventInts[(this.eventCursor & eventMask) * EVENT_INTS + 11] as number;
    return ((before - this.valueCursor) | 0) <= 0;
  }

  private readValue(): Found {
    const { views } = this;
    const slot = this.valueCursor & views.valueMask;
    const at = slot * VALUE_DOUBLES;
    const { valueDoubles: doubles, valueInts: ints } = views;
    this.numbers[0] = doubles[at] as number;
    this.numbers[1] = doubles[at + 1] as number;
    this.numbers[2] = doubles[at + 2] as number;
    this.numbers[3] = doubles[at + 3] as number;
    this.doubles[0] = doubles[at + 4] as number;
    this.doubles[1] = doubles[at + 5] as number;
    const word = slot * VALUE_INTS + 12;
    this.id = ints[word] as number;
    const typeAndFlags = ints[word + 1] as number;
    this.type = (typeAndFlags & 0xff) as ValueType;
    this.flags = typeAndFlags >>> 8;
    this.origin = (ints[word + 2] as number) & 0xffff;
    this.term = (ints[word + 2] as number) >>> 16;
    this.gesture = ints[word + 3] as number;
    this.textLength = -1;
    if (isText(this.type)) this.readText(doubles, at);
    this.kind = 0;
    const behind = (Atomics.load(views.heads, VALUE_HEAD) - this.valueCursor) | 0;
    if (behind > views.valueMask || behind < 0) return this.lapped();
    this.valueCursor = (this.valueCursor + 1) | 0;
    return Found.value;
  }

  private readText(doubles: Float64Array, at: number): void {
    this.textLength = doubles[at] as number;
    this.doubles[2] = doubles[at + 1] as number;
  }

  private readEvent(head: number): Found {
    const { views } = this;
    const slot = this.eventCursor & views.eventMask;
    const at = slot * EVENT_DOUBLES;
    this.doubles[0] = views.eventDoubles[at] as number;
    this.doubles[1] = views.eventDoubles[at + 1] as number;
    this.doubles[2] = views.eventDoubles[at + 2] as number;
    const ints = views.eventInts;
    const word = slot * EVENT_INTS + 6;
    this.id = ints[word] as number;
    const kindAndFlags = ints[word + 1] as number;
    this.kind = (kindAndFlags & 0xff) as EventKind;
    this.flags = kindAndFlags >>> 8;
    this.origin = (ints[word + 2] as number) & 0xffff;
    this.term = (ints[word + 2] as number) >>> 16;
    this.gesture = ints[word + 3] as number;
    this.textLength = ints[word + 4] as number;
    this.type = 0;
    const behind = (Atomics.load(views.heads, EVENT_HEAD) - this.eventCursor) | 0;
    if (behind > views.eventMask || behind < 0 || head === this.eventCursor) return this.lapped();
    this.eventCursor = (this.eventCursor + 1) | 0;
    return Found.event;
  }

  private lapped(): Found {
    this.laps++;
    this.skip();
    return Found.lapped;
  }

  /** The text of a string, the bytes of a blob; undefined for numbers, or when the arena has moved on. */
  text(): string | Uint8Array | undefined {
    if (this.textLength < 0) return undefined;
    const bytes = this.payload();
    if (bytes === undefined || this.type === Types.blob) return bytes;
    return this.decoder.decode(bytes);
  }

  /** A copy of an event's payload; undefined when the arena has moved on. */
  payload(): Uint8Array | undefined {
    const { arena, arenaHead } = this.views;
    const offset = this.doubles[2] as number;
    const inside = offset % arena.length;
    const copy = new Uint8Array(this.textLength);
    copy.set(arena.subarray(inside, inside + this.textLength));
    return (arenaHead[ARENA_HEAD] as number) - offset <= arena.length ? copy : undefined;
  }

  /** Puts the value in hand. False when its text is gone from the arena. */
  stage(staging: Staging): boolean {
    if (this.textLength < 0) {
      staging.number(this.numbers[0] as number);
      staging.numbers.set(this.numbers);
      staging.count = 4;
      return true;
    }
    const text = this.text();
    if (text === undefined) return false;
    if (typeof text === "string") staging.string(text);
    else staging.bytes(text);
    return true;
  }
}
