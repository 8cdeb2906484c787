/**
 * Peers: the nodes heard of, and what they said. Told the time; forgets who is silent. Bounded to 256.
 */
import type { NodeNotice, PeerRow } from "../wire/messages.js";

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
  heardUs: number;
  /** Where it is reached: kept beside the row, so that sending needs no new object. */
  target: { address: string; port: number };
}

export class Peers {
  private readonly peers = new Map<string, Peer>();
  /** [0] before then nobody can have been silent for long. */
  private readonly registers = new Float64Array([Number.POSITIVE_INFINITY]);
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
    reach(peer, address, notice.unicastPort);
    peer.name = notice.name;
    peer.address = address;
    peer.unicastPort = notice.unicastPort;
    peer.snapshotPort = notice.snapshotPort;
    peer.priority = notice.priority;
    peer.isInSync = notice.isInSync;
    return peer;
  }

  /** Takes in a row of the controller's list. */
  row(row: PeerRow, nowUs: number): void {
    const peer = this.open(row.node, nowUs);
    if (peer === undefined) return;
    reach(peer, row.address, row.unicastPort);
    peer.name = row.name;
    peer.address = row.address;
    peer.unicastPort = row.unicastPort;
    peer.snapshotPort = row.snapshotPort;
    peer.priority = row.priority;
    peer.isInSync = row.isInSync;
    peer.lossPermille = row.lossPermille;
    peer.sequence = row.sequence;
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
        heardUs: nowUs,
        target: { address: "", port: 0 },
      };
      this.peers.set(node, peer);
      this.generation++;
      this.registers[0] = Math.min(this.registers[0] as number, nowUs + PEER_SILENCE_US);
    }
    peer.heardUs = nowUs;
    return peer;
  }

  remove(node: string): void {
    if (this.peers.delete(node)) this.generation++;
  }

  /** Forgets who has been silent. Asked fifty times a second, it looks at the peers a few times in four. */
  prune(nowUs: number): void {
    if (nowUs <= (this.registers[0] as number)) return;
    let oldestUs = Number.POSITIVE_INFINITY;
    for (const peer of this.peers.values()) {
      if (nowUs - peer.heardUs > PEER_SILENCE_US) this.remove(peer.node);
      else oldestUs = Math.min(oldestUs, peer.heardUs);
    }
    this.registers[0] = oldestUs + PEER_SILENCE_US;
  }
}

function reach(peer: Peer, address: string, port: number): void {
  if (peer.target.address !== address || peer.target.port !== port) peer.target = { address, port };
}
