/**
 * WriteSender: carries a follower's pending writes to the controller, with retry.
 *
 * While few writes are unacknowledged every frame repeats all of them, so a lost frame costs nothing; a long queue goes
 * out piece by piece and starts over from the first unacknowledged write when no answer comes.
 */
import { FrameType } from "../wire/frame.js";
import type { FrameTarget } from "../sync/stream-frames.js";
import type { PendingWrites } from "../sync/pending-writes.js";
import { WriteFrameWriter, WriteKind, WriteRecord } from "../wire/write-frame.js";
import { partsOf, writePart } from "../wire/write-part.js";
import type { NodeCore } from "./core.js";
import type { FrameIo } from "./frame-io.js";
import type { SessionTime } from "./parts.js";

/** The longest text or declaration, and what stands around it. */
const LONG_WRITE_BYTES = 65_536;
/** Frames sent in one go; the rest follows when these are acknowledged or at the next turn. */
const FRAMES_PER_TURN = 32;

export class WriteSender {
  private readonly core: NodeCore;
  private readonly pending: PendingWrites;
  private readonly io: FrameIo;
  private readonly time: Pick<SessionTime, "boundUs">;
  private readonly writer: WriteFrameWriter;
  private readonly record = new WriteRecord();
  private longWriter: WriteFrameWriter | undefined;
  private readonly visit: (slot: number) => boolean;
  private target: FrameTarget = { address: "", port: 0 };
  private term = 0;
  private frames = 0;
  private from = 0;
  private isBegun = false;
  /** What was unacknowledged at the last send did not fit one frame. */
  private isLong = false;
  /** [0] the last write put into a frame, [1] from where on the next frame is complete. */
  private readonly registers = new Float64Array(2);

  constructor(core: NodeCore, pending: PendingWrites, io: FrameIo, time: Pick<SessionTime, "boundUs">) {
    this.core = core;
    this.pending = pending;
    this.io = io;
    this.time = time;
    this.writer = new WriteFrameWriter(io.plain);
    this.visit = (slot) => this.add(slot);
  }

  /** Sends what is new (and, while it is little, what is unacknowledged) to the controller of `term`. */
  send(term: number, target: FrameTarget): void {
    const { pending } = this;
    if (pending.size === 0 || pending.lastWrite <= pending.sentThrough) return;
    if (!this.isLong) pending.passOnReplaced();
    this.sendFrom(this.isLong ? pending.sentThrough + 1 : 0, term, target);
    this.isLong = this.frames > 1;
  }

  /** Sends everything unacknowledged again, when it is time. */
  tick(term: number, target: FrameTarget): void {
    if (this.pending.size > 0 && this.pending.takeRetry()) this.sendFrom(0, term, target);
  }

  private sendFrom(from: number, term: number, target: FrameTarget): void {
    this.term = term;
    this.target = target;
    this.from = from;
    this.frames = 0;
    this.isBegun = false;
    // A write that a newer one of its path replaced is gone: the frame is complete without it.
    this.registers[1] = from > 0 ? from : this.pending.acknowledgedThrough + 1;
    this.pending.forEach(this.visit);
    this.finish();
  }

  private add(slot: number): boolean {
    const { pending, record, writer } = this;
    const write = pending.writeOf(slot);
    if (pending.isAcknowledged(slot) || write < this.from) return true;
    pending.record(slot, record);
    this.name();
    if (!this.isBegun) this.begin();
    if (!writer.add(record)) {
      this.finish();
      if (this.frames >= FRAMES_PER_TURN) return false;
      this.begin();
      if (!writer.add(record)) this.sendLong(write);
    }
    this.registers[0] = write;
    return true;
  }

  /** Sends a write that no datagram holds in pieces. They are the same each time but for when they left. */
  private sendLong(write: number): void {
    const { record, io } = this;
    this.isBegun = false;
    this.longWriter ??= new WriteFrameWriter(new Uint8Array(LONG_WRITE_BYTES));
    this.beginFrame(this.longWriter);
    if (!this.longWriter.add(record)) return;
    const whole = this.longWriter.bytes();
    const parts = partsOf(whole.length, io.plain.length);
    for (let index = 0; index < parts; index++) {
      const length = writePart(io.plain, whole, this.term, write, index);
      io.unicast(FrameType.writePart, length, this.target);
    }
    this.pending.onSent(write);
    this.registers[1] = write + 1;
    this.frames++;
  }

  /** The controller knows a provisional path by its name only. */
  private name(): void {
    const { record } = this;
    const { state } = this.core;
    const isNamed = record.kind < WriteKind.groupEnd && state.isProvisional(record.id);
    record.path = isNamed ? state.pathOf(record.id) : undefined;
    record.surfaceName = this.core.origins.at(record.surface).surface;
  }

  private begin(): void {
    this.beginFrame(this.writer);
    this.isBegun = true;
  }

  private beginFrame(writer: WriteFrameWriter): void {
    const { core, pending, record, time } = this;
    const madeUs = record.doubles[1] as number;
    const sentUs = Math.round(core.clock.sessionUs);
    writer.begin(this.term, this.registers[1] as number, pending.acknowledgedThrough, madeUs, sentUs, time.boundUs);
  }

  private finish(): void {
    if (!this.isBegun || this.writer.count === 0) return;
    this.io.unicast(FrameType.write, this.writer.length, this.target);
    this.pending.onSent(this.registers[0] as number);
    this.registers[1] = (this.registers[0] as number) + 1;
    this.frames++;
    this.isBegun = false;
  }
}
