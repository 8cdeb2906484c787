import { describe, expect, it } from "vitest";
import { HOLD_US } from "../../../src/input/osc-conflation.js";
import { bundle, type Content, message, OscRig, TestNode } from "./osc-node.js";

/** 1,000 messages a second, so a burst is 100. */
const RATE = 1_000;
const BURST = 100;
const MS = 1_000;

function rigWith(paths: number): OscRig {
  const rig = new OscRig(new TestNode(), { rateLimit: RATE });
  for (let index = 0; index < paths; index++) rig.node.declare(`/viz/p${index}`, { type: "double" });
  rig.node.declare("/viz/go", { type: "impulse" });
  rig.node.declare("/viz/text", { type: "string" });
  return rig;
}

describe("above a host's rate", () => {
  it("values are conflated by path and the newest is written when the tokens are back", () => {
    const rig = rigWith(3);
    for (let count = 0; count < 1_000; count++) rig.message(`/viz/p${count % 3}`, "d", [count]);
    expect(rig.count("writes")).toBe(BURST);
    expect(rig.node.value("/viz/p0")).toBe(99);
    expect(rig.count("messagesOverRate")).toBe(900);
    expect(rig.count("valuesConflated")).toBe(897);
    expect(rig.input.nextDueUs).toBeCloseTo(rig.node.clock.nowUs + 3 * MS);
    rig.node.advance(3 * MS);
    rig.turn();
    expect([0, 1, 2].map((index) => rig.node.value(`/viz/p${index}`))).toEqual([999, 997, 998]);
    expect(rig.count("writes")).toBe(BURST + 3);
    expect(rig.input.nextDueUs).toBe(Number.POSITIVE_INFINITY);
  });

  it("nothing waits longer than 100 ms, however much there is", () => {
    const rig = rigWith(3_000);
    for (let count = 0; count < 3_000; count++) rig.message(`/viz/p${count}`, "d", [count + 1]);
    rig.node.advance(HOLD_US - 1);
    rig.turn();
    expect(rig.node.value("/viz/p2999")).toBe(0);
    rig.node.advance(1);
    rig.turn();
    for (let count = 0; count < 3_000; count++) expect(rig.node.value(`/viz/p${count}`)).toBe(count + 1);
  });

  it("a flood ends with its last values, however the turns fall", () => {
    const rig = rigWith(50);
    const last = new Map<string, number>();
    for (let count = 0; count < 20_000; count++) {
      const path = `/viz/p${(count * 7_919) % 50}`;
      rig.message(path, "d", [count]);
      last.set(path, count);
      if (count % 32 === 0) rig.turn();
      rig.node.advance(100);
    }
    rig.node.advance(HOLD_US);
    rig.turn();
    for (const [path, value] of last) expect(rig.node.value(path)).toBe(value);
    expect(rig.count("writes") + rig.count("valuesConflated")).toBe(20_000);
    // Ten times the rate came in for two seconds: the rate went on, the burst, and the debt of the last hold.
    expect(rig.count("writes")).toBeLessThanOrEqual(2 * RATE + 2 * BURST);
  });

  it("a value that is written directly is not overwritten by an older one that waits", () => {
    const rig = rigWith(1);
    for (let count = 0; count < 150; count++) rig.message("/viz/p0", "d", [count]);
    rig.receive(message("/viz/p0", "d", [7_777]), 1, "127.0.0.9");
    expect(rig.node.value("/viz/p0")).toBe(7_777);
    rig.node.advance(HOLD_US);
    rig.turn();
    expect(rig.node.value("/viz/p0")).toBe(7_777);
  });

  it("impulses fire up to the share that is theirs, behind the values before them; the others are counted", () => {
    const rig = rigWith(1);
    for (let count = 0; count < 150; count++) rig.message("/viz/p0", "d", [count]);
    rig.message("/viz/go");
    expect(rig.node.fired.get("/viz/go")).toBe(1);
    expect(rig.node.value("/viz/p0")).toBe(149);
    for (let count = 0; count < 500; count++) rig.message("/viz/go");
    expect(rig.node.fired.get("/viz/go")).toBe(100);
    expect(rig.count("impulsesOverRate")).toBe(401);
  });

  it("an impulse within the rate comes behind the values that wait", () => {
    const rig = rigWith(1);
    for (let count = 0; count < 150; count++) rig.message("/viz/p0", "d", [count]);
    rig.node.advance(2 * MS);
    rig.message("/viz/go");
    expect(rig.node.steps.slice(-2)).toEqual([
      { kind: "write", path: "/viz/p0" },
      { kind: "trigger", path: "/viz/go" },
    ]);
    expect(rig.node.value("/viz/p0")).toBe(149);
  });

  it("a bundle stays whole: it is written at once or waits, and then comes in one group", () => {
    const rig = rigWith(60);
    const content = (value: number): Content[] =>
      Array.from({ length: 60 }, (_, index) => [`/viz/p${index}`, "d", [value]]);
    rig.receive(bundle(content(1)));
    expect(rig.node.steps).toHaveLength(62);
    rig.receive(bundle(content(2)));
    expect(rig.node.value("/viz/p0")).toBe(1);
    rig.node.advance(HOLD_US);
    rig.turn();
    expect(rig.node.steps).toHaveLength(124);
    expect([rig.node.steps[62].kind, rig.node.steps[123].kind]).toEqual(["begin", "end"]);
    expect(rig.node.value("/viz/p59")).toBe(2);
  });

  it("texts wait too, and what cannot be written is counted when it is", () => {
    const rig = rigWith(1);
    for (let count = 0; count < 150; count++) rig.message("/viz/text", "s", [`take ${count}`]);
    rig.message("/viz/p0", "d", [Number.NaN]);
    rig.node.advance(HOLD_US);
    rig.turn();
    expect(rig.node.value("/viz/text")).toBe("take 149");
    expect(rig.count("writesRefused")).toBe(1);
  });

  it("other hosts go on as if nothing happened", () => {
    const rig = rigWith(2);
    for (let count = 0; count < 10_000; count++) rig.message("/viz/p0", "d", [count]);
    rig.receive(message("/viz/p1", "d", [5]), 1, "127.0.0.9");
    expect(rig.node.value("/viz/p1")).toBe(5);
  });

  it("malformed packets cost their host no token", () => {
    const rig = rigWith(1);
    for (let count = 0; count < 10_000; count++) rig.receive(Uint8Array.of(1, 2, 3, 4));
    for (let count = 0; count < BURST; count++) rig.message("/viz/p0", "d", [count]);
    expect(rig.count("messagesOverRate")).toBe(0);
  });

  it("a path that goes while its value waits is counted, and a pattern costs what it reaches", () => {
    const rig = rigWith(90);
    rig.message("/viz/p*", "d", [1]);
    expect(rig.count("messagesOverRate")).toBe(0);
    for (let count = 0; count < 20; count++) rig.message("/viz/p0", "d", [2]);
    expect(rig.count("messagesOverRate")).toBe(10);
    rig.node.remove("/viz/p0");
    rig.node.advance(HOLD_US);
    rig.turn();
    expect(rig.count("writesRefused")).toBe(1);
  });

  it("a value for a path whose id was provisional finds the path's own id", () => {
    const rig = rigWith(1);
    const { node } = rig;
    const provisional = node.state.freeProvisional();
    const declaration = node.state.declarationOf(node.state.idOf("/viz/p0"));
    if (declaration === undefined) return expect.fail();
    node.state.declare(provisional, "/viz/young", declaration);
    for (let count = 0; count < 150; count++) rig.message("/viz/young", "d", [count]);
    node.state.remove(provisional);
    node.state.declare(node.state.nextId, "/viz/young", declaration);
    node.state.declare(provisional, "/viz/younger", declaration);
    node.advance(HOLD_US);
    rig.turn();
    expect([node.value("/viz/young"), node.value("/viz/younger")]).toEqual([149, 0]);
  });
});
