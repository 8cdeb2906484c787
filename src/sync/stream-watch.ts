/**
 * StreamWatch: whether the group of the stream reaches this follower, and what to do while it does not. Told the time
 * and what was heard; it sends nothing.
 *
 * A controller is never silent on the stream for more than 100 ms. When it is for 450 ms, or when nothing at all is
 * heard of it for 300 ms, before anybody may take it for dead, its frames are asked for by unicast: a controller that
 * is gone does not answer, and one whose multicast does not arrive does at once. The question is repeated while the
 * group stays silent; once it has been heard for a second without a gap, no more is asked.
 */
import type { Clock } from "../base/clock.js";

/** Four heartbeats. */
const SILENT_US = 450_000;
/** Before silence counts (500 ms), with time for an answer. */
const MUTE_US = 300_000;
const ASK_EVERY_US = 300_000;
const BACK_US = 1_000_000;
/** What lasts this long is told, and the groups are joined anew. */
const TOLD_US = 1_000_000;
/** A loop that was held up this long has not heard what is queued in its sockets. */
const LAG_US = 200_000;

export const StreamTrouble = { none: 0, stream: 1, all: 2 } as const;
export type StreamTrouble = (typeof StreamTrouble)[keyof typeof StreamTrouble];

export class StreamWatch {
  private readonly clock: Clock;
  /**
   * [0] when the group of the stream was heard, [1] and that in which all meet, [2] since when there is trouble,
   * [3] since when the group is heard again, [4] next question, [5] last tick.
   */
  private readonly registers = new Float64Array(6);
  private isTrouble = false;
  /** How often trouble began. */
  begun = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Another controller is followed: it has had no time to be heard. */
  restart(): void {
    this.isTrouble = false;
    this.registers.fill(this.clock.nowUs);
  }

  /** A frame came by the group of the stream. */
  heardStream(): void {
    const { registers } = this;
    const now = this.clock.register[0] as number;
    if (this.isTrouble && now - (registers[0] as number) > SILENT_US) registers[3] = now;
    registers[0] = now;
  }

  /** An announcement came by the group in which all meet. */
  heardMeeting(): void {
    this.registers[1] = this.clock.register[0] as number;
  }

  /** `muteUs`: how long nothing at all was heard of the controller. Answers whether its frames are to be asked for now. */
  tick(muteUs: number): boolean {
    const { registers } = this;
    const { nowUs } = this.clock;
    if (nowUs - (registers[5] as number) > LAG_US) registers[0] = Math.max(registers[0] as number, nowUs - MUTE_US);
    registers[5] = nowUs;
    const silentUs = nowUs - (registers[0] as number);
    if (!this.isTrouble && (silentUs > SILENT_US || (muteUs > MUTE_US && silentUs > MUTE_US))) this.begin(nowUs);
    if (!this.isTrouble) return false;
    if (silentUs > SILENT_US) registers[3] = Number.POSITIVE_INFINITY;
    if (nowUs - (registers[3] as number) > BACK_US) {
      this.isTrouble = false;
      return false;
    }
    if (nowUs < (registers[4] as number)) return false;
    registers[4] = nowUs + ASK_EVERY_US;
    return true;
  }

  private begin(nowUs: number): void {
    this.isTrouble = true;
    this.begun++;
    this.registers[2] = nowUs;
    this.registers[3] = Number.POSITIVE_INFINITY;
    this.registers[4] = nowUs;
  }

  /** What has lasted long enough to be told: only the group of the stream is silent, or both. */
  get finding(): StreamTrouble {
    const { registers } = this;
    const { nowUs } = this.clock;
    if (!this.isTrouble || nowUs - (registers[2] as number) < TOLD_US) return StreamTrouble.none;
    return nowUs - (registers[1] as number) > TOLD_US ? StreamTrouble.all : StreamTrouble.stream;
  }
}
