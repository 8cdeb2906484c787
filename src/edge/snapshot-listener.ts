/**
 * Snapshot listener: the TCP port from which joiners fetch the state. Bytes in and out; `SnapshotServer` does the rest.
 *
 * A connection that asks for nothing, or cannot prove that it has the mesh key, is closed soon and has cost nothing.
 * When all places are taken the oldest of those gives way, so that strangers keep no joiner out.
 */
import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { SNAPSHOT_NONCE_BYTES } from "../security/mesh-identity.js";
import { type ImageSource, SnapshotServer } from "../sync/snapshot-transfer.js";
import { ResourceUnavailable } from "./trouble.js";

const CONNECTIONS_MAX = 128;
const SILENCE_MS = 5_000;

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
  static open(address: string, meshKey: Uint8Array, source: ImageSource): Promise<SnapshotListener> {
    return new Promise((resolve, reject) => {
      const connections: Connections = new Map();
      const server = createServer({ noDelay: true }, (socket) => {
        const answers = new SnapshotServer(meshKey, randomBytes(SNAPSHOT_NONCE_BYTES), source);
        if (makeRoom(connections)) serve(socket, answers, connections);
        else socket.destroy();
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

function serve(socket: Socket, server: SnapshotServer, connections: Connections): void {
  connections.set(socket, server);
  socket.setTimeout(SILENCE_MS, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.once("close", () => connections.delete(socket));
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
