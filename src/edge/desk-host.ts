/**
 * Desk host: the live thread's end of the desk worker. Starts it, answers it, restarts it when it dies.
 *
 * The desk owns TCP port N; a crash of it costs connections and never the show: it is reported and started again with
 * growing pauses. Images are sent one chunk per turn of the event loop, each after the last was taken, so that a
 * lagging desk cannot delay a cue. It decides nothing: `DeskService` does.
 */
import { Worker } from "node:worker_threads";
import type {
  DeskAnswers,
  DeskCommand,
  DeskCommandKind,
  DeskStart,
  DeskToLive,
  LiveToDesk,
  PendingValue,
} from "../manage/desk-messages.js";
import type {
  DeclareEntry,
  DeclareOutcome,
  HealthFinding,
  LogLevel,
  PeerReport,
  StatusReport,
  WriteOptions,
  WriteOutcome,
} from "../manage/reports.js";
import type { Value } from "../state/declaration.js";
import type { OriginTable, TermTable } from "../state/tables.js";

/** What the node does for the desk. Every call is made on the live thread; a call that throws is our own mistake. */
export interface DeskService {
  readonly terms: TermTable;
  readonly origins: OriginTable;
  /** Writes a value to a path; with `options.wait` the answer comes when it is confirmed, refused or out of time. */
  write(path: string, value: Value, options: WriteOptions): Promise<WriteOutcome>;
  /** Fires an impulse, likewise. */
  trigger(path: string, options: WriteOptions): Promise<WriteOutcome>;
  /** Declares paths, all or those that can be; the answer names each refused one. */
  declare(entries: readonly DeclareEntry[], options: WriteOptions): Promise<DeclareOutcome>;
  rename(path: string, to: string, options: WriteOptions): Promise<WriteOutcome>;
  remove(path: string, options: WriteOptions): Promise<WriteOutcome>;
  status(): StatusReport;
  peers(): readonly PeerReport[];
  health(): readonly HealthFinding[];
  setLogLevel(level: LogLevel): void;
  /**
   * The confirmed state as image chunks (`ImageEncoder`). Chunks are pulled in separate turns, so the state may change
   * between two: the desk replays the ring over it, and asks again in the rare case that this gives no whole image.
   */
  image(): Iterable<Uint8Array>;
  /** What is pending now, asked for after the last chunk. */
  pending(): readonly PendingValue[];
  /** A TCP client that speaks OSC. Its connection number is never used again in this process. */
  oscOpened(connection: number, remoteAddress: string, remotePort: number): void;
  /** One OSC packet, without framing. The bytes are the service's own to keep. */
  oscReceived(connection: number, packet: Uint8Array): void;
  oscClosed(connection: number): void;
  /** The desk is up or down: a health event. `text` says why, "" when it is well. */
  deskHealth(text: string): void;
}
