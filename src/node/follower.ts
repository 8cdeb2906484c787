/**
 * Follower: the walk from the controller's frames to the state. Repairs what is lost, settles what was pending.
 *
 * It follows one term at a time. Frames of a lower term are refused and counted (fencing); a higher term is a matter
 * for `roles`. While it has no snapshot it holds frames; a gap that repair cannot close sends it back for one.
 */
import type { Random } from "../base/random.js";
import { EventKind } from "../state/change.js";
import { EntryReader, type RoundPart } from "../wire/conflated.js";
import { ContentReader, type ContentSink, EVENT_LIMIT_BYTES } from "../wire/content.js";
import { StreamFlag, type StreamFrameReader } from "../wire/frame.js";
import { NAK_RANGES_MAX } from "../wire/messages.js";
import { Reject } from "../state/reject.js";
import type { Refusal, Standing } from "../wire/standing.js";
import { WriteKind } from "../wire/write-frame.js";
import { AnnouncedFrames } from "../sync/announced-frames.js";
import { HeardAcknowledgements } from "../sync/heard-acknowledgements.js";
import { NakDecision, NakSchedule } from "../sync/nak-schedule.js";
import { Policy } from "../sync/election.js";
import { type CopiedWrite, OwnCopies, type Replicated } from "../sync/own-copies.js";
import type { PendingWrites } from "../sync/pending-writes.js";
import { Arrival, ReceiveWindow } from "../sync/receive-window.js";
import { Adopted, type Applier } from "./applier.js";
import type { NodeCore } from "./core.js";

/** protocol.md: an impulse that comes later than this is counted and reported, not fired. */
const IMPULSE_LATE_US = 250_000;
const ORIGINS_TABLE = 65_536;
/** Pieces of one event: frames are never so badly filled. */
const PIECES_MAX = 1_024;

/** What the follower needs of the rest of the node. */
export interface FollowerPort {
  /** Asks the controller for missing frames: first and last, `count` pairs. */
  sendNak(ranges: Float64Array, count: number): void;
  /** Repair cannot help any more: a snapshot is needed. */
  onLost(reason: string): void;
  /** Whether nothing of the controller was heard for longer than it is ever quiet. */
  readonly isControllerSilent: boolean;
  /** Asks the controller whether enough nodes have all frames up to this one. */
  askReplicated(frame: number): void;
}

export const FollowState = { idle: 0, joining: 1, inSync: 2 } as const;
export type FollowState = (typeof FollowState)[keyof typeof FollowState];

export class Follower implements ContentSink {
  private readonly core: NodeCore;
  private readonly applier: Applier;
  private readonly pending: PendingWrites;
  private readonly port: FollowerPort;
  readonly window = new ReceiveWindow();
  readonly naks: NakSchedule;
  readonly heard: HeardAcknowledgements;
  readonly copies: OwnCopies;
  private readonly announced: AnnouncedFrames;
  private readonly reader = new ContentReader();
  private readonly pieceReader = new ContentReader();
  private readonly groupReader = new ContentReader();
  private readonly entries = new EntryReader();
  /** The controller's index of an origin → this node's. */
  private readonly origins = new Uint16Array(ORIGINS_TABLE);
  private readonly ranges = new Float64Array(NAK_RANGES_MAX * 2);
  private readonly onSettled: (slot: number) => void;
  private readonly includes: (term: number, sequence: number) => boolean;
  private pieces: Uint8Array[] = [];
  private piecesBytes = 0;
  state: FollowState = FollowState.idle;
  /** Whether nothing was missing when it last stopped to follow. */
  wasWhole = false;
  /** Values of the block being read wait for a declaration or an origin that is not here yet. */
  private hasUnknown = false;
  private eventsMayAct = false;
  /** The frame whose content acts. */
  private acting = 0;
  private isInGroup = false;
  private isLate = false;
  /** Impulses up to this sequence have been fired, or were too late, in this term. */
  private readonly impulsesThrough = new Float64Array(1);
  /** Structure up to this sequence came with the snapshot. */
  private readonly structureThrough = new Float64Array(1);
  /** The last change of a snapshot that was ahead of where the writers stand in it; 0 once the stream has come to it. */
  private readonly owed = new Float64Array(1);
  /** The newest frame by which the controller had published all that it had. */
  private readonly settledAt = new Float64Array(1);
  /** The newest frame at which nothing was missing here: all up to it counts in an election. */
  readonly wholeFrame = new Float64Array(1);
  /** Until then nothing is asked for: conflated rounds bring it. */
  private readonly servedUs = new Float64Array(1);

  constructor(
    core: NodeCore,
    applier: Applier,
    pending: PendingWrites,
    port: FollowerPort,
    random: Random,
    policy: Policy,
  ) {
    this.core = core;
    this.applier = applier;
    this.pending = pending;
    this.port = port;
    this.naks = new NakSchedule(core.clock, random);
    this.announced = new AnnouncedFrames(core.clock);
    this.copies = new OwnCopies(core.clock, policy === Policy.hold);
    this.includes = (term, sequence) => core.lineage.includes(term, sequence);
    this.heard = new HeardAcknowledgements(core.origins, core.identity.id);
    this.onSettled = (slot) => this.settleSlot(slot);
  }

  /** What was pending gives way to what the stream says. */
  private settleSlot(slot: number): void {
    const { pending, applier, core } = this;
    const kind = pending.kindOf(slot);
    const id = pending.idOf(slot);
    if (kind === WriteKind.value && core.state.exists(id)) {
      if (!pending.isShown(slot)) return;
      pending.stage(slot, core.staging);
      applier.showConfirmed(id);
    } else if (kind === WriteKind.declare && core.state.isProvisional(id) && core.state.exists(id)) {
      // The controller has given it no id of its own: it was refused.
      pending.forget(id, Reject.unknownPath);
      applier.dropProvisional(id);
    }
  }

  /** Begins to hold frames after `frame`, until a snapshot is here. */
  join(term: number, frame: number): void {
    this.copies.begin();
    if (this.core.term !== term) this.impulsesThrough[0] = 0;
    this.core.term = term;
    this.core.removedSequence[0] = 0;
    this.window.restart(frame);
    this.settledAt[0] = frame;
    this.wholeFrame[0] = 0;
    this.owed[0] = 0;
    this.announced.clear();
    this.servedUs[0] = 0;
    this.naks.observe(0);
    this.origins.fill(0);
    this.pieces = [];
    this.piecesBytes = 0;
    this.state = FollowState.joining;
  }

  /** Follows a term from its first frame on, without a snapshot: this node holds what the term began with. */
  follow(term: number): void {
    this.join(term, 0);
    this.structureThrough[0] = 0;
    this.state = FollowState.inSync;
  }

  /** The state holds a term, and nobody is followed: what a voter had, or a term of this node's own. */
  hold(term: number, isWhole: boolean): void {
    this.copies.begin();
    this.core.term = term;
    this.state = FollowState.idle;
    this.wasWhole = isWhole;
  }

  /**
   * The snapshot is in place, at `sequence`: what was held acts now. Where the writers stand is in it for the changes up to
   * `told`; who took over with the others would carry out again what brought them.
   */
  joined(sequence: number, told: number): void {
    this.structureThrough[0] = sequence;
    this.owed[0] = sequence > told ? sequence : 0;
    this.state = FollowState.inSync;
    this.advance();
    this.settlePending();
  }

  /** A snapshot took the place of the state, and this is where the writers stand in it: this node's own too. */
  takeStandings(standings: readonly Standing[]): void {
    const { identity, sequence } = this.core;
    this.heard.replace(standings);
    const own = standings.find(({ node, session }) => node === identity.id && session === identity.session);
    if (own === undefined) return;
    this.acknowledge(own.write, own.refusals, 0);
    this.pending.settle(0, sequence[0] as number, this.onSettled);
  }

  /** Whether everything up to the newest sequence that was seen is here. */
  get isWhole(): boolean {
    if (this.state !== FollowState.inSync || this.owed[0] !== 0) return false;
    return !this.window.hasGap && this.settledAt[0] === this.window.newest;
  }

  /** What is here without a gap counts as included from now on. */
  noteWhole(): void {
    if (!this.isWhole) return;
    this.core.lineage.note(this.core.sequence[0] as number);
    this.wholeFrame[0] = this.window.complete;
    if (this.copies.size === 0) return;
    this.copies.onWhole(this.window.complete, this.includes);
    this.askReplicated();
  }

  private askReplicated(): void {
    const frame = this.copies.takeAsk();
    if (frame > 0) this.port.askReplicated(frame);
  }

  /** Calls back when what this node has taken, up to change `sequence`, outlives its controller, or has not come through. */
  whenReplicated(sequence: number, done: Replicated): void {
    const isInSync = this.state === FollowState.inSync;
    this.copies.add(this.core.term, sequence, isInSync ? this.window.complete : 0, done);
    this.noteWhole();
  }

  /** This node goes on as controller: the writes that it waits for and that are here. */
  releaseCopies(): readonly CopiedWrite[] {
    return this.copies.release(this.includes);
  }

  /** All changes up to `sequence` are in the frames up to `frame`. */
  published(sequence: number, frame: number): void {
    if (frame <= this.window.complete) this.noteBrought(sequence);
  }

  /** The stream has brought everything up to a change. */
  private noteBrought(sequence: number): void {
    if (sequence >= (this.owed[0] as number)) this.owed[0] = 0;
  }

  /** The controller said that it had published all that it had by this frame. */
  settled(frame: number): void {
    if (frame > (this.settledAt[0] as number) && frame <= this.window.newest) this.settledAt[0] = frame;
  }

  stop(): void {
    if (this.state === FollowState.idle) return;
    this.wasWhole = this.isWhole;
    this.noteWhole();
    this.state = FollowState.idle;
    this.wholeFrame[0] = 0;
    this.naks.observe(0);
    this.tellStandings();
  }

  /** A snapshot of this node that is fetched after this holds where the writers stand by now. */
  tellStandings(): void {
    this.applier.tellStandings(this.heard.list(), this.core.sequence[0] as number);
  }

  /** The followed controller begins its term anew: nothing of it has been heard. */
  forget(): void {
    this.impulsesThrough[0] = 0;
  }

  mapOrigin(theirs: number, node: string, surface: string): void {
    if (theirs < ORIGINS_TABLE) this.origins[theirs] = this.applier.origin(node, surface);
  }

  /** Takes in a frame of the followed term. */
  receive(frame: StreamFrameReader, buffer: Uint8Array): void {
    if (this.state === FollowState.idle) return;
    const sequence = frame.doubles[1] as number;
    const isHeartbeat = (frame.flags & StreamFlag.heartbeat) !== 0;
    const now = this.core.clock.register[0] as number;
    this.core.counters.framesReceived++;
    if (this.isOnlyAnnounced(frame, sequence)) return;
    // A moment at which nothing was missing is about to pass, between two house-keepings.
    const isNext = sequence <= this.window.newest + (isHeartbeat ? 0 : 1);
    if (!isNext || (frame.flags & StreamFlag.unsettled) !== 0) this.noteWhole();
    if (!this.window.hear(sequence, now) || (frame.doubles[2] as number) > this.window.complete + 1) {
      this.port.onLost("more frames are missing than can be repaired");
      return;
    }
    // A repair says nothing of where the stream stands.
    const isSettled = (frame.flags & (StreamFlag.unsettled | StreamFlag.repair)) === 0;
    if (isSettled && sequence > (this.settledAt[0] as number)) this.settledAt[0] = sequence;
    this.journal(frame, buffer, isHeartbeat ? sequence : sequence - 1);
    if (!isHeartbeat) this.content(sequence, buffer, frame.contentStart, frame.contentEnd);
    if ((frame.flags & StreamFlag.repair) !== 0) this.core.counters.framesRepaired++;
    if (this.state === FollowState.inSync && this.window.hasGap) this.advance();
    this.observeGap();
    this.settlePending();
    if (this.copies.size > 0) this.noteWhole();
  }

  /**
   * What comes before the stream has shown it may still be on its way. An answer to a hello is waited for. So may all that
   * a copy is ahead of, where a snapshot would be the only help.
   */
  private isOnlyAnnounced({ info, flags, doubles }: StreamFrameReader, sequence: number): boolean {
    const { newest, complete } = this.window;
    const isFarAhead = (flags & StreamFlag.copy) !== 0 && (doubles[2] as number) > complete + 1;
    return (info?.answers === 0 || isFarAhead) && sequence > newest && !this.announced.areMissing(newest);
  }

  /** The contents of earlier frames, oldest first, where they are missing. */
  private journal(frame: StreamFrameReader, buffer: Uint8Array, newest: number): void {
    if (this.window.complete >= newest) return;
    for (let index = frame.journalCount - 1; index >= 0; index--) {
      const sequence = newest - index;
      if (sequence <= 0 || this.window.has(sequence)) continue;
      this.core.counters.framesJournaled++;
      this.content(sequence, buffer, frame.journal[index * 2] as number, frame.journal[index * 2 + 1] as number);
    }
  }

  private content(sequence: number, buffer: Uint8Array, start: number, end: number): void {
    const now = this.core.clock.register[0] as number;
    if (this.state === FollowState.joining) {
      this.window.hold(sequence, buffer, start, end, now);
      return;
    }
    const arrival = this.window.arrive(sequence, now);
    this.acting = sequence;
    if (arrival === Arrival.inOrder) {
      this.judgeLateness(sequence);
      this.act(buffer, start, end, true);
    } else if (arrival === Arrival.early) {
      this.act(buffer, start, end, false);
      if (this.hasUnknown || ContentReader.hasEvents(buffer, start)) this.window.keep(sequence, buffer, start, end);
    }
  }

  private act(buffer: Uint8Array, start: number, end: number, eventsMayAct: boolean): void {
    this.eventsMayAct = eventsMayAct;
    this.hasUnknown = false;
    if (!this.reader.read(buffer, start, end, this)) this.core.counters.framesMalformed++;
    else if (eventsMayAct) this.noteBrought(this.reader.doubles[0] as number);
  }

  /**
   * Takes in a conflated round: all frames after `since` up to `through`; those that have no entry have nothing left.
   * Answers how many of them were not here.
   */
  takeRound(head: RoundPart, parts: readonly Uint8Array[]): number {
    const { window, entries } = this;
    if (this.state === FollowState.idle) return 0;
    // A moment at which nothing was missing is about to pass: of where the stream stands a round says nothing.
    this.noteWhole();
    if (!window.hear(head.through, this.core.clock.nowUs)) {
      this.port.onLost("more frames are missing than can be repaired");
      return 0;
    }
    let next = head.since + 1;
    let came = 0;
    for (const part of parts) {
      entries.begin(part, 0, part.length, head);
      while (entries.next()) {
        for (; next < entries.frame; next++) came += this.takeNothing(next);
        if (!window.has(entries.frame)) came++;
        this.content(entries.frame, part, entries.start, entries.end);
        next = entries.frame + 1;
      }
      if (entries.failed) {
        this.core.counters.framesMalformed++;
        return came;
      }
    }
    for (; next <= head.through; next++) came += this.takeNothing(next);
    if (this.state === FollowState.inSync && window.hasGap) this.advance();
    this.observeGap();
    this.settlePending();
    if (this.copies.size > 0) this.noteWhole();
    return came;
  }

  /** A frame of which nothing is left to act. */
  private takeNothing(sequence: number): number {
    const { window } = this;
    if (window.has(sequence)) return 0;
    const now = this.core.clock.nowUs;
    if (this.state === FollowState.joining) window.hold(sequence, NOTHING, 0, 0, now);
    else window.arrive(sequence, now);
    return 1;
  }

  /** Conflated rounds come: what is missing is not asked for until then. */
  servedUntil(untilUs: number): void {
    this.servedUs[0] = untilUs;
  }

  /** Whether a frame that acts now was first heard of longer ago than an impulse may be late. */
  private judgeLateness(sequence: number): void {
    const now = this.core.clock.register[0] as number;
    this.isLate = now - this.window.heardAtUs(sequence) > IMPULSE_LATE_US;
  }

  /** Moves on over what has arrived; kept contents act in their turn. */
  private advance(): void {
    const { window } = this;
    for (let sequence = window.advance(); sequence > 0; sequence = window.advance()) {
      this.judgeLateness(sequence);
      const kept = window.keptContent(sequence);
      this.acting = sequence;
      this.act(kept, 0, kept.length, true);
      window.release(sequence);
    }
  }

  private observeGap(): void {
    const isMissing = this.state === FollowState.inSync && this.window.hasGap;
    this.naks.observe(isMissing ? this.window.complete + 1 : 0);
  }

  /** Asks for what is missing when it is time. */
  tick(): void {
    this.copies.tick();
    if (this.state !== FollowState.inSync) return;
    this.askReplicated();
    if (this.core.clock.nowUs < (this.servedUs[0] as number)) {
      this.naks.postpone(this.servedUs[0] as number);
      return;
    }
    const decision = this.naks.decide();
    if (decision === NakDecision.wait) return;
    if (decision === NakDecision.giveUp) {
      // A controller that is gone brings nothing back. This node keeps what it has, and its place in the succession.
      if (this.port.isControllerSilent) this.naks.goOn();
      else this.port.onLost("missing frames did not come back");
      return;
    }
    const count = this.window.missing(this.ranges, NAK_RANGES_MAX);
    if (count > 0) this.port.sendNak(this.ranges, count);
  }

  /** Where a writer stands. This node's own writes are settled once every frame up to this one is here. */
  onTaken(taken: ContentReader): void {
    const origin = this.origins[taken.origin & 0xffff] as number;
    if (!this.eventsMayAct) this.hasUnknown = true;
    if (origin === 0) return;
    const write = taken.doubles[3] as number;
    const isOwn = this.heard.isOwn(origin) && taken.session === this.core.identity.session;
    if (isOwn) this.acknowledge(write, taken.refusals, this.acting);
    if (this.eventsMayAct) this.heard.hear(origin, taken.session, write, taken.refusals);
  }

  private acknowledge(write: number, refusals: readonly Refusal[], frame: number): void {
    for (const refusal of refusals) this.pending.refuse(refusal.write, refusal.reject);
    this.pending.acknowledge(write, frame);
  }

  settlePending(): void {
    if (this.pending.size === 0 || this.state !== FollowState.inSync) return;
    this.pending.settle(this.window.complete, this.core.sequence[0] as number, this.onSettled);
  }

  onValue(delta: ContentReader): void {
    const origin = this.origins[delta.origin & 0xffff] as number;
    // Ahead of a gap the origin may be told in what is missing; in its turn nothing is missing any more.
    const isUnknown = origin === 0 && delta.origin !== 0 && !this.eventsMayAct;
    if (!isUnknown && this.applier.adoptValue(delta, origin, this.eventsMayAct) !== Adopted.unknown) return;
    this.hasUnknown = true;
    this.core.counters.deltasWaited++;
  }

  onEvent(event: ContentReader): void {
    if (!this.eventsMayAct) return;
    if (event.kind === EventKind.group) this.group(event.payload());
    else if (event.kind === EventKind.origin) this.adoptOrigin(event);
    else if (event.kind === EventKind.impulse || (event.doubles[0] as number) > (this.structureThrough[0] as number)) {
      this.applier.adoptEvent(event, this.origins[event.origin & 0xffff] as number, this.fires(event));
    }
  }

  /** An impulse fires once, in its term, and not when it comes too late. */
  private fires(event: ContentReader): boolean {
    if (event.kind !== EventKind.impulse) return true;
    const sequence = event.doubles[0] as number;
    if (sequence <= (this.impulsesThrough[0] as number)) return false;
    this.impulsesThrough[0] = sequence;
    if (this.isLate) this.core.counters.impulsesLate++;
    return !this.isLate;
  }

  private group(payload: Uint8Array): void {
    // A group holds no group: the publisher makes none, and following one would be following whoever sent it.
    const isSound = !this.isInGroup && this.readGroup(payload);
    if (!isSound) this.core.counters.framesMalformed++;
  }

  private readGroup(payload: Uint8Array): boolean {
    this.isInGroup = true;
    const isSound = this.groupReader.read(payload, 0, payload.length, this);
    this.isInGroup = false;
    return isSound;
  }

  private adoptOrigin(event: ContentReader): void {
    const input = this.applier.originFrom(event.payload());
    if (input !== undefined) this.mapOrigin(event.id, input.node, input.surface);
  }

  /**
   * A part of an event that is longer than a frame; it acts when the last part is here. Of one whose first parts went out
   * before this node joined nothing may be read: what it does is in the snapshot.
   */
  onPiece(piece: ContentReader): void {
    if (!this.eventsMayAct) return;
    if (piece.isFirstPiece) {
      this.pieces = [];
      this.piecesBytes = 0;
    } else if (this.pieces.length === 0) return;
    const bytes = piece.payload();
    this.piecesBytes += bytes.length;
    if (this.piecesBytes > EVENT_LIMIT_BYTES * 2 || this.pieces.length >= PIECES_MAX) {
      this.core.counters.framesMalformed++;
      return;
    }
    this.pieces.push(bytes);
    if (!piece.isLastPiece) return;
    const whole = join(this.pieces, this.piecesBytes);
    this.pieces = [];
    if (!this.pieceReader.read(whole, 0, whole.length, this)) this.core.counters.framesMalformed++;
  }
}

const NOTHING = new Uint8Array(0);

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
