/**
 * Port server: TCP port N on all addresses, shared by HTTP and OSC. The first byte tells them apart.
 *
 * HTTP begins with a letter and is served on loopback and on `httpHost` only; OSC begins with 0x00, 0xC0, `/` or `#`
 * and is taken from the allowed networks only. Whoever may speak neither is closed before it can hold a place;
 * connections, the wait for the first byte and what strangers may occupy are bounded.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { AddressBlock } from "../config/addresses.js";
import { AllowList } from "../input/allow-list.js";
import { isLoopback, plainAddress, servesHttp } from "../manage/api-access.js";

const CONNECTIONS_MAX = 256;
/** So many places are kept for this machine: the network cannot lock its operator out. */
const LOOPBACK_RESERVE = 64;
const FIRST_BYTE_LIMIT_MS = 10_000;
/** How long connections may finish what they are doing when the port closes. */
const CLOSE_LIMIT_MS = 500;

export interface PortOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  readonly httpHost: string;
  /** Who may send OSC. */
  readonly oscAllow: readonly AddressBlock[];
}

/** Takes over a connection; its first bytes have been put back. */
export type AcceptConnection = (socket: Socket) => void;

export class PortServer {
  /** Neither HTTP nor OSC is for this source. */
  refusedSources = 0;
  refusedHttp = 0;
  refusedOsc = 0;
  /** The first byte belongs to neither. */
  unknownProtocols = 0;
  /** All places were taken. */
  overflows = 0;
  silentConnections = 0;
  private readonly options: PortOptions;
  private readonly allow: AllowList;
  private readonly acceptHttp: AcceptConnection;
  private readonly acceptOsc: AcceptConnection;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor(options: PortOptions, acceptHttp: AcceptConnection, acceptOsc: AcceptConnection) {
    this.options = options;
    this.allow = new AllowList(options.oscAllow);
    this.acceptHttp = acceptHttp;
    this.acceptOsc = acceptOsc;
    // Half open, so that a client which has said all it will (`nc -N`) still gets its answer.
    this.server = createServer({ allowHalfOpen: true }, (socket) => this.onConnection(socket));
  }

  get connectionCount(): number {
    return this.sockets.size;
  }

  /** The port that is open now. @throws the system's error, with its `code`. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(this.options.port, () => {
        this.server.off("error", reject);
        // Running out of file descriptors must not end the desk; the connection is lost, the listener stays.
        this.server.on("error", () => this.overflows++);
        const address = this.server.address();
        resolve(typeof address === "object" && address !== null ? address.port : this.options.port);
      });
    });
  }

  /** Stops accepting, and closes what does not close by itself in time. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    const timer = setTimeout(() => {
      for (const socket of this.sockets) socket.destroy();
    }, CLOSE_LIMIT_MS);
    await closed;
    clearTimeout(timer);
  }

  private onConnection(socket: Socket): void {
    // Breaking is what connections do; `close` follows and tidies up.
    socket.on("error", () => {});
    const remote = plainAddress(socket.remoteAddress ?? "");
    const mayHttp = servesHttp(socket.localAddress ?? "", remote, this.options.httpHost);
    const mayOsc = this.allow.allows(remote);
    if (!mayHttp && !mayOsc) this.refusedSources++;
    else if (this.sockets.size >= CONNECTIONS_MAX - (isLoopback(remote) ? 0 : LOOPBACK_RESERVE)) this.overflows++;
    else {
      this.awaitFirstByte(socket, mayHttp, mayOsc);
      return;
    }
    socket.destroy();
  }

  private awaitFirstByte(socket: Socket, mayHttp: boolean, mayOsc: boolean): void {
    this.sockets.add(socket);
    const timer = setTimeout(() => {
      this.silentConnections++;
      socket.destroy();
    }, FIRST_BYTE_LIMIT_MS);
    const onEnd = () => socket.end();
    socket.on("close", () => {
      clearTimeout(timer);
      this.sockets.delete(socket);
    });
    socket.once("end", onEnd);
    socket.once("data", (chunk: Buffer) => {
      clearTimeout(timer);
      socket.off("end", onEnd);
      socket.pause();
      const accept = this.choose(chunk[0] as number, mayHttp, mayOsc);
      if (accept === undefined) {
        socket.destroy();
        return;
      }
      socket.unshift(chunk);
      accept(socket);
      socket.resume();
    });
  }

  private choose(first: number, mayHttp: boolean, mayOsc: boolean): AcceptConnection | undefined {
    if (isLetter(first)) {
      if (mayHttp) return this.acceptHttp;
      this.refusedHttp++;
    } else if (isOscStart(first)) {
      if (mayOsc) return this.acceptOsc;
      this.refusedOsc++;
    } else this.unknownProtocols++;
    return undefined;
  }
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

/** A size prefix begins with 0x00, SLIP with 0xC0 or with a packet, which begins with `/` or `#`. */
function isOscStart(byte: number): boolean {
  return byte === 0x00 || byte === 0xc0 || byte === 0x2f || byte === 0x23;
}
