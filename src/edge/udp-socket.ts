/**
 * UDP socket: what every socket of ours has in common. Opened through dgram-as-promised, used through its `.socket`.
 *
 * The wrapper's own `recv` and iterator lose datagrams that arrive while the reader awaits, and its send-buffer query
 * recurses for ever, so only bind and close go through it. Names are never resolved here: the lookup hands an IP
 * literal straight back, which also makes `send` immediate. An error after opening is told, never thrown.
 */
import type { RemoteInfo, Socket } from "node:dgram";
import { DgramAsPromised, type SocketAsPromised } from "dgram-as-promised";
import { codeOf, ResourceUnavailable } from "./trouble.js";

export interface UdpSocketOptions {
  /** An IPv4 literal. */
  readonly address: string;
  /** 0: the system chooses. */
  readonly port: number;
  /** Share the port with other sockets that share it too. */
  readonly isShared: boolean;
  /** What to tell the user to do when the port is taken. */
  readonly portRemedy: string;
}

export type DatagramHandler = (bytes: Uint8Array, address: string, port: number) => void;

/** The receive buffer that is asked for: the default of 212,992 bytes holds 256 datagrams of 64 bytes (measured). */
export const RECEIVE_BUFFER_BYTES = 4 * 1_048_576;
/** Below this a node is warned: half of a 130 ms burst is lost with the default (measured). */
export const RECEIVE_BUFFER_LOW_BYTES = 1_048_576;

export class UdpSocket {
  readonly socket: Socket;
  /** What the system granted. */
  readonly receiveBufferBytes: number;
  readonly port: number;
  private readonly promised: SocketAsPromised;
  private isClosed = false;

  private constructor(promised: SocketAsPromised, port: number) {
    this.promised = promised;
    this.socket = promised.socket;
    this.port = port;
    this.receiveBufferBytes = growReceiveBuffer(this.socket);
  }

  /** Rejects with `ResourceUnavailable` when the port is taken or the address is not this machine's. */
  static async open(options: UdpSocketOptions): Promise<UdpSocket> {
    const promised = DgramAsPromised.createSocket({
      type: "udp4",
      reuseAddr: options.isShared,
      lookup: (address, _options, callback) => callback(null, address, 4),
    });
    try {
      const bound = await promised.bind({ address: options.address, port: options.port, exclusive: true });
      return new UdpSocket(promised, bound.port);
    } catch (error) {
      await promised.close();
      throw bindTrouble(error, options);
    }
  }

  onDatagram(handler: DatagramHandler): void {
    this.socket.on("message", (bytes: Buffer, remote: RemoteInfo) => handler(bytes, remote.address, remote.port));
  }

  onError(handler: (error: Error) => void): void {
    this.socket.on("error", handler);
  }

  /** Resolves once connected; everything sent without an address goes there. */
  async connect(port: number, address: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error): void => (error === undefined ? resolve() : reject(error));
      this.socket.connect(port, address, settle);
    });
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.promised.close();
  }
}

function bindTrouble(error: unknown, options: UdpSocketOptions): unknown {
  const { address, port, portRemedy } = options;
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return new ResourceUnavailable("port", `UDP port ${port} on ${address} is in use; ${portRemedy}`, error);
    case "EACCES":
      return new ResourceUnavailable(
        "port",
        `UDP port ${port} needs more rights than this user has; ${portRemedy}`,
        error,
      );
    case "EADDRNOTAVAIL":
      return new ResourceUnavailable("interface", `no interface of this machine has the address ${address}`, error);
    default:
      return error;
  }
}

export function smallBufferSentence(grantedBytes: number): string {
  return `the system grants a receive buffer of ${grantedBytes} bytes only; raise net.core.rmem_max to 4194304`;
}

/** Asks for 4 MiB, then for less where the system refuses instead of granting what it can (macOS). */
function growReceiveBuffer(socket: Socket): number {
  for (let bytes = RECEIVE_BUFFER_BYTES; bytes > 65_536; bytes /= 2) {
    try {
      socket.setRecvBufferSize(bytes);
      break;
    } catch {
      // Refused: half of it next.
    }
  }
  // Linux doubles what it was asked for, to have room for its own books, and reports the double.
  return socket.getRecvBufferSize() / (process.platform === "linux" ? 2 : 1);
}
