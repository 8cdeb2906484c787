/** How the nodes fare, as state: written by the controller, kept up over takeovers, and never a flood. */
import { describe, expect, test } from "vitest";
import { SHOWN_MAX } from "../../../src/node/peer-paths.js";
import { Mesh, type MeshNode } from "./mesh.js";

function meshOf(count: number, paths = 2_000): Mesh {
  const mesh = new Mesh(5);
  for (let place = 0; place < count; place++) mesh.add({ showsPeers: true, paths });
  mesh.until(() => mesh.isSettled);
  return mesh;
}

function shown(node: MeshNode, of: string, name: string): unknown {
  return node.value(`/system/peers/${of}/${name}`);
}

/** Invents peers, which speak until it is told that they fall silent. */
function invent(node: MeshNode, count: number, first = 0): (permille: number) => void {
  const notice = { priority: 0, unicastPort: 9, snapshotPort: 9, term: 1, isInSync: true };
  return (permille) => {
    for (let place = first; place < first + count; place++) {
      const id = (0x1000 + place).toString(16).padStart(16, "0");
      const peer = node.hana.peers.notice(id, "10.9.9.9", { ...notice, name: `p${place}` }, node.hana.core.clock.nowUs);
      Object.assign(peer ?? {}, { lossPermille: permille, naks: permille * place, roundTripUs: permille * 1_000 + 1 });
    }
  };
}

describe("the peers in the state", () => {
  test("are all nodes, the controller too, the same on every node, and not saved", () => {
    const mesh = meshOf(3);
    mesh.run(8_000_000);
    for (const node of mesh.nodes) {
      for (const { id, hana } of mesh.nodes) {
        expect(shown(node, id, "name")).toBe(hana.core.identity.name);
        expect(shown(node, id, "health")).toBe("green");
        expect(shown(node, id, "interface")).toBe("eth7");
      }
    }
    const { state } = mesh.controller.hana.core;
    const paths = [...state.ids()].filter((id) => state.pathOf(id).startsWith("/system/peers/"));
    expect(paths.length).toBeGreaterThan(9);
    expect(paths.every((id) => state.declarationOf(id)?.persist === false)).toBe(true);
  });

  test("say who is gone, and who came back, and outlive the controller", () => {
    const mesh = meshOf(3);
    mesh.run(8_000_000);
    const [first, second, third] = mesh.nodes as [MeshNode, MeshNode, MeshNode];
    first.crash();
    mesh.until(() => mesh.isSettled);
    mesh.run(8_000_000);
    expect(shown(third, first.id, "health")).toBe("gone");
    expect(shown(third, second.id, "health")).toBe("green");
    mesh.restart(first);
    mesh.until(() => mesh.isSettled);
    mesh.run(3_000_000);
    expect(shown(third, first.id, "health")).toBe("green");
  });

  test("rest when nothing happens", () => {
    const mesh = meshOf(3);
    mesh.run(10_000_000);
    const { sequence } = mesh.controller.hana.core;
    const before = sequence[0];
    mesh.run(30_000_000);
    expect(sequence[0]).toBe(before);
  });

  test("are no more than forty changes a second, whatever a hundred nodes report", () => {
    const mesh = meshOf(1, 3_000);
    const node = mesh.controller;
    const speak = invent(node, 100);
    const { sequence } = node.hana.core;
    const begin = sequence[0] as number;
    for (let second = 0; second < 90; second++) {
      const before = sequence[0] as number;
      for (let turn = 0; turn < 4; turn++) {
        speak((second * 4 + turn) % 2 === 0 ? 900 : 100);
        mesh.run(250_000);
      }
      // Five looks may fall into one second.
      expect((sequence[0] as number) - before).toBeLessThanOrEqual(50);
    }
    expect((sequence[0] as number) - begin).toBeLessThanOrEqual(90 * 40);
    // Nobody measured a clock, and the controller measures nothing of itself.
    expect([...node.hana.core.state.ids()].length).toBe(100 * 7 + 3);
  });

  test("change what stands at most once a second a node", () => {
    const mesh = meshOf(1, 3_000);
    const node = mesh.controller;
    const speak = invent(node, 1);
    const id = (): number => node.hana.core.state.idOf("/system/peers/0000000000001000/health");
    let changes = 0;
    let last = 0;
    for (let turn = 0; turn < 200; turn++) {
      speak(turn % 2 === 0 ? 900 : 0);
      mesh.run(50_000);
      const sequence = id() < 0 ? 0 : (node.hana.core.state.sequences[id()] as number);
      if (sequence !== last) changes++;
      last = sequence;
    }
    expect(changes).toBeGreaterThan(2);
    expect(changes).toBeLessThanOrEqual(11);
  });

  test("give up the place of one that is gone when there are too many", () => {
    const mesh = meshOf(1, 3_000);
    const node = mesh.controller;
    const gone = invent(node, SHOWN_MAX - 1);
    for (let second = 0; second < 40; second++) {
      gone(0);
      mesh.run(1_000_000);
    }
    mesh.run(8_000_000);
    const next = invent(node, 3, 500);
    for (let second = 0; second < 5; second++) {
      next(0);
      mesh.run(1_000_000);
    }
    const nodes = new Set([...node.hana.core.state.ids()].map((id) => node.hana.core.state.pathOf(id).split("/")[3]));
    expect(nodes.has((0x1000 + 501).toString(16).padStart(16, "0"))).toBe(true);
    expect(nodes.has(node.id)).toBe(true);
    expect(nodes.size).toBeLessThanOrEqual(SHOWN_MAX);
  });
});
