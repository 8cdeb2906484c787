/** Conflated rounds: read as they were written; what has another shape is none. */
import { describe, expect, test } from "vitest";
import { ByteWriter } from "../../../src/base/bytes.js";
import {
  EntryReader,
  PART_HEADER_BYTES,
  readRoundAnswer,
  readRoundPart,
  ROUND_FRAMES_MAX,
  ROUND_PARTS_MAX,
  type RoundPart,
  writeEntry,
  writeRoundAnswer,
  writeRoundPart,
} from "../../../src/wire/conflated.js";

const HEAD: RoundPart = { term: 3, since: 2 ** 40, through: 2 ** 40 + 9, round: 65_535, parts: 3, part: 2, reason: 1 };
const ANSWER = { term: 3, complete: 2 ** 40, round: 7, here: 5 };

function entries(...offsets: readonly number[]): Uint8Array {
  const out = new ByteWriter(new Uint8Array(200));
  for (const offset of offsets) writeEntry(out, offset, Uint8Array.of(1, 2, 3, 4), 1, 3);
  return out.buffer.slice(0, out.offset);
}

function part(head: RoundPart, rest: Uint8Array = new Uint8Array(0)): Uint8Array {
  const plain = new Uint8Array(1_154);
  return plain.slice(0, writeRoundPart(plain, head, rest));
}

describe("a part of a round", () => {
  test("reads back as it was written, entry by entry", () => {
    const bytes = part(HEAD, entries(1, 4, 9));
    expect(readRoundPart(bytes, bytes.length)).toEqual(HEAD);
    const reader = new EntryReader();
    reader.begin(bytes, PART_HEADER_BYTES, bytes.length, HEAD);
    for (const offset of [1, 4, 9]) {
      expect([reader.next(), reader.frame - HEAD.since]).toEqual([true, offset]);
      expect([...bytes.subarray(reader.start, reader.end)]).toEqual([2, 3]);
    }
    expect([reader.next(), reader.failed]).toEqual([false, false]);
  });

  test.each([
    ["ends before it begins", { ...HEAD, through: HEAD.since - 1 }],
    ["stands for too many frames", { ...HEAD, through: HEAD.since + ROUND_FRAMES_MAX + 1 }],
    ["has no parts", { ...HEAD, parts: 0, part: 0 }],
    ["has too many parts", { ...HEAD, parts: ROUND_PARTS_MAX + 1 }],
    ["is none of its parts", { ...HEAD, part: 3 }],
    ["has a reason that is none", { ...HEAD, reason: 3 as 1 }],
  ])("that %s is none", (_, head) => {
    const bytes = part(head);
    expect(readRoundPart(bytes, bytes.length)).toBeUndefined();
  });

  test.each([
    ["a frame twice", entries(4, 4)],
    ["a frame after a later one", entries(4, 3)],
    ["the frame before", entries(0)],
    ["a frame beyond the round", entries(10)],
    ["an entry that is cut", entries(4).subarray(0, 3)],
  ])("with %s fails there", (_, bytes) => {
    const reader = new EntryReader();
    reader.begin(bytes, 0, bytes.length, HEAD);
    while (reader.next());
    expect(reader.failed).toBe(true);
  });

  test("that is cut in its head is none", () => {
    const bytes = part(HEAD);
    for (let end = 0; end < bytes.length; end++) expect(readRoundPart(bytes, end)).toBeUndefined();
  });
});

describe("an answer", () => {
  test("reads back as it was written, and any other length or number is none", () => {
    const plain = new Uint8Array(40);
    const length = writeRoundAnswer(plain, ANSWER);
    expect(readRoundAnswer(plain, length)).toEqual(ANSWER);
    for (let other = 0; other < 40; other++)
      if (other !== length) expect(readRoundAnswer(plain, other)).toBeUndefined();
    writeRoundAnswer(plain, { ...ANSWER, here: 2 ** ROUND_PARTS_MAX });
    expect(readRoundAnswer(plain, length)).toBeUndefined();
  });
});
