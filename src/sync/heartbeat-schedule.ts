/**
 * HeartbeatSchedule: when the controller repeats itself. 4, 8, 16, 32 and 64 ms after the last change, then every
 * 100 ms: the last changes reach everybody fast although nothing follows them. Told the time.
 */
import type { Clock } from "../base/clock.js";

const FIRST_US = 4_000;
const QUIET_US = 100_000;
/** Heartbeats that say more of the controller (ports, digests) come this often, and always when quiet. */
const INFO_US = 500_000;
/** protocol.md: digests at least every second. */
const INFO_MOST_US = 1_000_000;

export class HeartbeatSchedule {
  private readonly clock: Clock;
  /** [0] due in microseconds, [1] the step after that, [2] when the last info went out. */
  private readonly registers = new Float64Array([Number.POSITIVE_INFINITY, QUIET_US, Number.NEGATIVE_INFINITY]);

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get dueUs(): number {
    const due = this.registers[0] as number;
    return due === Number.POSITIVE_INFINITY ? due : Math.min(due, (this.registers[2] as number) + INFO_MOST_US);
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

  /** Whether a heartbeat is due; if so it is taken as sent. */
  take(): boolean {
    const now = this.clock.nowUs;
    if (now < this.dueUs) return false;
    // Due for its info alone: a stream that never pauses puts the steps off for ever.
    if (now < (this.registers[0] as number)) return true;
    this.registers[0] = now + Math.min(this.registers[1] as number, QUIET_US);
    this.registers[1] = Math.min((this.registers[1] as number) * 2, QUIET_US);
    return true;
  }

  /** Whether this heartbeat carries the info section. */
  takeInfo(): boolean {
    const isQuiet = this.registers[1] === QUIET_US;
    const isDue = this.clock.nowUs - (this.registers[2] as number) >= (isQuiet ? QUIET_US : INFO_US);
    if (isDue) this.registers[2] = this.clock.nowUs;
    return isDue;
  }
}
