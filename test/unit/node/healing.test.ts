/** Two sides of a partition become one mesh again: nothing that was confirmed on either is gone without a word. */
import { describe, expect, test } from "vitest";
import { Role } from "../../../src/sync/roles.js";
import { Mesh, type MeshNode } from "./mesh.js";

interface Record {
  readonly path: string;
  readonly kind: string;
  readonly policy: string;
  readonly taken: string;
  readonly isOpen: boolean;
  readonly mine: { readonly value: unknown } | null;
  readonly theirs: { readonly value: unknown } | null;
}

/** The conflicts that a node has on record, by path. */
function conflictsOf(node: MeshNode): Record[] {
  const { state } = node.hana.core;
  const ids = [...state.ids()].filter((id) => state.pathOf(id).startsWith("/system/conflicts/"));
  const records = ids.map((id) => JSON.parse(state.valueOf(id) as string) as Record);
  return records.sort((left, right) => (left.path < right.path ? -1 : 1));
}

/** A mesh at rest, the first node its controller. */
function meshOf(nodes: number, seed = 1): Mesh {
  const mesh = new Mesh(seed);
  mesh.add();
  mesh.run(1_000_000);
  for (let place = 1; place < nodes; place++) mesh.add();
  mesh.until(() => mesh.isSettled);
  mesh.run(300_000);
  return mesh;
}

/** Nothing passes between the first nodes and the rest. */
function divide(mesh: Mesh, first: number): void {
  const isFirst = (node: MeshNode): boolean => mesh.nodes.indexOf(node) < first;
  mesh.drop = (from, to) => isFirst(from) !== isFirst(to);
  mesh.canConnect = (from, to) => isFirst(from) === isFirst(to);
}

function heal(mesh: Mesh): void {
  mesh.drop = () => false;
  mesh.canConnect = () => true;
}

/** All nodes hold the same, and nobody waits for anything. */
function expectSame(mesh: Mesh): void {
  const [first, ...others] = mesh.live as [MeshNode, ...MeshNode[]];
  for (const other of others) {
    expect(other.contents()).toEqual(first.contents());
    expect(other.digests()).toEqual(first.digests());
    expect(other.hana.pending.size).toBe(0);
  }
}

function controllers(mesh: Mesh): MeshNode[] {
  return mesh.live.filter(({ hana }) => hana.roles.role === Role.controlling);
}

/** Two nodes on one side, three on the other, each side with a controller. */
function divided(): { mesh: Mesh; nodes: MeshNode[] } {
  const mesh = meshOf(5);
  const [first] = mesh.nodes as [MeshNode];
  for (const name of ["both", "left", "right", "same"]) first.declare(`/viz/${name}`, { type: "float" });
  first.declare("/viz/text", { type: "string" });
  mesh.run(100_000);
  divide(mesh, 2);
  mesh.run(2_000_000);
  expect(controllers(mesh)).toHaveLength(2);
  return { mesh, nodes: mesh.nodes };
}

describe("two sides of a partition", () => {
  test("are one mesh a second after they meet, with what either had written", () => {
    const { mesh, nodes } = divided();
    nodes[0]?.write("/viz/left", 1);
    nodes[1]?.write("/viz/text", "left");
    nodes[2]?.write("/viz/right", 2);
    nodes[4]?.declare("/viz/new", { type: "int" });
    mesh.run(10_000);
    nodes[4]?.write("/viz/new", 7);
    mesh.run(1_000_000);
    heal(mesh);
    mesh.until(() => mesh.isSettled, 1_000_000);
    mesh.run(1_000_000);
    expectSame(mesh);
    const values = ["left", "text", "right", "new"].map((name) => nodes[3]?.value(`/viz/${name}`));
    expect(values).toEqual([1, "left", 2, 7]);
    expect(conflictsOf(mesh.controller)).toEqual([]);
    expect(mesh.controller.hana.core.counters.merges).toBe(1);
  });

  test("keep the later of two writes to one path, and list it", () => {
    const { mesh, nodes } = divided();
    nodes[0]?.write("/viz/both", 1);
    mesh.run(10_000);
    nodes[2]?.write("/viz/both", 2);
    nodes[1]?.write("/viz/same", 5);
    nodes[3]?.write("/viz/same", 5);
    nodes[2]?.write("/viz/text", "early");
    mesh.run(10_000);
    nodes[0]?.write("/viz/text", "late");
    mesh.run(1_000_000);
    heal(mesh);
    mesh.run(2_000_000);
    expect(mesh.isSettled).toBe(true);
    expectSame(mesh);
    expect([nodes[4]?.value("/viz/both"), nodes[4]?.value("/viz/text")]).toEqual([2, "late"]);
    const listed = conflictsOf(nodes[1] as MeshNode);
    expect(listed.map(({ path, kind, policy, isOpen }) => [path, kind, policy, isOpen])).toEqual([
      ["/viz/both", "value", "lww", false],
      ["/viz/text", "value", "lww", false],
    ]);
    // The side with three nodes stays.
    expect(listed.map(({ mine, theirs, taken }) => [mine?.value, theirs?.value, taken])).toEqual([
      [2, 1, "mine"],
      ["early", "late", "theirs"],
    ]);
  });
});
