/**
 * Publisher: the follower of the ring that turns changes into frames. The controller's way out.
 *
 * Values wait as ids, each once, so what goes out is the newest (conflation costs nothing); events wait as themselves,
 * in order. What changed together (a group) goes out in one frame, or as one event in pieces when no frame holds it.
 * It runs on the state as it is at flush time, marks a path for the digest when it publishes it, and never waits for
 * a receiver. It knows no socket and no time beyond its budget's.
 */
import { assert } from "../base/assert.js";
import { ChangeFlag, EventKind } from "../state/change.js";
import { isText, type ValueType } from "../state/declaration.js";
import type { Digests } from "../state/digest.js";
import { Found, type RingMemory, RingReader } from "../state/ring.js";
import { LANES, type State } from "../state/state.js";
import { BLOCK_HEADER_BYTES, ChangeRecord, ContentWriter, EVENT_LIMIT_BYTES, encodeEvent } from "../wire/content.js";
import type { Acknowledgements } from "./acknowledgements.js";
import type { SendBudget } from "./send-budget.js";
import { CONTENT_LIMIT_BYTES, type SentRing } from "./sent-ring.js";
import type { StreamFrames } from "./stream-frames.js";

/** Items of the queue that are no id. */
const EVENT = -1;
const GROUP_BEGIN = -2;
const GROUP_END = -3;
const VOID = -4;

const ITEMS_TAKEN = 1;
const ITEMS_PUBLISHED = 2;
const ITEMS_BEFORE_PIECES = 3;

/** An event that waits to be published. */
interface WaitingEvent {
  readonly kind: EventKind;
  readonly id: number;
  readonly origin: number;
  readonly gesture: number;
  readonly sequence: number;
  readonly timeUs: number;
  readonly payload: Uint8Array;
}

/** Events that may wait at once: ten seconds at their cap. */
export const EVENTS_WAITING_MAX = 16_384;
/** Items that make some four half frames. */
const SHORT_QUEUE = 200;
/** Published events are dropped from the list's front this many at a time. */
const EVENTS_COMPACTED_AT = 1_024;

export interface PublisherParts {
  readonly state: State;
  readonly digests: Digests;
  readonly memory: RingMemory;
  readonly sent: SentRing;
  readonly frames: StreamFrames;
  readonly budget: SendBudget;
  readonly acks: Acknowledgements;
}

/** What is shown and is no change. */
const UNCHANGED = ChangeFlag.pending | ChangeFlag.rolledBack | ChangeFlag.confirmed;

export class Publisher {
  private readonly parts: PublisherParts;
  private readonly reader: RingReader;
  private readonly writer: ContentWriter;
  private readonly change = new ChangeRecord();
  private readonly encoder = new TextEncoder();
  /** Items to publish, in order: ids and marks. Head and tail begin at 0 again whenever the queue is empty. */
  private readonly queue: Int32Array;
  private readonly mask: number;
  private head = 0;
  private tail = 0;
  /** Where in the queue an id waits (its tail position plus one), 0 when it does not. */
  private readonly waitsAt: Int32Array;
  private readonly events: WaitingEvent[] = [];
  private eventHead = 0;
  private groupOpen = false;
  /** An event too long for one frame, and how much of it is out. */
  private pieces: Uint8Array | undefined;
  private piecesSent = 0;
  private scratch: ContentWriter | undefined;
  /** [0] the newest change sequence that was published; items [1] taken in and [2] published in this term, [3] as [2]. */
  private readonly registers = new Float64Array(4);
  /** Frames in which some changes waited for a later flush. */
  changesPublished = 0;
  eventsDropped = 0;

  constructor(parts: PublisherParts) {
    this.parts = parts;
    this.reader = new RingReader(parts.memory);
    this.writer = new ContentWriter(parts.sent.bytes);
    let size = 1;
    while (size < parts.state.capacity * 2 + EVENTS_WAITING_MAX * 2) size *= 2;
    this.queue = new Int32Array(size);
    this.mask = size - 1;
    this.waitsAt = new Int32Array(parts.state.capacity);
  }

  /** Starts at the present end of the ring, with nothing waiting: at the start of a term. */
  restart(sequence: number): void {
    this.reader.skip();
    this.head = 0;
    this.tail = 0;
    this.waitsAt.fill(0);
    this.events.length = 0;
    this.eventHead = 0;
    this.groupOpen = false;
    this.pieces = undefined;
    this.registers.fill(0);
    this.registers[0] = sequence;
  }

  /** How many items were taken in so far. */
  get itemsTaken(): number {
    return this.registers[ITEMS_TAKEN] as number;
  }

  /** How many of them are wholly in the frames so far. */
  get itemsPublished(): number {
    return this.registers[this.pieces === undefined ? ITEMS_PUBLISHED : ITEMS_BEFORE_PIECES] as number;
  }

  get publishedSequence(): number {
    return this.registers[0] as number;
  }

  get isIdle(): boolean {
    return this.head === this.tail && this.pieces === undefined && this.reader.behind === 0;
  }

  /** Whether the digests are those of the newest frame: not while structure waits, or an event is only partly out. */
  get digestsAreSent(): boolean {
    return this.isIdle;
  }

  /** How many changes stand in the ring unread: the caller pumps before it can lap. */
  get behind(): number {
    return this.reader.behind;
  }

  /** Whether another event may be accepted. */
  get hasEventRoom(): boolean {
    return this.events.length - this.eventHead + this.reader.behind < EVENTS_WAITING_MAX;
  }

  /** Takes what the ring holds into the queue; an open group ends here, unless more of it is to come. */
  pump(keepsGroup = false): void {
    const { reader } = this;
    for (let found = reader.next(); found !== Found.nothing; found = reader.next()) {
      // While it hands its term over or yields, a controller shows what is pending, as its followers do.
      if (found !== Found.lapped && (reader.flags & UNCHANGED) !== 0) continue;
      if (found === Found.value) this.takeValue();
      else if (found === Found.event) this.enqueueEvent();
      else this.enqueueAll();
    }
    if (!keepsGroup) this.closeGroup();
  }

  private push(item: number): void {
    assert(this.tail - this.head <= this.mask, "the publisher's queue has room");
    this.queue[this.tail & this.mask] = item;
    this.tail++;
    this.registers[ITEMS_TAKEN] = (this.registers[ITEMS_TAKEN] as number) + 1;
  }

  private takeValue(): void {
    const { flags, id } = this.reader;
    // A pending write that came to nothing when this node became controller: the value was there before.
    if ((flags & ChangeFlag.rolledBack) === 0) this.enqueueValue(id, (flags & ChangeFlag.grouped) !== 0);
  }

  private enqueueValue(id: number, isGrouped: boolean): void {
    if (isGrouped !== this.groupOpen) this.toggleGroup(isGrouped);
    const waits = this.waitsAt[id] as number;
    if (waits > this.head) {
      if (!isGrouped) return;
      // A group owns its paths: the earlier place is given up, so that nothing of the group shows before the rest.
      this.mergeGroups(waits - 1);
      this.giveUpPlace(id);
    }
    this.push(id);
    this.waitsAt[id] = this.tail;
  }

  private giveUpPlace(id: number): void {
    const waits = this.waitsAt[id] as number;
    if (waits > this.head) this.queue[(waits - 1) & this.mask] = VOID;
    this.waitsAt[id] = 0;
  }

  /** A place that a group gives up takes what changed together with it along: from there on all is one group. */
  private mergeGroups(place: number): void {
    let begin = place;
    while (begin > this.head && (this.queue[begin & this.mask] as number) !== GROUP_BEGIN) {
      if ((this.queue[begin & this.mask] as number) === GROUP_END) return;
      begin--;
    }
    if ((this.queue[begin & this.mask] as number) !== GROUP_BEGIN) return;
    for (let mark = begin + 1; mark < this.tail; mark++) {
      const item = this.queue[mark & this.mask] as number;
      if (item === GROUP_BEGIN || item === GROUP_END) this.queue[mark & this.mask] = VOID;
    }
  }

  private toggleGroup(isGrouped: boolean): void {
    this.push(isGrouped ? GROUP_BEGIN : GROUP_END);
    this.groupOpen = isGrouped;
  }

  private closeGroup(): void {
    if (this.groupOpen) this.toggleGroup(false);
  }

  private enqueueEvent(): void {
    const { reader } = this;
    // Provisional ids are each node's own: published, they would mean other paths elsewhere.
    if (reader.kind === EventKind.term || reader.kind === EventKind.standings) return;
    if (this.parts.state.isProvisional(reader.id)) return;
    const isGrouped = (reader.flags & ChangeFlag.grouped) !== 0;
    if (isGrouped !== this.groupOpen) this.toggleGroup(isGrouped);
    // A value that waits from before fits the old declaration; what is kept of it comes again behind the new one.
    if (reader.kind === EventKind.declare || reader.kind === EventKind.remove) this.giveUpPlace(reader.id);
    const payload = reader.payload();
    if (payload === undefined) {
      this.eventsDropped++;
      return;
    }
    this.events.push({
      kind: reader.kind as EventKind,
      id: reader.id,
      origin: reader.origin,
      gesture: reader.gesture,
      sequence: reader.doubles[0] as number,
      timeUs: reader.doubles[1] as number,
      payload,
    });
    this.push(EVENT);
  }

  /** The value ring lapped: every path may have changed. Structure cannot be lost so, since writers pump in time. */
  private enqueueAll(): void {
    for (const id of this.parts.state.ids()) this.enqueueValue(id, false);
  }

  /** Sends what waits, as far as the budget goes. Answers whether everything is out. */
  flush(): boolean {
    this.pump();
    if (this.head === this.tail && this.pieces === undefined) return true;
    const { budget, frames } = this.parts;
    if (!budget.takeFlush()) return false;
    while ((this.head !== this.tail || this.pieces !== undefined) && budget.hasPacket()) {
      if (this.buildFrame()) budget.spend(frames.sendNewest());
    }
    if (this.head !== this.tail) return false;
    this.head = 0;
    this.tail = 0;
    return this.pieces === undefined;
  }

  /** Fills the next frame's content. False when nothing was left worth a frame. */
  private buildFrame(): boolean {
    const { sent, budget, frames } = this.parts;
    const start = sent.start(sent.newest + 1);
    // Half a frame leaves room for the journal, where there is one; a long queue wants few packets.
    const isShort = this.tail - this.head <= SHORT_QUEUE && budget.isQuiet && frames.redundancy > 0;
    const limit = start + (isShort ? CONTENT_LIMIT_BYTES / 2 : CONTENT_LIMIT_BYTES);
    const { writer } = this;
    if (this.pieces !== undefined) this.writePiece(start);
    else if (!this.writeItems(start, limit)) {
      // What did not fit half a frame may fit a whole one; what does not fit that becomes an event in pieces.
      if (!this.writeItems(start, start + CONTENT_LIMIT_BYTES) && !this.beginPieces(start)) return false;
    }
    sent.append(writer.length);
    return true;
  }

  /** Writes items while they fit, and takes them off the queue. False when not even the first one fitted. */
  private writeItems(start: number, limit: number): boolean {
    this.skipVoids();
    if (this.head === this.tail) return false;
    const { writer } = this;
    const { acks } = this.parts;
    this.loadFirst();
    writer.begin(start, limit, this.change);
    acks.beginFrame();
    let position = this.head;
    let event = this.eventHead;
    while (this.writeTaken(writer, position) && position < this.tail) {
      const item = this.queue[position & this.mask] as number;
      if (item === GROUP_BEGIN) {
        const after = this.writeGroup(writer, position, event);
        if (after < 0) break;
        event += this.eventsBetween(position, after);
        position = after;
      } else {
        if (!(item === EVENT ? this.writeWhole(writer, position, event) : this.writeItem(writer, item, event))) break;
        if (item === EVENT) event++;
        position++;
      }
    }
    if (position === this.head && writer.count === 0) return false;
    acks.endFrame();
    this.commit(position);
    // A removed path's id may be all there was.
    return writer.count > 0 || this.writeItems(start, limit);
  }

  /** Tells where the writers of what stands before `position` stand. False when there is no room for all. */
  private writeTaken(writer: ContentWriter, position: number): boolean {
    const { acks } = this.parts;
    const items = (this.registers[ITEMS_PUBLISHED] as number) + (position - this.head);
    for (let ack = acks.due(items); ack !== undefined; ack = acks.due(items)) {
      const isWritten = ack.origin === 0 || writer.taken(ack.origin, ack.session, acks.dueWrite, ack.refusals);
      if (!isWritten) return false;
      acks.pass();
    }
    return true;
  }

  /** Writes an event and where its writer stands with it, or nothing: whoever has the one has the other. */
  private writeWhole(writer: ContentWriter, position: number, event: number): boolean {
    writer.closeRun();
    const mark = writer.out.offset;
    const { count } = writer;
    const { acks } = this.parts;
    const next = acks.next;
    if (this.writeEvent(writer, event) && this.writeTaken(writer, position + 1)) return true;
    acks.goBack(next);
    writer.rewind(mark, count);
    return false;
  }

  private skipVoids(): void {
    while (this.head < this.tail) {
      const item = this.queue[this.head & this.mask] as number;
      const isEmpty = item === VOID || item === GROUP_END || (item >= 0 && !this.parts.state.exists(item));
      if (!isEmpty) return;
      if (item >= 0) this.waitsAt[item] = 0;
      this.advance();
    }
  }

  private advance(): void {
    this.head++;
    this.registers[ITEMS_PUBLISHED] = (this.registers[ITEMS_PUBLISHED] as number) + 1;
  }

  /** Writes a whole group, or nothing of it. Answers the position after it, or -1. */
  private writeGroup(writer: ContentWriter, from: number, firstEvent: number): number {
    writer.closeRun();
    const mark = writer.out.offset;
    const count = writer.count;
    const { acks } = this.parts;
    const next = acks.next;
    let event = firstEvent;
    for (let position = from + 1; position < this.tail; position++) {
      const item = this.queue[position & this.mask] as number;
      if (item === GROUP_END) {
        if (this.writeTaken(writer, position + 1)) return position + 1;
        acks.goBack(next);
        writer.rewind(mark, count);
        return -1;
      }
      if (!this.writeItem(writer, item, event)) {
        writer.rewind(mark, count);
        return -1;
      }
      if (item === EVENT) event++;
    }
    return this.tail;
  }

  private eventsBetween(from: number, to: number): number {
    let count = 0;
    for (let position = from; position < to; position++) if (this.queue[position & this.mask] === EVENT) count++;
    return count;
  }

  private writeItem(writer: ContentWriter, item: number, event: number): boolean {
    if (item === EVENT) return this.writeEvent(writer, event);
    if (item < 0 || !this.parts.state.exists(item)) return true;
    return this.writeValue(writer, item);
  }

  private writeValue(writer: ContentWriter, id: number): boolean {
    const { state } = this.parts;
    const type = state.types[id] as ValueType;
    this.loadChange(id);
    return writer.value(this.change, type, state.numbers, id * LANES, isText(type) ? this.textBytes(id) : undefined);
  }

  private textBytes(id: number): Uint8Array {
    const text = this.parts.state.texts[id] ?? "";
    return typeof text === "string" ? this.encoder.encode(text) : text;
  }

  private writeEvent(writer: ContentWriter, index: number): boolean {
    const event = this.events[index] as WaitingEvent;
    this.loadEvent(event);
    return writer.event(event.kind, this.change, event.payload);
  }

  private loadChange(id: number): void {
    const { change } = this;
    const { state } = this.parts;
    change.id = id;
    change.origin = state.origins[id] as number;
    change.gesture = state.gestures[id] as number;
    change.doubles[0] = state.sequences[id] as number;
    change.doubles[1] = state.timesUs[id] as number;
  }

  private loadEvent(event: WaitingEvent): void {
    const { change } = this;
    change.id = event.id;
    change.origin = event.origin;
    change.gesture = event.gesture;
    change.doubles[0] = event.sequence;
    change.doubles[1] = event.timeUs;
  }

  /** The first item's version and time are the base of the block. */
  private loadFirst(): void {
    let position = this.head;
    while ((this.queue[position & this.mask] as number) < EVENT && position < this.tail - 1) position++;
    const item = this.queue[position & this.mask] as number;
    if (item === EVENT) this.loadEvent(this.events[this.eventHead] as WaitingEvent);
    else if (item >= 0) this.loadChange(item);
  }

  /** Takes everything before `end` off the queue: it is published. */
  private commit(end: number): void {
    for (; this.head < end; this.advance()) this.commitItem(this.queue[this.head & this.mask] as number);
  }

  private commitItem(item: number): void {
    const { state, digests } = this.parts;
    if (item === EVENT) this.commitEvent();
    if (item < 0) return;
    this.waitsAt[item] = 0;
    if (!state.exists(item)) return;
    digests.touch(item);
    this.published(state.sequences[item] as number);
  }

  private commitEvent(): void {
    const event = this.events[this.eventHead] as WaitingEvent;
    this.eventHead++;
    if (this.eventHead === this.events.length || this.eventHead >= EVENTS_COMPACTED_AT) {
      this.events.splice(0, this.eventHead);
      this.eventHead = 0;
    }
    if (event.kind !== EventKind.origin && event.kind !== EventKind.lineage) this.digestEvent(event);
    this.published(event.sequence);
  }

  private digestEvent(event: WaitingEvent): void {
    const { state, digests } = this.parts;
    if (event.kind === EventKind.remove || !state.exists(event.id)) {
      digests.drop(event.id);
      return;
    }
    digests.touch(event.id);
  }

  private published(sequence: number): void {
    this.changesPublished++;
    if (sequence > (this.registers[0] as number)) this.registers[0] = sequence;
  }

  /** Turns the first item, or the first group, into one long event. False when there was nothing to send. */
  private beginPieces(start: number): boolean {
    if (this.head === this.tail) return false;
    this.registers[ITEMS_BEFORE_PIECES] = this.registers[ITEMS_PUBLISHED] as number;
    const first = this.queue[this.head & this.mask] as number;
    if (first === EVENT) {
      const event = this.events[this.eventHead] as WaitingEvent;
      this.loadEvent(event);
      this.parts.acks.beginFrame();
      this.pieces = encodeEvent(event.kind, this.change, event.payload, (writer) => {
        this.writeTaken(writer, this.head + 1);
      });
      this.parts.acks.endFrame();
      this.commit(this.head + 1);
    } else this.pieces = this.encodeGroup(first === GROUP_BEGIN);
    this.piecesSent = 0;
    if (this.pieces === undefined) return false;
    this.writePiece(start);
    return true;
  }

  /** The bytes of a group event that holds the first item, or the first group up to what an event can hold. */
  private encodeGroup(isGroup: boolean): Uint8Array | undefined {
    this.scratch ??= new ContentWriter(new Uint8Array(EVENT_LIMIT_BYTES));
    const writer = this.scratch;
    this.loadFirst();
    writer.begin(0, EVENT_LIMIT_BYTES, this.change);
    this.parts.acks.beginFrame();
    let position = this.head;
    let event = this.eventHead;
    let isWhole = false;
    while (position < this.tail && !isWhole) {
      const item = this.queue[position & this.mask] as number;
      if (!this.writeItem(writer, item, event)) break;
      if (item === EVENT) event++;
      isWhole = !isGroup || item === GROUP_END;
      position++;
    }
    if (isWhole) this.writeTaken(writer, position);
    this.parts.acks.endFrame();
    const payload = writer.out.buffer.slice(0, writer.length);
    const bytes = encodeEvent(EventKind.group, this.change, payload);
    if (isWhole || writer.count === 0) this.commit(position);
    else this.leaveRest(position);
    return bytes;
  }

  /**
   * What one event could not hold of a group (too long, or of another hour) stays a group of its own, in the same place:
   * a writer is told nothing before all of it is out.
   */
  private leaveRest(from: number): void {
    for (let position = this.head + 1; position < from; position++) {
      this.commitItem(this.queue[position & this.mask] as number);
      this.queue[position & this.mask] = VOID;
    }
  }

  private writePiece(start: number): void {
    const { writer } = this;
    const pieces = this.pieces as Uint8Array;
    this.change.doubles[0] = this.publishedSequence;
    writer.begin(start, start + CONTENT_LIMIT_BYTES, this.change);
    this.piecesSent += writer.piece(pieces, this.piecesSent);
    if (this.piecesSent >= pieces.length) this.pieces = undefined;
  }
}

assert(CONTENT_LIMIT_BYTES / 2 > BLOCK_HEADER_BYTES + 64, "half a frame holds a block with a vector in it");
