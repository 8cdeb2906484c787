/**
 * Frame: what a sealed datagram holds. Types, and the layout of the controller's stream frames.
 *
 * Every stream frame says the newest frame there is and the oldest that can still be repaired, so a receiver knows at
 * once whether to ask for repair or for a snapshot. Behind the frame's own content stand the contents of the frames
 * just before it (the journal), so most losses heal with no request. A heartbeat has no content of its own: its
 * journal begins with the newest frame. One with info goes to all nodes, whoever they follow, in a group of its own, and
 * may be there before frames of the stream that were sent earlier. The frame sequence is for order and repair; it never versions a value, and it
 * is not the packet counter, which is new on every transmission.
 *
 *   stream = term u32, frame sequence u48, repairable u16, flags u8, [info], [content: varint length, block],
 *            journal u8 x (varint length, block)
 */
import { ByteReader, type ByteWriter } from "../base/bytes.js";
import { NODE_ID_BYTES } from "./envelope.js";
import { nodeText } from "./node-names.js";

export const FrameType = {
  /** Controller to all: changes or a heartbeat; also a repair, to one or to all. */
  stream: 1,
  /** Follower to controller: writes. */
  write: 2,
  /** Controller to follower: which writes were taken, which refused. */
  writeResult: 3,
  /** Follower to controller: the frames it misses. */
  nak: 4,
  /** To all: a node that starts or looks for its controller. */
  hello: 5,
  /** Follower to controller: how it fares. */
  report: 6,
  /** Controller to all: the peers it knows. */
  peers: 7,
  /** To all: a node that goes. */
  leave: 8,
  /** Follower to controller: a part of a write frame that is longer than a datagram. */
  writePart: 9,
  /** To all: a node that wants to be controller asks for votes. */
  voteAsk: 10,
  /** To the candidate: a voter's answer. */
  vote: 11,
  /** Between the controller, its successor and who asks for it: control passes on. */
  control: 12,
  /** Follower to controller: what time is it. */
  clockAsk: 14,
  /** Controller to follower: the session time. */
  clockAnswer: 15,
  /** Follower to controller: it wants the stream by unicast. */
  streamAsk: 19,
  /** Between two sides of a mesh that meet: one yields, the other fetches what it has. */
  yield: 13,
  /** Follower to controller: a component's bucket digests, where they differ. */
  bucketAsk: 16,
  /** Controller to follower: what it holds in a range of a component's paths. */
  buckets: 17,
  /** Follower to controller: up to which frame it has applied all, and whether it wants to hear that enough others have. */
  applied: 18,
  /** Controller to one follower: frames without what later ones replace. */
  conflated: 22,
  /** Follower to controller: what it has of them. */
  conflatedAnswer: 23,
  /** Elector to controller: it is heard. */
  echo: 24,
  /** To all, and read by nodes of the same id only: who has held it for how long, and who must end. */
  twin: 25,
  /** Controller to follower: enough nodes have all up to a frame. */
  replicated: 27,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

export const StreamFlag = {
  /** No content of its own; the journal begins with the newest frame. */
  heartbeat: 1,
  /** A frame sent again. */
  repair: 2,
  /** The info section is there. */
  info: 4,
  /** More waits to be published, or may: what the frames so far hold is not whole, nor are the info's digests those. */
  unsettled: 8,
  /** Whoever gets it answers up to which frame it has applied all. */
  critical: 16,
  /** Sent to one node that the group does not reach, beside what went to the group. */
  copy: 32,
  /** The controller takes no writes: its side is about to become part of another. */
  yielding: 64,
  /** The controller before handed its term over to this one: who follows that may follow this at once. */
  handedOver: 128,
} as const;

/** Where the flags stand in a stream frame. */
export const STREAM_FLAGS_OFFSET = 12;

export const JOURNAL_MAX = 8;

/** What a heartbeat says of its controller, beside the stream. */
export interface StreamInfo {
  /** The newest change sequence that has been published. */
  readonly sequence: number;
  /** The term that this one follows, and the change sequence at which it forked from it. */
  readonly parentNumber: number;
  readonly parentNode: string;
  readonly forkSequence: number;
  readonly unicastPort: number;
  readonly snapshotPort: number;
  readonly priority: number;
  /** The nonce of the hello that this answers; 0 when it answers none. */
  readonly answers: number;
  /** One 64-bit digest per component (two words each), as published up to this frame. */
  readonly digests: Int32Array;
  /** How many paths exist. */
  readonly paths: number;
  /** Session time when it left, in microseconds. */
  readonly timeUs: number;
  /** How many nodes are in sync on this side, the controller counted. */
  readonly nodes: number;
  /** Under `hold`: most of the electors confirm this controller. */
  readonly hasMajority: boolean;
  /** It had followers and hears nobody any more: whoever hears this may look for another. */
  readonly isDeaf: boolean;
}

const MAJORITY = 1;
const DEAF = 2;

export const DIGEST_WORDS = 20;

export function writeInfo(out: ByteWriter, info: StreamInfo): void {
  out.u48(info.sequence);
  out.u32(info.parentNumber);
  writeNode(out, info.parentNode);
  out.u48(info.forkSequence);
  out.u16(info.unicastPort);
  out.u16(info.snapshotPort);
  out.u16(info.priority);
  out.u32(info.answers);
  for (let word = 0; word < DIGEST_WORDS; word++) out.u32(info.digests[word] as number);
  out.varint(info.paths);
  out.u56(info.timeUs);
  out.u16(info.nodes);
  out.u8((info.hasMajority ? MAJORITY : 0) | (info.isDeaf ? DEAF : 0));
}

export function readInfo(input: ByteReader): StreamInfo {
  const sequence = input.u48();
  const parentNumber = input.u32();
  const parentNode = readNode(input);
  const forkSequence = input.u48();
  const unicastPort = input.u16();
  const snapshotPort = input.u16();
  const priority = input.u16();
  const answers = input.u32();
  const digests = new Int32Array(DIGEST_WORDS);
  for (let word = 0; word < DIGEST_WORDS; word++) digests[word] = input.i32();
  const paths = input.varint();
  const timeUs = input.u56();
  const nodes = input.u16();
  const standing = input.u8();
  if (standing > (MAJORITY | DEAF)) input.failed = true;
  return {
    sequence,
    parentNumber,
    parentNode,
    forkSequence,
    unicastPort,
    snapshotPort,
    priority,
    answers,
    digests,
    paths,
    timeUs,
    nodes,
    hasMajority: (standing & MAJORITY) !== 0,
    isDeaf: (standing & DEAF) !== 0,
  };
}

const ZERO = "0".charCodeAt(0);
const NINE = "9".charCodeAt(0);
const BEFORE_A = "a".charCodeAt(0) - 10;

/** A node id, 16 hex digits, as eight bytes; "" as zeros. */
export function writeNode(out: ByteWriter, node: string): void {
  for (let index = 0; index < NODE_ID_BYTES * 2; index += 2) {
    out.u8(node === "" ? 0 : (digitAt(node, index) << 4) | digitAt(node, index + 1));
  }
}

/** The value of a hexadecimal digit: lists name a hundred nodes a second, and nothing is cut out of their names for it. */
function digitAt(node: string, index: number): number {
  const code = node.charCodeAt(index);
  return code <= NINE ? code - ZERO : code - BEFORE_A;
}

export function readNode(input: ByteReader): string {
  const high = input.i32();
  return nodeText(high, input.i32());
}

/** Reads a stream frame's parts into fields; blocks stay where they are. Nothing is allocated without info. */
export class StreamFrameReader {
  private readonly input = new ByteReader();
  /** [0] term number, [1] frame sequence, [2] oldest frame that can be repaired. */
  readonly doubles = new Float64Array(3);
  flags = 0;
  info: StreamInfo | undefined;
  /** Bounds of the frame's own block; start -1 in a heartbeat. */
  contentStart = -1;
  contentEnd = -1;
  /** Bounds of the journal's blocks: [start, end] pairs; the first is the newest frame's. */
  journalCount = 0;
  readonly journal = new Int32Array(JOURNAL_MAX * 2);

  /** False when the bytes are no stream frame. */
  read(buffer: Uint8Array, length: number): boolean {
    const { input } = this;
    input.reset(buffer, 0, length);
    this.doubles[0] = input.u32();
    this.doubles[1] = input.u48();
    this.doubles[2] = (this.doubles[1] as number) - input.u16();
    this.flags = input.u8();
    this.info = (this.flags & StreamFlag.info) === 0 ? undefined : readInfo(input);
    this.contentStart = -1;
    if ((this.flags & StreamFlag.heartbeat) === 0) this.readContent();
    this.readJournal();
    return !input.failed && input.remaining === 0;
  }

  private readContent(): void {
    const { input } = this;
    const size = input.varint();
    this.contentStart = input.offset;
    input.skip(size);
    this.contentEnd = input.offset;
  }

  private readJournal(): void {
    const { input } = this;
    this.journalCount = input.u8();
    if (this.journalCount > JOURNAL_MAX) {
      input.failed = true;
      return;
    }
    for (let index = 0; index < this.journalCount; index++) {
      const size = input.varint();
      this.journal[index * 2] = input.offset;
      input.skip(size);
      this.journal[index * 2 + 1] = input.offset;
    }
  }
}
