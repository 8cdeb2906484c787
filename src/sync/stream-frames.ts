/**
 * StreamFrames: makes the controller's frames out of contents, acknowledgements and journal, and hands them out.
 *
 * It owns the layout's budget: what fits where. It knows no socket and no key: `FramePort` seals and sends.
 */
import { ByteWriter } from "../base/bytes.js";
import { FrameType, JOURNAL_MAX, StreamFlag, type StreamInfo, writeInfo, writeNode } from "../wire/frame.js";
import type { Acknowledgements } from "./acknowledgements.js";
import type { SentRing } from "./sent-ring.js";

/** Where a frame goes. */
export interface FrameTarget {
  readonly address: string;
  readonly port: number;
}

/** Seals what stands in `plain` and sends it. */
export interface FramePort {
  readonly plain: Uint8Array;
  /** To the group of the stream. Answers the datagram's length in bytes. */
  multicast(type: FrameType, length: number): number;
  /** To the group in which all nodes meet, the controller of another term too. */
  announce(type: FrameType, length: number): number;
  unicast(type: FrameType, length: number, target: FrameTarget): number;
}

/** At most half of a frame is journal, when it has content of its own. */
const JOURNAL_SHARE = 0.5;
/** A content's length field, and the journal's count behind it. */
const CONTENT_OVERHEAD_BYTES = 3;
/** Node 8, session 4, write up to 8. */
const ACK_MAX_BYTES = 20;
/** The info section and the journal's count, rounded up. */
const INFO_MAX_BYTES = 160;
/** More than any frame has room for. */
const NO_ACKNOWLEDGEMENTS = Number.MAX_SAFE_INTEGER;

export class StreamFrames {
  private readonly out: ByteWriter;
  private readonly port: FramePort;
  private readonly sent: SentRing;
  private readonly acks: Acknowledgements;
  private readonly published: () => number;
  private readonly isSettled: () => boolean;
  term = 0;
  /** How many frames the journal reaches back (k). */
  redundancy = 3;

  /**
   * `published` answers how many of the publisher's items are in the frames so far, the newest included; `isSettled`
   * whether that is all of them.
   */
  constructor(
    port: FramePort,
    sent: SentRing,
    acks: Acknowledgements,
    published: () => number,
    isSettled: () => boolean,
  ) {
    this.published = published;
    this.isSettled = isSettled;
    this.port = port;
    this.sent = sent;
    this.acks = acks;
    this.out = new ByteWriter(port.plain);
  }

  /** Sends the newest frame of the sent ring, for the first time. Answers the datagram's bytes. */
  sendNewest(): number {
    const sequence = this.sent.newest;
    this.header(sequence, this.settledFlag(), this.sent.length(sequence) + CONTENT_OVERHEAD_BYTES);
    this.content(sequence);
    this.journal(sequence - 1, this.out.offset + this.out.limit * JOURNAL_SHARE);
    return this.port.multicast(FrameType.stream, this.out.offset);
  }

  /** Sends a heartbeat to all that follow: what the newest frame is, and its journal. */
  sendHeartbeat(): number {
    this.heartbeat(this.settledFlag(), undefined, INFO_MAX_BYTES);
    return this.port.multicast(FrameType.stream, this.out.offset);
  }

  /**
   * Sends a heartbeat with what the controller says of itself: to all, whoever they follow, or to one node.
   * `isSettled`: the digests are those of the newest frame.
   */
  sendInfo(info: StreamInfo, isSettled: boolean, target: FrameTarget | undefined): number {
    // What only one node gets can acknowledge nothing to the others.
    const follows = target === undefined ? INFO_MAX_BYTES : NO_ACKNOWLEDGEMENTS;
    this.heartbeat(isSettled ? StreamFlag.info : StreamFlag.info | StreamFlag.unsettled, info, follows);
    if (target !== undefined) return this.port.unicast(FrameType.stream, this.out.offset, target);
    return this.port.announce(FrameType.stream, this.out.offset);
  }

  /** Changes that one flush holds need not be in the order of their sequences: only its end says what is whole. */
  private settledFlag(): number {
    return this.isSettled() ? 0 : StreamFlag.unsettled;
  }

  private heartbeat(flags: number, info: StreamInfo | undefined, follows: number): void {
    const { newest } = this.sent;
    this.header(newest, StreamFlag.heartbeat | flags, follows);
    if (info !== undefined) writeInfo(this.out, info);
    this.journal(newest, this.out.limit);
  }

  /** Sends a frame again, to one node or to all. Its journal is left out: it is asked for because that failed. */
  sendRepair(sequence: number, target: FrameTarget | undefined): number {
    this.header(sequence, StreamFlag.repair, NO_ACKNOWLEDGEMENTS);
    this.content(sequence);
    this.out.u8(0);
    if (target !== undefined) return this.port.unicast(FrameType.stream, this.out.offset, target);
    return this.port.multicast(FrameType.stream, this.out.offset);
  }

  /** `follows`: how many bytes must still fit behind the acknowledgements. */
  private header(sequence: number, flags: number, follows: number): void {
    const { out } = this;
    out.reset(0, this.port.plain.length);
    out.u32(this.term);
    out.u48(sequence);
    out.u16(Math.max(0, sequence - this.sent.oldest));
    out.u8(flags);
    this.acknowledgements(Math.floor((out.limit - out.offset - 1 - follows) / ACK_MAX_BYTES));
  }

  private acknowledgements(most: number): void {
    const { out, acks } = this;
    acks.promote(this.published());
    const count = acks.begin(Math.max(0, most));
    out.u8(count);
    for (let index = 0; index < count; index++) {
      const ack = acks.take();
      writeNode(out, ack.node);
      out.u32(ack.session);
      out.varint(ack.write);
    }
  }

  private content(sequence: number): void {
    const start = this.sent.start(sequence);
    const length = this.sent.length(sequence);
    this.out.varint(length);
    this.out.bytes(this.sent.bytes, start, start + length);
  }

  /** Contents from `from` backwards, as many whole ones as fit below `limit`. */
  private journal(from: number, limit: number): void {
    const { out, sent } = this;
    const countAt = out.offset;
    out.u8(0);
    const most = Math.min(this.redundancy, JOURNAL_MAX);
    const end = Math.min(limit, out.limit);
    let count = 0;
    while (count < most && sent.has(from - count)) {
      const length = sent.length(from - count);
      if (out.offset + length + 2 > end) break;
      this.content(from - count);
      count++;
    }
    out.buffer[countAt] = count;
  }
}
