/** Stream frames: what `StreamFrames` makes, the reader finds: content, journal, info. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../../src/base/bytes.js";
import { CONTENT_LIMIT_BYTES, SentRing } from "../../../src/sync/sent-ring.js";
import { StreamFrames } from "../../../src/sync/stream-frames.js";
import { BODY_MAX_BYTES } from "../../../src/wire/envelope.js";
import {
  readInfo,
  readNode,
  StreamFlag,
  StreamFrameReader,
  type StreamInfo,
  writeInfo,
  writeNode,
} from "../../../src/wire/frame.js";

const node = fc.stringMatching(/^[0-9a-f]{16}$/);
const u48 = fc.nat(2 ** 48 - 1);
const info: fc.Arbitrary<StreamInfo> = fc.record({
  ...{ sequence: u48, parentNumber: fc.nat(2 ** 32 - 1), parentNode: node, forkSequence: u48 },
  ...{ unicastPort: fc.nat(65_535), snapshotPort: fc.nat(65_535), priority: fc.nat(1_000) },
  answers: fc.nat(2 ** 32 - 1),
  digests: fc.array(fc.integer(), { minLength: 20, maxLength: 20 }).map((words) => Int32Array.from(words)),
  paths: fc.nat(100_000),
  timeUs: fc.maxSafeNat(),
  nodes: fc.nat(65_535),
  hasMajority: fc.boolean(),
  isDeaf: fc.boolean(),
});

const lengths = fc.array(
  fc.oneof(fc.integer({ min: 15, max: 60 }), fc.integer({ min: 15, max: CONTENT_LIMIT_BYTES })),
  {
    minLength: 1,
    maxLength: 12,
  },
);

function stream(contents: readonly number[], redundancy: number) {
  const sent = new SentRing();
  const plain = new Uint8Array(BODY_MAX_BYTES);
  const port = {
    plain,
    multicast: (_: number, length: number) => length,
    announce: (_: number, length: number) => length,
    unicast: (_: number, length: number) => length,
  };
  const frames = new StreamFrames(port, sent, () => true);
  frames.term = 9;
  frames.redundancy = redundancy;
  for (const [index, length] of contents.entries()) {
    const start = sent.start(index + 1);
    sent.bytes.fill(index + 1, start, start + length);
    sent.append(length);
  }
  return { frames, plain };
}

/** The frames whose contents a frame's journal holds, as (byte, length). */
function journal(reader: StreamFrameReader, plain: Uint8Array): number[][] {
  return Array.from({ length: reader.journalCount }, (_, index) => {
    const [start, end] = reader.journal.subarray(index * 2, index * 2 + 2) as unknown as [number, number];
    return [plain[start] as number, end - start];
  });
}

describe("a stream frame", () => {
  test("says its place, its content and, whole and newest first, what the journal holds", () => {
    const property = fc.property(lengths, fc.nat(8), (contents, redundancy) => {
      const { frames, plain } = stream(contents, redundancy);
      const reader = new StreamFrameReader();
      const length = frames.sendNewest();
      expect(length).toBeLessThanOrEqual(BODY_MAX_BYTES);
      expect(reader.read(plain, length)).toBe(true);
      expect([...reader.doubles]).toEqual([9, contents.length, 1]);
      const size = contents.at(-1) as number;
      expect(reader.contentEnd - reader.contentStart).toBe(size);
      expect(plain.subarray(reader.contentStart, reader.contentEnd).every((byte) => byte === contents.length)).toBe(
        true,
      );
      const before = contents
        .map((bytes, index) => [index + 1, bytes])
        .slice(0, -1)
        .reverse();
      expect(reader.journalCount).toBeLessThanOrEqual(redundancy);
      expect(journal(reader, plain)).toEqual(before.slice(0, reader.journalCount));
    });
    fc.assert(property, { numRuns: 200 });
  });

  test("that is a heartbeat holds no content, its journal begins with the newest", () => {
    const said = fc.option(info, { nil: undefined });
    const property = fc.property(lengths, said, (contents, said) => {
      const { frames, plain } = stream(contents, 8);
      const reader = new StreamFrameReader();
      const length = said === undefined ? frames.sendHeartbeat() : frames.sendInfo(said, true, undefined);
      expect(length).toBeLessThanOrEqual(BODY_MAX_BYTES);
      expect(reader.read(plain, length)).toBe(true);
      expect(reader.flags).toBe(StreamFlag.heartbeat | (said === undefined ? 0 : StreamFlag.info));
      expect([reader.contentStart, reader.info]).toEqual([-1, said]);
      const all = contents.map((bytes, index) => [index + 1, bytes]).reverse();
      expect(journal(reader, plain)).toEqual(all.slice(0, reader.journalCount));
    });
    fc.assert(property, { numRuns: 200 });
  });

  test("sent again holds its own content alone", () => {
    const { frames, plain } = stream([100, 200, 300], 3);
    const reader = new StreamFrameReader();
    expect(reader.read(plain, frames.sendRepair(2, undefined))).toBe(true);
    expect([reader.flags, reader.doubles[1], reader.journalCount]).toEqual([StreamFlag.repair, 2, 0]);
    expect([plain[reader.contentStart], reader.contentEnd - reader.contentStart]).toEqual([2, 200]);
  });

  test("cut anywhere, or followed by anything, is none", () => {
    const { frames, plain } = stream([30, 40, 50], 3);
    const length = frames.sendNewest();
    const reader = new StreamFrameReader();
    for (let end = 0; end < length; end++) expect(reader.read(plain, end), `cut at ${end}`).toBe(false);
    expect(reader.read(plain, length + 1)).toBe(false);
    expect(reader.read(plain, length)).toBe(true);
  });
});

test("what a controller says of itself reads back", () => {
  const property = fc.property(info, (said) => {
    const out = new ByteWriter(new Uint8Array(256));
    writeInfo(out, said);
    const input = new ByteReader(out.buffer, 0, out.offset);
    expect(readInfo(input)).toEqual(said);
    expect([input.failed, input.remaining, out.overflow]).toEqual([false, 0, false]);
  });
  fc.assert(property);
});

test("a node's id reads back, none as none", () => {
  for (const id of ["", "0000000000000001", "ffffffffffffffff", "0123456789abcdef"]) {
    const out = new ByteWriter(new Uint8Array(8));
    writeNode(out, id);
    expect(readNode(new ByteReader(out.buffer))).toBe(id);
  }
});
