/**
 * SentRing: the contents of the last frames, for journals and repairs. Preallocated; the oldest is overwritten.
 *
 * It keeps content, not datagrams: a repair is sealed again under a new packet counter.
 */
export const SENT_FRAMES = 4_096;
/** The longest content of one frame; see `stream-frames` for what else is in it. */
export const CONTENT_LIMIT_BYTES = 1_056;

export class SentRing {
  readonly bytes: Uint8Array;
  private readonly lengths: Uint16Array;
  /** [0] newest frame sequence, 0 when none was sent in this term. */
  private readonly registers = new Float64Array(1);

  private readonly frames: number;

  /** `frames`: how many are kept, at most SENT_FRAMES. */
  constructor(frames = SENT_FRAMES) {
    this.frames = frames;
    this.bytes = new Uint8Array(frames * CONTENT_LIMIT_BYTES);
    this.lengths = new Uint16Array(frames);
  }

  get newest(): number {
    return this.registers[0] as number;
  }

  /** The oldest frame that can be repaired; one past the newest when there is none. */
  get oldest(): number {
    return Math.max(1, this.newest - this.frames + 1);
  }

  has(sequence: number): boolean {
    return sequence >= this.oldest && sequence <= this.newest;
  }

  /** Where the content of a frame begins in `bytes`. */
  start(sequence: number): number {
    return (sequence % this.frames) * CONTENT_LIMIT_BYTES;
  }

  length(sequence: number): number {
    return this.lengths[sequence % this.frames] as number;
  }

  /** Takes in the next frame, whose content has been written at `start(newest + 1)`. */
  append(length: number): void {
    const sequence = this.newest + 1;
    this.registers[0] = sequence;
    this.lengths[sequence % this.frames] = length;
  }

  /** Begins a term: nothing was sent in it yet. */
  clear(): void {
    this.registers[0] = 0;
  }
}
