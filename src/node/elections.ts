/**
 * Elections: how this node becomes controller, and how it answers others that want to.
 *
 * A candidate puts its own promise on disk, asks all, counts (`sync/election.ts`), fetches what a better informed voter
 * has, and only then opens its term. A voter promises one node a term number, on disk before it says so, and only while
 * it hears no controller itself. Under `hold` a candidate first asks who would agree, and nobody is bound by the answer: a
 * side without the majority would ask for ever, and each time take votes, numbers and writes to the disk. It decides
 * nothing about who is to try: `roles` does.
 */
import type { Random } from "../base/random.js";
import { compareHeads, Election, type ElectionRules, Policy, Verdict, type Voter } from "../sync/election.js";
import { Promises, type TermRecord } from "../sync/promises.js";
import { LEASE_US } from "../sync/quorum-lease.js";
import { Role } from "../sync/roles.js";
import type { FrameTarget } from "../sync/stream-frames.js";
import { FrameType } from "../wire/frame.js";
import { decodeVote, decodeVoteAsk, type Head, type VoteAsk, voteAskFields, voteFields } from "../wire/vote.js";
import type { Term } from "../state/change.js";
import { decodeSnapshot, type Snapshot, takeSnapshot } from "./adoption.js";
import { HealthCode } from "./health.js";
import type { Membership } from "./membership.js";
import type { NodeParts } from "./parts.js";
import type { Offer } from "./offers.js";
import type { NodePorts } from "./ports.js";
import { VoteAsks } from "./vote-asks.js";

/** Whoever got a promise has this long to open its term before another gets one. */
const GRANT_US = 500_000;
/** After an attempt that failed; and as much again by chance, so that two do not meet for ever. */
const PAUSE_US = 100_000;
/** Under `hold` an elector that has just begun grants nothing for so long: an earlier boot of it may have echoed. */
const SILENT_US = 500_000;
/** A voter that promised its vote shows what it has for so long. */
const SERVE_US = 5_000_000;
/** A voter's contents that are not here by then are given up. Under `hold` nobody writes without them. */
const FETCH_US = 400_000;
const FETCH_HOLD_US = 2_000_000;
const FETCH_RETRY_US = 50_000;
const NAMES_MAX = 256;
const DISK_TEXT = "the term file cannot be written: a restart could open a term a second time";

export class Elections {
  private readonly node: NodeParts;
  private readonly membership: Membership;
  private readonly ports: NodePorts;
  private readonly rules: ElectionRules;
  readonly promises: Promises;
  private readonly election: Election;
  private readonly asks: VoteAsks;
  private readonly random: Random;
  /** [0] when the next attempt may begin, [1] when the fetch began, [2] when it is tried again. */
  private readonly registers = new Float64Array([0, 0, Number.POSITIVE_INFINITY]);
  private nonce = 0;
  /** When this node began, in microseconds of own time. */
  private readonly begunUs = new Float64Array(1);
  /** It only asks who would agree. */
  private isTrial = false;
  /** The names that voters said. */
  private readonly names = new Map<string, string>();
  /** The number that this boot promised itself last; opening it takes it out of use. */
  private unused = 0;
  /** The number that is on its way to the disk for this node itself; 0 for none. */
  private promised = 0;
  /** What was asked for: a controller's new term needs no votes. */
  private isRaise = false;
  /** Where this node stood when it began to ask: an election is not wanted any more once it stands elsewhere. */
  private role: Role = Role.starting;
  private term: Term | undefined;
  /** Whose contents are being fetched, and who else has more than this node. */
  private voters: Voter[] = [];
  private isWon = false;

  constructor(
    node: NodeParts,
    membership: Membership,
    ports: NodePorts,
    rules: ElectionRules,
    record: TermRecord | undefined,
  ) {
    this.node = node;
    this.membership = membership;
    this.ports = ports;
    this.rules = rules;
    const { clock } = node.core;
    this.promises = new Promises(clock, record, (kept, revision) => ports.saveTerm(kept, revision));
    this.election = new Election(clock);
    this.asks = new VoteAsks(node);
    this.random = ports.random;
    node.roles.highest = this.promises.known;
  }

  get isRunning(): boolean {
    return this.promised !== 0 || this.election.isOpen;
  }

  /** Whether a voter's snapshot is being waited for. */
  get isFetching(): boolean {
    return this.voters.length > 0;
  }

  /** The term whose contents others may fetch from here: the one that is held, or the one that an orphan last followed. */
  get serving(): Term | undefined {
    const { roles, core } = this.node;
    if (roles.role === Role.controlling) return roles.term;
    const isOrphan = roles.role === Role.following && this.promises.sinceGrantUs < SERVE_US;
    return isOrphan && this.head.whole > 0 ? core.terms.at(core.lineage.present) : undefined;
  }

  private get head(): Head {
    const { core, follower } = this.node;
    const { lineage, terms } = core;
    follower.noteWhole();
    if (lineage.present === 0) return { number: 0, node: "", whole: 0 };
    return { ...terms.at(lineage.present), whole: Math.max(0, lineage.through(lineage.present)) };
  }

  /** Tries to become controller, unless an attempt is under way or was just now. */
  campaign(): void {
    const { roles, core } = this.node;
    const isTooEarly = core.clock.nowUs < (this.registers[0] as number) || this.hasGrantedOther;
    if (this.isRunning || isTooEarly) return;
    this.role = roles.role;
    this.term = roles.term;
    if (this.rules.policy === Policy.hold) this.beginToAsk(this.nextNumber, true);
    else this.promise(false);
  }

  /** The node begins to listen. */
  start(): void {
    this.begunUs[0] = this.node.core.clock.nowUs;
  }

  /** This controller opens a term of its own above what it knows: it has what it needs to write, and asks nobody. */
  raise(): void {
    // Who hands its term over must not go on beside its successor.
    if (!this.isRunning && !this.node.handover.isGiving) this.promise(true);
  }

  /** Puts the number of a next term of this node's own on disk, and answers it: control is handed over to it. */
  prepare(done: (number: number) => void): void {
    const number = this.nextNumber;
    this.unused = number;
    this.promises.grant(number, this.node.core.identity.id, (isSafe) => {
      if (isSafe || this.rules.policy === Policy.island) done(number);
    });
  }

  private promise(isRaise: boolean): void {
    const number = this.nextNumber;
    this.unused = number;
    this.isRaise = isRaise;
    this.promised = number;
    this.promises.grant(number, this.node.core.identity.id, (isSafe) => {
      if (this.promised !== number) return;
      this.promised = 0;
      if (isSafe || this.rules.policy === Policy.island) this.onPromised(number);
      else this.giveUp();
    });
  }

  /** A number that was promised to this node and never used serves until somebody else knows it too. */
  private get nextNumber(): number {
    const { known, granted } = this.promises;
    const { highest } = this.node.roles;
    return this.isUnused ? granted : Math.max(known, highest) + 1;
  }

  private get isUnused(): boolean {
    const { promises, node } = this;
    return promises.granted === this.unused && this.hasGrantedSelf && node.roles.highest < this.unused;
  }

  /** Whether an elector may confirm its controller's lease: not while it is bound to another candidate. */
  mayEcho(controller: string): boolean {
    const { promises } = this;
    return promises.sinceGrantUs >= GRANT_US || promises.grantee === controller;
  }

  private get hasGrantedSelf(): boolean {
    return this.promises.grantee === this.node.core.identity.id;
  }

  private onPromised(number: number): void {
    const { roles } = this.node;
    if (this.isRaise) {
      const isStillMine = roles.role === Role.controlling && !this.node.handover.isGiving;
      if (!isStillMine) return;
      // A side that came to be merged meanwhile may be in a term of this number: it would not follow into this one.
      if (number > Math.max(roles.term.number, roles.highest)) this.node.takeControl(number);
      else this.promise(true);
      return;
    }
    if (this.isStillWanted) this.beginToAsk(number, false);
  }

  private beginToAsk(number: number, isTrial: boolean): void {
    this.isWon = false;
    this.isRaise = false;
    this.isTrial = isTrial;
    this.nonce = (this.nonce + 1) >>> 0 || 1;
    this.election.begin(number, this.nonce, this.othersHeard());
    this.asks.begin();
    this.ask();
    this.judge();
  }

  /** Who may answer: all that were heard of lately but the controller that is gone. */
  private othersHeard(): Set<string> {
    const { peers, roles } = this.node;
    const others = new Set<string>();
    for (const { node } of peers.values()) if (node !== roles.term.node) others.add(node);
    return others;
  }

  private get isStillWanted(): boolean {
    const { roles } = this.node;
    return roles.role === this.role && roles.term === this.term && !roles.hearsController;
  }

  private get hasGrantedOther(): boolean {
    return !this.hasGrantedSelf && this.promises.sinceGrantUs < GRANT_US;
  }

  private ask(): void {
    const { election, node } = this;
    if (!election.takeAsk()) return;
    const { number, nonce } = election;
    const { unicastPort } = node.controller.reachability;
    const { priority } = node.core.identity;
    const hasLeft = node.roles.controllerHasLeft;
    const { isTrial, head } = this;
    this.asks.send(voteAskFields({ number, nonce, isTrial, hasLeft, priority, unicastPort, head }));
  }

  tick(): void {
    const { node, election } = this;
    this.promises.hear(node.roles.highest);
    if (!election.isOpen) return;
    if (!this.isStillWanted) this.giveUp();
    else if (this.isWon) this.tickFetch();
    else {
      this.ask();
      this.judge();
    }
  }

  private giveUp(): void {
    this.election.end();
    this.voters = [];
    this.registers[0] = this.node.core.clock.nowUs + PAUSE_US + Math.floor(this.random.next() * PAUSE_US);
  }

  private judge(): void {
    const { election, node } = this;
    if (!election.isOpen || this.isWon || !this.isStillWanted) return;
    const verdict = election.verdict(this.rules, node.core.identity.id, (voter) => this.nameOf(voter));
    node.roles.hearOf(election.known);
    if (verdict === Verdict.won) this.onWon();
    else if (verdict === Verdict.lost) this.giveUp();
    else if (election.isOutdated) {
      election.end();
      if (this.isTrial) this.beginToAsk(this.nextNumber, true);
      else this.promise(false);
    }
  }

  /** A node's name, also while nobody is controller and tells of the peers; "" when it is not known. */
  nameOf(node: string): string {
    const { core, peers } = this.node;
    if (node === core.identity.id) return core.identity.name;
    return peers.get(node)?.name ?? this.names.get(node) ?? "";
  }

  private onWon(): void {
    if (this.isTrial) {
      this.election.end();
      this.promise(false);
      return;
    }
    this.isWon = true;
    this.voters = this.election.betterThan(this.head);
    if (this.voters.length === 0) this.open([]);
    else this.fetch();
  }

  private open(offers: readonly Offer[]): void {
    const { number, agreed, askedUs } = this.election;
    const { quorum } = this.node.lease;
    // The lease runs from the question on, and who agreed waits no longer. What was fetched is here: it asks again.
    if (quorum !== undefined && this.node.core.clock.nowUs - askedUs >= LEASE_US) {
      this.giveUp();
      this.membership.offers.offer(offers);
      return;
    }
    quorum?.begin(agreed, askedUs);
    this.election.end();
    this.voters = [];
    this.node.takeControl(number);
    this.asks.relieve();
    this.membership.offers.offer(offers);
  }

  /** Fetches what the best informed voter has. */
  private fetch(): void {
    const [voter] = this.voters;
    if (voter === undefined) return;
    const { nowUs } = this.node.core.clock;
    this.registers[1] = nowUs;
    this.registers[2] = Number.POSITIVE_INFINITY;
    this.ports.fetchSnapshot({ ...voter.snapshots, minSequence: voter.head.whole });
  }

  private tickFetch(): void {
    const { nowUs } = this.node.core.clock;
    const limitUs = this.rules.policy === Policy.hold ? FETCH_HOLD_US : FETCH_US;
    if (nowUs - (this.registers[1] as number) > limitUs) this.passOver();
    else if (nowUs >= (this.registers[2] as number)) {
      const begunUs = this.registers[1] as number;
      this.fetch();
      this.registers[1] = begunUs;
    }
  }

  /** The best informed voter cannot be had: the next one, or under `island` what this node has. */
  private passOver(): void {
    this.voters.shift();
    if (this.voters.length > 0) this.fetch();
    else if (this.rules.policy === Policy.island) this.open([]);
    else {
      this.giveUp();
      // Longer than a promise lasts: others have a turn.
      this.registers[0] = this.node.core.clock.nowUs + GRANT_US * 2;
    }
  }

  /** A voter's contents are here: they take the place of this node's own, and the term opens. */
  snapshotArrived(snapshot: Snapshot): void {
    const [voter] = this.voters;
    const { node } = this;
    if (voter === undefined || !this.isStillWanted) return;
    const { head } = voter;
    const incoming =
      snapshot.termNumber === head.number && snapshot.termNode === head.node
        ? decodeSnapshot(node.core, node.applier, snapshot)
        : undefined;
    const term = incoming === undefined ? -1 : node.applier.termIndex(head.number, head.node);
    // What this node has beside it would be gone: its own term opens, and the voter's contents are merged into that.
    if (incoming === undefined || term < 0) {
      this.passOver();
      return;
    }
    if (!node.healing.isHeldBy(snapshot)) {
      this.open([]);
      return;
    }
    this.membership.offers.onJoin();
    const offers = this.membership.offers.take(incoming);
    node.follower.hold(term, snapshot.sequence === head.whole);
    takeSnapshot(node, incoming, snapshot, head.whole);
    node.roles.term = { number: head.number, node: head.node };
    this.open(offers);
  }

  snapshotFailed(): void {
    this.registers[2] = this.node.core.clock.nowUs + FETCH_RETRY_US;
  }

  onMessage(type: FrameType, plain: Uint8Array, length: number, from: string, address: string): void {
    if (type === FrameType.voteAsk) this.onAsk(plain, length, from, address);
    else this.onVote(plain, length, from, address);
  }

  private onAsk(plain: Uint8Array, length: number, from: string, address: string): void {
    const ask = decodeVoteAsk(plain, length);
    if (ask === undefined) {
      this.node.core.counters.messagesMalformed++;
      return;
    }
    const target = { address, port: ask.unicastPort };
    this.asks.onAsk(from, target);
    this.riseAbove(ask.head);
    if (!ask.isTrial) this.giveWay(ask, from);
    const isGranted = this.mayGrant(ask, from);
    if (!isGranted || ask.isTrial) this.answer(ask, isGranted, target);
    else {
      this.promises.grant(ask.number, from, (isSafe) => {
        this.answer(ask, isSafe || this.rules.policy === Policy.island, target);
      });
      this.node.tellStandings();
      this.ports.onServing();
    }
  }

  /** Who asks hears nobody, and would not follow this controller while the term that it holds is above this one. */
  private riseAbove({ number, node }: Head): void {
    const { roles } = this.node;
    roles.hearOf(number);
    if (roles.isOutranked(number, node)) this.raise();
  }

  /** Of two that ask at the same time the first in rank goes on, with the next number. */
  private giveWay(ask: VoteAsk, from: string): void {
    const isBefore = this.isBefore(ask, from);
    if (!this.isRunning || this.isRaise || this.isWon || !isBefore || ask.priority === 0) return;
    this.promised = 0;
    this.giveUp();
    // What was promised to a third one stays promised.
    if (this.hasGrantedSelf) this.promises.release();
  }

  /** By priority, what is held, id. Here both heads are known as they are. */
  private isBefore({ priority, head }: VoteAsk, from: string): boolean {
    const { id, priority: own } = this.node.core.identity;
    if (priority !== own) return priority > own;
    const order = compareHeads(head, this.head);
    return order !== 0 ? order > 0 : from < id;
  }

  private mayGrant(ask: VoteAsk, from: string): boolean {
    const { roles, core } = this.node;
    const hasLeft = ask.hasLeft && ask.head.number === roles.term.number && ask.head.node === roles.term.node;
    if (roles.hearsController && !hasLeft) return false;
    // Who asks for another number has given the one up that it was promised.
    if (this.promises.grantee !== from && this.promises.sinceGrantUs < GRANT_US) return false;
    const isNew = core.clock.nowUs - (this.begunUs[0] as number) < SILENT_US;
    if (isNew && this.rules.policy === Policy.hold) return false;
    // A node that holds what the mesh has goes before one that was never in sync.
    const isBefore = compareHeads(this.head, ask.head) > 0 && ask.head.whole === 0;
    if ((isBefore || this.isForked(ask.head)) && core.identity.priority > 0) return false;
    return this.promises.canGrant(ask.number, from);
  }

  /**
   * Under `hold` a candidate writes with all that a majority has. One that has something beside it hands that over when
   * there is a controller; it does not become one before those that have more.
   */
  private isForked(head: Head): boolean {
    if (this.rules.policy !== Policy.hold || head.whole === 0 || compareHeads(this.head, head) <= 0) return false;
    const { applier, core } = this.node;
    const term = applier.termIndex(head.number, head.node);
    return term < 0 || !core.lineage.includes(term, head.whole);
  }

  private answer(ask: VoteAsk, isYes: boolean, target: FrameTarget): void {
    const { node } = this;
    const known = Math.max(this.promises.known, node.roles.highest);
    const { snapshotPort } = node.controller.reachability;
    const { number, nonce } = ask;
    const name = node.core.identity.name.slice(0, 64);
    const fields = voteFields({ number, nonce, isYes, known, name, head: this.head, snapshotPort });
    node.io.message(FrameType.vote, fields, target);
  }

  private onVote(plain: Uint8Array, length: number, from: string, address: string): void {
    const vote = decodeVote(plain, length);
    if (vote === undefined) {
      this.node.core.counters.messagesMalformed++;
      return;
    }
    if (this.names.size < NAMES_MAX || this.names.has(from)) this.names.set(from, vote.name);
    this.election.take(from, vote, address);
    this.asks.answered(from);
    this.judge();
  }

  termSaved(revision: number): void {
    this.node.setHealth(HealthCode.termFile, "");
    this.promises.saved(revision);
  }

  termFailed(revision: number, reason: string): void {
    this.node.setHealth(HealthCode.termFile, `${DISK_TEXT}: ${reason}`);
    this.promises.failed(revision);
  }
}
