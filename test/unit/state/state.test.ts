/** The typed tree: ids, names, aliases, defaults, and what is left after everything went. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { completeDeclaration, type DeclarationInput, zeroOf } from "../../../src/state/declaration.js";
import { Staging } from "../../../src/state/staging.js";
import { PROVISIONAL_IDS, State } from "../../../src/state/state.js";
import { ORIGINS_MAX, OriginTable, TermTable } from "../../../src/state/tables.js";

const float = completeDeclaration({ type: "float", default: 0.1 });

function tree(...paths: string[]): State {
  const state = new State(PROVISIONAL_IDS + 100);
  paths.forEach((path, id) => {
    state.declare(id, path, float);
  });
  return state;
}

describe("a tree", () => {
  test("finds what was declared by path, id and alias", () => {
    const state = tree("/viz/a");
    state.declare(1, "/viz/b", { ...float, oscAlias: "/b" });
    expect([state.idOf("/viz/a"), state.idOf("/viz/b"), state.idOfAlias("/b")]).toEqual([0, 1, 1]);
    expect([state.idOf("/viz/c"), state.idOfAlias(""), state.pathOf(7), state.declarationOf(7)]).toEqual([
      -1,
      -1,
      "",
      undefined,
    ]);
    expect([state.pathCount, state.nextId, [...state.ids()]]).toEqual([2, 2, [0, 1]]);
  });

  test("begins every type at its default, as the type holds it", () => {
    const state = tree();
    const types = ["float", "double", "int", "bool", "string", "enum", "color", "vec2", "vec3", "vec4"] as const;
    for (const [id, type] of [...types, "quaternion", "impulse", "blob"].entries()) {
      const input = { type, values: ["a", "b"] } as DeclarationInput;
      state.declare(id, `/viz/${type}`, completeDeclaration(input));
      expect(state.valueOf(id), type).toEqual(zeroOf(input));
    }
    state.declare(50, "/viz/x", float);
    expect(state.valueOf(50)).toBe(Math.fround(0.1));
    state.declare(51, "/viz/y", completeDeclaration({ type: "enum", values: ["a", "b"], default: "b" }));
    expect(state.valueOf(51)).toBe("b");
    expect(state.nextId).toBe(52);
  });

  test("that declares over an id forgets what was there", () => {
    const state = tree("/viz/a");
    state.declare(0, "/viz/a", { ...float, oscAlias: "/old" });
    state.sequences[0] = 5;
    state.declare(0, "/viz/a", completeDeclaration({ type: "string", default: "text" }));
    expect([state.idOfAlias("/old"), state.sequences[0], state.valueOf(0), state.pathCount]).toEqual([
      -1,
      0,
      "text",
      1,
    ]);
    state.declare(0, "/viz/b", float);
    expect([state.idOf("/viz/a"), state.idOf("/viz/b"), state.texts[0]]).toEqual([-1, 0, undefined]);
  });

  test("renames: the old name is free, value and version stay, the component follows", () => {
    const state = tree("/viz/a");
    state.numbers[0] = 5;
    state.sequences[0] = 9;
    const { generation } = state;
    state.rename(0, "/global/a");
    expect([state.idOf("/viz/a"), state.idOf("/global/a"), state.valueOf(0), state.sequences[0]]).toEqual([
      -1, 0, 5, 9,
    ]);
    expect(state.components[0]).toBe(0);
    expect(state.generation).toBeGreaterThan(generation);
  });

  test("removes: nothing of it is left, and its id is not given again", () => {
    const state = tree("/viz/a", "/viz/b");
    state.declare(1, "/viz/b", { ...float, oscAlias: "/b" });
    state.remove(1);
    expect([state.idOf("/viz/b"), state.idOfAlias("/b"), state.exists(1), state.typeOf(1)]).toEqual([-1, -1, false, 0]);
    expect([state.pathCount, state.nextId]).toEqual([1, 2]);
  });

  test("keeps an alias with whoever declared it first, and says that it is taken", () => {
    const state = tree();
    state.declare(0, "/viz/a", { ...float, oscAlias: "/x" });
    state.declare(1, "/viz/b", { ...float, oscAlias: "/x" });
    expect(state.idOfAlias("/x")).toBe(0);
    expect([state.isAliasTaken("/viz/a", "/x"), state.isAliasTaken("/viz/b", "/x")]).toEqual([false, true]);
    state.remove(1);
    expect(state.idOfAlias("/x")).toBe(0);
    state.remove(0);
    expect([state.idOfAlias("/x"), state.isAliasTaken("/viz/b", "/x")]).toEqual([-1, false]);
  });

  test("takes a path for the alias of nothing else", () => {
    const state = tree("/viz/a");
    expect([state.isAliasTaken("/viz/b", "/viz/a"), state.isAliasTaken("/viz/a", "/viz/a")]).toEqual([true, false]);
    expect(state.isAliasTaken("/viz/b", "")).toBe(false);
  });

  test("gives provisional ids apart from the others, until there are no more", () => {
    const state = tree("/viz/a");
    for (let count = 0; count < PROVISIONAL_IDS; count++) {
      const id = state.freeProvisional();
      expect(state.isProvisional(id)).toBe(true);
      state.declare(id, `/viz/p${count}`, float);
    }
    expect([state.freeProvisional(), state.nextId]).toEqual([-1, 1]);
    expect([...state.ids()]).toHaveLength(PROVISIONAL_IDS + 1);
    state.remove(state.firstProvisional + 7);
    expect(state.freeProvisional()).toBe(state.firstProvisional + 7);
    state.clear();
    expect([state.pathCount, [...state.ids()].length, state.nextId]).toEqual([0, 0, 0]);
  });

  test("is what a map of paths is, whatever is declared, renamed and removed", () => {
    const step = fc.record({
      what: fc.constantFrom("declare", "rename", "remove"),
      id: fc.nat(9),
      name: fc.nat(9),
      alias: fc.nat(4),
    });
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const state = tree();
      const paths = new Map<number, string>();
      for (const { what, id, name, alias } of steps) {
        const path = `/viz/x${name}`;
        const isFree = ![...paths].some(([other, taken]) => taken === path && (other !== id || what === "rename"));
        if (what === "declare" && isFree) {
          state.declare(id, path, { ...float, oscAlias: alias === 0 ? "" : `/a${alias}` });
          paths.set(id, path);
        } else if (what === "rename" && isFree && paths.has(id)) {
          state.rename(id, path);
          paths.set(id, path);
        } else if (what === "remove" && paths.delete(id)) state.remove(id);
      }
      expect(new Map([...state.ids()].map((id) => [id, state.pathOf(id)]))).toEqual(new Map([...paths].sort()));
      for (let name = 0; name < 10; name++) {
        const owner = [...paths].find(([, path]) => path === `/viz/x${name}`);
        expect(state.idOf(`/viz/x${name}`)).toBe(owner?.[0] ?? -1);
      }
      for (let alias = 1; alias < 5; alias++) {
        const id = state.idOfAlias(`/a${alias}`);
        if (id >= 0) expect(state.declarationOf(id)?.oscAlias).toBe(`/a${alias}`);
      }
      expect(state.pathCount).toBe(paths.size);
    });
    fc.assert(property, { numRuns: 300 });
  });

  test("puts a value in hand as it was stored", () => {
    const state = tree();
    const inputs = ["float", "vec3", "quaternion", "string", "blob"] as const;
    const values = [0.5, [1, 2, 3], [0, 0, 1, 0], "text", Uint8Array.of(4, 5)];
    for (const [id, type] of inputs.entries()) {
      const staging = new Staging();
      state.declare(id, `/viz/${type}`, completeDeclaration({ type }));
      staging.value(values[id] as number);
      expect(state.differs(id, staging), type).toBe(true);
      state.store(id, staging);
      const loaded = new Staging();
      state.load(id, loaded);
      expect(state.differs(id, loaded)).toBe(false);
      expect(state.valueOf(id)).toEqual(values[id]);
    }
  });
});

describe("the tables", () => {
  test("give one index to one term or origin, and 0 to none", () => {
    const terms = new TermTable();
    const [one, two] = [terms.intern(1, "a"), terms.intern(1, "b")];
    expect([one, two, terms.intern(1, "a"), terms.size]).toEqual([1, 2, 1, 3]);
    expect([terms.at(two), terms.at(0), terms.at(999)]).toEqual([
      { number: 1, node: "b" },
      { number: 0, node: "" },
      { number: 0, node: "" },
    ]);
  });

  test("show an origin past the cap as its node, or as unknown", () => {
    const origins = new OriginTable();
    const node = origins.intern("a", "");
    for (let place = origins.size; place < ORIGINS_MAX; place++) origins.intern("b", `s${place}`);
    expect(origins.size).toBe(ORIGINS_MAX);
    expect([origins.intern("a", "new"), origins.intern("c", "new"), origins.size]).toEqual([node, 0, ORIGINS_MAX]);
    expect(origins.at(origins.intern("b", "s100"))).toEqual({ node: "b", surface: "s100" });
  });
});
