/**
 * Conflict watch: keeps saying that there are conflicts, on every node, until somebody acknowledged or decided them.
 * A controller removes the records that say nothing: one that died over them declared them, and their text died with it.
 * Told the time; it changes nothing else.
 */
import type { Applier } from "./applier.js";
import { conflictIds } from "./conflicts.js";
import type { Controller } from "./controller.js";
import type { NodeCore } from "./core.js";
import { HealthCode } from "./health.js";

const EVERY_US = 500_000;
const OPEN = '"isOpen":true';

export interface ConflictWatchParts {
  readonly core: NodeCore;
  readonly applier: Applier;
  readonly controller: Controller;
  setHealth(code: HealthCode, text: string): void;
}

export class ConflictWatch {
  private readonly node: ConflictWatchParts;
  private ids: number[] = [];
  private generation = -1;
  /** [0] when it looks next. */
  private readonly registers = new Float64Array(1);

  constructor(node: ConflictWatchParts) {
    this.node = node;
  }

  tick(): void {
    const { core } = this.node;
    const now = core.clock.nowUs;
    if (now < (this.registers[0] as number)) return;
    this.registers[0] = now + EVERY_US;
    if (this.generation !== core.state.generation) {
      this.generation = core.state.generation;
      this.ids = conflictIds(core);
    }
    // Those that found no room are told of until the list has been dealt with.
    if (this.ids.length === 0) this.node.setHealth(HealthCode.conflictUnlisted, "");
    this.removeEmpty();
    const texts = this.ids.map((id) => String(core.state.texts[id])).filter((text) => text !== "");
    const open = texts.filter((text) => text.includes(OPEN)).length;
    this.node.setHealth(HealthCode.conflictOpen, open === 0 ? "" : openText(open));
    const resolved = texts.length - open;
    this.node.setHealth(HealthCode.conflict, resolved === 0 ? "" : resolvedText(resolved));
  }

  /** Nothing lists them, so nobody could acknowledge them. */
  private removeEmpty(): void {
    const { core, applier, controller } = this.node;
    for (const id of this.ids) {
      if (!controller.takesWrites || !controller.publisher.hasEventRoom) return;
      if (core.state.exists(id) && core.state.texts[id] === "") applier.commitRemove(id, 0);
    }
  }
}

function openText(count: number): string {
  return `${count} ${count === 1 ? "path was" : "paths were"} changed on both sides of a divided network and nobody has decided which value holds: \`hana conflicts\``;
}

function resolvedText(count: number): string {
  return `${count} ${count === 1 ? "path that was" : "paths that were"} changed on both sides of a divided network got one side's value: see \`hana conflicts\`, then \`hana conflicts acknowledge all\``;
}
