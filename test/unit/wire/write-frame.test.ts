/** Followers' writes as bytes: read as they were written, and a frame that is full is as it was. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ValueType } from "../../../src/state/declaration.js";
import { Layout, layoutOf } from "../../../src/wire/content.js";
import {
  type WriteCopy,
  WriteFrameReader,
  WriteFrameWriter,
  WriteKind,
  WriteRecord,
} from "../../../src/wire/write-frame.js";
import { partsOf, readPart, WRITE_PARTS_MAX, writePart } from "../../../src/wire/write-part.js";

const TIME_US = 1_719_964_800_000_000;
const VALUE_TYPES = Object.values(ValueType).filter((type) => type !== ValueType.impulse);

interface Write {
  readonly kind: WriteKind;
  readonly isGrouped: boolean;
  readonly id: number;
  readonly path: string | undefined;
  readonly surface: number;
  readonly gesture: number;
  readonly type: ValueType;
  readonly numbers: readonly number[];
  readonly bytes: Uint8Array;
  readonly gap: number;
  readonly timeOffsetUs: number;
}

const writes: fc.Arbitrary<Write[]> = fc.array(
  fc.record({
    kind: fc.oneof(fc.constant(WriteKind.value), fc.constantFrom(...Object.values(WriteKind))),
    isGrouped: fc.boolean(),
    id: fc.nat(204_095),
    path: fc.option(fc.stringMatching(/^\/viz\/[a-z]{1,20}$/), { nil: undefined }),
    surface: fc.oneof(fc.nat(2), fc.nat(4_095)),
    gesture: fc.nat(2 ** 31 - 1),
    type: fc.constantFrom(...VALUE_TYPES),
    numbers: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 4, maxLength: 4 }),
    bytes: fc.uint8Array({ maxLength: 60 }),
    gap: fc.oneof(fc.constant(1), fc.nat(100)),
    timeOffsetUs: fc.integer({ min: -1_000_000, max: 1_000_000 }),
  }),
  { minLength: 1, maxLength: 60 },
);

/** Adds the writes; answers those that fitted, with their numbers. */
function fill(writer: WriteFrameWriter, list: readonly Write[]): { write: Write; sequence: number }[] {
  const fitted = [];
  let sequence = 100;
  writer.begin(7, sequence, 42, TIME_US, TIME_US + 900, 250);
  for (const write of list) {
    const record = new WriteRecord();
    Object.assign(record, { ...write, numbers: record.numbers, surfaceName: `surface ${write.surface}` });
    record.numbers.set(write.numbers);
    record.doubles.set([sequence + write.gap, TIME_US + write.timeOffsetUs]);
    if (!writer.add(record)) continue;
    sequence += write.gap;
    fitted.push({ write, sequence });
  }
  return fitted;
}

function expected({ write, sequence }: { write: Write; sequence: number }): unknown {
  const { kind, gesture, path } = write;
  const isText = kind !== WriteKind.value || layoutOf(write.type) === Layout.text;
  const layout = layoutOf(write.type);
  const lanes = layout < Layout.pair ? 1 : layout - Layout.pair + 2;
  return {
    ...{ kind, gesture, path, isGrouped: write.isGrouped, sequence, timeUs: TIME_US + write.timeOffsetUs },
    id: path === undefined ? write.id : -1,
    surfaceName: `surface ${write.surface}`,
    value: isText ? [...write.bytes] : write.numbers.slice(0, lanes),
    layout: kind === WriteKind.value ? layout : undefined,
  };
}

function readAll(bytes: Uint8Array): unknown[] | undefined {
  const found: unknown[] = [];
  const reader = new WriteFrameReader();
  const isSound = reader.read(bytes, bytes.length, {
    onWriteFrame(term, first, acknowledged) {
      expect([term, first, acknowledged, ...reader.doubles.subarray(3)]).toEqual([7, 100, 42, TIME_US + 900, 250]);
      return true;
    },
    onWrite(now) {
      found.push(row(now.snapshot(), now.isGrouped));
    },
  });
  return isSound ? found : undefined;
}

function row(write: WriteCopy, isGrouped: boolean): unknown {
  const { kind, gesture, path, id, surfaceName } = write;
  const isText = kind !== WriteKind.value || write.layout === Layout.text;
  const [sequence, timeUs] = write.doubles;
  const value = isText ? [...write.bytes] : [...write.numbers.subarray(0, write.lanes)];
  const layout = kind === WriteKind.value ? write.layout : undefined;
  return { kind, gesture, path, isGrouped, sequence, timeUs, id, surfaceName, value, layout };
}

describe("a write frame", () => {
  test("reads back as it was written, as far as there was room", () => {
    const property = fc.property(writes, fc.integer({ min: 34, max: 3_000 }), (list, limit) => {
      const writer = new WriteFrameWriter(new Uint8Array(limit));
      const fitted = fill(writer, list);
      expect(writer.count).toBe(fitted.length);
      expect(readAll(writer.bytes())).toEqual(fitted.map(expected));
    });
    fc.assert(property, { numRuns: 400 });
  });

  test("is intact whichever byte is the last that fits", () => {
    const [list] = fc.sample(writes, { numRuns: 1, seed: 11 }) as [Write[]];
    const whole = new WriteFrameWriter(new Uint8Array(20_000));
    fill(whole, list);
    for (let limit = 34; limit <= whole.length; limit++) {
      const writer = new WriteFrameWriter(new Uint8Array(limit));
      const fitted = fill(writer, list);
      expect(readAll(writer.bytes())).toEqual(fitted.map(expected));
    }
  });

  test("names more surfaces than its table holds", () => {
    const [sample] = fc.sample(writes, { numRuns: 1, seed: 3 }) as [Write[]];
    const list = Array.from({ length: 100 }, (_, surface) => ({ ...(sample[0] as Write), surface: surface % 50 }));
    const writer = new WriteFrameWriter(new Uint8Array(20_000));
    expect(readAll((fill(writer, list), writer.bytes()))).toEqual(fill(writer, list).map(expected));
  });

  test("that is not to be taken is read no further", () => {
    const writer = new WriteFrameWriter(new Uint8Array(1_154));
    const [list] = fc.sample(writes, { numRuns: 1, seed: 1 }) as [Write[]];
    fill(writer, list);
    const sink = { onWriteFrame: () => false, onWrite: () => expect.unreachable("it was not to be taken") };
    expect(new WriteFrameReader().read(writer.bytes(), writer.length, sink)).toBe(true);
  });

  test("carries the time of a write that waited an hour for a controller", () => {
    const [sample] = fc.sample(writes, { numRuns: 1, seed: 2 }) as [Write[]];
    const writer = new WriteFrameWriter(new Uint8Array(1_154));
    const fitted = fill(writer, [{ ...(sample[0] as Write), timeOffsetUs: -3_600e6 }]);
    expect(readAll(writer.bytes())).toEqual(fitted.map(expected));
  });

  test("is none when it is cut anywhere but between two writes", () => {
    const [list] = fc.sample(writes, { numRuns: 1, seed: 5 }) as [Write[]];
    const writer = new WriteFrameWriter(new Uint8Array(8_000));
    const ends = new Set([34, ...list.map((_, index) => (fill(writer, list.slice(0, index + 1)), writer.length))]);
    fill(writer, list);
    for (let end = 0; end < writer.length; end++) {
      expect(readAll(writer.bytes().subarray(0, end)) !== undefined, `cut at ${end}`).toBe(ends.has(end));
    }
  });
});

describe("parts of a long write", () => {
  test("hold the whole between them", () => {
    const property = fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 4_000 }),
      fc.integer({ min: 50, max: 1_154 }),
      (whole, limit) => {
        const plain = new Uint8Array(limit);
        const found: number[] = [];
        const parts = partsOf(whole.length, limit);
        for (let index = 0; index < parts; index++) {
          const length = writePart(plain, whole, 5, 2 ** 40, index);
          const part = readPart(plain, length);
          expect(part).toMatchObject({ term: 5, write: 2 ** 40, parts, index });
          found.push(...(part?.bytes ?? []));
        }
        expect(found).toEqual([...whole]);
      },
    );
    fc.assert(property, { numRuns: 100 });
  });

  test("are refused with no parts, too many, or a place beyond the last", () => {
    const plain = new Uint8Array(40);
    const length = writePart(plain, new Uint8Array(100), 1, 1, 0);
    const withCounts = (parts: number, index: number): Uint8Array => {
      const copy = plain.slice();
      new DataView(copy.buffer).setUint16(10, parts);
      new DataView(copy.buffer).setUint16(12, index);
      return copy;
    };
    expect(readPart(withCounts(WRITE_PARTS_MAX, WRITE_PARTS_MAX - 1), length)).toBeDefined();
    for (const [parts, index] of [
      [0, 0],
      [WRITE_PARTS_MAX + 1, 0],
      [3, 3],
      [65_535, 65_534],
    ] as const) {
      expect(readPart(withCounts(parts, index), length)).toBeUndefined();
    }
    for (let end = 0; end < 14; end++) expect(readPart(plain, end)).toBeUndefined();
  });
});
