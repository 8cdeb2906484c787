/**
 * LossMeasure: which share of its controller's frames does not reach a follower by itself. Told the time and what comes.
 *
 * Frames with changes count; at rest the heartbeats do, which come every 100 ms then. What a journal, a repair or a
 * conflated round brought was lost on its first way. Older seconds count less and less: one frame lost of one is no
 * loss of all.
 */
import type { Clock } from "../base/clock.js";

const HEARTBEAT_US = 100_000;
/** A longer silence is no loss but trouble of the group. */
const MISSED_MAX = 5;
const MEMORY_US = 2_000_000;
/** Fewer frames say nothing. */
const FRAMES_MIN = 3;

export class LossMeasure {
  private readonly clock: Clock;
  /** [0] when the stream was heard last; [1] when it was measured; [2] frames heard and [3] lost, faded. */
  private readonly registers = new Float64Array(4);
  private heard = 0;
  private missed = 0;
  /** Frames lost, as they were counted at the last measurement. */
  private lostBefore = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** A frame of the stream came, by the group or as a copy. */
  onStream(isHeartbeat: boolean): void {
    const { registers } = this;
    const now = this.clock.register[0] as number;
    if (!isHeartbeat) this.heard++;
    else if (now - (registers[0] as number) > HEARTBEAT_US * 0.9) {
      this.heard++;
      this.missed += Math.min(MISSED_MAX, Math.round((now - (registers[0] as number)) / HEARTBEAT_US) - 1);
    }
    registers[0] = now;
  }

  /** Frames came by another way that is as good. */
  onOtherwise(frames: number): void {
    this.heard += frames;
  }

  /** Another controller is followed. */
  restart(): void {
    this.registers[0] = this.clock.nowUs;
    this.missed = 0;
    this.heard = 0;
  }

  /** The share that was lost lately, in 1/1000. `lost`: frames that came late, ever. */
  measure(lost: number): number {
    const { registers } = this;
    const { nowUs } = this.clock;
    const fade = Math.exp(-Math.max(0, nowUs - (registers[1] as number)) / MEMORY_US);
    registers[1] = nowUs;
    registers[2] = (registers[2] as number) * fade + this.heard;
    registers[3] = (registers[3] as number) * fade + this.missed + (lost - this.lostBefore);
    this.lostBefore = lost;
    this.heard = 0;
    this.missed = 0;
    const frames = (registers[2] as number) + (registers[3] as number);
    return frames < FRAMES_MIN ? 0 : Math.min(1_000, Math.round((1_000 * (registers[3] as number)) / frames));
  }
}
