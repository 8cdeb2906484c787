/**
 * Peers: the nodes heard of, and what they said. Told the time; forgets who is silent. Bounded to 256.
 */
import { CLOCK_UNKNOWN_US, type NodeNotice, type PeerRow } from "../wire/messages.js";

export const PEERS_MAX = 256;
/** A peer that nobody heard for this long is gone. */
export const PEER_SILENCE_US = 4_000_000;

export interface Peer {
  node: string;
  name: string;
  address: string;
  unicastPort: number;
  snapshotPort: number;
  priority: number;
  isInSync: boolean;
  lossPermille: number;
  sequence: number;
  clockOffsetUs: number;
  clockErrorUs: number;
  roundTripUs: number;
  heardUs: number;
  /** Where it is reached: kept beside the row, so that sending needs no new object. */
  target: { address: string; port: number };
}

export class Peers {
  private readonly peers = new Map<string, Peer>();
  /** Rises when a peer comes, goes or changes what matters for the list. */
  generation = 0;

  get(node: string): Peer | undefined {
    return this.peers.get(node);
  }

  values(): IterableIterator<Peer> {
    return this.peers.values();
  }

  get size(): number {
    return this.peers.size;
  }

  /** Takes in what a node said of itself. */
  notice(node: string, address: string, notice: NodeNotice, nowUs: number): Peer | undefined {
    const peer = this.open(node, nowUs);
    if (peer === undefined) return undefined;
    const isSame =
      peer.address === address &&
      peer.unicastPort === notice.unicastPort &&
      peer.name === notice.name &&
      peer.isInSync === notice.isInSync &&
      peer.priority === notice.priority;
    if (!isSame) this.generation++;
    peer.name = notice.name;
    peer.address = address;
    peer.unicastPort = notice.unicastPort;
    peer.snapshotPort = notice.snapshotPort;
    peer.priority = notice.priority;
    peer.isInSync = notice.isInSync;
    peer.target = { address, port: notice.unicastPort };
    return peer;
  }

  /** Takes in a row of the controller's list. */
  row(row: PeerRow, nowUs: number): void {
    const peer = this.open(row.node, nowUs);
    if (peer === undefined) return;
    Object.assign(peer, row);
    peer.target = { address: row.address, port: row.unicastPort };
  }

  private open(node: string, nowUs: number): Peer | undefined {
    let peer = this.peers.get(node);
    if (peer === undefined) {
      if (this.peers.size >= PEERS_MAX) return undefined;
      peer = {
        node,
        name: "",
        address: "",
        unicastPort: 0,
        snapshotPort: 0,
        priority: 0,
        isInSync: false,
        lossPermille: 0,
        sequence: 0,
        clockOffsetUs: 0,
        clockErrorUs: CLOCK_UNKNOWN_US,
        roundTripUs: 0,
        heardUs: nowUs,
        target: { address: "", port: 0 },
      };
      this.peers.set(node, peer);
      this.generation++;
    }
    peer.heardUs = nowUs;
    return peer;
  }

  remove(node: string): void {
    if (this.peers.delete(node)) this.generation++;
  }

  /** Forgets who has been silent. */
  prune(nowUs: number): void {
    for (const peer of this.peers.values()) {
      if (nowUs - peer.heardUs > PEER_SILENCE_US) this.remove(peer.node);
    }
  }
}
