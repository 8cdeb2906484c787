/** What two sides of a mesh say to each other: read as it was written; what has another shape is nothing. */
import fc from "fast-check";
import { Packr } from "msgpackr";
import { expect, test } from "vitest";
import { encodeMessage } from "../../../src/wire/fields.js";
import { decodeYield, YieldStage, yieldFields } from "../../../src/wire/yield.js";

const plain = new Uint8Array(1_154);
const whole = fc.maxSafeNat();
const number = fc.nat(2 ** 31);
const port = fc.nat(65_535);
const message = fc.record({
  ...{ stage: fc.constantFrom(...Object.values(YieldStage)), number, node: fc.stringMatching(/^[0-9a-f]{16}$/) },
  ...{ sequence: whole, stays: number, staysSequence: whole, unicastPort: port, snapshotPort: port },
});

test("every stage reads back as it was written", () => {
  const property = fc.property(message, (value) => {
    expect(decodeYield(plain, encodeMessage(yieldFields(value), plain))).toEqual(value);
  });
  fc.assert(property);
});

test("bytes of any kind are refused or read, and never thrown at", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const read = decodeYield(bytes, bytes.length);
    expect(read === undefined || read.stage > 0).toBe(true);
  });
  fc.assert(property);
});

test("a field of another shape, a field too many or too few make it nothing", () => {
  const packr = new Packr({ useRecords: false });
  const sound: unknown[] = [YieldStage.frozen, 3, "0123456789abcdef", 9, 4, 12, 7_000, 8_000];
  const read = (fields: unknown[]): unknown => {
    const bytes = packr.pack(fields);
    return decodeYield(bytes, bytes.length);
  };
  expect(read(sound)).toBeDefined();
  expect([read([...sound, 1]), read(sound.slice(1)), read([])]).toEqual([undefined, undefined, undefined]);
  const odd: unknown[] = [-1, 1.5, Number.NaN, "x", null, true, [], {}, 2 ** 60, 10n, new Date(0)];
  for (let place = 0; place < sound.length; place++) {
    for (const value of odd) {
      expect(read(sound.map((field, index) => (index === place ? value : field)))).toBeUndefined();
    }
  }
});
