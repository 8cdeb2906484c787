/**
 * OwnCopies: this node's writes to critical paths that some controller has taken, until its copy of them counts and enough
 * others have them, or another controller decided what they became.
 *
 * A frame that came past a gap is not yet something that an election would be told of: a takeover could pass over it,
 * though this node lives. So a write waits until all before it is here as well. Under `island` two nodes have it then.
 * Under `hold` the controller is asked whether a majority of the electors has, again and again. When the term ends what
 * waits is looked for in the next one: it is made of this write, or was made without it, which is the end. Under `island`
 * who waits for too long is told that nobody is known to have it; under `hold` it may still come through, so nothing is
 * said. Told the time. Bounded.
 */
import type { Clock } from "../base/clock.js";

const WAITING_MAX = 1_024;
/** Under `island`: who asked to be told is told by then, come what may. */
export const PATIENCE_US = 2_000_000;
const ASK_FIRST_US = 20_000;
const ASK_MAX_US = 100_000;

/** Told whether enough others have the write. */
export type Replicated = (isReplicated: boolean) => void;

export interface CopiedWrite {
  /** Which change it became, or one after it: a term, by this node's index, and a sequence in it. */
  readonly term: number;
  readonly sequence: number;
  readonly sinceUs: number;
  readonly done: Replicated;
}

interface Waiting extends CopiedWrite {
  /** The frame of the present term with which it is here; 0 while it is not known to be in this term. */
  readonly frame: number;
}

export class OwnCopies {
  private readonly clock: Clock;
  private readonly isHold: boolean;
  private waiting: Waiting[] = [];
  /** [0] the last frame of which this node's copy counts, [1] when the controller is asked again, [2] the pause after that. */
  private readonly registers = new Float64Array([0, 0, ASK_FIRST_US]);

  constructor(clock: Clock, isHold: boolean) {
    this.clock = clock;
    this.isHold = isHold;
  }

  get size(): number {
    return this.waiting.length;
  }

  /** Calls back when all up to `frame` is here, or with frame 0 when a change is, and enough others have it. */
  add(term: number, sequence: number, frame: number, done: Replicated): void {
    this.put({ term, sequence, frame, sinceUs: this.clock.nowUs, done });
  }

  /** What this node waited for as a controller: its term is over. */
  takeOver(writes: readonly CopiedWrite[]): void {
    for (const { term, sequence, sinceUs, done } of writes) this.put({ term, sequence, sinceUs, done, frame: 0 });
  }

  private put(write: Waiting): void {
    if (this.waiting.length >= WAITING_MAX) this.waiting.shift()?.done(false);
    this.waiting.push(write);
  }

  /** Another term is followed, or another state took the place of this node's: what waits is to be found in it. */
  begin(): void {
    if (this.waiting.length > 0) this.waiting = this.waiting.map((write) => ({ ...write, frame: 0 }));
    this.registers[0] = 0;
  }

  /** Nothing up to `frame` is missing here; `includes` answers whether a change is in that. */
  onWhole(frame: number, includes: (term: number, sequence: number) => boolean): void {
    this.end((write) => write.frame === 0 && !includes(write.term, write.sequence), false);
    this.waiting = this.waiting.map((write) => (write.frame === 0 ? { ...write, frame } : write));
    if (!this.isHold) this.end((write) => write.frame <= frame, true);
    else if (this.isWaitingFor(frame)) {
      this.registers[0] = frame;
      this.registers[1] = this.clock.nowUs;
      this.registers[2] = ASK_FIRST_US;
    }
  }

  /** Whether a write came with a frame up to this one of which the controller has not been asked. */
  private isWaitingFor(frame: number): boolean {
    const through = this.registers[0] as number;
    return this.waiting.some((write) => write.frame <= frame && write.frame > through);
  }

  /** The frame of which the controller is to be asked now; 0 for none. */
  takeAsk(): number {
    const { registers } = this;
    const through = registers[0] as number;
    if (through === 0 || this.clock.nowUs < (registers[1] as number)) return 0;
    if (!this.waiting.some(({ frame }) => frame > 0 && frame <= through)) return 0;
    registers[1] = this.clock.nowUs + (registers[2] as number);
    registers[2] = Math.min((registers[2] as number) * 1.5, ASK_MAX_US);
    return through;
  }

  /** The controller says that enough nodes have all up to this frame of the present term. */
  onReplicated(frame: number): void {
    const through = Math.min(frame, this.registers[0] as number);
    this.end((write) => write.frame > 0 && write.frame <= through, true);
  }

  tick(): void {
    if (this.isHold || this.waiting.length === 0) return;
    const { nowUs } = this.clock;
    this.end(({ sinceUs }) => nowUs - sinceUs > PATIENCE_US, false);
  }

  /** This node goes on as controller: what of it is in its term (`includes`: in what it held) is for that to follow up. */
  release(includes: (term: number, sequence: number) => boolean): readonly CopiedWrite[] {
    if (this.waiting.length === 0) return [];
    this.end(({ frame, term, sequence }) => frame === 0 && !includes(term, sequence), false);
    const { waiting } = this;
    this.waiting = [];
    this.registers[0] = 0;
    return waiting;
  }

  private end(isOver: (waiting: Waiting) => boolean, isReplicated: boolean): void {
    const over = this.waiting.filter(isOver);
    if (over.length === 0) return;
    this.waiting = this.waiting.filter((waiting) => !isOver(waiting));
    for (const { done } of over) done(isReplicated);
  }
}
