/**
 * Controller: the walk from writes to the stream. Orders changes, publishes them, repairs, answers writers.
 *
 * It acts only between `open` and `close`; who may be controller is decided by `roles`.
 */
import { coerce } from "../state/coerce.js";
import { ValueType } from "../state/declaration.js";
import { decodeNamed } from "../state/declaration-bytes.js";
import { Reject } from "../state/reject.js";
import { componentOf } from "../state/component.js";
import { Acknowledgements } from "../sync/acknowledgements.js";
import { CriticalWrites } from "../sync/critical-writes.js";
import type { ElectionRules } from "../sync/election.js";
import { HeartbeatSchedule } from "../sync/heartbeat-schedule.js";
import type { CopiedWrite, Replicated } from "../sync/own-copies.js";
import type { Peers } from "../sync/peers.js";
import { Precedence } from "../sync/precedence.js";
import { Publisher } from "../sync/publisher.js";
import { RepairDesk } from "../sync/repair-desk.js";
import { SendBudget, type SendLimits } from "../sync/send-budget.js";
import { SentRing } from "../sync/sent-ring.js";
import { type FrameTarget, StreamFrames } from "../sync/stream-frames.js";
import { WriteAssembly } from "../sync/write-assembly.js";
import { WriteIntake } from "../sync/write-intake.js";
import { DIGEST_WORDS, FrameType, type StreamInfo } from "../wire/frame.js";
import { decodeNak, writeResultFields } from "../wire/messages.js";
import { decodeApplied } from "../wire/applied.js";
import { replicatedFields } from "../wire/replicated.js";
import { Layout } from "../wire/content.js";
import { type WriteCopy, WriteFrameReader, WriteKind, type WriteSink } from "../wire/write-frame.js";
import { type Standing, WRITERS_MAX } from "../wire/standing.js";
import { readPart } from "../wire/write-part.js";
import type { Applier } from "./applier.js";
import { BucketDesk } from "./bucket-desk.js";
import type { NodeCore } from "./core.js";
import type { FrameIo } from "./frame-io.js";

/** Writes of a group that waits for its end, at most. */
const GROUP_HELD_MAX = 4_096;
/** Writers whose groups wait at once; the oldest gives way, and comes again. */
const GROUPS_MAX = 64;
const NO_DIGESTS = new Int32Array(DIGEST_WORDS);
/** The ring is taken in before it can lap. */
const PUMP_AT = 8_192;

/** Where this node is reached; the edge keeps it up to date. */
export interface Reachability {
  readonly unicastPort: number;
  readonly snapshotPort: number;
}

interface OpenGroup {
  readonly session: number;
  readonly writes: WriteCopy[];
}

export class Controller implements WriteSink {
  private readonly core: NodeCore;
  private readonly applier: Applier;
  private readonly io: FrameIo;
  readonly reachability: Reachability;
  readonly budget: SendBudget;
  readonly sent: SentRing;
  readonly frames: StreamFrames;
  readonly publisher: Publisher;
  readonly repairs: RepairDesk;
  readonly heartbeats: HeartbeatSchedule;
  readonly buckets: BucketDesk;
  readonly intake = new WriteIntake();
  private readonly acks = new Acknowledgements();
  /** Where writers are answered, and who is to be answered at the end of this turn. */
  private readonly targets = new Map<string, FrameTarget>();
  private readonly answerSoon = new Set<string>();
  readonly precedence: Precedence;
  readonly critical: CriticalWrites;
  private readonly reader = new WriteFrameReader();
  private readonly assembly = new WriteAssembly();
  private readonly groups = new Map<string, OpenGroup>();
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  private readonly answerLater: (node: string) => void;
  private readonly sendRepair: (sequence: number, target: FrameTarget | undefined) => void;
  /** Who wrote the frame that is being read. */
  private writer = "";
  private writerSession = 0;
  private writerTerm = 0;
  /** An origin of that node's in what it wrote; 0 while nothing was executed. */
  private writerOrigin = 0;
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
  private parentNumber = 0;
  private parentNode = "";
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
    this.io = io;
    this.reachability = reachability;
    this.sent = new SentRing(core.limits.sentFrames);
    this.budget = new SendBudget(core.clock, limits);
    this.frames = new StreamFrames(io, this.sent, () => this.publisher.isIdle);
    this.repairs = new RepairDesk(core.clock, this.sent);
    this.precedence = new Precedence(core.state, core.clock, core.origins);
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
    this.answerLater = (node) => this.answerSoon.add(node);
    this.sendRepair = (sequence, target) => {
      this.budget.spend(this.frames.sendRepair(sequence, target));
    };
  }

  /**
   * Begins a term above `parent`; what the state holds now is its beginning. Where something of the parent is missing
   * here, no sequence says what that is: it forks from 0, and all others take a snapshot.
   */
  open(number: number, parentNumber: number, parentNode: string, isWhole: boolean): void {
    const { core } = this;
    this.parentNumber = parentNumber;
    this.parentNode = parentNode;
    const sequence = core.sequence[0] as number;
    this.fork[0] = isWhole ? sequence : 0;
    core.term = this.applier.termIndex(number, core.identity.id);
    if (isWhole) core.lineage.note(sequence);
    core.lineage.follow(core.term);
    core.lineage.note(sequence);
    this.frames.term = number;
    this.sent.clear();
    this.repairs.clear();
    this.dropGroups();
    this.precedence.open();
    this.critical.restart();
    this.acks.clear();
    for (const standing of this.intake.standings()) this.acks.begin(standing);
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
    this.dropGroups();
    this.settle();
    this.takesWrites = false;
  }

  /** Ends the term. Answers the writes of which it is not known whether they outlive it. */
  close(): readonly CopiedWrite[] {
    this.isOpen = false;
    this.takesWrites = false;
    this.heartbeats.stop();
    this.repairs.clear();
    this.dropGroups();
    return this.critical.release();
  }

  /** Groups that are half here come again, whole. */
  private dropGroups(): void {
    for (const node of [...this.groups.keys()]) this.dropGroup(node);
  }

  private dropGroup(node: string): void {
    const { session, writes } = this.groups.get(node) as OpenGroup;
    const [first] = writes;
    if (first !== undefined) this.intake.untake(node, session, first.doubles[0] as number);
    this.groups.delete(node);
  }

  /** Publishes what changed in this turn. Answers when it wants to be called again, in microseconds. */
  settle(): void {
    const before = this.sent.newest;
    this.publisher.flush();
    if (this.sent.newest !== before) this.heartbeats.onChange();
    this.answerWriters();
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
      parentNumber: this.parentNumber,
      parentNode: this.parentNode,
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

  /** Takes in a piece of a long write. */
  onWritePart(plain: Uint8Array, length: number, node: string, session: number, from: FrameTarget): void {
    const part = readPart(plain, length);
    if (part === undefined) {
      this.core.counters.messagesMalformed++;
      return;
    }
    const whole = this.assembly.add(node, part);
    if (whole === undefined) return;
    this.onWrites(whole, whole.length, node, session, from);
    if (this.intake.floorOf(node) >= part.write) this.assembly.done(node);
  }

  /** Takes in a follower's writes. */
  onWrites(plain: Uint8Array, length: number, node: string, session: number, from: FrameTarget): void {
    this.writer = node;
    this.writerSession = session;
    this.writerTerm = 0;
    this.writerOrigin = 0;
    const before = this.intake.duplicates;
    if (!this.reader.read(plain, length, this)) this.core.counters.messagesMalformed++;
    if (this.writerTerm !== this.frames.term) return;
    this.noteTarget(node, from);
    this.markTaken();
    // What came again was taken before: its answer was lost, so it is answered at once and to the writer alone.
    if (this.intake.duplicates > before || this.intake.refusalsOf(node).length > 0) this.answerSoon.add(node);
  }

  /** What was taken so far of the frame that is being read stands before this place in the publisher's queue. */
  private markTaken(): void {
    const { intake, publisher, writer } = this;
    publisher.pump();
    const write = this.acknowledgable(writer);
    this.acks.add(
      writer,
      this.writerSession,
      write,
      publisher.itemsTaken,
      this.writerOrigin,
      intake.refusalsOf(writer),
    );
  }

  /** Another side's changes are in this term, and so are the writes that it had taken. */
  meet(standings: readonly Standing[]): void {
    this.publisher.pump();
    for (const standing of standings) {
      const { node, session, write, refusals } = standing;
      if (this.intake.meet(standing)) this.acks.add(node, session, write, this.publisher.itemsTaken, 0, refusals);
    }
  }

  private noteTarget(node: string, from: FrameTarget): void {
    const { targets } = this;
    if (targets.size >= WRITERS_MAX && !targets.has(node)) targets.delete(targets.keys().next().value as string);
    targets.set(node, from);
  }

  /** A group that is not whole yet is not acknowledged: its writes are not in the stream. */
  private acknowledgable(node: string): number {
    const group = this.groups.size === 0 ? undefined : this.groups.get(node);
    const first = group?.writes[0];
    return first === undefined ? this.intake.floorOf(node) : (first.doubles[0] as number) - 1;
  }

  /** Tells writers whose acknowledgement no frame of this turn carried, who ask again, or whose writes were refused. */
  private answerWriters(): void {
    this.acks.promote(this.publisher.itemsPublished, this.answerLater);
    // Clearing a set allocates even when it is empty: 6 MB in a million settles (measured).
    if (this.answerSoon.size === 0) return;
    for (const node of this.answerSoon) this.answer(node);
    this.answerSoon.clear();
  }

  private answer(node: string): void {
    const target = this.targets.get(node);
    if (target === undefined) return;
    const { session, write } = this.acks.of(node);
    const refusals = this.intake.refusalsOf(node);
    const result = { session, write, frame: this.sent.newest, term: this.frames.term, refusals };
    this.io.message(FrameType.writeResult, writeResultFields(result), target);
  }

  onWriteFrame(term: number, first: number, acknowledged: number): boolean {
    this.writerTerm = term;
    if (term !== this.frames.term || !this.acks.hasRoom) return false;
    this.precedence.hear(this.reader.doubles);
    return this.intake.accepts(this.writer, this.writerSession, first, acknowledged);
  }

  onWrite(write: WriteFrameReader): void {
    if (!this.intake.take(this.writer, write.doubles[0] as number)) return;
    this.precedence.date(write.doubles);
    if (write.kind === WriteKind.void) return;
    if (write.kind === WriteKind.groupEnd) this.endGroup();
    else if (write.isGrouped) this.holdForGroup(write);
    else this.execute(write);
    // Whoever has an event has its writer's standing with it, so each has a mark of its own.
    if (write.kind !== WriteKind.value && !write.isGrouped) this.markTaken();
    this.relieve();
  }

  private holdForGroup(write: WriteFrameReader): void {
    const open = this.groups.get(this.writer);
    // What an earlier boot of the node left open is over.
    const group = open?.session === this.writerSession ? open : { session: this.writerSession, writes: [] };
    if (open === undefined && this.groups.size >= GROUPS_MAX) this.dropGroup(this.groups.keys().next().value as string);
    this.groups.set(this.writer, group);
    group.writes.push(write.snapshot());
    if (group.writes.length >= GROUP_HELD_MAX) this.endGroup();
  }

  private endGroup(): void {
    const group = this.groups.get(this.writer);
    this.groups.delete(this.writer);
    if (group?.session !== this.writerSession) return;
    // What changes together is refused together.
    const reject = this.judgeGroup(group.writes);
    this.applier.isGrouped = true;
    for (const write of group.writes) {
      if (reject === Reject.none) this.execute(write);
      else this.refuse(write, reject);
    }
    this.applier.isGrouped = false;
  }

  private judgeGroup(writes: readonly WriteCopy[]): Reject {
    const { precedence } = this;
    for (const write of writes) {
      const id = this.idOf(write);
      if (write.kind !== WriteKind.value || !this.core.state.exists(id)) continue;
      precedence.setMade(write.doubles, 1);
      const reject = precedence.judge(id, this.applier.origin(this.writer, write.surfaceName));
      if (reject !== Reject.none) return reject;
    }
    return Reject.none;
  }

  private idOf(write: WriteCopy): number {
    return write.path === undefined ? write.id : this.core.state.idOf(write.path);
  }

  private execute(write: WriteCopy): void {
    const reject = this.take(write);
    if (reject !== Reject.none) this.refuse(write, reject);
  }

  private refuse(write: WriteCopy, reject: Reject): void {
    this.precedence.count(reject);
    this.core.counters.writesRefused++;
    this.intake.refuse(this.writer, write.doubles[0] as number, reject);
  }

  private take(write: WriteCopy): Reject {
    const { state } = this.core;
    const origin = this.applier.origin(this.writer, write.surfaceName);
    this.writerOrigin = origin;
    if (write.kind === WriteKind.declare) return this.takeDeclare(write, origin);
    const id = this.idOf(write);
    if (!state.exists(id)) return Reject.unknownPath;
    switch (write.kind) {
      case WriteKind.value:
        return this.takeValue(id, write, origin);
      case WriteKind.trigger:
        if (state.types[id] !== ValueType.impulse) return Reject.wrongType;
        if (!this.publisher.hasEventRoom) return Reject.queueFull;
        this.applier.commitImpulse(id, origin, write.gesture);
        return Reject.none;
      case WriteKind.release:
        this.precedence.release(id, origin);
        return Reject.none;
      case WriteKind.rename:
        return this.takeRename(id, write, origin);
      case WriteKind.remove:
        if (!this.publisher.hasEventRoom) return Reject.queueFull;
        this.applier.commitRemove(id, origin);
        return Reject.none;
      default:
        return Reject.wrongType;
    }
  }

  private takeValue(id: number, write: WriteCopy, origin: number): Reject {
    const { state, staging } = this.core;
    if (write.layout === Layout.text) {
      if (state.types[id] === ValueType.blob) staging.bytes(write.bytes);
      else staging.string(this.decoder.decode(write.bytes));
    } else {
      staging.number(write.numbers[0] as number);
      staging.count = write.lanes;
      for (let lane = 1; lane < 4; lane++) staging.numbers[lane] = write.numbers[lane] as number;
    }
    const reject = coerce(state, id, staging);
    if (reject !== Reject.none) return reject;
    this.precedence.setMade(write.doubles, 1);
    return this.commit(id, origin, write.gesture);
  }

  /** Commits what is in hand, coerced and made when `precedence` was told, unless somebody else goes before. */
  commit(id: number, origin: number, gesture: number): Reject {
    const { precedence, applier } = this;
    const reject = precedence.judge(id, origin);
    if (reject !== Reject.none) return reject;
    precedence.touch(id, origin, gesture);
    applier.made[0] = precedence.made[0] as number;
    applier.commit(id, origin, gesture);
    applier.made[0] = 0;
    return Reject.none;
  }

  private takeDeclare(write: WriteCopy, origin: number): Reject {
    const named = decodeNamed(write.bytes);
    if (named?.declaration === undefined) return Reject.badDeclaration;
    if (!this.publisher.hasEventRoom) return Reject.queueFull;
    return this.applier.commitDeclare(named.path, named.declaration, origin);
  }

  private takeRename(id: number, write: WriteCopy, origin: number): Reject {
    const named = decodeNamed(write.bytes);
    if (named === undefined || componentOf(named.path) < 0) return Reject.badPath;
    if (!this.publisher.hasEventRoom) return Reject.queueFull;
    return this.applier.commitRename(id, named.path, origin);
  }

  /** How many frames of this term are out. */
  get frameSequence(): number {
    return this.sent.newest;
  }
}
