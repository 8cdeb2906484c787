/**
 * OSC over TCP: a stream of bytes to packets and back, in both framings, told apart by the first byte.
 *
 * OSC 1.0 puts a 32-bit size before each packet, OSC 1.1 uses SLIP (RFC 1055); no sender says which. A size begins with
 * 0x00 (it is far below 16 MiB); SLIP begins with END (0xC0), or with the `/` or `#` of a packet. Told the bytes in
 * pieces of any length, answers with packets; never buffers more than one frame, never allocates per frame or piece,
 * never looks into a packet.
 */
import { assert } from "../base/assert.js";
import { OSC_PACKET_LIMIT_BYTES } from "./osc-packet.js";
import { OscReject } from "./osc-reject.js";

const SLIP_END = 0xc0;
const SLIP_ESCAPE = 0xdb;
const SLIP_ESCAPED_END = 0xdc;
const SLIP_ESCAPED_ESCAPE = 0xdd;
const SLASH = 0x2f;
const HASH = 0x23;
const SIZE_BYTES = 4;

export const OscFraming = { unknown: 0, slip: 1, size: 2 } as const;
export type OscFraming = (typeof OscFraming)[keyof typeof OscFraming];

/** Gets a packet; the bytes are valid only during the call. */
export type OscPacketHandler = (bytes: Uint8Array, start: number, end: number) => void;

export class OscStreamDecoder {
  /** Told by the first byte; the answer to a sender goes out in the framing it uses. */
  framing: OscFraming = OscFraming.unknown;
  /** Frames that were left out although the stream went on, and why the last one was. */
  skippedCount = 0;
  lastSkipped: OscReject = OscReject.none;

  private readonly frame: Uint8Array;
  private length = 0;
  /** SLIP: the byte before was an escape. */
  private escaped = false;
  /** SLIP: the frame in hand is malformed, so its rest is passed over. */
  private skipping = false;
  /** Size prefix: its bytes seen so far, and its value. */
  private sizeBytes = 0;
  private size = 0;
  private failure: OscReject = OscReject.none;

  /** `limitBytes` bounds a packet, and is what this decoder holds. */
  constructor(limitBytes = OSC_PACKET_LIMIT_BYTES) {
    assert(limitBytes > 0 && limitBytes < 1 << 24, "a size prefix must begin with a zero byte");
    this.frame = new Uint8Array(limitBytes);
  }

  /**
   * Takes the next piece of the stream and hands over every packet that is complete. Anything but `OscReject.none`
   * is final: the place of the next packet is unknown, so the connection has to be closed. Empty frames are ignored.
   */
  push(chunk: Uint8Array, onPacket: OscPacketHandler): OscReject {
    if (this.framing === OscFraming.unknown && chunk.length > 0) this.detect(chunk[0]);
    if (this.failure !== OscReject.none) return this.failure;
    if (this.framing === OscFraming.slip) this.pushSlip(chunk, onPacket);
    else if (this.framing === OscFraming.size) this.pushSized(chunk, onPacket);
    return this.failure;
  }

  private detect(first: number): void {
    if (first === 0) this.framing = OscFraming.size;
    else if (first === SLIP_END || first === SLASH || first === HASH) this.framing = OscFraming.slip;
    else this.failure = OscReject.unknownFraming;
  }

  private pushSlip(chunk: Uint8Array, onPacket: OscPacketHandler): void {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte === SLIP_END) this.endSlip(onPacket);
      else if (this.skipping) continue;
      else if (this.escaped) this.unescape(byte);
      else if (byte === SLIP_ESCAPE) this.escaped = true;
      else this.append(byte);
    }
  }

  private endSlip(onPacket: OscPacketHandler): void {
    if (this.escaped) this.skip(OscReject.badEscape);
    const length = this.skipping ? 0 : this.length;
    this.length = 0;
    this.escaped = false;
    this.skipping = false;
    if (length > 0) onPacket(this.frame, 0, length);
  }

  private unescape(byte: number): void {
    this.escaped = false;
    if (byte === SLIP_ESCAPED_END) this.append(SLIP_END);
    else if (byte === SLIP_ESCAPED_ESCAPE) this.append(SLIP_ESCAPE);
    else this.skip(OscReject.badEscape);
  }

  private append(byte: number): void {
    if (this.length === this.frame.length) this.skip(OscReject.frameTooLong);
    else this.frame[this.length++] = byte;
  }

  private skip(reject: OscReject): void {
    this.skipping = true;
    this.skippedCount++;
    this.lastSkipped = reject;
  }

  private pushSized(chunk: Uint8Array, onPacket: OscPacketHandler): void {
    let at = 0;
    while (at < chunk.length && this.failure === OscReject.none) {
      if (this.sizeBytes < SIZE_BYTES) this.takeSizeByte(chunk[at++]);
      else at = this.takeContent(chunk, at, onPacket);
    }
  }

  private takeSizeByte(byte: number): void {
    this.size = (this.size << 8) | byte;
    this.sizeBytes++;
    if (this.sizeBytes < SIZE_BYTES) return;
    if (this.size < 0 || this.size > this.frame.length) this.failure = OscReject.frameTooLong;
    else if (this.size === 0) this.sizeBytes = 0;
  }

  /** A packet that lies whole in its chunk is handed over where it lies. Returns where the chunk goes on. */
  private takeContent(chunk: Uint8Array, at: number, onPacket: OscPacketHandler): number {
    const end = Math.min(at + this.size - this.length, chunk.length);
    const isWhole = end - at === this.size;
    if (!isWhole) {
      for (let from = at; from < end; from++) this.frame[this.length++] = chunk[from];
      if (this.length < this.size) return end;
    }
    const { size } = this;
    this.length = 0;
    this.size = 0;
    this.sizeBytes = 0;
    if (isWhole) onPacket(chunk, at, end);
    else onPacket(this.frame, 0, size);
    return end;
  }
}

/** The most bytes a packet of `lengthBytes` takes in either framing. */
export function framedLimitBytes(lengthBytes: number): number {
  return lengthBytes * 2 + SIZE_BYTES;
}

/**
 * Writes a packet in `framing` into `target` at `offset`. Returns the offset behind it, or -1 when it does not fit;
 * `target` then holds part of it. SLIP is written with an END on both sides, as OSC 1.1 recommends.
 */
export function writeFrame(
  framing: OscFraming,
  packet: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  offset: number,
): number {
  assert(framing !== OscFraming.unknown, "the framing must be known");
  return framing === OscFraming.size
    ? writeSized(packet, start, end, target, offset)
    : writeSlip(packet, start, end, target, offset);
}

function writeSized(packet: Uint8Array, start: number, end: number, target: Uint8Array, offset: number): number {
  const length = end - start;
  if (offset + SIZE_BYTES + length > target.length) return -1;
  let to = offset;
  target[to++] = length >>> 24;
  target[to++] = length >>> 16;
  target[to++] = length >>> 8;
  target[to++] = length;
  for (let from = start; from < end; from++) target[to++] = packet[from];
  return to;
}

function writeSlip(packet: Uint8Array, start: number, end: number, target: Uint8Array, offset: number): number {
  let to = offset;
  target[to++] = SLIP_END;
  for (let from = start; from < end; from++) {
    const byte = packet[from];
    if (byte === SLIP_END || byte === SLIP_ESCAPE) {
      target[to++] = SLIP_ESCAPE;
      target[to++] = byte === SLIP_END ? SLIP_ESCAPED_END : SLIP_ESCAPED_ESCAPE;
    } else {
      target[to++] = byte;
    }
  }
  target[to++] = SLIP_END;
  return to <= target.length ? to : -1;
}
