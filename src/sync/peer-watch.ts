/**
 * PeerWatch: which nodes fell silent, told as one finding. Told the time; looks at the peers; sends nothing.
 *
 * A switch that loses power takes many nodes with it, and their silence shows one after the other, as their reports
 * would have come. So it says nothing while it still checks: until for longer than a report takes nobody else fell
 * silent and none of the silent was heard again. Who says goodbye is not missed.
 */
import { LATE_US } from "./peer-health.js";
import { type Peer, PEERS_MAX, PEER_SILENCE_US, type Peers } from "./peers.js";

const LOOK_US = 250_000;
/** Longer than the time between two reports. */
const QUIET_US = 1_300_000;
/** However long nodes come and go: then it says what it knows. */
const PATIENCE_US = 4_000_000;
/** A node that has been gone this long is told of no more, and much later not even waited for. */
const TOLD_US = 600_000_000;
const KNOWN_US = 86_400_000_000;
const NAMED_MAX = 6;

interface Silent {
  readonly name: string;
  readonly heardUs: number;
  isTold: boolean;
}

export class PeerWatch {
  private readonly peers: Peers;
  /** Silent nodes by id, and when each was heard last. */
  private readonly missing = new Map<string, Silent>();
  /** [0] next look, [1] when the silent were others last, [2] when it began to check; Infinity when it does not. */
  private readonly registers = new Float64Array([0, 0, Number.POSITIVE_INFINITY]);
  /** What is to be said now; "" for nothing. */
  finding = "";

  constructor(peers: Peers) {
    this.peers = peers;
  }

  /** `isHearing`: whether this node is where reports or lists reach it; else everybody is silent to it. */
  tick(nowUs: number, isHearing: boolean): void {
    const { registers } = this;
    if (nowUs < (registers[0] as number)) return;
    registers[0] = nowUs + LOOK_US;
    if (!isHearing) {
      // Nothing reaches it, which says nothing about the others.
      this.peers.prune(nowUs);
      return;
    }
    if (this.look(nowUs)) {
      registers[1] = nowUs;
      registers[2] = Math.min(registers[2] as number, nowUs);
    }
    const isQuiet = nowUs - (registers[1] as number) >= QUIET_US || nowUs - (registers[2] as number) >= PATIENCE_US;
    if (registers[2] === Number.POSITIVE_INFINITY || !isQuiet) return;
    registers[2] = Number.POSITIVE_INFINITY;
    this.finding = this.sentence();
  }

  /** It said that it goes. */
  left(node: string): void {
    this.peers.remove(node);
    if (this.missing.delete(node))
      this.registers[2] = Math.min(this.registers[2] as number, this.registers[1] as number);
  }

  /** Notes who fell silent and who is heard again. Answers whether that is another set now. */
  private look(nowUs: number): boolean {
    let isOther = false;
    const asOfUs = this.peers.asOfUs(nowUs);
    for (const peer of this.peers.values()) if (this.lookAt(peer, asOfUs)) isOther = true;
    for (const [node, silent] of this.missing) {
      const silentUs = nowUs - silent.heardUs;
      if (silentUs > KNOWN_US) this.missing.delete(node);
      if (silentUs < TOLD_US || !silent.isTold) continue;
      silent.isTold = false;
      isOther = true;
    }
    return isOther;
  }

  private lookAt(peer: Peer, asOfUs: number): boolean {
    const silentUs = asOfUs - peer.heardUs;
    if (silentUs <= LATE_US) return this.missing.size > 0 && this.missing.delete(peer.node);
    const isMissing = this.missing.has(peer.node);
    if (!isMissing && this.missing.size < PEERS_MAX) {
      this.missing.set(peer.node, { name: peer.name, heardUs: peer.heardUs, isTold: true });
    }
    if (silentUs > PEER_SILENCE_US) this.peers.remove(peer.node);
    return !isMissing;
  }

  /** Whether a node that did not say goodbye may come back with what it had. */
  get isAnyMissing(): boolean {
    return this.missing.size > 0;
  }

  private sentence(): string {
    const told = [...this.missing].filter(([, { isTold }]) => isTold);
    const count = told.length;
    if (count === 0) return "";
    const known = this.peers.size + told.filter(([node]) => this.peers.get(node) === undefined).length;
    const names = told.map(([node, { name }]) => (name === "" ? node : name)).sort();
    const rest = count > NAMED_MAX ? ` and ${count - NAMED_MAX} more` : "";
    const listed = `${names.slice(0, NAMED_MAX).join(", ")}${rest}`;
    const verb = count === 1 ? "is" : "are";
    return `${count} of ${known} other nodes ${verb} silent: ${listed}; switched off, unplugged or cut off`;
  }
}
