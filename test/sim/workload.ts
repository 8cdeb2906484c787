/**
 * Workload: who writes what, and when. All kinds of writes from all nodes, the same paths by several at once.
 *
 * It tells the oracle of every write before the node hears of it, and of every answer.
 */
import type { Random } from "../../src/base/random.js";
import { completeDeclaration } from "../../src/state/declaration.js";
import { Reject } from "../../src/state/reject.js";
import type { Machine } from "./machine.js";
import { SURFACES, tagOf } from "./impulse-watch.js";
import type { Oracle } from "./oracle.js";
import { IMPULSES, LEVEL, ownPath, PAIR, SHARED, type ShownPath, valueFor } from "./show.js";
import type { Timeline } from "./timeline.js";

/** Mean time between two things that somebody does. */
const PACE_US = 30_000;
const FADER_STEPS = 40;
const FADER_STEP_US = 2_000;
const WINDOWS = 12;

export class Workload {
  private readonly machines: readonly Machine[];
  private readonly oracle: Oracle;
  private readonly timeline: Timeline;
  private readonly random: Random;
  private readonly declarations = new Map<string, ShownPath["declaration"]>();
  private isOver = false;
  private names = 0;
  private pairs = 0;
  private readonly surfaces: Int32Array;

  constructor(
    machines: readonly Machine[],
    show: readonly ShownPath[],
    oracle: Oracle,
    timeline: Timeline,
    random: Random,
  ) {
    this.machines = machines;
    this.oracle = oracle;
    this.timeline = timeline;
    this.random = random;
    this.surfaces = new Int32Array(machines.length);
    for (const { path, declaration } of show) this.declarations.set(path, declaration);
  }

  start(): void {
    this.timeline.after(1 - Math.log(1 - this.random.next()) * PACE_US, () => {
      if (this.isOver) return;
      this.step();
      this.start();
    });
  }

  stop(): void {
    this.isOver = true;
  }

  private below(count: number): number {
    return Math.floor(this.random.next() * count);
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  private step(): void {
    const machine = this.pick(this.machines);
    const what = this.below(100);
    // Drawn before it is known whether the node runs, so that its death changes nothing for the others.
    const path = this.pick(SHARED);
    const where = this.below(1_000);
    if (!machine.isUp || machine.isPaused) return;
    if (what < 30) this.write(machine, path);
    else if (what < 52) this.write(machine, ownPath(machine.index));
    else if (what < 60) this.write(machine, LEVEL);
    else if (what < 70) this.writePair(machine);
    else if (what < 83) this.trigger(machine, IMPULSES[where % 2] as string);
    else if (what < 86) this.fade(machine, where % 3 === 0 ? path : ownPath(machine.index), FADER_STEPS);
    else if (what < 90) this.writeNonsense(machine);
    else this.restructure(machine, what, where);
  }

  private write(machine: Machine, path: string): void {
    machine.turn(() => this.put(machine, path));
  }

  private put(machine: Machine, path: string, pair = 0): void {
    const { hana } = machine;
    const declaration = this.declarations.get(path);
    if (hana === undefined || declaration === undefined) return;
    const write = this.oracle.wrote(machine, path, pair);
    const { state, staging } = hana.core;
    staging.value(valueFor(declaration, write.number));
    const reject = hana.writes.write(state.idOf(path), hana.writes.surface(""));
    if (reject !== Reject.none) this.oracle.answered(write, reject);
    else hana.writes.whenDone((later, _, isReplicated) => this.oracle.answered(write, later, isReplicated));
  }

  private writePair(machine: Machine): void {
    machine.turn(({ writes }) => {
      writes.beginGroup();
      this.pairs++;
      for (const path of PAIR) this.put(machine, path, this.pairs);
      writes.endGroup();
    });
  }

  private fade(machine: Machine, path: string, steps: number): void {
    this.write(machine, path);
    if (steps > 1) machine.later(FADER_STEP_US, () => this.fade(machine, path, steps - 1));
  }

  private trigger(machine: Machine, path: string): void {
    const surface = `t${(this.surfaces[machine.index] as number) % SURFACES}`;
    this.surfaces[machine.index] = (this.surfaces[machine.index] as number) + 1;
    const tag = tagOf(machine.index, surface, path);
    machine.turn(({ core, writes }) => {
      const index = writes.surface(surface);
      this.oracle.impulses.triggered(tag);
      if (writes.trigger(core.state.idOf(path), index) !== Reject.none) this.oracle.impulses.untriggered(tag);
    });
  }

  /** What must be refused, or moved into its range. */
  private writeNonsense(machine: Machine): void {
    machine.turn(({ core, writes }) => {
      const surface = writes.surface("");
      core.staging.value(Number.NaN);
      if (writes.write(core.state.idOf(LEVEL), surface) === Reject.none) this.oracle.fail(machine, "took NaN");
      core.staging.value("text");
      if (writes.write(core.state.idOf("/viz/vec"), surface) === Reject.none) this.oracle.fail(machine, "took a text");
      core.staging.value(1e12);
      writes.write(core.state.idOf(LEVEL), surface);
    });
  }

  /** Paths that come, go and change their names. */
  private restructure(machine: Machine, what: number, where: number): void {
    machine.turn(({ core, writes }) => {
      const { state } = core;
      const own = [...state.ids()].filter((id) => state.pathOf(id).startsWith("/windows/"));
      const id = own[where % Math.max(1, own.length)];
      if (what < 95 || id === undefined) {
        const type = where % 2 === 0 ? "double" : "string";
        const declaration = completeDeclaration({ type, description: `${where % 3}` });
        writes.declare(`/windows/w${where % WINDOWS}`, declaration, 0);
      } else if (what < 97) writes.rename(id, `/windows/r${this.names++ % WINDOWS}`, 0);
      else if (what < 98) writes.remove(id, 0);
      else {
        core.staging.value(where % 2 === 0 ? where : `text ${where}`);
        writes.write(id, 0);
      }
    });
  }
}
