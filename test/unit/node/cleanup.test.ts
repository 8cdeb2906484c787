/** What is kept for nodes that are behind is forgotten once none is, and not before. */
import { describe, expect, test } from "vitest";
import { FORKS_KEPT } from "../../../src/sync/lineage.js";
import { Mesh, type MeshNode } from "./mesh.js";

/** Numbers of terms that were never opened here. */
const STRANGE = 1_000;

/** Three nodes after two changes of controller by nodes that said goodbye; `/viz/old` was written in the first term. */
function veterans(): Mesh {
  const mesh = new Mesh(9);
  for (let place = 0; place < 5; place++) mesh.add();
  mesh.until(() => mesh.isSettled);
  mesh.controller.declare("/viz/old", { type: "float" });
  for (let round = 0; round < 3; round++) {
    mesh.controller.declare(`/viz/new/${round}`, { type: "float" });
    mesh.controller.write(`/viz/new/${round}`, round + 1);
    mesh.run(2_000_000);
    if (round === 2) break;
    mesh.controller.close();
    mesh.until(() => mesh.isSettled);
  }
  return mesh;
}

function terms(node: MeshNode): number[] {
  const { core, roles } = node.hana;
  const isPast = (number: number): boolean => number !== roles.term.number && number < STRANGE;
  return core.lineage.entries().flatMap(({ number }) => (isPast(number) ? [number] : []));
}

let strange = STRANGE;

/** So many newer terms that those of before are not kept for being new. */
function age(mesh: Mesh): void {
  const first = strange;
  strange += FORKS_KEPT;
  for (const { hana } of mesh.live) {
    for (let number = first; number < strange; number++) {
      hana.core.lineage.include(hana.core.terms.hear(number, "00000000000000ff"), 1);
    }
  }
}

function rewrite(mesh: Mesh, ...paths: readonly string[]): void {
  for (const path of paths) mesh.controller.write(path, 0.5);
}

describe("the terms of a lineage", () => {
  test("are kept while a path was written in them last, and forgotten after", () => {
    const mesh = veterans();
    age(mesh);
    mesh.run(15_000_000);
    expect(mesh.live.map(terms)).toEqual(new Array(3).fill([1, 2]));
    rewrite(mesh, "/viz/new/1");
    age(mesh);
    mesh.run(15_000_000);
    expect(mesh.live.map(terms)).toEqual(new Array(3).fill([1]));
    rewrite(mesh, "/viz/old", "/viz/new/0");
    age(mesh);
    mesh.run(15_000_000);
    expect(mesh.live.map(terms)).toEqual(new Array(3).fill([]));
  });

  test("are kept while they are few: who started lately knows few of those who may come back", () => {
    const mesh = veterans();
    rewrite(mesh, "/viz/old", "/viz/new/0", "/viz/new/1");
    mesh.run(15_000_000);
    expect(mesh.live.map(terms)).toEqual(new Array(3).fill([1, 2]));
  });

  test("are kept while a node is missing that may come back with them", () => {
    const mesh = veterans();
    age(mesh);
    const [lost] = mesh.live.filter((node) => node !== mesh.controller);
    lost?.crash();
    mesh.run(5_000_000);
    rewrite(mesh, "/viz/old", "/viz/new/0", "/viz/new/1");
    mesh.run(700_000_000);
    expect(mesh.live.map(terms)).toEqual(new Array(2).fill([1, 2]));
    mesh.restart(lost as MeshNode);
    mesh.until(() => mesh.isSettled);
    age(mesh);
    mesh.run(20_000_000);
    expect(mesh.live.map(terms)).toEqual(new Array(3).fill([]));
  });
});

describe("removals", () => {
  const stones = (mesh: Mesh): number[] => mesh.live.map(({ hana }) => hana.core.state.tombstones.size);

  function remove(mesh: Mesh): void {
    const { hana } = mesh.controller;
    mesh.controller.turn(() => hana.writes.remove(hana.core.state.idOf("/viz/old"), 0));
    mesh.controller.turn(() => hana.writes.rename(hana.core.state.idOf("/viz/new/1"), "/viz/newer", 0));
  }

  test("are forgotten once all have passed them", () => {
    const mesh = veterans();
    remove(mesh);
    mesh.run(500_000);
    expect(stones(mesh)).toEqual([2, 2, 2]);
    mesh.run(15_000_000);
    expect(stones(mesh)).toEqual([0, 0, 0]);
  });

  test("are kept for a node that is missing, and forgotten once it is back", () => {
    const mesh = veterans();
    const lost = mesh.live.find((node) => node !== mesh.controller) as MeshNode;
    lost.crash();
    mesh.run(5_000_000);
    remove(mesh);
    mesh.run(100_000_000);
    expect(stones(mesh)).toEqual([2, 2]);
    mesh.restart(lost);
    mesh.run(20_000_000);
    expect(stones(mesh)).toEqual([0, 0, 0]);
  });
});
