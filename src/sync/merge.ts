/**
 * Merge: two sides of a mesh become one. What changes on the side that stays, and which paths both had changed.
 *
 * A path is changed on one side when the other's lineage does not include its version. Changed on one side only: that
 * side has it. Changed on both: a conflict, resolved by the policy of its component, and always written down. The
 * result does not depend on which side stays, but where that is the question: `authority`, `manual`, and types that
 * differ. Pure: it reads both sides and answers what is to be done; it changes nothing.
 */
import { COMPONENTS, type Component } from "../state/component.js";
import { type Declaration, isText, lanesOf, type Value, ValueType } from "../state/declaration.js";
import { sameDeclaration } from "../state/declaration-bytes.js";
import { LANES, sameText, type State } from "../state/state.js";
import type { Origin, Term } from "../state/change.js";
import type { Tombstone } from "../state/tombstones.js";

/**
 * What happens to a path that both sides changed. `lww`: the later change by hybrid time. `authority`: the side that
 * stays. `manual`: the side that stays, and it is open until somebody decides.
 */
export const MERGE_POLICIES = ["lww", "authority", "manual"] as const;
export type MergePolicy = (typeof MERGE_POLICIES)[number];
export type MergePolicies = Readonly<Partial<Record<Component, MergePolicy>>>;

/** One side: its tree, and whether a change is among those that it is made of. Both use the same tables. */
export interface MergeSide {
  readonly state: State;
  includes(term: number, sequence: number): boolean;
}

export interface MergeTables {
  readonly terms: { at(index: number): Term };
  readonly origins: { at(index: number): Origin };
}

/** Something that the side that stays has to do. Ids are each side's own; `mine` is -1 for a path it does not have. */
export interface MergeStep {
  readonly kind: "take" | "remove";
  readonly path: string;
  readonly mine: number;
  readonly theirs: number;
  readonly timeUs: number;
  readonly origin: number;
  /** Of the path here when this was decided. */
  readonly sequence: number;
  /** The declaration here holds: only the value is taken. */
  readonly isValueOnly: boolean;
}

/** One side's value of a path in conflict. */
export interface ConflictSide {
  readonly value: Value;
  readonly type: string;
  readonly timeUs: number;
  readonly node: string;
  readonly surface: string;
  readonly term: number;
}

/**
 * `value`: both wrote it. `type`: both declared it, as types that do not go into each other. `removed`: one side
 * removed it, the other changed it; it lives. `renamed`: one side renamed it, the other changed it.
 */
export type ConflictKind = "value" | "type" | "removed" | "renamed";

export interface Conflict {
  readonly path: string;
  readonly kind: ConflictKind;
  readonly policy: MergePolicy;
  readonly isCritical: boolean;
  /** Whose value the path has now. */
  readonly taken: "mine" | "theirs";
  /** Nobody has decided yet. */
  readonly isOpen: boolean;
  /** The side that stays, and the one that yields; undefined where the path is gone. */
  readonly mine: ConflictSide | undefined;
  readonly theirs: ConflictSide | undefined;
}

export interface MergePlan {
  readonly steps: readonly MergeStep[];
  readonly conflicts: readonly Conflict[];
}

const SYSTEM = COMPONENTS.indexOf("system");
/** Of what nodes say of themselves only conflicts are both sides' own. */
export const CONFLICTS_PREFIX = "/system/conflicts/";

/** What `mine`, which stays, has to do so that it holds what both sides did. */
export function planMerge(mine: MergeSide, theirs: MergeSide, tables: MergeTables, policies: MergePolicies): MergePlan {
  return new Planner(mine, theirs, tables, policies).plan();
}

class Planner {
  private readonly mine: MergeSide;
  private readonly theirs: MergeSide;
  private readonly tables: MergeTables;
  private readonly policies: MergePolicies;
  private readonly steps: MergeStep[] = [];
  private readonly conflicts: Conflict[] = [];
  /** Paths here whose other name has been dealt with. */
  private readonly done = new Set<string>();

  constructor(mine: MergeSide, theirs: MergeSide, tables: MergeTables, policies: MergePolicies) {
    this.mine = mine;
    this.theirs = theirs;
    this.tables = tables;
    this.policies = policies;
  }

  plan(): MergePlan {
    const { mine, theirs } = this;
    for (const id of theirs.state.ids()) if (!theirs.state.isProvisional(id)) this.judgeTheirs(id);
    for (const id of mine.state.ids()) {
      if (mine.state.isProvisional(id) || theirs.state.idOf(mine.state.pathOf(id)) >= 0) continue;
      this.judgeOnlyMine(id);
    }
    // What was written together has one time and origin: it changes together here too.
    this.steps.sort((left, right) => left.timeUs - right.timeUs || left.origin - right.origin);
    return { steps: this.steps, conflicts: this.conflicts };
  }

  private judgeTheirs(id: number): void {
    const { state } = this.theirs;
    const path = state.pathOf(id);
    if (state.components[id] === SYSTEM && !path.startsWith(CONFLICTS_PREFIX)) return;
    const own = this.mine.state.idOf(path);
    if (own < 0) this.judgeOnlyTheirs(path, id);
    else this.judgeBoth(path, own, id);
  }

  private isNew(of: MergeSide, to: MergeSide, id: number): boolean {
    const { state } = of;
    const term = state.terms[id] as number;
    // What was there before any term every node began with by itself.
    return term !== 0 && !to.includes(term, state.sequences[id] as number);
  }

  private isStoneNew(stone: Tombstone | undefined, to: MergeSide): stone is Tombstone {
    return stone !== undefined && stone.term !== 0 && !to.includes(stone.term, stone.sequence);
  }

  private judgeBoth(path: string, own: number, id: number): void {
    const { mine, theirs } = this;
    const [left, right] = [mine.state, theirs.state];
    if (left.terms[own] === right.terms[id] && left.sequences[own] === right.sequences[id]) return;
    if (!this.isNew(theirs, mine, id)) return;
    if (!this.isNew(mine, theirs, own)) {
      if (left.types[own] !== ValueType.impulse || right.types[id] !== ValueType.impulse) this.take(path, own, id);
      return;
    }
    if (left.components[own] === SYSTEM) return;
    this.judgeConflict(path, "value", own, id);
  }

  /** Both changed it. */
  private judgeConflict(path: string, kind: ConflictKind, own: number, id: number): void {
    const [left, right] = [this.mine.state, this.theirs.state];
    if (left.types[own] === ValueType.impulse && right.types[id] === ValueType.impulse) return;
    const isFit = fits(left, own, right, id);
    if (kind === "value" && isFit && sameValue(left, own, right, id)) return;
    const isCritical = left.declarationOf(own)?.critical === true || right.declarationOf(id)?.critical === true;
    const policy = isCritical
      ? "manual"
      : (this.policies[COMPONENTS[left.components[own] as number] as Component] ?? "lww");
    const takesTheirs = isFit && policy === "lww" && this.isLater(own, id);
    if (takesTheirs) this.steps.push({ ...this.step("take", path, own, id), isValueOnly: true });
    this.note({
      ...{ path: left.pathOf(own), kind: isFit ? kind : "type", policy, isCritical },
      taken: takesTheirs ? "theirs" : "mine",
      isOpen: policy === "manual" || !isFit,
      mine: this.sideOf(left, own),
      theirs: this.sideOf(right, id),
    });
  }

  /** Whether theirs is the later change; of two at the same time the same one wins on both sides. */
  private isLater(own: number, id: number): boolean {
    const [left, right] = [this.mine.state, this.theirs.state];
    const between = (right.timesUs[id] as number) - (left.timesUs[own] as number);
    if (between !== 0) return between > 0;
    const [mine, theirs] = [left.origins[own], right.origins[id]].map((origin) => this.tables.origins.at(origin ?? 0));
    if (mine?.node !== theirs?.node) return (theirs?.node ?? "") > (mine?.node ?? "");
    if (mine?.surface !== theirs?.surface) return (theirs?.surface ?? "") > (mine?.surface ?? "");
    return valueText(right, id) > valueText(left, own);
  }

  private judgeOnlyTheirs(path: string, id: number): void {
    const { mine, theirs } = this;
    const stone = mine.state.tombstones.of(path);
    const isStoneNew = this.isStoneNew(stone, theirs);
    const isBefore = theirs.state.terms[id] === 0;
    // It was here, and was removed or renamed; or both began with it.
    if (isBefore ? isStoneNew : !this.isNew(theirs, mine, id)) return;
    const own = isStoneNew && stone.renamedTo !== "" ? mine.state.idOf(stone.renamedTo) : -1;
    if (own >= 0) this.judgeRenamedHere(own, id, stone as Tombstone);
    else if (isStoneNew) this.revive(path, id);
    else this.take(path, -1, id);
  }

  /** Renamed here, changed there: what was written to the old name goes to the new one, unless that was written since. */
  private judgeRenamedHere(own: number, id: number, stone: Tombstone): void {
    const { state } = this.mine;
    this.done.add(state.pathOf(own));
    const isUntouched = state.terms[own] === stone.term && state.sequences[own] === stone.sequence;
    const isFit = fits(state, own, this.theirs.state, id);
    if (!isUntouched || !isFit) return this.judgeConflict(state.pathOf(own), "renamed", own, id);
    this.steps.push({ ...this.step("take", state.pathOf(own), own, id), isValueOnly: true });
    this.noteLived("renamed", state.pathOf(own), own, id, "theirs");
  }

  /** Removed here, changed there: it lives, as they have it. */
  private revive(path: string, id: number): void {
    this.take(path, -1, id);
    this.noteLived("removed", path, -1, id, "theirs");
  }

  private judgeOnlyMine(own: number): void {
    const { mine, theirs } = this;
    const path = mine.state.pathOf(own);
    if (mine.state.components[own] === SYSTEM && !path.startsWith(CONFLICTS_PREFIX)) return;
    if (this.done.has(path)) return;
    const stone = theirs.state.tombstones.of(path);
    const isStoneNew = this.isStoneNew(stone, mine);
    const isBefore = mine.state.terms[own] === 0;
    if (isBefore ? isStoneNew : !this.isNew(mine, theirs, own)) {
      this.steps.push(this.step("remove", path, own, -1));
    } else if (isStoneNew && !path.startsWith(CONFLICTS_PREFIX)) this.judgeGoneThere(path, own, stone);
  }

  /** Changed here, removed or renamed there. */
  private judgeGoneThere(path: string, own: number, stone: Tombstone): void {
    const renamed = stone.renamedTo === "" ? -1 : this.theirs.state.idOf(stone.renamedTo);
    this.noteLived(renamed < 0 ? "removed" : "renamed", path, own, renamed, "mine");
  }

  private noteLived(kind: ConflictKind, path: string, own: number, id: number, taken: "mine" | "theirs"): void {
    const [left, right] = [this.mine.state, this.theirs.state];
    const declaration = taken === "mine" ? left.declarationOf(own) : right.declarationOf(id);
    const component = taken === "mine" ? left.components[own] : right.components[id];
    if (component === SYSTEM) return;
    const isCritical = declaration?.critical === true;
    this.note({
      ...{ path, kind, isCritical, taken },
      policy: isCritical ? "manual" : (this.policies[COMPONENTS[component as number] as Component] ?? "lww"),
      isOpen: isCritical,
      mine: own < 0 ? undefined : this.sideOf(left, own),
      theirs: id < 0 ? undefined : this.sideOf(right, id),
    });
  }

  private note(conflict: Conflict): void {
    this.conflicts.push(conflict);
  }

  private take(path: string, own: number, id: number): void {
    this.steps.push(this.step("take", path, own, id));
  }

  private step(kind: "take" | "remove", path: string, mine: number, theirs: number): MergeStep {
    const [left, right] = [this.mine.state, this.theirs.state];
    return {
      ...{ kind, path, mine, theirs },
      timeUs: theirs < 0 ? 0 : (right.timesUs[theirs] as number),
      origin: theirs < 0 ? 0 : (right.origins[theirs] as number),
      sequence: mine < 0 ? 0 : (left.sequences[mine] as number),
      isValueOnly: false,
    };
  }

  private sideOf(state: State, id: number): ConflictSide {
    const { node, surface } = this.tables.origins.at(state.origins[id] as number);
    const { number: term } = this.tables.terms.at(state.terms[id] as number);
    const type = (state.declarationOf(id) as Declaration).type;
    return { value: state.valueOf(id), type, timeUs: state.timesUs[id] as number, node, surface, term };
  }
}

/** Whether what `id` holds can be a value of `own`: the same type, or one number for another. */
function fits(left: State, own: number, right: State, id: number): boolean {
  const [to, from] = [left.types[own] as ValueType, right.types[id] as ValueType];
  return to === from || (isNumber(to) && isNumber(from));
}

function isNumber(type: ValueType): boolean {
  return type === ValueType.float || type === ValueType.double || type === ValueType.int || type === ValueType.bool;
}

function sameValue(left: State, own: number, right: State, id: number): boolean {
  const type = left.types[own] as ValueType;
  if (type !== right.types[id]) return false;
  if (type === ValueType.enum) return left.valueOf(own) === right.valueOf(id);
  if (isText(type)) return sameText(left.texts[own], right.texts[id]);
  for (let lane = 0; lane < lanesOf(type); lane++) {
    if (left.numbers[own * LANES + lane] !== right.numbers[id * LANES + lane]) return false;
  }
  return true;
}

function valueText(state: State, id: number): string {
  const value = state.valueOf(id);
  return value instanceof Uint8Array ? value.join() : JSON.stringify(value);
}

/** Whether a step brings another declaration than the one that is here. */
export function redeclares(left: State, right: State, { mine, theirs, isValueOnly }: MergeStep): boolean {
  if (isValueOnly) return false;
  const declaration = right.declarationOf(theirs);
  return declaration !== undefined && (mine < 0 || !sameDeclaration(declaration, left.declarationOf(mine)));
}
