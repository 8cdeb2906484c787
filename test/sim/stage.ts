/**
 * Stage: a mesh in virtual time of which a test says what goes wrong when, to measure how long the answer takes.
 *
 * The oracle watches as in any run. Nobody writes but the test, so that a change stands alone and is followed by
 * nothing that could repair it but what the protocol sends by itself.
 */
import { ValueType } from "../../src/state/declaration.js";
import { Reject } from "../../src/state/reject.js";
import { LANES } from "../../src/state/state.js";
import type { Machine } from "./machine.js";
import { listedConflicts } from "./merges.js";
import type { Link } from "./network.js";
import { numberOf, SHARED } from "./show.js";
import { Simulation } from "./simulation.js";

const STEP_US = 1_000;
const START_LIMIT_US = 10_000_000;
/** Not critical: nothing is sent for it but what is sent for every change. */
const PATH = SHARED[0];

export class Stage {
  readonly simulation: Simulation;

  constructor(nodes: number, seed = 1, isHold = false) {
    this.simulation = new Simulation({ seed, nodes, minutes: 0, faults: [], isHold });
  }

  /** A mesh that has come to rest. */
  static settled(nodes: number, seed = 1, isHold = false): Stage {
    const stage = new Stage(nodes, seed, isHold);
    stage.simulation.start();
    stage.until(() => stage.simulation.isSettled, START_LIMIT_US);
    stage.wait(1_000);
    return stage;
  }

  get machines(): readonly Machine[] {
    return this.simulation.machines;
  }

  /** What the oracle found, or "". */
  get violation(): string {
    return this.simulation.oracle.violation?.message ?? "";
  }

  get controllers(): Machine[] {
    return this.machines.filter((machine) => machine.isController);
  }

  get controller(): Machine {
    const [first, second] = this.controllers;
    if (first === undefined || second !== undefined) throw new Error(`${this.controllers.length} nodes control`);
    return first;
  }

  wait(ms: number): void {
    this.simulation.advance(ms * 1_000);
  }

  /** How long until it is so, in milliseconds of virtual time; throws after `limitUs`. */
  until(isSo: () => boolean, limitUs: number): number {
    const { timeline } = this.simulation;
    const beganUs = timeline.nowUs;
    while (!isSo()) {
      if (timeline.nowUs - beganUs > limitUs) throw new Error(`not so after ${limitUs / 1e6} s: ${isSo.toString()}`);
      if (this.violation !== "") throw new Error(this.violation);
      this.simulation.advance(STEP_US);
    }
    return (timeline.nowUs - beganUs) / 1_000;
  }

  /** Every link is as `change` makes it; without one all are well. */
  bend(change?: (link: Link, from: number, to: number) => void): void {
    const count = this.machines.length;
    this.simulation.network.reshape((linkOf) => {
      if (change === undefined) return;
      for (let from = 0; from < count; from++) {
        for (let to = 0; to < count; to++) if (from !== to) change(linkOf(from, to), from, to);
      }
    });
  }

  /** Writes a whole number that nobody wrote before; answers it. */
  write(machine: Machine, path: string = PATH): number {
    const { oracle } = this.simulation;
    const write = oracle.wrote(machine, path);
    machine.turn(({ core, writes }) => {
      core.staging.value(write.number);
      const reject = writes.write(core.state.idOf(path), writes.surface(""));
      if (reject !== Reject.none) oracle.answered(write, reject);
      else writes.whenDone((later, _, isReplicated) => oracle.answered(write, later, isReplicated));
    });
    return write.number;
  }

  /** The number of the write that a node shows. */
  shown({ hana }: Machine): number {
    if (hana === undefined) return Number.NaN;
    const { state } = hana.core;
    return numberOf(ValueType.int, state.numbers[state.idOf(PATH) * LANES] as number, undefined);
  }

  /** How long until all of them show it, in milliseconds. */
  spread(number: number, machines: readonly Machine[] = this.machines, limitMs = 30_000): number {
    return this.until(() => machines.every((machine) => this.shown(machine) >= number), limitMs * 1_000);
  }

  /** The paths that a node has conflicts of on record. */
  conflictsAt({ hana }: Machine): string[] {
    return hana === undefined ? [] : listedConflicts(hana.core.state, "", this.simulation.oracle);
  }

  /** One controller, whom all that run follow. */
  get isWhole(): boolean {
    return this.simulation.isSettled;
  }

  /** One of these controls, whom all the others of them follow; whatever the rest do. */
  isWholeAmong(machines: readonly Machine[]): boolean {
    const controllers = machines.filter(({ isController }) => isController);
    const term = controllers[0]?.hana?.roles.term;
    if (controllers.length !== 1 || term === undefined) return false;
    return machines.every(({ isInSync, hana }) => {
      const own = hana?.roles.term;
      return isInSync && own?.number === term.number && own.node === term.node;
    });
  }

  /** Whether nobody that runs waits for what became of a write. */
  get isAnswered(): boolean {
    return this.machines.every(
      ({ hana }) =>
        hana === undefined ||
        (hana.pending.size === 0 && hana.controller.critical.size === 0 && hana.follower.copies.size === 0),
    );
  }

  get elapsedS(): number {
    return this.simulation.elapsedS;
  }

  sum(count: (machine: Machine) => number): number {
    return this.machines.reduce((sum, machine) => sum + count(machine), 0);
  }
}

export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
}
