/** What two sides of a real mesh did while it was divided, merged when they meet: every row of README.md's table. */
import { describe, expect, test } from "vitest";
import { EventKind } from "../../../src/state/change.js";
import { completeDeclaration, type Value } from "../../../src/state/declaration.js";
import { Reject } from "../../../src/state/reject.js";
import { Found, RingReader } from "../../../src/state/ring.js";
import { Role } from "../../../src/sync/roles.js";
import { MERGE_ROWS, type SideEdits } from "./merge-rows.js";
import { Mesh, type MeshNode } from "./mesh.js";

const STEP_US = 20_000;
/** A gesture is over after 400 ms. */
const PAUSE_US = 500_000;
const CONFLICTS = "/system/conflicts/";

/** What is done at one node, each step confirmed before the next. */
function editsAt(mesh: Mesh, node: MeshNode): SideEdits {
  const { writes, core } = node.hana;
  const done = (reject: Reject | undefined): void => {
    expect(reject).toBe(Reject.none);
    mesh.run(STEP_US);
  };
  const idOf = (path: string): number => core.state.idOf(path);
  return {
    declare: (path, input) => done(node.turn(() => writes.declare(path, completeDeclaration(input), 0))),
    write: (path, value) => done(node.write(path, value)),
    writeGroup: (values) => {
      node.writeGroup(values);
      mesh.run(STEP_US);
    },
    fire: (path) => done(node.write(path, null)),
    rename: (path, to) => done(node.turn(() => writes.rename(idOf(path), to, 0))),
    remove: (path) => done(node.turn(() => writes.remove(idOf(path), 0))),
  };
}

/** Two nodes on one side, three, which stay, on the other. */
function divide(mesh: Mesh): void {
  const isFew = (node: MeshNode): boolean => mesh.nodes.indexOf(node) < 2;
  mesh.drop = (from, to) => isFew(from) !== isFew(to);
  mesh.canConnect = (from, to) => isFew(from) === isFew(to);
  mesh.run(2_000_000);
  expect(mesh.live.filter(({ hana }) => hana.roles.role === Role.controlling)).toHaveLength(2);
}

function heal(mesh: Mesh): void {
  mesh.drop = () => false;
  mesh.canConnect = () => true;
  mesh.until(() => mesh.isSettled, 2_000_000);
  mesh.run(1_000_000);
}

interface StoredSide {
  readonly value: Value;
}

function recordsOf(node: MeshNode): object[] {
  const { state } = node.hana.core;
  const ids = [...state.ids()].filter((id) => state.pathOf(id).startsWith(CONFLICTS));
  return ids.map((id) => {
    const record = JSON.parse(state.valueOf(id) as string) as Record<string, unknown>;
    const { path, kind, policy, taken, isOpen } = record;
    const values = [record["mine"], record["theirs"]].map((side) => (side as StoredSide | null)?.value ?? null);
    return { path, kind, policy, taken, isOpen, values };
  });
}

describe("of two sides of a divided mesh", () => {
  test.each(MERGE_ROWS)("$name", ({ policies, before, divided, after, types, maxima, records }) => {
    const mesh = new Mesh(1);
    const options = policies === undefined ? {} : { mergePolicies: policies };
    mesh.add(options);
    mesh.run(1_000_000);
    for (let place = 1; place < 5; place++) mesh.add(options);
    mesh.until(() => mesh.isSettled);
    before(editsAt(mesh, mesh.nodes[0] as MeshNode));
    mesh.run(PAUSE_US);
    divide(mesh);
    divided(editsAt(mesh, mesh.nodes[3] as MeshNode), editsAt(mesh, mesh.nodes[1] as MeshNode));
    mesh.run(PAUSE_US);
    const fired = mesh.live.map((node) => countFired(node));
    heal(mesh);
    const digests = mesh.live.map((node) => node.digests());
    expect(digests).toEqual(digests.map(() => digests[0]));
    for (const [index, node] of mesh.live.entries()) {
      const { state } = node.hana.core;
      for (const [path, value] of Object.entries(after)) expect([path, node.value(path)]).toEqual([path, value]);
      for (const [path, type] of Object.entries(types ?? {})) {
        expect([path, state.declarationOf(state.idOf(path))?.type]).toEqual([path, type]);
      }
      for (const [path, max] of Object.entries(maxima ?? {})) {
        expect([path, state.declarationOf(state.idOf(path))?.range?.max]).toEqual([path, max]);
      }
      expect(recordsOf(node)).toEqual(records);
      expect(node.hana.core.counters.mergesRefused).toBe(0);
      expect(fired[index]?.()).toBe(0);
    }
  });
});

/** Answers how many impulses a node fired from now on. */
function countFired(node: MeshNode): () => number {
  const reader = new RingReader(node.hana.core.memory);
  return () => {
    let fired = 0;
    for (let found = reader.next(); found !== Found.nothing; found = reader.next()) {
      if (found === Found.event && reader.kind === EventKind.impulse) fired++;
    }
    return fired;
  };
}
