/**
 * Snapshot listener: the TCP port from which joiners fetch the state. Bytes in and out; `SnapshotServer` does the rest.
 *
 * A connection that asks for nothing, or cannot prove that it has the mesh key, is closed soon and has cost nothing.
 * When all places are taken the oldest of those gives way, so that strangers keep no joiner out. One address has few
 * places and comes back only so often, whoever is there; this machine itself is spared. What is on its way to one reader is
 * what its socket takes; a transfer that trickles without end is ended.
 */
import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { isLoopback, plainAddress } from "../manage/api-access.js";
import { SNAPSHOT_NONCE_BYTES } from "../security/mesh-identity.js";
import { RateLimit } from "../security/rate-limit.js";
import { type ImageSource, SnapshotServer } from "../sync/snapshot-transfer.js";
import { ResourceUnavailable } from "./trouble.js";

const CONNECTIONS_MAX = 128;
const SILENCE_MS = 5_000;

export interface SnapshotLimits {
  /** Places of one address, and its connections a second. */
  readonly perAddress: number;
  readonly perSecond: number;
  /** By then the mesh key has been shown, and by then all is over. */
  readonly proveMs: number;
  readonly transferMs: number;
  /** Nodes and tests of one machine share its address. */
  readonly sparesLoopback: boolean;
}

/** A joiner asks again ten times a second at most (`node/stream-following.ts`), and a machine has a few nodes. */
export const SNAPSHOT_LIMITS: SnapshotLimits = {
  perAddress: 16,
  perSecond: 40,
  proveMs: 5_000,
  transferMs: 120_000,
  sparesLoopback: true,
};
const ADDRESSES_MAX = 256;

/** Who is connected, oldest first, and how far its request has come. */
type Connections = Map<Socket, SnapshotServer>;

export class SnapshotListener {
  private readonly server: Server;
  private readonly connections: Connections;
  readonly port: number;

  private constructor(server: Server, connections: Connections) {
    this.server = server;
    this.connections = connections;
    const address = server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Opens a port that the system chooses on one address. Rejects with `ResourceUnavailable`. */
  static open(
    address: string,
    meshKey: Uint8Array,
    source: ImageSource,
    limits: SnapshotLimits = SNAPSHOT_LIMITS,
  ): Promise<SnapshotListener> {
    return new Promise((resolve, reject) => {
      const connections: Connections = new Map();
      const { perSecond } = limits;
      const rate = new RateLimit({ perSecond, burst: perSecond, sources: ADDRESSES_MAX });
      const server = createServer({ noDelay: true }, (socket) => {
        const isAllowed = mayCome(plainAddress(socket.remoteAddress ?? ""), connections, rate, limits);
        if (!isAllowed || !makeRoom(connections)) {
          socket.destroy();
          return;
        }
        const answers = new SnapshotServer(meshKey, randomBytes(SNAPSHOT_NONCE_BYTES), source);
        serve(socket, answers, connections, limits);
      });
      server.once("error", (error) => {
        reject(
          new ResourceUnavailable("port", `the snapshot port on ${address} cannot be opened: ${error.message}`, error),
        );
      });
      server.listen({ host: address, port: 0 }, () => {
        server.on("error", () => {});
        resolve(new SnapshotListener(server, connections));
      });
    });
  }

  close(): Promise<void> {
    for (const socket of this.connections.keys()) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

/** Whether an address may have one more. */
function mayCome(address: string, connections: Connections, rate: RateLimit, limits: SnapshotLimits): boolean {
  if (limits.sparesLoopback && isLoopback(address)) return true;
  if (!rate.take(address, performance.now() * 1_000)) return false;
  let count = 0;
  for (const socket of connections.keys()) if (plainAddress(socket.remoteAddress ?? "") === address) count++;
  return count < limits.perAddress;
}

/** Whether one more may come: if need be, the oldest that has not shown the mesh key goes. */
function makeRoom(connections: Connections): boolean {
  if (connections.size < CONNECTIONS_MAX) return true;
  for (const [socket, server] of connections) {
    if (server.isProven) continue;
    connections.delete(socket);
    socket.destroy();
    return true;
  }
  return false;
}

function serve(socket: Socket, server: SnapshotServer, connections: Connections, limits: SnapshotLimits): void {
  connections.set(socket, server);
  socket.setTimeout(SILENCE_MS, () => socket.destroy());
  const proof = setTimeout(() => {
    if (!server.isProven) socket.destroy();
  }, limits.proveMs);
  const end = setTimeout(() => socket.destroy(), limits.transferMs);
  socket.on("error", () => socket.destroy());
  socket.once("close", () => {
    clearTimeout(proof);
    clearTimeout(end);
    connections.delete(socket);
  });
  const pump = (): void => {
    for (let record = server.pull(); record !== undefined; record = server.pull()) if (!socket.write(record)) return;
    if (server.isDone) socket.end();
  };
  socket.on("drain", pump);
  socket.on("data", (bytes) => {
    if (!server.push(bytes, (answer) => socket.write(answer))) socket.destroy();
    else pump();
  });
}
