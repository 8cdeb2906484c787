/** What a node was told before it found its mesh comes with it, and nobody hears "confirmed" before the mesh has it. */
import { describe, expect, test } from "vitest";
import { completeDeclaration } from "../../../src/state/declaration.js";
import { Reject } from "../../../src/state/reject.js";
import { Mesh, type MeshNode, Way } from "./mesh.js";

const PATH = "/viz/brought";

interface Told {
  readonly reject: Reject;
  /** What the controller had of it, and the writer itself, when the writer was told. */
  readonly there: unknown;
  readonly here: unknown;
}

/** A node joins another, or both start together; the second writes `atMs` after its start. */
function writeWhileStarting(atMs: number, together: boolean): { told: Told[]; values: unknown[] } {
  const mesh = new Mesh(1);
  const first = mesh.add();
  if (!together) mesh.run(1_000_000);
  const second = mesh.add();
  // The mesh's contents are not to be had at once.
  const openUs = mesh.nowUs + 800_000;
  mesh.canConnect = () => mesh.nowUs >= openUs;
  second.turn(() => second.hana.writes.declare(PATH, completeDeclaration({ type: "int" }), 0));
  mesh.run(atMs * 1_000);
  const told: Told[] = [];
  second.write(PATH, 7);
  second.turn(() => {
    const { core, writes } = second.hana;
    core.staging.value(8);
    writes.write(core.state.idOf(PATH), 0);
    writes.whenDone((reject) => {
      told.push({ reject, there: mesh.controller.value(PATH), here: second.value(PATH) });
    });
  });
  mesh.run(4_000_000);
  return { told, values: [first.value(PATH), second.value(PATH)] };
}

describe.each([
  ["joins a mesh", false],
  ["starts together with another", true],
])("a node that %s", (_, together) => {
  test.each([0, 1, 5, 50, 100, 300, 400, 500, 550, 600, 700, 1_000, 2_000])(
    "and is written to after %d ms loses nothing, and says so when it is true",
    (atMs) => {
      const { told, values } = writeWhileStarting(atMs, together);
      expect(values).toEqual([8, 8]);
      expect(told).toEqual([{ reject: Reject.none, there: 8, here: 8 }]);
    },
  );
});

test("what the show begins with gives way to what the mesh has, and what was written does not", () => {
  const mesh = new Mesh(1);
  const first = mesh.add();
  mesh.run(1_000_000);
  for (const path of ["/viz/begun", "/viz/written"]) first.declare(path, { type: "int" });
  first.write("/viz/begun", 1);
  first.write("/viz/written", 1);
  const second = mesh.add();
  for (const path of ["/viz/begun", "/viz/written"]) begin(second, path, 2);
  second.write("/viz/written", 3);
  mesh.run(2_000_000);
  expect(["/viz/begun", "/viz/written"].map((path) => first.value(path))).toEqual([1, 3]);
});

test.each([
  ["triggered", (node: MeshNode, id: number) => node.hana.writes.trigger(id, 0)],
  ["renamed", (node: MeshNode, id: number) => node.hana.writes.rename(id, "/viz/other", 0)],
  ["removed", (node: MeshNode, id: number) => node.hana.writes.remove(id, 0)],
])("what is %s on a path that the mesh lacks while a node joins is refused, not confirmed", (_, write) => {
  const mesh = new Mesh(1);
  mesh.add();
  mesh.run(1_000_000);
  const second = mesh.add();
  mesh.canConnect = () => false;
  second.declare(PATH, { type: "impulse" });
  mesh.run(300_000);
  expect(second.hana.controller.takesWrites).toBe(false);
  const told: Reject[] = [];
  second.turn(() => {
    expect(write(second, second.hana.core.state.idOf(PATH))).toBe(Reject.none);
    second.hana.writes.whenDone((reject) => told.push(reject));
  });
  mesh.canConnect = () => true;
  mesh.run(2_000_000);
  expect(told).toEqual([Reject.unknownPath]);
  expect(mesh.isSettled).toBe(true);
});

/** As a show file does. */
function begin(node: MeshNode, path: string, value: number): void {
  node.declare(path, { type: "int" });
  node.turn(() => {
    const { core, writes } = node.hana;
    core.staging.value(value);
    writes.begin(core.state.idOf(path));
  });
}

test("what is declared and written at whatever moment of a start is there in the end", () => {
  for (let atMs = 0; atMs < 700; atMs += 10) {
    const mesh = new Mesh(1);
    const first = mesh.add();
    mesh.run(1_000_000);
    // The stream is heard a while before it is heard what there is to be fetched.
    mesh.extraDelayUs = (_, way) => (way === Way.stream ? 0 : 300_000);
    const second = mesh.add();
    mesh.run(atMs * 1_000);
    expect(second.declare(PATH, { type: "int" })).toBe(Reject.none);
    mesh.run(5_000);
    second.write(PATH, 7);
    mesh.run(3_000_000);
    expect([atMs, first.value(PATH), second.value(PATH)]).toEqual([atMs, 7, 7]);
  }
});
