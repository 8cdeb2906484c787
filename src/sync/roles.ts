/**
 * Roles: who this node follows, and when it becomes controller itself. Told the time and what was heard; decides only.
 *
 * A starting node listens 500 ms and joins whoever it hears. Nobody who joins takes control from somebody. When the
 * controller is silent for 500 ms or leaves, the first in rank (highest priority, then newest version as far as that is
 * known, then lowest id) among those in sync asks the others for their votes, the next ones 40 ms later each. Priority 0
 * never does.
 */
import type { Clock } from "../base/clock.js";
import type { Term } from "../state/change.js";
import { KnownVersion } from "./known-version.js";
import type { Peer, Peers } from "./peers.js";
import type { FrameTarget } from "./stream-frames.js";

export const Role = {
  starting: "starting",
  joining: "joining",
  following: "following",
  controlling: "controlling",
} as const;
export type Role = (typeof Role)[keyof typeof Role];

const LISTEN_US = 500_000;
const SILENCE_US = 500_000;
/** protocol.md: who is silent this long is no longer counted on. */
const SUSPECT_US = 350_000;
/** protocol.md. Two that ask at the same time all the same cost some 100 ms, not a second controller: votes decide. */
const RANK_US = 40_000;
/**
 * A node that knows of something that it lacks waits for so many others of its priority, who do not know that: it would
 * have to fetch it. One alone would meet the next in rank.
 */
const LACKING_RANKS = 2;
/** A controller that gave up its term listens this long for who has it now before it asks for another. */
const ABDICATED_US = 150_000;
/** A joiner whose controller is gone this long looks for another. */
const JOIN_SILENCE_US = 1_500_000;
/** A loop that was held up this long has not heard what is queued in its sockets. */
const LAG_US = 200_000;
/** Nobody is so far ahead: a number gone wild is not believed at once. */
const CLAIM_STEP = 1_000;
/** A controller raises its term no more often than this for nodes that know a higher one. */
const RAISE_US = 1_000_000;
const HELLO_STEPS_US = [0, 100_000, 250_000, 400_000];
const HELLO_REPEAT_US = 1_000_000;

function compareNodes(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}

export const NO_TERM: Term = { number: 0, node: "" };

/** What a tick asks the node to do. */
export const RoleAction = { none: 0, hello: 1, campaign: 2, startOver: 3 } as const;
export type RoleAction = (typeof RoleAction)[keyof typeof RoleAction];

/** What this node holds. */
export interface OwnVersion {
  /** Up to which change of the present term nothing is missing. */
  readonly whole: number;
  /** Whether it knows of nothing that it lacks. */
  readonly isWhole: boolean;
}

export class Roles {
  private readonly clock: Clock;
  private readonly peers: Peers;
  private readonly node: string;
  private readonly priority: number;
  private readonly own: OwnVersion;
  /** What all in sync must have said to have. */
  readonly versions: KnownVersion;
  role: Role = Role.starting;
  /** The term that is followed or held. */
  term: Term = NO_TERM;
  /** Where the followed controller takes writes, naks and reports; port 0 while that is not known. */
  target: FrameTarget = { address: "", port: 0 };
  /** The highest term number heard of: a new term goes above it. */
  highest = 0;
  /** [0] when this role began to wait, or its term was opened, [1] when the controller was heard, [2] last tick. */
  private readonly registers = new Float64Array(3);
  private hellos = 0;
  private hasLeft = false;
  /** The controller handed its side over: another term may be followed. */
  private isReleased = false;
  /** Silence was seen once: it counts when it is seen again, after what was queued in the sockets has been read. */
  private isSilenceSeen = false;

  constructor(clock: Clock, peers: Peers, node: string, priority: number, own: OwnVersion) {
    this.clock = clock;
    this.peers = peers;
    this.node = node;
    this.priority = priority;
    this.own = own;
    this.versions = new KnownVersion(clock);
  }

  start(): void {
    const now = this.clock.nowUs;
    this.role = Role.starting;
    this.hellos = 0;
    this.hasLeft = false;
    this.versions.restart();
    this.registers.fill(now);
  }

  /** How a term that was heard compares to the present one: below, equal or above 0. */
  compare(number: number, node: string): number {
    const order = number !== this.term.number ? number - this.term.number : compareNodes(node, this.term.node);
    // A node that starts over joins the term that it lost as it would a new one.
    // So it does any term of that number: it no longer hears its own, and node ids must not keep it out for ever.
    return this.role === Role.starting && number === this.term.number ? 1 : order;
  }

  /** Another term's controller was heard: join it. */
  join(term: Term): void {
    this.role = Role.joining;
    this.term = term;
    this.target = { address: "", port: 0 };
    this.highest = Math.max(this.highest, term.number);
    this.hasLeft = false;
    this.isReleased = false;
    this.versions.restart();
    // The caller says hello at once; the next one is due at its usual time.
    this.hellos = 1;
    this.registers[0] = this.clock.nowUs;
    this.heard();
  }

  /** Another node claims that there was a term of this number: a wrong claim moves the numbers by one step at most. */
  hearOf(number: number): void {
    this.highest = Math.max(this.highest, Math.min(number, this.highest + CLAIM_STEP));
  }

  /** The controller said where it is reached. */
  reachAt(address: string, port: number): void {
    if (this.target.address !== address || this.target.port !== port) this.target = { address, port };
  }

  inSync(): void {
    this.role = Role.following;
  }

  /** What was joined must be joined anew. */
  lost(): void {
    this.role = Role.joining;
    this.hellos = 0;
    this.registers[0] = this.clock.nowUs;
  }

  release(): void {
    this.isReleased = true;
  }

  /** Whether a higher term of `node` is to be followed: not while this node hears its own controller. */
  mayFollow(node: string): boolean {
    if (this.role !== Role.following || node === this.term.node) return true;
    return this.isReleased || this.hasLeft || this.silenceUs > SUSPECT_US;
  }

  heard(): void {
    this.isSilenceSeen = false;
    this.registers[1] = this.clock.register[0] as number;
  }

  get silenceUs(): number {
    return this.clock.nowUs - (this.registers[1] as number);
  }

  /** Whether this node controls, or hears who does: then nobody else gets its vote. */
  get hearsController(): boolean {
    if (this.role === Role.controlling) return true;
    return this.role !== Role.starting && !this.hasLeft && this.silenceUs < SILENCE_US;
  }

  get controllerHasLeft(): boolean {
    return this.hasLeft;
  }

  /** Takes control in a term of this number. */
  takeControl(number: number): Term {
    this.highest = Math.max(this.highest, number);
    this.term = { number, node: this.node };
    this.role = Role.controlling;
    this.registers[0] = this.clock.nowUs;
    return this.term;
  }

  /** This controller gave its term up: it keeps what it has and waits for who follows it, or asks to. */
  abdicate(): void {
    this.role = Role.following;
    this.target = { address: "", port: 0 };
    this.hasLeft = false;
    this.isSilenceSeen = false;
    this.registers[1] = this.clock.nowUs - SILENCE_US + ABDICATED_US;
  }

  /**
   * Whether this controller is to open a term above `known`, which a node that follows nobody would not leave for a
   * lower one: by its number, or by the id of who opened it, where that is known. The new term lies above it, so that is
   * done once for a number.
   */
  isOutranked(known: number, node = ""): boolean {
    if (this.role !== Role.controlling || known > this.highest || this.compare(known, node) <= 0) return false;
    return this.clock.nowUs - (this.registers[0] as number) >= RAISE_US;
  }

  /** The controller said that it goes. */
  controllerLeft(): void {
    this.hasLeft = true;
    this.registers[1] = this.clock.nowUs;
  }

  /** This node's place among those that may take control; -1 for never. */
  rank(mustBeInSync: boolean): number {
    if (this.priority === 0) return -1;
    let rank = 0;
    let isFollowedByEqual = false;
    for (const peer of this.peers.values()) {
      if (peer.node === this.term.node || peer.node === this.node || peer.priority === 0) continue;
      if (mustBeInSync && !peer.isInSync) continue;
      if (this.isBefore(peer)) rank++;
      else if (peer.priority === this.priority) isFollowedByEqual = true;
    }
    return mustBeInSync && isFollowedByEqual && !this.own.isWhole ? rank + LACKING_RANKS : rank;
  }

  private isBefore({ priority, sequence, node }: Peer): boolean {
    if (priority !== this.priority) return priority > this.priority;
    const theirs = this.versions.of(sequence);
    const mine = this.versions.of(this.own.whole);
    return theirs !== mine ? theirs > mine : node < this.node;
  }

  tick(): RoleAction {
    const now = this.clock.nowUs;
    const lag = now - (this.registers[2] as number);
    this.registers[2] = now;
    // Silence is judged only by a loop that has had the time to hear.
    if (lag > LAG_US) this.registers[1] = Math.max(this.registers[1] as number, now - SILENCE_US / 2);
    if (this.role === Role.starting) return this.tickStarting(now);
    if (this.role === Role.joining) return this.tickJoining(now);
    if (this.role === Role.following) return this.tickFollowing();
    return RoleAction.none;
  }

  private tickStarting(now: number): RoleAction {
    const waited = now - (this.registers[0] as number);
    if (this.wantsHello(waited)) return RoleAction.hello;
    if (waited < LISTEN_US) return RoleAction.none;
    const rank = this.rank(false);
    return rank >= 0 && waited >= LISTEN_US + rank * HELLO_REPEAT_US ? RoleAction.campaign : RoleAction.none;
  }

  private wantsHello(waited: number): boolean {
    const step = HELLO_STEPS_US[this.hellos];
    const due = step ?? LISTEN_US + (this.hellos - HELLO_STEPS_US.length + 1) * HELLO_REPEAT_US;
    if (waited < due) return false;
    this.hellos++;
    return true;
  }

  private tickJoining(now: number): RoleAction {
    if (this.silenceUs > JOIN_SILENCE_US || this.hasLeft) return RoleAction.startOver;
    return this.wantsHello(now - (this.registers[0] as number)) ? RoleAction.hello : RoleAction.none;
  }

  private tickFollowing(): RoleAction {
    const patience = this.hasLeft ? 0 : SILENCE_US;
    // Nobody is ranked while the controller is heard: a hundred peers, fifty times a second, cost more than the stream.
    if (this.silenceUs <= patience) return RoleAction.none;
    const rank = this.rank(true);
    if (this.silenceUs <= patience + Math.max(0, rank) * RANK_US) return RoleAction.none;
    if (!this.isSilenceSeen) {
      this.isSilenceSeen = true;
      return RoleAction.none;
    }
    if (rank >= 0) return RoleAction.campaign;
    return this.silenceUs > JOIN_SILENCE_US ? RoleAction.startOver : RoleAction.none;
  }
}
