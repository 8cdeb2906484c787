/**
 * Merge: two sides of a mesh become one. What changes on the side that stays, and which paths both had changed.
 *
 * A path is changed on one side when the other's lineage does not include its version. Changed on one side only: that
 * side has it. Changed on both: a conflict, resolved by the policy of its component, and always written down. What was
 * renamed is the same path still, and a removal never takes anybody's edit away. The result does not depend on which
 * side stays, but where that is the question: `authority`, `manual`, declarations and types that differ. Pure: it
 * reads both sides and answers what is to be done; it changes nothing.
 */
import { COMPONENTS, type Component } from "../state/component.js";
import { type Declaration, isText, lanesOf, type Value, ValueType } from "../state/declaration.js";
import { sameDeclaration } from "../state/declaration-bytes.js";
import type { MergePolicies, MergePolicy } from "../state/merge-policy.js";
import { LANES, sameText, type State } from "../state/state.js";
import { containerOf } from "../state/templates.js";
import type { Origin, Term } from "../state/change.js";
import type { Tombstone } from "../state/tombstones.js";
import { FormerNames } from "./former-names.js";

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
  readonly kind: "take" | "rename" | "remove";
  /** What the path is called afterwards, and what it is called here before. */
  readonly path: string;
  readonly from: string;
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
  /** What the path was called there. */
  readonly path: string;
  readonly value: Value;
  readonly type: string;
  readonly timeUs: number;
  readonly node: string;
  readonly surface: string;
  readonly term: number;
}

/**
 * `value`: both wrote it. `type`: both declared it, as types that do not go into each other. `declared`: both changed
 * it, and their declarations differ in more than the type. `removed`: one side removed it, the other changed it; it
 * lives. `renamed`: one side renamed it and the other changed or renamed it too.
 */
export type ConflictKind = "value" | "type" | "declared" | "removed" | "renamed";

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
  /** What each side renamed since the fork. */
  private readonly renamedHere: FormerNames;
  private readonly renamedThere: FormerNames;
  /** Ids here that have been dealt with beside a path of another name. */
  private readonly done = new Set<number>();
  /** Entities that one side removed altogether and that live, because the other changed something in them. */
  private readonly alive = new Set<string>();
  private readonly containers = new Map<State, ReadonlySet<string>>();
  /** Paths that are gone unless their entity lives: theirs that were removed here, and those here removed there. */
  private readonly goneHere: number[] = [];
  private readonly goneThere: number[] = [];

  constructor(mine: MergeSide, theirs: MergeSide, tables: MergeTables, policies: MergePolicies) {
    this.mine = mine;
    this.theirs = theirs;
    this.tables = tables;
    this.policies = policies;
    this.renamedHere = new FormerNames(mine.state, (stone) => this.isStoneNew(stone, theirs));
    this.renamedThere = new FormerNames(theirs.state, (stone) => this.isStoneNew(stone, mine));
  }

  plan(): MergePlan {
    const { mine, theirs } = this;
    for (const id of theirs.state.ids()) if (isMergeable(theirs.state, id)) this.judgeTheirs(id);
    for (const id of mine.state.ids()) {
      if (this.done.has(id) || theirs.state.idOf(mine.state.pathOf(id)) >= 0) continue;
      if (isMergeable(mine.state, id)) this.judgeOnlyMine(id);
    }
    this.settleGone();
    // What was written together has one time and origin: it changes together here too.
    this.steps.sort((left, right) => left.timeUs - right.timeUs || left.origin - right.origin);
    return { steps: this.steps, conflicts: this.conflicts };
  }

  private judgeTheirs(id: number): void {
    const path = this.theirs.state.pathOf(id);
    const own = this.mine.state.idOf(path);
    if (own >= 0) {
      this.judgeBoth(path, own, id);
      return;
    }
    const renamed = this.otherNameHere(path);
    if (renamed < 0) this.judgeOnlyTheirs(path, id);
    else this.judgeRenamed(renamed, id);
  }

  /** The id here of a path of theirs that has another name here, because either side renamed it; -1 for none. */
  private otherNameHere(path: string): number {
    const { mine, theirs, renamedHere, renamedThere } = this;
    const former = [path, ...renamedThere.of(path)];
    for (const name of former) {
      const now = renamedHere.nowOf(name);
      const own = mine.state.idOf(now === "" ? name : now);
      // A path of theirs that has that name is what is meant by it.
      if (own >= 0 && theirs.state.idOf(mine.state.pathOf(own)) < 0 && !this.done.has(own)) return own;
    }
    return -1;
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
    // One controller wrote both, one after the other: whoever has the earlier one missed the other.
    const isOneTerm = left.terms[own] === right.terms[id];
    if (isOneTerm && (left.sequences[own] as number) > (right.sequences[id] as number)) return;
    if (!isOneTerm && this.isNew(mine, theirs, own)) {
      if (left.components[own] !== SYSTEM) this.judgeConflict(path, "value", own, id);
      return;
    }
    const isImpulse = left.types[own] === ValueType.impulse && right.types[id] === ValueType.impulse;
    // That one was fired there is nothing to be taken.
    if (!isImpulse || !sameDeclaration(right.declarationOf(id) as Declaration, left.declarationOf(own))) {
      this.take(path, own, id);
    }
  }

  /** Both changed it. `path`: what it is called afterwards. */
  private judgeConflict(path: string, kind: ConflictKind, own: number, id: number): void {
    const [left, right] = [this.mine.state, this.theirs.state];
    const isFit = fits(left, own, right, id);
    const isSameType = left.types[own] === right.types[id];
    const isRedeclared =
      isSameType && !sameDeclaration(right.declarationOf(id) as Declaration, left.declarationOf(own));
    const isSame = isFit && (left.types[own] === ValueType.impulse || sameValue(left, own, right, id));
    if (kind === "value" && isSame && !isRedeclared) return;
    const policy = this.policyOf(own, id);
    const takesTheirs = isFit && !isSame && policy === "lww" && this.isLater(own, id);
    const from = left.pathOf(own);
    if (takesTheirs) this.steps.push({ ...this.step("take", path, own, id), from, isValueOnly: true });
    else if (from !== path) this.steps.push({ ...this.step("rename", path, own, id), from });
    this.note({
      ...{ path, kind: !isFit ? "type" : kind === "value" && isRedeclared ? "declared" : kind, policy },
      isCritical: this.isCritical(own, id),
      taken: takesTheirs ? "theirs" : "mine",
      isOpen: policy === "manual" || !isFit,
      mine: this.sideOf(left, own),
      theirs: this.sideOf(right, id),
    });
  }

  private isCritical(own: number, id: number): boolean {
    const [left, right] = [this.mine.state, this.theirs.state];
    return left.declarationOf(own)?.critical === true || right.declarationOf(id)?.critical === true;
  }

  /** The policy for a path; either id may be -1. */
  private policyOf(own: number, id: number): MergePolicy {
    if (this.isCritical(own, id)) return "manual";
    const component = own >= 0 ? this.mine.state.components[own] : this.theirs.state.components[id];
    return this.policies[COMPONENTS[component as number] as Component] ?? "lww";
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

  /** One path that has another name on each side, because one or both renamed it. */
  private judgeRenamed(own: number, id: number): void {
    const { mine, theirs, renamedHere, renamedThere } = this;
    this.done.add(own);
    const [from, there] = [mine.state.pathOf(own), theirs.state.pathOf(id)];
    const [here, gone] = [renamedHere.stoneOf(from), renamedThere.stoneOf(there)];
    const path = this.takesNameOfTheirs(own, id, here, gone) ? there : from;
    const isEditedHere = this.isEdited(mine, theirs, own, renamedHere);
    const isEditedThere = this.isEdited(theirs, mine, id, renamedThere);
    const isFit = fits(mine.state, own, theirs.state, id);
    if (isEditedHere && isEditedThere) return this.judgeConflict(path, "renamed", own, id);
    if (isEditedThere && !isFit && here !== undefined) return this.judgeConflict(path, "renamed", own, id);
    if (isEditedThere) this.steps.push({ ...this.step("take", path, own, id), from, isValueOnly: here !== undefined });
    else if (path !== from) this.steps.push({ ...this.step("rename", path, own, id), from });
    const isByBoth = (here !== undefined || isEditedHere) && (gone !== undefined || isEditedThere);
    const isTheirs = isEditedThere || (!isEditedHere && path === there);
    if (isByBoth) this.noteLived("renamed", path, own, id, isTheirs ? "theirs" : "mine");
  }

  /** Whether a path that may have been renamed was changed otherwise too, before that or since. */
  private isEdited(of: MergeSide, to: MergeSide, id: number, names: FormerNames): boolean {
    const { state } = of;
    if (!this.isNew(of, to, id)) return false;
    const stones = names.stonesOf(state.pathOf(id));
    const isRename = (term: number, sequence: number): boolean =>
      stones.some((stone) => stone.term === term && stone.sequence === sequence);
    if (!isRename(state.terms[id] as number, state.sequences[id] as number)) return true;
    return stones.some(
      ({ wasTerm, wasSequence }) =>
        wasTerm !== 0 && !to.includes(wasTerm, wasSequence) && !isRename(wasTerm, wasSequence),
    );
  }

  /** Who renamed it alone has named it. If both did, the later one, or the side that stays. */
  private takesNameOfTheirs(own: number, id: number, here?: Tombstone, there?: Tombstone): boolean {
    if (here === undefined || there === undefined) return there !== undefined;
    if (this.policyOf(own, id) !== "lww") return false;
    return there.timeUs > here.timeUs || (there.timeUs === here.timeUs && there.renamedTo > here.renamedTo);
  }

  private judgeOnlyTheirs(path: string, id: number): void {
    const { mine, theirs, renamedThere } = this;
    const names = [path, ...renamedThere.of(path)];
    const isRemoved = names.some((name) => this.isStoneNew(mine.state.tombstones.of(name), theirs));
    const isBefore = theirs.state.terms[id] === 0;
    const isUntouched = isBefore ? isRemoved : !this.isNew(theirs, mine, id);
    if (isUntouched) {
      // It was here and is removed; or it would be here.
      if (isRemoved) this.goneHere.push(id);
      return;
    }
    this.take(path, -1, id);
    if (isRemoved) this.live("removed", path, -1, id);
  }

  private judgeOnlyMine(own: number): void {
    const { mine, theirs, renamedHere } = this;
    const path = mine.state.pathOf(own);
    const names = [path, ...renamedHere.of(path)];
    const isRemoved = names.some((name) => this.isStoneNew(theirs.state.tombstones.of(name), mine));
    const isBefore = mine.state.terms[own] === 0;
    if (isBefore ? isRemoved : !this.isNew(mine, theirs, own)) this.goneThere.push(own);
    else if (isRemoved) this.live("removed", path, own, -1);
  }

  /** Removed on one side, changed on the other: it lives, as it was changed, and so does all that was removed with it. */
  private live(kind: ConflictKind, path: string, own: number, id: number): void {
    if (path.startsWith(CONFLICTS_PREFIX)) return;
    const container = containerOf(path);
    const gone = own < 0 ? this.mine.state : this.theirs.state;
    if (container !== "" && !this.containersOf(gone).has(container)) this.alive.add(container);
    this.noteLived(kind, path, own, id, own < 0 ? "theirs" : "mine");
  }

  /** The entities that a side has. */
  private containersOf(state: State): ReadonlySet<string> {
    let containers = this.containers.get(state);
    if (containers === undefined) {
      containers = new Set(Array.from(state.ids(), (id) => containerOf(state.pathOf(id))));
      this.containers.set(state, containers);
    }
    return containers;
  }

  /** What was removed is removed, unless it is of an entity that lives. */
  private settleGone(): void {
    const [left, right] = [this.mine.state, this.theirs.state];
    for (const id of this.goneHere) {
      if (this.alive.has(containerOf(right.pathOf(id)))) this.take(right.pathOf(id), -1, id);
    }
    for (const own of this.goneThere) {
      const path = left.pathOf(own);
      if (!this.alive.has(containerOf(path))) this.steps.push(this.step("remove", path, own, -1));
    }
  }

  private noteLived(kind: ConflictKind, path: string, own: number, id: number, taken: "mine" | "theirs"): void {
    const [left, right] = [this.mine.state, this.theirs.state];
    if ((own >= 0 ? left.components[own] : right.components[id]) === SYSTEM) return;
    const policy = this.policyOf(own, id);
    this.note({
      ...{ path, kind, policy, isCritical: this.isCritical(own, id), taken },
      isOpen: policy === "manual",
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

  private step(kind: MergeStep["kind"], path: string, mine: number, theirs: number): MergeStep {
    const [left, right] = [this.mine.state, this.theirs.state];
    return {
      ...{ kind, path, from: path, mine, theirs },
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
    const [path, value, timeUs] = [state.pathOf(id), state.valueOf(id), state.timesUs[id] as number];
    return { path, value, type, timeUs, node, surface, term };
  }
}

/** Of what nodes say of themselves only conflicts are both sides' own; what has no id of the mesh's is one node's own. */
function isMergeable(state: State, id: number): boolean {
  if (state.isProvisional(id)) return false;
  return state.components[id] !== SYSTEM || state.pathOf(id).startsWith(CONFLICTS_PREFIX);
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
  // Numbers of other types that say the same.
  if (type !== right.types[id]) return left.numbers[own * LANES] === right.numbers[id * LANES];
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
