import { describe, expect, it } from "vitest";
import { OscReject } from "../../../src/input/osc-reject.js";
import { surfaceName } from "../../../src/input/osc-target.js";
import { Reject } from "../../../src/state/reject.js";
import { bundle, HOST, message, OscRig } from "./osc-node.js";

const ZOOM = "/viz/tunnel/camera/zoom";

function rigWith(...paths: string[]): OscRig {
  const rig = new OscRig();
  for (const path of paths) rig.node.declare(path, { type: "float" });
  return rig;
}

describe("OSC input", () => {
  it("writes a message's value to its path, or to the path that has its alias", () => {
    const rig = new OscRig();
    rig.node.declare(ZOOM, { type: "float", oscAlias: "/1/fader1", range: { min: 0, max: 1 } });
    rig.message(ZOOM, "f", [0.25]);
    expect(rig.node.value(ZOOM)).toBe(0.25);
    rig.message("/1/fader1", "d", [7]);
    expect(rig.node.value(ZOOM)).toBe(1);
    expect(rig.count("writes")).toBe(2);
  });

  it("takes the packet from where it lies in its buffer", () => {
    const rig = rigWith(ZOOM);
    const bytes = message(ZOOM, "f", [0.5]);
    const buffer = new Uint8Array(bytes.length + 20).fill(0xff);
    buffer.set(bytes, 8);
    rig.input.receive(buffer, 8, 8 + bytes.length, HOST, 1);
    expect(rig.node.value(ZOOM)).toBe(0.5);
  });

  it("says where a change came from: the host, whatever its port", () => {
    const rig = rigWith(ZOOM);
    const id = rig.node.state.idOf(ZOOM);
    for (const port of [50_001, 50_002, 50_003]) rig.message(ZOOM, "i", [port], port);
    expect(rig.node.origins.at(rig.node.state.origins[id]).surface).toBe(`osc:${HOST}`);
    const before = rig.node.origins.size;
    for (let port = 1_024; port < 2_048; port++) rig.message(ZOOM, "i", [port], port);
    expect(rig.node.origins.size).toBe(before);
  });

  it("gives a port that is a subscriber's a surface of its own", () => {
    const rig = rigWith(ZOOM);
    const id = rig.node.state.idOf(ZOOM);
    rig.subscribers.addOutput({ address: HOST, port: 9_000, pattern: "//*", throttleHz: 0 });
    rig.message(ZOOM, "f", [1], 9_000);
    expect(rig.node.origins.at(rig.node.state.origins[id]).surface).toBe(surfaceName(HOST, 9_000));
    rig.message(ZOOM, "f", [2], 9_001);
    expect(rig.node.origins.at(rig.node.state.origins[id]).surface).toBe(surfaceName(HOST));
  });

  it("counts malformed packets by reason and goes on with the next", () => {
    const rig = rigWith(ZOOM);
    const good = message(ZOOM, "f", [0.5]);
    rig.receive(good.slice(0, good.length - 4));
    rig.receive(new Uint8Array(0));
    rig.receive(Uint8Array.of(1, 2, 3, 4));
    rig.receive(good);
    expect(rig.count("packetsIn")).toBe(4);
    expect(rig.count("packetsMalformed")).toBe(3);
    expect(rig.counters.packetRejects[OscReject.notAPacket]).toBe(2);
    expect(rig.counters.packetRejects[OscReject.truncated]).toBe(1);
    expect(rig.node.value(ZOOM)).toBe(0.5);
  });

  it("has no effect at all of a bundle in which one message is malformed", () => {
    const rig = rigWith(ZOOM, "/viz/b");
    const bytes = bundle([
      [ZOOM, "f", [1]],
      ["/viz/b", "f", [1]],
    ]);
    bytes[bytes.length - 7] = 0x7a;
    rig.receive(bytes);
    expect(rig.counters.packetRejects[OscReject.badTypeTag]).toBe(1);
    expect(rig.node.value(ZOOM)).toBe(0);
  });

  it("refuses hosts outside the allow list", () => {
    const rig = rigWith(ZOOM);
    for (let count = 0; count < 3; count++) rig.receive(message(ZOOM, "f", [1]), 1, "192.0.2.7");
    expect(rig.count("packetsNotAllowed")).toBe(3);
    expect(rig.count("messagesIn")).toBe(0);
    expect(rig.node.value(ZOOM)).toBe(0);
  });

  it("serves more hosts than it remembers", () => {
    const rig = rigWith(ZOOM);
    for (let host = 0; host < 3_000; host++) {
      rig.receive(message(ZOOM, "i", [host]), 1, `127.0.${host >> 8}.${host & 255}`);
      expect(rig.node.value(ZOOM)).toBe(host);
    }
    expect(rig.count("packetsNotAllowed")).toBe(0);
  });

  it("counts refused values by reason (string for number, empty argument)", () => {
    const rig = rigWith(ZOOM);
    rig.message(ZOOM, "f", [Number.NaN]);
    rig.message(ZOOM, "s", ["1"]);
    rig.message(ZOOM, "ff", [1, 2]);
    rig.message(ZOOM);
    expect(rig.count("writesRefused")).toBe(4);
    const { writeRejects } = rig.counters;
    expect([writeRejects[Reject.notANumber], writeRejects[Reject.wrongType], writeRejects[Reject.wrongCount]]).toEqual([
      1, 1, 2,
    ]);
    expect(rig.count("writes")).toBe(0);
  });

  it("never writes under /system, by path, alias or pattern (path pattern that matches everything)", () => {
    const rig = new OscRig();
    rig.node.declare("/system/settings/rate", { type: "float", oscAlias: "/rate" });
    rig.node.declare(ZOOM, { type: "float" });
    rig.message("/system/settings/rate", "f", [1]);
    rig.message("/rate", "f", [1]);
    rig.message("//*", "f", [2]);
    rig.message("/system/new", "f", [1]);
    expect(rig.node.value("/system/settings/rate")).toBe(0);
    expect(rig.node.value(ZOOM)).toBe(2);
    expect(rig.count("systemWrites")).toBe(4);
  });

  it("fires an impulse on a press and not on a release, every time", () => {
    const rig = new OscRig();
    rig.node.declare("/viz/flash", { type: "impulse" });
    for (const [tags, values] of [
      ["", []],
      ["I", []],
      ["T", []],
      ["i", [1]],
      ["f", [1]],
    ] as const) {
      rig.message("/viz/flash", tags, values);
    }
    for (const [tags, values] of [
      ["F", []],
      ["N", []],
      ["i", [0]],
      ["f", [0]],
    ] as const) {
      rig.message("/viz/flash", tags, values);
    }
    expect(rig.node.fired.get("/viz/flash")).toBe(5);
    expect(rig.count("impulsesIn")).toBe(5);
    rig.message("/viz/flash", "s", ["bang"]);
    expect(rig.counters.writeRejects[Reject.wrongType]).toBe(1);
  });
});

describe("an unknown address", () => {
  it("declares itself under /viz with the type of its arguments, and gets their value", () => {
    const rig = new OscRig();
    rig.message("/viz/new/number", "i", [3]);
    rig.message("/viz/new/clock", "d", [0.1]);
    rig.message("/viz/new/text", "s", ["hello"]);
    rig.message("/viz/new/position", "fff", [1, 2, 3]);
    rig.message("/viz/new/on", "T");
    rig.message("/viz/new/tint", "r", [0xff0000ff]);
    rig.message("/viz/new/data", "b", [Uint8Array.of(9)]);
    rig.message("/viz/new/go");
    const { state } = rig.node;
    const typeOf = (name: string): string => state.declarationOf(state.idOf(`/viz/new/${name}`))?.type ?? "";
    expect([typeOf("number"), rig.node.value("/viz/new/number")]).toEqual(["float", 3]);
    expect([typeOf("clock"), rig.node.value("/viz/new/clock")]).toEqual(["double", 0.1]);
    expect([typeOf("text"), rig.node.value("/viz/new/text")]).toEqual(["string", "hello"]);
    expect([typeOf("position"), rig.node.value("/viz/new/position")]).toEqual(["vec3", [1, 2, 3]]);
    expect([typeOf("on"), rig.node.value("/viz/new/on")]).toEqual(["bool", true]);
    expect([typeOf("tint"), rig.node.value("/viz/new/tint")]).toEqual(["color", [1, 0, 0, 1]]);
    expect([typeOf("data"), rig.node.value("/viz/new/data")]).toEqual(["blob", Uint8Array.of(9)]);
    expect([typeOf("go"), rig.node.fired.get("/viz/new/go")]).toEqual(["impulse", 1]);
    expect(rig.count("declared")).toBe(8);
  });

  it("is counted when it lies elsewhere, fits no type, is no path, or the node declares no more", () => {
    const rig = new OscRig();
    rig.message("/global/tempo", "f", [1]);
    rig.message("/1/fader1", "f", [1]);
    expect(rig.count("unknownAddresses")).toBe(2);
    rig.message("/viz/a", "fs", [1, "x"]);
    rig.message("/viz/a", "f", [Number.NaN]);
    rig.message("/viz/a/", "f", [1]);
    rig.node.autoLeft = 0;
    rig.message("/viz/a", "f", [1]);
    expect(rig.count("declarationsRefused")).toBe(4);
    expect(rig.node.state.pathCount).toBe(0);
  });

  it("declares before its bundle is applied as one", () => {
    const rig = rigWith("/viz/known");
    rig.receive(
      bundle([
        ["/viz/known", "f", [1]],
        ["/viz/new", "f", [2]],
        ["/viz/new", "f", [3]],
      ]),
    );
    expect(rig.node.steps.map((step) => step.kind)).toEqual(["begin", "write", "write", "write", "end"]);
    expect(rig.node.value("/viz/new")).toBe(3);
    expect(rig.count("declared")).toBe(1);
  });
});

describe("a bundle", () => {
  it("is one group with all the bundles inside it, in order (nested bundle)", () => {
    const rig = rigWith("/viz/a", "/viz/b", "/viz/c");
    rig.receive(
      bundle([
        ["/viz/a", "f", [1]],
        { time: [0, 1], content: [["/viz/b", "f", [2]], { time: [0, 1], content: [["/viz/a", "f", [3]]] }] },
        ["/viz/c", "f", [4]],
      ]),
    );
    expect(rig.node.steps).toEqual([
      { kind: "begin" },
      { kind: "write", path: "/viz/a" },
      { kind: "write", path: "/viz/b" },
      { kind: "write", path: "/viz/a" },
      { kind: "write", path: "/viz/c" },
      { kind: "end" },
    ]);
    expect(rig.node.value("/viz/a")).toBe(3);
  });

  it("of one message needs no group, and an empty one nothing", () => {
    const rig = rigWith("/viz/a");
    rig.receive(bundle([["/viz/a", "f", [1]]]));
    rig.receive(bundle([]));
    rig.receive(bundle([["/nowhere", "f", [1]]]));
    expect(rig.node.steps).toEqual([{ kind: "write", path: "/viz/a" }]);
  });
});

describe("a pattern", () => {
  it("writes to every path it matches, each as its own type, as one group", () => {
    const rig = new OscRig();
    rig.node.declare("/viz/a/level", { type: "float" });
    rig.node.declare("/viz/b/level", { type: "int" });
    rig.node.declare("/viz/c/level", { type: "string" });
    rig.node.declare("/viz/c/other", { type: "float" });
    rig.message("/viz/*/level", "f", [2.4]);
    expect([rig.node.value("/viz/a/level"), rig.node.value("/viz/b/level")]).toEqual([Math.fround(2.4), 2]);
    expect(rig.node.value("/viz/c/other")).toBe(0);
    expect(rig.counters.writeRejects[Reject.wrongType]).toBe(1);
    expect(rig.node.steps[0]).toEqual({ kind: "begin" });
    expect(rig.node.steps.at(-1)).toEqual({ kind: "end" });
  });

  it("crosses levels with //, reaches aliases, and fires impulses", () => {
    const rig = new OscRig();
    rig.node.declare("/viz/a/deep/down/go", { type: "impulse" });
    rig.node.declare("/viz/go", { type: "impulse", oscAlias: "/push/1" });
    rig.message("/viz//go");
    expect([rig.node.fired.get("/viz/a/deep/down/go"), rig.node.fired.get("/viz/go")]).toEqual([1, 1]);
    rig.message("/push/?");
    expect(rig.node.fired.get("/viz/go")).toBe(2);
  });

  it("sees paths that came, went or were renamed since it was used first", () => {
    const rig = rigWith("/viz/a/x", "/viz/b/x");
    rig.message("/viz/*/x", "f", [1]);
    rig.node.remove("/viz/a/x");
    rig.node.rename("/viz/b/x", "/viz/b/y");
    rig.node.declare("/viz/c/x", { type: "float" });
    rig.message("/viz/*/x", "f", [2]);
    expect([rig.node.value("/viz/b/y"), rig.node.value("/viz/c/x")]).toEqual([1, 2]);
  });

  it("declares nothing, and is counted when it is malformed or matches nothing", () => {
    const rig = rigWith("/viz/a");
    rig.message("/viz/[", "f", [1]);
    rig.message("/viz/new*", "f", [1]);
    expect([rig.count("patternsMalformed"), rig.count("patternsUnmatched")]).toEqual([1, 1]);
    expect(rig.node.state.pathCount).toBe(1);
  });

  it("reaches the first 1,024 paths and no more, and is counted", () => {
    const rig = new OscRig();
    for (let index = 0; index < 1_500; index++) rig.node.declare(`/viz/a/p${index}`, { type: "float" });
    rig.message("/viz/a/*", "f", [1]);
    const written = Array.from({ length: 1_500 }, (_, index) => rig.node.value(`/viz/a/p${index}`) as number);
    expect(written.reduce((sum, value) => sum + value, 0)).toBe(1_024);
    expect([written[1_023], written[1_024]]).toEqual([1, 0]);
    expect(rig.count("patternsCapped")).toBe(1);
  });

  it("makes one packet reach 4,096 paths in all", () => {
    const rig = new OscRig();
    for (let index = 0; index < 1_000; index++) rig.node.declare(`/viz/a/p${index}`, { type: "float" });
    rig.receive(bundle(Array.from({ length: 50 }, (_, index) => ["/viz/a/*", "f", [index]])));
    expect(rig.count("writes")).toBe(4_096);
    expect(rig.count("patternsCapped")).toBe(46);
  });

  it("that is made to be slow is refused at once", () => {
    const rig = new OscRig();
    for (let index = 0; index < 4_000; index++) rig.node.declare(`/viz/${"ab".repeat(60)}${index}`, { type: "float" });
    rig.message(`/viz/${"{a,b,*c,d*,*e*}*".repeat(15)}`, "f", [1]);
    expect(rig.count("patternsRefused")).toBe(1);
    rig.message("/viz//ab*77", "f", [2]);
    expect(rig.node.value(`/viz/${"ab".repeat(60)}77`)).toBe(2);
  });

  it("is refused when its host has spent its share of searching, and soon runs again", () => {
    const rig = new OscRig();
    for (let index = 0; index < 4_000; index++) rig.node.declare(`/viz/${"ab".repeat(60)}${index}`, { type: "float" });
    let sent = 0;
    while (rig.count("patternsRefused") === 0 && sent < 100) rig.message(`/viz//none${sent++}`, "f", [1]);
    expect(sent).toBeGreaterThan(5);
    expect(sent).toBeLessThan(100);
    rig.message(`/viz/${"ab".repeat(60)}7`, "f", [5]);
    expect(rig.node.value(`/viz/${"ab".repeat(60)}7`)).toBe(5);
    rig.receive(message("/viz//ab*8", "f", [6]), 1, "127.0.0.9");
    expect(rig.node.value(`/viz/${"ab".repeat(60)}8`)).toBe(6);
    rig.node.advance(200_000);
    rig.message("/viz//ab*9", "f", [7]);
    expect(rig.node.value(`/viz/${"ab".repeat(60)}9`)).toBe(7);
  });
});
