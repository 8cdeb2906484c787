import { describe, expect, it } from "vitest";
import { DATAGRAM_BURST } from "../../../src/input/osc-subscriber.js";
import { BUNDLE_BYTES, SUBSCRIBERS_MAX } from "../../../src/input/osc-subscribers.js";
import { ChangeFlag } from "../../../src/state/change.js";
import { HOST, message, OscRig, OWN_NODE, TestNode } from "./osc-node.js";

const RENDERER = 9_000;
const SURFACE = 9_001;
const MS = 1_000;

/** A rig with float paths, and an output to the renderer that has been told the state. */
function rigWith(paths: readonly string[], options: { pattern?: string; throttleHz?: number } = {}): OscRig {
  const rig = new OscRig();
  for (const path of paths) rig.node.declare(path, { type: "float" });
  subscribe(rig, RENDERER, options);
  rig.turn();
  rig.sender.take();
  return rig;
}

function subscribe(rig: OscRig, port: number, options: { pattern?: string; throttleHz?: number } = {}): void {
  const { pattern = "//*", throttleHz = 0 } = options;
  expect(rig.subscribers.addOutput({ address: HOST, port, pattern, throttleHz })).toBe("");
}

/** Turns until nothing is due, as an edge with a timer would. */
function settle(rig: OscRig): void {
  for (let turns = 0; rig.subscribers.nextDueUs !== Number.POSITIVE_INFINITY; turns++) {
    if (turns === 10_000) throw new Error("never settles");
    rig.node.clock.set(Math.max(rig.node.clock.nowUs, rig.subscribers.nextDueUs));
    rig.turn();
  }
}

describe("a subscriber", () => {
  it("gets the whole state that its pattern matches at once, as bundles of at most 1,200 bytes", () => {
    const rig = new OscRig();
    for (let index = 0; index < 500; index++) {
      rig.node.declare(`/viz/a/parameter${index}`, { type: "float" });
      rig.node.set(`/viz/a/parameter${index}`, index);
    }
    rig.node.declare("/viz/b", { type: "string" });
    rig.node.declare("/viz/a/go", { type: "impulse" });
    subscribe(rig, RENDERER, { pattern: "/viz/a/*" });
    rig.turn();
    const { packets } = rig.sender;
    expect(packets.length).toBeGreaterThan(10);
    for (const { length } of packets) expect(length).toBeLessThanOrEqual(BUNDLE_BYTES);
    for (const { length } of packets.slice(0, -1)) expect(length).toBeGreaterThan(BUNDLE_BYTES - 60);
    expect(rig.sender.take()).toEqual(
      Array.from({ length: 500 }, (_, index) => [`/viz/a/parameter${index}`, "f", index]),
    );
    rig.turn();
    expect(rig.sender.take()).toEqual([]);
  });

  it("gets changes as plain messages of the declared type, and several of one turn as a bundle", () => {
    const rig = new OscRig();
    rig.node.declare("/viz/mode", { type: "enum", values: ["a", "b"] });
    rig.node.declare("/viz/on", { type: "bool" });
    subscribe(rig, RENDERER);
    rig.turn();
    rig.sender.take();
    rig.node.set("/viz/mode", "b");
    rig.turn();
    expect(rig.sender.packets).toHaveLength(1);
    expect(rig.sender.take()).toEqual([["/viz/mode", "s", "b"]]);
    rig.node.set("/viz/on", true);
    rig.node.set("/viz/mode", "a");
    rig.node.set("/viz/on", false);
    rig.turn();
    expect(rig.sender.packets).toHaveLength(1);
    expect(rig.sender.take()).toEqual([
      ["/viz/on", "F"],
      ["/viz/mode", "s", "a"],
    ]);
  });

  it("gets nothing of what its pattern does not match", () => {
    const rig = rigWith(["/viz/a/x", "/viz/b/x"], { pattern: "/viz/a/*" });
    rig.node.set("/viz/b/x", 1);
    rig.turn();
    expect(rig.sender.take()).toEqual([]);
    rig.node.set("/viz/a/x", 1);
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/a/x", "f", 1]]);
  });

  it("gets every impulse, after the values that were set before it", () => {
    const rig = rigWith(["/viz/x"]);
    rig.node.declare("/viz/go", { type: "impulse" });
    const go = rig.node.state.idOf("/viz/go");
    rig.node.set("/viz/x", 1);
    rig.node.trigger(go, 0);
    rig.node.trigger(go, 0);
    rig.turn();
    expect(rig.sender.take()).toEqual([
      ["/viz/x", "f", 1],
      ["/viz/go", "I"],
      ["/viz/go", "I"],
    ]);
  });

  it("gets a text that fills more than a bundle in a datagram of its own", () => {
    const rig = rigWith(["/viz/x", "/viz/y"]);
    rig.node.declare("/viz/text", { type: "string" });
    rig.node.declare("/viz/data", { type: "blob" });
    rig.turn();
    rig.sender.take();
    const text = "z".repeat(60_000);
    rig.node.set("/viz/x", 1);
    rig.node.set("/viz/text", text);
    rig.node.set("/viz/data", new Uint8Array(1_300).fill(7));
    rig.node.set("/viz/y", 2);
    rig.turn();
    expect(rig.sender.packets.map(({ messages }) => messages.length)).toEqual([1, 1, 1, 1]);
    expect(rig.sender.packets.some(({ isBundle }) => isBundle)).toBe(false);
    expect(rig.sender.take().map(([path, tags, value]) => [path, tags, (value as string).length])).toEqual([
      ["/viz/x", "f", undefined],
      ["/viz/text", "s", 60_000],
      ["/viz/data", "b", 1_300],
      ["/viz/y", "f", undefined],
    ]);
  });

  it("gets the value of a path that is declared or renamed later, and nothing of one that is gone", () => {
    const rig = rigWith(["/viz/a/x"], { pattern: "/viz/a/*" });
    rig.node.declare("/viz/a/new", { type: "float", default: 0.5 });
    rig.node.declare("/viz/b/new", { type: "float" });
    rig.node.declare("/viz/a/go", { type: "impulse" });
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/a/new", "f", 0.5]]);
    rig.node.rename("/viz/b/new", "/viz/a/late");
    rig.node.rename("/viz/a/x", "/viz/b/x");
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/a/late", "f", 0]]);
    rig.node.set("/viz/b/x", 1);
    rig.node.set("/viz/a/late", 1);
    rig.node.remove("/viz/a/late");
    rig.turn();
    expect(rig.sender.take()).toEqual([]);
  });

  it("is told the new address after a rename, though the old one was sent often", () => {
    const rig = rigWith(["/viz/x"]);
    rig.node.set("/viz/x", 1);
    rig.turn();
    rig.node.rename("/viz/x", "/viz/renamed");
    rig.node.set("/viz/renamed", 2);
    rig.turn();
    expect(rig.sender.take()).toEqual([
      ["/viz/x", "f", 1],
      ["/viz/renamed", "f", 2],
    ]);
  });

  it("gets paths that have only a provisional id yet", () => {
    const rig = rigWith([]);
    const { state } = rig.node;
    rig.node.declare("/viz/x", { type: "float" });
    const declaration = state.declarationOf(0);
    if (declaration === undefined) return expect.fail();
    state.declare(state.freeProvisional(), "/viz/young", declaration);
    subscribe(rig, SURFACE);
    rig.turn();
    expect(rig.sender.take(SURFACE)).toEqual([
      ["/viz/x", "f", 0],
      ["/viz/young", "f", 0],
    ]);
  });

  it("that does not exist costs nothing, and one that comes later gets the newest values once", () => {
    const rig = new OscRig();
    rig.node.declare("/viz/x", { type: "float" });
    rig.node.set("/viz/x", 0.5);
    rig.turn();
    subscribe(rig, RENDERER);
    rig.node.set("/viz/x", 1);
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/x", "f", 1]]);
  });

  it("has no place when there are 256, or its pattern is malformed", () => {
    const rig = new OscRig();
    const output = { address: HOST, pattern: "//*", throttleHz: 0 };
    expect(rig.subscribers.addOutput({ ...output, port: 1, pattern: "/[" })).not.toBe("");
    for (let port = 1; port <= SUBSCRIBERS_MAX; port++) {
      expect(rig.subscribers.addOutput({ ...output, port })).toBe("");
    }
    expect(rig.subscribers.addOutput({ ...output, port: 1_000 })).not.toBe("");
    expect(rig.subscribers.count).toBe(SUBSCRIBERS_MAX);
  });
});

describe("a change", () => {
  it("is never sent back to the subscriber that made it, and to all others", () => {
    const rig = rigWith(["/viz/x"]);
    subscribe(rig, SURFACE);
    rig.turn();
    rig.sender.take();
    rig.message("/viz/x", "f", [0.5], SURFACE);
    rig.turn();
    expect(rig.sender.take(SURFACE)).toEqual([]);
    expect(rig.sender.take(RENDERER)).toEqual([["/viz/x", "f", 0.5]]);
    rig.message("/viz/x", "f", [0.6], 50_000);
    rig.turn();
    expect(rig.sender.take(SURFACE)).toEqual([["/viz/x", "f", Math.fround(0.6)]]);
  });

  it("by another is not sent when the subscriber has set a newer value since", () => {
    const rig = rigWith(["/viz/x"], { throttleHz: 10 });
    rig.node.advance(100 * MS);
    rig.node.set("/viz/x", 1);
    rig.turn();
    rig.node.set("/viz/x", 2);
    rig.turn();
    rig.message("/viz/x", "f", [3], RENDERER);
    rig.node.advance(100 * MS);
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/x", "f", 1]]);
  });

  it("that is an impulse of a term that is over goes to nobody, and is counted", () => {
    const rig = rigWith([]);
    rig.node.declare("/viz/go", { type: "impulse" });
    const go = rig.node.state.idOf("/viz/go");
    rig.node.trigger(go, 0);
    rig.outputTerm = 5;
    rig.turn();
    expect([rig.sender.take(), rig.counters.report().impulsesFenced]).toEqual([[], 1]);
    rig.outputTerm = 0;
    rig.node.trigger(go, 0);
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/go", "I"]]);
  });

  it("that is an impulse is not sent back either", () => {
    const rig = rigWith([]);
    rig.node.declare("/viz/go", { type: "impulse" });
    rig.message("/viz/go", "", [], RENDERER);
    rig.turn();
    expect(rig.sender.take()).toEqual([]);
    rig.message("/viz/go", "", [], SURFACE);
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/go", "I"]]);
  });

  it("made by a surface that `from` names is not sent to its output, from one port or from all", () => {
    const address = "127.0.0.7";
    const cases = [
      { from: { address }, isSent: [false, false, false] },
      { from: { address, port: 7_000 }, isSent: [false, true, true] },
      { from: undefined, isSent: [true, true, false] },
    ];
    for (const { from, isSent } of cases) {
      const rig = new OscRig();
      rig.node.declare("/viz/x", { type: "float" });
      rig.subscribers.addOutput({ address, port: 8_000, pattern: "//*", throttleHz: 0, from });
      rig.turn();
      rig.sender.take();
      const wasSent = [7_000, 7_001, 8_000].map((port) => {
        rig.receive(message("/viz/x", "i", [port]), port, address);
        rig.turn();
        return rig.sender.take().length > 0;
      });
      expect(wasSent).toEqual(isSent);
    }
  });

  it("of a port that is another subscriber's belongs to its host all the same", () => {
    const rig = rigWith(["/viz/x"]);
    rig.subscribers.addOutput({ address: HOST, port: 8_000, pattern: "//*", throttleHz: 0, from: { address: HOST } });
    rig.turn();
    rig.sender.take();
    rig.message("/viz/x", "f", [1], RENDERER);
    rig.turn();
    expect(rig.sender.take()).toEqual([]);
  });

  it("of another node with a surface of the same name is no echo", () => {
    const rig = rigWith(["/viz/x"]);
    rig.node.set("/viz/x", 1, rig.node.origins.intern("ffffffffffffffff", `osc:${HOST}:${RENDERER}`));
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/x", "f", 1]]);
    rig.node.set("/viz/x", 2, rig.node.origins.intern(OWN_NODE, `osc:${HOST}:${RENDERER}`));
    rig.turn();
    expect(rig.sender.take()).toEqual([]);
  });

  it("that is shown already and then confirmed is sent once", () => {
    const rig = rigWith(["/viz/x"]);
    rig.node.isFollower = true;
    rig.message("/viz/x", "f", [0.5], SURFACE);
    rig.turn();
    rig.node.show("/viz/x", rig.node.surface(`osc:${HOST}`), ChangeFlag.confirmed);
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/x", "f", 0.5]]);
  });

  it("that is taken back goes to the surface that made it too", () => {
    const rig = rigWith(["/viz/x"]);
    rig.node.isFollower = true;
    rig.message("/viz/x", "f", [0.5], RENDERER);
    rig.turn();
    expect(rig.sender.take()).toEqual([]);
    const id = rig.node.state.idOf("/viz/x");
    rig.node.state.numbers[id * 4] = 0.25;
    rig.node.show("/viz/x", rig.node.surface(`osc:${HOST}:${RENDERER}`), ChangeFlag.rolledBack);
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/x", "f", 0.25]]);
  });

  it("that was clipped goes back to who made it, as it is shown, and not when it was taken as it came (repetition filter before clip)", () => {
    const rig = new OscRig();
    const range = { min: 0, max: 1 };
    rig.node.declare("/viz/x", { type: "float", range });
    rig.node.declare("/viz/n", { type: "int", range: { min: 0, max: 5 } });
    rig.node.declare("/viz/v", { type: "vec2", range });
    subscribe(rig, RENDERER);
    rig.turn();
    rig.sender.take();
    rig.message("/viz/x", "f", [1.5], RENDERER);
    rig.message("/viz/n", "i", [9], RENDERER);
    rig.message("/viz/v", "ff", [0.5, 2], RENDERER);
    rig.turn();
    expect(rig.sender.take()).toEqual([
      ["/viz/x", "f", 1],
      ["/viz/n", "i", 5],
      ["/viz/v", "ff", 0.5, 1],
    ]);
    rig.message("/viz/x", "f", [1.7], RENDERER);
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/x", "f", 1]]);
    rig.message("/viz/x", "f", [1.7], RENDERER);
    rig.message("/viz/x", "d", [0.1], RENDERER);
    rig.message("/viz/n", "f", [2.7], RENDERER);
    rig.turn();
    expect(rig.sender.take()).toEqual([]);
  });
});

describe("a throttled subscriber", () => {
  it("gets the newest value so many times a second, and the last one always", () => {
    const rig = rigWith(["/viz/x"], { throttleHz: 10 });
    rig.node.advance(1_000 * MS);
    const sent: unknown[] = [];
    for (let ms = 1; ms <= 1_000; ms++) {
      rig.node.set("/viz/x", ms);
      rig.turn();
      sent.push(...rig.sender.take().map(([, , value]) => value));
      rig.node.advance(MS);
    }
    expect(sent).toEqual([1, 101, 201, 301, 401, 501, 601, 701, 801, 901]);
    expect(rig.subscribers.nextDueUs).toBeLessThanOrEqual(rig.node.clock.nowUs + 100 * MS);
    settle(rig);
    expect(rig.sender.take()).toEqual([["/viz/x", "f", 1_000]]);
  });

  it("gets impulses at once, each of them, and with them the values that they come after", () => {
    const rig = rigWith(["/viz/x"], { throttleHz: 1 });
    rig.node.declare("/viz/go", { type: "impulse" });
    settle(rig);
    rig.node.advance(1_000 * MS);
    rig.node.set("/viz/x", 1);
    rig.turn();
    rig.node.set("/viz/x", 2);
    rig.node.advance(MS);
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/x", "f", 1]]);
    for (let count = 0; count < 3; count++) rig.node.trigger(rig.node.state.idOf("/viz/go"), 0);
    rig.turn();
    expect(rig.sender.take()).toEqual([
      ["/viz/x", "f", 2],
      ["/viz/go", "I"],
      ["/viz/go", "I"],
      ["/viz/go", "I"],
    ]);
  });

  it("does not hold up the others", () => {
    const rig = rigWith(["/viz/x"], { throttleHz: 1 });
    subscribe(rig, SURFACE);
    rig.turn();
    rig.sender.take();
    for (let value = 1; value <= 5; value++) {
      rig.node.set("/viz/x", value);
      rig.turn();
    }
    expect(rig.sender.take(SURFACE).map(([, , value]) => value)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("a large state", () => {
  const COUNT = 4_000;

  function largeRig(): OscRig {
    const rig = new OscRig();
    for (let index = 0; index < COUNT; index++) rig.node.declare(`/viz/a/parameter${index}`, { type: "float" });
    return rig;
  }

  it("comes in a burst that a receive buffer holds, then at a steady pace, each path once", () => {
    const rig = largeRig();
    subscribe(rig, RENDERER);
    rig.turn();
    expect(rig.sender.packets).toHaveLength(DATAGRAM_BURST);
    const startUs = rig.node.clock.nowUs;
    settle(rig);
    const rest = rig.sender.packets.length - DATAGRAM_BURST;
    expect((rig.node.clock.nowUs - startUs) / MS).toBeCloseTo(rest / 4, 0);
    expect(rig.sender.take().map(([path]) => path)).toEqual(
      Array.from({ length: COUNT }, (_, index) => `/viz/a/parameter${index}`),
    );
  });

  it("lets changes come before what waits, with the newest values", () => {
    const rig = largeRig();
    subscribe(rig, RENDERER);
    rig.turn();
    rig.sender.take();
    rig.node.advance(MS);
    rig.node.set("/viz/a/parameter3999", 7);
    rig.turn();
    expect(rig.sender.take()[0]).toEqual(["/viz/a/parameter3999", "f", 7]);
    settle(rig);
    expect(rig.sender.take().filter(([path]) => path === "/viz/a/parameter3999")).toEqual([]);
  });

  it("that changes at once comes at a pace that a receive buffer holds, newest values last", () => {
    const rig = new OscRig(new TestNode(20_000, { values: 65_536, events: 16_384, arenaBytes: 1 << 20 }));
    for (let index = 0; index < COUNT; index++) rig.node.declare(`/viz/a/parameter${index}`, { type: "float" });
    subscribe(rig, RENDERER);
    settle(rig);
    rig.node.advance(1_000 * MS);
    rig.sender.take();
    for (let round = 0; round < 4; round++) {
      for (let index = 0; index < COUNT; index++) rig.node.set(`/viz/a/parameter${index}`, round + index / COUNT);
      rig.subscribers.pump();
    }
    expect(rig.sender.packets.length).toBeLessThanOrEqual(DATAGRAM_BURST + 1);
    settle(rig);
    const sent = new Map(rig.sender.take().map(([path, , value]) => [path, value]));
    expect(rig.count("resyncs")).toBe(0);
    for (let index = 0; index < COUNT; index++) {
      expect(sent.get(`/viz/a/parameter${index}`)).toBe(Math.fround(3 + index / COUNT));
    }
  });

  it("is sent again after the ring has lapped this follower, but for the subscriber's own values", () => {
    const rig = largeRig();
    subscribe(rig, RENDERER);
    settle(rig);
    rig.sender.take();
    rig.node.set("/viz/a/parameter1", 0.5);
    rig.turn();
    rig.sender.take();
    const before = rig.count("resyncs");
    rig.message("/viz/a/parameter0", "f", [0.5], RENDERER);
    for (let round = 1; round <= 3; round++) {
      for (let index = 1; index < 1_000; index++) rig.node.set(`/viz/a/parameter${index}`, round);
    }
    rig.node.rename("/viz/a/parameter1", "/viz/a/renamed");
    rig.node.declare("/viz/a/new", { type: "float" });
    rig.turn();
    settle(rig);
    expect(rig.count("resyncs")).toBe(before + 1);
    const sent = new Map(rig.sender.take().map(([path, , value]) => [path, value]));
    expect(sent.size).toBe(COUNT);
    expect(sent.get("/viz/a/new")).toBe(0);
    expect([sent.get("/viz/a/renamed"), sent.get("/viz/a/parameter999"), sent.has("/viz/a/parameter0")]).toEqual([
      3,
      3,
      false,
    ]);
    rig.node.set("/viz/a/renamed", 4);
    rig.turn();
    expect(rig.sender.take()).toEqual([["/viz/a/renamed", "f", 4]]);
  });

  it("that changes faster than a throttle lets out ends with the newest value of every path", () => {
    const rig = new OscRig(new TestNode(20_000, { values: 65_536, events: 16_384, arenaBytes: 1 << 20 }));
    for (let index = 0; index < 9_000; index++) rig.node.declare(`/viz/a/parameter${index}`, { type: "float" });
    subscribe(rig, RENDERER, { throttleHz: 10 });
    settle(rig);
    rig.sender.take();
    for (let index = 0; index < 9_000; index++) rig.node.set(`/viz/a/parameter${index}`, 1);
    for (let index = 0; index < 9_000; index++) rig.node.set(`/viz/a/parameter${index}`, 2);
    rig.turn();
    settle(rig);
    expect(rig.count("queueOverflows")).toBeGreaterThan(0);
    const sent = rig.sender.take();
    expect(new Set(sent.map(([path]) => path)).size).toBe(9_000);
    expect(sent.every(([, , value]) => value === 2)).toBe(true);
  });

  it("does not push impulses out of the queue; when they alone fill it, the rest are counted", () => {
    const rig = new OscRig(new TestNode(20_000, { values: 65_536, events: 16_384, arenaBytes: 1 << 20 }));
    for (let index = 0; index < 5_000; index++) rig.node.declare(`/viz/a/parameter${index}`, { type: "float" });
    rig.node.declare("/viz/go", { type: "impulse" });
    const go = rig.node.state.idOf("/viz/go");
    subscribe(rig, RENDERER);
    settle(rig);
    rig.sender.take();
    for (let index = 0; index < 5_000; index++) rig.node.set(`/viz/a/parameter${index}`, 1);
    for (let count = 0; count < 5_000; count++) rig.node.trigger(go, 0);
    rig.turn();
    settle(rig);
    const sent = rig.sender.take();
    expect(sent.filter(([path]) => path === "/viz/go")).toHaveLength(4_096);
    expect(rig.count("impulsesLost")).toBe(904);
    expect(sent.filter(([path]) => path !== "/viz/go")).toHaveLength(5_000);
  });
});
