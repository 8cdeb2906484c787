import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { framedLimitBytes, OscFraming, OscStreamDecoder, writeFrame } from "../../../src/input/osc-framing.js";
import { OSC_PACKET_LIMIT_BYTES } from "../../../src/input/osc-packet.js";
import { OscReject } from "../../../src/input/osc-reject.js";

const END = 0xc0;
const ESCAPE = 0xdb;

function frames(framing: OscFraming, packets: readonly Uint8Array[]): Uint8Array {
  const target = new Uint8Array(packets.reduce((sum, packet) => sum + framedLimitBytes(packet.length), 0));
  let offset = 0;
  for (const packet of packets) offset = writeFrame(framing, packet, 0, packet.length, target, offset);
  return target.subarray(0, offset);
}

/** Feeds the stream in pieces that end at `cuts`; the packets are copied as they come. */
function decode(decoder: OscStreamDecoder, stream: Uint8Array, cuts: readonly number[] = []): [OscReject, number[][]] {
  const packets: number[][] = [];
  const ends = [...cuts.map((cut) => cut % (stream.length + 1)).sort((one, other) => one - other), stream.length];
  let reject: OscReject = OscReject.none;
  let start = 0;
  for (const end of ends) {
    reject = decoder.push(stream.subarray(start, end), (bytes, from, to) =>
      packets.push([...bytes.subarray(from, to)]),
    );
    start = end;
  }
  return [reject, packets];
}

/** Bytes that matter to SLIP are common, so that escapes meet the edges of chunks. */
const content = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((bytes) => bytes.map((byte) => [byte, END, ESCAPE, 0xdc, 0xdd][byte % 9] ?? byte));
const cutting = fc.array(fc.nat(), { maxLength: 30 });

describe("a stream", () => {
  it.each([
    ["SLIP", OscFraming.slip],
    ["size prefixes", OscFraming.size],
  ])("in %s gives its packets back, wherever it is cut", (_, framing) => {
    fc.assert(
      fc.property(fc.array(content, { minLength: 1, maxLength: 8 }), cutting, (packets, cuts) => {
        const decoder = new OscStreamDecoder();
        const expected = packets.map((packet) => [...packet]);
        expect(decode(decoder, frames(framing, packets), cuts)).toEqual([OscReject.none, expected]);
        expect(decoder.framing).toBe(framing);
      }),
      { seed: 7709, numRuns: 1_000 },
    );
  });

  it.each([
    ["SLIP", OscFraming.slip],
    ["size prefixes", OscFraming.size],
  ])("in %s may come byte by byte", (_, framing) => {
    const stream = frames(framing, [Uint8Array.of(0x2f, END, ESCAPE, 0), Uint8Array.of(1)]);
    const cuts = Array.from(stream, (_byte, at) => at);
    expect(decode(new OscStreamDecoder(), stream, cuts)).toEqual([OscReject.none, [[0x2f, END, ESCAPE, 0], [1]]]);
  });

  it.each(["/a\0\0", "#bundle\0"])("that begins with a packet (%j) is SLIP without a leading END", (text) => {
    const packet = [...new TextEncoder().encode(text)];
    expect(decode(new OscStreamDecoder(), Uint8Array.from([...packet, END]))).toEqual([OscReject.none, [packet]]);
  });

  it("may have any number of ENDs between packets", () => {
    const stream = Uint8Array.of(END, END, END, 1, END, END, 2, END, END);
    expect(decode(new OscStreamDecoder(), stream)).toEqual([OscReject.none, [[1], [2]]]);
  });

  it("may have sizes of zero between packets", () => {
    const stream = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 9, 0, 0, 0, 0);
    const decoder = new OscStreamDecoder();
    expect(decode(decoder, stream)).toEqual([OscReject.none, [[9]]]);
    expect(decode(decoder, stream)).toEqual([OscReject.none, [[9]]]);
  });

  it("is not decided by an empty piece", () => {
    const decoder = new OscStreamDecoder();
    expect(decode(decoder, new Uint8Array(0))).toEqual([OscReject.none, []]);
    expect(decoder.framing).toBe(OscFraming.unknown);
  });

  it.each([0x47, 0x01, 0xdb, 0xff])("that begins with byte %i is refused for good", (first) => {
    const decoder = new OscStreamDecoder();
    expect(decode(decoder, Uint8Array.of(first, 0))).toEqual([OscReject.unknownFraming, []]);
    expect(decode(decoder, Uint8Array.of(END, 1, END))).toEqual([OscReject.unknownFraming, []]);
  });

  it("hands a sized packet over where it lies, without copying", () => {
    const stream = frames(OscFraming.size, [Uint8Array.of(1, 2, 3, 4)]);
    new OscStreamDecoder().push(stream, (bytes) => expect(bytes).toBe(stream));
    expect.assertions(1);
  });
});

describe("a malformed frame", () => {
  it.each([
    ["an escape of nothing", [ESCAPE, 1, 2]],
    ["an escape at the end", [1, ESCAPE]],
    ["two wrong escapes", [ESCAPE, 1, ESCAPE, 2]],
  ])("costs SLIP only itself: %s", (_, frame) => {
    const decoder = new OscStreamDecoder();
    const stream = Uint8Array.of(END, 7, END, ...frame, END, 8, END);
    expect(decode(decoder, stream)).toEqual([OscReject.none, [[7], [8]]]);
    expect([decoder.skippedCount, decoder.lastSkipped]).toEqual([1, OscReject.badEscape]);
  });

  it("of more than the limit costs SLIP only itself", () => {
    const decoder = new OscStreamDecoder(4);
    const stream = Uint8Array.of(END, 1, 2, 3, 4, END, 1, 2, 3, 4, 5, ESCAPE, 6, 7, END, 8, END);
    expect(decode(decoder, stream)).toEqual([OscReject.none, [[1, 2, 3, 4], [8]]]);
    expect([decoder.skippedCount, decoder.lastSkipped]).toEqual([1, OscReject.frameTooLong]);
  });

  it.each([
    ["5, above a limit of 4", [0, 0, 0, 5]],
    ["-2147483648", [0x80, 0, 0, 0]],
  ])("of size %s ends a sized stream, after the packets before it", (_, size) => {
    const decoder = new OscStreamDecoder(4);
    const stream = Uint8Array.of(0, 0, 0, 1, 9, ...size, 1, 2, 3, 4, 5);
    expect(decode(decoder, stream)).toEqual([OscReject.frameTooLong, [[9]]]);
    expect(decode(decoder, Uint8Array.of(0, 0, 0, 1, 9))).toEqual([OscReject.frameTooLong, []]);
  });

  it("is not one of exactly the limit", () => {
    const packet = new Uint8Array(OSC_PACKET_LIMIT_BYTES).fill(END);
    for (const framing of [OscFraming.slip, OscFraming.size]) {
      const [reject, packets] = decode(new OscStreamDecoder(), frames(framing, [packet]), [1_000, 2_000]);
      expect([reject, packets.length, packets[0].length]).toEqual([OscReject.none, 1, OSC_PACKET_LIMIT_BYTES]);
    }
  });
});

describe("a framed packet", () => {
  it("has an END on both sides in SLIP, and its size before it otherwise", () => {
    expect([...frames(OscFraming.slip, [Uint8Array.of(1, END, ESCAPE)])]).toEqual([
      END,
      1,
      ESCAPE,
      0xdc,
      ESCAPE,
      0xdd,
      END,
    ]);
    expect([...frames(OscFraming.size, [new Uint8Array(258)])].slice(0, 5)).toEqual([0, 0, 1, 2, 0]);
  });

  it("takes a part of its source", () => {
    const target = new Uint8Array(7);
    expect(writeFrame(OscFraming.size, Uint8Array.of(1, 2, 3, 4), 1, 3, target, 1)).toBe(7);
    expect([...target]).toEqual([0, 0, 0, 0, 2, 2, 3]);
  });

  it.each([
    ["SLIP", OscFraming.slip],
    ["a size prefix", OscFraming.size],
  ])("in %s needs exactly its length", (_, framing) => {
    const packet = Uint8Array.of(1, END, 2, ESCAPE);
    const length = frames(framing, [packet]).length;
    expect(writeFrame(framing, packet, 0, 4, new Uint8Array(length), 0)).toBe(length);
    expect(writeFrame(framing, packet, 0, 4, new Uint8Array(length - 1), 0)).toBe(-1);
    expect(length).toBeLessThanOrEqual(framedLimitBytes(4));
  });
});
