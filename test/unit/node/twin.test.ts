/**
 * Two nodes of one id, as when a data folder was copied: exactly one goes on, the one that was there first, and its
 * peers do not lose it, whatever is lost, late, cut or recorded.
 */
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.js";
import type { FrameIo } from "../../../src/node/frame-io.js";
import { HealthCode } from "../../../src/node/health.js";
import type { NodeCore } from "../../../src/node/core.js";
import { NodeCounters } from "../../../src/node/counters.js";
import { Twin } from "../../../src/node/twin.js";
import { Clock } from "../../../src/base/clock.js";
import { Role } from "../../../src/sync/roles.js";
import { NODE_ID_OFFSET, SESSION_OFFSET, TYPE_OFFSET } from "../../../src/wire/envelope.js";
import { FrameType } from "../../../src/wire/frame.js";
import { TwinKind, writeTwin } from "../../../src/wire/twin.js";
import { CLEAN, Mesh, type MeshNode, type MeshNodeOptions } from "./mesh.js";

const PATH = "/viz/twin/x";
const SECOND_US = 1_000_000;
const isTwin = (datagram: Uint8Array): boolean => datagram[TYPE_OFFSET] === FrameType.twin;

/** Three nodes that have come to rest; the first controls. */
function settled(seed = 1): { mesh: Mesh; nodes: [MeshNode, MeshNode, MeshNode] } {
  const mesh = new Mesh(seed);
  const first = mesh.add();
  mesh.run(SECOND_US);
  const nodes: [MeshNode, MeshNode, MeshNode] = [first, mesh.add(), mesh.add()];
  mesh.until(() => mesh.isSettled);
  first.declare(PATH, { type: "int" });
  mesh.run(300_000);
  return { mesh, nodes };
}

/** A copy of a node's folder is started: what the node has on disk, and a session above all that it has used. */
function copy(mesh: Mesh, of: MeshNode, options: MeshNodeOptions = {}): MeshNode {
  const disk = { record: of.disk.record };
  return mesh.add({ twinOf: of.place, asks: true, boots: 1, disk, ...options });
}

/** How long until all that live have what a node writes now, in microseconds. */
function spreadUs(mesh: Mesh, node: MeshNode, value: number): number {
  const beganUs = mesh.nowUs;
  node.write(PATH, value);
  mesh.until(() => mesh.live.every((other) => other.value(PATH) === value), 5 * SECOND_US);
  return mesh.nowUs - beganUs;
}

describe("a second start of a node's id", () => {
  test.each([0, 1])("is refused before it says a word, by node %i, which goes on", (place) => {
    const { mesh, nodes } = settled();
    const first = nodes[place] as MeshNode;
    const { term } = first.hana.roles;
    let words = 0;
    mesh.drop = (from, _to, datagram) => {
      if (from.place === 4 && !isTwin(datagram)) words++;
      return false;
    };
    const second = copy(mesh, first);
    mesh.run(50_000);
    // It ends as any node does, and says no goodbye for the one that goes on.
    second.hana.close();
    mesh.run(10_000);
    expect([second.isRefused, words]).toEqual([true, 0]);
    expect(spreadUs(mesh, first, 1)).toBeLessThan(10_000);
    mesh.run(SECOND_US);
    expect(nodes.map(({ hana }) => hana.roles.term)).toEqual([term, term, term]);
    expect(first.hana.core.counters).toMatchObject({ twinsRefused: 1, sessionsRaised: 0 });
    expect(first.hana.health.list().map(({ code }) => code)).toContain(HealthCode.twin);
    mesh.run(11 * SECOND_US);
    expect(first.hana.health.list()).toEqual([]);
  });

  test("is refused although most of what the two say is lost", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { mesh, nodes } = settled(seed);
      const chance = new Random(seed);
      mesh.drop = (_from, _to, datagram) => isTwin(datagram) && chance.next() < 0.5;
      const second = copy(mesh, nodes[1]);
      mesh.run(2 * SECOND_US);
      expect([seed, second.isRefused, nodes[1].isRefused]).toEqual([seed, true, false]);
    }
  });

  test("is nobody's when the node is started anew, at once or later", () => {
    const { mesh, nodes } = settled();
    let node: MeshNode = nodes[1];
    for (const pauseUs of [0, 20_000, SECOND_US]) {
      node.crash();
      mesh.run(pauseUs);
      mesh.nodes[1] = node;
      node = mesh.add({ ...node.options, twinOf: 2, asks: true, boots: (node.options.boots ?? 0) + 1 });
      mesh.run(SECOND_US);
      expect(node.isRefused).toBe(false);
      expect(spreadUs(mesh, node, mesh.nowUs % 1_000)).toBeLessThan(20_000);
    }
  });
});

describe("a second start that was not refused in time", () => {
  test.each([0, 1])("ends once node %i, held up for 2 s, goes on; its peers hear it again within a second", (place) => {
    const { mesh, nodes } = settled();
    const first = nodes[place] as MeshNode;
    first.pause();
    const second = copy(mesh, first);
    mesh.run(2 * SECOND_US);
    expect(second.isRefused).toBe(false);
    expect(second.hana.roles.role).not.toBe(Role.starting);
    first.resume();
    mesh.run(20_000);
    expect([second.isRefused, first.isRefused]).toEqual([true, false]);
    first.write(PATH, 7);
    mesh.run(SECOND_US);
    expect(nodes.map((node) => node.value(PATH))).toEqual([7, 7, 7]);
    mesh.until(() => mesh.isSettled);
    expect(first.hana.core.counters.sessionsRaised).toBe(1);
  });

  test.each([0, 1])("ends when it speaks, and the peers of node %i lose it for less than half a second", (place) => {
    const { mesh, nodes } = settled();
    const first = nodes[place] as MeshNode;
    const { term } = nodes[0].hana.roles;
    // All that it asks is lost.
    let isDeaf = true;
    mesh.drop = (from, _to, datagram) => from.place === 4 && isTwin(datagram) && isDeaf;
    const second = copy(mesh, first);
    mesh.until(() => !second.hana.twin.isSilent);
    isDeaf = false;
    const beganUs = mesh.nowUs;
    mesh.until(() => second.isRefused, SECOND_US);
    first.write(PATH, 5);
    mesh.until(() => nodes.every((node) => node.value(PATH) === 5), SECOND_US);
    expect(mesh.nowUs - beganUs).toBeLessThan(500_000);
    mesh.run(2 * SECOND_US);
    // No other controller was needed, nobody fetched a state anew, and it stays the same boot.
    expect(nodes.map(({ hana }) => hana.roles.term)).toEqual([term, term, term]);
    expect(nodes.map(({ hana }) => hana.core.counters.snapshotsTaken)).toEqual([0, 1, 1]);
    expect(first.isRefused).toBe(false);
  });

  test("fires no trigger a second time, which waited while the node was not heard", () => {
    const { mesh, nodes } = settled();
    const [controller, first] = nodes;
    controller.declare("/viz/twin/go", { type: "impulse" });
    mesh.run(300_000);
    let isDeaf = true;
    mesh.drop = (from, _to, datagram) => from.place === 4 && isTwin(datagram) && isDeaf;
    const second = copy(mesh, first);
    mesh.until(() => !second.hana.twin.isSilent);
    mesh.run(1_000);
    const { counters } = controller.hana.core;
    const before = counters.changesApplied;
    for (let trigger = 0; trigger < 3; trigger++) first.write("/viz/twin/go", null);
    isDeaf = false;
    mesh.until(() => second.isRefused);
    mesh.until(() => first.hana.pending.size === 0, SECOND_US);
    mesh.run(SECOND_US);
    expect(counters.changesApplied - before).toBeLessThanOrEqual(4);
    expect(controller.hana.controller.writeDesk.intake.standings().find(({ node }) => node === first.id)?.write).toBe(
      3,
    );
  });

  test("ends when a cut between the two heals, by whomever it was followed", () => {
    const { mesh, nodes } = settled();
    const [, first] = nodes;
    const far = mesh.add();
    mesh.until(() => mesh.isSettled);
    const isFar = (node: MeshNode): boolean => node.place >= far.place;
    mesh.drop = (from, to) => isFar(from) !== isFar(to);
    mesh.canConnect = (from, to) => isFar(from) === isFar(to);
    const second = copy(mesh, first);
    mesh.run(4 * SECOND_US);
    expect(mesh.live.filter(({ hana }) => hana.roles.role === Role.controlling).length).toBe(2);
    mesh.drop = () => false;
    mesh.canConnect = () => true;
    mesh.until(() => second.isRefused, 3 * SECOND_US);
    mesh.until(() => mesh.isSettled);
    expect(first.isRefused).toBe(false);
    expect(spreadUs(mesh, first, 9)).toBeLessThan(SECOND_US);
  });
});

/** Two copies of one folder, started `gapUs` apart while a fault of chance is on. Answers which of them go on. */
function race(seed: number): { winners: number[]; gapUs: number; isHeard: boolean } {
  const { mesh, nodes } = settled(seed);
  const [, owner] = nodes;
  owner.crash();
  const chance = new Random(seed);
  const loss = chance.next() < 0.3 ? 0 : chance.next() * 0.9;
  mesh.faults = { ...CLEAN, maxDelayUs: 100 + Math.floor(chance.next() * 20_000) };
  mesh.drop = (_from, _to, datagram) => isTwin(datagram) && chance.next() < loss;
  const gapUs = Math.floor(chance.next() * 250_000);
  // Clocks and folders may be older or newer: the session says nothing of who was first.
  const boots = [1 + Math.floor(chance.next() * 200), 1 + Math.floor(chance.next() * 200)];
  const one = copy(mesh, owner, { boots: boots[0] as number });
  mesh.run(gapUs);
  const other = copy(mesh, owner, { boots: boots[1] as number });
  mesh.run(SECOND_US);
  if (chance.next() < 0.3) {
    one.pause();
    mesh.run(300_000);
    one.resume();
  }
  mesh.run(2 * SECOND_US);
  mesh.drop = () => false;
  mesh.faults = CLEAN;
  mesh.run(4 * SECOND_US);
  const winners = [one, other].filter((node) => !node.isRefused);
  const [winner] = winners;
  const isHeard = winners.length === 1 && winner !== undefined && spreadUs(mesh, winner, 1_000 + seed) < SECOND_US;
  return { winners: winners.map((node) => (node === one ? 0 : 1)), gapUs, isHeard };
}

describe("two copies that start", () => {
  test("at about the same time: exactly one goes on and is heard, whatever is lost or late", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { winners, gapUs, isHeard } = race(seed);
      expect({ seed, count: winners.length, isHeard }).toEqual({ seed, count: 1, isHeard: true });
      // Who had asked to the end before the other began is the first.
      if (gapUs > 150_000) expect([seed, winners]).toEqual([seed, [0]]);
    }
  });
});

/** The machine alone: what it sends, and whether it ended. */
class Alone {
  readonly clock = new Clock();
  readonly counters = new NodeCounters();
  readonly sent: { kind: number; session: number }[] = [];
  readonly raised: number[] = [];
  ended = "";
  readonly twin: Twin;
  private readonly plain = new Uint8Array(64);

  constructor(boot: number) {
    this.clock.set(1e12);
    const core = { clock: this.clock, counters: this.counters } as unknown as NodeCore;
    const io = { plain: this.plain, announce: () => this.note(), unicast: () => this.note(), raiseSession: () => {} };
    this.twin = new Twin({
      core,
      io: io as unknown as FrameIo,
      ports: {
        onTwin: (address) => {
          this.ended = address;
        },
        raiseSession: (above) => this.raised.push(above),
      },
      reachability: { unicastPort: 0, snapshotPort: 0 },
      session: session(10, boot),
    });
  }

  private note(): number {
    this.sent.push({ kind: this.plain[0] as number, session: this.plain[8] as number });
    return 0;
  }

  wait(us: number): void {
    this.clock.set(this.clock.nowUs + us);
    this.twin.tick();
  }

  /** A message of another node, of the session `number`, `boot`. */
  hear(kind: TwinKind, to: number, heldMs: number, boot: number, number = 11): void {
    const plain = new Uint8Array(64);
    const length = writeTwin(plain, { kind, session: session(1, to), heldMs, unicastPort: 0 });
    this.twin.onFrame(plain, length, header(number, boot), "10.0.0.9");
    this.wait(20_000);
  }
}

function session(number: number, boot: number): Uint8Array {
  return Uint8Array.of(0, 0, 0, number, 0, 0, 0, boot);
}

function header(number: number, boot: number): Uint8Array {
  const bytes = new Uint8Array(30);
  bytes.fill(5, NODE_ID_OFFSET, SESSION_OFFSET);
  bytes.set(session(number, boot), SESSION_OFFSET);
  return bytes;
}

describe("what a node is told by its twin", () => {
  test("does not end it unless it names this boot's session, be it a refusal or a claim of long ago", () => {
    for (const holds of [false, true]) {
      const alone = new Alone(3);
      if (holds) alone.twin.hold();
      else alone.twin.ask();
      for (const other of [1, 9]) {
        alone.hear(TwinKind.refusal, 77, 1_000_000, other);
        alone.hear(TwinKind.refusal, 0, 1_000_000, other);
        alone.hear(TwinKind.claim, 77, 1_000_000, other);
        alone.hear(TwinKind.claim, 0, 0, other);
      }
      expect(alone.ended).toBe("");
    }
  });

  test("ends one that starts by a refusal, one that holds the id by its own judgement only", () => {
    const starting = new Alone(3);
    starting.twin.ask();
    starting.hear(TwinKind.refusal, 3, 5, 9);
    expect(starting.ended).toBe("10.0.0.9");
    const judge = new Alone(3);
    judge.twin.hold();
    judge.wait(SECOND_US);
    const before = judge.sent.length;
    judge.hear(TwinKind.refusal, 3, 5_000, 9);
    judge.hear(TwinKind.claim, 3, 900, 9);
    expect(judge.ended).toBe("");
    expect(judge.sent.slice(before).map(({ kind }) => kind)).toEqual([TwinKind.claim, TwinKind.refusal]);
    const younger = new Alone(3);
    younger.twin.hold();
    younger.hear(TwinKind.claim, 3, 900, 9);
    expect(younger.ended).toBe("10.0.0.9");
  });

  test("is not answered more than a hundred times a second, nor when it is no message", () => {
    const alone = new Alone(3);
    alone.twin.hold();
    const plain = new Uint8Array(64);
    for (let length = 0; length <= 20; length++) alone.twin.onFrame(plain, length, header(11, 9), "10.0.0.9");
    plain[0] = 3;
    alone.twin.onFrame(plain, 15, header(11, 9), "10.0.0.9");
    expect([alone.counters.messagesMalformed, alone.sent.length]).toEqual([22, 0]);
    const length = writeTwin(plain, { kind: TwinKind.claim, session: session(0, 0), heldMs: 0, unicastPort: 0 });
    for (let ask = 0; ask < 1_000; ask++) {
      alone.twin.onFrame(plain, length, header(11, ask % 2 === 0 ? 8 : 9), "10.0.0.9");
      alone.wait(1_000);
    }
    expect(alone.sent.length).toBeLessThanOrEqual(103);
    expect(alone.counters.twinsRefused).toBeGreaterThan(0);
  });

  test("makes it raise its session once, not at each frame, and never to the last number", () => {
    const alone = new Alone(3);
    alone.twin.hold();
    for (let frame = 0; frame < 50; frame++) {
      alone.twin.onSpeech(header(40 + (frame % 3), 9), "10.0.0.9");
      alone.wait(5_000);
    }
    expect(alone.raised).toEqual([42]);
    alone.twin.raised(43);
    alone.wait(SECOND_US);
    expect([alone.raised, alone.counters.sessionsRaised]).toEqual([[42], 1]);
    const last = header(0, 9);
    last.fill(0xff, SESSION_OFFSET, SESSION_OFFSET + 4);
    alone.twin.onSpeech(last, "10.0.0.9");
    alone.wait(SECOND_US);
    expect(alone.raised).toEqual([42]);
  });
});
