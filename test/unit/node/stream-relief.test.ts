/** A follower that the groups do not reach, as whole nodes have it: no takeover, no snapshot, and back again. */
import { describe, expect, test } from "vitest";
import { Role } from "../../../src/sync/roles.js";
import { Mesh, type MeshNode, Way } from "./mesh.js";

/** The first of three controls and writes 100 times a second. */
function busyMesh(): { mesh: Mesh; nodes: [MeshNode, MeshNode, MeshNode]; write: (ms: number) => void } {
  const mesh = new Mesh(7);
  mesh.add();
  mesh.run(1_000_000);
  mesh.add();
  mesh.add();
  mesh.until(() => mesh.isSettled);
  mesh.controller.declare("/viz/x", { type: "double" });
  let value = 0;
  const write = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 10) {
      mesh.nodes[0]?.write("/viz/x", ++value);
      mesh.run(10_000);
    }
  };
  write(500);
  return { mesh, nodes: mesh.nodes as [MeshNode, MeshNode, MeshNode], write };
}

describe.each([
  ["the stream's group", [Way.stream], "the multicast group of the stream"],
  ["both groups", [Way.stream, Way.meeting], "no multicast of the controller"],
] as const)("a follower that %s does not reach", (_name, lost, text) => {
  test("has the stream by unicast within a second, without a snapshot, and says why", () => {
    const { mesh, nodes, write } = busyMesh();
    const [first, second] = nodes;
    const { snapshotsTaken } = second.hana.core.counters;
    mesh.drop = (from, to, _datagram, way) => to === second && from !== second && lost.some((one) => one === way);
    write(1_000);
    expect(first.value("/viz/x")).toBe(150);
    expect(second.value("/viz/x")).toBe(150);
    write(1_500);
    expect(second.value("/viz/x")).toBe(300);
    expect(second.hana.core.counters.snapshotsTaken).toBe(snapshotsTaken);
    expect(first.hana.roles.role).toBe(Role.controlling);
    expect(second.hana.health.list()).toMatchObject([{ code: "stream-by-unicast" }]);
    expect(second.hana.health.list()[0]?.text).toContain(text);
    expect(first.hana.io.copies.targets).toHaveLength(1);
    mesh.drop = () => false;
    write(4_000);
    expect(second.hana.health.list()).toEqual([]);
    expect(first.hana.io.copies.targets).toEqual([]);
    expect(second.value("/viz/x")).toBe(700);
  });
});

test("nobody is sent copies who does not ask, and a controller that is gone is still replaced", () => {
  const { mesh, nodes, write } = busyMesh();
  write(2_000);
  expect(nodes[0].hana.io.copies.targets).toEqual([]);
  nodes[0].crash();
  mesh.run(1_500_000);
  expect(mesh.isSettled).toBe(true);
});
