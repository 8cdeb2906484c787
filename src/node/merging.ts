/**
 * Merging: carries out what `sync/merge.ts` plans. In a term that was opened for it, what another side had changed is
 * committed as this side's changes, as fast as the publisher takes it; what both had changed goes on record.
 *
 * It decides nothing about who stays, and drops nothing without a word: what it cannot commit is told (`merge-refusals.ts`).
 */
import { coerce } from "../state/coerce.js";
import { ValueType } from "../state/declaration.js";
import type { Declaration } from "../state/declaration.js";
import type { MergePolicies } from "../state/merge-policy.js";
import { Reject } from "../state/reject.js";
import type { State } from "../state/state.js";
import type { Lineage } from "../sync/lineage.js";
import { type Conflict, type MergeStep, planMerge, redeclares } from "../sync/merge.js";
import { recordConflicts } from "./conflicts.js";
import { HealthCode } from "./health.js";
import { MergeRefusals } from "./merge-refusals.js";
import type { NodeParts } from "./parts.js";
import type { NodePorts } from "./ports.js";
import type { Side } from "./side.js";

const LOST_TEXT = "more conflicts than there is room for: the rest is not listed";

export class Merging {
  private readonly node: NodeParts;
  private readonly ports: NodePorts;
  private readonly policies: MergePolicies;
  private readonly refusals: MergeRefusals;
  private side: Side | undefined;
  private steps: readonly MergeStep[] = [];
  private nextStep = 0;
  private conflicts: readonly Conflict[] = [];

  constructor(node: NodeParts, ports: NodePorts, policies: MergePolicies) {
    this.node = node;
    this.ports = ports;
    this.policies = policies;
    this.refusals = new MergeRefusals(node);
  }

  /** A term is open, and what is to be done in it is known. */
  get isBusy(): boolean {
    return this.side !== undefined;
  }

  /** Begins in the term that was opened for it. */
  begin(side: Side): void {
    const { core } = this.node;
    const mine = { state: core.state, includes: core.lineage.includes.bind(core.lineage) };
    const theirs = { state: side.state, includes: side.lineage.includes.bind(side.lineage) };
    const { steps, conflicts } = planMerge(mine, theirs, core, this.policies);
    const isStructure = (step: MergeStep): boolean =>
      step.kind !== "take" || step.from !== step.path || redeclares(core.state, side.state, step);
    this.side = side;
    this.steps = [...steps.filter(isStructure), ...steps.filter((step) => !isStructure(step))];
    this.nextStep = 0;
    this.conflicts = conflicts;
  }

  tick(): void {
    this.refusals.tick();
  }

  /** Its side offers it again. */
  drop(): void {
    this.side = undefined;
    this.steps = [];
    this.conflicts = [];
    this.refusals.drop();
  }

  /** Commits what there is room for; the rest follows as it is published. True when all of it is here. */
  drain(): boolean {
    const { side } = this;
    const { controller } = this.node;
    if (side === undefined) return false;
    while (this.nextStep < this.steps.length && controller.publisher.hasEventRoom) {
      this.carryOut(side.state);
      controller.relieve();
    }
    const isDone = this.nextStep >= this.steps.length;
    if (isDone) this.finish(side);
    this.ports.requestSettle();
    return isDone;
  }

  /** The next step, with those that were one write with it. */
  private carryOut(theirs: State): void {
    const { applier, controller } = this.node;
    const first = this.steps[this.nextStep] as MergeStep;
    let end = this.nextStep + 1;
    while (end < this.steps.length && isTogether(first, this.steps[end] as MergeStep)) end++;
    applier.isGrouped = end - this.nextStep > 1;
    for (; this.nextStep < end; this.nextStep++) this.commit(this.steps[this.nextStep] as MergeStep, theirs);
    if (applier.isGrouped) {
      applier.isGrouped = false;
      controller.publisher.pump();
    }
  }

  private commit(step: MergeStep, theirs: State): void {
    const { core, applier } = this.node;
    const { state } = core;
    // Whatever was written here since is the newer.
    const isSame = step.mine < 0 ? state.idOf(step.path) < 0 : state.sequences[step.mine] === step.sequence;
    if (!isSame || (step.mine >= 0 && state.pathOf(step.mine) !== step.from)) return;
    if (step.kind === "remove") {
      applier.commitRemove(step.mine, 0);
      return;
    }
    const reject = this.take(step, theirs);
    if (reject !== Reject.none) this.refusals.note(step.path, reject);
  }

  /** Puts what the other side has in its place. */
  private take(step: MergeStep, theirs: State): Reject {
    const { core, applier } = this.node;
    const { state } = core;
    let reject: Reject = Reject.none;
    if (step.from !== step.path) reject = applier.commitRename(step.mine, step.path, step.origin);
    if (reject !== Reject.none || step.kind === "rename") return reject;
    if (redeclares(state, theirs, step)) reject = this.declare(step, theirs.declarationOf(step.theirs) as Declaration);
    if (reject !== Reject.none) return reject;
    const id = state.idOf(step.path);
    if (state.types[id] === ValueType.impulse) return Reject.none;
    stage(core.staging, theirs, step.theirs);
    reject = coerce(state, id, core.staging);
    if (reject === Reject.none) applier.commitMerged(id, step.origin, step.timeUs);
    return reject;
  }

  private declare({ path, origin }: MergeStep, declaration: Declaration): Reject {
    const { applier } = this.node;
    let reject = applier.commitDeclare(path, declaration, origin);
    // The alias leads elsewhere by now, and stays there.
    if (reject === Reject.aliasTaken) reject = applier.commitDeclare(path, { ...declaration, oscAlias: "" }, origin);
    return reject;
  }

  /**
   * All of it is here: put on record, and said to the followers. In this order: whoever is cut off in between and goes on
   * as controller says that it has the other side only when it has the records too.
   */
  private finish({ head, lineage: theirs, standings }: Side): void {
    const { node } = this;
    const { core, applier } = node;
    const lost = recordConflicts(core, applier, this.conflicts);
    this.includeParts(theirs);
    // Last, and always: what only had more beyond a gap is told of too, and whoever listens knows by it which side it was.
    applier.commitLineage(applier.termIndex(head.number, head.node), theirs.through(theirs.present));
    core.counters.merges++;
    core.counters.conflicts += this.conflicts.length;
    core.counters.conflictsUnlisted += lost;
    if (lost > 0) node.setHealth(HealthCode.conflictUnlisted, LOST_TEXT);
    this.refusals.tell();
    node.controller.writeDesk.meet(standings);
    this.drop();
    // A long merge ends after others were told what can be fetched here: now it is made of more.
    this.ports.onServing();
  }

  /** What the other side is made of, beside the term that it is of. */
  private includeParts(theirs: Lineage): void {
    const { core, applier } = this.node;
    for (const { number, node, sequence } of theirs.entries().slice(0, -1)) {
      const term = applier.termIndex(number, node);
      if (term > 0 && !core.lineage.includes(term, sequence)) applier.commitLineage(term, sequence);
    }
  }
}

function isTogether(one: MergeStep, other: MergeStep): boolean {
  const areValues = one.kind === "take" && other.kind === "take";
  return areValues && one.mine >= 0 && other.mine >= 0 && one.timeUs === other.timeUs && one.origin === other.origin;
}

/** Puts a value of the other side in hand; an enum's by its name, because its place may be another here. */
function stage(staging: Parameters<State["load"]>[1], theirs: State, id: number): void {
  if (theirs.types[id] === ValueType.enum) staging.string(theirs.valueOf(id) as string);
  else theirs.load(id, staging);
}
