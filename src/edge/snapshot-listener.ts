/**
 * Snapshot listener: the TCP port from which joiners fetch the state. Bytes in and out; `SnapshotServer` does the rest.
 *
 * A connection that asks for nothing, or cannot prove that it has the mesh key, is closed soon and has cost nothing.
 */
import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { SNAPSHOT_NONCE_BYTES } from "../security/mesh-identity.js";
import { type ImageSource, SnapshotServer } from "../sync/snapshot-transfer.js";
import { ResourceUnavailable } from "./trouble.js";

const CONNECTIONS_MAX = 128;
const SILENCE_MS = 5_000;

export class SnapshotListener {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  readonly port: number;

  private constructor(server: Server) {
    this.server = server;
    const address = server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Opens a port that the system chooses on one address. Rejects with `ResourceUnavailable`. */
  static open(address: string, meshKey: Uint8Array, source: ImageSource): Promise<SnapshotListener> {
    return new Promise((resolve, reject) => {
      const sockets = new Set<Socket>();
      const server = createServer({ noDelay: true }, (socket) => serve(socket, sockets, meshKey, source));
      server.once("error", (error) => {
        reject(
          new ResourceUnavailable("port", `the snapshot port on ${address} cannot be opened: ${error.message}`, error),
        );
      });
      server.listen({ host: address, port: 0 }, () => {
        const listener = new SnapshotListener(server);
        for (const socket of sockets) listener.sockets.add(socket);
        server.on("connection", (socket) => listener.keep(socket));
        server.on("error", () => {});
        resolve(listener);
      });
    });
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.once("close", () => this.sockets.delete(socket));
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

function serve(socket: Socket, sockets: Set<Socket>, meshKey: Uint8Array, source: ImageSource): void {
  if (sockets.size >= CONNECTIONS_MAX) {
    socket.destroy();
    return;
  }
  sockets.add(socket);
  const server = new SnapshotServer(meshKey, randomBytes(SNAPSHOT_NONCE_BYTES), source);
  socket.setTimeout(SILENCE_MS, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.once("close", () => sockets.delete(socket));
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
