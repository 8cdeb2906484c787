/**
 * The OSC codec against bytes nobody meant: mutations of good packets, streams and patterns, from pinned seeds.
 *
 * What must hold: nothing throws, nothing takes 10 ms, nothing outside the bounds has an influence, and whatever is
 * accepted means the same to osc-min and encodes back to the same bytes.
 */
import { describe, expect, it } from "vitest";
import { framedLimitBytes, OscFraming, OscStreamDecoder, writeFrame } from "../../src/input/osc-framing.js";
import { OscPacket } from "../../src/input/osc-packet.js";
import { compilePattern, isPattern } from "../../src/input/osc-pattern.js";
import { OSC_REJECT_COUNT, OscReject } from "../../src/input/osc-reject.js";
import { OscWriter } from "../../src/input/osc-writer.js";
import {
  type Argument,
  decodeByOscMin,
  type FlatMessage,
  type Packet,
  readPacket,
  writePacket,
} from "../unit/input/osc-model.js";

const PACKET_MUTATIONS = 80_000;
const STREAM_MUTATIONS = 20_000;
const PATTERN_MUTATIONS = 20_000;
const LIMIT_MS = 10;

type Random = () => number;

/** Mulberry32: 32 bits of state, enough to choose mutations; the same on every run. */
function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function below(random: Random, count: number): number {
  return Math.floor(random() * count);
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)];
}

const allArguments: Argument[] = [
  { tag: "i", value: -7 },
  { tag: "f", value: 0.5 },
  { tag: "d", value: -0.1 },
  { tag: "h", value: -(2n ** 60n) },
  { tag: "t", value: [3_900_000_000, 5] },
  { tag: "c", value: 65 },
  { tag: "r", value: 0x11223344 },
  { tag: "m", value: 0x90403f01 },
  { tag: "s", value: "hello" },
  { tag: "S", value: "hé☃" },
  { tag: "b", value: [1, 2, 3, 4, 5] },
  { tag: "T" },
  { tag: "F" },
  { tag: "N" },
  { tag: "I" },
];

const seeds: Packet[] = [
  { address: "/viz/tunnel/zoom", args: [{ tag: "f", value: 0.25 }] },
  { address: "/a", args: [] },
  { address: "/viz/*/camera//{zoom,x}", args: allArguments },
  { address: "/array", args: [{ tag: "[", items: [...allArguments, { tag: "[", items: allArguments.slice(0, 4) }] }] },
  { address: "/blob", args: [{ tag: "b", value: new Array<number>(300).fill(0xc0) }] },
  { address: "/text", args: [{ tag: "s", value: "x".repeat(100) }] },
  { timetag: [0, 1], elements: [] },
  {
    timetag: [3_900_000_000, 7],
    elements: [
      { address: "/one", args: allArguments },
      { timetag: [3_900_000_001, 0], elements: [{ address: "/two", args: [{ tag: "T" }] }] },
      { timetag: [0, 1], elements: [{ timetag: [0, 1], elements: [{ address: "/three", args: [] }] }] },
    ],
  },
];

const writer = new OscWriter(new Uint8Array(65_536));
const corpus = seeds.map((seed) => {
  writer.reset();
  writePacket(writer, seed);
  return writer.packet();
});

const wordsOfInterest = [
  0, 1, 3, 4, 8, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, 0x10000, 0x2c690000, 0x2f610000,
];
const bytesOfInterest = [
  0,
  1,
  0x2f,
  0x23,
  0x2c,
  0x5b,
  0x5d,
  0x7f,
  0x80,
  0xc0,
  0xdb,
  0xff,
  ...new TextEncoder().encode("ifsbhtdScrmTFNI"),
];

type Mutator = (bytes: Uint8Array, random: Random) => Uint8Array;

function spliced(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, at), ...added, ...bytes.subarray(at + removed)]);
}

const mutators: Mutator[] = [
  function flipBit(bytes, random) {
    const copy = bytes.slice();
    copy[below(random, copy.length)] ^= 1 << below(random, 8);
    return copy;
  },
  function setByte(bytes, random) {
    const copy = bytes.slice();
    copy[below(random, copy.length)] = pick(random, bytesOfInterest);
    return copy;
  },
  function setWord(bytes, random) {
    const copy = bytes.slice();
    if (copy.length < 4) return copy;
    new DataView(copy.buffer).setUint32(below(random, copy.length >> 2) * 4, pick(random, wordsOfInterest));
    return copy;
  },
  function truncate(bytes, random) {
    return bytes.slice(0, below(random, bytes.length + 1));
  },
  function truncateToWord(bytes, random) {
    return bytes.slice(0, below(random, (bytes.length >> 2) + 1) * 4);
  },
  function extend(bytes, random) {
    return spliced(
      bytes,
      bytes.length,
      0,
      Uint8Array.from({ length: 1 + below(random, 9) }, () => below(random, 256)),
    );
  },
  function removeWord(bytes, random) {
    return spliced(bytes, below(random, (bytes.length >> 2) + 1) * 4, 4, new Uint8Array(0));
  },
  function insertWord(bytes, random) {
    return spliced(
      bytes,
      below(random, (bytes.length >> 2) + 1) * 4,
      0,
      new Uint8Array(4).fill(pick(random, bytesOfInterest)),
    );
  },
  function repeatPart(bytes, random) {
    const start = below(random, (bytes.length >> 2) + 1) * 4;
    return spliced(bytes, start, 0, bytes.slice(start, start + 4 * (1 + below(random, 8))));
  },
  function cross(bytes, random) {
    const other = pick(random, corpus);
    return spliced(
      bytes,
      below(random, (bytes.length >> 2) + 1) * 4,
      bytes.length,
      other.slice(below(random, other.length >> 2) * 4),
    );
  },
  function wrapInBundle(bytes) {
    const header = new Uint8Array(20);
    header.set(new TextEncoder().encode("#bundle\0"));
    new DataView(header.buffer).setUint32(16, bytes.length);
    return spliced(bytes, 0, 0, header);
  },
];

/** One mutation in most cases, several in some; empty input is worth trying but not worth mutating. */
function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let mutated = bytes;
  do mutated = pick(random, mutators)(mutated, random);
  while (mutated.length > 0 && mutated.length < 4_000 && random() < 0.3);
  return mutated;
}

/** The time of `work`, the best of four when the first is too long, so that a busy machine is no failure. */
function elapsedMs(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 4 && best > LIMIT_MS; attempt++) {
    const startMs = performance.now();
    work();
    best = Math.min(best, performance.now() - startMs);
  }
  return best;
}

describe("a mutated packet", () => {
  const packet = new OscPacket();
  const surroundings = new OscPacket();

  /** The reject code, the same whatever lies around the packet. */
  function parseTwice(bytes: Uint8Array): OscReject {
    const ones = new Uint8Array(bytes.length + 16).fill(0xff);
    const zeros = new Uint8Array(bytes.length + 16);
    ones.set(bytes, 5);
    zeros.set(bytes, 8);
    const reject = packet.parse(ones, 5, 5 + bytes.length);
    if (surroundings.parse(zeros, 8, 8 + bytes.length) !== reject)
      throw new Error("the surroundings have an influence");
    return reject;
  }

  it("is refused with a code, or means what osc-min reads and encodes back to itself", () => {
    const random = seeded(1);
    const rejects = new Array<number>(OSC_REJECT_COUNT).fill(0);
    let slowestMs = 0;
    for (let count = 0; count < PACKET_MUTATIONS; count++) {
      const bytes = mutate(pick(random, corpus), random);
      let reject: OscReject = OscReject.none;
      slowestMs = Math.max(
        slowestMs,
        elapsedMs(() => {
          reject = parseTwice(bytes);
        }),
      );
      rejects[reject]++;
      if (reject === OscReject.none) checkAccepted(bytes);
      else if (packet.messageCount !== 0) throw new Error("a refused packet has messages");
    }
    expect(slowestMs).toBeLessThan(LIMIT_MS);
    const reached = (Object.keys(OscReject) as (keyof typeof OscReject)[]).filter(
      (name) => rejects[OscReject[name]] > 20,
    );
    expect(reached).toEqual([
      ...["none", "notAPacket", "misaligned", "truncated", "badPadding", "badAddress"],
      ...["badTypeTag", "trailingBytes", "badBundle"],
    ]);
  }, 60_000);

  function checkAccepted(bytes: Uint8Array): void {
    const messages = readPacket(packet);
    expectSame(readPacket(surroundings), messages);
    if (messages.every((message) => message.args.every(isReadByOscMin))) expectSame(decodeByOscMin(bytes), messages);
    if (messages.length !== 1 || messages[0].timetags.length > 0 || !messages[0].args.every(keepsItsBytes)) return;
    writer.reset();
    writePacket(writer, messages[0]);
    const hasTags = bytes.length > messages[0].address.length + 4;
    if (hasTags && Buffer.compare(writer.packet(), bytes) !== 0) expect(writer.packet()).toEqual(bytes);
  }

  /** As `toEqual`, which is asked only when the cheap comparison says no: 80,000 of them take their time. */
  function expectSame(actual: FlatMessage[], expected: FlatMessage[]): void {
    if (JSON.stringify(actual, asText) !== JSON.stringify(expected, asText)) expect(actual).toEqual(expected);
  }

  /** osc-min throws on a character beyond Unicode and drops a byte order mark. */
  function isReadByOscMin(argument: Argument): boolean {
    if (argument.tag === "[") return argument.items.every(isReadByOscMin);
    if (argument.tag === "c") return argument.value <= 0x10ffff;
    return !((argument.tag === "s" || argument.tag === "S") && argument.value.startsWith("\ufeff"));
  }

  /** A NaN has many spellings, and so has what is not UTF-8. */
  function keepsItsBytes(argument: Argument): boolean {
    if (argument.tag === "[") return argument.items.every(keepsItsBytes);
    if (argument.tag === "f" || argument.tag === "d") return !Number.isNaN(argument.value);
    return !((argument.tag === "s" || argument.tag === "S") && argument.value.includes("\ufffd"));
  }

  function asText(_key: string, value: unknown): unknown {
    if (typeof value === "bigint") return `${value}n`;
    return Object.is(value, -0) || (typeof value === "number" && !Number.isFinite(value)) ? String(value) : value;
  }
});

describe("a packet made to be slow", () => {
  const length = 65_504;

  function filled(head: string, filler: number, tail: readonly number[] = []): Uint8Array {
    const bytes = new Uint8Array(length).fill(filler);
    bytes.set(new TextEncoder().encode(head));
    bytes.set(tail, length - tail.length);
    return bytes;
  }

  function elements(size: number, content: string): Uint8Array {
    const bytes = new Uint8Array(length);
    bytes.set(new TextEncoder().encode("#bundle\0"));
    const view = new DataView(bytes.buffer);
    let at = 16;
    for (; at + 4 + size <= length; at += 4 + size) {
      view.setUint32(at, size);
      bytes.set(new TextEncoder().encode(content), at + 4);
    }
    return bytes.slice(0, at);
  }

  it.each([
    ["an endless address", filled("/", 0x61)],
    ["an endless address of slashes", filled("/", 0x2f, [0, 0, 0, 0])],
    ["endless tags", filled("/a\0\0,", 0x54, [0, 0, 0, 0])],
    ["as many tags as fit the tables", filled("/a\0\0,", 0x54).fill(0, 16_388)],
    ["endless brackets", filled("/a\0\0,", 0x5b, [0, 0, 0, 0])],
    ["nothing but strings", filled("/a\0\0,", 0x73).fill(0, 13_000)],
    ["nothing but empty bundles", elements(16, "#bundle\0")],
    ["nothing but messages", elements(4, "/\0\0\0")],
    ["nothing but tagged messages", elements(12, "/\0\0\0,TTTTTT\0")],
    ["a blob of everything", filled("/a\0\0,b\0\0\0\0\xff\xd0", 0)],
  ])("is done within 10 ms: %s", (_, bytes) => {
    expect(
      elapsedMs(() => {
        new OscPacket().parse(bytes, 0, bytes.length);
      }),
    ).toBeLessThan(LIMIT_MS);
  });
});

describe("a mutated stream", () => {
  it("gives packets within the limit and ends in a code, however it is cut", () => {
    const random = seeded(2);
    const seen = new Set<OscReject>();
    let slowestMs = 0;
    for (let count = 0; count < STREAM_MUTATIONS; count++) {
      const stream = mutate(streamOf(pick(random, [OscFraming.slip, OscFraming.size]), random), random);
      slowestMs = Math.max(
        slowestMs,
        elapsedMs(() => {
          seen.add(feedBothWays(stream, random));
        }),
      );
    }
    expect(slowestMs).toBeLessThan(LIMIT_MS);
    expect(seen).toEqual(new Set([OscReject.none, OscReject.unknownFraming, OscReject.frameTooLong]));
  });

  function streamOf(framing: OscFraming, random: Random): Uint8Array {
    const target = new Uint8Array(4_000);
    let end = 0;
    for (let count = 0; count < 3; count++) {
      const packet = pick(random, corpus);
      if (end + framedLimitBytes(packet.length) > target.length) break;
      end = writeFrame(framing, packet, 0, packet.length, target, end);
    }
    return target.slice(0, end);
  }

  /** In one piece and in small ones: the same packets, the same end. */
  function feedBothWays(stream: Uint8Array, random: Random): OscReject {
    const whole = new OscStreamDecoder(512);
    const pieces = new OscStreamDecoder(512);
    const sums = [0, 0];
    const reject = whole.push(stream, (bytes, start, end) => {
      sums[0] = checksum(sums[0], bytes, start, end);
    });
    let rejectOfPieces: OscReject = OscReject.none;
    for (let at = 0; at < stream.length; ) {
      const next = Math.min(at + 1 + below(random, 9), stream.length);
      rejectOfPieces = pieces.push(stream.subarray(at, next), (bytes, start, end) => {
        sums[1] = checksum(sums[1], bytes, start, end);
      });
      at = next;
    }
    if (reject !== rejectOfPieces || sums[0] !== sums[1]) throw new Error("the cuts have an influence");
    if (whole.skippedCount !== pieces.skippedCount) throw new Error("the cuts change what is skipped");
    return reject;
  }

  function checksum(before: number, bytes: Uint8Array, start: number, end: number): number {
    if (start < 0 || end <= start || end > bytes.length || end - start > 512) throw new Error("a packet out of bounds");
    let sum = Math.imul(before, 31) + 1;
    for (let at = start; at < end; at++) sum = (Math.imul(sum, 31) + bytes[at]) | 0;
    return sum;
  }
});

describe("a mutated pattern", () => {
  const patterns = ["/viz/*/camera//{zoom,x}", "/[a-z]?[!b]*", "//*/{a*,b[cd]}?", "/*a*a*a*a*a*b", "/{,a}{b,}{c,d}/e"];
  const addresses = ["/viz/tunnel/camera/zoom", "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "/a/b/c/d/e/f", "/abcd/e", "/"];
  const characters = [..."/*?[]{},!-ab", "//", "é", "\0"];

  it("is malformed, or answers within its steps and never outside its prefix", () => {
    const random = seeded(3);
    let compiled = 0;
    let matched = 0;
    for (let count = 0; count < PATTERN_MUTATIONS; count++) {
      let text = pick(random, patterns);
      do text = mutateText(text, random);
      while (random() < 0.3);
      const pattern = compilePattern(text);
      if (pattern === null) continue;
      compiled++;
      expect(pattern.isLiteral).toBe(!isPattern(text));
      for (const address of addresses) {
        const before = pattern.steps;
        const isMatch = pattern.matches(address);
        if (isMatch) matched++;
        if (isMatch && !address.startsWith(pattern.literalPrefix)) throw new Error("a match outside the prefix");
        if (pattern.steps - before > address.length * pattern.stepsPerCharacter) throw new Error("too many steps");
      }
    }
    expect(compiled).toBeGreaterThan(PATTERN_MUTATIONS / 10);
    expect(matched).toBeGreaterThan(PATTERN_MUTATIONS / 10);
  });

  function mutateText(text: string, random: Random): string {
    const at = below(random, text.length + 1);
    return text.slice(0, at) + (random() < 0.7 ? pick(random, characters) : "") + text.slice(at + below(random, 2));
  }
});
