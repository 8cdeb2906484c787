/** Digests: equal exactly when paths, values and versions are, whatever the ids, the terms' indexes and the order. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { COMPONENTS, componentOf } from "../../../src/state/component.js";
import { completeDeclaration, type Value } from "../../../src/state/declaration.js";
import { Digests } from "../../../src/state/digest.js";
import { Staging } from "../../../src/state/staging.js";
import { State } from "../../../src/state/state.js";
import { TermTable } from "../../../src/state/tables.js";

type Type = "float" | "double" | "int" | "bool" | "string" | "vec3" | "color" | "blob" | "impulse";

interface Path {
  readonly path: string;
  readonly type: Type;
  readonly value: Value;
  readonly sequence: number;
  readonly term: number;
  readonly node: string;
}

const lane = fc.float({ noNaN: true, noDefaultInfinity: true });
const values: Readonly<Record<Type, fc.Arbitrary<Value>>> = {
  float: lane,
  double: fc.double({ noNaN: true, noDefaultInfinity: true }),
  int: fc.integer(),
  bool: fc.boolean(),
  string: fc.string(),
  vec3: fc.tuple(lane, lane, lane),
  color: fc.tuple(lane, lane, lane, lane),
  blob: fc.uint8Array({ maxLength: 20 }),
  impulse: fc.constant(null),
};
const row = fc.constantFrom(...(Object.keys(values) as Type[])).chain((type) =>
  fc.record({
    path: fc.tuple(fc.constantFrom(...COMPONENTS), fc.nat(99)).map(([top, name]) => `/${top}/x${name}`),
    type: fc.constant(type),
    value: values[type],
    sequence: fc.oneof(fc.nat(10), fc.maxSafeNat()),
    term: fc.integer({ min: 1, max: 3 }),
    node: fc.constantFrom("0000000000000001", "0000000000000002"),
  }),
);
const rows = fc.uniqueArray(row, { minLength: 1, maxLength: 20, selector: (one) => one.path });

class Tree {
  readonly state = new State(4_200);
  readonly terms = new TermTable();
  readonly digests = new Digests(this.state, this.terms);
  private readonly staging = new Staging();

  put(id: number, one: Path): void {
    if (this.state.exists(id)) this.digests.drop(id);
    this.state.declare(id, one.path, completeDeclaration({ type: one.type }));
    this.digests.name(id);
    this.write(id, one);
  }

  write(id: number, one: Path): void {
    this.staging.value(one.value);
    if (one.type !== "impulse") this.state.store(id, this.staging);
    this.state.sequences[id] = one.sequence;
    this.state.terms[id] = this.terms.intern(one.term, one.node);
    this.digests.touch(id);
  }

  clear(): this {
    this.state.clear();
    this.digests.clear();
    return this;
  }

  get words(): number[] {
    return [...this.digests.words];
  }
}

const used = new Tree();
const otherUsed = new Tree();
otherUsed.terms.intern(9, "0000000000000009");

/** A tree with these paths; the same one each time, as trees are large. */
function treeOf(list: readonly Path[]): Tree {
  used.clear();
  list.forEach((one, id) => {
    used.put(id, one);
  });
  return used;
}

/** Everything that can be different in one path, one at a time. */
function variants(one: Path): Path[] {
  const made = [
    { ...one, sequence: one.sequence === 0 ? 1 : one.sequence - 1 },
    { ...one, term: one.term + 1 },
    { ...one, node: "0000000000000003" },
    { ...one, path: `${one.path}x` },
  ];
  const { value } = one;
  if (typeof value === "boolean") made.push({ ...one, value: !value });
  else if (typeof value === "number") made.push({ ...one, value: value === 5 ? 6 : 5 });
  else if (typeof value === "string") made.push({ ...one, value: `${value}x` });
  else if (value instanceof Uint8Array) made.push({ ...one, value: Uint8Array.of(...value, 0) });
  else if (value !== null) {
    for (let at = 0; at < value.length; at++) {
      made.push({ ...one, value: value.map((number, index) => (index === at ? (number === 5 ? 6 : 5) : number)) });
    }
  }
  return made;
}

describe("digests", () => {
  test("are equal whatever the order, the ids and the terms' indexes", () => {
    const property = fc.property(rows, fc.infiniteStream(fc.nat()), (list, chance) => {
      const tree = treeOf(list);
      const shuffled = list.map((one) => ({ one, place: chance.next().value })).sort((a, b) => a.place - b.place);
      const other = otherUsed.clear();
      shuffled.forEach(({ one }, index) => {
        other.put(4_000 - index * 7, { ...one, sequence: 77 });
        other.put(4_000 - index * 7, one);
      });
      expect(other.words).toEqual(tree.words);
      expect(Digests.equal(other.digests.words, tree.digests.words)).toBe(true);
    });
    fc.assert(property, { numRuns: 100 });
  });

  test("differ after any single change, in that path's component alone", () => {
    const property = fc.property(rows, fc.nat(), (list, place) => {
      const at = place % list.length;
      const one = list[at] as Path;
      const before = treeOf(list).words;
      const component = componentOf(one.path);
      for (const variant of variants(one)) {
        const after = treeOf(list.map((other, index) => (index === at ? variant : other))).words;
        expect(after.slice(component * 2, component * 2 + 2)).not.toEqual(
          before.slice(component * 2, component * 2 + 2),
        );
        after.splice(component * 2, 2);
        expect(after).toEqual(before.toSpliced(component * 2, 2));
      }
    });
    fc.assert(property, { numRuns: 100 });
  });

  test("come back when a path comes back, and are zero without any", () => {
    const property = fc.property(rows, (list) => {
      const tree = treeOf(list);
      const before = tree.words;
      list.forEach((_, id) => {
        tree.digests.drop(id);
        tree.digests.drop(id);
      });
      expect(tree.words.every((word) => word === 0)).toBe(true);
      list.forEach((_, id) => {
        tree.digests.touch(id);
        tree.digests.touch(id);
      });
      expect(tree.words).toEqual(before);
      tree.digests.clear();
      expect(tree.words.every((word) => word === 0)).toBe(true);
    });
    fc.assert(property, { numRuns: 100 });
  });

  test("follow a path that moves to another component", () => {
    const one: Path = { path: "/viz/x", type: "float", value: 1, sequence: 1, term: 1, node: "0000000000000001" };
    const tree = treeOf([one]);
    tree.digests.drop(0);
    tree.state.rename(0, "/global/x");
    tree.digests.name(0);
    tree.digests.touch(0);
    expect(tree.words).toEqual(treeOf([{ ...one, path: "/global/x" }]).words);
  });

  test("have no two equal among many like paths and sequences", () => {
    const seen = new Set<string>();
    for (let name = 0; name < 100; name++) {
      for (let sequence = 0; sequence < 100; sequence++) {
        const tree = new TinyTree(`/viz/x${name}`, sequence);
        seen.add(tree.hex);
      }
    }
    expect(seen.size).toBe(10_000);
  });

  test("are sixteen hexadecimal digits", () => {
    expect(new TinyTree("/viz/x", 1).hex).toMatch(/^[0-9a-f]{16}$/);
  });
});

const tiny = new Tree();

/** One path in a tree that is used again. */
class TinyTree {
  readonly hex: string;

  constructor(path: string, sequence: number) {
    tiny.put(0, { path, type: "float", value: 0, sequence, term: 1, node: "0000000000000001" });
    this.hex = tiny.digests.hex(1);
  }
}
