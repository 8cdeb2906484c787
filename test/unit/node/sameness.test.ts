/** Who holds exactly which version, as every node of a mesh says it. */
import { describe, expect, test } from "vitest";
import { LANES } from "../../../src/state/state.js";
import { Mesh, type MeshNode } from "./mesh.js";

function meshOf(count: number): Mesh {
  const mesh = new Mesh(1);
  for (let place = 0; place < count; place++) mesh.add();
  mesh.until(() => mesh.isSettled);
  return mesh;
}

function said(node: MeshNode): string {
  const { holding, nodes, sequence } = node.hana.sameness.report();
  return `${holding} of ${nodes} hold ${sequence}`;
}

describe("sameness", () => {
  test("at rest every node knows that all hold the newest version", () => {
    const mesh = meshOf(4);
    mesh.controller.declare("/viz/x", { type: "float" });
    for (let step = 0; step < 5; step++) mesh.controller.write("/viz/x", step + 1);
    mesh.run(4_000_000);
    const { sequence } = mesh.controller.hana.core;
    expect(mesh.nodes.map(said)).toEqual(new Array(4).fill(`4 of 4 hold ${sequence[0]}`));
  });

  test("while the show moves all hold a version of a few seconds ago", () => {
    const mesh = meshOf(3);
    mesh.controller.declare("/viz/x", { type: "float" });
    for (let step = 0; step < 6_000; step++) {
      mesh.controller.write("/viz/x", step + 1);
      mesh.run(1_000);
    }
    for (const node of mesh.nodes) {
      const { holding, sequence } = node.hana.sameness.report();
      expect(holding).toBe(3);
      expect(sequence).toBeGreaterThan(2_500);
      expect(sequence).toBeLessThan(4_000);
    }
  });

  test("a node that does not say what it holds is named with what it may lack", () => {
    const mesh = meshOf(3);
    const [first, second, third] = mesh.nodes as [MeshNode, MeshNode, MeshNode];
    first.declare("/viz/x", { type: "float" });
    mesh.run(4_000_000);
    const before = first.hana.core.sequence[0] as number;
    mesh.drop = (from, _to, _datagram, way) => from === third && way === "unicast";
    for (let step = 0; step < 9; step++) first.write("/viz/x", step + 1);
    mesh.run(3_000_000);
    const expected = { node: third.id, name: "n3", components: [], behind: 9, isInSync: true };
    expect(second.hana.sameness.report()).toMatchObject({ sequence: before + 9, holding: 2, different: [expected] });
  });

  test("what was proven in another term counts no more", () => {
    const mesh = meshOf(3);
    mesh.controller.declare("/viz/x", { type: "float" });
    mesh.run(4_000_000);
    mesh.controller.crash();
    mesh.until(() => mesh.live.some(({ hana }) => hana.controller.isOpen));
    mesh.until(() => mesh.controller.hana.sameness.report().different.length === 2, 100_000);
    expect(mesh.controller.hana.sameness.report().nodes).toBe(3);
    mesh.run(6_000_000);
    expect(mesh.live.map(said)).toEqual(new Array(2).fill(`2 of 2 hold ${mesh.controller.hana.core.sequence[0]}`));
  });

  test("a digest that differs names the component", () => {
    const mesh = meshOf(3);
    const [first, second, third] = mesh.nodes as [MeshNode, MeshNode, MeshNode];
    first.declare("/viz/x", { type: "float" });
    mesh.run(4_000_000);
    // What it holds changes behind its back, and it is kept from repairing it.
    third.hana.following.repair.compared = () => true;
    const id = third.hana.core.state.idOf("/viz/x");
    third.hana.core.state.numbers[id * LANES] = 7;
    third.hana.core.digests.touch(id);
    mesh.run(3_000_000);
    expect(second.hana.sameness.report().different).toMatchObject([{ node: third.id, components: ["viz"] }]);
  });
});
