/**
 * Snapshot transfer: both ends of a late join, as machines that are given bytes and answer with bytes.
 *
 * Client: 16 random bytes. Server: 16 random bytes. From both, and the mesh key, each derives a key per direction; all
 * after that is sealed. The client asks, the server sends the image. Nothing is encoded for whoever lacks the key. A
 * transfer that broke goes on where it stopped, if the server still has that image.
 */
import { deriveSnapshotKey, SNAPSHOT_NONCE_BYTES, SnapshotDirection } from "../security/mesh-identity.js";
import { RECORD_PLAIN_MAX_BYTES, StreamOpener, StreamResult, StreamSealer } from "../security/stream-seal.js";
import { CHUNK_LIMIT_BYTES } from "../state/image.js";
import { ORIGINS_MAX } from "../state/tables.js";
import { decodeStandings, type Standing } from "../wire/standing.js";
import { LINEAGE_MAX } from "./lineage.js";
import {
  decodeHeader,
  decodeLineage,
  decodeOrigins,
  decodeRequest,
  encodeRequest,
  headerRecords,
  piecesOf,
  RecordKind,
  type SnapshotHeader,
  type SnapshotRequestRecord,
  standingsRecord,
  termKey,
} from "../wire/snapshot-records.js";

/** An image ready to be sent: its records, header first and end last. */
export interface SnapshotImage {
  readonly image: number;
  /** `termKey` of its header. */
  readonly term: string;
  /** It holds every change up to this one, and where the writers stood in all that was published up to it. */
  readonly sequence: number;
  readonly records: readonly Uint8Array[];
}

/** `standings`: where the writers stand in it (`encodeStandings`). */
export function makeImage(
  header: SnapshotHeader,
  chunks: Iterable<Uint8Array>,
  standings: Uint8Array = new Uint8Array(0),
): SnapshotImage {
  const records = headerRecords(header);
  for (const chunk of chunks) records.push(...piecesOf(chunk, RECORD_PLAIN_MAX_BYTES));
  records.push(standingsRecord(standings), new Uint8Array([RecordKind.end]));
  return { image: header.image, term: termKey(header), sequence: header.told, records };
}

/** Whether a request goes on with this very image. */
export function isBegun(request: SnapshotRequestRecord, image: SnapshotImage): boolean {
  return request.image === image.image && request.term === image.term;
}

/** Answers the image for a request; undefined when this node is not the controller. */
export type ImageSource = (request: SnapshotRequestRecord) => SnapshotImage | undefined;

export class SnapshotServer {
  private readonly meshKey: Uint8Array;
  private readonly nonce: Uint8Array;
  private readonly source: ImageSource;
  private readonly clientNonce = new Uint8Array(SNAPSHOT_NONCE_BYTES);
  private nonceBytes = 0;
  private opener: StreamOpener | undefined;
  private sealer: StreamSealer | undefined;
  private image: SnapshotImage | undefined;
  private next = 0;
  private isRefused = false;

  /** `nonce`: 16 random bytes, new for each connection. */
  constructor(meshKey: Uint8Array, nonce: Uint8Array, source: ImageSource) {
    this.meshKey = meshKey;
    this.nonce = nonce;
    this.source = source;
  }

  /** Takes bytes in. False when the connection is to be closed. */
  push(bytes: Uint8Array, send: (bytes: Uint8Array) => void): boolean {
    let at = 0;
    while (this.nonceBytes < SNAPSHOT_NONCE_BYTES && at < bytes.length) {
      this.clientNonce[this.nonceBytes++] = bytes[at++] as number;
    }
    if (this.nonceBytes < SNAPSHOT_NONCE_BYTES) return true;
    if (this.opener === undefined) {
      this.agree();
      send(this.nonce);
    }
    const result = (this.opener as StreamOpener | undefined)?.push(bytes.subarray(at), (plain) =>
      this.onRequest(plain),
    );
    return result === StreamResult.ok && !this.isRefused;
  }

  private agree(): void {
    const { meshKey, clientNonce, nonce } = this;
    this.opener = new StreamOpener(deriveSnapshotKey(meshKey, clientNonce, nonce, SnapshotDirection.toServer));
    this.sealer = new StreamSealer(deriveSnapshotKey(meshKey, clientNonce, nonce, SnapshotDirection.toClient));
  }

  private onRequest(plain: Uint8Array): void {
    const request = decodeRequest(plain);
    this.image = request === undefined || this.image !== undefined ? undefined : this.source(request);
    if (this.image === undefined || request === undefined) {
      this.isRefused = true;
      return;
    }
    const isResumed = isBegun(request, this.image) && request.records <= this.image.records.length;
    this.next = isResumed ? request.records : 0;
  }

  /** The next sealed record to send; undefined when there is none (yet, or any more). */
  pull(): Uint8Array | undefined {
    const record = this.image?.records[this.next];
    if (record === undefined || this.sealer === undefined) return undefined;
    this.next++;
    return this.sealer.seal(record);
  }

  /** Whether the client has sealed something: it has the mesh key. */
  get isProven(): boolean {
    return (this.opener?.records ?? 0) > 0;
  }

  get isDone(): boolean {
    return this.image !== undefined && this.next >= this.image.records.length;
  }
}

/** What of a snapshot is here; outlives a connection, so that the next one can go on. */
export class SnapshotProgress {
  header: SnapshotHeader | undefined;
  records = 0;
  readonly chunks: Uint8Array[] = [];
  standings: readonly Standing[] = [];
  private parts: Uint8Array[] = [];
  private partBytes = 0;
  private totalBytes = 0;
  isWhole = false;

  private restart(header: SnapshotHeader): void {
    this.header = header;
    this.records = 0;
    this.chunks.length = 0;
    this.standings = [];
    this.parts = [];
    this.partBytes = 0;
    this.totalBytes = 0;
  }

  /** Takes one record in. False when it cannot be part of a snapshot. */
  take(record: Uint8Array): boolean {
    if (this.isWhole) return false;
    const kind = record[0];
    if (kind === RecordKind.header) {
      const header = decodeHeader(record.subarray(1));
      if (header === undefined) return false;
      this.restart(header);
    } else if (this.header === undefined) return false;
    else if (kind === RecordKind.origins) {
      if (!this.takeOrigins(this.header, record.subarray(1))) return false;
    } else if (kind === RecordKind.lineage) {
      if (!this.takeLineage(this.header, record.subarray(1))) return false;
    } else if (kind === RecordKind.piece || kind === RecordKind.lastPiece) {
      if (!this.takePiece(record.slice(1), kind === RecordKind.lastPiece)) return false;
    } else if (kind === RecordKind.standings) {
      const standings = decodeStandings(record.subarray(1));
      if (standings === undefined) return false;
      this.standings = standings;
    } else if (kind === RecordKind.end) this.isWhole = true;
    else return false;
    this.records++;
    return true;
  }

  private takeOrigins(header: SnapshotHeader, record: Uint8Array): boolean {
    const more = decodeOrigins(record);
    if (more === undefined || header.origins.length + more.length > ORIGINS_MAX) return false;
    this.header = { ...header, origins: [...header.origins, ...more] };
    return true;
  }

  private takeLineage(header: SnapshotHeader, record: Uint8Array): boolean {
    const more = decodeLineage(record);
    if (more === undefined || header.lineage.length + more.length > LINEAGE_MAX) return false;
    this.header = { ...header, lineage: [...header.lineage, ...more] };
    return true;
  }

  private takePiece(piece: Uint8Array, isLast: boolean): boolean {
    this.parts.push(piece);
    this.partBytes += piece.length;
    this.totalBytes += piece.length;
    if (this.partBytes > CHUNK_LIMIT_BYTES || this.totalBytes > SNAPSHOT_LIMIT_BYTES) return false;
    if (!isLast) return true;
    const chunk = new Uint8Array(this.partBytes);
    let at = 0;
    for (const part of this.parts) {
      chunk.set(part, at);
      at += part.length;
    }
    this.chunks.push(chunk);
    this.parts = [];
    this.partBytes = 0;
    return true;
  }
}

/** More than 100,000 paths with long texts need; a mesh member cannot fill the memory. */
const SNAPSHOT_LIMIT_BYTES = 512 * 1024 * 1024;

export class SnapshotClient {
  private readonly meshKey: Uint8Array;
  private readonly nonce: Uint8Array;
  private readonly minSequence: number;
  readonly progress: SnapshotProgress;
  private readonly serverNonce = new Uint8Array(SNAPSHOT_NONCE_BYTES);
  private nonceBytes = 0;
  private opener: StreamOpener | undefined;
  private isBroken = false;

  /** `nonce`: 16 random bytes, new for each connection; they are the first thing sent. */
  constructor(meshKey: Uint8Array, nonce: Uint8Array, minSequence: number, progress: SnapshotProgress) {
    this.meshKey = meshKey;
    this.nonce = nonce;
    this.minSequence = minSequence;
    this.progress = progress;
  }

  /** Takes bytes in. False when the connection is to be closed; `progress` says what is here. */
  push(bytes: Uint8Array, send: (bytes: Uint8Array) => void): boolean {
    let at = 0;
    while (this.nonceBytes < SNAPSHOT_NONCE_BYTES && at < bytes.length) {
      this.serverNonce[this.nonceBytes++] = bytes[at++] as number;
    }
    if (this.nonceBytes < SNAPSHOT_NONCE_BYTES) return true;
    if (this.opener === undefined) this.ask(send);
    const result = (this.opener as StreamOpener | undefined)?.push(bytes.subarray(at), (plain) => {
      this.isBroken ||= !this.progress.take(plain);
    });
    return result === StreamResult.ok && !this.isBroken && !this.progress.isWhole;
  }

  private ask(send: (bytes: Uint8Array) => void): void {
    const { meshKey, nonce, serverNonce, progress } = this;
    this.opener = new StreamOpener(deriveSnapshotKey(meshKey, nonce, serverNonce, SnapshotDirection.toClient));
    const sealer = new StreamSealer(deriveSnapshotKey(meshKey, nonce, serverNonce, SnapshotDirection.toServer));
    const { header, records } = progress;
    const begun = header === undefined ? { image: 0, term: "" } : { image: header.image, term: termKey(header) };
    send(sealer.seal(encodeRequest({ minSequence: this.minSequence, ...begun, records })));
  }
}
