/** Where writers stand, as bytes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Reject } from "../../../src/state/reject.js";
import { decodeStandings, encodeStandings, type Standing } from "../../../src/wire/standing.js";

const NODE = fc.stringMatching(/^[0-9a-f]{16}$/).filter((node) => !/^0+$/.test(node));
const refusal = fc.record({ write: fc.nat(2 ** 40), reject: fc.constantFrom(...Object.values(Reject)) });
const standing: fc.Arbitrary<Standing> = fc.record({
  node: NODE,
  session: fc.nat(2 ** 32 - 1),
  write: fc.nat(2 ** 48),
  refusals: fc.array(refusal, { maxLength: 64 }),
});

test("standings read back", () => {
  const property = fc.property(fc.array(standing, { maxLength: 40 }), (standings) => {
    expect(decodeStandings(encodeStandings(standings))).toEqual(standings);
  });
  fc.assert(property, { numRuns: 200 });
});

test("more refusals than a record holds put their writers before the first of them", () => {
  const refusals = Array.from({ length: 64 }, (_, index) => ({ write: 2 ** 40 + index, reject: Reject.tooLong }));
  const all = Array.from({ length: 256 }, (_, writer) => {
    return { node: (writer + 1).toString(16).padStart(16, "0"), session: 1, write: 2 ** 41, refusals };
  });
  const bytes = encodeStandings(all);
  expect(bytes.length).toBeLessThan(65_000);
  const found = decodeStandings(bytes) ?? [];
  expect(found.map(({ node }) => node)).toEqual(all.map(({ node }) => node));
  const cut = found.filter((entry) => entry.refusals.length === 0);
  expect(cut.length).toBeGreaterThan(0);
  expect(cut.every(({ write }) => write === 2 ** 40 - 1)).toBe(true);
  expect(found.filter((entry) => entry.refusals.length > 0).every(({ write }) => write === 2 ** 41)).toBe(true);
});

test("what is cut, too many, of no node or with too many refusals is none", () => {
  const one = { node: "0123456789abcdef", session: 1, write: 70_000, refusals: [{ write: 5, reject: Reject.tooLong }] };
  const bytes = encodeStandings([one]);
  for (let end = 1; end < bytes.length; end++)
    expect(decodeStandings(bytes.subarray(0, end)), `${end}`).toBeUndefined();
  const many = new Uint8Array(bytes.length * 257);
  for (let at = 0; at < many.length; at += bytes.length) many.set(bytes, at);
  expect(decodeStandings(many.subarray(0, bytes.length * 256))).toHaveLength(256);
  expect(decodeStandings(many)).toBeUndefined();
  expect(decodeStandings(Uint8Array.from(bytes, (byte, at) => (at < 8 ? 0 : byte)))).toBeUndefined();
  expect(decodeStandings(new Uint8Array(1_000).fill(65))).toBeUndefined();
});
