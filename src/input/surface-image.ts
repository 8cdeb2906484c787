/**
 * Surface image: what a device should show against what it was last sent. Only differences leave, at the device's pace.
 *
 * Whoever knows the values marks what changed; at the next frame each marked output is asked how it should look, and is
 * sent if that is another look than the device has. However fast a value moves, a frame holds its newest one, and while
 * messages still wait to leave there is no frame at all: what a slow device gets late is never old. A control under the
 * hand waits until it is let go. It is told the time by a clock and sends nothing itself.
 */
import type { Clock } from "../base/clock.js";
import type { LedSysex } from "../config/profile.js";
import { type HandHold, UNKNOWN } from "./hand-hold.js";
import { ledFrame } from "./led-code.js";
import { LOOK_STEP_US, LOOK_STEPS, type SurfaceLook } from "./surface-look.js";
import type { SurfaceOutput } from "./surface-output.js";

/** Outputs of one device; the rest shows nothing. The largest device has some 200. */
export const IMAGE_OUTPUTS_MAX = 1_024;
/** When nothing says how often a device may be written to. */
export const IMAGE_HZ = 30;
/** A frame stops when this many messages wait, and goes on when most of them have left. */
const WAITING_MAX = 16;
const WAITING_LEAST = 4;
/** Until those that wait are looked at again. */
const DRAIN_US = 2_000;
const SECOND_US = 1_000_000;

export interface ImageEntry {
  readonly output: SurfaceOutput;
  /** Where the hand moves it too. */
  readonly hand: HandHold | undefined;
  /** Codes that its value cannot tell apart. */
  readonly near: number;
  /** Puts how it is to look in hand. */
  load(look: SurfaceLook): void;
}

/** The way to the device. */
export interface ImageSink {
  /** False when it did not take the message: it is sent again later. */
  send(message: Uint8Array): boolean;
  /** Messages that have not left yet. */
  waiting(): number;
}

export interface ImageParts {
  readonly clock: Clock;
  readonly hz: number;
  readonly sink: ImageSink;
}

interface Batch {
  readonly blocks: Uint8Array[];
  readonly indexes: number[];
  readonly codes: number[];
}

export class SurfaceImage {
  private readonly parts: ImageParts;
  private readonly look: SurfaceLook;
  private entries: readonly ImageEntry[] = [];
  /** By entry: the code that the device has, whether it may have another one now, and before when it is not sent. */
  private sent = new Int32Array(0);
  private marked = new Uint8Array(0);
  private earliest = new Float64Array(0);
  /** 1: it looks otherwise at the next step. */
  private moving = new Uint8Array(0);
  private markedCount = 0;
  /** Where the next frame begins, so that none is starved. */
  private next = 0;
  isOpen = false;
  private isLast = false;
  private messagesSent = 0;
  /**
   * [0] when the next frame may begin, [1] when there is something to do, [2] when all is to be painted again, [3] when
   * what blinks looks otherwise.
   */
  private readonly times = new Float64Array(4).fill(Number.POSITIVE_INFINITY, DUE);

  constructor(parts: ImageParts, look: SurfaceLook) {
    this.parts = parts;
    this.look = look;
  }

  /** Sets what there is. What the device shows is kept for outputs that stay. */
  setEntries(entries: readonly ImageEntry[]): void {
    const known = new Map(this.entries.map(({ output }, index) => [output.key, this.sent[index] as number]));
    this.entries = entries.slice(0, IMAGE_OUTPUTS_MAX);
    this.sent = Int32Array.from(this.entries, ({ output }) => known.get(output.key) ?? UNKNOWN);
    this.marked = new Uint8Array(this.entries.length);
    this.earliest = new Float64Array(this.entries.length);
    this.moving = new Uint8Array(this.entries.length);
    this.markedCount = 0;
    this.next = 0;
    this.markAll();
  }

  /** The device is there, and what it shows is not known. It is painted at once and, if that is said, once more. */
  open(againUs = Number.POSITIVE_INFINITY): void {
    this.isOpen = true;
    this.times[AGAIN] = this.parts.clock.nowUs + againUs;
    this.repaint();
  }

  close(): void {
    this.isOpen = false;
    this.times.fill(Number.POSITIVE_INFINITY, DUE);
    for (const { hand } of this.entries) hand?.reset();
  }

  /** Sends everything again. */
  repaint(): void {
    for (let index = 0; index < this.entries.length; index++) this.forget(index);
    this.again();
  }

  /** Looks at all of it again, and sends what differs. */
  markAll(): void {
    for (let index = 0; index < this.entries.length; index++) this.mark(index);
  }

  /** The value behind an output may have changed. */
  mark(index: number): void {
    if (index >= this.entries.length) return;
    if (this.marked[index] === 0) this.markedCount++;
    this.marked[index] = 1;
    this.wakeAt(this.times[FRAME] as number);
  }

  /** What an output shows is not known any more; it is sent again, `afterUs` from now at the earliest. */
  forget(index: number, afterUs = 0): void {
    const entry = this.entries[index];
    if (entry === undefined) return;
    this.sent[index] = UNKNOWN;
    entry.hand?.forget();
    this.earliest[index] = afterUs === 0 ? 0 : this.parts.clock.nowUs + afterUs;
    this.mark(index);
  }

  /** What waits need not wait longer than for the next frame: a hand has let go. */
  again(): void {
    this.wakeAt(this.times[FRAME] as number);
  }

  /** When `pump` has something to do, in own time. */
  get dueUs(): number {
    return Math.min(this.times[DUE] as number, this.times[AGAIN] as number, this.times[STEP] as number);
  }

  /** Sends what differs, if it is time. */
  pump(): void {
    const nowUs = this.parts.clock.nowUs;
    if (!this.isOpen || nowUs < this.dueUs) return;
    if (nowUs >= (this.times[AGAIN] as number)) {
      this.times[AGAIN] = Number.POSITIVE_INFINITY;
      this.repaint();
    }
    if (nowUs >= (this.times[STEP] as number)) this.goOn();
    this.times[DUE] = Number.POSITIVE_INFINITY;
    if (this.markedCount === 0) return;
    if (nowUs < (this.times[FRAME] as number)) this.wakeAt(this.times[FRAME] as number);
    else if (this.parts.sink.waiting() > WAITING_LEAST) this.wakeAt(nowUs + DRAIN_US);
    else this.frame();
  }

  /** What the node lets blink looks otherwise now. */
  private goOn(): void {
    this.times[STEP] = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.moving.length; index++) if (this.moving[index] === 1) this.mark(index);
  }

  /** Sends all that differs at once, however much waits: the port is about to close. */
  finish(): void {
    if (!this.isOpen) return;
    this.isLast = true;
    this.frame();
    this.isLast = false;
  }

  private wakeAt(atUs: number): void {
    if (this.isOpen && atUs < (this.times[DUE] as number)) this.times[DUE] = atUs;
  }

  private frame(): void {
    const { length } = this.entries;
    const batches = new Map<LedSysex, Batch>();
    const before = this.messagesSent;
    let isTaken = true;
    let looked = 0;
    for (; looked < length && isTaken && this.hasRoom; looked++) {
      const index = (this.next + looked) % length;
      if (this.marked[index] !== 0 && this.isDue(index)) isTaken = this.show(index, batches);
    }
    for (const [sysex, batch] of batches) isTaken = this.flush(sysex, batch) && isTaken;
    this.next = (this.next + looked) % Math.max(1, length);
    const isCut = isTaken && looked < length;
    // What only looked as if it had changed costs no frame, and one that was cut goes on as soon as there is room.
    if (!isTaken || (!isCut && this.messagesSent > before)) this.endFrame();
    this.planNext(isCut);
  }

  private endFrame(): void {
    const { clock, hz } = this.parts;
    this.times[FRAME] = clock.nowUs + SECOND_US / hz;
  }

  private get hasRoom(): boolean {
    return this.isLast || this.parts.sink.waiting() < WAITING_MAX;
  }

  /** Finds when what is left is due. */
  private planNext(isCut: boolean): void {
    if (this.markedCount === 0) return;
    const nextUs = isCut ? this.parts.clock.nowUs + DRAIN_US : (this.times[FRAME] as number);
    for (const [index, { hand }] of this.entries.entries()) {
      if (this.marked[index] === 0) continue;
      this.wakeAt(Math.max(nextUs, this.earliest[index] as number, hand?.freeAtUs ?? 0));
    }
  }

  private isDue(index: number): boolean {
    const { nowUs } = this.parts.clock;
    return nowUs >= (this.earliest[index] as number) && nowUs >= (this.entries[index]?.hand?.freeAtUs ?? 0);
  }

  /** Sends one, or adds it to a batch. False when the way is blocked. */
  private show(index: number, batches: Map<LedSysex, Batch>): boolean {
    const entry = this.entries[index] as ImageEntry;
    const { output, hand } = entry;
    const code = this.codeOf(index, entry);
    const isWanted = hand === undefined ? code !== this.sent[index] : hand.wants(code, entry.near);
    if (!isWanted) {
      this.unmark(index);
      return true;
    }
    const block = output.batch?.block(code);
    if (block !== undefined) {
      return this.addTo(batches, (output.batch as NonNullable<SurfaceOutput["batch"]>).sysex, index, code, block);
    }
    // Half of a pair or of a parameter says something else than the whole: what is not taken is sent anew.
    const isSent = output.messages(code, this.sent[index] === UNKNOWN).every((message) => this.send(message));
    if (isSent) this.shown(index, code);
    return isSent;
  }

  /** How it is to look at this step. */
  private codeOf(index: number, entry: ImageEntry): number {
    const { look } = this;
    const steps = Math.floor(this.parts.clock.nowUs / LOOK_STEP_US);
    look.step = steps % LOOK_STEPS;
    look.isMoving = false;
    entry.load(look);
    const code = entry.output.codeOf(look);
    this.moving[index] = Number(look.isMoving);
    if (look.isMoving && this.isOpen) this.times[STEP] = (steps + 1) * LOOK_STEP_US;
    return code;
  }

  private addTo(
    batches: Map<LedSysex, Batch>,
    sysex: LedSysex,
    index: number,
    code: number,
    block: Uint8Array,
  ): boolean {
    const batch = batches.get(sysex) ?? { blocks: [], indexes: [], codes: [] };
    batches.set(sysex, batch);
    batch.blocks.push(block);
    batch.indexes.push(index);
    batch.codes.push(code);
    if (batch.blocks.length < sysex.most) return true;
    batches.delete(sysex);
    return this.flush(sysex, batch);
  }

  private flush(sysex: LedSysex, { blocks, indexes, codes }: Batch): boolean {
    if (!this.send(ledFrame(sysex, blocks))) return false;
    for (const [at, index] of indexes.entries()) this.shown(index, codes[at] as number);
    return true;
  }

  private send(message: Uint8Array): boolean {
    const isTaken = this.parts.sink.send(message);
    this.messagesSent += Number(isTaken);
    return isTaken;
  }

  private shown(index: number, code: number): void {
    this.sent[index] = code;
    this.entries[index]?.hand?.sent(code);
    this.unmark(index);
  }

  private unmark(index: number): void {
    if (this.marked[index] === 0) return;
    this.marked[index] = 0;
    this.markedCount--;
  }
}

const FRAME = 0;
const DUE = 1;
const AGAIN = 2;
const STEP = 3;
