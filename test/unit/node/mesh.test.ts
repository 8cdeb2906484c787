/** Nodes in a mesh, as they ship, in memory. */
import { describe, expect, test } from "vitest";
import { Mesh, type MeshNode } from "./mesh.js";

/** A mesh at rest: the first node is controller. */
function settledMesh(nodes: number, seed = 1): { mesh: Mesh; nodes: MeshNode[] } {
  const mesh = new Mesh(seed);
  mesh.add();
  mesh.run(1_000_000);
  for (let place = 1; place < nodes; place++) mesh.add();
  mesh.until(() => mesh.isSettled);
  mesh.run(300_000);
  return { mesh, nodes: mesh.nodes };
}

describe("a mesh without faults", () => {
  test("a follower's write is confirmed at every node", () => {
    const { mesh, nodes } = settledMesh(3);
    const [first, second, third] = nodes as [MeshNode, MeshNode, MeshNode];
    first.declare("/viz/x", { type: "float" });
    mesh.run(10_000);
    second.write("/viz/x", 1, "fader");
    mesh.run(10_000);
    expect(third.value("/viz/x")).toBe(1);
    expect(third.contents()).toEqual(first.contents());
    expect(second.contents()).toEqual(first.contents());
    expect(second.digests()).toEqual(first.digests());
  });

  test("a late joiner holds what the controller holds", () => {
    const { mesh, nodes } = settledMesh(1);
    const [first] = nodes as [MeshNode];
    first.declare("/viz/x", { type: "string" });
    first.declare("/global/go", { type: "impulse" });
    first.write("/viz/x", "value", "page");
    const joiner = mesh.add();
    mesh.run(1_000_000);
    expect(joiner.contents()).toEqual(first.contents());
    expect(joiner.digests()).toEqual(first.digests());
  });

  test("a path that changes its type holds the value written after", () => {
    const { mesh, nodes } = settledMesh(2);
    const [first, second] = nodes as [MeshNode, MeshNode];
    first.declare("/viz/x", { type: "float" });
    mesh.run(10_000);
    first.write("/viz/x", 2);
    first.declare("/viz/x", { type: "string" });
    first.write("/viz/x", "after");
    mesh.run(10_000);
    expect(second.contents()).toEqual(first.contents());
  });

  test("texts that UTF-8 cannot carry, or decoders shorten, are the same everywhere", () => {
    const { mesh, nodes } = settledMesh(2);
    const [first, second] = nodes as [MeshNode, MeshNode];
    first.declare("/viz/mark", { type: "string" });
    first.declare("/viz/half", { type: "string" });
    first.write("/viz/half", "\ud800 half");
    mesh.run(1_000_000);
    expect(second.value("/viz/half")).toBe("\ufffd half");
    expect(second.contents()).toEqual(first.contents());
    expect(second.hana.core.counters.digestMismatches).toBe(0);
  });

  test("digests come five times a second while a fader moves, and are those of the follower", () => {
    const { mesh, nodes } = settledMesh(2);
    const [first, second] = nodes as [MeshNode, MeshNode];
    first.declare("/viz/x", { type: "float" });
    mesh.run(1_000_000);
    let infos = 0;
    let compared = 0;
    const { following, sameness } = second.hana;
    const compare = sameness.compare.bind(sameness);
    sameness.compare = (digests, sequence) => {
      const isMatch = compare(digests, sequence);
      if (isMatch) compared++;
      return isMatch;
    };
    const onFrame = following.onFrame.bind(following);
    following.onFrame = (frame, buffer, sender, session, address) => {
      if (frame.info !== undefined) infos++;
      onFrame(frame, buffer, sender, session, address);
    };
    for (let step = 0; step < 3_000; step++) {
      first.write("/viz/x", step);
      mesh.run(1_000);
    }
    expect(infos).toBeGreaterThanOrEqual(14);
    expect(infos).toBeLessThanOrEqual(16);
    expect(compared).toBe(infos);
  });

  test("structure that waits for the budget makes no digest differ", () => {
    const mesh = new Mesh(1);
    const sendLimits = { flushesPerSecond: 5, flushBurst: 1, packetsPerSecond: 20_000, bitsPerSecond: 160e6 };
    const first = mesh.add({ sendLimits });
    mesh.run(1_000_000);
    const second = mesh.add();
    mesh.until(() => mesh.isSettled);
    for (let round = 0; round < 100; round++) {
      first.declare("/viz/y", { type: "float", description: `round ${round}` });
      mesh.run(23_000);
    }
    mesh.run(2_000_000);
    expect(second.hana.core.counters.digestMismatches).toBe(0);
    expect(second.contents()).toEqual(first.contents());
  });

  test("a controller that ends is followed by another", () => {
    const { mesh, nodes } = settledMesh(3);
    const [first, second, third] = nodes as [MeshNode, MeshNode, MeshNode];
    first.declare("/viz/x", { type: "float" });
    mesh.run(100_000);
    first.crash();
    third.write("/viz/x", 3);
    mesh.run(2_000_000);
    expect(mesh.isSettled).toBe(true);
    expect(second.value("/viz/x")).toBe(3);
    expect(third.hana.pending.size).toBe(0);
  });

  test("nodes that start at once end with one controller", () => {
    const mesh = new Mesh(3);
    for (let place = 0; place < 5; place++) mesh.add();
    mesh.run(3_000_000);
    expect(mesh.isSettled).toBe(true);
  });
});
