/** What two sides did since they were one, as a plan: every row of README.md's table, on `merge.ts` alone. */
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.js";
import { coerce } from "../../../src/state/coerce.js";
import { completeDeclaration, type DeclarationInput, type Value } from "../../../src/state/declaration.js";
import type { MergePolicies } from "../../../src/state/merge-policy.js";
import { Reject } from "../../../src/state/reject.js";
import { Staging } from "../../../src/state/staging.js";
import { State } from "../../../src/state/state.js";
import { OriginTable, TermTable } from "../../../src/state/tables.js";
import { type Conflict, type MergePlan, planMerge, redeclares } from "../../../src/sync/merge.js";
import { MERGE_ROWS, type MergeRow, type SideEdits } from "../node/merge-rows.js";

const FORK = 1;
const CAPACITY = 4_500;

/** Time and tables that both sides share. */
class World {
  readonly terms = new TermTable();
  readonly origins = new OriginTable();
  nowUs = 1_000;

  constructor() {
    for (const place of [1, 2, 3]) this.terms.intern(place, `${place}`.padStart(16, "0"));
  }
}

/** A side that applies what is done to it as a controller does. */
class Side implements SideEdits {
  readonly state = new State(CAPACITY);
  private readonly world: World;
  private readonly staging = new Staging();
  private sequence = 0;
  term = FORK;
  private readonly origin: number;

  constructor(world: World, node: string) {
    this.world = world;
    this.origin = world.origins.intern(node, "");
  }

  /** The same contents, as a side of its own from now on. */
  fork(term: number, node: string): Side {
    const side = new Side(this.world, node);
    side.term = term;
    side.sequence = this.sequence;
    side.copy(this.state);
    return side;
  }

  private copy(from: State): void {
    for (const id of from.ids()) {
      const declaration = from.declarationOf(id);
      if (declaration === undefined) continue;
      this.state.declare(id, from.pathOf(id), declaration);
      from.load(id, this.staging);
      this.state.store(id, this.staging);
      for (const key of ["terms", "sequences", "timesUs", "origins"] as const) this.state[key][id] = from[key][id] ?? 0;
    }
    for (const stone of from.tombstones.values()) this.state.tombstones.add(stone);
  }

  /** Everything of the common term, and its own. */
  includes(term: number, sequence: number): boolean {
    return term === FORK || (term === this.term && sequence <= this.sequence);
  }

  private stamp(id: number): void {
    const { state } = this;
    state.terms[id] = this.term;
    state.sequences[id] = ++this.sequence;
    state.timesUs[id] = this.world.nowUs += 10;
    state.origins[id] = this.origin;
  }

  declare(path: string, input: DeclarationInput): void {
    const { state, staging } = this;
    const known = state.idOf(path);
    const id = known >= 0 ? known : state.nextId;
    const keeps = known >= 0 && state.declarationOf(known)?.type === input.type;
    if (keeps) state.load(id, staging);
    state.declare(id, path, completeDeclaration(input));
    if (keeps && coerce(state, id, staging) === Reject.none) state.store(id, staging);
    state.tombstones.drop(path);
    this.stamp(id);
  }

  write(path: string, value: Value): void {
    const { state, staging } = this;
    const id = state.idOf(path);
    staging.value(value);
    if (coerce(state, id, staging) !== Reject.none) throw new Error(`${path} takes no ${String(value)}`);
    state.store(id, staging);
    this.stamp(id);
  }

  writeGroup(values: readonly (readonly [string, Value])[]): void {
    for (const [path, value] of values) {
      this.write(path, value);
      this.world.nowUs -= 10;
    }
    this.world.nowUs += 10;
  }

  fire(path: string): void {
    this.stamp(this.state.idOf(path));
  }

  rename(path: string, to: string): void {
    const { state } = this;
    const id = state.idOf(path);
    state.rename(id, to);
    this.bury(path, id, to);
    state.tombstones.drop(to);
  }

  remove(path: string): void {
    const { state } = this;
    const id = state.idOf(path);
    this.bury(path, id, "");
    state.remove(id);
  }

  private bury(path: string, id: number, renamedTo: string): void {
    const { state, term, origin } = this;
    const [wasTerm, wasSequence] = [state.terms[id] ?? 0, state.sequences[id] ?? 0];
    this.stamp(id);
    const [sequence, timeUs] = [state.sequences[id] ?? 0, state.timesUs[id] ?? 0];
    state.tombstones.add({ path, term, sequence, timeUs, origin, renamedTo, wasTerm, wasSequence });
  }

  /** Does what a plan says. */
  apply({ steps }: MergePlan, theirs: State): void {
    const isStructure = ({ kind, from, path }: MergePlan["steps"][number]): boolean => kind !== "take" || from !== path;
    for (const step of [...steps.filter(isStructure), ...steps.filter((one) => !isStructure(one))]) {
      if (step.kind === "remove") {
        this.remove(step.path);
        continue;
      }
      if (step.from !== step.path) this.rename(step.from, step.path);
      if (step.kind === "rename") continue;
      const declaration = theirs.declarationOf(step.theirs);
      if (declaration !== undefined && redeclares(this.state, theirs, step)) this.declare(step.path, declaration);
      if (declaration?.type !== "impulse") this.write(step.path, theirs.valueOf(step.theirs));
    }
  }

  contents(): Record<string, Value> {
    const { state } = this;
    return Object.fromEntries([...state.ids()].map((id) => [state.pathOf(id), state.valueOf(id)]));
  }
}

function divided(before: (both: SideEdits) => void): { world: World; stays: Side; joins: Side } {
  const world = new World();
  const base = new Side(world, "b");
  before(base);
  return { world, stays: base.fork(2, "c"), joins: base.fork(3, "d") };
}

function merge(world: World, stays: Side, joins: Side, policies: MergePolicies): MergePlan {
  const plan = planMerge(stays, joins, world, policies);
  stays.apply(plan, joins.state);
  return plan;
}

function recordOf({ path, kind, policy, taken, isOpen, mine, theirs }: Conflict): object {
  return { path, kind, policy, taken, isOpen, values: [mine?.value ?? null, theirs?.value ?? null] };
}

describe("a plan", () => {
  test.each(MERGE_ROWS)(
    "$name",
    ({ policies = {}, before, divided: edits, after, types, maxima, records }: MergeRow) => {
      const { world, stays, joins } = divided(before);
      edits(stays, joins);
      const { conflicts } = merge(world, stays, joins, policies);
      const { state } = stays;
      const contents = stays.contents();
      for (const [path, value] of Object.entries(after)) expect([path, contents[path]]).toEqual([path, value]);
      for (const [path, type] of Object.entries(types ?? {})) {
        expect([path, state.declarationOf(state.idOf(path))?.type]).toEqual([path, type]);
      }
      for (const [path, max] of Object.entries(maxima ?? {})) {
        expect([path, state.declarationOf(state.idOf(path))?.range?.max]).toEqual([path, max]);
      }
      expect(conflicts.map(recordOf)).toEqual(records);
    },
  );
});

test.each(["theirs", "mine"])(
  "of two writes of one controller the later one stays, where one side had a gap: %s",
  (later) => {
    const world = new World();
    const base = new Side(world, "b");
    base.declare("/viz/cue", { type: "int", critical: true });
    const [stays, joins] = [base.fork(2, "c"), base.fork(2, "c")];
    for (const [side, writes] of [
      [stays, later === "mine" ? [1, 2] : [1]],
      [joins, later === "mine" ? [1] : [1, 2]],
    ] as const) {
      for (const value of writes) side.write("/viz/cue", value);
    }
    // What came past the gap is there, and counts as missing.
    const gap = { state: joins.state, includes: (term: number) => term === FORK };
    const { steps, conflicts } = planMerge(stays, gap, world, {});
    expect([steps.map(({ kind, path }) => [kind, path]), conflicts]).toEqual([
      later === "theirs" ? [["take", "/viz/cue"]] : [],
      [],
    ]);
  },
);

describe("what comes of it does not depend on which side stays", () => {
  const NAMES = ["a", "b", "c", "d", "e", "f"].map((name) => `/viz/${name}`);

  /** Something that somebody may do; nothing where the path is not there. */
  function edit(side: Side, random: Random, step: number): void {
    const names = [...NAMES, ...Object.keys(side.contents())];
    const path = names[Math.floor(random.next() * names.length)] as string;
    const isThere = side.state.idOf(path) >= 0;
    const what = random.next();
    if (!isThere && what < 0.3) side.declare(path, { type: "int" });
    if (!isThere) return;
    if (what < 0.6) side.write(path, step + 1);
    else if (what < 0.75) side.remove(path);
    else side.rename(path, `${path}${step}`);
  }

  test.each(Array.from({ length: 300 }, (_, seed) => seed))("seed %d", (seed) => {
    const build = () =>
      divided((both) => {
        for (const path of NAMES.slice(0, 5)) both.declare(path, { type: "int" });
      });
    const results = [false, true].map((isSwapped) => {
      const random = new Random(seed);
      const { world, stays, joins } = build();
      for (let step = 0; step < 10; step++) edit(random.next() < 0.5 ? stays : joins, random, step);
      const [winner, loser] = isSwapped ? [joins, stays] : [stays, joins];
      const { conflicts } = merge(world, winner, loser, {});
      return { contents: winner.contents(), listed: conflicts.map(({ path, kind }) => `${kind} ${path}`).sort() };
    });
    expect(results[1]).toEqual(results[0]);
  });
});
