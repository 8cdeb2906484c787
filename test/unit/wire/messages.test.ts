/** Small messages and snapshot records: read as they were written; what has another shape is none. */
import fc from "fast-check";
import { Packr } from "msgpackr";
import { describe, expect, test } from "vitest";
import { encodeMessage } from "../../../src/wire/fields.js";
import {
  decodeHello,
  decodeNak,
  decodeWriteResult,
  helloFields,
  nakFields,
  writeResultFields,
} from "../../../src/wire/messages.js";
import {
  decodeHeader,
  decodeLineage,
  decodeRequest,
  encodeHeader,
  encodeRequest,
  headerRecords,
  piecesOf,
  RecordKind,
} from "../../../src/wire/snapshot-records.js";
import { ControlKind, controlFields, decodeControl } from "../../../src/wire/control-message.js";
import { appliedFields, decodeApplied } from "../../../src/wire/applied.js";
import { decodeEcho, echoFields } from "../../../src/wire/echo.js";
import { decodeReplicated, replicatedFields } from "../../../src/wire/replicated.js";
import { decodeVote, decodeVoteAsk, voteAskFields, voteFields } from "../../../src/wire/vote.js";

const plain = new Uint8Array(65_536);
const whole = fc.maxSafeNat();
const notice = {
  name: fc.string({ maxLength: 64 }),
  priority: fc.nat(1_000),
  unicastPort: fc.nat(65_535),
  snapshotPort: fc.nat(65_535),
  term: fc.nat(2 ** 32 - 1),
  isInSync: fc.boolean(),
};
const node = fc.stringMatching(/^[0-9a-f]{16}$/);
const hello = fc.record({ ...notice, nonce: fc.nat(2 ** 32 - 1) });
const refusal = fc.record({ write: whole, reject: fc.integer({ min: 0, max: 19 }) });
const result = fc.record({
  ...{ session: fc.nat(2 ** 32 - 1), write: whole, frame: whole, term: fc.nat(2 ** 32 - 1) },
  refusals: fc.array(refusal, { maxLength: 64 }),
});

const number = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const nonce = fc.nat(2 ** 32 - 1);
const head = fc.record({ number, node, whole });

const handover = fc.oneof(
  fc.record({ kind: fc.constant(ControlKind.ask), nonce, to: node }),
  fc.record({ kind: fc.constant(ControlKind.offer), nonce, term: nonce, frame: whole, sequence: whole }),
  fc.record({ kind: fc.constant(ControlKind.ready), nonce, sequence: whole }),
  fc.record({ kind: fc.constant(ControlKind.go), nonce, leaseUs: nonce }),
  fc.record({ kind: fc.constant(ControlKind.no), nonce, reason: fc.string({ maxLength: 50 }) }),
);

type Decode = (bytes: Uint8Array, length: number) => unknown;

/** Every message: what makes one, its fields, its decoder. */
const MESSAGES: readonly (readonly [string, fc.Arbitrary<unknown>, (value: never) => unknown[], Decode])[] = [
  ["hello", hello, helloFields, decodeHello],
  ["write result", result, writeResultFields as never, decodeWriteResult],
  [
    "nak",
    fc.record({ term: whole, ranges: fc.array(whole, { maxLength: 16 }).map((r) => [...r, ...r]) }),
    nakFields,
    decodeNak,
  ],
  [
    "question for a vote",
    fc.record({
      number,
      nonce,
      isTrial: fc.boolean(),
      hasLeft: fc.boolean(),
      priority: fc.nat(1_000),
      unicastPort: fc.nat(65_535),
      head,
    }),
    voteAskFields,
    decodeVoteAsk,
  ],
  ["handover", handover, controlFields as never, decodeControl],
  ["echo", fc.record({ session: nonce, counter: whole }), echoFields, decodeEcho],
  ["applied", fc.record({ term: number, frame: whole, isAsking: fc.boolean() }), appliedFields, decodeApplied],
  ["replicated", fc.record({ term: number, frame: whole }), replicatedFields, decodeReplicated],
  [
    "vote",
    fc.record({
      number,
      nonce,
      isYes: fc.boolean(),
      known: number,
      snapshotPort: fc.nat(65_535),
      name: fc.string({ maxLength: 64 }),
      head,
    }),
    voteFields,
    decodeVote,
  ],
];

describe.each(MESSAGES)("a %s", (_name, arbitrary, fieldsOf, decode) => {
  test("reads back as it was written", () => {
    const property = fc.property(arbitrary, (value) => {
      const length = encodeMessage(fieldsOf(value as never), plain);
      expect(decode(plain, length)).toEqual(value);
    });
    fc.assert(property, { numRuns: 200 });
  });

  test("that is cut anywhere is none", () => {
    const [value] = fc.sample(arbitrary, { numRuns: 1, seed: 4 });
    const length = encodeMessage(fieldsOf(value as never), plain);
    for (let end = 0; end < length; end++) expect(decode(plain, end)).toBeUndefined();
  });

  test("with a field of another kind is none", () => {
    const packr = new Packr({ useRecords: false });
    const property = fc.property(arbitrary, fc.nat(16), ODD, (value, place, odd) => {
      const fields = fieldsOf(value as never);
      if (fields.length === 0) return;
      fields[place % fields.length] = odd;
      const bytes = new Uint8Array(packr.pack(fields));
      expect(decode(bytes, bytes.length)).toBeUndefined();
    });
    fc.assert(property, { numRuns: 300 });
  });
});

/** What msgpack can carry and no field is. (A set or a pattern arrives as an array, which some fields are.) */
const ODD = fc.constantFrom<unknown>(
  ...[null, undefined, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 2n ** 60n, {}, new Date(0)],
  ...["x".repeat(70), [[]], [-1], new Map(), new Uint8Array(3), new Error("x")],
);

test("a message that does not fit is not sent", () => {
  expect(encodeMessage(["x".repeat(100)], new Uint8Array(50))).toBe(0);
});

test("a nak asks for no more than sixteen ranges", () => {
  const length = encodeMessage(nakFields({ term: 1, ranges: new Array<number>(34).fill(5) }), plain);
  expect(decodeNak(plain, length)).toBeUndefined();
});

describe("a snapshot's records", () => {
  const origin = fc.record({ node, surface: fc.string({ maxLength: 64 }) });
  const header = fc
    .record({
      ...{ image: whole, termNumber: whole, termNode: node, sequence: whole, told: whole },
      origins: fc.array(origin, { maxLength: 50 }),
      lineage: fc.constant([]),
    })
    .map((record) => ({ ...record, told: Math.min(record.told, record.sequence) }));
  const lineage = fc.array(fc.record({ number: fc.nat(2 ** 31), node, sequence: whole }), { maxLength: 3_000 });

  test("do not say where writers stand in changes that are not in it", () => {
    const ahead = header.filter(({ sequence }) => sequence < Number.MAX_SAFE_INTEGER);
    fc.assert(
      fc.property(ahead, (value) => {
        const bytes = encodeHeader({ ...value, told: value.sequence + 1 });
        expect(decodeHeader(bytes.subarray(1))).toBeUndefined();
      }),
    );
  });

  test("read back as they were written", () => {
    const request = fc.record({ minSequence: whole, image: whole, term: fc.string({ maxLength: 40 }), records: whole });
    fc.assert(
      fc.property(request, (value) => {
        expect(decodeRequest(encodeRequest(value))).toEqual(value);
      }),
    );
    const headers = fc.property(header, (value) => {
      const record = encodeHeader(value);
      expect(record[0]).toBe(RecordKind.header);
      expect(decodeHeader(record.subarray(1))).toEqual(value);
    });
    fc.assert(headers);
    const lineages = fc.property(header, lineage, (value, entries) => {
      const [, ...records] = headerRecords({ ...value, lineage: entries });
      expect(records.every((record) => record[0] === RecordKind.lineage)).toBe(true);
      expect(records.flatMap((record) => decodeLineage(record.subarray(1)))).toEqual(entries);
    });
    fc.assert(lineages, { numRuns: 10 });
  });

  test("say no lineage in another shape", () => {
    const packr = new Packr({ useRecords: false });
    const sound = [1, "0123456789abcdef", 3];
    expect(decodeLineage(packr.pack(sound))).toBeDefined();
    expect(decodeLineage(packr.pack(sound.slice(1)))).toBeUndefined();
    const property = fc.property(fc.nat(2), ODD, (place, odd) => {
      const fields: unknown[] = [...sound];
      fields[place] = odd;
      return decodeLineage(packr.pack(fields)) === undefined;
    });
    fc.assert(property);
  });

  test("cut a chunk into pieces of at most the limit, the last one marked", () => {
    const property = fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.integer({ min: 2, max: 64 }),
      (chunk, limit) => {
        const pieces = piecesOf(chunk, limit);
        const isLast = pieces.map((piece) => piece[0] === RecordKind.lastPiece);
        expect(isLast).toEqual(pieces.map((_piece, index) => index === pieces.length - 1));
        expect(pieces.every((piece) => piece.length >= 2 && piece.length <= limit)).toBe(true);
        expect(pieces.flatMap((piece) => [...piece.subarray(1)])).toEqual([...chunk]);
      },
    );
    fc.assert(property);
  });

  test("of another shape are none", () => {
    const packr = new Packr({ useRecords: false });
    const sound = [1, 2, "0123456789abcdef", 3, 3, []];
    expect(decodeHeader(packr.pack(sound))).toBeDefined();
    const property = fc.property(fc.nat(5), ODD, (place, odd) => {
      const fields: unknown[] = [...sound];
      fields[place] = odd;
      expect(decodeHeader(packr.pack(fields))).toBeUndefined();
      expect(
        decodeRequest(packr.pack([1, 2, 3].map((field, index) => (index === place % 3 ? odd : field)))),
      ).toBeUndefined();
    });
    fc.assert(property, { numRuns: 300 });
  });
});
