/** Conflated unicast, as whole nodes have it: nothing is lost but values that newer ones replace, and it says so. */
import { describe, expect, test } from "vitest";
import { ChangeFlag, EventKind } from "../../../src/state/change.js";
import { ValueType } from "../../../src/state/declaration.js";
import { Found, RingReader } from "../../../src/state/ring.js";
import { ConflatedReason } from "../../../src/wire/conflated.js";
import { Mesh, type MeshNode, Way } from "./mesh.js";

const NODES = 4;

/** The first of four controls; what the second is sent is lost as told. */
class Stage {
  readonly mesh = new Mesh(11);
  readonly nodes: [MeshNode, MeshNode, ...MeshNode[]];
  loss = 0;
  private written = 0;

  constructor() {
    const { mesh } = this;
    for (let count = 0; count < NODES; count++) mesh.add({ priority: count === 0 ? 200 : 100 });
    mesh.until(() => mesh.isSettled);
    this.nodes = mesh.nodes as typeof this.nodes;
    mesh.drop = (from, to) => to === this.nodes[1] && from !== to && mesh.random.next() < this.loss;
    for (const name of ["x", "y"]) this.nodes[0].declare(`/viz/${name}`, { type: "double" });
    this.nodes[0].declare("/viz/fire", { type: "impulse" });
    mesh.run(100_000);
  }

  /** Two paths move 200 times a second, and something fires every 50 ms. */
  play(ms: number): void {
    for (let passed = 0; passed < ms; passed += 5) {
      this.nodes[0].write("/viz/x", ++this.written);
      this.nodes[0].write("/viz/y", -this.written);
      if (passed % 50 === 0) this.nodes[0].write("/viz/fire", null);
      this.mesh.run(5_000);
    }
  }

  get isSlow(): boolean {
    return this.nodes[0].hana.conflated.slowPeers.isSlow(this.nodes[1].id);
  }
}

/** What a node showed: values of x, and for each impulse the value that x had then. */
class Shown {
  readonly fired: number[] = [];
  private readonly reader: RingReader;
  private readonly node: MeshNode;
  private x = 0;

  constructor(node: MeshNode) {
    this.node = node;
    this.reader = new RingReader(node.hana.core.memory);
    this.reader.skip();
  }

  pump(): void {
    const { reader, node } = this;
    const { state } = node.hana.core;
    for (let found = reader.next(); found !== Found.nothing; found = reader.next()) {
      if (found === Found.event && reader.kind === EventKind.impulse) this.fired.push(this.x);
      if (found !== Found.value || (reader.flags & ChangeFlag.pending) !== 0) continue;
      if (reader.id === state.idOf("/viz/x")) this.x = reader.numbers[0] as number;
    }
  }
}

/** What a node showed, by the version that it said it to have: term and sequence. */
class Versions {
  readonly values = new Map<string, number | string | Uint8Array | undefined>();
  private readonly reader: RingReader;
  private readonly node: MeshNode;

  constructor(node: MeshNode) {
    this.node = node;
    this.reader = new RingReader(node.hana.core.memory);
    this.reader.skip();
  }

  pump(): void {
    const { reader, node } = this;
    for (let found = reader.next(); found !== Found.nothing; found = reader.next()) {
      if (found !== Found.value || reader.flags !== 0) continue;
      const { number } = node.hana.core.terms.at(reader.term);
      const value = reader.type === ValueType.string ? reader.text() : reader.numbers[0];
      this.values.set(`${number}/${reader.doubles[0] as number}`, value);
    }
  }
}

describe("a follower that loses six of ten datagrams", () => {
  test("gets rounds after five seconds, is named by the controller and by itself, and is well again", () => {
    const stage = new Stage();
    const [controller, slow] = stage.nodes;
    stage.play(1_000);
    stage.loss = 0.6;
    stage.play(3_900);
    expect(stage.isSlow).toBe(false);
    stage.play(2_100);
    expect(stage.isSlow).toBe(true);
    stage.play(2_000);
    expect(controller.hana.health.list()).toMatchObject([{ code: "slow-peer" }]);
    expect(controller.hana.health.list()[0]?.text).toMatch(/^n2 loses .*unicast.*cable/);
    expect(controller.hana.health.level).toBe(0);
    expect(slow.hana.health.list().map(({ code }) => code)).toContain("slow");
    expect(slow.hana.health.list().map(({ code }) => code)).not.toContain("stream-by-unicast");
    for (const node of stage.nodes) {
      const peer = node.hana.peers.get(slow.id);
      if (node !== slow) expect(peer?.isConflated).toBe(true);
    }
    const asked = slow.hana.follower.naks.asked;
    const { snapshotsTaken } = slow.hana.core.counters;
    stage.play(3_000);
    expect(slow.hana.follower.naks.asked - asked).toBeLessThanOrEqual(5);
    expect(slow.hana.core.counters.framesConflated).toBeGreaterThan(0);
    expect(slow.hana.core.counters.snapshotsTaken).toBe(snapshotsTaken);
    stage.loss = 0;
    stage.play(13_000);
    expect([stage.isSlow, controller.hana.conflated.lanes.size]).toEqual([false, 0]);
    expect(slow.value("/viz/x")).toBe(controller.value("/viz/x"));
    stage.mesh.run(2_000_000);
    for (const node of stage.nodes) expect(node.hana.health.list()).toEqual([]);
    expect(slow.digests()).toEqual(controller.digests());
  });

  test("fires every impulse once, in order and never before the values that came before it", () => {
    const stage = new Stage();
    const [controller, slow] = stage.nodes;
    stage.play(500);
    const [there, here] = [new Shown(controller), new Shown(slow)];
    stage.loss = 0.6;
    const late = slow.hana.core.counters.impulsesLate;
    for (let part = 0; part < 100; part++) {
      stage.play(100);
      there.pump();
      here.pump();
    }
    stage.loss = 0;
    stage.mesh.run(2_000_000);
    there.pump();
    here.pump();
    expect(stage.isSlow).toBe(true);
    expect(here.fired.length + slow.hana.core.counters.impulsesLate - late).toBe(there.fired.length);
    expect(here.fired.length).toBeGreaterThan(there.fired.length / 2);
    // It may show what is newer than the impulse, never what is older; and it leaves none out but the late ones.
    let next = 0;
    for (const x of here.fired) {
      expect(x).toBeGreaterThanOrEqual(there.fired[next] as number);
      next++;
    }
    expect(here.fired).toEqual([...here.fired].sort((left, right) => left - right));
  });
});

test("what a round of the old term holds is not taken for the new one's when the controller raises its term", () => {
  const stage = new Stage();
  const [controller, slow] = stage.nodes;
  // Rounds of several parts: one that is half there is not begun anew.
  for (let text = 0; text < 32; text++) controller.declare(`/viz/text${text}`, { type: "string" });
  const [there, here] = [new Versions(controller), new Versions(slow)];
  const playTexts = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 5) {
      controller.write(`/viz/text${(passed / 5) % 32}`, `${passed}`.padEnd(400, "."));
      stage.play(5);
      there.pump();
      here.pump();
    }
  };
  playTexts(500);
  stage.loss = 0.6;
  playTexts(7_000);
  expect(stage.isSlow).toBe(true);
  for (let time = 0; time < 10; time++) {
    playTexts(300);
    controller.turn(() => {
      controller.hana.elections.raise();
    });
  }
  stage.loss = 0;
  playTexts(1_000);
  expect(slow.hana.core.counters.messagesMalformed).toBe(0);
  expect(here.values.size).toBeGreaterThan(20);
  for (const [version, value] of here.values) expect([version, there.values.get(version)]).toEqual([version, value]);
});

test("followers beyond the places for copies get rounds while multicast is lost, and hear of each other", () => {
  const mesh = new Mesh(5);
  for (let count = 0; count < 14; count++) mesh.add({ priority: count === 0 ? 200 : 100 });
  mesh.until(() => mesh.isSettled);
  mesh.nodes[0]?.declare("/viz/x", { type: "double" });
  mesh.run(500_000);
  mesh.drop = (from, to, _datagram, way) => to !== from && way !== Way.unicast;
  for (let value = 1; value <= 800; value++) {
    mesh.nodes[0]?.write("/viz/x", value);
    mesh.run(10_000);
  }
  mesh.run(200_000);
  const { conflated, io } = mesh.controller.hana;
  expect([io.copies.targets.length, conflated.lanes.size]).toEqual([8, 5]);
  for (const node of mesh.nodes) {
    expect([node.value("/viz/x"), node.hana.peers.size]).toEqual([800, 13]);
    expect(node.hana.core.counters.takeovers).toBe(node === mesh.nodes[0] ? 1 : 0);
  }
  expect(mesh.isSettled).toBe(true);
  mesh.drop = () => false;
  mesh.run(4_000_000);
  expect(conflated.lanes.size).toBe(0);
});

test("a moment at which nothing was missing counts, though a round comes before house is kept", () => {
  const { mesh, nodes } = new Stage();
  const { hana } = nodes[1];
  const { core, follower } = hana;
  const held = (): boolean => core.lineage.includes(core.term, core.sequence[0] as number);
  nodes[0].write("/viz/x", 1);
  mesh.until(() => follower.isWhole && !held());
  const sequence = core.sequence[0] as number;
  const { complete } = follower.window;
  const head = { term: 1, since: complete, through: complete + 1, round: 1, parts: 0, part: 0 };
  nodes[1].turn(() => follower.takeRound({ ...head, reason: ConflatedReason.slow }, []));
  expect([follower.isWhole, core.lineage.includes(core.term, sequence)]).toEqual([false, true]);
});
