/** A follower that differs from its controller is made equal, path by path and without a snapshot. */
import { describe, expect, test } from "vitest";
import { completeDeclaration } from "../../../src/state/declaration.js";
import { LANES } from "../../../src/state/state.js";
import { Mesh, type MeshNode } from "./mesh.js";

const PATHS = 300;

interface Pair {
  readonly mesh: Mesh;
  readonly controller: MeshNode;
  readonly follower: MeshNode;
}

/** Two nodes that hold some hundred paths of several types. */
function pair(priority = 100): Pair {
  const mesh = new Mesh(3);
  const controller = mesh.add({ priority: 200 });
  mesh.until(() => mesh.isSettled);
  const follower = mesh.add({ priority });
  mesh.until(() => mesh.isSettled);
  for (let place = 0; place < PATHS; place++) {
    controller.declare(`/viz/row/${place}`, { type: "float" });
    controller.write(`/viz/row/${place}`, place + 1);
  }
  controller.declare("/viz/text", { type: "string" });
  controller.declare("/viz/fire", { type: "impulse" });
  controller.declare("/displays/left/size", { type: "vec2" });
  controller.write("/viz/text", "before");
  controller.write("/viz/fire", null);
  mesh.run(3_000_000);
  expect(follower.contents()).toEqual(controller.contents());
  return { mesh, controller, follower };
}

function idOf(node: MeshNode, path: string): number {
  return node.hana.core.state.idOf(path);
}

function finding(node: MeshNode): string {
  return node.hana.health.list().find(({ code }) => code === "repaired")?.text ?? "";
}

function setNumber(node: MeshNode, path: string, value: number): void {
  node.hana.core.state.numbers[idOf(node, path) * LANES] = value;
}

/** What is done to the follower's memory, and what it says when that is repaired. */
const POKES: readonly (readonly [string, (node: MeshNode) => void, RegExp])[] = [
  ["a value", (node) => setNumber(node, "/viz/row/7", -1), /^\/viz was not .*: \/viz\/row\/7; 1 had another value/],
  [
    "a text",
    (node) => {
      node.hana.core.state.texts[idOf(node, "/viz/text")] = "after";
    },
    /: \/viz\/text; 1 had another value/,
  ],
  [
    "a version that is older",
    (node) => {
      node.hana.core.state.sequences[idOf(node, "/viz/row/8")] = 1;
    },
    /: \/viz\/row\/8; 1 had another version/,
  ],
  [
    "a version that nothing gave",
    (node) => {
      node.hana.core.state.sequences[idOf(node, "/viz/row/8")] = 1e9;
    },
    /: \/viz\/row\/8; 1 had another version/,
  ],
  [
    "the version of an impulse",
    (node) => {
      node.hana.core.state.sequences[idOf(node, "/viz/fire")] = 2;
    },
    /: \/viz\/fire; 1 had another version/,
  ],
  [
    "a path that is gone",
    (node) => {
      const id = idOf(node, "/viz/row/9");
      node.hana.core.digests.drop(id);
      node.hana.core.state.remove(id);
    },
    /: \/viz\/row\/9; 1 was missing/,
  ],
  [
    "a path that nobody declared",
    (node) => {
      const { state, digests } = node.hana.core;
      const id = state.nextId;
      state.declare(id, "/viz/stray", completeDeclaration({ type: "float" }));
      digests.name(id);
      digests.touch(id);
    },
    /: \/viz\/stray; 1 was too much/,
  ],
  [
    "a path under another id",
    (node) => {
      const { state, digests } = node.hana.core;
      const id = idOf(node, "/viz/row/10");
      digests.drop(id);
      state.remove(id);
      state.declare(state.nextId, "/viz/row/10", completeDeclaration({ type: "float" }));
      digests.name(state.nextId - 1);
      digests.touch(state.nextId - 1);
    },
    /: \/viz\/row\/10; 1 was missing/,
  ],
  [
    "another declaration",
    (node) => {
      const { state, digests } = node.hana.core;
      const id = idOf(node, "/viz/row/11");
      state.declare(id, "/viz/row/11", completeDeclaration({ type: "int" }));
      digests.touch(id);
    },
    /: \/viz\/row\/11; 1 had another declaration/,
  ],
  [
    "two components",
    (node) => {
      setNumber(node, "/viz/row/12", -1);
      setNumber(node, "/displays/left/size", -1);
    },
    /^\/viz, \/displays was not .*; 2 had another value/,
  ],
  [
    "every value",
    (node) => {
      for (let place = 0; place < PATHS; place++) setNumber(node, `/viz/row/${place}`, -1);
    },
    /\/viz\/row\/\d+ and 297 more; 300 had another value/,
  ],
];

describe("a difference is seen within a second and repaired within two", () => {
  test.each(POKES)("%s", (_what, poke, said) => {
    const { mesh, controller, follower } = pair();
    const { snapshotsTaken } = follower.hana.core.counters;
    poke(follower);
    mesh.until(() => follower.hana.core.counters.digestMismatches > 0, 1_000_000);
    mesh.until(() => finding(follower) !== "", 1_000_000);
    expect(finding(follower)).toMatch(said);
    expect(follower.contents()).toEqual(controller.contents());
    expect(follower.digests()).toEqual(controller.digests());
    expect(follower.hana.core.counters.snapshotsTaken).toBe(snapshotsTaken);
  });

  test("while the show moves, and without taking back what the stream brought since", () => {
    const { mesh, controller, follower } = pair();
    const values = new Map<string, number>();
    mesh.faults = { loss: 0, duplicate: 0, minDelayUs: 100, maxDelayUs: 3_000 };
    for (let step = 0; step < 3_000; step++) {
      const path = `/viz/row/${step % PATHS}`;
      if (step === 500) for (let place = 0; place < PATHS; place += 3) setNumber(follower, `/viz/row/${place}`, -1);
      controller.write(path, step + 1_000);
      values.set(path, step + 1_000);
      mesh.run(1_000);
    }
    mesh.run(500_000);
    for (const [path, value] of values) expect(follower.value(path)).toBe(value);
    expect(follower.contents()).toEqual(controller.contents());
    expect(follower.hana.core.counters.snapshotsTaken).toBe(1);
  });

  test("at ten per cent loss", () => {
    const { mesh, controller, follower } = pair();
    mesh.faults = { loss: 0.1, duplicate: 0.1, minDelayUs: 100, maxDelayUs: 5_000 };
    for (let place = 0; place < PATHS; place++) setNumber(follower, `/viz/row/${place}`, -1);
    mesh.until(() => finding(follower) !== "", 2_500_000);
    expect(follower.contents()).toEqual(controller.contents());
    expect(follower.hana.core.counters.snapshotsTaken).toBe(1);
  });

  test("with a text that is longer than a datagram", () => {
    const { mesh, controller, follower } = pair();
    controller.write("/viz/text", "x".repeat(50_000));
    mesh.run(2_000_000);
    follower.hana.core.state.texts[idOf(follower, "/viz/text")] = "short";
    mesh.until(() => finding(follower) !== "", 2_000_000);
    expect(follower.value("/viz/text")).toBe("x".repeat(50_000));
    expect(follower.hana.core.counters.snapshotsTaken).toBe(1);
  });

  test("and a removal while the answer is under way is not taken back", () => {
    const { mesh, controller, follower } = pair();
    mesh.extraDelayUs = (to, way) => (to === follower && way === "unicast" ? 40_000 : 0);
    setNumber(follower, "/viz/row/7", -1);
    mesh.until(() => follower.hana.core.counters.bucketAsks > 0, 1_000_000);
    mesh.run(10_000);
    let isBack = false;
    mesh.onTurn = (node) => {
      isBack ||=
        node === follower && follower.value("/viz/row/7") !== undefined && controller.value("/viz/row/7") === undefined;
    };
    controller.turn(() => controller.hana.writes.remove(idOf(controller, "/viz/row/7"), 0));
    mesh.run(20_000);
    isBack = false;
    mesh.run(1_000_000);
    expect(isBack).toBe(false);
    expect(follower.contents()).toEqual(controller.contents());
  });
});

test("whoever gets no answer fetches the whole state after two seconds", () => {
  const { mesh, controller, follower } = pair();
  mesh.drop = (from, _to, _datagram, way) => from === follower && way === "unicast";
  setNumber(follower, "/viz/row/7", -1);
  mesh.run(1_500_000);
  expect(follower.hana.core.counters.snapshotsTaken).toBe(1);
  mesh.run(2_500_000);
  expect(follower.hana.core.counters.snapshotsTaken).toBe(2);
  expect(follower.contents()).toEqual(controller.contents());
});

test("what was repaired can be read for ten minutes", () => {
  const { mesh, follower } = pair();
  setNumber(follower, "/viz/row/7", -1);
  mesh.run(2_000_000);
  expect(finding(follower)).not.toBe("");
  mesh.run(605_000_000);
  expect(finding(follower)).toBe("");
});

test("a follower whose paths all differ is answered within bounds", () => {
  const { mesh, follower } = pair();
  for (let place = 0; place < PATHS; place++) setNumber(follower, `/viz/row/${place}`, -1);
  mesh.until(() => follower.hana.core.counters.bucketAsks > 0, 1_000_000);
  const before = mesh.datagrams;
  mesh.run(50_000);
  expect(mesh.datagrams - before).toBeLessThan(100);
});

describe("memory of the controller that changed by itself", () => {
  function alarm(node: MeshNode): string {
    return node.hana.health.list().find(({ code }) => code === "memory")?.text ?? "";
  }

  test("is an alarm within a second, reaches nobody, and ends when the path is written", () => {
    const { mesh, controller, follower } = pair();
    setNumber(controller, "/viz/row/7", -1);
    mesh.until(() => alarm(controller) !== "", 1_000_000);
    expect(alarm(controller)).toMatch(/^\/viz\/row\/7 changed in this controller's memory by itself/);
    mesh.run(2_000_000);
    expect(follower.value("/viz/row/7")).toBe(8);
    expect(follower.hana.core.counters.digestMismatches).toBe(0);
    controller.write("/viz/row/7", 5);
    mesh.run(2_000_000);
    expect([alarm(controller), follower.value("/viz/row/7")]).toEqual(["", 5]);
  });

  test("is repaired once another node controls", () => {
    const { mesh, controller, follower } = pair(300);
    setNumber(controller, "/viz/row/7", -1);
    mesh.until(() => alarm(controller) !== "", 1_000_000);
    mesh.drop = (from, to) => from !== to;
    mesh.until(() => follower.hana.controller.isOpen);
    mesh.drop = () => false;
    mesh.run(8_000_000);
    expect(controller.hana.controller.isOpen).toBe(false);
    expect([alarm(controller), controller.value("/viz/row/7"), follower.value("/viz/row/7")]).toEqual(["", 8, 8]);
  });

  test("is no alarm while paths come, go and change", () => {
    const { mesh, controller } = pair();
    let alarms = "";
    mesh.onTurn = (node) => {
      if (node === controller) alarms += alarm(controller);
    };
    for (let step = 0; step < 500; step++) {
      controller.declare(`/viz/new/${step}`, { type: step % 2 === 0 ? "float" : "int" });
      controller.write(`/viz/new/${step}`, step);
      controller.write("/viz/fire", null);
      const old = idOf(controller, `/viz/new/${step - 9}`);
      if (old >= 0) controller.turn(() => controller.hana.writes.remove(old, 0));
      mesh.run(7_000);
    }
    expect(alarms).toBe("");
  });
});
