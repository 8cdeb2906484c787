/**
 * HeartbeatSchedule: when the controller repeats itself. Told the time.
 *
 * On the stream 4, 11, 25, 53 and 109 ms after the last change, then every 100 ms: the last changes reach everybody fast
 * although nothing follows them. And to all nodes, whoever they follow, every 100 ms when quiet, every 200 ms at most:
 * a controller hears no other stream, so that is how it learns that it has a rival.
 */
import type { Clock } from "../base/clock.js";

const FIRST_US = 3_500;
const QUIET_US = 100_000;
/** A rival is to be noticed within 250 ms, however busy the stream is. */
const ANNOUNCE_BUSY_US = 200_000;

export class HeartbeatSchedule {
  private readonly clock: Clock;
  /** [0] due in microseconds, [1] the step after that, [2] when the last announcement went out. */
  private readonly registers = new Float64Array([Number.POSITIVE_INFINITY, QUIET_US, Number.NEGATIVE_INFINITY]);

  /** Time between two announcements while the stream is busy. */
  busyUs = ANNOUNCE_BUSY_US;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get dueUs(): number {
    const due = this.registers[0] as number;
    return due === Number.POSITIVE_INFINITY ? due : Math.min(due, this.announceDueUs);
  }

  private get announceDueUs(): number {
    const isQuiet = this.registers[1] === QUIET_US;
    return (this.registers[2] as number) + (isQuiet ? QUIET_US : this.busyUs);
  }

  start(): void {
    this.registers[0] = this.clock.nowUs;
    this.registers[2] = Number.NEGATIVE_INFINITY;
    this.registers[1] = QUIET_US;
  }

  stop(): void {
    this.registers[0] = Number.POSITIVE_INFINITY;
  }

  /** A frame with changes went out. */
  onChange(): void {
    this.registers[0] = (this.clock.register[0] as number) + FIRST_US;
    this.registers[1] = FIRST_US * 2;
  }

  /** Whether a heartbeat on the stream is due; if so it is taken as sent. */
  take(): boolean {
    const now = this.clock.nowUs;
    if (now < (this.registers[0] as number)) return false;
    this.registers[0] = now + Math.min(this.registers[1] as number, QUIET_US);
    this.registers[1] = Math.min((this.registers[1] as number) * 2, QUIET_US);
    return true;
  }

  /** Whether an announcement is due; if so it is taken as sent. */
  takeAnnouncement(): boolean {
    const now = this.clock.nowUs;
    if (this.registers[0] === Number.POSITIVE_INFINITY || now < this.announceDueUs) return false;
    this.registers[2] = now;
    return true;
  }
}
