/**
 * Network: the virtual wires. Every pair of nodes has a link each way with its own faults; a healthy link costs nothing.
 *
 * It carries sealed datagrams and never looks into them. What it changes on the way, or brings a second time, it marks,
 * so that the oracle can say that such a datagram must not be taken.
 */
import type { Random } from "../../src/base/random.js";
import { COUNTER_OFFSET, DATAGRAM_MIN_BYTES, HEADER_BYTES, TYPE_OFFSET } from "../../src/wire/envelope.js";
import type { Coverage } from "./coverage.js";
import type { Timeline } from "./timeline.js";
import { mix } from "./virtual-seal.js";

/** A datagram on its way. */
export interface Packet {
  /** Index and boot of the sender. */
  readonly from: number;
  readonly bytes: Uint8Array;
  /** Whether whoever takes it has been fooled. */
  readonly isHostile: boolean;
  /** Which boot of the receiver took it before; 0 for none. */
  readonly takenBy: number;
  /** Shared by the copies of one datagram for one receiver: which boot of it took one; 0 for none. */
  readonly copies: { takenBy: number } | undefined;
  /** Whether it goes to the group of the stream, which a controller does not hear. */
  readonly isStream: boolean;
}

/** One direction between two nodes. */
export class Link {
  isCut = false;
  isDeaf = false;
  loss = 0;
  delayUs = 0;
  jitterUs = 0;
  reorder = 0;
  duplicate = 0;
  corrupt = 0;
  isClogged = false;
  /** Bytes per second; 0 for no limit. */
  capacity = 0;
  readonly held: Packet[] = [];
  /** When what has been given to a link of limited capacity is through. */
  busyUntilUs = 0;

  heal(): void {
    this.isCut = false;
    this.isDeaf = false;
    this.loss = 0;
    this.delayUs = 0;
    this.jitterUs = 0;
    this.reorder = 0;
    this.duplicate = 0;
    this.corrupt = 0;
    this.isClogged = false;
    this.capacity = 0;
  }
}

/** Datagrams that a clogged link holds; what a link of limited capacity has queued, in seconds. */
const HELD_MAX = 4_096;
const QUEUED_MAX_S = 0.25;
/** protocol.md: reorder up to 64 packets. */
const REORDER_US = 20_000;
const TAKEN_KEPT = 512;

interface Taken {
  readonly to: number;
  readonly boot: number;
  readonly packet: Packet;
}

export class Network {
  private readonly timeline: Timeline;
  private readonly random: Random;
  private readonly coverage: Coverage;
  private readonly nodes: number;
  /** By from × nodes + to; undefined while nothing is wrong with it. */
  private readonly links: (Link | undefined)[];
  private readonly made = new Map<number, Link>();
  private readonly baseUs: number[];
  private readonly deliver: (to: number, packet: Packet) => void;
  /** Datagrams that were taken lately, for whoever replays them. */
  private readonly taken: Taken[] = [];
  private takenNext = 0;
  records = false;
  /** When a link changed last. */
  reshapedUs = 0;
  packets = 0;
  /** A running hash of everything that was sent. */
  readonly hash = new Int32Array([0x811c9dc5, 0x9e3779b9]);

  constructor(
    nodes: number,
    timeline: Timeline,
    random: Random,
    coverage: Coverage,
    deliver: (to: number, packet: Packet) => void,
  ) {
    this.nodes = nodes;
    this.timeline = timeline;
    this.random = random;
    this.coverage = coverage;
    this.deliver = deliver;
    this.links = new Array<Link | undefined>(nodes * nodes).fill(undefined);
    this.baseUs = Array.from({ length: nodes }, () => 60 + Math.floor(random.next() * 120));
  }

  /** Heals every link, lets `shape` break what is to be broken now, and releases what is clogged no more. */
  reshape(shape: (linkOf: (from: number, to: number) => Link) => void): void {
    this.links.fill(undefined);
    this.reshapedUs = this.timeline.nowUs;
    for (const link of this.made.values()) link.heal();
    shape((from, to) => this.open(from, to));
    for (const [place, link] of this.made) {
      if (link.isClogged || link.held.length === 0) continue;
      for (const packet of link.held.splice(0)) this.post(place % this.nodes, packet, this.delayOf(packet, link));
    }
  }

  private open(from: number, to: number): Link {
    const place = from * this.nodes + to;
    let link = this.made.get(place);
    if (link === undefined) {
      link = new Link();
      this.made.set(place, link);
    }
    this.links[place] = link;
    return link;
  }

  /** Whether everything passes between two nodes, both ways and in time. */
  areWell(one: number, other: number): boolean {
    const { links, nodes } = this;
    return links[one * nodes + other] === undefined && links[other * nodes + one] === undefined;
  }

  /** Whether bytes get through at all; for connections. */
  isCut(from: number, to: number): boolean {
    const link = this.links[from * this.nodes + to];
    return link !== undefined && (link.isCut || link.isClogged);
  }

  /** How long a byte of a connection takes, with what lost segments cost. */
  connectionDelayUs(from: number, to: number): number {
    const link = this.links[from * this.nodes + to];
    const baseUs = this.baseUs[from] as number;
    if (link === undefined) return baseUs;
    const retransmitsUs = this.random.next() < link.loss ? 200_000 * (1 + this.random.next()) : 0;
    return baseUs + link.delayUs + Math.floor(this.random.next() * link.jitterUs) + retransmitsUs;
  }

  /** To the group of the stream, or to that in which all meet. */
  multicast(from: number, datagram: Uint8Array, isStream: boolean): void {
    const packet = this.packet(from, datagram, isStream);
    const healthy: number[] = [];
    for (let to = 0; to < this.nodes; to++) {
      const link = this.links[from * this.nodes + to];
      if (link === undefined) healthy.push(to);
      else if (link.isDeaf) this.coverage.count("blackhole");
      else this.carry(link, to, packet);
    }
    if (healthy.length === 0) return;
    this.timeline.after(this.baseUs[from] as number, () => {
      for (const to of healthy) this.deliver(to, packet);
    });
  }

  unicast(from: number, to: number, datagram: Uint8Array): void {
    const packet = this.packet(from, datagram, false);
    const link = this.links[from * this.nodes + to];
    if (link === undefined) this.post(to, packet, this.baseUs[from] as number);
    else this.carry(link, to, packet);
  }

  private packet(from: number, datagram: Uint8Array, isStream: boolean): Packet {
    this.packets++;
    return { from, bytes: datagram.slice(), isHostile: false, takenBy: 0, copies: undefined, isStream };
  }

  /** Whoever sends says what: the sealed bytes differ with the seal. */
  sends(from: number, datagram: Uint8Array, body: Uint8Array): void {
    const { hash } = this;
    hash[0] = (hash[0] as number) ^ ((from << 8) | (datagram[TYPE_OFFSET] as number));
    hash[1] = (hash[1] as number) ^ (this.timeline.nowUs % 0x4000_0000);
    mix(hash, body, datagram.length - DATAGRAM_MIN_BYTES);
  }

  private carry(link: Link, to: number, packet: Packet): void {
    const { random, coverage } = this;
    if (link.isCut) {
      coverage.count("cut");
      return;
    }
    if (link.loss > 0 && random.next() < link.loss) {
      coverage.count("lost");
      return;
    }
    if (link.isClogged) {
      coverage.count("held");
      if (link.held.length < HELD_MAX) link.held.push(packet);
      return;
    }
    if (link.corrupt > 0 && random.next() < link.corrupt) {
      coverage.count("corrupted");
      this.post(to, this.corrupted(packet), this.delayOf(packet, link));
      return;
    }
    if (link.duplicate > 0 && random.next() < link.duplicate) {
      coverage.count("doubled");
      const copy = { ...packet, copies: { takenBy: 0 } };
      this.post(to, copy, this.delayOf(packet, link));
      this.post(to, copy, this.delayOf(packet, link) + Math.floor(random.next() * 10_000));
      return;
    }
    const delayUs = this.delayOf(packet, link);
    if (delayUs >= 0) this.post(to, packet, delayUs);
  }

  /** -1 when the link's queue is full. */
  private delayOf(packet: Packet, link: Link): number {
    const { random, coverage, timeline } = this;
    let delayUs = (this.baseUs[packet.from] as number) + link.delayUs;
    if (link.jitterUs > 0) delayUs += Math.floor(random.next() * link.jitterUs);
    if (link.reorder > 0 && random.next() < link.reorder) {
      coverage.count("reordered");
      delayUs += Math.floor(random.next() * REORDER_US);
    }
    if (link.capacity === 0) return delayUs;
    const startUs = Math.max(timeline.nowUs, link.busyUntilUs);
    if (startUs - timeline.nowUs > QUEUED_MAX_S * 1e6) {
      coverage.count("overflowed");
      return -1;
    }
    link.busyUntilUs = startUs + Math.ceil((packet.bytes.length * 1e6) / link.capacity);
    return delayUs + link.busyUntilUs - timeline.nowUs;
  }

  private post(to: number, packet: Packet, delayUs: number): void {
    if (delayUs >= 0) this.timeline.after(delayUs, () => this.deliver(to, packet));
  }

  /** A bit flipped, an end cut off, or a body made up under a true header. */
  private corrupted(packet: Packet): Packet {
    const { random } = this;
    const way = random.next();
    let bytes = packet.bytes.slice();
    if (way < 0.4) {
      const bit = Math.floor(random.next() * bytes.length * 8);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
    } else if (way < 0.7) bytes = bytes.slice(0, Math.floor(random.next() * bytes.length));
    else {
      for (let index = HEADER_BYTES; index < bytes.length; index++) bytes[index] = Math.floor(random.next() * 256);
      // Far ahead, so that taking its counter for true would shut out what follows.
      if (way > 0.85) bytes[COUNTER_OFFSET] = 0x7f;
    }
    return { ...packet, bytes, isHostile: true };
  }

  forget(): void {
    this.taken.length = 0;
    for (const link of this.made.values()) link.held.length = 0;
  }

  /** A node took a packet. */
  note(to: number, boot: number, packet: Packet): void {
    if (!this.records) return;
    this.taken[this.takenNext] = { to, boot, packet };
    this.takenNext = (this.takenNext + 1) % TAKEN_KEPT;
  }

  /** Brings somebody what it has taken already. A node that was started anew since may not know better. */
  replay(): void {
    const found = this.taken[Math.floor(this.random.next() * this.taken.length)];
    if (found === undefined) return;
    this.coverage.count("replayed");
    this.post(found.to, { ...found.packet, takenBy: found.boot, copies: undefined }, 50);
  }
}
