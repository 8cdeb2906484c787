/**
 * Merge rows: what comes of what two sides of a mesh did, row by row as README.md says it. Run by `merge.test.ts` on
 * the plan alone and by `merge-results.test.ts` on two real meshes.
 */
import type { DeclarationInput, Value } from "../../../src/state/declaration.js";
import type { MergePolicies } from "../../../src/state/merge-policy.js";

/** What somebody does on one side. Each is later than the one before, on either side. */
export interface SideEdits {
  declare(path: string, input: DeclarationInput): void;
  write(path: string, value: Value): void;
  /** Values that change together, as a restored scene's do. */
  writeGroup(values: readonly (readonly [string, Value])[]): void;
  fire(path: string): void;
  rename(path: string, to: string): void;
  remove(path: string): void;
}

export interface ExpectedRecord {
  readonly path: string;
  readonly kind: string;
  readonly policy: string;
  readonly taken: "mine" | "theirs";
  readonly isOpen: boolean;
  /** Values of both sides; null where a side had removed the path. */
  readonly values: readonly [Value, Value];
}

export interface MergeRow {
  readonly name: string;
  readonly policies?: MergePolicies;
  /** What both had before they were divided: declared on one node, then known to all. */
  readonly before: (both: SideEdits) => void;
  /** `stays`: the side that stays; `joins`: the one that yields. */
  readonly divided: (stays: SideEdits, joins: SideEdits) => void;
  /** Afterwards, on all nodes; undefined: there is no such path. */
  readonly after: Readonly<Record<string, Value | undefined>>;
  readonly types?: Readonly<Record<string, string>>;
  /** A field of a declaration that tells which one holds. */
  readonly maxima?: Readonly<Record<string, number>>;
  readonly records: readonly ExpectedRecord[];
}

const P = "/viz/p";
const LEFT = "/displays/left";
const DISPLAY = ["name", "size", "peer"];

function float(both: SideEdits): void {
  both.declare(P, { type: "float" });
  both.write(P, 1);
}

function display(both: SideEdits): void {
  for (const name of DISPLAY) both.declare(`${LEFT}/${name}`, { type: "string", default: "was" });
}

function removeDisplay(side: SideEdits): void {
  for (const name of DISPLAY) side.remove(`${LEFT}/${name}`);
}

function value(taken: "mine" | "theirs", values: readonly [Value, Value], more: Partial<ExpectedRecord> = {}) {
  return { path: P, kind: "value", policy: "lww", taken, isOpen: false, values, ...more };
}

const bothWrite: MergeRow["divided"] = (stays, joins) => {
  stays.write(P, 2);
  joins.write(P, 3);
};

export const MERGE_ROWS: readonly MergeRow[] = [
  // Values and policies
  {
    name: "written on one side: that value, nothing listed",
    before: (both) => {
      float(both);
      both.declare("/viz/q", { type: "float" });
    },
    divided: (stays, joins) => {
      stays.write("/viz/q", 4);
      joins.write(P, 3);
    },
    after: { [P]: 3, "/viz/q": 4 },
    records: [],
  },
  {
    name: "lww: the later value, when the side that joins wrote it",
    before: float,
    divided: bothWrite,
    after: { [P]: 3 },
    records: [value("theirs", [2, 3])],
  },
  {
    name: "lww: the later value, when the side that stays wrote it",
    before: float,
    divided: (stays, joins) => {
      joins.write(P, 3);
      stays.write(P, 2);
    },
    after: { [P]: 2 },
    records: [value("mine", [2, 3])],
  },
  {
    name: "both wrote the same value: nothing listed",
    before: float,
    divided: (stays, joins) => {
      stays.write(P, 5);
      joins.write(P, 5);
    },
    after: { [P]: 5 },
    records: [],
  },
  {
    name: "authority: the side that stays, though it wrote first",
    policies: { viz: "authority", groups: "manual" },
    before: float,
    divided: bothWrite,
    after: { [P]: 2 },
    records: [value("mine", [2, 3], { policy: "authority" })],
  },
  {
    name: "manual: the side that stays, and it is open",
    policies: { viz: "manual" },
    before: float,
    divided: bothWrite,
    after: { [P]: 2 },
    records: [value("mine", [2, 3], { policy: "manual", isOpen: true })],
  },
  {
    name: "a critical path is manual, whatever its component's policy is",
    policies: { viz: "authority" },
    before: (both) => both.declare(P, { type: "float", critical: true }),
    divided: bothWrite,
    after: { [P]: 2 },
    records: [value("mine", [2, 3], { policy: "manual", isOpen: true })],
  },
  // Removed
  {
    name: "removed on one side, untouched on the other: gone",
    before: (both) => {
      float(both);
      both.declare("/viz/q", { type: "float" });
    },
    divided: (stays, joins) => {
      stays.remove(P);
      joins.remove("/viz/q");
    },
    after: { [P]: undefined, "/viz/q": undefined },
    records: [],
  },
  {
    name: "removed on both: gone",
    before: float,
    divided: (stays, joins) => {
      stays.remove(P);
      joins.remove(P);
    },
    after: { [P]: undefined },
    records: [],
  },
  {
    name: "removed where it stays, edited where it joins: it lives",
    policies: { viz: "authority" },
    before: float,
    divided: (stays, joins) => {
      joins.write(P, 3);
      stays.remove(P);
    },
    after: { [P]: 3 },
    records: [value("theirs", [null, 3], { kind: "removed", policy: "authority" })],
  },
  {
    name: "edited where it stays, removed where it joins: it lives",
    before: float,
    divided: (stays, joins) => {
      stays.write(P, 2);
      joins.remove(P);
    },
    after: { [P]: 2 },
    records: [value("mine", [2, null], { kind: "removed" })],
  },
  {
    name: "removed on one side, edited on the other, manual: it lives, and it is open",
    policies: { viz: "manual" },
    before: float,
    divided: (stays, joins) => {
      stays.remove(P);
      joins.write(P, 3);
    },
    after: { [P]: 3 },
    records: [value("theirs", [null, 3], { kind: "removed", policy: "manual", isOpen: true })],
  },
  // Renamed
  {
    name: "renamed where it joins, untouched where it stays: the new name, nothing listed",
    before: float,
    divided: (_, joins) => joins.rename(P, "/viz/new"),
    after: { [P]: undefined, "/viz/new": 1 },
    records: [],
  },
  {
    name: "renamed and edited where it joins, untouched where it stays: both, nothing listed",
    before: float,
    divided: (_, joins) => {
      joins.rename(P, "/viz/between");
      joins.rename("/viz/between", "/viz/new");
      joins.write("/viz/new", 3);
    },
    after: { [P]: undefined, "/viz/between": undefined, "/viz/new": 3 },
    records: [],
  },
  {
    name: "edited and then renamed where it joins, untouched where it stays: both, nothing listed",
    before: float,
    divided: (_, joins) => {
      joins.write(P, 3);
      joins.rename(P, "/viz/new");
    },
    after: { [P]: undefined, "/viz/new": 3 },
    records: [],
  },
  {
    name: "renamed where it stays, edited where it joins: the new name with the edit",
    before: float,
    divided: (stays, joins) => {
      stays.rename(P, "/viz/new");
      joins.write(P, 3);
    },
    after: { [P]: undefined, "/viz/new": 3 },
    records: [value("theirs", [1, 3], { path: "/viz/new", kind: "renamed" })],
  },
  {
    name: "edited where it stays, renamed where it joins: the new name with the edit",
    before: float,
    divided: (stays, joins) => {
      stays.write(P, 2);
      joins.rename(P, "/viz/new");
    },
    after: { [P]: undefined, "/viz/new": 2 },
    records: [value("mine", [2, 1], { path: "/viz/new", kind: "renamed" })],
  },
  {
    name: "renamed and edited where it joins, edited where it stays: the new name with the later edit",
    before: float,
    divided: (stays, joins) => {
      joins.rename(P, "/viz/new");
      joins.write("/viz/new", 3);
      stays.write(P, 2);
    },
    after: { [P]: undefined, "/viz/new": 2 },
    records: [value("mine", [2, 3], { path: "/viz/new", kind: "renamed" })],
  },
  {
    name: "renamed on both to one name: that name, nothing listed",
    before: float,
    divided: (stays, joins) => {
      stays.rename(P, "/viz/new");
      joins.rename(P, "/viz/new");
    },
    after: { [P]: undefined, "/viz/new": 1 },
    records: [],
  },
  {
    name: "renamed on both to two names: one path, the later name",
    before: float,
    divided: (stays, joins) => {
      stays.rename(P, "/viz/mine");
      joins.rename(P, "/viz/theirs");
    },
    after: { [P]: undefined, "/viz/mine": undefined, "/viz/theirs": 1 },
    records: [value("theirs", [1, 1], { path: "/viz/theirs", kind: "renamed" })],
  },
  {
    name: "renamed on both to two names, authority: the name of the side that stays, with the edit of the other",
    policies: { viz: "authority" },
    before: float,
    divided: (stays, joins) => {
      stays.rename(P, "/viz/mine");
      joins.rename(P, "/viz/theirs");
      joins.write("/viz/theirs", 3);
    },
    after: { [P]: undefined, "/viz/mine": 3, "/viz/theirs": undefined },
    records: [value("theirs", [1, 3], { path: "/viz/mine", kind: "renamed", policy: "authority" })],
  },
  {
    name: "renamed where it stays, removed where it joins: it lives under the new name",
    before: float,
    divided: (stays, joins) => {
      stays.rename(P, "/viz/new");
      joins.remove(P);
    },
    after: { [P]: undefined, "/viz/new": 1 },
    records: [value("mine", [1, null], { path: "/viz/new", kind: "removed" })],
  },
  {
    name: "removed where it stays, renamed where it joins: it lives under the new name",
    before: float,
    divided: (stays, joins) => {
      stays.remove(P);
      joins.rename(P, "/viz/new");
    },
    after: { [P]: undefined, "/viz/new": 1 },
    records: [value("theirs", [null, 1], { path: "/viz/new", kind: "removed" })],
  },
  // Containers
  {
    name: "an entity removed where it stays, a path of it edited where it joins: the whole entity lives",
    before: display,
    divided: (stays, joins) => {
      removeDisplay(stays);
      joins.write(`${LEFT}/name`, "edited");
    },
    after: { [`${LEFT}/name`]: "edited", [`${LEFT}/size`]: "was", [`${LEFT}/peer`]: "was" },
    records: [value("theirs", [null, "edited"], { path: `${LEFT}/name`, kind: "removed" })],
  },
  {
    name: "an entity removed where it joins, a path of it edited where it stays: the whole entity lives",
    before: display,
    divided: (stays, joins) => {
      stays.write(`${LEFT}/name`, "edited");
      removeDisplay(joins);
    },
    after: { [`${LEFT}/name`]: "edited", [`${LEFT}/size`]: "was", [`${LEFT}/peer`]: "was" },
    records: [value("mine", ["edited", null], { path: `${LEFT}/name`, kind: "removed" })],
  },
  {
    name: "an entity removed on one side, untouched on the other: gone",
    before: display,
    divided: (_, joins) => removeDisplay(joins),
    after: { [`${LEFT}/name`]: undefined, [`${LEFT}/size`]: undefined, [`${LEFT}/peer`]: undefined },
    records: [],
  },
  {
    name: "two paths of an entity removed, one of them edited: the other one stays removed",
    before: display,
    divided: (stays, joins) => {
      stays.remove(`${LEFT}/name`);
      stays.remove(`${LEFT}/size`);
      joins.write(`${LEFT}/name`, "edited");
    },
    after: { [`${LEFT}/name`]: "edited", [`${LEFT}/size`]: undefined, [`${LEFT}/peer`]: "was" },
    records: [value("theirs", [null, "edited"], { path: `${LEFT}/name`, kind: "removed" })],
  },
  // Declarations and types
  {
    name: "declared anew on one side, untouched on the other: the new declaration",
    before: (both) => both.declare(P, { type: "float", range: { min: 0, max: 1 } }),
    divided: (_, joins) => joins.declare(P, { type: "float", range: { min: 0, max: 7 } }),
    after: { [P]: 0 },
    maxima: { [P]: 7 },
    records: [],
  },
  {
    name: "declared anew on both: the declaration of the side that stays, the later value within it",
    before: (both) => both.declare(P, { type: "float", range: { min: 0, max: 1 } }),
    divided: (stays, joins) => {
      stays.declare(P, { type: "float", range: { min: 0, max: 5 } });
      joins.declare(P, { type: "float", range: { min: 0, max: 9 } });
      joins.write(P, 8);
    },
    after: { [P]: 5 },
    maxima: { [P]: 5 },
    records: [value("theirs", [0, 8], { kind: "declared" })],
  },
  {
    name: "declared anew where it joins, written where it stays: its declaration and value stay, and it is listed",
    before: (both) => both.declare(P, { type: "float", range: { min: 0, max: 5 } }),
    divided: (stays, joins) => {
      joins.declare(P, { type: "float", range: { min: 0, max: 9 } });
      stays.write(P, 2);
    },
    after: { [P]: 2 },
    maxima: { [P]: 5 },
    records: [value("mine", [2, 0], { kind: "declared" })],
  },
  {
    name: "declared by itself on both with other numbers' types and one value: the type that stays, nothing listed",
    before: () => {},
    divided: (stays, joins) => {
      stays.declare(P, { type: "int" });
      stays.write(P, 4);
      joins.declare(P, { type: "float" });
      joins.write(P, 4);
    },
    after: { [P]: 4 },
    types: { [P]: "int" },
    records: [],
  },
  {
    name: "declared by itself on both with other numbers' types: the type that stays, the later number converted",
    before: () => {},
    divided: (stays, joins) => {
      stays.declare(P, { type: "int" });
      stays.write(P, 4);
      joins.declare(P, { type: "double" });
      joins.write(P, 6);
    },
    after: { [P]: 6 },
    types: { [P]: "int" },
    records: [value("theirs", [4, 6])],
  },
  {
    name: "declared by itself on both with types that do not go into each other: the side that stays, and it is open",
    before: () => {},
    divided: (stays, joins) => {
      stays.declare(P, { type: "float" });
      stays.write(P, 4);
      joins.declare(P, { type: "string" });
      joins.write(P, "text");
    },
    after: { [P]: 4 },
    types: { [P]: "float" },
    records: [value("mine", [4, "text"], { kind: "type", isOpen: true })],
  },
  {
    name: "an enum goes by its name, not by its place",
    before: () => {},
    divided: (stays, joins) => {
      stays.declare(P, { type: "enum", values: ["a", "b", "c"] });
      stays.write(P, "b");
      joins.declare(P, { type: "enum", values: ["c", "b", "a"] });
      joins.write(P, "a");
    },
    after: { [P]: "a" },
    records: [value("theirs", ["b", "a"], { kind: "declared" })],
  },
  // Restores
  {
    name: "a scene restored where it joins, one path of it edited later where it stays: that path is listed, the rest is restored",
    before: (both) => {
      for (const name of ["a", "b", "c"]) both.declare(`/viz/${name}`, { type: "float" });
    },
    divided: (stays, joins) => {
      joins.writeGroup(["a", "b", "c"].map((name) => [`/viz/${name}`, 9] as const));
      stays.write("/viz/b", 2);
    },
    after: { "/viz/a": 9, "/viz/b": 2, "/viz/c": 9 },
    records: [value("mine", [2, 9], { path: "/viz/b" })],
  },
  {
    name: "a scene restored later where it stays, one path of it edited where it joins: the scene, and that path is listed",
    before: (both) => {
      for (const name of ["a", "b", "c"]) both.declare(`/viz/${name}`, { type: "float" });
    },
    divided: (stays, joins) => {
      joins.write("/viz/b", 3);
      stays.writeGroup(["a", "b", "c"].map((name) => [`/viz/${name}`, 9] as const));
    },
    after: { "/viz/a": 9, "/viz/b": 9, "/viz/c": 9 },
    records: [value("mine", [9, 3], { path: "/viz/b" })],
  },
  // Impulses, ids
  {
    name: "an impulse fired on both sides: nothing listed",
    before: (both) => both.declare("/global/go", { type: "impulse" }),
    divided: (stays, joins) => {
      stays.fire("/global/go");
      joins.fire("/global/go");
    },
    after: { "/global/go": null },
    records: [],
  },
  {
    name: "paths that have one id on both sides are told apart by their names",
    before: float,
    divided: (stays, joins) => {
      stays.declare("/viz/mine", { type: "float" });
      stays.write("/viz/mine", 2);
      joins.declare("/viz/theirs", { type: "string" });
      joins.write("/viz/theirs", "three");
      joins.declare("/viz/more", { type: "int" });
      joins.write("/viz/more", 4);
    },
    after: { [P]: 1, "/viz/mine": 2, "/viz/theirs": "three", "/viz/more": 4 },
    records: [],
  },
];
