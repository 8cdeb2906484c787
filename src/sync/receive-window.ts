/**
 * ReceiveWindow: which of the controller's frames are here, and in which order their contents may act.
 *
 * Values act as soon as they arrive, gaps or not: every value says its version. Events wait until every frame before
 * theirs is here; until then their block is kept. The window covers as many frames as the controller can repair; what
 * lies further apart is no gap but a reason for a snapshot. It knows no socket, no state and no time.
 */
import { SENT_FRAMES, CONTENT_LIMIT_BYTES } from "./sent-ring.js";

/** What to do with a frame's content. */
export const Arrival = {
  /** Here already, or older than the window. */
  duplicate: 0,
  /** The next one: all of it may act. */
  inOrder: 1,
  /** Frames before it are missing: its values may act, its events wait. */
  early: 2,
  /** Too far ahead to be repaired. */
  beyond: 3,
} as const;
export type Arrival = (typeof Arrival)[keyof typeof Arrival];

const COMPLETE = 0;
const NEWEST = 1;

export class ReceiveWindow {
  /** [0] all frames up to this one are here; [1] the newest frame heard of. */
  readonly registers = new Float64Array(2);
  private readonly arrived = new Uint8Array(SENT_FRAMES);
  /** Contents that wait; allocated at the first gap, reused after. */
  private kept: Uint8Array | undefined;
  private readonly keptLengths = new Uint16Array(SENT_FRAMES);
  /** When each frame was first heard of, in microseconds. */
  private readonly heardUs = new Float64Array(SENT_FRAMES);
  duplicates = 0;

  get complete(): number {
    return this.registers[COMPLETE] as number;
  }

  get newest(): number {
    return this.registers[NEWEST] as number;
  }

  get hasGap(): boolean {
    return (this.registers[NEWEST] as number) > (this.registers[COMPLETE] as number);
  }

  /** When a frame was first heard of: by itself, or by one after it. */
  heardAtUs(sequence: number): number {
    return this.heardUs[sequence % SENT_FRAMES] as number;
  }

  /** Everything up to `sequence` counts as here: at a join. */
  restart(sequence: number): void {
    this.registers[COMPLETE] = sequence;
    this.registers[NEWEST] = sequence;
    this.arrived.fill(0);
    this.keptLengths.fill(0);
  }

  has(sequence: number): boolean {
    return sequence <= this.complete || (sequence <= this.newest && this.arrived[sequence % SENT_FRAMES] === 1);
  }

  /** Hears that a frame exists. False when it is too far ahead. */
  hear(sequence: number, nowUs: number): boolean {
    if (sequence <= this.newest) return true;
    if (sequence - this.complete >= SENT_FRAMES) return false;
    for (let heard = this.newest + 1; heard <= sequence; heard++) this.heardUs[heard % SENT_FRAMES] = nowUs;
    this.registers[NEWEST] = sequence;
    return true;
  }

  /** Takes in a frame's arrival. */
  arrive(sequence: number, nowUs: number): Arrival {
    const { registers } = this;
    if (sequence === (registers[COMPLETE] as number) + 1) {
      registers[COMPLETE] = sequence;
      if (sequence > (registers[NEWEST] as number)) {
        registers[NEWEST] = sequence;
        this.heardUs[sequence % SENT_FRAMES] = nowUs;
      }
      this.arrived[sequence % SENT_FRAMES] = 0;
      // It may have come early as well: that would act when the slot comes round again.
      this.release(sequence);
      return Arrival.inOrder;
    }
    if (this.has(sequence)) {
      this.duplicates++;
      return Arrival.duplicate;
    }
    if (!this.hear(sequence, nowUs)) return Arrival.beyond;
    this.arrived[sequence % SENT_FRAMES] = 1;
    return Arrival.early;
  }

  /** Takes in a frame while the state is not ready for any: nothing moves on until `advance`. False if not kept. */
  hold(sequence: number, buffer: Uint8Array, start: number, end: number, nowUs: number): boolean {
    if (this.has(sequence) || !this.hear(sequence, nowUs)) return false;
    this.arrived[sequence % SENT_FRAMES] = 1;
    this.keep(sequence, buffer, start, end);
    return true;
  }

  /** Keeps an early frame's content until its turn. */
  keep(sequence: number, buffer: Uint8Array, start: number, end: number): void {
    this.kept ??= new Uint8Array(SENT_FRAMES * CONTENT_LIMIT_BYTES);
    const length = end - start;
    if (length > CONTENT_LIMIT_BYTES) return;
    this.kept.set(buffer.subarray(start, end), (sequence % SENT_FRAMES) * CONTENT_LIMIT_BYTES);
    this.keptLengths[sequence % SENT_FRAMES] = length;
  }

  /** Moves on over frames that have arrived. Answers the next one whose kept content may act now, or 0. */
  advance(): number {
    const { registers, arrived } = this;
    while ((registers[COMPLETE] as number) < (registers[NEWEST] as number)) {
      const next = (registers[COMPLETE] as number) + 1;
      const slot = next % SENT_FRAMES;
      if (arrived[slot] === 0) return 0;
      arrived[slot] = 0;
      registers[COMPLETE] = next;
      if (this.keptLengths[slot] !== 0) return next;
    }
    return 0;
  }

  /** The kept content of a frame that `advance` answered; it is forgotten at the next `release`. */
  keptContent(sequence: number): Uint8Array {
    const slot = sequence % SENT_FRAMES;
    const at = slot * CONTENT_LIMIT_BYTES;
    return (this.kept as Uint8Array).subarray(at, at + (this.keptLengths[slot] as number));
  }

  release(sequence: number): void {
    this.keptLengths[sequence % SENT_FRAMES] = 0;
  }

  /** Writes missing ranges (first, last), oldest first, into `ranges`; answers how many. */
  missing(ranges: Float64Array, most: number): number {
    let count = 0;
    let sequence = this.complete + 1;
    const { newest } = this;
    while (sequence <= newest && count < most) {
      if (this.arrived[sequence % SENT_FRAMES] === 1) {
        sequence++;
        continue;
      }
      const first = sequence;
      while (sequence <= newest && this.arrived[sequence % SENT_FRAMES] === 0) sequence++;
      ranges[count * 2] = first;
      ranges[count * 2 + 1] = sequence - 1;
      count++;
    }
    return count;
  }
}
