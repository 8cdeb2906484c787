/**
 * The wire's fingerprint: what the bytes are, pinned beside the protocol version. Nodes of two versions do not
 * understand each other, so bytes that change meaning under an old version would be misread in silence.
 */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { ByteWriter } from "../../../src/base/bytes.js";
import { EventKind } from "../../../src/state/change.js";
import { ClipMode, completeDeclaration, Easing, ValueType } from "../../../src/state/declaration.js";
import { encodeNamed } from "../../../src/state/declaration-bytes.js";
import { ImageEncoder } from "../../../src/state/image.js";
import { Reject } from "../../../src/state/reject.js";
import { State } from "../../../src/state/state.js";
import { OriginTable, TermTable } from "../../../src/state/tables.js";
import { SentRing } from "../../../src/sync/sent-ring.js";
import { StreamFrames } from "../../../src/sync/stream-frames.js";
import { writeBucketAsk, writeRangePart } from "../../../src/wire/bucket-message.js";
import { writeClockAnswer, writeClockAsk } from "../../../src/wire/clock-message.js";
import { ConflatedReason, writeEntry, writeRoundAnswer, writeRoundPart } from "../../../src/wire/conflated.js";
import { ChangeRecord, ContentWriter, encodeEvent, Layout } from "../../../src/wire/content.js";
import { ControlKind, controlFields } from "../../../src/wire/control-message.js";
import { echoFields } from "../../../src/wire/echo.js";
import { PROTOCOL_VERSION, writeCounter, writeSenderHeader } from "../../../src/wire/envelope.js";
import { FrameType, StreamFlag, writeInfo, writeNode } from "../../../src/wire/frame.js";
import { encodeMessage } from "../../../src/wire/fields.js";
import { helloFields, nakFields, writeResultFields } from "../../../src/wire/messages.js";
import { writePeerRow } from "../../../src/wire/peer-list.js";
import {
  encodeRequest,
  headerRecords,
  piecesOf,
  RecordKind,
  standingsRecord,
} from "../../../src/wire/snapshot-records.js";
import { encodeStandings } from "../../../src/wire/standing.js";
import { appliedFields } from "../../../src/wire/applied.js";
import { replicatedFields } from "../../../src/wire/replicated.js";
import { writeReport } from "../../../src/wire/report.js";
import { TwinKind, writeTwin } from "../../../src/wire/twin.js";
import { voteAskFields, voteFields } from "../../../src/wire/vote.js";
import { WriteFrameWriter, WriteKind, WriteRecord } from "../../../src/wire/write-frame.js";
import { writePart } from "../../../src/wire/write-part.js";

/** What each protocol version brought, one line each; the last line is the present one. */
const HISTORY: Readonly<Record<number, string>> = {
  1: "the first: stream, write, write result, nak, hello, report, peers, leave, write part; snapshots over TCP",
};

/** The only line to change when the bytes change: the value is in the failure's message. */
const FINGERPRINT = "1:a1bb5addb6382e9ea5694259298744b8";

const TIME_US = 1_719_964_800_000_000;
const NODE = "0123456789abcdef";

/** A plain 64-byte buffer that nothing else writes to. */
function written(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(new Uint8Array(2_048));
  write(out);
  return out.buffer.slice(0, out.offset);
}

function change(id: number, sequence: number): ChangeRecord {
  const record = new ChangeRecord();
  record.id = id;
  record.origin = 3;
  record.gesture = 200;
  record.doubles.set([sequence, TIME_US + sequence]);
  return record;
}

/** A block with a value of every type, an event of every kind, and a piece. */
function content(): Uint8Array {
  const writer = new ContentWriter(new Uint8Array(2_048));
  const numbers = new Float64Array([0.5, 0.25, -1, 7]);
  const text = new TextEncoder().encode("text \u{1f600}");
  let sequence = 1_000;
  writer.begin(0, 2_048, change(1, sequence));
  for (const type of Object.values(ValueType)) {
    if (type === ValueType.impulse) continue;
    const lanes = type === ValueType.int || type === ValueType.enum ? new Float64Array([300, 0, 0, 0]) : numbers;
    writer.value(change(sequence, ++sequence), type, lanes, 0, text);
    writer.value(change(sequence, sequence + 5), type, lanes, 0, text);
    sequence += 5;
  }
  for (const kind of Object.values(EventKind)) writer.event(kind, change(9, ++sequence), Uint8Array.of(1, 2, 3));
  const event = encodeEvent(EventKind.group, change(9, sequence), new Uint8Array(400).fill(5)) as Uint8Array;
  writer.piece(event, 0);
  writer.taken(3, 6, 70_000, [{ write: 69_999, reject: Reject.outOfRange }]);
  return writer.out.buffer.slice(0, writer.length);
}

function info(): Uint8Array {
  const digests = Int32Array.from({ length: 20 }, (_, word) => Math.imul(word + 1, 0x9e3779b1));
  return written((out) => {
    writeInfo(out, {
      sequence: 5,
      parentNumber: 6,
      parentNode: NODE,
      forkSequence: 7,
      unicastPort: 8_000,
      snapshotPort: 9_000,
      priority: 100,
      answers: 0xdeadbeef,
      digests,
      paths: 10_000,
      timeUs: TIME_US,
      nodes: 5,
      hasMajority: true,
      isDeaf: true,
    });
  });
}

/** A frame with content and journal, a repair, and a heartbeat. */
function streamFrames(): Uint8Array[] {
  const sent = new SentRing();
  const plain = new Uint8Array(1_154);
  const made: Uint8Array[] = [];
  const keep = (_type: number, length: number): number => made.push(plain.slice(0, length));
  const frames = new StreamFrames({ plain, multicast: keep, announce: keep, unicast: keep }, sent, () => true);
  frames.term = 4;
  for (let sequence = 1; sequence < 4; sequence++) {
    sent.bytes.fill(sequence, sent.start(sequence), sent.start(sequence) + 20 * sequence);
    sent.append(20 * sequence);
  }
  frames.sendNewest();
  frames.sendRepair(2, undefined);
  frames.sendHeartbeat();
  return made;
}

/** One write of every kind, by id and by path. */
function writeFrame(): Uint8Array {
  const writer = new WriteFrameWriter(new Uint8Array(1_154));
  writer.begin(3, 10, 9, TIME_US, TIME_US + 5, 300);
  let sequence = 10;
  for (const kind of Object.values(WriteKind)) {
    for (const path of [undefined, "/viz/x"]) {
      const record = new WriteRecord();
      Object.assign(record, {
        kind,
        path,
        id: 300,
        surface: 2,
        surfaceName: "fader",
        gesture: 7,
        type: ValueType.vec3,
      });
      record.isGrouped = kind === WriteKind.value;
      record.numbers.set([1, 2, 3, 4]);
      record.bytes = Uint8Array.of(9, 8);
      record.doubles.set([sequence++, TIME_US + 1]);
      writer.add(record);
    }
  }
  return writer.bytes().slice();
}

const FITNESS = {
  ...{ lossPermille: 3, naks: 4, provenSequence: 5, differs: 6, level: 1 as const, interfaceName: "eth0" },
  ...{ roundTripUs: 300, clockOffsetUs: -20, clockBoundUs: 90 },
};

function bucketMessages(): Uint8Array[] {
  const digests = Int32Array.from({ length: 128 }, (_, word) => Math.imul(word + 1, 0x9e3779b1));
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
  const plain = new Uint8Array(1_154);
  return [
    plain.slice(0, writeBucketAsk(plain, { term: 1, component: 2, digests })),
    plain.slice(0, writeRangePart(plain, { ...range, bytes: Uint8Array.of(6, 7) })),
  ];
}

function peerList(): Uint8Array {
  const row = {
    ...{ ...FITNESS, node: NODE, name: "left", address: "10.0.0.1", unicastPort: 1, snapshotPort: 2 },
    ...{ priority: 100, isInSync: true, isConflated: true, sequence: 6, silentMs: 40 },
  };
  return written((out) => {
    writePeerRow(out, row, true);
    writePeerRow(out, row, false);
  });
}

function messages(): Uint8Array[] {
  const notice = { name: "left", priority: 100, unicastPort: 1, snapshotPort: 2, term: 3, isInSync: true };
  const head = { number: 4, node: NODE, whole: 70_000 };
  return [
    helloFields({ ...notice, nonce: 77 }),
    writeResultFields({ session: 1, write: 2, frame: 3, term: 4, refusals: [{ write: 2, reject: Reject.outOfRange }] }),
    nakFields({ term: 1, ranges: [2, 3, 5, 8] }),
    controlFields({ kind: ControlKind.ask, nonce: 1, to: NODE }),
    controlFields({ kind: ControlKind.offer, nonce: 1, term: 2, frame: 3, sequence: 4 }),
    controlFields({ kind: ControlKind.ready, nonce: 1, sequence: 3 }),
    controlFields({ kind: ControlKind.go, nonce: 1, leaseUs: 2 }),
    echoFields({ session: 1, counter: 2 }),
    controlFields({ kind: ControlKind.no, nonce: 1, reason: "text" }),
    voteAskFields({ number: 5, nonce: 6, isTrial: true, hasLeft: true, priority: 100, unicastPort: 7, head }),
    voteFields({ number: 5, nonce: 6, isYes: true, known: 4, snapshotPort: 8, name: "left", head }),
    appliedFields({ term: 5, frame: 70_000, isAsking: true }),
    replicatedFields({ term: 5, frame: 70_000 }),
  ].map((fields) => {
    const plain = new Uint8Array(1_154);
    return plain.slice(0, encodeMessage(fields, plain));
  });
}

function report(): Uint8Array {
  const plain = new Uint8Array(128);
  const notice = { name: "left", priority: 100, unicastPort: 1, snapshotPort: 2, term: 3, isInSync: true };
  return plain.slice(0, writeReport(plain, { ...notice, ...FITNESS, sequence: 2 }));
}

function conflatedMessages(): Uint8Array[] {
  const plain = new Uint8Array(64);
  const head = { term: 1, since: 2, through: 9, round: 3, parts: 4, part: 1, reason: ConflatedReason.cutOff };
  const entries = written((out) => writeEntry(out, 5, Uint8Array.of(1, 2, 3), 1, 3));
  const answer = { term: 1, complete: 2, round: 3, here: 4 };
  return [plain.slice(0, writeRoundPart(plain, head, entries)), plain.slice(0, writeRoundAnswer(plain, answer))];
}

function clockMessages(): Uint8Array[] {
  const plain = new Uint8Array(64);
  const answer = { number: 5, receivedUs: TIME_US, answeredUs: TIME_US + 1 };
  return [plain.slice(0, writeClockAsk(plain, 5)), plain.slice(0, writeClockAnswer(plain, answer))];
}

function twinMessage(): Uint8Array {
  const plain = new Uint8Array(64);
  const session = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  return plain.slice(0, writeTwin(plain, { kind: TwinKind.refusal, session, heldMs: 70_000, unicastPort: 7_701 }));
}

function image(): Uint8Array {
  const state = new State(5_000);
  const [terms, origins] = [new TermTable(), new OriginTable()];
  const declaration = completeDeclaration({ type: "enum", values: ["left", "right"], default: "right" });
  state.declare(0, "/viz/side", declaration);
  state.declare(1, "/viz/sideways", declaration);
  state.terms[1] = terms.intern(2, NODE);
  state.origins[1] = origins.intern(NODE, "fader");
  state.sequences[1] = 12;
  return new ImageEncoder({ state, terms, origins }).next() as Uint8Array;
}

function snapshotRecords(): Uint8Array[] {
  const header = {
    ...{ image: 1, termNumber: 2, termNode: NODE, sequence: 3, told: 3, origins: [{ node: NODE, surface: "fader" }] },
    lineage: [{ number: 1, node: NODE, sequence: 2 }],
  };
  return [
    encodeRequest({ minSequence: 1, image: 2, term: `2/${NODE}`, records: 3 }),
    ...headerRecords(header),
    ...piecesOf(new Uint8Array(50).fill(1), 32),
    standingsRecord(
      encodeStandings([
        { node: NODE, session: 6, write: 70_000, refusals: [{ write: 69_999, reject: Reject.outOfRange }] },
      ]),
    ),
    image(),
  ];
}

function envelope(): Uint8Array {
  const header = new Uint8Array(30);
  writeSenderHeader(header, 0xcafe_f00d, new Uint8Array(8).fill(1), new Uint8Array(8).fill(2));
  writeCounter(header, 0x1234, 0x5678_9abc);
  return header;
}

function part(): Uint8Array {
  const plain = new Uint8Array(64);
  return plain.slice(0, writePart(plain, new Uint8Array(120).fill(6), 3, 4, 1));
}

function declaration(): Uint8Array {
  const full = completeDeclaration({
    type: "float",
    range: { min: -1, max: 1 },
    unit: "m",
    smoothMs: 20,
    easing: "easeIn",
  });
  return encodeNamed("/viz/x", {
    ...full,
    description: "text",
    group: "group",
    oscAlias: "/x",
    critical: true,
  }) as Uint8Array;
}

function fingerprint(): string {
  const sets = { FrameType, Layout, EventKind, ValueType, WriteKind, StreamFlag, RecordKind, ClipMode, Easing, Reject };
  const hash = createHash("sha256").update(JSON.stringify(sets));
  const parts = [
    envelope(),
    content(),
    info(),
    written((out) => {
      writeNode(out, NODE);
    }),
    writeFrame(),
    part(),
    declaration(),
    peerList(),
    ...bucketMessages(),
  ];
  for (const bytes of [
    ...parts,
    ...streamFrames(),
    ...messages(),
    report(),
    ...clockMessages(),
    twinMessage(),
    ...conflatedMessages(),
    ...snapshotRecords(),
  ])
    hash.update(`${bytes.length}:`).update(bytes);
  return `${PROTOCOL_VERSION}:${hash.digest("hex").slice(0, 32)}`;
}

test("the bytes on the wire are those of the protocol version", () => {
  const found = fingerprint();
  const advice =
    `The wire's bytes or closed sets changed. If a release with version ${PROTOCOL_VERSION} is out, raise ` +
    `PROTOCOL_VERSION (src/wire/envelope.ts) and add a line to HISTORY. Then set FINGERPRINT to "${found}".`;
  expect(found, advice).toBe(FINGERPRINT);
});

test("every protocol version has its line of history", () => {
  const versions = Array.from({ length: PROTOCOL_VERSION }, (_, index) => index + 1);
  expect(Object.keys(HISTORY).map(Number)).toEqual(versions);
});
