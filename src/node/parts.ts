/**
 * Node parts: what the machines of one node reach each other by. The coordinator makes them all and implements this.
 */
import type { Term } from "../state/change.js";
import type { Followers } from "../sync/followers.js";
import type { LinkMeasures } from "../sync/link-measures.js";
import type { LossMeasure } from "../sync/loss-measure.js";
import type { PendingWrites } from "../sync/pending-writes.js";
import type { Peers } from "../sync/peers.js";
import type { Roles } from "../sync/roles.js";
import type { FrameTarget } from "../sync/stream-frames.js";
import type { StreamFrameReader } from "../wire/frame.js";
import type { SnapshotHeader } from "../wire/snapshot-records.js";
import type { Applier } from "./applier.js";
import type { Controller } from "./controller.js";
import type { NodeCore } from "./core.js";
import type { Follower } from "./follower.js";
import type { FrameIo } from "./frame-io.js";
import type { Lease } from "./lease.js";
import type { Health, HealthCode } from "./health.js";
import type { Sameness } from "./sameness.js";
import type { Writes } from "./writes.js";

/** The mesh's time, as the other machines need it. */
export interface SessionTime {
  /** How this node's clock and its way to the controller stand now. */
  readonly link: LinkMeasures;
  /** By how much this node's session time may be off its controller's now, in whole microseconds, or `BOUND_UNKNOWN_US`. */
  readonly boundUs: number;
  /** The followed controller said its session time in passing. */
  hint(sessionUs: number): void;
}

/** What a snapshot says of itself. */
type SnapshotOf = Omit<SnapshotHeader, "image">;

/** What the other machines ask of `Healing`. */
export interface HealingPart {
  readonly followers: Followers;
  /** This controller hears another one. True when it is to be followed: it has all that is here. */
  onRival(frame: StreamFrameReader, sender: string, address: string): boolean;
  /** Whether a snapshot may take the place of what is here. If not, that is offered to its controller first. */
  mayAdopt(snapshot: SnapshotOf, controller: string): boolean;
  /** The change of a term with which that holds what this node handed over; 0 when it handed nothing to it. */
  handedOverAt(term: Term): number;
  onInSync(): void;
  /** Whether a snapshot holds all that is here. */
  isHeldBy(snapshot: SnapshotOf): boolean;
}

export interface NodeParts {
  readonly core: NodeCore;
  readonly applier: Applier;
  readonly pending: PendingWrites;
  readonly controller: Controller;
  readonly follower: Follower;
  readonly writes: Writes;
  readonly peers: Peers;
  readonly roles: Roles;
  readonly io: FrameIo;
  readonly sessionClock: SessionTime;
  /** What this node loses, and what its followers do. */
  readonly conflatedFollowing: { measure(): number; readonly isSlow: boolean; readonly loss: LossMeasure };
  readonly conflated: {
    onReport(node: string, permille: number): void;
    relieve(node: string, target: FrameTarget): void;
    /** Followers that no group reaches, and who get no copies either. */
    listeners(): Iterable<FrameTarget>;
    readonly slowPeers: { isSlow(node: string): boolean };
  };
  readonly relief: {
    onFrame(frame: StreamFrameReader): void;
    /** Whether multicast of the controller has not been heard for a while, though it lived. */
    readonly isWithoutMulticast: boolean;
  };
  readonly elections: {
    raise(): void;
    /** Puts the number of a next term of this node's own on disk, and answers it. */
    prepare(done: (number: number) => void): void;
    /** A node's name; "" when it is not known. */
    nameOf(node: string): string;
    /** Whether an elector may confirm its controller's lease. */
    mayEcho(controller: string): boolean;
  };
  readonly handover: { readonly isGiving: boolean };
  readonly healing: HealingPart;
  readonly sameness: Sameness;
  readonly health: Health;
  readonly lease: Lease;
  /** This node is heard by others now than before. */
  readonly twin: { meet(): void };
  /** Puts where the writers stand into the ring: before anybody is told to fetch this node's snapshot. */
  tellStandings(): void;
  /** Sets or, with an empty text, ends a finding. */
  setHealth(code: HealthCode, text: string): void;
  /** Opens a term of this node's own. */
  takeControl(number: number, isHandedOver?: boolean): void;
  /** Another controller's term is above this node's. */
  stepDown(): void;
  /** Gives up the term without knowing of another. */
  abdicate(): void;
}
