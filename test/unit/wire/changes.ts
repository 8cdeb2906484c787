/** Arbitrary changes and how they are written to a block and read back: for the tests of the content's layout. */
import fc from "fast-check";
import { EventKind } from "../../../src/state/change.js";
import { ValueType } from "../../../src/state/declaration.js";
import {
  ChangeRecord,
  ContentReader,
  type ContentSink,
  type ContentWriter,
  Layout,
  layoutOf,
} from "../../../src/wire/content.js";

export const TIME_US = 1_719_964_800_000_000;

/** One change: of a value if it has a type, else an event. */
export interface Change {
  readonly type: ValueType | undefined;
  readonly kind: EventKind;
  readonly id: number;
  readonly origin: number;
  readonly gesture: number;
  readonly sequence: number;
  readonly timeUs: number;
  readonly numbers: readonly number[];
  readonly bytes: Uint8Array;
}

const VALUE_TYPES = Object.values(ValueType).filter((type) => type !== ValueType.impulse);
const float32 = fc.float({ noNaN: true });
const lanesOfType: Partial<Record<ValueType, fc.Arbitrary<number>>> = {
  [ValueType.double]: fc.double({ noNaN: true }),
  [ValueType.int]: fc.integer(),
  [ValueType.bool]: fc.integer({ min: 0, max: 1 }),
  [ValueType.enum]: fc.nat(1_023),
};

function contextOf(type: ValueType | undefined, lane: fc.Arbitrary<number>): fc.Arbitrary<Change> {
  return fc.record({
    type: fc.constant(type),
    kind: fc.constantFrom(...Object.values(EventKind)),
    id: fc.oneof(fc.nat(200), fc.nat(204_095)),
    origin: fc.oneof(fc.constant(1), fc.nat(4_095)),
    gesture: fc.oneof(fc.constant(0), fc.nat(2 ** 31 - 1)),
    sequence: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: -1_000, max: 1_000_000 })),
    timeUs: fc.oneof(fc.constant(0), fc.integer({ min: -1_000_000, max: 1_000_000 })),
    numbers: fc.array(lane, { minLength: 4, maxLength: 4 }),
    bytes: fc.uint8Array({ maxLength: 80 }),
  });
}

const value = fc.constantFrom(...VALUE_TYPES).chain((type) => contextOf(type, lanesOfType[type] ?? float32));
const event = contextOf(undefined, float32);

/** Changes in the order of the stream; sequences mostly rise by one, as they do. */
export const changes = (maxLength: number): fc.Arbitrary<Change[]> =>
  fc
    .array(fc.oneof({ weight: 6, arbitrary: value }, { weight: 1, arbitrary: event }), { minLength: 1, maxLength })
    .map((list) => {
      let sequence = 10_000_000;
      return list.map((change) => ({
        ...change,
        sequence: (sequence += change.sequence),
        timeUs: TIME_US + change.timeUs,
      }));
    });

const record = new ChangeRecord();
const lanes = new Float64Array(4);

export function load(change: Change): ChangeRecord {
  record.id = change.id;
  record.origin = change.origin;
  record.gesture = change.gesture;
  record.doubles.set([change.sequence, change.timeUs]);
  return record;
}

/** False when it did not fit. */
export function add(writer: ContentWriter, change: Change): boolean {
  load(change);
  if (change.type === undefined) return writer.event(change.kind, record, change.bytes);
  lanes.set(change.numbers);
  return writer.value(record, change.type, lanes, 0, change.bytes);
}

/** What a reader is to find of a change. */
export function expected(change: Change): unknown {
  const { id, origin, gesture, sequence, timeUs } = change;
  const context = { id, origin, gesture, sequence, timeUs };
  if (change.type === undefined) return { ...context, kind: change.kind, bytes: [...change.bytes] };
  const layout = layoutOf(change.type);
  if (layout === Layout.text) return { ...context, layout, bytes: [...change.bytes] };
  const count = layout < Layout.pair ? 1 : layout - Layout.pair + 2;
  // An int or an index has no sign of zero.
  const isWhole = layout === Layout.int || layout === Layout.index || layout === Layout.bool;
  return { ...context, layout, numbers: change.numbers.slice(0, count).map((lane) => (isWhole ? lane + 0 : lane)) };
}

/** Everything a block holds, in order; undefined when it is no block. */
export function readAll(buffer: Uint8Array, start: number, end: number): unknown[] | undefined {
  const found: unknown[] = [];
  const context = (reader: ContentReader): object => {
    const [sequence, timeUs] = reader.doubles;
    return { id: reader.id, origin: reader.origin, gesture: reader.gesture, sequence, timeUs };
  };
  const sink: ContentSink = {
    onValue(reader) {
      const { layout } = reader;
      if (layout === Layout.text) found.push({ ...context(reader), layout, bytes: [...reader.payload()] });
      else {
        const count = layout < Layout.pair ? 1 : layout - Layout.pair + 2;
        found.push({ ...context(reader), layout, numbers: [...reader.numbers.subarray(0, count)] });
      }
    },
    onEvent(reader) {
      found.push({ ...context(reader), kind: reader.kind, bytes: [...reader.payload()] });
    },
    onPiece(reader) {
      found.push({ first: reader.isFirstPiece, last: reader.isLastPiece, bytes: [...reader.payload()] });
    },
    onTaken({ origin, session, doubles, refusals }) {
      found.push({ origin, session, write: doubles[3], refusals });
    },
  };
  return new ContentReader().read(buffer, start, end, sink) ? found : undefined;
}
