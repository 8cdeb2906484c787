/** The list of peers: read as it was written; what has another shape is none. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteWriter } from "../../../src/base/bytes.js";
import { PeerListReader, type PeerRow, writePeerRow } from "../../../src/wire/peer-list.js";

const measure = fc.integer({ min: -1, max: 2 ** 31 - 1 });
const sequence = fc.maxSafeNat().map((number) => number % 2 ** 48);
const rows = fc.array(
  fc.record({
    isWhole: fc.boolean(),
    row: fc.record({
      node: fc.stringMatching(/^[0-9a-f]{15}[1-9a-f]$/),
      name: fc.string({ unit: "grapheme", maxLength: 20 }),
      address: fc.ipV6(),
      interfaceName: fc.string({ maxLength: 32 }),
      unicastPort: fc.nat(65_535),
      snapshotPort: fc.nat(65_535),
      priority: fc.nat(1_000),
      isInSync: fc.boolean(),
      isConflated: fc.boolean(),
      sequence,
      provenSequence: sequence,
      lossPermille: fc.nat(1_000),
      differs: fc.nat(1_023),
      level: fc.constantFrom(0 as const, 1 as const, 2 as const),
      silentMs: fc.nat(65_535),
      naks: fc.maxSafeNat(),
      roundTripUs: measure,
      clockBoundUs: measure,
      clockOffsetUs: fc.integer(),
    }),
  }),
  { maxLength: 8 },
);
const MOVING = [
  ...["node", "isInSync", "isConflated", "sequence", "provenSequence", "lossPermille", "differs", "level", "silentMs"],
  ...["naks", "roundTripUs", "clockBoundUs", "clockOffsetUs"],
] as readonly (keyof PeerRow)[];

const ROW: PeerRow = {
  ...{ node: "0123456789abcdef", name: "left", address: "10.0.0.1", interfaceName: "eth0", unicastPort: 1 },
  ...{
    snapshotPort: 2,
    priority: 100,
    isInSync: true,
    isConflated: true,
    sequence: 5,
    provenSequence: 4,
    lossPermille: 3,
    differs: 2,
  },
  ...{ level: 1, silentMs: 9, naks: 8, roundTripUs: 7, clockBoundUs: 6, clockOffsetUs: -5 },
};

function written(row: PeerRow, isWhole: boolean): Uint8Array {
  const out = new ByteWriter(new Uint8Array(2_000));
  writePeerRow(out, row, isWhole);
  return out.buffer.slice(0, out.offset);
}

describe("a list of peers", () => {
  test("reads back as it was written", () => {
    const property = fc.property(rows, (list) => {
      const bytes = list.flatMap(({ row, isWhole }) => [...written(row, isWhole)]);
      const reader = new PeerListReader();
      reader.begin(new Uint8Array(bytes), bytes.length);
      for (const { row, isWhole } of list) {
        expect([reader.next(), reader.isWhole]).toEqual([true, isWhole]);
        const fields = isWhole ? (Object.keys(row) as (keyof PeerRow)[]) : MOVING;
        for (const field of fields) expect(reader[field]).toBe(row[field]);
      }
      expect([reader.next(), reader.failed]).toEqual([false, false]);
    });
    fc.assert(property, { numRuns: 200 });
  });

  test.each([true, false])("that is cut anywhere is none (whole rows: %s)", (isWhole) => {
    const bytes = written(ROW, isWhole);
    for (let end = 1; end < bytes.length; end++) {
      const reader = new PeerListReader();
      reader.begin(bytes, end);
      expect([reader.next(), reader.failed]).toEqual([false, true]);
    }
  });

  test.each([
    ["no node", { ...ROW, node: "" }],
    ["a loss above all", { ...ROW, lossPermille: 1_001 }],
    ["a component that is not there", { ...ROW, differs: 1_024 }],
    ["a level that is none", { ...ROW, level: 3 as never }],
    ["a round trip above half an hour", { ...ROW, roundTripUs: 2 ** 31 }],
    ["a priority above all", { ...ROW, priority: 1_001 }],
    ["a name that is too long", { ...ROW, name: "x".repeat(65) }],
    ["an interface that is too long", { ...ROW, interfaceName: "x".repeat(33) }],
  ])("with %s is none", (_what, row) => {
    const bytes = written(row, true);
    const reader = new PeerListReader();
    reader.begin(bytes, bytes.length);
    expect([reader.next(), reader.failed]).toEqual([false, true]);
  });

  test("with a name that is no text is none", () => {
    const bytes = written(ROW, true);
    bytes[bytes.indexOf("left".charCodeAt(0))] = 0xff;
    const reader = new PeerListReader();
    reader.begin(bytes, bytes.length);
    expect([reader.next(), reader.failed]).toEqual([false, true]);
  });

  test("is some forty bytes for a row that moves", () => {
    expect(written(ROW, false).length).toBeLessThanOrEqual(40);
  });
});
