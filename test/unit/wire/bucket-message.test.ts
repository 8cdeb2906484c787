/** Bucket asks and ranges: read as they were written; what has another shape is none; parts are put together once. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RangeAssembly } from "../../../src/sync/range-assembly.js";
import {
  type RangePart,
  rangePartBytes,
  readBucketAsk,
  readRangePart,
  writeBucketAsk,
  writeRangePart,
} from "../../../src/wire/bucket-message.js";

const plain = new Uint8Array(1_154);
const DIGESTS = Int32Array.from({ length: 128 }, (_, word) => Math.imul(word + 1, 0x9e3779b1));
const RANGE: RangePart = {
  ...{ term: 3, component: 1, frame: 70_000, sequence: 80_000, firstHash: 5, lastHash: 9 },
  ...{ part: 0, parts: 1, bytes: Uint8Array.of(1, 2, 3) },
};

describe("an ask", () => {
  test("reads back as it was written", () => {
    const ask = { term: 2 ** 32 - 1, component: 9, digests: DIGESTS };
    const length = writeBucketAsk(plain, ask);
    expect(length).toBe(517);
    expect(readBucketAsk(plain, length)).toEqual(ask);
  });

  test("that is cut, too long or about no component is none", () => {
    const length = writeBucketAsk(plain, { term: 1, component: 9, digests: DIGESTS });
    for (const wrong of [0, 4, length - 1, length + 1]) expect(readBucketAsk(plain, wrong)).toBeUndefined();
    plain[4] = 10;
    expect(readBucketAsk(plain, length)).toBeUndefined();
  });
});

describe("a range", () => {
  test("reads back as it was written, and a copy of its bytes", () => {
    const hash = fc.nat(2 ** 32 - 1);
    const parts = fc.record({
      term: fc.nat(2 ** 32 - 1),
      component: fc.nat(9),
      frame: fc.nat(),
      sequence: fc.nat(),
      hashes: fc.tuple(hash, hash),
      part: fc.nat(99),
      bytes: fc.uint8Array({ maxLength: rangePartBytes(plain.length) }),
    });
    const property = fc.property(parts, ({ hashes: [one, other], ...rest }) => {
      const range = { ...rest, firstHash: Math.min(one, other), lastHash: Math.max(one, other), parts: 100 };
      const found = readRangePart(plain, writeRangePart(plain, range));
      plain.fill(0);
      expect(found).toEqual(range);
    });
    fc.assert(property);
  });

  test.each([
    ["no component", { component: 10 }],
    ["a range backwards", { firstHash: 10 }],
    ["no parts", { parts: 0 }],
    ["a part beyond the last", { part: 1 }],
    ["more parts than anything has", { parts: 0xffff }],
  ])("with %s is none", (_what, change) => {
    expect(readRangePart(plain, writeRangePart(plain, { ...RANGE, ...change }))).toBeUndefined();
  });

  test("that is cut in its header is none", () => {
    writeRangePart(plain, RANGE);
    for (let end = 0; end < 29; end++) expect(readRangePart(plain, end)).toBeUndefined();
  });
});

describe("ranges that have come", () => {
  test("wait for the stream to come up to them", () => {
    const ranges = new RangeAssembly();
    ranges.add({ ...RANGE, frame: 8 });
    ranges.add({ ...RANGE, frame: 7 });
    expect([ranges.take(6), ranges.take(7)?.frame, ranges.take(7), ranges.take(9)?.frame]).toEqual([
      undefined,
      7,
      undefined,
      8,
    ]);
    expect(ranges.isEmpty).toBe(true);
  });

  test("are put together from their parts, in whatever order and however often these come", () => {
    const ranges = new RangeAssembly();
    const part = (place: number): RangePart => ({ ...RANGE, part: place, parts: 3, bytes: Uint8Array.of(place) });
    for (const place of [2, 0, 2, 0]) expect(ranges.add(part(place))).toBe(true);
    expect(ranges.isEmpty).toBe(true);
    expect(ranges.add({ ...part(1), parts: 2 })).toBe(false);
    ranges.add(part(1));
    expect(ranges.take(70_000)?.bytes).toEqual(Uint8Array.of(0, 1, 2));
  });

  test("are no more than there is room for", () => {
    const ranges = new RangeAssembly();
    let taken = 0;
    for (let count = 0; count < 5_000; count++) if (ranges.add({ ...RANGE, bytes: new Uint8Array(1_000) })) taken++;
    expect(taken).toBe(512);
    while (ranges.take(70_000) !== undefined) taken--;
    expect([taken, ranges.add(RANGE)]).toEqual([0, true]);
    ranges.clear();
    for (let part = 0; part < 5_000; part++) ranges.add({ ...RANGE, part, parts: 5_000, bytes: new Uint8Array(1_000) });
    expect(ranges.add({ ...RANGE, bytes: new Uint8Array(1_000) })).toBe(false);
  });
});
