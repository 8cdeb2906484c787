/** Reports: read as they were written; what has another shape is none. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Report, ReportReader, writeReport } from "../../../src/wire/report.js";

const measure = fc.integer({ min: -1, max: 2 ** 31 - 1 });
const sequence = fc.maxSafeNat().map((number) => number % 2 ** 48);
const reports = fc.record({
  name: fc.string({ unit: "grapheme", maxLength: 20 }),
  priority: fc.nat(1_000),
  unicastPort: fc.nat(65_535),
  snapshotPort: fc.nat(65_535),
  term: fc.nat(2 ** 32 - 1),
  isInSync: fc.boolean(),
  sequence,
  lossPermille: fc.nat(1_000),
  naks: fc.maxSafeNat(),
  provenSequence: sequence,
  differs: fc.nat(1_023),
  level: fc.constantFrom(0 as const, 1 as const, 2 as const),
  interfaceName: fc.string({ maxLength: 32 }),
  roundTripUs: measure,
  clockOffsetUs: fc.integer(),
  clockBoundUs: measure,
});
const REPORT: Report = {
  ...{ name: "left", priority: 100, unicastPort: 1, snapshotPort: 2, term: 3, isInSync: true, sequence: 4 },
  ...{ lossPermille: 5, naks: 6, provenSequence: 7, differs: 8, level: 1, interfaceName: "eth0" },
  ...{ roundTripUs: 9, clockOffsetUs: -10, clockBoundUs: 11 },
};

function written(report: Report): Uint8Array {
  const plain = new Uint8Array(1_154);
  return plain.slice(0, writeReport(plain, report));
}

/** What a report is read as; undefined when it is none. */
function read(bytes: Uint8Array, length = bytes.length): ReportReader | undefined {
  const reader = new ReportReader();
  return reader.read(bytes, length) ? reader : undefined;
}

describe("a report", () => {
  test("reads back as it was written", () => {
    const property = fc.property(reports, (report) => {
      expect(read(written(report))).toMatchObject(report);
    });
    fc.assert(property, { numRuns: 300 });
  });

  test("that is cut anywhere, or goes on, is none", () => {
    const bytes = written(REPORT);
    for (let end = 0; end < bytes.length; end++) expect(read(bytes, end)).toBeUndefined();
    expect(read(Uint8Array.of(...bytes, 0))).toBeUndefined();
  });

  test.each([
    ["a level that is none", { ...REPORT, level: 3 as never }],
    ["bits that mean nothing", { ...REPORT, level: 16 as never }],
    ["a priority above all", { ...REPORT, priority: 1_001 }],
    ["a loss above all", { ...REPORT, lossPermille: 1_001 }],
    ["a component that is not there", { ...REPORT, differs: 1_024 }],
    ["a round trip above half an hour", { ...REPORT, roundTripUs: 2 ** 31 }],
    ["a bound above half an hour", { ...REPORT, clockBoundUs: 2 ** 31 }],
    ["a name that is too long", { ...REPORT, name: "x".repeat(65) }],
    ["an interface that is too long", { ...REPORT, interfaceName: "x".repeat(33) }],
  ])("with %s is none", (_what, report) => {
    expect(read(written(report))).toBeUndefined();
  });

  test("with a name that is no text is none", () => {
    const bytes = written(REPORT);
    bytes[bytes.indexOf("left".charCodeAt(0))] = 0xff;
    expect(read(bytes)).toBeUndefined();
  });

  test("that does not fit is not sent", () => {
    expect(writeReport(new Uint8Array(20), REPORT)).toBe(0);
  });
});
