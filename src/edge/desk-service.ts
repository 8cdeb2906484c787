/**
 * Desk service: what the node does for the desk. Every call is made on the live thread, and a call that throws is our own
 * mistake. It names what may be asked and holds nothing.
 */
import type { FrozenHeader, PendingValue } from "../manage/desk-messages.js";
import type { FeedWish } from "../manage/input-feed.js";
import type { LearnOutcome, LearnRequest } from "../manage/learn-reports.js";
import type { ReplayPart, ReplayReport } from "../manage/replay-reports.js";
import type {
  ControlOutcome,
  DeclareEntry,
  DeclareOutcome,
  HealthFinding,
  LogLevel,
  PeerReport,
  StatusReport,
  WriteOptions,
  WriteOutcome,
} from "../manage/reports.js";
import type {
  AdoptOutcome,
  AdoptRequest,
  BindingReport,
  BindOutcome,
  BindRequest,
  DeviceReport,
} from "../manage/surface-reports.js";
import type { Term } from "../state/change.js";
import type { Value } from "../state/declaration.js";
import type { OriginTable, TermTable } from "../state/tables.js";
import type { Tombstone } from "../state/tombstones.js";
import type { LineageEntry } from "../sync/lineage.js";

export interface DeskService {
  readonly terms: TermTable;
  readonly origins: OriginTable;
  /** The newest change sequence. */
  readonly sequence: number;
  /** The term whose contents others may fetch from this node. */
  readonly serving: Term | undefined;
  /** What others may fetch here although this node takes no writes; it does not change while it is that. */
  readonly frozen: FrozenHeader | undefined;
  /** What its state is made of beside that term. */
  readonly lineage: readonly LineageEntry[];
  /** Paths that are known to be gone. */
  readonly removals: readonly Tombstone[];
  /** Joiners fetch the state from this TCP port now: it changes when the desk was started again. */
  snapshotPort(port: number): void;
  /** Writes a value to a path; with `options.wait` the answer comes when it is confirmed, refused or out of time. */
  write(path: string, value: Value, options: WriteOptions): Promise<WriteOutcome>;
  /** Fires an impulse, likewise. */
  trigger(path: string, options: WriteOptions): Promise<WriteOutcome>;
  /** Declares paths, all or those that can be; the answer names each refused one. */
  declare(entries: readonly DeclareEntry[], options: WriteOptions): Promise<DeclareOutcome>;
  rename(path: string, to: string, options: WriteOptions): Promise<WriteOutcome>;
  remove(path: string, options: WriteOptions): Promise<WriteOutcome>;
  /** Passes control to a node (name or id; "" for this one). */
  control(to: string): Promise<ControlOutcome>;
  status(): StatusReport;
  peers(): readonly PeerReport[];
  health(): readonly HealthFinding[];
  setLogLevel(level: LogLevel): void;
  /**
   * The confirmed state as image chunks (`ImageEncoder`). Chunks are pulled in separate turns, so the state may change
   * between two: the desk replays the ring over it, and asks again in the rare case that this gives no whole image.
   */
  image(): Iterable<Uint8Array>;
  /** Puts where the writers stand into the ring: a desk that lost its place there does not have it. */
  tellStandings(): void;
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

/** What the node does about devices and bindings. */
export interface DeskSurfaces {
  devices(): Promise<readonly DeviceReport[]>;
  adopt(request: AdoptRequest): Promise<AdoptOutcome>;
  forget(alias: string): Promise<AdoptOutcome>;
  blink(alias: string): Promise<AdoptOutcome>;
  bindings(): Promise<readonly BindingReport[]>;
  bind(request: BindRequest, options: WriteOptions): Promise<BindOutcome>;
  unbind(id: string, options: WriteOptions): Promise<WriteOutcome>;
  learn(request: LearnRequest, options: WriteOptions): Promise<LearnOutcome>;
  repaint(alias: string): boolean;
  /** Plays a part of a recording. */
  replay(part: ReplayPart): ReplayReport;
  /** Tells the desk of its inputs what is wished, from now on. */
  feed(wish: FeedWish): void;
}
