/** Two sides of a partition become one mesh again: nothing that was confirmed on either is gone without a word. */
import { describe, expect, test } from "vitest";
import { CONFLICTS_MAX, conflictIds } from "../../../src/node/conflicts.js";
import { EventKind } from "../../../src/state/change.js";
import { Reject } from "../../../src/state/reject.js";
import { Found, RingReader } from "../../../src/state/ring.js";
import { Role } from "../../../src/sync/roles.js";
import { FitnessLevel } from "../../../src/wire/fitness.js";
import { Mesh, type MeshNode } from "./mesh.js";

/** More than a side of 600 paths is taken in with, and the heartbeats right behind. */
const FRAMES_LOST = 41;

interface Record {
  readonly path: string;
  readonly kind: string;
  readonly policy: string;
  readonly taken: string;
  readonly isOpen: boolean;
  readonly mine: { readonly value: unknown } | null;
  readonly theirs: { readonly value: unknown } | null;
}

/** The conflicts that a node has on record, by path. */
function conflictsOf(node: MeshNode): Record[] {
  const { state } = node.hana.core;
  const ids = [...state.ids()].filter((id) => state.pathOf(id).startsWith("/system/conflicts/"));
  const records = ids.map((id) => JSON.parse(state.valueOf(id) as string) as Record);
  return records.sort((left, right) => (left.path < right.path ? -1 : 1));
}

/** A mesh at rest, the first node its controller. */
function meshOf(nodes: number, paths = 1_000): Mesh {
  const mesh = new Mesh(1);
  mesh.add({ paths });
  mesh.run(1_000_000);
  for (let place = 1; place < nodes; place++) mesh.add({ paths });
  mesh.until(() => mesh.isSettled);
  mesh.run(300_000);
  return mesh;
}

/** Nothing passes between the first nodes and the rest. */
function divide(mesh: Mesh, first: number): void {
  const isFirst = (node: MeshNode): boolean => mesh.nodes.indexOf(node) < first;
  mesh.drop = (from, to) => isFirst(from) !== isFirst(to);
  mesh.canConnect = (from, to) => isFirst(from) === isFirst(to);
}

function heal(mesh: Mesh): void {
  mesh.drop = () => false;
  mesh.canConnect = () => true;
}

/** All nodes hold the same, and nobody waits for anything. */
function expectSame(mesh: Mesh): void {
  const [first, ...others] = mesh.live as [MeshNode, ...MeshNode[]];
  for (const other of others) {
    expect(other.contents()).toEqual(first.contents());
    expect(other.digests()).toEqual(first.digests());
    expect(other.hana.pending.size).toBe(0);
  }
}

function controllers(mesh: Mesh): MeshNode[] {
  return mesh.live.filter(({ hana }) => hana.roles.role === Role.controlling);
}

/** Two nodes on one side, three on the other, each side with a controller. */
function divided(paths?: number, few = 2, all = 5): { mesh: Mesh; nodes: MeshNode[] } {
  const mesh = meshOf(all, paths);
  const [first] = mesh.nodes as [MeshNode];
  for (const name of ["both", "left", "right", "same"]) first.declare(`/viz/${name}`, { type: "float" });
  first.declare("/viz/text", { type: "string" });
  mesh.run(100_000);
  divide(mesh, few);
  mesh.run(2_000_000);
  expect(controllers(mesh)).toHaveLength(2);
  return { mesh, nodes: mesh.nodes };
}

describe("two sides of a partition", () => {
  test("are one mesh a second after they meet, with what either had written", () => {
    const { mesh, nodes } = divided();
    nodes[0]?.write("/viz/left", 1);
    nodes[1]?.write("/viz/text", "left");
    nodes[2]?.write("/viz/right", 2);
    nodes[4]?.declare("/viz/new", { type: "int" });
    mesh.run(10_000);
    nodes[4]?.write("/viz/new", 7);
    mesh.run(1_000_000);
    heal(mesh);
    mesh.until(() => mesh.isSettled, 1_000_000);
    mesh.run(1_000_000);
    expectSame(mesh);
    const values = ["left", "text", "right", "new"].map((name) => nodes[3]?.value(`/viz/${name}`));
    expect(values).toEqual([1, "left", 2, 7]);
    expect(conflictsOf(mesh.controller)).toEqual([]);
    expect(mesh.controller.hana.core.counters.merges).toBe(1);
  });

  test("know on every node which writes of either side were taken, so that no successor takes one again", () => {
    const { mesh, nodes } = divided();
    const writer = nodes[1] as MeshNode;
    writer.write("/viz/left", 1);
    mesh.run(1_000_000);
    heal(mesh);
    mesh.until(() => mesh.isSettled, 1_000_000);
    mesh.run(1_000_000);
    const standings = mesh.live.map(({ hana }) => hana.standings().find(({ node }) => node === writer.id)?.write);
    expect(writer.hana.pending.lastWrite).toBe(1);
    expect(standings).toEqual([1, 1, 1, 1, 1]);
  });

  test("keep the later of two writes to one path, and list it", () => {
    const { mesh, nodes } = divided();
    nodes[0]?.write("/viz/both", 1);
    mesh.run(10_000);
    nodes[2]?.write("/viz/both", 2);
    nodes[1]?.write("/viz/same", 5);
    nodes[3]?.write("/viz/same", 5);
    nodes[2]?.write("/viz/text", "early");
    mesh.run(10_000);
    nodes[0]?.write("/viz/text", "late");
    mesh.run(1_000_000);
    heal(mesh);
    mesh.run(2_000_000);
    expect(mesh.isSettled).toBe(true);
    expectSame(mesh);
    expect([nodes[4]?.value("/viz/both"), nodes[4]?.value("/viz/text")]).toEqual([2, "late"]);
    const listed = conflictsOf(nodes[1] as MeshNode);
    expect(listed.map(({ path, kind, policy, isOpen }) => [path, kind, policy, isOpen])).toEqual([
      ["/viz/both", "value", "lww", false],
      ["/viz/text", "value", "lww", false],
    ]);
    // The side with three nodes stays.
    expect(listed.map(({ mine, theirs, taken }) => [mine?.value, theirs?.value, taken])).toEqual([
      [2, 1, "mine"],
      ["early", "late", "theirs"],
    ]);
  });
});

describe("a conflict", () => {
  const findings = (mesh: Mesh): string[][] =>
    mesh.live.map(({ hana }) => hana.health.list().flatMap(({ code }) => (code.startsWith("conflicts") ? [code] : [])));
  const levels = (mesh: Mesh): number[] => mesh.live.map(({ hana }) => hana.health.level);

  /** As `hana conflicts resolve` and `acknowledge` do at their end, at any node. */
  function strike(mesh: Mesh, node: MeshNode): void {
    const { core, writes } = node.hana;
    const ids = [...core.state.ids()].filter((id) => core.state.pathOf(id).startsWith("/system/conflicts/"));
    node.turn(() => ids.forEach((id) => writes.remove(id, 0)));
    mesh.run(1_000_000);
  }

  test("is told by every node until somebody acknowledges it, also by one that starts or takes control later", () => {
    const { mesh, nodes } = divided();
    nodes[0]?.write("/viz/both", 1);
    nodes[2]?.write("/viz/both", 2);
    mesh.run(1_000_000);
    heal(mesh);
    mesh.run(120_000_000);
    expect(findings(mesh)).toEqual(new Array(5).fill(["conflicts"]));
    mesh.controller.crash();
    mesh.run(3_000_000);
    mesh.restart(mesh.nodes.find(({ isDead }) => isDead) as MeshNode);
    mesh.run(3_000_000);
    expect(findings(mesh)).toEqual(new Array(5).fill(["conflicts"]));
    strike(mesh, mesh.live.find((node) => node !== mesh.controller) as MeshNode);
    expect(findings(mesh)).toEqual(new Array(5).fill([]));
  });

  test("of a critical path turns every node red until somebody decides", () => {
    const { mesh, nodes } = divided();
    const critical = { type: "float", critical: true } as const;
    nodes[0]?.declare("/viz/critical", critical);
    nodes[2]?.declare("/viz/critical", critical);
    mesh.run(10_000);
    nodes[0]?.write("/viz/critical", 1);
    nodes[2]?.write("/viz/critical", 2);
    mesh.run(1_000_000);
    expect(levels(mesh)).not.toContain(FitnessLevel.red);
    heal(mesh);
    mesh.run(60_000_000);
    expect(findings(mesh)).toEqual(new Array(5).fill(["conflicts-open"]));
    expect(levels(mesh)).toEqual(new Array(5).fill(FitnessLevel.red));
    strike(mesh, nodes[1] as MeshNode);
    expect(findings(mesh)).toEqual(new Array(5).fill([]));
    expect(levels(mesh)).not.toContain(FitnessLevel.red);
  });

  test("that finds no room is told of until the list has been dealt with", () => {
    const { mesh, nodes } = divided(2_000);
    const paths = Array.from({ length: CONFLICTS_MAX + 3 }, (_, index) => `/viz/many/${index}`);
    for (const [place, node] of [nodes[0], nodes[2]].entries()) {
      for (const path of paths) {
        node?.declare(path, { type: "int" });
        node?.write(path, place + 1);
        mesh.run(2_000);
      }
    }
    mesh.run(1_000_000);
    heal(mesh);
    mesh.run(5_000_000);
    expect(conflictsOf(mesh.controller)).toHaveLength(CONFLICTS_MAX);
    const { health, core } = mesh.controller.hana;
    expect(core.counters.conflictsUnlisted).toBe(3);
    expect(health.list().map(({ code }) => code)).toContain("conflicts-unlisted");
    strike(mesh, mesh.controller);
    mesh.run(5_000_000);
    expect(health.list().map(({ code }) => code)).not.toContain("conflicts-unlisted");
  });
});

test("what finds no room on the side that stays is told for ten minutes", () => {
  const { mesh, nodes } = divided(25);
  for (const [side, node] of [nodes[0], nodes[2]].entries()) {
    for (let place = 0; place < 15; place++) {
      expect(node?.declare(`/viz/${side}-${place}`, { type: "int" })).toBe(Reject.none);
      mesh.run(2_000);
    }
  }
  mesh.run(1_000_000);
  heal(mesh);
  mesh.until(() => mesh.isSettled, 2_000_000);
  mesh.run(1_000_000);
  expectSame(mesh);
  const { health, core } = mesh.controller.hana;
  const { mergesRefused } = core.counters;
  const declared = [...core.state.ids()].filter((id) => /^\/viz\/[01]-/.test(core.state.pathOf(id)));
  const finding = (): string | undefined => health.list().find(({ code }) => code === "merge-refused")?.text;
  expect([declared.length, mergesRefused]).toEqual([20, 10]);
  expect(finding()).toBe(
    "10 changes of the other side of a divided network could not be taken over: /viz/0-5 and others: the limit of paths is reached",
  );
  mesh.run(500_000_000);
  expect(finding()).not.toBeUndefined();
  mesh.run(110_000_000);
  expect(finding()).toBeUndefined();
});

test("a side is named to whoever listens, also when all it has more lay beyond a gap", () => {
  const mesh = meshOf(3);
  const [controller, first, second] = mesh.nodes as [MeshNode, MeshNode, MeshNode];
  const [lost, late] = ["/viz/lost", "/viz/late"] as const;
  for (const path of [lost, late]) {
    controller.declare(path, { type: "int" });
    controller.write(path, 100);
  }
  mesh.run(500_000);
  const { number } = controller.hana.roles.term;
  const reader = new RingReader(first.hana.core.memory);
  mesh.drop = (from) => from === controller;
  for (let value = 1; value < 20; value++) {
    controller.write(lost, value);
    mesh.run(2_000);
  }
  mesh.drop = (from, to) => to === controller || (from === controller && to === first);
  controller.write(late, 2);
  mesh.run(20_000);
  expect([first, second].map((node) => node.value(late))).toEqual([100, 2]);
  controller.crash();
  mesh.drop = () => false;
  mesh.until(() => mesh.isSettled, 20_000_000);
  mesh.run(2_000_000);
  // The last frame brings the newest changes before it again.
  const values = mesh.live.map((node) => [node.value(lost), node.value(late)]);
  expect(values).toEqual([
    [19, 2],
    [19, 2],
  ]);
  expect(mesh.controller).toBe(first);
  expect([first.hana.core.counters.merges, sidesNamed(reader)]).toEqual([1, [number]]);
});

/** The numbers of the terms that were named as made part of a node's contents. */
function sidesNamed(reader: RingReader): number[] {
  const numbers: number[] = [];
  for (let found = reader.next(); found !== Found.nothing; found = reader.next()) {
    if (found === Found.event && reader.kind === EventKind.lineage) numbers.push(reader.payload()?.[0] as number);
  }
  return numbers;
}

describe("what nobody could take over", () => {
  /** Two nodes have what their controller, gone, had written. One of them nobody can fetch, the other is cut off. */
  function givenUp(): { mesh: Mesh; orphan: MeshNode } {
    const { mesh, nodes } = divided(1_000, 3, 7);
    const [controller, orphan, absent] = nodes as [MeshNode, MeshNode, MeshNode];
    controller.write("/viz/left", 1);
    mesh.run(100_000);
    controller.crash();
    mesh.drop = (from, to) => (from === absent) !== (to === absent);
    mesh.canConnect = (_, server) => server !== orphan && server !== absent;
    mesh.until(() => orphan.hana.core.counters.headsGivenUp === 1, 20_000_000);
    mesh.run(3_000_000);
    expect([orphan.value("/viz/left"), absent.value("/viz/left")]).toEqual([0, 1]);
    return { mesh, orphan };
  }

  const isTold = ({ hana }: MeshNode): boolean => hana.health.list().some(({ code }) => code === "healing");

  test("is told for ten minutes", () => {
    const { mesh, orphan } = givenUp();
    expect(isTold(orphan)).toBe(true);
    mesh.run(500_000_000);
    expect(isTold(orphan)).toBe(true);
    mesh.run(110_000_000);
    expect(isTold(orphan)).toBe(false);
  });

  test("is told no more once it came by another way", () => {
    const { mesh, orphan } = givenUp();
    mesh.run(5_000_000);
    expect(isTold(orphan)).toBe(true);
    heal(mesh);
    mesh.until(() => mesh.isSettled, 5_000_000);
    mesh.run(1_000_000);
    expect([orphan.value("/viz/left"), isTold(orphan)]).toEqual([1, false]);
  });
});

test("who is cut off while a side is taken in has it only with the records of its conflicts", () => {
  const { mesh, nodes } = divided();
  for (const [place, path] of ["/viz/both", "/viz/left", "/viz/right"].entries()) {
    nodes[0]?.write(path, place + 1);
    nodes[2]?.write(path, place + 10);
  }
  mesh.run(1_000_000);
  // The side with three nodes stays.
  const stays = controllers(mesh).find((node) => node !== nodes[0]) as MeshNode;
  const reader = new RingReader(stays.hana.core.memory);
  heal(mesh);
  mesh.until(() => mesh.isSettled, 2_000_000);
  mesh.run(1_000_000);
  const told: string[] = [];
  for (let found = reader.next(); found !== Found.nothing; found = reader.next()) {
    if (found === Found.event && reader.kind === EventKind.declare) told.push("record");
    if (found === Found.event && reader.kind === EventKind.lineage) told.push("side");
  }
  expect(mesh.controller).toBe(stays);
  expect(conflictsOf(stays)).toHaveLength(3);
  expect(told).toEqual(["record", "record", "record", "side"]);
});

test("a record whose controller died before it said anything does not stay", () => {
  const mesh = meshOf(3);
  const [first, ...others] = mesh.nodes as [MeshNode, ...MeshNode[]];
  first.declare("/system/conflicts/7-000001-1", { type: "string", persist: false });
  mesh.run(5_000);
  first.crash();
  const paths = (node: MeshNode): number[] => conflictIds(node.hana.core);
  expect(others.map((node) => paths(node).length)).toEqual([1, 1]);
  mesh.run(2_000_000);
  expect(others.map((node) => paths(node).length)).toEqual([0, 0]);
  const codes = others.flatMap(({ hana }) => hana.health.list().map(({ code }) => code));
  expect(codes.filter((code) => code.startsWith("conflicts"))).toEqual([]);
});

test("what a side handed over is not gone with the controller that took it and had told nobody yet", () => {
  const rows = Array.from({ length: 600 }, (_, place) => `/viz/row/${place}`);
  const { mesh, nodes } = divided(1_000, 1, 3);
  const [alone, controller, follower] = nodes as [MeshNode, MeshNode, MeshNode];
  for (const [place, path] of rows.entries()) {
    alone.declare(path, { type: "float" });
    alone.write(path, place + 1);
  }
  mesh.run(1_000_000);
  const { number } = controller.hana.roles.term;
  heal(mesh);
  // Of the term that begins with all that was written alone the follower hears that it is there, and little more.
  const hasTaken = (): boolean => controller.hana.roles.term.number > number;
  let frames = 0;
  mesh.drop = (from, to, _datagram, way) => {
    if (!hasTaken() || from === to) return false;
    if (from === controller && to === follower) return way === "unicast" || frames++ < FRAMES_LOST;
    return from === follower;
  };
  mesh.canConnect = (_, server) => server !== controller || !hasTaken();
  const { roles } = follower.hana;
  mesh.until(() => roles.term.number > number && roles.role === Role.following, 3_000_000);
  expect([alone.hana.roles.role, alone.hana.roles.term]).toEqual([Role.joining, roles.term]);
  expect(follower.value("/viz/row/300")).toBeUndefined();
  controller.crash();
  mesh.drop = (from, to) => from !== to;
  mesh.until(() => follower.hana.controller.isOpen);
  heal(mesh);
  mesh.until(() => mesh.isSettled);
  mesh.run(3_000_000);
  expectSame(mesh);
  expect(rows.map((path) => follower.value(path))).toEqual(rows.map((_, place) => place + 1));
});
