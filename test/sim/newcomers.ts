/**
 * Newcomers: what programs do first with a node that has just begun. They declare paths of their own and write them, at
 * whatever moment of its start: before it heard anybody, while it joins, while its contents come.
 *
 * Whoever was told that a path is declared and its value written finds both in the mesh at rest, unless its node died.
 * No other path of a run is declared by one node alone and at such a moment.
 */
import type { Random } from "../../src/base/random.js";
import { completeDeclaration } from "../../src/state/declaration.js";
import { Reject } from "../../src/state/reject.js";
import type { Machine } from "./machine.js";

/** A join takes some 50 ms, and several times that where much is lost. */
const START_US = 300_000;
const PATHS = 3;
/** Of each machine: all of them must find room in the nodes' trees. */
const BOOTS_MAX = 6;
const INT = completeDeclaration({ type: "int" });

interface Newcomer {
  readonly machine: Machine;
  readonly boot: number;
  readonly path: string;
  readonly value: number;
  /** Undefined while its writer has no answer. */
  written: Reject | undefined;
}

export class Newcomers {
  private readonly random: Random;
  private readonly fail: (machine: Machine, text: string) => void;
  private readonly newcomers: Newcomer[] = [];
  private readonly boots = new Map<Machine, number>();

  constructor(random: Random, fail: (machine: Machine, text: string) => void) {
    this.random = random;
    this.fail = fail;
  }

  /** A machine has begun. */
  booted(machine: Machine): void {
    const boots = (this.boots.get(machine) ?? 0) + 1;
    this.boots.set(machine, boots);
    if (boots > BOOTS_MAX) return;
    for (let index = 0; index < PATHS; index++) {
      machine.later(Math.floor(this.random.next() ** 3 * START_US), () => this.declare(machine, `${boots}-${index}`));
    }
  }

  private declare(machine: Machine, name: string): void {
    machine.turn((hana) => {
      const { writes, core } = hana;
      const path = `/viz/new/${machine.index}-${name}`;
      const value = this.newcomers.length + 1;
      const declared = writes.declare(path, INT, 0);
      if (declared !== Reject.none) {
        this.fail(machine, `did not declare ${path}: reject ${declared}`);
        return;
      }
      const newcomer: Newcomer = { machine, boot: machine.boot, path, value, written: undefined };
      this.newcomers.push(newcomer);
      core.staging.value(value);
      const reject = writes.write(core.state.idOf(path), 0);
      if (reject !== Reject.none) newcomer.written = reject;
      else
        writes.whenDone((later) => {
          newcomer.written = later;
        });
    });
  }

  /** All is at rest: whoever lives has all that it brought in the mesh. */
  judge(): void {
    for (const { machine, boot, path, value, written } of this.newcomers) {
      if (machine.boot !== boot || machine.hana === undefined) continue;
      const { state } = machine.hana.core;
      const id = state.idOf(path);
      if (written === undefined) this.fail(machine, `never answered who wrote ${path} at its start`);
      else if (written !== Reject.none)
        this.fail(machine, `refused what was written to ${path} at its start: ${written}`);
      else if (id < 0) this.fail(machine, `lost ${path}, which was declared at its start`);
      else if (state.valueOf(id) !== value)
        this.fail(machine, `has ${path} = ${String(state.valueOf(id))}, not ${value}`);
    }
  }
}
