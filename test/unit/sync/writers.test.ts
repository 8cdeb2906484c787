/** The controller's side of followers' writes, and who is controller: each write once, each decision in its time. */
import { describe, expect, test } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { Reject } from "../../../src/state/reject.js";
import { Acknowledgements } from "../../../src/sync/acknowledgements.js";
import { PEER_SILENCE_US, Peers, PEERS_MAX } from "../../../src/sync/peers.js";
import { Role, RoleAction, Roles } from "../../../src/sync/roles.js";
import { WriteAssembly } from "../../../src/sync/write-assembly.js";
import { WriteIntake } from "../../../src/sync/write-intake.js";

const START_US = 1_719_964_800_000_000;
const NOTICE = { name: "n", priority: 100, unicastPort: 5, snapshotPort: 6, term: 1, isInSync: true };

describe("the intake of writes", () => {
  test("takes every write of a boot once, in order, and drops what begins too late", () => {
    const intake = new WriteIntake();
    expect(intake.accepts("a", 1, 1, 0)).toBe(true);
    expect([1, 2, 4, 4, 3, 2].map((write) => intake.take("a", write))).toEqual([true, true, true, false, false, false]);
    expect([intake.accepts("a", 1, 5, 0), intake.accepts("a", 1, 6, 0)]).toEqual([true, false]);
    expect([intake.floorOf("a"), intake.duplicates, intake.early]).toEqual([4, 3, 1]);
  });

  test("begins anew with a new boot, where that boot says", () => {
    const intake = new WriteIntake();
    intake.accepts("a", 1, 1, 0);
    intake.take("a", 9);
    expect([intake.accepts("a", 2, 1, 0), intake.take("a", 1)]).toEqual([true, true]);
    expect([intake.accepts("b", 1, 41, 40), intake.take("b", 40), intake.take("b", 41)]).toEqual([true, false, true]);
  });

  test("learns floors from the stream, which never fall within a boot", () => {
    const intake = new WriteIntake();
    intake.learn("a", 1, 10);
    intake.learn("a", 1, 5);
    expect([intake.floorOf("a"), intake.accepts("a", 1, 8, 0), intake.take("a", 10)]).toEqual([10, true, false]);
    intake.learn("a", 2, 3);
    expect(intake.floorOf("a")).toBe(3);
  });

  test("forgets every writer at once, the one that wrote last too", () => {
    const intake = new WriteIntake();
    intake.accepts("a", 1, 1, 0);
    intake.take("a", 1);
    intake.clear();
    expect(intake.floorOf("a")).toBe(0);
    expect([intake.accepts("a", 1, 1, 0), intake.take("a", 1)]).toEqual([true, true]);
  });

  test("remembers the last 64 refusals until the writer knows of them", () => {
    const intake = new WriteIntake();
    intake.accepts("a", 1, 1, 0);
    for (let write = 1; write <= 70; write++) intake.refuse("a", write, Reject.outOfRange);
    expect(intake.refusalsOf("a").map(({ write }) => write)).toEqual(
      Array.from({ length: 64 }, (_, index) => index + 7),
    );
    intake.accepts("a", 1, 1, 69);
    expect(intake.refusalsOf("a")).toEqual([{ write: 70, reject: Reject.outOfRange }]);
    intake.refuse("unknown", 1, Reject.tooLong);
    expect(intake.refusalsOf("unknown")).toEqual([]);
  });

  test("forgets the writer that wrote longest ago when there are too many", () => {
    const intake = new WriteIntake();
    for (let writer = 0; writer < 256; writer++) {
      intake.accepts(`${writer}`, 1, 1, 0);
      intake.take(`${writer}`, 1);
    }
    intake.accepts("0", 1, 2, 0);
    intake.take("0", 2);
    intake.accepts("another", 1, 1, 0);
    expect([intake.floorOf("0"), intake.floorOf("1")]).toEqual([2, 0]);
  });
});

describe("the assembly of a long write", () => {
  const piece = (write: number, index: number, parts = 3) => ({
    term: 1,
    write,
    parts,
    index,
    bytes: Uint8Array.of(index),
  });

  test("has the whole once every piece is there, in any order, repeated or not", () => {
    const assembly = new WriteAssembly();
    expect([2, 0, 0, 2].map((index) => assembly.add("a", piece(1, index)))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(assembly.add("a", piece(1, 1))).toEqual(Uint8Array.of(0, 1, 2));
    expect(assembly.add("a", piece(1, 1))).toEqual(Uint8Array.of(0, 1, 2));
    assembly.done("a");
    expect(assembly.add("a", piece(1, 1))).toBeUndefined();
  });

  test("holds one write per writer: another, or another cut, begins anew", () => {
    const assembly = new WriteAssembly();
    assembly.add("a", piece(1, 0));
    assembly.add("a", piece(2, 1));
    expect(assembly.add("a", piece(1, 1))).toBeUndefined();
    expect(assembly.add("a", piece(1, 2))).toBeUndefined();
    expect(assembly.add("a", piece(1, 0, 2))).toBeUndefined();
    assembly.add("b", piece(9, 0, 2));
    expect(assembly.add("a", piece(1, 1, 2))).toEqual(Uint8Array.of(0, 1));
  });

  test("is of at most 64 writers: the one that began first gives way", () => {
    const assembly = new WriteAssembly();
    for (let writer = 0; writer < 65; writer++) assembly.add(`${writer}`, piece(1, 0, 2));
    expect(assembly.add("64", piece(1, 1, 2))).toBeDefined();
    expect(assembly.add("0", piece(1, 1, 2))).toBeUndefined();
  });
});

describe("acknowledgements", () => {
  /** Says all that may be said now. */
  function said(acks: Acknowledgements): (readonly [string, number, number])[] {
    const found: (readonly [string, number, number])[] = [];
    for (let count = acks.begin(100); count > 0; count--) {
      const { node, session, write } = acks.take();
      found.push([node, session, write]);
    }
    return found;
  }

  test("are said once, no earlier than what they confirm is published", () => {
    const acks = new Acknowledgements();
    acks.add("a", 1, 3, 10);
    acks.add("a", 1, 5, 20);
    acks.add("b", 7, 1, 15);
    acks.promote(9);
    expect([acks.size, acks.of("a").write]).toEqual([0, 0]);
    acks.promote(16);
    expect(said(acks)).toEqual([
      ["a", 1, 3],
      ["b", 7, 1],
    ]);
    expect(said(acks)).toEqual([]);
    acks.promote(20);
    expect(said(acks)).toEqual([["a", 1, 5]]);
    expect(acks.of("a")).toMatchObject({ session: 1, write: 5 });
  });

  test("are sixteen at most in one frame", () => {
    const acks = new Acknowledgements();
    for (let writer = 0; writer < 40; writer++) acks.add(`${writer}`, 1, 1, 1);
    acks.promote(1);
    expect([acks.begin(100), acks.begin(3), acks.size]).toEqual([16, 3, 40]);
  });

  test("of a writer that never stops are bounded and lose nothing", () => {
    const acks = new Acknowledgements();
    for (let write = 1; write <= 10_000; write++) acks.add("a", 1, write, write);
    acks.promote(10_000);
    expect(said(acks)).toEqual([["a", 1, 10_000]]);
  });

  test("of a writer whose refusals are untold are for its answer alone, until it knows of them", () => {
    const acks = new Acknowledgements();
    acks.add("a", 1, 3, 10, true);
    acks.promote(10);
    expect([acks.size, acks.takeAlone(), acks.takeAlone(), acks.of("a").write]).toEqual([0, "a", undefined, 3]);
    acks.add("a", 1, 4, 20);
    acks.promote(20);
    expect([said(acks), acks.takeAlone()]).toEqual([[["a", 1, 4]], undefined]);
  });

  test("are of at most 256 nodes: the one that wrote longest ago is forgotten", () => {
    const acks = new Acknowledgements();
    for (let writer = 0; writer < 256; writer++) acks.add(`${writer}`, 1, 1, 1);
    acks.add("0", 1, 2, 1);
    for (let writer = 256; writer < 300; writer++) acks.add(`${writer}`, 1, 1, 1);
    acks.promote(1);
    expect(acks.size).toBe(256);
    expect([acks.of("0").write, acks.of("1").write, acks.of("299").write]).toEqual([2, 0, 1]);
  });

  test("of an earlier boot are not said of the next", () => {
    const acks = new Acknowledgements();
    acks.add("a", 1, 9, 1);
    acks.add("a", 2, 1, 5);
    acks.promote(1);
    expect(said(acks)).toEqual([]);
    acks.promote(5);
    expect(said(acks)).toEqual([["a", 2, 1]]);
  });
});

describe("the peers", () => {
  test("are forgotten after four seconds of silence, and at most 256", () => {
    const peers = new Peers();
    for (let place = 0; place < PEERS_MAX + 5; place++) peers.notice(`${place}`, "10.0.0.1", NOTICE, START_US);
    expect([peers.size, peers.notice("one more", "10.0.0.1", NOTICE, START_US)]).toEqual([PEERS_MAX, undefined]);
    peers.notice("7", "10.0.0.1", NOTICE, START_US + 1);
    peers.prune(START_US + PEER_SILENCE_US);
    expect(peers.size).toBe(PEERS_MAX);
    peers.prune(START_US + PEER_SILENCE_US + 1);
    expect([...peers.values()].map((peer) => peer.node)).toEqual(["7"]);
  });

  test("are forgotten in time, whoever came and was heard again in between", () => {
    const peers = new Peers();
    const second = 1_000_000;
    peers.notice("a", "10.0.0.1", NOTICE, START_US);
    peers.notice("b", "10.0.0.2", NOTICE, START_US + second);
    peers.notice("a", "10.0.0.1", NOTICE, START_US + 2 * second);
    const left = (afterUs: number): string[] => {
      peers.prune(START_US + PEER_SILENCE_US + afterUs);
      return [...peers.values()].map((peer) => peer.node);
    };
    expect([left(1), left(second), left(second + 1)]).toEqual([["a", "b"], ["a", "b"], ["a"]]);
    peers.notice("c", "10.0.0.3", NOTICE, START_US + PEER_SILENCE_US + second + 2);
    expect([left(2 * second), left(2 * second + 1)]).toEqual([["a", "c"], ["c"]]);
  });

  test("count a change of what matters, and nothing else", () => {
    const peers = new Peers();
    peers.notice("a", "10.0.0.1", NOTICE, START_US);
    const { generation } = peers;
    peers.notice("a", "10.0.0.1", { ...NOTICE, term: 9 }, START_US + 1);
    expect(peers.generation).toBe(generation);
    peers.notice("a", "10.0.0.2", NOTICE, START_US + 2);
    expect([peers.generation, peers.get("a")?.target]).toEqual([generation + 1, { address: "10.0.0.2", port: 5 }]);
    peers.remove("a");
    peers.remove("a");
    expect(peers.generation).toBe(generation + 2);
  });
});

describe("roles", () => {
  function rolesOf(node: string, priority = 100, others: readonly (readonly [string, number])[] = []) {
    const clock = new Clock();
    clock.set(START_US);
    const peers = new Peers();
    for (const [other, theirs] of others) peers.notice(other, "10.0.0.9", { ...NOTICE, priority: theirs }, START_US);
    const roles = new Roles(clock, peers, node, priority);
    roles.start();
    /** Ticks every 10 ms for a while; answers what was asked for, with its time in ms. */
    const pass = (ms: number): (readonly [RoleAction, number])[] => {
      const found: (readonly [RoleAction, number])[] = [];
      for (let passed = 0; passed < ms; passed += 10) {
        clock.set(clock.nowUs + 10_000);
        const action = roles.tick();
        if (action !== RoleAction.none) found.push([action, Math.round((clock.nowUs - START_US) / 1_000)]);
      }
      return found;
    };
    return { roles, pass, clock };
  }

  test("a node alone listens half a second, says hello, and asks for control", () => {
    const { roles, pass } = rolesOf("b");
    const found = pass(500);
    expect(found.at(-1)).toEqual([RoleAction.campaign, 500]);
    expect(found.slice(0, -1).every(([action]) => action === RoleAction.hello)).toBe(true);
    expect(roles.takeControl(roles.highest + 1)).toEqual({ number: 1, node: "b" });
    expect(pass(5_000)).toEqual([]);
  });

  test("priority 0 never takes control", () => {
    const { pass } = rolesOf("b", 0);
    expect(pass(20_000).some(([action]) => action === RoleAction.campaign)).toBe(false);
  });

  test("of nodes that follow the highest priority goes first, then the lowest id, 40 ms apart", () => {
    const times = (["a", "b", "c"] as const).map((node) => {
      const others = (["a", "b", "c", "d"] as const).filter((other) => other !== node);
      const priority = { a: 100, b: 200, c: 100, d: 0 };
      const { roles, pass } = rolesOf(
        node,
        priority[node],
        others.map((other) => [other, priority[other]]),
      );
      roles.join({ number: 3, node: "z" });
      roles.inSync();
      const [action, ms] = pass(1_000).find(([found]) => found === RoleAction.campaign) ?? [0, 0];
      expect(action).toBe(RoleAction.campaign);
      return ms;
    });
    const [second, first, third] = times as [number, number, number];
    expect(first).toBeGreaterThan(500);
    expect([second - first, third - second]).toEqual([40, 40]);
  });

  test("a controller that is heard is left alone; one that left is followed at once", () => {
    const { roles, pass } = rolesOf("a");
    roles.join({ number: 3, node: "z" });
    roles.inSync();
    for (let round = 0; round < 20; round++) {
      expect(pass(400)).toEqual([]);
      roles.heard();
    }
    roles.controllerLeft();
    expect(pass(20)[0]?.[0]).toBe(RoleAction.campaign);
    expect(roles.takeControl(roles.highest + 1)).toEqual({ number: 4, node: "a" });
  });

  test("a loop that was held up does not judge the silence it slept through", () => {
    const { roles, pass, clock } = rolesOf("a");
    roles.join({ number: 3, node: "z" });
    roles.inSync();
    pass(100);
    clock.set(clock.nowUs + 5_000_000);
    expect(roles.tick()).toBe(RoleAction.none);
    expect(pass(200)).toEqual([]);
    expect(pass(200).map(([action]) => action)).toContain(RoleAction.campaign);
  });

  test("terms compare by number, then by node; one that starts over takes its own as new", () => {
    const { roles } = rolesOf("a");
    roles.join({ number: 3, node: "m" });
    expect([roles.compare(2, "z") < 0, roles.compare(4, "a") > 0, roles.compare(3, "m")]).toEqual([true, true, 0]);
    expect([roles.compare(3, "a") < 0, roles.compare(3, "z") > 0]).toEqual([true, true]);
    expect([roles.role, roles.highest]).toEqual([Role.joining, 3]);
    roles.start();
    expect(roles.compare(3, "m")).toBeGreaterThan(0);
  });

  test("a joiner whose controller is gone starts over", () => {
    const { roles, pass } = rolesOf("a");
    roles.join({ number: 3, node: "z" });
    const actions = pass(1_600).filter(([action]) => action !== RoleAction.hello);
    expect(actions[0]?.[0]).toBe(RoleAction.startOver);
    expect(actions[0]?.[1]).toBeGreaterThan(1_500);
  });
});
