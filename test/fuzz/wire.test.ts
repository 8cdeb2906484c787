/**
 * Hostile bytes to every decoder of the wire, as a member of the mesh that has gone wrong could send them: real bytes,
 * mutated. Nothing throws, nothing takes 10 ms, nothing allocates more than the input justifies; whatever is accepted
 * can be written again. `HANA_FUZZ_MUTATIONS` sets the count per decoder (default 10,000), `HANA_FUZZ_SEED` the seed.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteWriter } from "../../src/base/bytes.js";
import { Random } from "../../src/base/random.js";
import type { ValueType } from "../../src/state/declaration.js";
import { completeDeclaration, type DeclarationInput } from "../../src/state/declaration.js";
import { decodeDeclaration, decodeNamed, encodeDeclaration, encodeNamed } from "../../src/state/declaration-bytes.js";
import { ImageDecoder, ImageEncoder } from "../../src/state/image.js";
import { Reject } from "../../src/state/reject.js";
import { State } from "../../src/state/state.js";
import { OriginTable, TermTable } from "../../src/state/tables.js";
import { SentRing } from "../../src/sync/sent-ring.js";
import { SnapshotProgress } from "../../src/sync/snapshot-transfer.js";
import { StreamFrames } from "../../src/sync/stream-frames.js";
import { appliedFields, decodeApplied } from "../../src/wire/applied.js";
import { decodeReplicated, replicatedFields } from "../../src/wire/replicated.js";
import { readBucketAsk, readRangePart, writeBucketAsk, writeRangePart } from "../../src/wire/bucket-message.js";
import { readClockAnswer, readClockAsk, writeClockAnswer, writeClockAsk } from "../../src/wire/clock-message.js";
import { ContentReader, ContentWriter } from "../../src/wire/content.js";
import {
  ConflatedReason,
  EntryReader,
  PART_HEADER_BYTES,
  readRoundAnswer,
  readRoundPart,
  writeEntry,
  writeRoundAnswer,
  writeRoundPart,
} from "../../src/wire/conflated.js";
import { BODY_MAX_BYTES } from "../../src/wire/envelope.js";
import { StreamFrameReader } from "../../src/wire/frame.js";
import { encodeMessage } from "../../src/wire/fields.js";
import {
  decodeHello,
  decodeNak,
  decodeWriteResult,
  helloFields,
  nakFields,
  writeResultFields,
} from "../../src/wire/messages.js";
import { PeerListReader, writePeerRow } from "../../src/wire/peer-list.js";
import { ReportReader, writeReport } from "../../src/wire/report.js";
import { decodeHeader, decodeRequest, encodeHeader, encodeRequest } from "../../src/wire/snapshot-records.js";
import { WriteFrameReader, WriteFrameWriter, WriteKind, WriteRecord } from "../../src/wire/write-frame.js";
import { readTwin, TwinKind, writeTwin } from "../../src/wire/twin.js";
import { readPart, writePart } from "../../src/wire/write-part.js";
import { add, changes, load } from "../unit/wire/changes.js";

const MUTATIONS = Number(process.env["HANA_FUZZ_MUTATIONS"] ?? 10_000);
const SEED = Number(process.env["HANA_FUZZ_SEED"] ?? 20_261_122);
const HANG_MS = 10;
const MEMORY_LIMIT_BYTES = 192 * 1024 * 1024;
const NODE = "0123456789abcdef";

interface Decoder {
  readonly samples: readonly Uint8Array[];
  /** Answers whether the bytes were taken. Throws when what was taken is not sound. */
  readonly decode: (bytes: Uint8Array) => boolean;
}

function contents(): Uint8Array[] {
  return fc.sample(changes(30), { numRuns: 20, seed: 1 }).map((list) => {
    const writer = new ContentWriter(new Uint8Array(4_096));
    writer.begin(0, 4_096, load(list[0] as (typeof list)[number]));
    for (const change of list) add(writer, change);
    writer.taken(5, 2 ** 32 - 1, 2 ** 40, [{ write: 2 ** 40 - 1, reject: 6 }]);
    return writer.out.buffer.slice(0, writer.length);
  });
}

function streamFrames(): Uint8Array[] {
  const sent = new SentRing();
  const plain = new Uint8Array(BODY_MAX_BYTES);
  const made: Uint8Array[] = [];
  const keep = (_type: number, length: number): number => made.push(plain.slice(0, length));
  const frames = new StreamFrames({ plain, multicast: keep, announce: keep, unicast: keep }, sent, () => true);
  for (const block of contents().filter((bytes) => bytes.length < 500)) {
    sent.bytes.set(block, sent.start(sent.newest + 1));
    sent.append(block.length);
    frames.sendNewest();
    frames.sendHeartbeat();
  }
  return made;
}

function writeFrames(): Uint8Array[] {
  return Array.from({ length: 10 }, (_, seed) => {
    const writer = new WriteFrameWriter(new Uint8Array(BODY_MAX_BYTES));
    writer.begin(1, seed, 0, 1e15, 1e15 + 9, 300);
    for (let place = 0; place < 12; place++) {
      const record = new WriteRecord();
      const kind = place % 2 === 0 ? WriteKind.value : ((place + seed) % 6) + 1;
      Object.assign(record, { kind, id: place, surface: place % 3, surfaceName: "fader", bytes: new Uint8Array(9) });
      record.path = place % 4 === 0 ? "/viz/some/path" : undefined;
      record.type = (((place + seed) % 11) + 1) as ValueType;
      record.doubles.set([seed + place, 1e15 + place]);
      writer.add(record);
    }
    return writer.bytes().slice();
  });
}

const INPUTS: readonly DeclarationInput[] = [
  { type: "float", range: { min: -1, max: 1 }, unit: "m", smoothMs: 20, oscAlias: "/x", description: "a text" },
  { type: "enum", values: ["left", "right", "middle"], default: "right" },
  { type: "vec3", range: { min: 0, max: 9 }, clip: "low", default: [1, 2, 3] },
  { type: "string", default: "text" },
  { type: "blob", default: Uint8Array.of(1, 2, 3) },
  { type: "impulse" },
  { type: "int", default: 7 },
  { type: "bool", default: true },
  { type: "color" },
];
const DECLARATIONS = INPUTS.map((input) => completeDeclaration(input));

function tables(state: State) {
  return { state, terms: new TermTable(), origins: new OriginTable() };
}

function images(): Uint8Array[] {
  return [1, 3].map((rounds) => {
    const all = tables(new State(5_000));
    for (let id = 0; id < rounds * DECLARATIONS.length; id++) {
      all.state.declare(
        id,
        `/viz/part${id % 4}/x${id}`,
        DECLARATIONS[id % DECLARATIONS.length] as (typeof DECLARATIONS)[0],
      );
      all.state.terms[id] = all.terms.intern(1 + (id % 3), NODE);
      all.state.origins[id] = all.origins.intern(NODE, `surface ${id % 3}`);
      all.state.sequences[id] = id * 1_000;
    }
    return new ImageEncoder(all).next() as Uint8Array;
  });
}

const decoded = new State(5_000);
const again = new State(5_000);

/** What an image is taken for must be what its own image is taken for. */
function decodeImage(bytes: Uint8Array): boolean {
  decoded.clear();
  const all = tables(decoded);
  if (!new ImageDecoder(all).push(bytes)) return false;
  again.clear();
  const encoder = new ImageEncoder(all);
  const decoder = new ImageDecoder(tables(again));
  for (let chunk = encoder.next(); chunk !== undefined; chunk = encoder.next()) {
    if (!decoder.push(chunk)) throw new Error("an image was taken that cannot be sent on");
  }
  for (const id of decoded.ids()) {
    if (decoded.pathOf(id) !== again.pathOf(id))
      throw new Error("an image was taken that reads otherwise when sent on");
    decoded.valueOf(id);
  }
  return true;
}

function decodeContent(bytes: Uint8Array): boolean {
  let told = 0;
  const onChange = (reader: ContentReader): void => {
    told++;
    const { payloadStart, payloadEnd } = reader;
    if (payloadEnd > bytes.length || payloadStart > payloadEnd) throw new Error("a payload lies outside the block");
  };
  const isSound = new ContentReader().read(bytes, 0, bytes.length, {
    onValue: onChange,
    onEvent: onChange,
    onPiece: onChange,
    onTaken: onChange,
  });
  if (told > bytes.length) throw new Error("more changes than bytes");
  return isSound;
}

function decodeStream(bytes: Uint8Array): boolean {
  const reader = new StreamFrameReader();
  if (!reader.read(bytes, bytes.length)) return false;
  const bounds = [...reader.journal.subarray(0, reader.journalCount * 2)];
  if (reader.contentStart >= 0) bounds.push(reader.contentStart, reader.contentEnd);
  if (bounds.some((at) => at < 0 || at > bytes.length)) throw new Error("a block lies outside the frame");
  return true;
}

function decodeWrites(bytes: Uint8Array): boolean {
  let told = 0;
  return new WriteFrameReader().read(bytes, bytes.length, {
    onWriteFrame: () => true,
    onWrite: (reader) => {
      const write = reader.snapshot();
      if (write.bytes.length > bytes.length || ++told > bytes.length) throw new Error("more was told than there is");
    },
  });
}

function decodePart(bytes: Uint8Array): boolean {
  const part = readPart(bytes, bytes.length);
  if (part !== undefined && part.index >= part.parts) throw new Error("a part has no place");
  return part !== undefined;
}

function decodeOwn(bytes: Uint8Array): boolean {
  const declaration = decodeDeclaration(bytes);
  if (declaration === undefined) return false;
  const own = encodeDeclaration(declaration);
  if (own === undefined) throw new Error("a declaration was taken that cannot be sent on");
  if (decodeDeclaration(own) === undefined) throw new Error("a declaration was taken that is refused when sent on");
  return true;
}

function decodePath(bytes: Uint8Array): boolean {
  const named = decodeNamed(bytes);
  return named !== undefined && encodeNamed(named.path, named.declaration) !== undefined;
}

const HEADER = encodeHeader({
  image: 1,
  termNumber: 2,
  termNode: NODE,
  sequence: 3,
  told: 3,
  origins: [{ node: NODE, surface: "x" }],
  lineage: [],
});

/** Takes records in, each with its length before it. */
function decodeRecords(bytes: Uint8Array): boolean {
  const progress = new SnapshotProgress();
  let at = 0;
  while (at < bytes.length) {
    const end = Math.min(bytes.length, at + 1 + (bytes[at] as number));
    if (!progress.take(bytes.subarray(at + 1, end))) return false;
    at = end;
  }
  const held = progress.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (held > bytes.length) throw new Error("a snapshot holds more than was sent");
  return true;
}

function records(): Uint8Array {
  const all = [HEADER, Uint8Array.of(2, 5, 5, 5), Uint8Array.of(3, 6, 6), Uint8Array.of(3, 7), Uint8Array.of(4)];
  return Uint8Array.from(all.flatMap((record) => [record.length, ...record]));
}

function message(fields: readonly unknown[]): Uint8Array {
  const plain = new Uint8Array(BODY_MAX_BYTES);
  return plain.slice(0, encodeMessage(fields, plain));
}

function written(write: (plain: Uint8Array) => number): Uint8Array {
  const plain = new Uint8Array(BODY_MAX_BYTES);
  return plain.slice(0, write(plain));
}

function decodeClockAnswer(bytes: Uint8Array): boolean {
  const answer = readClockAnswer(bytes, bytes.length);
  if (answer === undefined) return false;
  const isTime = Number.isSafeInteger(answer.answeredUs) && answer.receivedUs <= answer.answeredUs;
  if (!isTime) throw new Error("an answer is no time");
  return true;
}

const NOTICE = { name: "left", priority: 100, unicastPort: 1, snapshotPort: 2, term: 3, isInSync: true };
const FITNESS = {
  ...{ lossPermille: 5, naks: 4, provenSequence: 5, differs: 6, level: 1 as const, interfaceName: "eth0" },
  ...{ roundTripUs: 300, clockOffsetUs: -20, clockBoundUs: 90 },
};
const ROW = {
  ...{ ...NOTICE, ...FITNESS, node: NODE, address: "10.0.0.1", sequence: 6, silentMs: 12 },
  isConflated: true,
};

function bucketAsk(): Uint8Array {
  const digests = Int32Array.from({ length: 128 }, (_, word) => Math.imul(word + 1, 0x9e3779b1));
  const plain = new Uint8Array(600);
  return plain.slice(0, writeBucketAsk(plain, { term: 1, component: 2, digests }));
}

function rangePart(): Uint8Array {
  const range = {
    term: 1,
    component: 2,
    frame: 3,
    sequence: 4,
    firstHash: 5,
    lastHash: 0xffff_fff0,
    part: 1,
    parts: 2,
  };
  const plain = new Uint8Array(600);
  return plain.slice(0, writeRangePart(plain, { ...range, bytes: new Uint8Array(300).fill(7) }));
}

function peerList(): Uint8Array {
  const out = new ByteWriter(new Uint8Array(500));
  for (const isWhole of [true, false, true]) writePeerRow(out, ROW, isWhole);
  return out.buffer.slice(0, out.offset);
}

/** What is taken is a row that can be written again. */
function decodePeerList(bytes: Uint8Array): boolean {
  const rows = new PeerListReader();
  const out = new ByteWriter(new Uint8Array(1_000));
  rows.begin(bytes, bytes.length);
  while (rows.next()) {
    out.reset(0, 1_000);
    writePeerRow(out, rows, rows.isWhole);
    if (out.overflow) throw new Error("a row was taken that cannot be written");
  }
  return !rows.failed;
}

function part(): Uint8Array {
  const plain = new Uint8Array(200);
  return plain.slice(0, writePart(plain, new Uint8Array(500).fill(6), 3, 4, 1));
}

function roundPart(): Uint8Array {
  const entries = new ByteWriter(new Uint8Array(300));
  for (const offset of [1, 3, 7]) writeEntry(entries, offset, new Uint8Array(40).fill(offset), 0, 40);
  const head = { term: 1, since: 90, through: 97, round: 5, parts: 2, part: 1, reason: ConflatedReason.slow };
  return written((plain) => writeRoundPart(plain, head, entries.buffer.slice(0, entries.offset)));
}

/** Every entry lies in the part, and rises. */
function decodeRoundPart(bytes: Uint8Array): boolean {
  const head = readRoundPart(bytes, bytes.length);
  if (head === undefined) return false;
  const entries = new EntryReader();
  let last = head.since;
  entries.begin(bytes, PART_HEADER_BYTES, bytes.length, head);
  while (entries.next()) {
    const isSound = entries.frame > last && entries.frame <= head.through && entries.end <= bytes.length;
    if (!isSound) throw new Error("an entry was taken that is none");
    last = entries.frame;
  }
  return !entries.failed;
}

const reported = new ReportReader();

/** What a report is taken for can be written again, and is the same then. */
function decodeReport(bytes: Uint8Array): boolean {
  if (!reported.read(bytes, bytes.length)) return false;
  const again = { ...reported };
  const copy = written((plain) => writeReport(plain, reported));
  if (!reported.read(copy, copy.length)) throw new Error("a report was taken that is none");
  for (const field of ["name", "term", "sequence", "differs", "clockOffsetUs", "level"] as const) {
    if (reported[field] !== again[field]) throw new Error("a report was taken that reads otherwise when written again");
  }
  return true;
}

const DECODERS: Readonly<Record<string, Decoder>> = {
  content: { samples: contents(), decode: decodeContent },
  stream: { samples: streamFrames(), decode: decodeStream },
  writes: { samples: writeFrames(), decode: decodeWrites },
  writePart: { samples: [part()], decode: decodePart },
  hello: of(helloFields({ ...NOTICE, nonce: 77 }), decodeHello),
  report: {
    samples: [written((plain) => writeReport(plain, { ...NOTICE, ...FITNESS, sequence: 2 }))],
    decode: decodeReport,
  },
  bucketAsk: { samples: [bucketAsk()], decode: (bytes) => readBucketAsk(bytes, bytes.length) !== undefined },
  rangePart: { samples: [rangePart()], decode: (bytes) => readRangePart(bytes, bytes.length) !== undefined },
  roundPart: { samples: [roundPart()], decode: decodeRoundPart },
  roundAnswer: {
    samples: [written((plain) => writeRoundAnswer(plain, { term: 1, complete: 2, round: 3, here: 5 }))],
    decode: (bytes) => readRoundAnswer(bytes, bytes.length) !== undefined,
  },
  peers: { samples: [peerList()], decode: decodePeerList },
  writeResult: of(
    writeResultFields({ session: 1, write: 2, frame: 3, term: 4, refusals: [{ write: 2, reject: Reject.tooLong }] }),
    decodeWriteResult,
  ),
  clockAsk: {
    samples: [written((plain) => writeClockAsk(plain, 5))],
    decode: (bytes) => readClockAsk(bytes, bytes.length) >= 0,
  },
  clockAnswer: {
    samples: [written((plain) => writeClockAnswer(plain, { number: 5, receivedUs: 1e15, answeredUs: 1e15 + 7 }))],
    decode: decodeClockAnswer,
  },
  applied: of(appliedFields({ term: 1, frame: 70_000, isAsking: true }), decodeApplied),
  replicated: of(replicatedFields({ term: 1, frame: 70_000 }), decodeReplicated),
  nak: of(nakFields({ term: 1, ranges: [2, 3, 5, 8] }), decodeNak),
  twin: {
    samples: [
      written((plain) =>
        writeTwin(plain, {
          kind: TwinKind.claim,
          session: new Uint8Array(8).fill(9),
          heldMs: 70_000,
          unicastPort: 7_701,
        }),
      ),
    ],
    decode: (bytes) => readTwin(bytes, bytes.length) !== undefined,
  },
  request: {
    samples: [encodeRequest({ minSequence: 1, image: 2, term: "2/0123456789abcdef", records: 3 })],
    decode: (bytes) => decodeRequest(bytes) !== undefined,
  },
  header: { samples: [HEADER.slice(1)], decode: (bytes) => decodeHeader(bytes) !== undefined },
  records: { samples: [records()], decode: decodeRecords },
  declaration: {
    samples: DECLARATIONS.map((declaration) => encodeDeclaration(declaration) as Uint8Array),
    decode: decodeOwn,
  },
  named: {
    samples: DECLARATIONS.map((declaration) => encodeNamed("/viz/some/path", declaration) as Uint8Array),
    decode: decodePath,
  },
  image: { samples: images(), decode: decodeImage },
};

function of(fields: readonly unknown[], decode: (bytes: Uint8Array, length: number) => unknown): Decoder {
  return { samples: [message(fields)], decode: (bytes) => decode(bytes, bytes.length) !== undefined };
}

type Chance = (below: number) => number;
type Mutation = (bytes: Uint8Array, other: Uint8Array, next: Chance) => Uint8Array;

/** Bytes that mean much to some decoder: long lengths, continued varints, msgpack's wide types, infinities. */
const SHARP = [
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0x80, 0x80, 0x80, 0x80, 0x00],
  [0xdd, 0x01, 0xff, 0xff, 0xff],
  [0xdd, 0x7f, 0xff, 0xff, 0xff],
  [0xdf, 0x00, 0xff, 0xff, 0xff],
  [0xdb, 0x0f, 0xff, 0xff, 0xff],
  [0xc6, 0x0f, 0xff, 0xff, 0xff],
  [0xc9, 0x0f, 0xff, 0xff, 0xff, 0x74],
  [0xd4, 0x72, 0x40],
  [0x7f, 0xf0, 0, 0, 0, 0, 0, 0],
  [0x7f, 0xc0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0],
] as const;

const MUTATORS: readonly Mutation[] = [
  (bytes, _other, next) => changed(bytes, next, (byte) => byte ^ (1 << next(8))),
  (bytes, _other, next) => changed(bytes, next, () => next(256)),
  (bytes, _other, next) => changed(bytes, next, () => [0, 1, 0x7f, 0x80, 0xfe, 0xff][next(6)] as number),
  (bytes, _other, next) => bytes.slice(0, next(bytes.length + 1)),
  (bytes, _other, next) => Uint8Array.from([...bytes, ...Array.from({ length: next(60) }, () => next(256))]),
  (bytes, other, next) => spliced(bytes, [...other.subarray(next(other.length))].slice(0, next(100)), next),
  (bytes, _other, next) => spliced(bytes, SHARP[next(SHARP.length)] ?? [], next),
  (bytes, _other, next) => {
    const from = next(bytes.length);
    return Uint8Array.from([...bytes.subarray(0, from), ...bytes.subarray(from + 1 + next(8))]);
  },
  (_bytes, _other, next) => Uint8Array.from({ length: next(300) }, () => next(256)),
  (_bytes, _other, next) => new Uint8Array(next(1_155)).fill(next(256)),
];

function changed(bytes: Uint8Array, next: Chance, change: (byte: number) => number): Uint8Array {
  const copy = bytes.slice();
  for (let count = 1 + next(3); count > 0 && copy.length > 0; count--) {
    const at = next(copy.length);
    copy[at] = change(copy[at] as number);
  }
  return copy;
}

/** Puts bytes over, or between, those that are there. */
function spliced(bytes: Uint8Array, put: readonly number[], next: Chance): Uint8Array {
  const at = next(bytes.length + 1);
  return Uint8Array.from([...bytes.subarray(0, at), ...put, ...bytes.subarray(at + next(2) * put.length)]);
}

/** How long it took, in milliseconds. What the machine did meanwhile is not counted: the shortest of four. */
function slowest(decode: () => void): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 4 && shortest > HANG_MS; round++) {
    const before = performance.now();
    decode();
    shortest = Math.min(shortest, performance.now() - before);
  }
  return shortest;
}

const names = Object.keys(DECODERS);

describe(`mutated bytes (seed ${SEED})`, () => {
  test.each(names)("%s", { timeout: 120_000 }, (name) => {
    const { samples, decode } = DECODERS[name] as Decoder;
    const random = new Random(SEED + names.indexOf(name));
    const next: Chance = (below) => Math.floor(random.next() * below);
    for (const sample of samples) expect(decode(sample), "what is sound is taken").toBe(true);
    const before = process.memoryUsage.rss();
    let taken = 0;
    for (let tried = 0; tried < MUTATIONS; tried++) {
      let bytes = samples[next(samples.length)] as Uint8Array;
      const other = samples[next(samples.length)] as Uint8Array;
      for (let count = 1 + next(3); count > 0; count--) {
        bytes = (MUTATORS[next(MUTATORS.length)] as Mutation)(bytes.length === 0 ? other : bytes, other, next);
      }
      const took = slowest(() => {
        if (decode(bytes)) taken++;
      });
      if (took > HANG_MS) expect.unreachable(`took ${took} ms: ${Buffer.from(bytes).toString("hex")}`);
    }
    expect(taken).toBeLessThan(MUTATIONS);
    expect(process.memoryUsage.rss() - before).toBeLessThan(MEMORY_LIMIT_BYTES);
  });
});
