/**
 * AnnouncedFrames: when a frame that was announced, and is not here, counts as missing. Told the time.
 *
 * Announcements come by another group than the stream, so they may be there before frames that are still on their way
 * or wait in the other socket: that alone is no loss, and asking for those frames would be a needless repair or, far
 * behind, a needless snapshot. What is missing the stream itself shows, by its next frame or heartbeat. Only a stream
 * that stands still over three announcements in a row is taken to be cut off, and what is announced for missing. They
 * must be apart in time, for a node that was held up reads many at once.
 */
import type { Clock } from "../base/clock.js";

const APART_US = 50_000;
const STILL_MAX = 3;

export class AnnouncedFrames {
  private readonly clock: Clock;
  /** [0] the newest frame that the stream showed, [1] when an announcement last found it so. */
  private readonly registers = new Float64Array([-1, 0]);
  private still = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Another stream is followed. */
  clear(): void {
    this.registers[0] = -1;
  }

  /** A frame beyond `newest`, the newest that the stream showed, is announced: whether it counts as missing. */
  areMissing(newest: number): boolean {
    const { registers } = this;
    const now = this.clock.register[0] as number;
    if (registers[0] !== newest) this.still = 0;
    else if (now - (registers[1] as number) < APART_US) return false;
    registers[0] = newest;
    registers[1] = now;
    this.still++;
    return this.still >= STILL_MAX;
  }
}
