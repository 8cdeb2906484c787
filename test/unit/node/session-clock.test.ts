/** The session clock of whole nodes: clocks an hour apart become one time, which nobody's death moves. */
import { describe, expect, test } from "vitest";
import { TYPE_OFFSET } from "../../../src/wire/envelope.js";
import { FrameType } from "../../../src/wire/frame.js";
import { BOUND_UNKNOWN_US } from "../../../src/wire/write-frame.js";
import { CLEAN, Mesh, type MeshNode } from "./mesh.js";

const HOUR_US = 3_600_000_000;

/** The first controls; the second is an hour ahead, the third an hour behind. */
function skewedMesh(): { mesh: Mesh; nodes: MeshNode[] } {
  const mesh = new Mesh(3, { ...CLEAN, minDelayUs: 60, maxDelayUs: 300 });
  mesh.add();
  mesh.run(1_000_000);
  mesh.add({ skewUs: HOUR_US });
  mesh.add({ skewUs: -HOUR_US });
  mesh.until(() => mesh.isSettled);
  mesh.controller.declare("/viz/x", { type: "double" });
  mesh.run(3_000_000);
  return { mesh, nodes: mesh.nodes };
}

/** Session time on a node now, less the true time. */
function offUs(mesh: Mesh, { hana, options }: MeshNode): number {
  return hana.core.clock.sessionAt(mesh.nowUs + (options.skewUs ?? 0)) - mesh.nowUs;
}

function changedUs({ hana }: MeshNode, path: string): number {
  return hana.core.state.timesUs[hana.core.state.idOf(path)] as number;
}

describe("nodes whose clocks are hours apart", () => {
  test("share one time, each within what it says, and tell the controller how they stand", () => {
    const { mesh, nodes } = skewedMesh();
    for (const node of nodes) {
      expect(Math.abs(offUs(mesh, node))).toBeLessThanOrEqual(node.hana.sessionClock.sync.boundUs + 1);
      expect(Math.abs(offUs(mesh, node))).toBeLessThan(300);
    }
    const [first] = nodes as [MeshNode];
    const rows = [...first.hana.peers.values()];
    expect(rows.map(({ clockOffsetUs }) => Math.sign(clockOffsetUs)).sort()).toEqual([-1, 1]);
    for (const { clockBoundUs, roundTripUs } of rows) {
      expect(clockBoundUs).toBeGreaterThan(0);
      expect(clockBoundUs).toBeLessThan(5_000);
      expect(roundTripUs).toBeGreaterThan(100);
    }
  });

  test("stamp their changes alike, whoever is controller", () => {
    const { mesh, nodes } = skewedMesh();
    nodes[0]?.write("/viz/x", 1);
    mesh.run(100_000);
    const before = changedUs(nodes[2] as MeshNode, "/viz/x");
    nodes[0]?.crash();
    mesh.until(() => mesh.isSettled);
    const since = mesh.nowUs;
    const [survivor, other] = mesh.live as [MeshNode, MeshNode];
    other.write("/viz/x", 2);
    mesh.run(200_000);
    for (const node of [survivor, other]) {
      expect(changedUs(node, "/viz/x")).toBeGreaterThan(before);
      expect(Math.abs(changedUs(node, "/viz/x") - since)).toBeLessThan(250_000);
      expect(node.hana.core.clock.clampedHybrids).toBe(0);
    }
  });

  test("do not jump when the controller dies", () => {
    const { mesh, nodes } = skewedMesh();
    const steps = nodes.map(({ hana }) => hana.sessionClock.sync.steps);
    nodes[0]?.crash();
    mesh.until(() => mesh.isSettled);
    mesh.run(2_000_000);
    for (const node of mesh.live) expect(Math.abs(offUs(mesh, node))).toBeLessThan(400);
    expect(nodes.map(({ hana }) => hana.sessionClock.sync.steps)).toEqual(steps);
  });
});

test("a joiner has the mesh's time with the first heartbeat, before any exchange, and says that it does not know how well", () => {
  const mesh = new Mesh(4, { ...CLEAN, minDelayUs: 60, maxDelayUs: 300 });
  mesh.add();
  mesh.run(1_000_000);
  const joiner = mesh.add({ skewUs: -HOUR_US });
  mesh.drop = (from, to, _datagram, way) => way === "unicast" && from === joiner && to !== joiner;
  mesh.until(() => joiner.hana.roles.target.port !== 0);
  joiner.turn(() => joiner.hana.tick());
  expect(Math.abs(offUs(mesh, joiner))).toBeLessThan(10_000);
  expect(joiner.hana.sessionClock.link.clockBoundUs).toBe(-1);
});

test("who follows the next controller knows at once how far off its clock may be, and a joiner does not", () => {
  const mesh = new Mesh(1);
  const [first, second, third] = [mesh.add(), mesh.add(), mesh.add()];
  mesh.until(() => mesh.isSettled);
  // Everybody has told how well it knows the time.
  mesh.run(3_000_000);
  mesh.drop = (_, __, datagram) => datagram[TYPE_OFFSET] === FrameType.clockAnswer;
  first.crash();
  mesh.until(() => mesh.isSettled);
  const { hana } = third;
  expect([mesh.controller, hana.roles.term.node]).toEqual([second, second.id]);
  expect([hana.sessionClock.sync.boundUs, hana.sessionClock.boundUs < 50_000]).toEqual([
    Number.POSITIVE_INFINITY,
    true,
  ]);
  const joiner = mesh.add();
  mesh.until(() => mesh.isSettled);
  expect(joiner.hana.sessionClock.boundUs).toBe(BOUND_UNKNOWN_US);
});

test.each([
  [3, 2],
  [60, 25],
])("%d nodes together ask for the time about %d times a second once they know it", (count, most) => {
  const mesh = new Mesh(1);
  for (let place = 0; place < count; place++) mesh.add();
  mesh.until(() => mesh.isSettled);
  mesh.run(5_000_000);
  let asks = 0;
  mesh.drop = (_, __, datagram) => {
    if (datagram[TYPE_OFFSET] === FrameType.clockAsk) asks++;
    return false;
  };
  mesh.run(10_000_000);
  expect(asks / 10).toBeGreaterThan(most * 0.8);
  expect(asks / 10).toBeLessThan(most * 1.2);
  for (const { hana } of mesh.nodes) expect(hana.sessionClock.sync.boundUs).toBeLessThan(1_000);
});
