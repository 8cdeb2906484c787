import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressTable } from "../../../src/input/address-table.js";
import { completeDeclaration } from "../../../src/state/declaration.js";
import { State } from "../../../src/state/state.js";

const encoder = new TextEncoder();
const float = completeDeclaration({ type: "float" });

/** Looks an address up where it lies in a datagram: with other bytes around it. */
function look(table: AddressTable, address: string): number {
  const bytes = encoder.encode(`#####${address}#####`);
  return table.lookup(bytes, 5, bytes.length - 10);
}

function setUp(): { state: State; table: AddressTable } {
  const state = new State(8_192);
  return { state, table: new AddressTable(state, 12_345) };
}

describe("address table", () => {
  it("finds paths and aliases by their bytes, again and again", () => {
    const { state, table } = setUp();
    state.declare(7, "/viz/tunnel/zoom", completeDeclaration({ type: "float", oscAlias: "/1/fader1" }));
    state.declare(9, "/viz/tunnel/zoon", float);
    for (let round = 0; round < 3; round++) {
      expect(look(table, "/viz/tunnel/zoom")).toBe(7);
      expect(look(table, "/viz/tunnel/zoon")).toBe(9);
      expect(look(table, "/1/fader1")).toBe(7);
      expect(look(table, "/viz/tunnel/zoo")).toBe(-1);
      expect(look(table, "/viz/tunnel/zooms")).toBe(-1);
    }
    expect(table.size).toBe(3);
  });

  it("follows every change of the tree without being told", () => {
    const { state, table } = setUp();
    state.declare(1, "/viz/a", float);
    state.declare(2, "/viz/b", float);
    expect([look(table, "/viz/a"), look(table, "/viz/b"), look(table, "/viz/c")]).toEqual([1, 2, -1]);
    state.rename(1, "/viz/c");
    expect([look(table, "/viz/a"), look(table, "/viz/b"), look(table, "/viz/c")]).toEqual([-1, 2, 1]);
    state.remove(2);
    state.declare(3, "/viz/a", float);
    expect([look(table, "/viz/a"), look(table, "/viz/b"), look(table, "/viz/c")]).toEqual([3, -1, 1]);
    state.declare(4, "/viz/b", completeDeclaration({ type: "float", oscAlias: "/x" }));
    expect([look(table, "/viz/b"), look(table, "/x")]).toEqual([4, 4]);
    state.declare(4, "/viz/b", float);
    expect([look(table, "/viz/b"), look(table, "/x")]).toEqual([4, -1]);
    state.clear();
    expect(["/viz/a", "/viz/b", "/viz/c"].map((path) => look(table, path))).toEqual([-1, -1, -1]);
  });

  it("prefers a path to another path's alias", () => {
    const { state, table } = setUp();
    state.declare(1, "/viz/a", completeDeclaration({ type: "float", oscAlias: "/viz/b" }));
    expect(look(table, "/viz/b")).toBe(1);
    state.declare(2, "/viz/b", float);
    expect(look(table, "/viz/b")).toBe(2);
  });

  it("keeps nothing of what does not exist", () => {
    const { table } = setUp();
    for (let index = 0; index < 1_000; index++) expect(look(table, `/viz/unknown/${index}`)).toBe(-1);
    expect(look(table, `/viz/${"x".repeat(70_000)}`)).toBe(-1);
    expect(table.size).toBe(0);
  });

  it("grows with the paths that are used", () => {
    const { state, table } = setUp();
    const paths = Array.from({ length: 4_000 }, (_, id) => `/viz/scene${id % 7}/group/parameter${id}`);
    for (const [id, path] of paths.entries()) state.declare(id, path, float);
    for (let round = 0; round < 2; round++) {
      for (const [id, path] of paths.entries()) if (look(table, path) !== id) expect.fail(path);
    }
    expect(table.size).toBe(4_000);
  });

  it("answers what the state says, whatever happens to the tree in between", () => {
    const names = ["/viz/a", "/viz/ab", "/viz/abc/d", "/viz/b", "/x/1", "/viz/abcd/efgh"];
    const name = fc.constantFrom(...names);
    const step = fc.oneof(
      fc.record({ kind: fc.constant("declare"), name, alias: fc.constantFrom("", ...names) }),
      fc.record({ kind: fc.constant("rename"), name, alias: name }),
      fc.record({ kind: fc.constant("remove"), name, alias: fc.constant("") }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.integer(), (steps, seed) => {
        const state = new State(8_192);
        const table = new AddressTable(state, seed);
        for (const { kind, name: path, alias } of steps) {
          const id = state.idOf(path);
          if (kind === "declare" && id < 0) {
            state.declare(state.nextId, path, completeDeclaration({ type: "float", oscAlias: alias }));
          } else if (kind === "rename" && id >= 0 && state.idOf(alias) < 0) state.rename(id, alias);
          else if (kind === "remove" && id >= 0) state.remove(id);
          for (const asked of names) {
            const expected = state.idOf(asked) >= 0 ? state.idOf(asked) : state.idOfAlias(asked);
            expect(look(table, asked)).toBe(expected);
          }
        }
      }),
    );
  });
});
