/** Tracing: one line for what becomes of each message, with the reason when nothing happens. */
import { beforeEach, describe, expect, it } from "vitest";
import { InputTracer } from "../../../src/edge/input-tracer.js";
import { Bindings } from "../../../src/input/bindings.js";
import { gapText, type TraceLine } from "../../../src/input/input-trace.js";
import { MidiEvent, MidiKind } from "../../../src/input/midi-event.js";
import type { DeclarationInput, Value } from "../../../src/state/declaration.js";
import { Reject } from "../../../src/state/reject.js";
import { entityKind, instantiate } from "../../../src/state/templates.js";
import { OscRig, TestNode } from "../input/osc-node.js";

const PATH = "/viz/speed";

class Rig {
  readonly node = new TestNode();
  readonly lines: TraceLine[] = [];
  /** Called with what another node decides, when it decides. */
  readonly decisions: ((reject: Reject) => void)[] = [];
  isDecider = true;
  readonly bindings: Bindings;
  readonly osc: OscRig;
  readonly tracer: InputTracer;

  constructor(rateLimit?: number) {
    const { node } = this;
    this.bindings = new Bindings({
      target: node,
      shown: node,
      memory: node.memory,
      clock: node.clock,
      origins: node.origins,
      profileOf: () => undefined,
      onChanged: () => {},
    });
    this.osc = new OscRig(node, { controls: this.bindings, rateLimit });
    this.tracer = new InputTracer({
      clock: node.clock,
      bindings: this.bindings,
      counters: this.osc.counters,
      writes: {
        state: node.state,
        shownValue: (id) => node.state.valueOf(id),
        whenDecided: (done) => (this.isDecider ? done(Reject.none) : this.decisions.push(done)),
      },
      tell: (line) => this.lines.push(line),
    });
    this.bindings.observer = this.tracer;
    this.osc.input.observer = {
      osc: (packet, message, id, host, isApplied) => {
        if (isApplied) return;
        this.tracer.beginOsc(packet, message, host);
        this.tracer.endOsc(packet, message, id);
      },
      begin: (packet, message, host) => this.tracer.beginOsc(packet, message, host),
      end: (packet, message, id) => this.tracer.endOsc(packet, message, id),
    };
  }

  path(path: string, declaration: DeclarationInput): void {
    this.node.declare(path, declaration);
  }

  bind(id: string, values: Readonly<Record<string, Value>>): void {
    for (const { path, declaration } of instantiate(entityKind("/mappings"), id)) {
      if (this.node.state.idOf(path) < 0) this.node.declare(path, declaration);
    }
    for (const [name, value] of Object.entries(values)) this.node.set(`/mappings/${id}/${name}`, value);
    this.bindings.pump();
  }

  send(kind: MidiKind, number: number, value: number): TraceLine[] {
    const event = Object.assign(new MidiEvent(), { kind, channel: 1, number, value, max: 127 });
    this.tracer.beginMidi("nano", event);
    this.bindings.onMidi(0, event);
    this.tracer.endMidi("nano", event, true);
    return this.lines.splice(0);
  }

  cc(number: number, value: number): TraceLine[] {
    return this.send(MidiKind.cc, number, value);
  }

  message(address: string, tags = "", values: readonly (number | string)[] = []): TraceLine[] {
    this.osc.message(address, tags, values);
    return this.lines.splice(0);
  }
}

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
  rig.path(PATH, { type: "float", range: { min: 0, max: 4 } });
});

describe("a trace of a control", () => {
  it("tells message, binding, path and value", () => {
    rig.bind("speed", { source: "nano/ch1/cc7", path: PATH });
    expect(rig.cc(7, 127)).toEqual([
      {
        timeUs: rig.node.clock.sessionUs,
        source: "nano/ch1/cc7",
        from: "nano",
        message: "127/127",
        binding: "speed",
        path: PATH,
        value: 4,
        outcome: "written",
        reason: "",
        gap: 0,
      },
    ]);
  });

  it("tells a line for each binding, in the order of their ids", () => {
    rig.path("/viz/go", { type: "impulse" });
    rig.bind("b", { source: "nano/ch1/cc7", path: "/viz/go" });
    rig.bind("a", { source: "nano/ch1/cc7", path: PATH });
    expect(rig.cc(7, 127).map(({ binding, outcome }) => `${binding} ${outcome}`)).toEqual(["a written", "b fired"]);
    expect(rig.cc(7, 0).map(({ outcome, reason }) => `${outcome} ${reason}`)).toEqual([
      "written ",
      "nothing it acts when it is pressed",
    ]);
  });

  it("tells how far the control is from its value, and which way, until it has it (out-of-sync hint)", () => {
    rig.node.set(PATH, 3);
    rig.bind("speed", { source: "nano/ch1/cc7", path: PATH, takeover: "pickup" });
    const [state] = rig.bindings.list();
    expect(rig.bindings.gapOf(state?.record as never)).toBe(0);
    const [low] = rig.cc(7, 32);
    expect(low).toMatchObject({ outcome: "waits", value: 3 });
    expect(low?.gap).toBeCloseTo(0.75 - 32 / 127, 6);
    expect(low?.reason).toBe("the control has to go up by 50 % to find the value");
    expect(rig.bindings.gapOf(state?.record as never)).toBeCloseTo(0.75 - 32 / 127, 6);
    expect(rig.cc(7, 100)).toMatchObject([{ outcome: "written", gap: 0 }]);
    rig.node.set(PATH, 0);
    expect(rig.cc(7, 101)[0]?.reason).toMatch(/go down by 80 %/);
  });

  it("says that nothing is bound to it, or why a binding does not hear it", () => {
    expect(rig.cc(9, 1)).toMatchObject([
      { binding: "", path: "", outcome: "unbound", reason: "nothing is bound to it", message: "1/127" },
    ]);
    rig.bind("late", { source: "nano/ch1/note60", path: "/viz/late" });
    expect(rig.send(MidiKind.noteOff, 60, 0)).toMatchObject([
      { outcome: "unbound", reason: "the binding late is dormant: /viz/late does not exist", message: "off" },
    ]);
    rig.bind("idle", { source: "nano/ch1/cc7", path: PATH, enabled: false });
    expect(rig.cc(7, 1)).toMatchObject([{ reason: "the binding idle is off" }]);
  });

  it("says that a touch is no move", () => {
    const event = Object.assign(new MidiEvent(), {
      kind: MidiKind.noteOn,
      channel: 1,
      number: 104,
      value: 127,
      max: 127,
    });
    rig.tracer.beginMidi("nano", event);
    rig.tracer.endMidi("nano", event, false);
    expect(rig.lines).toMatchObject([{ outcome: "unbound", reason: expect.stringContaining("it is a touch") }]);
  });

  it("says that a condition keeps it away, that a formula gives no number, and that a button was let go", () => {
    for (const { name, declaration } of entityKind("/mappings").parameters) {
      if (name === "when" || name === "expression") rig.path(`/mappings/speed/${name}`, declaration);
    }
    rig.path("/viz/on", { type: "bool" });
    rig.bind("speed", { source: "nano/ch1/cc7", path: PATH, when: "/viz/on == 1" });
    expect(rig.cc(7, 9)).toMatchObject([{ outcome: "nothing", reason: "its condition is not met: /viz/on == 1" }]);
    rig.bind("speed", { when: "", expression: "1 / 0" });
    expect(rig.cc(7, 9)).toMatchObject([{ outcome: "refused", reason: "not a finite number" }]);
  });

  it("says why a write was refused, at once or later", () => {
    rig.bind("speed", { source: "nano/ch1/cc7", path: PATH });
    const write = rig.node.write.bind(rig.node);
    rig.node.write = () => Reject.held;
    expect(rig.cc(7, 64)).toMatchObject([{ outcome: "refused", reason: "another control is moving this path" }]);
    rig.node.write = write;
    rig.isDecider = false;
    expect(rig.cc(7, 127)).toMatchObject([{ outcome: "written", value: 4 }]);
    rig.node.set(PATH, 1);
    rig.decisions[0]?.(Reject.superseded);
    expect(rig.lines).toMatchObject([
      { binding: "speed", outcome: "refused", reason: "superseded by a newer write", value: 1, message: "127/127" },
    ]);
  });

  it("waits for no more than a few decisions at a time", () => {
    rig.isDecider = false;
    rig.bind("speed", { source: "nano/ch1/cc7", path: PATH });
    for (let step = 0; step < 500; step++) rig.cc(7, step % 128);
    expect(rig.decisions.length).toBe(64);
  });
});

describe("a trace of what a program gives", () => {
  it("is of that, and not of the message before", () => {
    rig.bind("speed", { source: "pad/stick", path: PATH });
    const give = (name: string, way: number): TraceLine[] => {
      rig.tracer.beginInput("pad", name, way);
      rig.bindings.onInput("pad", name, way);
      rig.tracer.endInput("pad", name);
      rig.bindings.pump();
      return rig.lines.splice(0);
    };
    rig.cc(9, 1);
    expect(give("stick", 0.5)).toMatchObject([{ source: "pad/stick", from: "pad", message: "0.5", value: 2 }]);
    expect(give("other", 1)).toMatchObject([{ outcome: "unbound", reason: "nothing is bound to it" }]);
    rig.bind("speed", { enabled: false });
    expect(give("stick", 1)).toMatchObject([{ outcome: "unbound", reason: "the binding speed is off" }]);
  });
});

describe("a trace of OSC messages", () => {
  it("tells what a message says to a path, to paths, and to a binding", () => {
    rig.bind("fader", { source: "osc:/1/fader1", path: PATH });
    expect(rig.message("/1/fader1", "f", [0.5])).toMatchObject([
      { source: "osc:/1/fader1", from: "127.0.0.1", message: "0.5", binding: "fader", path: PATH, value: 2 },
    ]);
    expect(rig.message(PATH, "i", [3])).toMatchObject([{ binding: "", path: PATH, value: 3, outcome: "written" }]);
    expect(rig.message("/viz/sp*", "f", [1])).toMatchObject([{ path: "/viz/sp*", outcome: "written" }]);
    expect(rig.message("/viz/none*", "f", [1])).toMatchObject([{ outcome: "nothing", reason: "no path matches it" }]);
  });

  it("says why nothing happened", () => {
    rig.path("/viz/go", { type: "impulse" });
    const told = (address: string, tags = "", values: readonly (number | string)[] = []) => {
      return rig.message(address, tags, values).map(({ outcome, reason }) => `${outcome}: ${reason}`);
    };
    expect(told("/nowhere", "f", [1])).toEqual(["unbound: no path has this address, and nothing is bound to it"]);
    expect(told("/system/term", "f", [1])).toEqual(["unbound: paths under /system cannot be written"]);
    expect(told("/hana/ping")).toEqual(["unbound: it is a request to this node"]);
    expect(told("/hana/pin")).toEqual([
      expect.stringContaining("unbound: no such request: they are /hana/subscribe, "),
    ]);
    expect(told(PATH, "s", ["fast"])).toEqual(["refused: the value does not fit the declared type"]);
    expect(told("/viz/go", "I")).toEqual(["fired: "]);
    expect(told("/viz/go", "f", [0])).toEqual(["nothing: it is the release of a button"]);
    rig.bind("late", { source: "osc:/1/*", path: "/viz/late" });
    expect(told("/1/x", "f", [1])).toEqual(["unbound: the binding late is dormant: /viz/late does not exist"]);
    // So that who looks at the path sees it.
    expect(rig.message("/1/x", "f", [1])).toMatchObject([{ binding: "late", path: "/viz/late" }]);
  });

  it("says that a source sends above its rate", () => {
    const slow = new Rig(10);
    slow.path(PATH, { type: "float" });
    const reasons = Array.from({ length: 5 }, (_, step) => slow.message(PATH, "f", [step])[0]?.reason);
    expect(reasons.at(-1)).toContain("above its rate");
  });

  it("writes arguments as a person reads them, and not without end", () => {
    const blob = rig.message("/x", "TFNIs", ["a\u001b[2J"])[0]?.message;
    expect(blob).toBe('T F N I "a\\u001b[2J"');
    expect(rig.message("/x", "f".repeat(20), Array(20).fill(0.1))[0]?.message).toBe(`${"0.1 ".repeat(8)}...`);
  });
});

describe("a gap in words", () => {
  it("is never nothing", () => {
    expect([gapText(0.001), gapText(-0.5)]).toEqual(["up by 1 %", "down by 50 %"]);
  });
});
