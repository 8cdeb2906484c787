/**
 * The stream has a group of its own, which a controller does not hear; all nodes hear the other. What came by which is
 * not known to a node, and either may be faster.
 */
import { describe, expect, test } from "vitest";
import { OpenResult } from "../../../src/security/opener.js";
import { Role } from "../../../src/sync/roles.js";
import { type SendLimits, WIRED_LIMITS } from "../../../src/sync/send-budget.js";
import { Mesh, type MeshNode, Way } from "./mesh.js";

/** A mesh at rest with one path; the first node is controller. */
function settledMesh(count: number, sendLimits: SendLimits = WIRED_LIMITS): { mesh: Mesh; nodes: MeshNode[] } {
  const mesh = new Mesh(1);
  mesh.add({ sendLimits });
  mesh.run(1_000_000);
  for (let place = 1; place < count; place++) mesh.add({ sendLimits });
  mesh.until(() => mesh.isSettled);
  mesh.controller.declare("/viz/x", { type: "double" });
  mesh.run(300_000);
  return { mesh, nodes: mesh.nodes };
}

/** Nothing passes between the first node and the others, until what is answered is called. */
function partition(mesh: Mesh): () => void {
  const [first] = mesh.nodes;
  mesh.drop = (from, to) => (from === first) !== (to === first);
  return () => {
    mesh.drop = () => false;
  };
}

function controllers(mesh: Mesh): MeshNode[] {
  return mesh.live.filter(({ hana }) => hana.roles.role === Role.controlling);
}

describe("a controller", () => {
  test("hears nothing of the stream, and its followers all of it", () => {
    const { mesh, nodes } = settledMesh(3);
    expect(nodes.map(({ hearsStream }) => hearsStream)).toEqual([false, true, true]);
    nodes[0]?.crash();
    mesh.until(() => mesh.isSettled);
    expect(mesh.live.map((node) => node.hearsStream)).toEqual(mesh.live.map((node) => node !== mesh.controller));
  });

  test("whose multicast comes back is not taken to be blocked", () => {
    const { mesh, nodes } = settledMesh(2);
    for (let step = 0; step < 5_000; step++) {
      nodes[0]?.write("/viz/x", step);
      mesh.run(1_000);
    }
    mesh.run(5_000_000);
    expect(nodes.map(({ hana }) => hana.health.list())).toEqual([[], []]);
  });

  test("whose announcements do not come back is, within 2.6 s, although it does not listen for its stream", () => {
    const { mesh, nodes } = settledMesh(2);
    const [first] = nodes as [MeshNode];
    mesh.drop = (from, to, _, way) => from === to && way !== Way.unicast;
    mesh.run(2_600_000);
    expect(first.hana.health.list()).toMatchObject([{ code: "multicast" }]);
    mesh.drop = () => false;
    mesh.run(1_300_000);
    expect(first.hana.health.list()).toEqual([]);
  });
});

/** What some long texts that always change need is far more. */
const STARVED: SendLimits = { ...WIRED_LIMITS, flushesPerSecond: 100, flushBurst: 1, packetsPerSecond: 100 };
const TEXTS = ["/viz/a", "/viz/b", "/viz/c", "/viz/d", "/viz/e"];

describe("a rival of a higher term", () => {
  const quiet = (): void => {};
  const moves = (node: MeshNode, step: number): void => void node.write("/viz/x", step);
  const floods = (node: MeshNode, step: number): void => {
    for (const path of TEXTS) node.write(path, `${step}`.padStart(400));
  };

  function setUp(sendLimits: SendLimits): Mesh {
    const { mesh, nodes } = settledMesh(3, sendLimits);
    for (const path of TEXTS) nodes[0]?.declare(path, { type: "string" });
    mesh.run(1_000_000);
    return mesh;
  }

  test.each([
    ["quiet", WIRED_LIMITS, quiet],
    ["busy", WIRED_LIMITS, moves],
    ["never done with what it has to send", STARVED, floods],
  ] as const)("that is %s is noticed within 250 ms", (_name, sendLimits, act) => {
    const mesh = setUp(sendLimits);
    let step = 0;
    for (let beforeUs = 600_000; beforeUs < 800_000; beforeUs += 23_000) {
      const heal = partition(mesh);
      mesh.until(() => controllers(mesh).length === 2);
      const [lower, rival] = controllers(mesh).sort(
        (left, right) => left.hana.roles.term.number - right.hana.roles.term.number,
      ) as [MeshNode, MeshNode];
      expect([lower, rival].map(({ hearsStream }) => hearsStream)).toEqual([false, false]);
      const pass = (durationUs: number): void => {
        for (let passed = 0; passed < durationUs; passed += 1_000) {
          act(rival, ++step);
          mesh.run(1_000);
        }
      };
      pass(beforeUs);
      // One of the two gives way: at once, if the other has all that it has.
      const noticed = (): number =>
        [lower, rival].reduce((sum, { hana }) => sum + hana.core.counters.yields + hana.core.counters.stepDowns, 0);
      const before = noticed();
      heal();
      pass(250_000);
      expect(noticed(), `healed after ${beforeUs} us`).toBeGreaterThan(before);
      mesh.until(() => mesh.isSettled, 20_000_000);
    }
  });

  test("that was on the other side of a partition, and this one, end as one mesh that holds the same", () => {
    const { mesh, nodes } = settledMesh(4);
    const [first, second] = nodes as [MeshNode, MeshNode];
    const heal = partition(mesh);
    mesh.until(() => controllers(mesh).length === 2);
    first.write("/viz/x", 1);
    second.write("/viz/x", 2);
    mesh.run(1_000_000);
    heal();
    mesh.until(() => mesh.isSettled, 2_000_000);
    mesh.run(1_000_000);
    expect(mesh.live.map((node) => node.hearsStream)).toEqual(mesh.live.map((node) => node !== mesh.controller));
    mesh.controller.write("/viz/x", 3);
    mesh.run(100_000);
    for (const node of nodes) expect([node.value("/viz/x"), node.digests()]).toEqual([3, second.digests()]);
  });
});

describe("announcements that overtake the stream", () => {
  const QUICK: SendLimits = {
    ...{ flushesPerSecond: 50_000, flushBurst: 1_000 },
    ...{ packetsPerSecond: 50_000, bitsPerSecond: 1e9 },
  };
  type Delay = (mesh: Mesh) => Mesh["extraDelayUs"];

  /** Everything that is on the way to the follower comes at the end, announcements first, frame by frame then. */
  const heldUp =
    (durationUs: number): Delay =>
    (mesh) => {
      const endUs = mesh.nowUs + durationUs;
      let waiting = 0;
      return (_to, way) => {
        const freeUs = endUs + (way === Way.stream ? 1_000 + 10 * ++waiting : 0);
        return Math.max(0, freeUs - mesh.nowUs);
      };
    };
  const slower =
    (streamUs: number): Delay =>
    () =>
    (_to, way) =>
      way === Way.stream ? streamUs : 0;

  test.each([
    ["by some frames", slower(10_000), 1_000, 3_000],
    ["by more frames than a journal holds", slower(30_000), 1_000, 3_000],
    // A longer time without a word is no delay any more: the stream is asked for by unicast.
    ["by more frames than can be repaired", heldUp(280_000), 60, 20_000],
  ])("%s: nothing is asked for again, nothing is late or fetched", (_name, delay, everyUs, count) => {
    const { mesh, nodes } = settledMesh(2, QUICK);
    const [first, second] = nodes as [MeshNode, MeshNode];
    first.declare("/global/go", { type: "impulse" });
    mesh.run(100_000);
    mesh.extraDelayUs = delay(mesh);
    for (let step = 1; step <= count; step++) {
      first.write(step % 100 === 0 ? "/global/go" : "/viz/x", step % 100 === 0 ? null : step);
      mesh.run(everyUs);
    }
    mesh.run(2_000_000);
    expect(first.hana.controller.frameSequence).toBeGreaterThan(count);
    const { core, io, follower } = second.hana;
    const { framesJournaled, framesRepaired, impulsesLate, digestMismatches, snapshotsTaken } = core.counters;
    expect({ framesJournaled, framesRepaired, impulsesLate, digestMismatches, snapshotsTaken }).toEqual({
      framesJournaled: 0,
      framesRepaired: 0,
      impulsesLate: 0,
      digestMismatches: 0,
      snapshotsTaken: 1,
    });
    expect([follower.naks.asked, io.opener.results[OpenResult.replayed]]).toEqual([0, 0]);
    expect(second.contents()).toEqual(first.contents());
  });

  test("acknowledge writes all the same", () => {
    const { mesh, nodes } = settledMesh(2);
    const [first, second] = nodes as [MeshNode, MeshNode];
    mesh.extraDelayUs = slower(20_000)(mesh);
    for (let step = 1; step <= 1_000; step++) {
      second.write("/viz/x", step);
      mesh.run(1_000);
    }
    mesh.run(100_000);
    expect([first.value("/viz/x"), second.value("/viz/x"), second.hana.pending.size]).toEqual([1_000, 1_000, 0]);
  });
});

test("a follower that the stream's group does not reach has all of it within a second", () => {
  const { mesh, nodes } = settledMesh(2);
  const [first, second] = nodes as [MeshNode, MeshNode];
  mesh.drop = (_from, to, _datagram, way) => to === second && way === Way.stream;
  for (let step = 1; step <= 500; step++) {
    first.write("/viz/x", step);
    mesh.run(1_000);
  }
  mesh.run(1_000_000);
  expect(second.contents()).toEqual(first.contents());
  expect(second.hana.core.counters.snapshotsTaken).toBe(1);
});
