/**
 * Controller: the walk from writes to the stream. Orders changes, publishes them, repairs; its `writeDesk` takes in what
 * followers write.
 *
 * It acts only between `open` and `close`; who may be controller is decided by `roles`.
 */
import type { Term } from "../state/change.js";
import { Acknowledgements } from "../sync/acknowledgements.js";
import { CriticalWrites } from "../sync/critical-writes.js";
import type { ElectionRules } from "../sync/election.js";
import { HeartbeatSchedule } from "../sync/heartbeat-schedule.js";
import type { CopiedWrite, Replicated } from "../sync/own-copies.js";
import type { Peers } from "../sync/peers.js";
import { Precedence } from "../sync/precedence.js";
import { Publisher } from "../sync/publisher.js";
import { RepairDesk } from "../sync/repair-desk.js";
import { NO_TERM } from "../sync/roles.js";
import { SendBudget, type SendLimits } from "../sync/send-budget.js";
import { SentRing } from "../sync/sent-ring.js";
import { type FrameTarget, StreamFrames } from "../sync/stream-frames.js";
import { DIGEST_WORDS, FrameType, type StreamInfo } from "../wire/frame.js";
import { decodeNak } from "../wire/messages.js";
import { decodeApplied } from "../wire/applied.js";
import { replicatedFields } from "../wire/replicated.js";
import type { Standing } from "../wire/standing.js";
import type { Applier } from "./applier.js";
import { BucketDesk } from "./bucket-desk.js";
import type { NodeCore } from "./core.js";
import type { FrameIo } from "./frame-io.js";
import { WriteDesk } from "./write-desk.js";
import { WriteExecution } from "./write-execution.js";

const NO_DIGESTS = new Int32Array(DIGEST_WORDS);
/** The ring is taken in before it can lap. */
const PUMP_AT = 8_192;

/** Where this node is reached; the edge keeps it up to date. */
export interface Reachability {
  readonly unicastPort: number;
  readonly snapshotPort: number;
}

export class Controller {
  private readonly core: NodeCore;
  private readonly applier: Applier;
  readonly reachability: Reachability;
  readonly budget: SendBudget;
  readonly sent: SentRing;
  readonly frames: StreamFrames;
  readonly publisher: Publisher;
  readonly repairs: RepairDesk;
  readonly heartbeats: HeartbeatSchedule;
  readonly buckets: BucketDesk;
  private readonly acks = new Acknowledgements();
  readonly precedence: Precedence;
  readonly execution: WriteExecution;
  /** Where followers' writes come in. */
  readonly writeDesk: WriteDesk;
  readonly critical: CriticalWrites;
  private readonly sendRepair: (sequence: number, target: FrameTarget | undefined) => void;
  isOpen = false;
  /** Whether it takes writes: not while it hands its term over, or its side yields to another. Then its own wait as pending, as its followers' do. */
  takesWrites = false;
  /** How many nodes are on this side, and whether it has the majority of the electors: told to the others. */
  nodes = 1;
  hasMajority = false;
  /** It hears nobody of those who followed: told to them. */
  isDeaf = false;
  /** Called when what this node says of itself has gone out to all. */
  onAnnounced: () => void = () => {};
  /** Whose contents the term began with. */
  parent: Term = NO_TERM;
  /** [0] where the term forked from its parent. */
  private readonly fork = new Float64Array(1);

  constructor(
    core: NodeCore,
    applier: Applier,
    io: FrameIo,
    limits: SendLimits,
    reachability: Reachability,
    peers: Peers,
    rules: ElectionRules,
  ) {
    this.core = core;
    this.applier = applier;
    this.reachability = reachability;
    this.sent = new SentRing(core.limits.sentFrames);
    this.budget = new SendBudget(core.clock, limits);
    this.frames = new StreamFrames(io, this.sent, () => this.publisher.isIdle);
    this.repairs = new RepairDesk(core.clock, this.sent);
    this.precedence = new Precedence(core.state, core.clock, core.origins, core.identity.id);
    this.critical = new CriticalWrites(core.clock, peers, rules, core.identity, {
      ask: (target) => this.budget.spend(this.frames.askApplied(target)),
      tell: (frame, target) => {
        io.message(FrameType.replicated, replicatedFields({ term: this.frames.term, frame }), target);
      },
    });
    this.heartbeats = new HeartbeatSchedule(core.clock);
    this.buckets = new BucketDesk(core, io, this.budget);
    const { state, digests, memory } = core;
    this.publisher = new Publisher({
      state,
      digests,
      memory,
      sent: this.sent,
      frames: this.frames,
      budget: this.budget,
      acks: this.acks,
    });
    this.execution = new WriteExecution(core, applier, this.publisher, this.precedence);
    this.writeDesk = new WriteDesk({
      core,
      applier,
      io,
      publisher: this.publisher,
      acks: this.acks,
      precedence: this.precedence,
      execution: this.execution,
      stream: this,
      relieve: () => this.relieve(),
    });
    this.sendRepair = (sequence, target) => {
      this.budget.spend(this.frames.sendRepair(sequence, target));
    };
  }

  /**
   * Begins a term; what the state holds now is its beginning, and the term that it holds is its parent, be another one
   * heard of since: who controls that would take this for its child, and give up what was never here. Where something of
   * the parent is missing here, no sequence says what that is: it forks from 0, and all others take a snapshot.
   */
  open(number: number, isWhole: boolean): void {
    const { core } = this;
    this.parent = core.terms.at(core.lineage.present);
    const sequence = core.sequence[0] as number;
    this.fork[0] = isWhole ? sequence : 0;
    core.term = this.applier.termIndex(number, core.identity.id);
    if (isWhole) core.lineage.note(sequence);
    core.lineage.follow(core.term);
    core.lineage.note(sequence);
    this.frames.term = number;
    this.sent.clear();
    this.repairs.clear();
    this.precedence.open();
    this.critical.restart();
    this.writeDesk.open();
    this.publisher.restart(sequence);
    core.digests.clear();
    for (const id of core.state.ids()) if (!core.state.isProvisional(id)) core.digests.touch(id);
    this.isOpen = true;
    this.isDeaf = false;
    this.takesWrites = true;
    this.frames.isYielding = false;
    this.heartbeats.start();
    // Followers that go on without a snapshot learn the new controller's indexes of origins here.
    for (let index = 1; index < core.origins.size; index++) this.applier.tellOrigin(index);
  }

  /** Publishes what is there and takes no more, until another term is opened. */
  freeze(): void {
    this.writeDesk.dropGroups();
    this.settle();
    this.takesWrites = false;
  }

  /** Ends the term. Answers the writes of which it is not known whether they outlive it. */
  close(): readonly CopiedWrite[] {
    this.isOpen = false;
    this.takesWrites = false;
    this.heartbeats.stop();
    this.repairs.clear();
    this.writeDesk.dropGroups();
    return this.critical.release();
  }

  /** Publishes what changed in this turn. Answers when it wants to be called again, in microseconds. */
  settle(): void {
    const before = this.sent.newest;
    this.publisher.flush();
    if (this.sent.newest !== before) this.heartbeats.onChange();
    this.writeDesk.answerWriters();
    this.critical.settle(this.publisher.itemsPublished, this.sent.newest);
  }

  /** Takes the ring in before the writers of this turn can lap it. */
  relieve(): void {
    if (this.publisher.behind > PUMP_AT) this.publisher.pump(this.applier.isGrouped);
  }

  tick(): void {
    if (!this.publisher.isIdle) this.settle();
    this.repairs.tick(this.sendRepair);
    this.critical.tick();
    if (this.heartbeats.take()) this.budget.spend(this.frames.sendHeartbeat());
    if (!this.heartbeats.takeAnnouncement()) return;
    this.budget.spend(this.sendInfo(0, undefined));
    this.onAnnounced();
  }

  /** When `tick` is wanted, in microseconds. */
  get dueUs(): number {
    const due = Math.min(this.heartbeats.dueUs, this.repairs.dueUs, this.critical.dueUs);
    return this.publisher.isIdle ? due : Math.min(due, this.core.clock.nowUs + 500);
  }

  /** Answers a hello: the heartbeat that a joiner starts from. */
  welcome(nonce: number, target: FrameTarget): void {
    this.settle();
    this.tellStandings();
    this.sendInfo(nonce, target);
  }

  /** A follower that the groups do not reach learns at once that its controller lives. */
  relieveListener(target: FrameTarget): void {
    this.sendInfo(0, target);
  }

  /** A snapshot that is fetched after this holds where the writers stand by now. */
  tellStandings(): void {
    this.applier.tellStandings(this.standings(), this.publisher.publishedSequence);
  }

  /** Where the writers stand in all that is published. */
  standings(): Standing[] {
    return this.acks.standings();
  }

  private sendInfo(answers: number, target: FrameTarget | undefined): number {
    const isSettled = this.publisher.digestsAreSent;
    // Counting what changed costs a controller under load milliseconds, and here nobody could compare it.
    const digests = isSettled ? this.core.digests.words : NO_DIGESTS;
    return this.frames.sendInfo(this.info(answers, digests), isSettled, target);
  }

  private info(answers: number, digests: Int32Array): StreamInfo {
    const { core } = this;
    return {
      sequence: this.publisher.publishedSequence,
      parentNumber: this.parent.number,
      parentNode: this.parent.node,
      forkSequence: this.fork[0] as number,
      unicastPort: this.reachability.unicastPort,
      snapshotPort: this.reachability.snapshotPort,
      priority: core.identity.priority,
      answers,
      digests,
      paths: core.state.pathCount,
      timeUs: core.clock.sessionUs,
      nodes: this.nodes,
      hasMajority: this.hasMajority,
      isDeaf: this.isDeaf,
    };
  }

  /** A follower's digests differ from this node's. */
  onBucketAsk(plain: Uint8Array, length: number, from: FrameTarget): void {
    this.settle();
    // What waits to be sent is in the state and not in the digests: it asks again.
    if (!this.publisher.digestsAreSent) return;
    const place = { term: this.frames.term, frame: this.sent.newest, sequence: this.publisher.publishedSequence };
    this.buckets.onAsk(plain, length, place, from);
  }

  /** Calls back when others have what was committed here last, or it is clear that nobody has. */
  whenReplicated(sequence: number, done: Replicated): void {
    this.publisher.pump(this.applier.isGrouped);
    this.critical.add(this.publisher.itemsTaken, this.core.term, sequence, done);
  }

  onApplied(plain: Uint8Array, length: number, node: string, from: FrameTarget): void {
    const applied = decodeApplied(plain, length);
    if (applied === undefined) this.core.counters.messagesMalformed++;
    if (applied?.term !== this.frames.term) return;
    const frame = Math.min(applied.frame, this.sent.newest);
    if (applied.isAsking) this.critical.onAsked(node, frame, from);
    else this.critical.onApplied(node, frame);
  }

  onNak(plain: Uint8Array, length: number, from: FrameTarget): void {
    const nak = decodeNak(plain, length);
    if (nak === undefined) {
      this.core.counters.messagesMalformed++;
      return;
    }
    if (nak.term !== this.frames.term) return;
    this.repairs.ask(nak.ranges, from);
  }

  /** The number of the term that is held. */
  get term(): number {
    return this.frames.term;
  }

  /** How many frames of this term are out. */
  get frameSequence(): number {
    return this.sent.newest;
  }
}
