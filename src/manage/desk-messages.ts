/**
 * Desk messages: what the live thread and the desk worker say to each other, each a plain object over `postMessage`.
 *
 * The stream itself is not here: the desk reads it from the shared ring. These messages are the slow side: commands
 * and their answers, images for a replica that lags, OSC packets of TCP connections. Both ends are our own code, so
 * nothing is validated; a message that matches none of these is our own mistake.
 */
import type { AddressBlock } from "../config/addresses.js";
import type { Origin, Term } from "../state/change.js";
import type { Value } from "../state/declaration.js";
import type { RingMemory } from "../state/ring.js";
import type { Tombstone } from "../state/tombstones.js";
import type { LineageEntry } from "../sync/lineage.js";
import type { SnapshotHeader } from "../wire/snapshot-records.js";
import type { ReplayPart, ReplayReport } from "./replay-reports.js";
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
} from "./reports.js";
import type { FeedNews, FeedWish } from "./input-feed.js";
import type { LearnOutcome, LearnRequest } from "./learn-reports.js";
import type {
  AdoptOutcome,
  AdoptRequest,
  BindingReport,
  BindOutcome,
  BindRequest,
  DeviceReport,
} from "./surface-reports.js";

/** What the desk is started with: the first message that it gets. */
export interface DeskStart {
  readonly ring: RingMemory;
  /** Capacity of the state, so that every id of the ring fits the replica. */
  readonly capacity: number;
  /** TCP port on all addresses; 0 lets the system choose. */
  readonly port: number;
  /** Where HTTP is served beside loopback: an address of this host, `0.0.0.0` or `::` for all. */
  readonly httpHost: string;
  /** Who may send OSC over TCP; the default is settled already. */
  readonly oscAllow: readonly AddressBlock[];
  readonly node: string;
  readonly name: string;
  readonly mesh: string;
  /** The package's version. */
  readonly version: string;
  /** Where joiners fetch the state: the chosen interface's address, and the mesh key (32 bytes). */
  readonly snapshots: { readonly address: string; readonly meshKey: Uint8Array };
  /** Number of the first OSC connection; set by the host, so that no two desks of a process share one. */
  readonly firstConnection?: number;
}

/** A request of the desk that the live thread answers with the same `id`. */
export type DeskCommand =
  | { readonly kind: "write"; readonly path: string; readonly value: Value; readonly options: WriteOptions }
  | { readonly kind: "trigger"; readonly path: string; readonly options: WriteOptions }
  | { readonly kind: "declare"; readonly entries: readonly DeclareEntry[]; readonly options: WriteOptions }
  | { readonly kind: "rename"; readonly path: string; readonly to: string; readonly options: WriteOptions }
  | { readonly kind: "remove"; readonly path: string; readonly options: WriteOptions }
  /** Passes control to a node (name or id; "" for this one). */
  | { readonly kind: "control"; readonly to: string }
  | { readonly kind: "bindings" }
  | { readonly kind: "devices" }
  | { readonly kind: "adopt"; readonly request: AdoptRequest }
  | { readonly kind: "forget"; readonly alias: string }
  | { readonly kind: "blink"; readonly alias: string }
  | { readonly kind: "bind"; readonly request: BindRequest; readonly options: WriteOptions }
  | { readonly kind: "unbind"; readonly id: string; readonly options: WriteOptions }
  | { readonly kind: "learn"; readonly request: LearnRequest; readonly options: WriteOptions }
  | { readonly kind: "repaint"; readonly alias: string }
  | { readonly kind: "replay"; readonly part: ReplayPart }
  /** What the live thread is to tell of its inputs, from now on. */
  | { readonly kind: "feed"; readonly wish: FeedWish }
  | { readonly kind: "status" }
  | { readonly kind: "peers" }
  | { readonly kind: "health" }
  | { readonly kind: "logLevel"; readonly level: LogLevel };

export type DeskCommandKind = DeskCommand["kind"];

/** What each command is answered with. */
export interface DeskAnswers {
  readonly write: WriteOutcome;
  readonly trigger: WriteOutcome;
  readonly declare: DeclareOutcome;
  readonly rename: WriteOutcome;
  readonly remove: WriteOutcome;
  readonly control: ControlOutcome;
  readonly bindings: readonly BindingReport[];
  readonly devices: readonly DeviceReport[];
  readonly adopt: AdoptOutcome;
  readonly forget: AdoptOutcome;
  readonly blink: AdoptOutcome;
  readonly bind: BindOutcome;
  readonly unbind: WriteOutcome;
  readonly learn: LearnOutcome;
  readonly repaint: boolean;
  readonly feed: true;
  readonly replay: ReplayReport;
  readonly status: StatusReport;
  readonly peers: readonly PeerReport[];
  readonly health: readonly HealthFinding[];
  readonly logLevel: true;
}

/** From the desk to the live thread. */
export type DeskToLive =
  | { readonly kind: "ready"; readonly port: number; readonly snapshotPort: number }
  /** The port could not be opened: `code` is the system's (`EADDRINUSE`, `EACCES`, ...). */
  | { readonly kind: "failed"; readonly code: string; readonly text: string }
  | { readonly kind: "command"; readonly id: number; readonly command: DeskCommand }
  /** The replica was lapped, or is empty: send an image. The desk has moved its cursor to the stream's end before. */
  | { readonly kind: "imagePlease" }
  /** The desk took in a chunk of an image: the next one may come. */
  | { readonly kind: "imageChunkTaken" }
  | { readonly kind: "oscReceived"; readonly connection: number; readonly packets: readonly Uint8Array[] }
  | {
      readonly kind: "oscOpened";
      readonly connection: number;
      readonly remoteAddress: string;
      readonly remotePort: number;
    }
  | { readonly kind: "oscClosed"; readonly connection: number }
  /** Counters of the desk, all of them, about once a second when one moved. */
  | { readonly kind: "counters"; readonly counters: Readonly<Record<string, number>> };

/** From the live thread to the desk. */
export type LiveToDesk =
  | { readonly kind: "start"; readonly start: DeskStart }
  | { readonly kind: "answer"; readonly id: number; readonly answer: DeskAnswers[DeskCommandKind] }
  /** The command could not be carried out at all, which no reject says: the reason. */
  | { readonly kind: "answerFailed"; readonly id: number; readonly text: string }
  /** Both tables whole, by index, so that the replica's indexes equal those in the ring. */
  | {
      readonly kind: "imageBegin";
      readonly terms: readonly Term[];
      readonly origins: readonly Origin[];
      /** The newest change sequence when the image began. */
      readonly sequence: number;
    }
  /**
   * The term whose contents others may fetch from here, while there is one. `removals`: paths that are known to be gone,
   * which the ring does not tell of when a snapshot brought them; indexes of terms and origins are the node's.
   */
  | {
      readonly kind: "serving";
      readonly term: Term | undefined;
      readonly lineage: readonly LineageEntry[];
      readonly removals: readonly Tombstone[];
    }
  /**
   * What this node holds without being controller, or while it takes no writes: another side fetches it. The replica
   * shows pending values too, so the confirmed ones are sent here, chunk by chunk; undefined ends what there is.
   */
  | { readonly kind: "frozenBegin"; readonly header: FrozenHeader | undefined }
  | { readonly kind: "frozenChunk"; readonly bytes: Uint8Array }
  | { readonly kind: "frozenEnd" }
  | { readonly kind: "inputs"; readonly news: FeedNews }
  | { readonly kind: "imageChunk"; readonly bytes: Uint8Array }
  | { readonly kind: "imageEnd"; readonly pending: readonly PendingValue[] }
  /** So many bytes of this connection's packets have been worked off: flow control of OSC over TCP. */
  | { readonly kind: "oscTaken"; readonly connection: number; readonly bytes: number }
  /** One OSC packet; the desk frames it as its client framed its own. */
  | { readonly kind: "oscSend"; readonly connection: number; readonly packet: Uint8Array }
  | { readonly kind: "close" };

/** What an image of a state that does not change any more is of. */
export interface FrozenHeader extends Omit<SnapshotHeader, "image"> {
  /** Where the writers stand in it (`encodeStandings`). */
  readonly standings: Uint8Array;
}

/** A write made on this node that shows but is not confirmed. */
export interface PendingValue {
  readonly id: number;
  readonly value: Value;
}
