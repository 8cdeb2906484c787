/** Several nodes that write to one path: who wins, and that the loser is told. */
import { beforeEach, describe, expect, test } from "vitest";
import { Reject } from "../../../src/state/reject.js";
import { TYPE_OFFSET } from "../../../src/wire/envelope.js";
import { FrameType } from "../../../src/wire/frame.js";
import { Mesh, type MeshNode, Way } from "./mesh.js";

const PATH = "/viz/x";

let mesh: Mesh;
let first: MeshNode;
let second: MeshNode;
let third: MeshNode;

beforeEach(() => {
  mesh = new Mesh(1);
  [first, second, third] = [mesh.add(), mesh.add(), mesh.add()];
  mesh.until(() => mesh.isSettled);
  first.declare(PATH, { type: "float" });
  mesh.run(100_000);
});

/** Writes on a node; answers what becomes of it, later. */
function written(node: MeshNode, value: number): { reject: Reject | undefined } {
  const told: { reject: Reject | undefined } = { reject: undefined };
  const reject = node.write(PATH, value);
  if (reject !== Reject.none) told.reject = reject;
  else {
    node.turn(() => {
      node.hana.writes.whenDone((later) => {
        told.reject = later;
      });
    });
  }
  return told;
}

function release(node: MeshNode): void {
  const { core, writes } = node.hana;
  node.turn(() => writes.release(core.state.idOf(PATH), writes.surface("")));
}

test.each([-9_000_000, -600_000, 600_000])(
  "a writer whose clock is off by %d us, and not synchronised, is neither superseded nor believed",
  (offUs) => {
    // No exchange with the controller comes about from here on, and what was learned is another session's.
    mesh.drop = (_, __, datagram) => datagram[TYPE_OFFSET] === FrameType.clockAnswer;
    second.turn(() => {
      second.hana.sessionClock.sync.follow();
      second.hana.core.clock.step(offUs);
    });
    mesh.run(50_000);
    written(third, 1);
    mesh.run(20_000);
    const told = written(second, 2);
    mesh.run(50_000);
    expect([told.reject, first.value(PATH)]).toEqual([Reject.none, 2]);
    const { core } = first.hana;
    const stampedUs = core.state.timesUs[core.state.idOf(PATH)] as number;
    expect(Math.abs(stampedUs - (core.clock.sessionUs - 50_000))).toBeLessThan(5_000);
  },
);

describe("a path that one node moves", () => {
  test.each(["the controller", "a follower"])("is held against %s, which is told and shows what is", (who) => {
    for (const value of [1, 2, 3]) {
      second.write(PATH, value);
      mesh.run(50_000);
    }
    const loser = who === "a follower" ? third : first;
    const told = written(loser, 9);
    mesh.run(50_000);
    expect([told.reject, loser.shown(PATH), loser.value(PATH), second.value(PATH)]).toEqual([Reject.held, 3, 3, 3]);
    expect(first.hana.controller.precedence.held).toBe(1);
  });

  test("is free after 400 ms, or when it is let go", () => {
    for (const value of [1, 2]) {
      second.write(PATH, value);
      mesh.run(10_000);
    }
    mesh.run(300_000);
    expect(written(first, 3).reject).toBe(Reject.held);
    mesh.run(100_000);
    expect(written(first, 4).reject).toBe(Reject.none);
    mesh.run(500_000);
    for (const value of [5, 6]) {
      second.write(PATH, value);
      mesh.run(10_000);
    }
    release(second);
    mesh.run(10_000);
    const told = written(third, 7);
    mesh.run(50_000);
    expect([told.reject, second.value(PATH)]).toEqual([Reject.none, 7]);
  });

  test("holds what changes together with it, all of it", () => {
    first.declare("/viz/y", { type: "float" });
    mesh.run(50_000);
    for (const value of [1, 2]) {
      second.write(PATH, value);
      mesh.run(10_000);
    }
    third.writeGroup([
      ["/viz/y", 8],
      [PATH, 9],
    ]);
    mesh.run(50_000);
    expect([third.shown("/viz/y"), third.shown(PATH), first.value("/viz/y")]).toEqual([0, 2, 0]);
  });
});

describe("a write that comes late", () => {
  test("is superseded by what another node wrote since, and its writer is told", () => {
    mesh.drop = (from, to, _, way) => from === second && to === first && way === Way.unicast;
    const told = written(second, 1);
    mesh.run(30_000);
    first.write(PATH, 2);
    mesh.run(5_000);
    mesh.drop = () => false;
    mesh.run(200_000);
    expect([told.reject, second.shown(PATH), third.value(PATH)]).toEqual([Reject.superseded, 2, 2]);
    expect(first.hana.controller.precedence.superseded).toBe(1);
  });

  test("is so still when somebody whose clock nobody knows wrote the same value once more", () => {
    const fourth = mesh.add();
    mesh.until(() => mesh.isSettled);
    // It does not hear that the path has it already, nor what time it is.
    mesh.drop = (from, to, _, way) =>
      (from === first && to === fourth) || (from === second && to === first && way === Way.unicast);
    fourth.turn(() => fourth.hana.sessionClock.sync.follow());
    const told = written(second, 1);
    mesh.run(20_000);
    written(third, 2);
    mesh.run(20_000);
    written(fourth, 2);
    mesh.run(20_000);
    mesh.drop = () => false;
    mesh.run(200_000);
    expect([told.reject, second.shown(PATH), fourth.value(PATH)]).toEqual([Reject.superseded, 2, 2]);
  });

  test("gives way to it on a node that becomes controller with it too", () => {
    mesh.drop = (from, to, _, way) => from === second && to === first && way === Way.unicast;
    const told = written(second, 1);
    mesh.run(10_000);
    first.write(PATH, 2);
    mesh.run(10_000);
    first.crash();
    mesh.run(3_000_000);
    expect(mesh.controller).toBe(second);
    expect([told.reject, second.shown(PATH), third.value(PATH)]).toEqual([Reject.superseded, 2, 2]);
  });

  test("is taken when it is of a clock that is ahead, as made now", () => {
    const late = mesh.add({ skewUs: 400_000 });
    mesh.until(() => mesh.isSettled);
    late.write(PATH, 1);
    mesh.run(50_000);
    const told = written(third, 2);
    mesh.run(50_000);
    expect([told.reject, first.value(PATH)]).toEqual([Reject.none, 2]);
  });
});

test("a trigger whose frame is lost, and heals by the journal, is not fired again by the next controller", () => {
  first.declare("/viz/go", { type: "impulse" });
  mesh.run(200_000);
  let streams = 0;
  // The trigger's frame reaches nobody, the journal of the next only the one that takes over; its writer hears nothing.
  mesh.drop = (from, to, _, way) => from === first && (to === third || (way === Way.stream && streams++ === 0));
  third.write("/viz/go", null);
  mesh.run(3_000);
  first.write(PATH, 5);
  mesh.run(500);
  first.crash();
  mesh.drop = () => false;
  mesh.run(3_000_000);
  expect(second.value(PATH)).toBe(5);
  expect([mesh.controller, third.hana.pending.size]).toEqual([second, 0]);
  const { state, terms } = second.hana.core;
  const id = state.idOf("/viz/go");
  expect(terms.at(state.terms[id] as number).node).toBe(first.id);
});

test("nor by one that has the trigger from a snapshot", () => {
  first.declare("/viz/go", { type: "impulse" });
  mesh.run(200_000);
  // Its writer hears nothing of the controller, and asks the next one.
  mesh.drop = (from, to) => from === first && to === third;
  third.write("/viz/go", null);
  mesh.run(20_000);
  const joiner = mesh.add({ priority: 200 });
  mesh.run(400_000);
  expect(joiner.hana.core.counters.snapshotsTaken).toBe(1);
  second.crash();
  first.crash();
  mesh.drop = () => false;
  mesh.run(5_000_000);
  expect([mesh.controller, third.hana.pending.size]).toEqual([joiner, 0]);
  const { state, terms } = joiner.hana.core;
  expect(terms.at(state.terms[state.idOf("/viz/go")] as number).node).toBe(first.id);
});
