/**
 * Ports: what the edges must provide to a node. The composition root implements them with sockets and timers, the
 * simulator with a virtual network and clock. All calls return at once; what comes of them is told to the node later.
 */
import type { Random } from "../base/random.js";
import type { TermRecord } from "../sync/promises.js";
import type { HealthCode } from "./health.js";

export interface DatagramPort {
  /** Sends a sealed datagram to the group of the stream. The view is overwritten by the next seal. */
  multicast(datagram: Uint8Array): void;
  /** Sends a sealed datagram to the group in which all nodes meet, likewise. */
  announce(datagram: Uint8Array): void;
  /** Sends a sealed datagram to one node, likewise. */
  unicast(datagram: Uint8Array, address: string, port: number): void;
}

export interface SnapshotRequest {
  readonly address: string;
  readonly port: number;
  /** The snapshot must hold every change up to this sequence. */
  readonly minSequence: number;
}

export interface NodePorts {
  readonly datagrams: DatagramPort;
  readonly random: Random;
  /** Own time at this very moment, in microseconds; the clock's stands still within a turn. */
  nowUs(): number;
  /** Asks for `settle` at the end of this turn of the event loop. */
  requestSettle(): void;
  /**
   * Whether this node is to hear the group of the stream: not while the stream there is its own, which would wake it
   * for each frame that it sent. It hears the other group always. A hint: hearing more costs time and does no harm.
   */
  hearStream(isWanted: boolean): void;
  /** Fetches the controller's snapshot; answered by `snapshotArrived` or `snapshotFailed`. A newer call replaces it. */
  fetchSnapshot(request: SnapshotRequest): void;
  /**
   * Puts the promises on disk; answered by `termSaved` or `termFailed` with this revision, or with a later one that was
   * saved in its place.
   */
  saveTerm(record: TermRecord, revision: number): void;
  /** The node became controller or stopped being it. */
  onRole(): void;
  /** What others may fetch from this node (`HanaNode.serving`) is something else now. */
  onServing(): void;
  /** Another node has this one's id, and this one is to end: it says nothing any more. `address`: where the other is. */
  onTwin(address: string): void;
  /** Puts a session number above this one on disk; answered by `sessionRaised` with it. */
  raiseSession(above: number): void;
  /** Something that a technician should know. */
  onHealth(code: HealthCode, text: string): void;
}
