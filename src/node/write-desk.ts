/**
 * WriteDesk: where the controller takes in what its followers write. Each write is taken exactly once, in its writer's
 * order; a group is whole or not there yet; and every writer is answered, by the frame that holds what became of its
 * writes, or by itself where no frame says it.
 *
 * It carries no write out: `write-execution.ts` does.
 */
import { Reject } from "../state/reject.js";
import type { Acknowledgements } from "../sync/acknowledgements.js";
import type { Precedence } from "../sync/precedence.js";
import type { Publisher } from "../sync/publisher.js";
import type { FrameTarget } from "../sync/stream-frames.js";
import { WriteAssembly } from "../sync/write-assembly.js";
import { WriteIntake } from "../sync/write-intake.js";
import { FrameType } from "../wire/frame.js";
import { writeResultFields } from "../wire/messages.js";
import { type Standing, WRITERS_MAX } from "../wire/standing.js";
import { type WriteCopy, WriteFrameReader, WriteKind, type WriteSink } from "../wire/write-frame.js";
import { readPart } from "../wire/write-part.js";
import type { Applier } from "./applier.js";
import type { NodeCore } from "./core.js";
import type { FrameIo } from "./frame-io.js";
import type { WriteExecution } from "./write-execution.js";

/** Writes of a group that waits for its end, at most. */
const GROUP_HELD_MAX = 4_096;
/** Writers whose groups wait at once; the oldest gives way, and comes again. */
const GROUPS_MAX = 64;

export interface WriteDeskParts {
  readonly core: NodeCore;
  readonly applier: Applier;
  readonly io: FrameIo;
  readonly publisher: Publisher;
  readonly acks: Acknowledgements;
  readonly precedence: Precedence;
  readonly execution: WriteExecution;
  /** The number of the term that is held, and how many of its frames are out. */
  readonly stream: { readonly term: number; readonly frameSequence: number };
  /** Takes the ring in before it can lap. */
  readonly relieve: () => void;
}

interface OpenGroup {
  readonly session: number;
  readonly writes: WriteCopy[];
}

export class WriteDesk implements WriteSink {
  private readonly parts: WriteDeskParts;
  readonly intake = new WriteIntake();
  private readonly reader = new WriteFrameReader();
  private readonly assembly = new WriteAssembly();
  private readonly groups = new Map<string, OpenGroup>();
  /** Where writers are answered, and who is to be answered at the end of this turn. */
  private readonly targets = new Map<string, FrameTarget>();
  private readonly answerSoon = new Set<string>();
  private readonly answerLater: (node: string) => void;
  /** Who wrote the frame that is being read. */
  private writer = "";
  private writerSession = 0;
  private writerTerm = 0;
  /** An origin of that node's in what it wrote; 0 while nothing was executed. */
  private writerOrigin = 0;

  constructor(parts: WriteDeskParts) {
    this.parts = parts;
    this.answerLater = (node) => this.answerSoon.add(node);
  }

  /** A term begins, with what is known of all writers. */
  open(): void {
    const { acks } = this.parts;
    this.dropGroups();
    acks.clear();
    for (const standing of this.intake.standings()) acks.begin(standing);
  }

  /** Groups that are half here come again, whole. */
  dropGroups(): void {
    for (const node of [...this.groups.keys()]) this.dropGroup(node);
  }

  private dropGroup(node: string): void {
    const { session, writes } = this.groups.get(node) as OpenGroup;
    const [first] = writes;
    if (first !== undefined) this.intake.untake(node, session, first.doubles[0] as number);
    this.groups.delete(node);
  }

  /** Takes in a piece of a long write. */
  onPart(plain: Uint8Array, length: number, node: string, session: number, from: FrameTarget): void {
    const part = readPart(plain, length);
    if (part === undefined) {
      this.parts.core.counters.messagesMalformed++;
      return;
    }
    const whole = this.assembly.add(node, part);
    if (whole === undefined) return;
    this.onFrame(whole, whole.length, node, session, from);
    if (this.intake.floorOf(node) >= part.write) this.assembly.done(node);
  }

  /** Takes in a frame of writes. */
  onFrame(plain: Uint8Array, length: number, node: string, session: number, from: FrameTarget): void {
    this.writer = node;
    this.writerSession = session;
    this.writerTerm = 0;
    this.writerOrigin = 0;
    const before = this.intake.duplicates;
    if (!this.reader.read(plain, length, this)) this.parts.core.counters.messagesMalformed++;
    if (this.writerTerm !== this.parts.stream.term) return;
    this.noteTarget(node, from);
    this.markTaken();
    // What came again was taken before: its answer was lost, so it is answered at once and to the writer alone.
    if (this.intake.duplicates > before || this.intake.refusalsOf(node).length > 0) this.answerSoon.add(node);
  }

  private noteTarget(node: string, from: FrameTarget): void {
    const { targets } = this;
    if (targets.size >= WRITERS_MAX && !targets.has(node)) targets.delete(targets.keys().next().value as string);
    targets.set(node, from);
  }

  /** What was taken so far of the frame that is being read stands before this place in the publisher's queue. */
  private markTaken(): void {
    const { intake, writer, parts } = this;
    parts.publisher.pump();
    const write = this.acknowledgable(writer);
    const refusals = intake.refusalsOf(writer);
    parts.acks.add(writer, this.writerSession, write, parts.publisher.itemsTaken, this.writerOrigin, refusals);
  }

  /** A group that is not whole yet is not acknowledged: its writes are not in the stream. */
  private acknowledgable(node: string): number {
    const group = this.groups.size === 0 ? undefined : this.groups.get(node);
    const first = group?.writes[0];
    return first === undefined ? this.intake.floorOf(node) : (first.doubles[0] as number) - 1;
  }

  /**
   * Another side's changes are in this term, and so are the writes that it had taken: whoever goes on with this term must
   * know it too, or it takes one again that its writer was not told of.
   */
  meet(standings: readonly Standing[]): void {
    const { applier, publisher, acks } = this.parts;
    for (const standing of standings) {
      if (!this.intake.meet(standing)) continue;
      const { node, session, write, refusals } = standing;
      const origin = applier.origin(node, "");
      publisher.pump();
      acks.add(node, session, write, publisher.itemsTaken, origin, refusals);
    }
  }

  /** Tells writers whose acknowledgement no frame of this turn carried, who ask again, or whose writes were refused. */
  answerWriters(): void {
    this.parts.acks.promote(this.parts.publisher.itemsPublished, this.answerLater);
    // Clearing a set allocates even when it is empty: 6 MB in a million settles (measured).
    if (this.answerSoon.size === 0) return;
    for (const node of this.answerSoon) this.answer(node);
    this.answerSoon.clear();
  }

  private answer(node: string): void {
    const target = this.targets.get(node);
    if (target === undefined) return;
    const { acks, stream, io } = this.parts;
    const { session, write } = acks.of(node);
    const refusals = this.intake.refusalsOf(node);
    const result = { session, write, frame: stream.frameSequence, term: stream.term, refusals };
    io.message(FrameType.writeResult, writeResultFields(result), target);
  }

  onWriteFrame(term: number, first: number, acknowledged: number): boolean {
    const { stream, acks, precedence } = this.parts;
    if (term !== stream.term || !acks.hasRoom) return false;
    this.writerTerm = term;
    precedence.hear(this.reader.doubles);
    this.endEarlierBoot();
    return this.intake.accepts(this.writer, this.writerSession, first, acknowledged);
  }

  /** What an earlier boot of the writer left open is over: its numbers say nothing of where this boot stands. */
  private endEarlierBoot(): void {
    if (this.groups.size === 0) return;
    const open = this.groups.get(this.writer);
    if (open !== undefined && open.session !== this.writerSession) this.groups.delete(this.writer);
  }

  onWrite(write: WriteFrameReader): void {
    if (!this.intake.take(this.writer, write.doubles[0] as number)) return;
    this.parts.precedence.date(write.doubles);
    if (write.kind === WriteKind.void) return;
    if (write.kind === WriteKind.groupEnd) this.endGroup();
    else if (write.isGrouped) this.holdForGroup(write);
    else this.execute(write);
    // Whoever has an event has its writer's standing with it, so each has a mark of its own.
    if (write.kind !== WriteKind.value && !write.isGrouped) this.markTaken();
    this.parts.relieve();
  }

  private holdForGroup(write: WriteFrameReader): void {
    const open = this.groups.get(this.writer);
    const group = open ?? { session: this.writerSession, writes: [] };
    if (open === undefined && this.groups.size >= GROUPS_MAX) this.dropGroup(this.groups.keys().next().value as string);
    this.groups.set(this.writer, group);
    group.writes.push(write.snapshot());
    if (group.writes.length >= GROUP_HELD_MAX) this.endGroup();
  }

  private endGroup(): void {
    const { applier, execution } = this.parts;
    const group = this.groups.get(this.writer);
    this.groups.delete(this.writer);
    if (group === undefined) return;
    // What changes together is refused together.
    const reject = execution.judge(group.writes, this.writer);
    applier.isGrouped = true;
    for (const write of group.writes) {
      if (reject === Reject.none) this.execute(write);
      else this.refuse(write, reject);
    }
    applier.isGrouped = false;
  }

  private execute(write: WriteCopy): void {
    this.writerOrigin = this.parts.applier.origin(this.writer, write.surfaceName);
    const reject = this.parts.execution.carryOut(write, this.writerOrigin);
    if (reject !== Reject.none) this.refuse(write, reject);
  }

  private refuse(write: WriteCopy, reject: Reject): void {
    this.parts.precedence.count(reject);
    this.parts.core.counters.writesRefused++;
    this.intake.refuse(this.writer, write.doubles[0] as number, reject);
  }
}
