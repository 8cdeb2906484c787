/** Writes to critical paths: acknowledged when they are not lost with the controller. */
import { describe, expect, test } from "vitest";
import { Reject } from "../../../src/state/reject.js";
import { Policy } from "../../../src/sync/election.js";
import { appliedFields, decodeApplied } from "../../../src/wire/applied.js";
import { TYPE_OFFSET } from "../../../src/wire/envelope.js";
import { FrameType } from "../../../src/wire/frame.js";
import { encodeMessage } from "../../../src/wire/fields.js";
import { Mesh, type MeshNode, Way } from "./mesh.js";

const PATH = "/viz/fire";

function settled(nodes: number): { mesh: Mesh; nodes: readonly MeshNode[] } {
  const mesh = new Mesh(1);
  for (let place = 0; place < nodes; place++) mesh.add();
  mesh.until(() => mesh.isSettled);
  // Everybody has reported.
  mesh.run(1_500_000);
  mesh.controller.declare(PATH, { type: "float", critical: true });
  mesh.run(100_000);
  return { mesh, nodes: mesh.nodes };
}

/** Writes on a node; the answers come later: reject, whether it is replicated, after how many milliseconds. */
function written(mesh: Mesh, node: MeshNode, value: number): unknown[] {
  const told: unknown[] = [];
  const { nowUs } = mesh;
  node.turn(() => {
    const { core, writes } = node.hana;
    core.staging.value(value);
    writes.write(core.state.idOf(PATH), writes.surface(""));
    writes.whenDone((reject, _, isReplicated) => {
      told.push(reject, isReplicated, Math.floor((mesh.nowUs - nowUs) / 1_000));
    });
  });
  return told;
}

describe("the controller's write to a critical path", () => {
  test("is acknowledged when another node has applied it, by few of them asked", () => {
    const { mesh, nodes } = settled(8);
    const [first] = nodes as [MeshNode];
    let asked = 0;
    mesh.drop = (from, _, __, way) => {
      if (from === first && way === Way.unicast) asked++;
      return false;
    };
    const told = written(mesh, first, 1);
    expect(told).toEqual([]);
    mesh.run(5_000);
    expect([told, nodes[1]?.value(PATH)]).toEqual([[Reject.none, true, 0], 1]);
    expect(asked).toBeLessThanOrEqual(3);
  });

  test("waits while nobody else has it, and asks again", () => {
    const { mesh, nodes } = settled(2);
    const [first, second] = nodes as [MeshNode, MeshNode];
    mesh.drop = (from, to) => from === first && to === second;
    const told = written(mesh, first, 1);
    mesh.run(300_000);
    expect([told, second.value(PATH)]).toEqual([[], 0]);
    mesh.drop = () => false;
    mesh.run(300_000);
    expect([told.slice(0, 2), second.value(PATH)]).toEqual([[Reject.none, true], 1]);
  });

  test("of a controller that is alone, or that nobody answers, is acknowledged as not replicated", () => {
    const alone = settled(1);
    const told = written(alone.mesh, alone.nodes[0] as MeshNode, 1);
    alone.mesh.run(50_000);
    expect(told.slice(0, 2)).toEqual([Reject.none, false]);
    const { mesh, nodes } = settled(2);
    const [first, second] = nodes as [MeshNode, MeshNode];
    second.crash();
    const later = written(mesh, first, 1);
    mesh.run(2_500_000);
    expect([later.slice(0, 2), first.hana.controller.critical.alone]).toEqual([[Reject.none, false], 1]);
  });

  test("is asked for of nobody when the path is not critical", () => {
    const { mesh, nodes } = settled(2);
    const [first] = nodes as [MeshNode];
    first.declare(PATH, { type: "float" });
    expect(written(mesh, first, 1)).toEqual([Reject.none, undefined, 0]);
  });
});

test("a follower's write to a critical path is acknowledged with the frame that brings it back", () => {
  const { mesh, nodes } = settled(3);
  const [first, second] = nodes as [MeshNode, MeshNode];
  const told = written(mesh, second, 1);
  mesh.run(50_000);
  expect([told.slice(0, 2), first.value(PATH), second.value(PATH)]).toEqual([[Reject.none, true], 1, 1]);
});

const OTHER = "/viz/other";

/** A node that has a gap, of which it cannot ask; what comes after it comes. */
function withGap(): { mesh: Mesh; first: MeshNode; second: MeshNode } {
  const { mesh, nodes } = settled(2);
  const [first, second] = nodes as [MeshNode, MeshNode];
  first.declare(OTHER, { type: "float" });
  first.write(OTHER, 100);
  first.write(PATH, 100);
  mesh.run(50_000);
  mesh.drop = (from, to) => from === first && to === second;
  for (let value = 1; value <= 10; value++) {
    first.write(OTHER, value);
    mesh.run(2_000);
  }
  mesh.drop = (from, _, datagram) => from === second && datagram[TYPE_OFFSET] === FrameType.nak;
  return { mesh, first, second };
}

test("a node that has the write past a gap is not counted: a takeover could pass over what it has", () => {
  const { mesh, first, second } = withGap();
  const told = written(mesh, first, 5);
  mesh.run(60_000);
  expect([second.value(PATH), second.hana.follower.window.hasGap, told]).toEqual([5, true, []]);
  mesh.drop = () => false;
  mesh.run(500_000);
  expect(told.slice(0, 2)).toEqual([Reject.none, true]);
});

test("a follower's own write that came back past a gap is not acknowledged before the gap is closed", () => {
  const { mesh, first, second } = withGap();
  const { follower } = second.hana;
  first.write(PATH, 11);
  mesh.run(20_000);
  const told: unknown[] = [];
  second.turn(() => follower.whenWhole((isReplicated) => told.push(isReplicated)));
  follower.copies.add(first.hana.controller.frameSequence, (isReplicated) => told.push(isReplicated));
  expect([second.value(PATH), follower.window.hasGap, told]).toEqual([11, true, []]);
  mesh.drop = () => false;
  mesh.run(500_000);
  expect([follower.window.hasGap, told]).toEqual([false, [true, true]]);
});

test("a follower that joins another term is told that nobody is known to have what waited", () => {
  const { mesh, nodes } = settled(2);
  const [, second] = nodes as [MeshNode, MeshNode];
  const told: unknown[] = [];
  second.hana.follower.copies.add(1e6, (isReplicated) => told.push(isReplicated));
  mesh.run(1_000_000);
  expect(told).toEqual([]);
  second.turn(() => second.hana.follower.join(second.hana.core.term, 1));
  expect(told).toEqual([false]);
  second.hana.follower.copies.add(1e6, (isReplicated) => told.push(isReplicated));
  mesh.run(2_100_000);
  expect(told).toEqual([false, false]);
});

test("what waits when control is handed over is acknowledged: the successor has all", () => {
  const { mesh, nodes } = settled(3);
  const [first, second] = nodes as [MeshNode, MeshNode];
  // Nobody is asked in time.
  mesh.drop = (from, to, _, way) => from === first && way === Way.unicast && to !== second;
  const told: unknown[] = [];
  first.turn(() => first.hana.controller.critical.add(0, (isReplicated) => told.push(isReplicated)));
  first.turn(() => first.hana.handover.begin(second.id, () => {}));
  mesh.run(300_000);
  expect([mesh.controller, told]).toEqual([second, [true]]);
});

test("what nodes said of a term says nothing of the next one that the same controller opens", () => {
  const { mesh, nodes } = settled(2);
  const [first, second] = nodes as [MeshNode, MeshNode];
  for (let value = 0; value < 20; value++) {
    first.write(PATH, 100 + value);
    mesh.run(1_000);
  }
  // The answer comes, and no frame after it.
  mesh.drop = (from, to) => from === first && to === second;
  const told = written(mesh, first, 1);
  mesh.run(1_000);
  hear(first, second, applied(1, 1e6));
  expect(told.slice(0, 2)).toEqual([Reject.none, true]);
  const waiting = written(mesh, first, 2);
  mesh.run(20_000);
  first.turn(() => first.hana.elections.raise());
  mesh.run(20_000);
  const later = written(mesh, first, 3);
  mesh.run(50_000);
  expect([first.hana.roles.term.number, waiting, later]).toEqual([2, [], []]);
  hear(first, second, applied(1, 1e6));
  expect([waiting, later]).toEqual([[], []]);
  mesh.drop = () => false;
  mesh.run(1_500_000);
  expect([waiting.slice(0, 2), later.slice(0, 2)]).toEqual([
    [Reject.none, true],
    [Reject.none, true],
  ]);
});

function hear(controller: MeshNode, from: MeshNode, plain: Uint8Array): void {
  controller.turn(() => controller.hana.controller.onApplied(plain, plain.length, from.id));
}

/** What a node said of a term, as it comes. */
function applied(term: number, frame: number): Uint8Array {
  const plain = new Uint8Array(64);
  return plain.slice(0, encodeMessage(appliedFields({ term, frame }), plain));
}

test("what a controller that stood still had waiting is acknowledged as not replicated, and nothing hangs", () => {
  const { mesh, nodes } = settled(2);
  const [first, second] = nodes as [MeshNode, MeshNode];
  mesh.drop = (from, to) => from === first && to === second;
  const told = written(mesh, first, 1);
  first.pause();
  mesh.run(450_000);
  expect(told).toEqual([]);
  first.resume();
  expect(told.slice(0, 2)).toEqual([Reject.none, false]);
});

test("a write that its own node commits when it takes over waits for another node that has it", () => {
  const { mesh, nodes } = settled(3);
  const [first, second, third] = nodes as [MeshNode, MeshNode, MeshNode];
  first.crash();
  const told = written(mesh, second, 1);
  mesh.until(() => mesh.live.some(({ hana }) => hana.controller.isOpen));
  expect([mesh.controller, second.hana.pending.size]).toEqual([second, 0]);
  mesh.run(50_000);
  expect([told.slice(0, 2), third.value(PATH)]).toEqual([[Reject.none, true], 1]);
});

test("a node that left since it answered is not counted, and who is left alone is told so", () => {
  const { mesh, nodes } = settled(2);
  const [first, second] = nodes as [MeshNode, MeshNode];
  mesh.drop = (from, to, _, way) => from === first && to === second && way !== Way.meeting;
  const told = written(mesh, first, 1);
  mesh.run(20_000);
  second.turn(() => second.hana.close());
  mesh.run(200_000);
  expect(told.slice(0, 2)).toEqual([Reject.none, false]);
});

test("under hold it takes a majority of the electors, this node counted if it is one", () => {
  for (const [answering, isReplicated] of [
    [1, false],
    [2, true],
  ] as const) {
    const mesh = new Mesh(1);
    const electors = ["n1", "n2", "n3", "n4", "n5"];
    for (let place = 0; place < 5; place++) mesh.add({ electionRules: { policy: Policy.hold, electors } });
    mesh.until(() => mesh.isSettled);
    mesh.run(1_500_000);
    mesh.controller.declare(PATH, { type: "float", critical: true });
    mesh.run(100_000);
    const [first] = mesh.nodes as [MeshNode];
    mesh.drop = (from, _to, datagram) =>
      datagram[TYPE_OFFSET] === FrameType.applied && mesh.nodes.indexOf(from) > answering;
    const told = written(mesh, first, 1);
    mesh.run(300_000);
    expect(told.slice(0, 2)).toEqual(isReplicated ? [Reject.none, true] : []);
  }
});

test("an answer of another shape is none", () => {
  const decoded = (fields: readonly unknown[]): unknown => {
    const plain = new Uint8Array(64);
    return decodeApplied(plain, encodeMessage(fields, plain));
  };
  expect(decoded([3, 70_000])).toEqual({ term: 3, frame: 70_000 });
  for (const fields of [[], [3], [3, -1], [3, 0.5], ["3", 1], [2 ** 32, 1], [3, null], [new Date(), 1]]) {
    expect(decoded(fields), JSON.stringify(fields)).toBeUndefined();
  }
  expect(decodeApplied(new Uint8Array([0xc1, 1, 2]), 3)).toBeUndefined();
});
