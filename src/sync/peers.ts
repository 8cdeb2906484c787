/**
 * Peers: the nodes heard of, and what they said. Told the time; forgets who is silent. Bounded to 256.
 */
import type { Fitness, FitnessLevel } from "../wire/fitness.js";
import type { NodeNotice } from "../wire/messages.js";
import type { PeerListReader, PeerRow } from "../wire/peer-list.js";

export const PEERS_MAX = 256;
/** A peer that nobody heard for this long is gone. */
export const PEER_SILENCE_US = 4_000_000;
/** The list comes once a second, and one may be lost. */
const LISTED_US = 2_000_000;

export class Peer implements PeerRow {
  readonly node: string;
  name = "";
  address = "";
  unicastPort = 0;
  snapshotPort = 0;
  priority = 0;
  isInSync = false;
  /** It loses much more than the others, and gets only the newest values. */
  isConflated = false;
  sequence = 0;
  lossPermille = 0;
  naks = 0;
  provenSequence = 0;
  differs = 0;
  level: FitnessLevel = 0;
  interfaceName = "";
  roundTripUs = -1;
  clockOffsetUs = 0;
  clockBoundUs = -1;
  heardUs = 0;
  /** How long it had been silent when the list was made last. */
  silentMs = 0;
  /** Where it is reached: kept beside the row, so that sending needs no new object. */
  target = { address: "", port: 0 };

  constructor(node: string) {
    this.node = node;
  }

  /** Takes in how it fares. */
  fares(fitness: Fitness): void {
    this.lossPermille = fitness.lossPermille;
    this.naks = fitness.naks;
    this.provenSequence = fitness.provenSequence;
    this.differs = fitness.differs;
    this.level = fitness.level;
    this.roundTripUs = fitness.roundTripUs;
    this.clockOffsetUs = fitness.clockOffsetUs;
    this.clockBoundUs = fitness.clockBoundUs;
  }

  reachAt(address: string, port: number): void {
    this.address = address;
    this.unicastPort = port;
    if (this.target.address !== address || this.target.port !== port) this.target = { address, port };
  }
}

export class Peers {
  private readonly peers = new Map<string, Peer>();
  /** [0] before then nobody can have been silent for long, [1] until then it is known who was heard. */
  private readonly registers = new Float64Array([Number.POSITIVE_INFINITY, 0]);
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
    const peer = this.open(node);
    if (peer === undefined) return undefined;
    this.heard(peer, nowUs);
    const isSame =
      peer.address === address &&
      peer.unicastPort === notice.unicastPort &&
      peer.name === notice.name &&
      peer.isInSync === notice.isInSync &&
      peer.priority === notice.priority;
    if (!isSame) this.generation++;
    peer.name = notice.name;
    peer.snapshotPort = notice.snapshotPort;
    peer.priority = notice.priority;
    peer.isInSync = notice.isInSync;
    peer.reachAt(address, notice.unicastPort);
    return peer;
  }

  /** Takes in a row of the controller's list; `address` where the row knows none. */
  row(row: PeerListReader, address: string, nowUs: number): void {
    const peer = row.isWhole ? this.open(row.node) : this.peers.get(row.node);
    // Who is told of first by a row that is not whole comes with the next one that is.
    if (peer === undefined) return;
    peer.isInSync = row.isInSync;
    peer.isConflated = row.isConflated;
    peer.sequence = row.sequence;
    peer.fares(row);
    this.heard(peer, nowUs - row.silentMs * 1_000);
    if (!row.isWhole) return;
    peer.name = row.name;
    peer.interfaceName = row.interfaceName;
    peer.snapshotPort = row.snapshotPort;
    peer.priority = row.priority;
    peer.reachAt(row.address === "" ? address : row.address, row.unicastPort);
  }

  /** All who were heard until now are known: this node is whom they report to, or hears of them from that one's list. */
  listed(nowUs: number): void {
    this.registers[1] = nowUs;
  }

  /** The time as of which it is said who is silent: between two lists a follower cannot know who spoke. */
  asOfUs(nowUs: number): number {
    return Math.max(this.registers[1] as number, nowUs - LISTED_US);
  }

  private open(node: string): Peer | undefined {
    let peer = this.peers.get(node);
    if (peer === undefined) {
      if (this.peers.size >= PEERS_MAX) return undefined;
      peer = new Peer(node);
      this.peers.set(node, peer);
      this.generation++;
    }
    return peer;
  }

  private heard(peer: Peer, atUs: number): void {
    if (peer.heardUs === 0) this.registers[0] = Math.min(this.registers[0] as number, atUs + PEER_SILENCE_US);
    peer.heardUs = Math.max(peer.heardUs, atUs);
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

  /** What was proven in another term proves nothing in this one. */
  forgetProofs(): void {
    for (const peer of this.peers.values()) {
      peer.provenSequence = 0;
      peer.differs = 0;
    }
  }
}
