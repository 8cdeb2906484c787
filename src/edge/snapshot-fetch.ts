/**
 * Snapshot fetch: brings a controller's snapshot over TCP. One at a time; goes on where a broken one stopped.
 */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import type { Snapshot } from "../node/adoption.js";
import type { SnapshotRequest } from "../node/ports.js";
import { SNAPSHOT_NONCE_BYTES } from "../security/mesh-identity.js";
import { SnapshotClient, SnapshotProgress } from "../sync/snapshot-transfer.js";

const SILENCE_MS = 3_000;

/** Who is told what came of a fetch. */
export interface FetchOutcome {
  onArrived(snapshot: Snapshot): void;
  onFailed(reason: string): void;
}

export class SnapshotFetch {
  private readonly meshKey: Uint8Array;
  private readonly localAddress: string;
  private readonly outcome: FetchOutcome;
  private socket: Socket | undefined;
  private progress = new SnapshotProgress();
  private source = "";

  constructor(meshKey: Uint8Array, localAddress: string, outcome: FetchOutcome) {
    this.meshKey = meshKey;
    this.localAddress = localAddress;
    this.outcome = outcome;
  }

  fetch(request: SnapshotRequest): void {
    this.socket?.destroy();
    const source = `${request.address}:${request.port}`;
    const isFresh = this.progress.isWhole || (this.progress.header?.sequence ?? 0) < request.minSequence;
    if (source !== this.source || isFresh) this.progress = new SnapshotProgress();
    this.source = source;
    const { address: host, port } = request;
    const socket = connect({ host, port, localAddress: this.localAddress, noDelay: true });
    this.socket = socket;
    this.run(socket, request.minSequence);
  }

  private run(socket: Socket, minSequence: number): void {
    const { progress } = this;
    const nonce = randomBytes(SNAPSHOT_NONCE_BYTES);
    const client = new SnapshotClient(this.meshKey, nonce, minSequence, progress);
    let reason = "the controller closed the connection";
    socket.setTimeout(SILENCE_MS, () => socket.destroy(new Error("no answer")));
    socket.on("error", (error) => {
      reason = error.message;
    });
    socket.once("connect", () => socket.write(nonce));
    socket.on("data", (bytes) => {
      if (!client.push(bytes, (answer) => socket.write(answer))) socket.destroy();
    });
    socket.once("close", () => {
      if (this.socket === socket) this.finish(progress, reason);
    });
  }

  private finish(progress: SnapshotProgress, reason: string): void {
    this.socket = undefined;
    const { header } = progress;
    if (!progress.isWhole || header === undefined) this.outcome.onFailed(reason);
    else this.outcome.onArrived({ ...header, chunks: progress.chunks, standings: progress.standings });
  }

  close(): void {
    const { socket } = this;
    this.socket = undefined;
    socket?.destroy();
  }
}
