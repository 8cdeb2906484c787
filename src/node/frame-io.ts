/**
 * FrameIo: the node's sealed datagrams, both ways. The only part of `node/` that knows there are seals.
 */
import type { Opener } from "../security/opener.js";
import type { Sealer } from "../security/sealer.js";
import type { MulticastCheck } from "../sync/multicast-check.js";
import type { FramePort, FrameTarget } from "../sync/stream-frames.js";
import type { UnicastCopies } from "../sync/unicast-copies.js";
import { FrameType, STREAM_FLAGS_OFFSET, StreamFlag } from "../wire/frame.js";
import { encodeMessage } from "../wire/fields.js";
import type { DatagramPort } from "./ports.js";

export class FrameIo implements FramePort {
  readonly plain: Uint8Array;
  private readonly sealer: Sealer;
  private readonly port: DatagramPort;
  readonly opener: Opener;
  private readonly check: MulticastCheck;
  readonly copies: UnicastCopies;

  constructor(sealer: Sealer, opener: Opener, port: DatagramPort, check: MulticastCheck, copies: UnicastCopies) {
    this.check = check;
    this.copies = copies;
    this.sealer = sealer;
    this.opener = opener;
    this.port = port;
    this.plain = sealer.plain;
  }

  multicast(type: FrameType, length: number): number {
    const size = this.sealer.seal(type, 0, length);
    this.port.multicast(this.sealer.view(size));
    return this.copies.targets.length === 0 ? size : size + this.copy(type, length);
  }

  /** A controller does not hear its own stream, so only what is announced can show that multicast comes back. */
  announce(type: FrameType, length: number): number {
    const size = this.sealer.seal(type, 0, length);
    this.port.announce(this.sealer.view(size));
    this.check.onSent();
    return this.copies.targets.length === 0 ? size : size + this.copy(type, length);
  }

  /** To each node that the groups do not reach; a copy is a datagram of its own. Answers the bytes of all. */
  private copy(type: FrameType, length: number): number {
    const { plain } = this;
    if (type === FrameType.stream)
      plain[STREAM_FLAGS_OFFSET] = (plain[STREAM_FLAGS_OFFSET] as number) | StreamFlag.copy;
    let bytes = 0;
    for (const target of this.copies.targets) bytes += this.unicast(type, length, target);
    return bytes;
  }

  unicast(type: FrameType, length: number, target: FrameTarget): number {
    const size = this.sealer.seal(type, 0, length);
    this.port.unicast(this.sealer.view(size), target.address, target.port);
    return size;
  }

  /** Sends a control message; to all without a target. */
  message(type: FrameType, fields: readonly unknown[], target: FrameTarget | undefined): void {
    const length = encodeMessage(fields, this.plain);
    if (length === 0) return;
    if (target === undefined) this.announce(type, length);
    else this.unicast(type, length, target);
  }

  /** All that is sent from now on is of a session of this number. */
  raiseSession(number: number): void {
    this.sealer.raiseSession(number);
    this.opener.raiseSession(number);
  }

  get packetsSent(): number {
    return this.sealer.packets;
  }

  get bytesSent(): number {
    return this.sealer.bytesSealed;
  }
}
