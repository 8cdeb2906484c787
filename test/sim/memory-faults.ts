/**
 * Memory faults: what a bit that falls over does to a node. Changes a value or its version behind the node's back, and says
 * whether it was repaired in time. Only followers in sync are hit: a controller's error is the truth.
 */
import { ValueType } from "../../src/state/declaration.js";
import { LANES } from "../../src/state/state.js";
import type { Machine } from "./machine.js";
import type { Oracle } from "./oracle.js";
import type { Poke } from "./pokes.js";
import { IMPULSES, LEVEL, numberOf } from "./show.js";

export class MemoryFaults {
  private readonly oracle: Oracle;
  private readonly nowUs: () => number;

  constructor(oracle: Oracle, nowUs: () => number) {
    this.oracle = oracle;
    this.nowUs = nowUs;
  }

  /** Changes a value or its version behind the node's back. `where` and `how`: 0..1. */
  poke(machine: Machine, where: number, how: number): void {
    const { hana } = machine;
    if (hana === undefined || machine.isController || !machine.isInSync) return;
    const paths = [...this.oracle.shownPaths]
      .map((shown) => shown.path)
      .filter((path) => !(IMPULSES as readonly string[]).includes(path));
    const path = paths[Math.floor(where * paths.length)] as string;
    const nowUs = this.nowUs();
    const isAhead = how >= 0.125 && how < 0.25;
    const poke = { machine, boot: machine.boot, path, atUs: nowUs, isAhead, sinceUs: nowUs };
    // What cannot be told from right cannot be told to be repaired.
    if (this.oracle.pokes.covers(machine, path) || !this.isRight(machine, path)) return;
    const { state } = hana.core;
    const id = state.idOf(path);
    if (how < 0.25) state.sequences[id] = (state.sequences[id] as number) + (isAhead ? 1e6 : -1);
    else if (state.types[id] === ValueType.string) state.texts[id] = "poked";
    else if (path === LEVEL) state.numbers[id * LANES] = ((state.numbers[id * LANES] as number) + 0.37) % 1;
    // Not what the next one writes there: that would change nothing, and be answered at once.
    else state.numbers[id * LANES] = -1 - (state.numbers[id * LANES] as number);
    this.oracle.pokes.add(poke);
  }

  /** `limitUs`: how long a node in sync may take to repair itself. */
  settle(limitUs: number, controllers: readonly Machine[]): void {
    const isRight = ({ machine, path, isAhead }: Poke): boolean =>
      this.isRight(machine, path) && (!isAhead || this.isCurrent(machine, path, controllers));
    const late = this.oracle.pokes.settle(isRight, this.nowUs(), limitUs);
    if (late !== undefined)
      this.oracle.fail(late.machine, `${late.path} changed by itself and was not repaired in time`);
  }

  /** Whether a path holds what its controller has. */
  private isCurrent(machine: Machine, path: string, controllers: readonly Machine[]): boolean {
    const own = this.oracle.versionOf(machine, path);
    return controllers.some((controller) => {
      if (controller.hana?.roles.term.number !== machine.hana?.roles.term.number) return false;
      const theirs = this.oracle.versionOf(controller, path);
      return theirs?.term === own?.term && theirs?.sequence === own?.sequence;
    });
  }

  /** Whether a path holds what was written there at its version. */
  private isRight(machine: Machine, path: string): boolean {
    const version = this.oracle.versionOf(machine, path);
    const state = machine.hana?.core.state;
    if (version === undefined || state === undefined) return false;
    const id = state.idOf(path);
    const value = numberOf(state.types[id] as ValueType, state.numbers[id * LANES] as number, state.texts[id]);
    const entry = version.term.at(version.sequence);
    return entry?.path === path && entry.value === value;
  }
}
