import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  OSC_ARGUMENT_LIMIT,
  OSC_ARRAY_DEPTH_LIMIT,
  OSC_BUNDLE_DEPTH_LIMIT,
  OSC_MESSAGE_LIMIT,
  OSC_NO_BUNDLE,
  OSC_PACKET_LIMIT_BYTES,
  OscPacket,
} from "../../../src/input/osc-packet.js";
import { OscReject } from "../../../src/input/osc-reject.js";
import { OscWriter } from "../../../src/input/osc-writer.js";
import { encodeByOscMin, flatten, packetArbitrary, readPacket, writePacket } from "./osc-model.js";

const packet = new OscPacket();

function parse(bytes: Uint8Array): OscReject {
  return packet.parse(bytes, 0, bytes.length);
}

/** Text with `\0`, and numbers as bytes, one after the other. */
function bytes(...parts: (string | number | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => {
      if (typeof part === "number") return [part];
      return typeof part === "string" ? [...part].map((character) => character.charCodeAt(0)) : [...part];
    }),
  );
}

function word(value: number): Uint8Array {
  return bytes(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

function element(content: Uint8Array): Uint8Array {
  return bytes(word(content.length), content);
}

function bundle(...elements: Uint8Array[]): Uint8Array {
  return bytes("#bundle\0", word(1), word(2), ...elements.map(element));
}

function nested(depth: number): Uint8Array {
  return depth === 1 ? bundle(bytes("/a\0\0,\0\0\0")) : bundle(nested(depth - 1));
}

describe("a decoded packet", () => {
  it("holds what osc-min encoded, for every type and nesting", () => {
    fc.assert(
      fc.property(packetArbitrary({ color: false }), (model) => {
        expect(parse(encodeByOscMin(model))).toBe(OscReject.none);
        expect(readPacket(packet)).toEqual(flatten(model));
      }),
      { seed: 7701, numRuns: 1_000 },
    );
  });

  it("is read within its bounds wherever it lies in a larger buffer", () => {
    const writer = new OscWriter(new Uint8Array(OSC_PACKET_LIMIT_BYTES));
    fc.assert(
      fc.property(packetArbitrary({ color: true }), fc.nat(9), fc.nat(255), (model, before, filler) => {
        writer.reset();
        writePacket(writer, model);
        const around = new Uint8Array(writer.length + before + 9).fill(filler);
        around.set(writer.packet(), before);
        expect(packet.parse(around, before, before + writer.length)).toBe(OscReject.none);
        expect(readPacket(packet)).toEqual(flatten(model));
      }),
      { seed: 7702, numRuns: 500 },
    );
  });

  it("gives the numbers of every tag without data and of the packed ones", () => {
    expect(parse(bytes("/a\0\0,TFNIrmc\0\0\0\0", word(0x112233ff), word(0x90403f01), word(65)))).toBe(OscReject.none);
    expect([...packet.values.subarray(0, 7)]).toEqual([1, 0, 0, 1, 0x112233ff, 0x90403f01, 65]);
  });

  it("says when an h does not fit a double", () => {
    const long = (high: number, low: number) => bytes("/a\0\0,h\0\0", word(high), word(low));
    parse(long(0x001fffff, 0xffffffff));
    expect([packet.values[0], packet.isExactLong(0)]).toEqual([Number.MAX_SAFE_INTEGER, true]);
    parse(long(0x00200000, 1));
    expect([packet.values[0], packet.isExactLong(0)]).toEqual([2 ** 53, false]);
    parse(long(-1, 0xfffffffe));
    expect([packet.values[0], packet.isExactLong(0)]).toEqual([-2, true]);
  });

  it("gives a t as seconds too", () => {
    parse(bytes("/a\0\0,t\0\0", word(3_900_000_000), word(0x80000000)));
    expect(packet.values[0]).toBe(3_900_000_000.5);
  });

  it("gives a message outside bundles the time 'immediately' and no bundle", () => {
    parse(bundle(bytes("/a\0\0,\0\0\0")));
    parse(bytes("/a\0\0,\0\0\0"));
    expect([packet.timetagHighs[0], packet.timetagLows[0], packet.bundles[0]]).toEqual([0, 1, OSC_NO_BUNDLE]);
  });

  it("gives a message the time of its innermost bundle", () => {
    const inner = bytes("#bundle\0", word(7), word(8), element(bytes("/b\0\0,\0\0\0")));
    parse(bundle(inner, bytes("/a\0\0,\0\0\0")));
    expect([...packet.timetagHighs.subarray(0, 2)]).toEqual([7, 1]);
    expect([...packet.timetagLows.subarray(0, 2)]).toEqual([8, 2]);
    expect([...packet.bundles.subarray(0, 2)]).toEqual([1, 0]);
    expect([packet.bundleParents[1], packet.bundleParents[0]]).toEqual([0, OSC_NO_BUNDLE]);
  });

  it("marks addresses that are patterns", () => {
    const isPattern = (address: string) => {
      expect(parse(bytes(address, "\0".repeat(4 - (address.length % 4))))).toBe(OscReject.none);
      return packet.addressPatterns[0];
    };
    expect(["/a*", "/a?", "/[a]", "/{a}", "//a", "/a]", "/a}"].map(isPattern)).toEqual([1, 1, 1, 1, 1, 1, 1]);
    expect(["/a", "/a/b/", "/a b#,!-"].map(isPattern)).toEqual([0, 0, 0]);
  });

  it("copies blobs, so a reused buffer cannot change one", () => {
    const source = Buffer.from(bytes("/a\0\0,b\0\0", word(2), 1, 2, 0, 0));
    parse(source);
    const blob = packet.blob(0);
    source.fill(0);
    expect([...blob]).toEqual([1, 2]);
  });

  it("keeps a byte order mark and replaces what is not UTF-8", () => {
    parse(bytes("/a\0\0,ss\0", 0xef, 0xbb, 0xbf, 0, "a", 0xff, "b", 0));
    expect([packet.text(0), packet.text(1)]).toEqual(["\ufeff", "a\ufffdb"]);
  });
});

describe("a message without type tags", () => {
  it("is accepted when nothing follows its address", () => {
    expect(parse(bytes("/go\0"))).toBe(OscReject.none);
    expect([packet.messageCount, packet.argumentCounts[0], packet.addressText(0)]).toEqual([1, 0, "/go"]);
  });

  it("is refused when bytes follow, whose type nobody knows", () => {
    expect(parse(bytes("/go\0", word(1)))).toBe(OscReject.badTypeTag);
  });
});

describe("a malformed packet", () => {
  const refused: [string, OscReject, Uint8Array][] = [
    ["nothing at all", OscReject.notAPacket, bytes()],
    ["neither address nor bundle", OscReject.notAPacket, bytes("abc\0")],
    ["a zero in front", OscReject.notAPacket, bytes("\0/a\0")],
    ["a bundle's name cut short", OscReject.notAPacket, bytes("#bun")],
    ["another name with #", OscReject.notAPacket, bytes("#bundled", word(0), word(1))],
    ["a length that is no multiple of four", OscReject.misaligned, bytes("/a\0\0,\0\0")],
    ["more bytes than a packet has", OscReject.tooLong, new Uint8Array(OSC_PACKET_LIMIT_BYTES + 4).fill(0x2f)],
    ["an address without end", OscReject.truncated, bytes("/abc")],
    ["tags without end", OscReject.truncated, bytes("/a\0\0,iii")],
    ["an argument cut off", OscReject.truncated, bytes("/a\0\0,ii\0", word(1))],
    ["half a double", OscReject.truncated, bytes("/a\0\0,d\0\0", word(1))],
    ["a string without end", OscReject.truncated, bytes("/a\0\0,s\0\0abcd")],
    ["a blob without size", OscReject.truncated, bytes("/a\0\0,b\0\0")],
    ["a blob longer than the packet", OscReject.truncated, bytes("/a\0\0,b\0\0", word(100), word(0))],
    ["a blob of negative length", OscReject.truncated, bytes("/a\0\0,b\0\0", word(-4), word(0))],
    [
      "a blob without its padding",
      OscReject.truncated,
      bytes("/a\0\0,bi\0", word(5), word(0), word(0)).subarray(0, 16),
    ],
    ["padding of the address that is not zero", OscReject.badPadding, bytes("/a\0x,\0\0\0")],
    ["padding of the tags that is not zero", OscReject.badPadding, bytes("/a\0\0,\0x\0")],
    ["padding of a string that is not zero", OscReject.badPadding, bytes("/a\0\0,s\0\0a\0\0x")],
    ["padding of a blob that is not zero", OscReject.badPadding, bytes("/a\0\0,b\0\0", word(2), 1, 2, 0, 1)],
    ["a control character in the address", OscReject.badAddress, bytes("/a\n\0,\0\0\0")],
    ["a byte beyond ASCII in the address", OscReject.badAddress, bytes("/", 0xe9, 0, 0, ",\0\0\0")],
    ["tags without comma", OscReject.badTypeTag, bytes("/a\0\0iii\0", word(1), word(1), word(1))],
    ["an unknown tag", OscReject.badTypeTag, bytes("/a\0\0,q\0\0")],
    ["a bracket that is not closed", OscReject.badTypeTag, bytes("/a\0\0,[[]\0\0\0\0")],
    ["a bracket that was not opened", OscReject.badTypeTag, bytes("/a\0\0,][\0")],
    ["more bytes than arguments", OscReject.trailingBytes, bytes("/a\0\0,i\0\0", word(1), word(2))],
    ["a bundle without time", OscReject.badBundle, bytes("#bundle\0", word(0))],
    ["an element of size zero", OscReject.badBundle, bytes("#bundle\0", word(0), word(1), word(0))],
    ["an element of negative size", OscReject.badBundle, bytes("#bundle\0", word(0), word(1), word(-4), word(0))],
    ["an element larger than its bundle", OscReject.badBundle, bytes("#bundle\0", word(0), word(1), word(8), "/a\0\0")],
    ["an element of odd size", OscReject.badBundle, bytes("#bundle\0", word(0), word(1), word(3), "/a\0\0")],
    ["an element that is no packet", OscReject.badBundle, bundle(bytes("abc\0"))],
    ["one bad message after a good one", OscReject.badTypeTag, bundle(bytes("/a\0\0,\0\0\0"), bytes("/a\0\0,q\0\0"))],
    ["bundles nested too deep", OscReject.tooDeep, nested(OSC_BUNDLE_DEPTH_LIMIT + 1)],
  ];

  it.each(refused)("is refused: %s", (_, code, malformed) => {
    expect(parse(malformed)).toBe(code);
    expect(packet.messageCount).toBe(0);
  });

  it("is refused one level beyond the depth of bundles and arrays, and not at it", () => {
    const arrays = (depth: number) => {
      const tags = `,${"[".repeat(depth)}${"]".repeat(depth)}`;
      return bytes("/a\0\0", tags, "\0".repeat(4 - (tags.length % 4)));
    };
    expect(parse(nested(OSC_BUNDLE_DEPTH_LIMIT))).toBe(OscReject.none);
    expect(parse(arrays(OSC_ARRAY_DEPTH_LIMIT))).toBe(OscReject.none);
    expect(parse(arrays(OSC_ARRAY_DEPTH_LIMIT + 1))).toBe(OscReject.tooDeep);
  });

  it("is refused one beyond the number of messages and arguments, and not at it", () => {
    const messages = (count: number) => bundle(...new Array<Uint8Array>(count).fill(bytes("/\0\0\0")));
    const tags = (count: number) => bytes("/a\0\0", `,${"T".repeat(count)}`, "\0".repeat(4 - ((count + 1) % 4)));
    expect(parse(messages(OSC_MESSAGE_LIMIT))).toBe(OscReject.none);
    expect(packet.messageCount).toBe(OSC_MESSAGE_LIMIT);
    expect(parse(messages(OSC_MESSAGE_LIMIT + 1))).toBe(OscReject.tooManyMessages);
    expect(parse(tags(OSC_ARGUMENT_LIMIT))).toBe(OscReject.none);
    expect(packet.argumentCount).toBe(OSC_ARGUMENT_LIMIT);
    expect(parse(tags(OSC_ARGUMENT_LIMIT + 1))).toBe(OscReject.tooManyArguments);
  });

  it("counts the arguments of all messages together", () => {
    const half = bytes("/a\0\0", `,${"T".repeat(OSC_ARGUMENT_LIMIT / 2)}\0\0\0`);
    expect(parse(bundle(half, half))).toBe(OscReject.none);
    expect(parse(bundle(half, half, bytes("/a\0\0,T\0\0")))).toBe(OscReject.tooManyArguments);
  });

  it("fits the bundle tables when it is nothing but bundles", () => {
    const empty = bundle();
    const many = bundle(...new Array<Uint8Array>(Math.floor((OSC_PACKET_LIMIT_BYTES - 16) / 20)).fill(empty));
    expect(parse(many)).toBe(OscReject.none);
    expect([packet.bundleCount, packet.messageCount]).toEqual([3_277, 0]);
    expect(packet.bundleCount).toBeLessThanOrEqual(packet.bundleParents.length);
  });
});
