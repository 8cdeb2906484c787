/** The controller's side of followers' writes, and who is controller: each write once, each decision in its time. */
import { describe, expect, test } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { Reject } from "../../../src/state/reject.js";
import { Acknowledgements } from "../../../src/sync/acknowledgements.js";
import { HeardAcknowledgements } from "../../../src/sync/heard-acknowledgements.js";
import { OriginTable } from "../../../src/state/tables.js";
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
    const learn = (session: number, write: number): void => intake.learn({ node: "a", session, write, refusals: [] });
    learn(1, 10);
    learn(1, 5);
    expect([intake.floorOf("a"), intake.accepts("a", 1, 8, 0), intake.take("a", 10)]).toEqual([10, true, false]);
    learn(2, 3);
    expect(intake.floorOf("a")).toBe(3);
  });

  test("takes another side's word for what a writer did there: the later boot's, and of one boot the later write", () => {
    const intake = new WriteIntake();
    const meet = (session: number, write: number): [boolean, number] => {
      return [intake.meet({ node: "a", session, write, refusals: [] }), intake.floorOf("a")];
    };
    expect([meet(2, 10), meet(2, 9), meet(2, 11)]).toEqual([
      [true, 10],
      [false, 10],
      [true, 11],
    ]);
    expect([meet(3, 4), meet(2, 12)]).toEqual([
      [true, 4],
      [false, 4],
    ]);
    expect([intake.accepts("a", 3, 1, 0), intake.take("a", 4), intake.take("a", 5)]).toEqual([true, false, true]);
  });

  test("forgets every writer at once, the one that wrote last too", () => {
    const intake = new WriteIntake();
    intake.accepts("a", 1, 1, 0);
    intake.take("a", 1);
    intake.clear();
    expect(intake.floorOf("a")).toBe(0);
    expect([intake.accepts("a", 1, 1, 0), intake.take("a", 1)]).toEqual([true, true]);
  });

  test("hears a writer no further while it does not know of 64 refusals", () => {
    const intake = new WriteIntake();
    intake.accepts("a", 1, 1, 0);
    for (let write = 1; write <= 70; write++) if (intake.take("a", write)) intake.refuse("a", write, Reject.outOfRange);
    expect([intake.refusalsOf("a").length, intake.floorOf("a"), intake.duplicates]).toEqual([64, 64, 0]);
    intake.accepts("a", 1, 65, 64);
    expect([intake.refusalsOf("a").length, intake.take("a", 65)]).toEqual([0, true]);
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
  const NODE = "0000000000000001";

  /** Makes a frame of `position` items; answers what it tells, at most `most`. */
  function frame(acks: Acknowledgements, position: number, most = 10_000): (readonly [string, number, number])[] {
    const found: (readonly [string, number, number])[] = [];
    acks.beginFrame();
    for (let ack = acks.due(position); ack !== undefined && found.length < most; ack = acks.due(position)) {
      found.push([ack.node, ack.session, acks.dueWrite]);
      acks.pass();
    }
    acks.endFrame();
    return found;
  }

  function unsaid(acks: Acknowledgements, published: number): string[] {
    const found: string[] = [];
    acks.promote(published, (node) => found.push(node));
    return found;
  }

  test("are told once, with the last item of what they confirm", () => {
    const acks = new Acknowledgements();
    acks.add("a", 1, 3, 10, 1);
    acks.add("b", 7, 1, 15, 2);
    acks.add("a", 1, 5, 20, 1);
    expect(frame(acks, 9)).toEqual([]);
    expect(frame(acks, 16)).toEqual([
      ["a", 1, 3],
      ["b", 7, 1],
    ]);
    expect(frame(acks, 16)).toEqual([]);
    expect([acks.of("a").write, unsaid(acks, 16), acks.of("a").write]).toEqual([0, [], 3]);
    expect(frame(acks, 20)).toEqual([["a", 1, 5]]);
    expect(unsaid(acks, 20)).toEqual([]);
    expect(acks.of("a")).toMatchObject({ session: 1, write: 5 });
  });

  test("of writes that changed nothing are raised in place, and told to the writer alone when no frame comes", () => {
    const acks = new Acknowledgements();
    for (let write = 1; write <= 10_000; write++) acks.add("a", 1, write, 7, 1);
    expect([acks.hasRoom, unsaid(acks, 7), acks.of("a").write]).toEqual([true, ["a"], 10_000]);
    expect(frame(acks, 7)).toEqual([]);
  });

  test("that a frame told already are not raised: the next one tells what came after", () => {
    const acks = new Acknowledgements();
    acks.add("a", 1, 1, 7, 1);
    frame(acks, 7);
    acks.add("a", 1, 2, 7, 1);
    expect([unsaid(acks, 7), acks.of("a").write]).toEqual([["a"], 2]);
  });

  test("that a frame had no room for are in the next, what was taken back too", () => {
    const acks = new Acknowledgements();
    for (let writer = 0; writer < 5; writer++) acks.add(`${writer}`, 1, 1, 1, 1);
    expect(frame(acks, 1, 2)).toHaveLength(2);
    acks.beginFrame();
    const { next } = acks;
    acks.pass();
    acks.goBack(next);
    acks.endFrame();
    expect(frame(acks, 1).map(([node]) => node)).toEqual(["2", "3", "4"]);
  });

  test("of writers without an origin in the stream are told to them alone", () => {
    const acks = new Acknowledgements();
    acks.add("a", 1, 1, 1, 0);
    frame(acks, 1);
    expect(unsaid(acks, 1)).toEqual(["a"]);
  });

  test("are bounded: writers are not heard on while too many wait, and nothing is lost", () => {
    const acks = new Acknowledgements();
    let write = 0;
    while (acks.hasRoom) acks.add("a", 1, ++write, write, 1);
    expect(write).toBeLessThan(4_096);
    expect(frame(acks, write)).toHaveLength(write);
    unsaid(acks, write);
    expect([acks.hasRoom, acks.of("a").write]).toEqual([true, write]);
  });

  test("are of at most 256 nodes: the one that wrote longest ago is forgotten", () => {
    const acks = new Acknowledgements();
    for (let writer = 0; writer < 256; writer++) acks.add(`${writer}`, 1, 1, 1, 1);
    acks.add("0", 1, 2, 2, 1);
    for (let writer = 256; writer < 300; writer++) acks.add(`${writer}`, 1, 1, 2, 1);
    frame(acks, 2);
    unsaid(acks, 2);
    expect(acks.standings()).toHaveLength(256);
    expect([acks.of("0").write, acks.of("1").write, acks.of("299").write]).toEqual([2, 0, 1]);
  });

  test("of an earlier boot are not said of the next", () => {
    const acks = new Acknowledgements();
    acks.add("a", 1, 9, 1, 1);
    acks.add("a", 2, 1, 5, 1);
    expect(frame(acks, 1)).toEqual([["a", 1, 9]]);
    unsaid(acks, 1);
    expect(acks.of("a")).toMatchObject({ session: 2, write: 0 });
  });

  test("say where writers stand in what is published, with the refusals among it", () => {
    const acks = new Acknowledgements();
    const refusals = [1, 2, 3].map((write) => ({ write, reject: Reject.outOfRange }));
    acks.begin({ node: "b", session: 3, write: 12, refusals: [] });
    acks.add(NODE, 1, 2, 1, 1);
    frame(acks, 1);
    unsaid(acks, 1);
    acks.add(NODE, 1, 3, 2, 1, refusals);
    expect(acks.standings()).toEqual([
      { node: "b", session: 3, write: 12, refusals: [] },
      { node: NODE, session: 1, write: 2, refusals: refusals.slice(0, 2) },
    ]);
  });
});

describe("where writers stand in a follower's state", () => {
  const [OWN, OTHER] = ["0000000000000001", "0000000000000002"];
  const REFUSALS = [{ write: 3, reject: Reject.wrongType }];

  function heard() {
    const origins = new OriginTable();
    return { origins, heard: new HeardAcknowledgements(origins, OWN) };
  }

  test("is by node, whichever of its surfaces wrote, and begins anew with a boot", () => {
    const { origins, heard: acks } = heard();
    const [one, two] = ["a", "b"].map((surface) => origins.intern(OTHER, surface)) as [number, number];
    acks.hear(one, 7, 4, []);
    acks.hear(two, 7, 5, REFUSALS);
    acks.hear(one, 7, 2, []);
    expect(acks.list()).toEqual([{ node: OTHER, session: 7, write: 5, refusals: REFUSALS }]);
    acks.hear(one, 8, 1, []);
    expect(acks.list()).toEqual([{ node: OTHER, session: 8, write: 1, refusals: [] }]);
    expect([acks.isOwn(one), acks.isOwn(origins.intern(OWN, "x"))]).toEqual([false, true]);
  });

  test("is that of the snapshot once one is taken", () => {
    const { origins, heard: acks } = heard();
    acks.hear(origins.intern(OTHER, ""), 7, 40, []);
    acks.replace([{ node: OTHER, session: 7, write: 5, refusals: REFUSALS }]);
    expect(acks.list()).toEqual([{ node: OTHER, session: 7, write: 5, refusals: REFUSALS }]);
    acks.replace([]);
    expect(acks.list()).toEqual([]);
  });

  test("is handed over whole to the intake of the controller that this node becomes", () => {
    const { origins, heard: acks } = heard();
    const intake = new WriteIntake();
    acks.hear(origins.intern(OTHER, ""), 7, 5, REFUSALS);
    acks.handOver(intake);
    expect([intake.floorOf(OTHER), intake.refusalsOf(OTHER)]).toEqual([5, REFUSALS]);
    expect([intake.accepts(OTHER, 7, 1, 0), intake.take(OTHER, 5), intake.take(OTHER, 6)]).toEqual([true, false, true]);
  });

  test("is bounded: of 300 writers the last 255 are known, beside this node", () => {
    const { origins, heard: acks } = heard();
    acks.hear(origins.intern(OWN, ""), 1, 9, []);
    for (let writer = 0; writer < 300; writer++) {
      acks.hear(origins.intern((0x1000 + writer).toString(16).padStart(16, "0"), ""), 1, writer + 1, []);
    }
    const writes = acks.list().map(({ write }) => write);
    expect([writes.length, writes.includes(9), writes.includes(45), writes.includes(300)]).toEqual([
      256,
      true,
      false,
      true,
    ]);
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
    const roles = new Roles(clock, peers, node, priority, { whole: 0, isWhole: true });
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
