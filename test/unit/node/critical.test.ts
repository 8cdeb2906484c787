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
  const { follower, core } = second.hana;
  first.write(PATH, 11);
  mesh.run(20_000);
  const told: unknown[] = [];
  const [sequence] = core.sequence as unknown as [number];
  second.turn(() => follower.whenReplicated(sequence, (isReplicated) => told.push(isReplicated)));
  const frame = first.hana.controller.frameSequence;
  follower.copies.add(core.term, sequence, frame, (isReplicated) => told.push(isReplicated));
  expect([second.value(PATH), follower.window.hasGap, told]).toEqual([11, true, []]);
  mesh.drop = () => false;
  mesh.run(500_000);
  expect([follower.window.hasGap, told]).toEqual([false, [true, true]]);
});

test("what waits on a follower that joins another term is looked for there, and given up after two seconds", () => {
  const { mesh, nodes } = settled(2);
  const [, second] = nodes as [MeshNode, MeshNode];
  const { core, follower } = second.hana;
  const told: unknown[] = [];
  const add = (frame: number, sequence: number): void =>
    follower.copies.add(core.term, sequence, frame, (isReplicated) => told.push(isReplicated));
  add(1e6, core.sequence[0] as number);
  mesh.run(1_000_000);
  expect(told).toEqual([]);
  add(1e6, 1e9);
  // It is made of the one and not of the other.
  second.turn(() => second.hana.following.onLost("a gap"));
  mesh.run(500_000);
  expect(told).toEqual([false, true]);
  add(1e6, core.sequence[0] as number);
  mesh.run(2_100_000);
  expect(told).toEqual([false, true, false]);
});

test("what waits when control is handed over is acknowledged: the successor has all", () => {
  const { mesh, nodes } = settled(3);
  const [first, second] = nodes as [MeshNode, MeshNode];
  // Nobody is asked in time.
  mesh.drop = (from, to, _, way) => from === first && way === Way.unicast && to !== second;
  const told: unknown[] = [];
  const { core, controller } = first.hana;
  const sequence = core.sequence[0] as number;
  first.turn(() => controller.critical.add(0, core.term, sequence, (isReplicated) => told.push(isReplicated)));
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
  controller.turn(() => controller.hana.controller.onApplied(plain, plain.length, from.id, from));
}

/** What a node said of a term, as it comes. */
function applied(term: number, frame: number): Uint8Array {
  const plain = new Uint8Array(64);
  return plain.slice(0, encodeMessage(appliedFields({ term, frame, isAsking: false }), plain));
}

describe("what a controller that stood still had waiting", () => {
  function stoodStill(): { mesh: Mesh; first: MeshNode; second: MeshNode; told: unknown[] } {
    const { mesh, nodes } = settled(2);
    const [first, second] = nodes as [MeshNode, MeshNode];
    mesh.drop = (from, to) => from === first && to === second;
    const told = written(mesh, first, 1);
    first.pause();
    mesh.run(450_000);
    expect(told).toEqual([]);
    return { mesh, first, second, told };
  }

  test("is acknowledged as not replicated while it is in nobody else's state, and nothing hangs", () => {
    const { mesh, first, second, told } = stoodStill();
    mesh.drop = (from, to) => from !== to;
    first.resume();
    expect(told).toEqual([]);
    mesh.run(2_500_000);
    expect([told.slice(0, 2), second.value(PATH)]).toEqual([[Reject.none, false], 0]);
  });

  test("is acknowledged as replicated when the next controller has taken it in", () => {
    const { mesh, first, second, told } = stoodStill();
    mesh.run(200_000);
    mesh.drop = () => false;
    first.resume();
    mesh.run(1_200_000);
    expect([told.slice(0, 2), second.value(PATH)]).toEqual([[Reject.none, true], 1]);
  });
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

describe("under hold", () => {
  const FIVE = ["n1", "n2", "n3", "n4", "n5"];

  function held(electors: readonly string[], count = 5): { mesh: Mesh; nodes: readonly MeshNode[] } {
    const mesh = new Mesh(1);
    mesh.rules = { policy: Policy.hold, electors };
    for (let place = 0; place < count; place++) mesh.add();
    mesh.until(() => mesh.isSettled);
    mesh.run(1_500_000);
    mesh.controller.declare(PATH, { type: "float", critical: true });
    mesh.run(100_000);
    return { mesh, nodes: mesh.nodes };
  }

  /** Nobody but these can say what it has. */
  function onlyHear(mesh: Mesh, those: readonly MeshNode[]): void {
    mesh.drop = (from, _to, datagram) => datagram[TYPE_OFFSET] === FrameType.applied && !those.includes(from);
  }

  test.each([
    ["the controller's", 0, [1], false],
    ["the controller's", 0, [1, 2], true],
    ["a follower's", 3, [3], false],
    ["a follower's", 3, [3, 4], true],
  ] as const)("%s write (node %d) waits for a majority of the electors: %j answer", (_, writer, answering, isTold) => {
    const { mesh, nodes } = held(FIVE);
    expect(mesh.controller).toBe(nodes[0]);
    onlyHear(
      mesh,
      answering.map((place) => nodes[place] as MeshNode),
    );
    const told = written(mesh, nodes[writer] as MeshNode, 1);
    mesh.run(4_000_000);
    expect(nodes.map((node) => node.value(PATH))).toEqual([1, 1, 1, 1, 1]);
    expect(told.slice(0, 2)).toEqual(isTold ? [Reject.none, true] : []);
    mesh.drop = () => false;
    mesh.run(300_000);
    expect(told.slice(0, 2)).toEqual([Reject.none, true]);
  });

  test("neither a controller nor a writer that is no elector counts", () => {
    for (const [answering, isTold] of [
      [[3, 1], false],
      [[3, 1, 2], true],
    ] as const) {
      const { mesh, nodes } = held(["n2", "n3", "n5"]);
      const [first] = nodes as [MeshNode];
      if (mesh.controller !== first) {
        first.turn(() => first.hana.handover.begin(first.id, () => {}));
        mesh.run(1_500_000);
      }
      expect(mesh.controller).toBe(first);
      onlyHear(
        mesh,
        answering.map((place) => nodes[place] as MeshNode),
      );
      const told = written(mesh, nodes[3] as MeshNode, 1);
      mesh.run(1_000_000);
      expect(told.slice(0, 2)).toEqual(isTold ? [Reject.none, true] : []);
    }
  });

  test("is told in two round trips when all is well, of many writes too", () => {
    const { mesh, nodes } = held(FIVE);
    const told = Array.from({ length: 50 }, (_, value) => {
      const answer = written(mesh, nodes[3] as MeshNode, value + 1);
      mesh.run(1_000);
      return answer;
    });
    mesh.run(100_000);
    expect(told.map((answer) => answer.slice(0, 2))).toEqual(told.map(() => [Reject.none, true]));
    expect(Math.max(...told.map((answer) => answer[2] as number))).toBeLessThanOrEqual(10);
  });

  test("what waits on the side that froze is not answered before it is known, and then truly", () => {
    const { mesh, nodes } = held(FIVE);
    const [first, second, third] = nodes as [MeshNode, MeshNode, MeshNode];
    const few = [first, second];
    mesh.drop = (from, to) => few.includes(from) !== few.includes(to);
    const told = [written(mesh, first, 1), written(mesh, second, 2)];
    mesh.run(5_000_000);
    expect([first.hana.roles.role, mesh.live.filter(({ hana }) => hana.controller.isOpen)]).toEqual([
      "following",
      [third],
    ]);
    expect(told).toEqual([[], []]);
    third.write(PATH, 3);
    mesh.drop = () => false;
    mesh.until(() => mesh.isSettled);
    mesh.run(1_000_000);
    // What both sides wrote is open, and what the frozen side had is on record: not lost.
    expect(told.map((answer) => answer.slice(0, 2))).toEqual([
      [Reject.none, true],
      [Reject.none, true],
    ]);
    expect(nodes.map((node) => node.value(PATH))).toEqual([3, 3, 3, 3, 3]);
    expect(first.hana.core.state.idOf("/system/conflicts/1")).not.toBe(0);
  });

  test("what waits when the lease ends and comes back is confirmed by the same node", () => {
    const { mesh, nodes } = held(FIVE);
    const [first] = nodes as [MeshNode];
    mesh.drop = (from, to) => from !== to && (from === first || to === first);
    const told = written(mesh, first, 1);
    mesh.run(450_000);
    expect([first.hana.controller.isOpen, told]).toEqual([false, []]);
    mesh.drop = () => false;
    mesh.until(() => mesh.isSettled);
    mesh.run(1_000_000);
    expect([told.slice(0, 2), nodes.map((node) => node.value(PATH))]).toEqual([
      [Reject.none, true],
      [1, 1, 1, 1, 1],
    ]);
  });

  test("what a follower waits for is followed up by itself when it becomes controller", () => {
    const { mesh, nodes } = held(FIVE);
    const [first, second] = nodes as [MeshNode, MeshNode];
    onlyHear(mesh, []);
    const told = written(mesh, second, 1);
    mesh.run(50_000);
    expect([second.value(PATH), told]).toEqual([1, []]);
    first.crash();
    mesh.until(() => second.hana.controller.isOpen);
    mesh.drop = () => false;
    mesh.run(300_000);
    expect(told.slice(0, 2)).toEqual([Reject.none, true]);
  });
});

test("an answer of another shape is none", () => {
  const decoded = (fields: readonly unknown[]): unknown => {
    const plain = new Uint8Array(64);
    return decodeApplied(plain, encodeMessage(fields, plain));
  };
  expect(decoded([3, 70_000, false])).toEqual({ term: 3, frame: 70_000, isAsking: false });
  for (const fields of [[], [3], [3, -1], [3, 0.5], ["3", 1], [2 ** 32, 1], [3, null], [new Date(), 1]]) {
    expect(decoded([...fields, false]), JSON.stringify(fields)).toBeUndefined();
  }
  for (const asking of [undefined, 0, "no"]) expect(decoded([3, 1, asking])).toBeUndefined();
  expect(decodeApplied(new Uint8Array([0xc1, 1, 2]), 3)).toBeUndefined();
});
