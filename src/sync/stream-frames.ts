/**
 * StreamFrames: makes the controller's frames out of contents and journal, and hands them out.
 *
 * It owns the layout's budget: what fits where. It knows no socket and no key: `FramePort` seals and sends.
 */
import { ByteWriter } from "../base/bytes.js";
import { FrameType, JOURNAL_MAX, StreamFlag, type StreamInfo, writeInfo } from "../wire/frame.js";
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
export class StreamFrames {
  private readonly out: ByteWriter;
  private readonly port: FramePort;
  private readonly sent: SentRing;
  private readonly isSettled: () => boolean;
  term = 0;
  /** How many frames the journal reaches back (k). */
  redundancy = 3;
  /** Said with the info: this side takes no writes and waits to be taken in by another. */
  isYielding = false;
  /** The term was handed over by the controller of its parent. */
  isHandedOver = false;

  /** `isSettled` answers whether the newest frame ends what there is to be published. */
  constructor(port: FramePort, sent: SentRing, isSettled: () => boolean) {
    this.isSettled = isSettled;
    this.port = port;
    this.sent = sent;
    this.out = new ByteWriter(port.plain);
  }

  /** Sends the newest frame of the sent ring, for the first time. Answers the datagram's bytes. */
  sendNewest(): number {
    const sequence = this.sent.newest;
    this.header(sequence, this.settledFlag());
    this.content(sequence);
    this.journal(sequence - 1, this.out.offset + this.out.limit * JOURNAL_SHARE);
    return this.port.multicast(FrameType.stream, this.out.offset);
  }

  /** Sends a heartbeat to all that follow: what the newest frame is, and its journal. */
  sendHeartbeat(): number {
    this.heartbeat(this.settledFlag(), undefined);
    return this.port.multicast(FrameType.stream, this.out.offset);
  }

  /**
   * Sends a heartbeat with what the controller says of itself: to all, whoever they follow, or to one node.
   * `isSettled`: the digests are those of the newest frame.
   */
  sendInfo(info: StreamInfo, isSettled: boolean, target: FrameTarget | undefined): number {
    // One node that gets it unasked does not hear the group.
    const copy = target !== undefined && info.answers === 0 ? StreamFlag.copy : 0;
    this.heartbeat(StreamFlag.info | copy | (isSettled ? 0 : StreamFlag.unsettled) | this.sideFlags, info);
    if (target !== undefined) return this.port.unicast(FrameType.stream, this.out.offset, target);
    return this.port.announce(FrameType.stream, this.out.offset);
  }

  private get sideFlags(): number {
    return (this.isYielding ? StreamFlag.yielding : 0) | (this.isHandedOver ? StreamFlag.handedOver : 0);
  }

  /** Changes that one flush holds need not be in the order of their sequences: only its end says what is whole. */
  private settledFlag(): number {
    return this.isSettled() ? 0 : StreamFlag.unsettled;
  }

  /** Sends a heartbeat to one node, which answers up to where it has applied the stream. */
  askApplied(target: FrameTarget): number {
    this.heartbeat(this.settledFlag() | StreamFlag.critical, undefined);
    return this.port.unicast(FrameType.stream, this.out.offset, target);
  }

  private heartbeat(flags: number, info: StreamInfo | undefined): void {
    const { newest } = this.sent;
    this.header(newest, StreamFlag.heartbeat | flags);
    if (info !== undefined) writeInfo(this.out, info);
    this.journal(newest, this.out.limit);
  }

  /** Sends a frame again, to one node or to all. Its journal is left out: it is asked for because that failed. */
  sendRepair(sequence: number, target: FrameTarget | undefined): number {
    this.header(sequence, StreamFlag.repair);
    this.content(sequence);
    this.out.u8(0);
    if (target !== undefined) return this.port.unicast(FrameType.stream, this.out.offset, target);
    return this.port.multicast(FrameType.stream, this.out.offset);
  }

  private header(sequence: number, flags: number): void {
    const { out } = this;
    out.reset(0, this.port.plain.length);
    out.u32(this.term);
    out.u48(sequence);
    out.u16(Math.max(0, sequence - this.sent.oldest));
    out.u8(flags);
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
