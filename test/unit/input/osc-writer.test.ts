import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AssertionError } from "../../../src/base/assert.js";
import { OSC_BUNDLE_DEPTH_LIMIT, OSC_PACKET_LIMIT_BYTES, OscPacket } from "../../../src/input/osc-packet.js";
import { OscReject } from "../../../src/input/osc-reject.js";
import { encodeOscAddress, OscWriter } from "../../../src/input/osc-writer.js";
import { decodeByOscMin, encodeByOscMin, flatten, packetArbitrary, readPacket, writePacket } from "./osc-model.js";

const writer = new OscWriter(new Uint8Array(OSC_PACKET_LIMIT_BYTES));

describe("an encoded packet", () => {
  it("is read by osc-min as it was meant, for every type and nesting", () => {
    fc.assert(
      fc.property(packetArbitrary({ color: true }), (model) => {
        writer.reset();
        writePacket(writer, model);
        expect(decodeByOscMin(writer.packet())).toEqual(flatten(model));
      }),
      { seed: 7703, numRuns: 1_000 },
    );
  });

  it("is byte for byte what osc-min encodes", () => {
    fc.assert(
      fc.property(packetArbitrary({ color: false }), (model) => {
        writer.reset();
        writePacket(writer, model);
        expect(writer.packet()).toEqual(encodeByOscMin(model));
      }),
      { seed: 7704, numRuns: 1_000 },
    );
  });

  it("takes 32-bit words signed or unsigned", () => {
    const encode = (word: number) => {
      writer.reset();
      writer.begin("/a", "rmth");
      writer.rgba(word);
      writer.midi(word);
      writer.timetag(word, word);
      writer.long(word, word);
      writer.end();
      return writer.packet();
    };
    expect(encode(0xfedcba98 | 0)).toEqual(encode(0xfedcba98));
  });

  it("has every string in UTF-8, as TextEncoder has it, lone surrogates too", () => {
    const encoder = new TextEncoder();
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 0xffff }), { maxLength: 12 }), (units) => {
        const text = String.fromCharCode(...units);
        writer.reset();
        writer.begin("/a", "s");
        writer.string(text);
        writer.end();
        const expected = encoder.encode(text);
        expect(writer.packet().subarray(8, 8 + expected.length)).toEqual(expected);
        expect(writer.length).toBe(8 + (expected.length & ~3) + 4);
      }),
      {
        seed: 7705,
        numRuns: 1_000,
        examples: [[[0xd83d, 0xde00]], [[0xd83d]], [[0xde00, 0xd83d]], [[0xd83d, 0x41]], [[0xde00, 0xde00]]],
      },
    );
  });

  it("has a string up to its first zero, because OSC ends it there", () => {
    writer.reset();
    writer.begin("/a", "si");
    writer.string("ab\0cd");
    writer.int(5);
    writer.end();
    expect(decodeByOscMin(writer.packet())[0].args).toEqual([
      { tag: "s", value: "ab" },
      { tag: "i", value: 5 },
    ]);
  });

  it("takes a part of a blob's source", () => {
    writer.reset();
    writer.begin("/a", "b");
    writer.blob(Uint8Array.of(1, 2, 3, 4, 5), 1, 4);
    writer.end();
    expect(decodeByOscMin(writer.packet())[0].args).toEqual([{ tag: "b", value: [2, 3, 4] }]);
  });

  it("is the same for an address as text and as bytes", () => {
    for (const address of ["/", "/ab", "/abc", "/abcd"]) {
      writer.reset();
      writer.begin(address, "");
      writer.end();
      const fromText = writer.packet();
      writer.reset();
      writer.begin(encodeOscAddress(address), "");
      writer.end();
      expect(writer.packet()).toEqual(fromText);
    }
  });
});

describe("a writer that runs out of room", () => {
  it("says so for every limit below the packet's length, and writes nothing beyond the limit", () => {
    fc.assert(
      fc.property(packetArbitrary({ color: true }), fc.nat(), (model, cut) => {
        writer.reset();
        writePacket(writer, model);
        const limit = cut % writer.length;
        const small = new OscWriter(new Uint8Array(writer.length).fill(0xaa));
        small.reset(limit);
        writePacket(small, model);
        expect(small.overflow).toBe(true);
        expect(small.buffer.subarray(limit).every((byte) => byte === 0xaa)).toBe(true);
        small.reset();
        writePacket(small, model);
        expect(small.overflow).toBe(false);
        expect(small.packet()).toEqual(writer.packet());
      }),
      { seed: 7706, numRuns: 300 },
    );
  });

  it("fills a datagram with as many messages as fit, when the last is taken back", () => {
    const limit = 200;
    writer.reset(limit);
    writer.bundleBegin(0, 1);
    writer.bundleBegin(5, 6);
    let count = 0;
    for (;;) {
      const mark = writer.mark();
      writer.begin("/viz/tunnel/zoom", "f");
      writer.float(count);
      writer.end();
      if (writer.overflow) {
        writer.rewind(mark);
        break;
      }
      count++;
    }
    writer.bundleEnd();
    writer.bundleEnd();
    const packet = new OscPacket();
    expect(packet.parse(writer.buffer, 0, writer.length)).toBe(OscReject.none);
    expect(packet.messageCount).toBe(count);
    expect(limit - writer.length).toBeLessThan(4 + 20 + 4 + 4);
    expect(readPacket(packet)[0].timetags).toEqual([
      [5, 6],
      [0, 1],
    ]);
  });

  it("takes back a bundle that was begun since the mark", () => {
    writer.reset(64);
    writer.bundleBegin(0, 1);
    const mark = writer.mark();
    writer.bundleBegin(0, 1);
    writer.begin("/a/long/address/that/does/not/fit/in/here", "");
    writer.end();
    expect(writer.overflow).toBe(true);
    writer.rewind(mark);
    for (const address of ["/a", "/b"]) {
      writer.begin(address, "");
      writer.end();
    }
    writer.bundleEnd();
    expect(decodeByOscMin(writer.packet()).map((message) => message.address)).toEqual(["/a", "/b"]);
  });
});

describe("a wrong order of calls", () => {
  const mistakes: [string, () => void][] = [
    ["an argument of another tag", () => writer.int(1)],
    ["an end before the last argument", () => writer.end()],
    ["a message inside a message", () => writer.begin("/b", "")],
    ["a mark inside a message", () => writer.mark()],
    ["the end of a bundle that was not begun", () => writer.bundleEnd()],
  ];
  it.each(mistakes)("asserts: %s", (_, mistake) => {
    writer.reset();
    writer.begin("/a", "f");
    expect(mistake).toThrow(AssertionError);
  });

  it("asserts: an argument too many", () => {
    writer.reset();
    writer.begin("/a", "f");
    writer.float(1);
    expect(() => writer.float(1)).toThrow(AssertionError);
  });

  it("asserts: a second packet without reset", () => {
    writer.reset();
    writer.begin("/a", "");
    writer.end();
    expect(() => writer.begin("/b", "")).toThrow(AssertionError);
  });

  it("asserts: bundles deeper than a decoder reads", () => {
    writer.reset();
    for (let depth = 0; depth < OSC_BUNDLE_DEPTH_LIMIT; depth++) writer.bundleBegin(0, 1);
    expect(() => writer.bundleBegin(0, 1)).toThrow(AssertionError);
  });

  it("asserts: an address that is none", () => {
    for (const address of ["", "a", "/é", "/a\n"]) expect(() => encodeOscAddress(address)).toThrow(AssertionError);
  });
});
