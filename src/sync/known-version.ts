/**
 * KnownVersion: which version of the state every node in sync must have said to have by now. For the order in which
 * nodes may take control: of two that are like each other, one that is behind goes after the other.
 *
 * Nodes report once a second and hear of each other's reports once a second, so what they are said to have is old, and of
 * another age for each. Nobody is told to be behind for that: only what the controller had two reports ago counts. All
 * but the one that is behind come to the same order, or two would ask at once. Told the time and the controller's own row.
 */
import type { Clock } from "../base/clock.js";

/** Longer than the time between two reports, and between two lists of peers. */
const APART_US = 1_300_000;

export class KnownVersion {
  private readonly clock: Clock;
  /** [0] what the controller had lately, [1] when that was told, [2] what it had at least `APART_US` before that. */
  private readonly registers = new Float64Array(3);

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Another controller is followed. */
  restart(): void {
    this.registers.fill(0);
  }

  /** The controller says that it has this change. */
  told(sequence: number): void {
    const { registers } = this;
    const { nowUs } = this.clock;
    if (nowUs - (registers[1] as number) < APART_US) return;
    registers[2] = registers[0] as number;
    registers[0] = sequence;
    registers[1] = nowUs;
  }

  /** What a node with this change counts as having: as much as anybody, unless it is behind. */
  of(sequence: number): number {
    return Math.min(sequence, this.registers[2] as number);
  }
}
