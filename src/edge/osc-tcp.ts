/**
 * OSC over TCP: streams to packets and back, in the framing that each client uses.
 *
 * Packets are not looked into here: they go to the live thread, and a client that sends faster than that takes them is
 * held back by its socket. A client that does not read what it subscribed to is let go. Malformed framing ends the
 * connection, because the place of the next packet is unknown.
 */
import type { Socket } from "node:net";
import { framedLimitBytes, OscStreamDecoder, writeFrame } from "../input/osc-framing.js";
import { OSC_REJECT_COUNT, OscReject } from "../input/osc-reject.js";
import { plainAddress } from "../manage/api-access.js";
import type { DeskToLive } from "../manage/desk-messages.js";

/** Bytes of one connection that the live thread has not worked off yet. */
const UNTAKEN_LIMIT_BYTES = 262_144;
/** Bytes on their way to a client that does not read. */
const UNSENT_LIMIT_BYTES = 1_048_576;

interface Connection {
  readonly number: number;
  readonly socket: Socket;
  readonly decoder: OscStreamDecoder;
  untakenBytes: number;
}

export class OscTcp {
  /** By `OscReject`: connections ended, and frames left out, for that reason. */
  readonly rejects = new Float64Array(OSC_REJECT_COUNT);
  /** Clients let go because they did not read. */
  slowClients = 0;
  private readonly post: (message: DeskToLive) => void;
  private readonly connections = new Map<number, Connection>();
  private nextNumber: number;

  constructor(firstNumber: number, post: (message: DeskToLive) => void) {
    this.nextNumber = firstNumber;
    this.post = post;
  }

  /** Takes over a connection whose first byte is OSC's and has been put back with `unshift`. */
  accept(socket: Socket): void {
    const number = this.nextNumber++;
    const connection = { number, socket, decoder: new OscStreamDecoder(), untakenBytes: 0 };
    this.connections.set(number, connection);
    socket.setNoDelay(true);
    const remoteAddress = plainAddress(socket.remoteAddress ?? "");
    this.post({ kind: "oscOpened", connection: number, remoteAddress, remotePort: socket.remotePort ?? 0 });
    socket.on("data", (chunk: Buffer) => this.receive(connection, chunk));
    socket.on("end", () => socket.end());
    socket.on("close", () => {
      this.connections.delete(number);
      this.post({ kind: "oscClosed", connection: number });
    });
  }

  /** The live thread has worked off so many bytes. */
  taken(number: number, bytes: number): void {
    const connection = this.connections.get(number);
    if (connection === undefined) return;
    connection.untakenBytes -= bytes;
    if (connection.untakenBytes <= UNTAKEN_LIMIT_BYTES / 2) connection.socket.resume();
  }

  send(number: number, packet: Uint8Array): void {
    const connection = this.connections.get(number);
    if (connection === undefined || connection.socket.destroyed) return;
    const { socket, decoder } = connection;
    const framed = new Uint8Array(framedLimitBytes(packet.length));
    const length = writeFrame(decoder.framing, packet, 0, packet.length, framed, 0);
    if (socket.writableLength + length > UNSENT_LIMIT_BYTES) {
      this.slowClients++;
      socket.destroy();
      return;
    }
    socket.write(framed.subarray(0, length));
  }

  private receive(connection: Connection, chunk: Buffer): void {
    const { decoder, socket } = connection;
    const packets: Uint8Array[] = [];
    let bytes = 0;
    const skippedBefore = decoder.skippedCount;
    const reject = decoder.push(chunk, (source, start, end) => {
      packets.push(source.slice(start, end));
      bytes += end - start;
    });
    if (decoder.skippedCount > skippedBefore) this.count(decoder.lastSkipped, decoder.skippedCount - skippedBefore);
    if (bytes > 0) {
      connection.untakenBytes += bytes;
      if (connection.untakenBytes > UNTAKEN_LIMIT_BYTES) socket.pause();
      this.post({ kind: "oscReceived", connection: connection.number, packets });
    }
    if (reject === OscReject.none) return;
    this.count(reject, 1);
    socket.destroy();
  }

  private count(reject: OscReject, times: number): void {
    this.rejects[reject] = (this.rejects[reject] as number) + times;
  }
}
