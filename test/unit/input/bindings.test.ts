import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { parseProfile } from "../../../src/config/profile-file.js";
import type { Profile } from "../../../src/config/profile.js";
import type { BindingState } from "../../../src/input/bindings.js";
import { MIDI_MAX_7, MIDI_MAX_14, MidiKind } from "../../../src/input/midi-event.js";
import { entityKind, instantiate } from "../../../src/state/templates.js";
import type { KnownProfile } from "../../../src/input/surface-profiles.js";
import { BindingRig as Rig } from "./binding-rig.js";
import { type Argument, message, OscRig } from "./osc-node.js";

const PATH = "/viz/tunnel/speed";

describe("a bound control", () => {
  let rig: Rig;
  beforeEach(() => {
    rig = new Rig();
    rig.path(PATH, { type: "float", range: { min: 0, max: 4 } });
  });

  it("moves its path over the path's range, from one end to the other", () => {
    rig.bind("a", { source: "nano/ch1/cc7", path: PATH });
    rig.cc(7, 127);
    expect(rig.get(PATH)).toBe(4);
    rig.cc(7, 0);
    expect(rig.get(PATH)).toBe(0);
    expect(rig.bindings.counts).toMatchObject({ writes: 2, refused: 0, unbound: 0 });
  });

  it("moves it over its own range, with its curve, and upside down", () => {
    rig.bind("a", { source: "nano/ch1/cc7", path: PATH, range: [1, 3], curve: "exponential" });
    rig.send(MidiKind.cc, 7, 1, 2);
    expect(rig.get(PATH)).toBe(1.5);
    rig.bind("a", { invert: true });
    rig.send(MidiKind.cc, 7, 0, 2);
    expect(rig.get(PATH)).toBe(3);
  });

  it("reaches both ends with 14 bits too, and says which two controllers are a pair", () => {
    rig.bind("a", { source: "nano/ch1/cc1-33", path: PATH });
    expect(rig.bindings.devices).toMatchObject([{ alias: "nano", pairs: [{ channel: 1, number: 1, low: 33 }] }]);
    rig.send(MidiKind.cc14, 1, MIDI_MAX_14, MIDI_MAX_14);
    expect(rig.get(PATH)).toBe(4);
    rig.cc(1, 0);
    expect(rig.get(PATH)).toBe(4);
  });

  it("is the only one that moves it: other numbers, kinds and devices do not", () => {
    rig.bind("a", { source: "nano/ch1/cc7", path: PATH });
    rig.bind("b", { source: "other/ch1/cc8", path: "/viz/none" });
    rig.cc(8, 127);
    rig.send(MidiKind.noteOn, 7, 127);
    rig.send(MidiKind.cc, 7, 127, MIDI_MAX_7, 1);
    expect(rig.get(PATH)).toBe(0);
    expect(rig.bindings.counts.unbound).toBe(3);
  });

  it("moves several paths at once, as one change", () => {
    rig.path("/viz/tunnel/glow", { type: "float" });
    rig.bind("a", { source: "nano/ch1/cc7", path: PATH });
    rig.bind("b", { source: "nano/ch1/cc7", path: "/viz/tunnel/glow" });
    rig.node.steps.length = 0;
    rig.cc(7, 127);
    expect(rig.node.steps.map(({ kind }) => kind)).toEqual(["begin", "write", "write", "end"]);
    expect([rig.get(PATH), rig.get("/viz/tunnel/glow")]).toEqual([4, 1]);
  });

  it("waits for the value under pick-up, although the value has another range and curve", () => {
    rig.node.set(PATH, 1);
    rig.bind("a", { source: "nano/ch1/cc7", path: PATH, curve: "exponential", takeover: "pickup" });
    rig.cc(7, 10);
    expect(rig.get(PATH)).toBe(1);
    // Half of the way is a quarter of the range.
    rig.cc(7, 70);
    expect(rig.get(PATH)).toBeCloseTo(4 * (70 / 127) ** 2, 5);
    rig.bindings.rearmDevice(0);
    rig.cc(7, 127);
    expect(rig.get(PATH)).toBeCloseTo(4 * (70 / 127) ** 2, 5);
  });

  it("finds the value from where the device said that it stands, which moves nothing by itself", () => {
    rig.node.set(PATH, 2);
    rig.bind("a", { source: "nano/ch1/cc7", path: PATH, takeover: "pickup" });
    rig.bind("b", { source: "nano/ch1/cc8", path: PATH });
    const [state] = rig.bindings.list();
    rig.stands(7, 0);
    rig.stands(8, 127);
    expect([rig.get(PATH), rig.bindings.gapOf((state as BindingState).record)]).toEqual([2, 0.5]);
    // The first move crosses the value.
    rig.cc(7, 100);
    expect(rig.get(PATH)).toBeCloseTo((4 * 100) / 127, 5);
  });

  describe("of a device that said where its controls stand", () => {
    const gapOf = (id: string): number => {
      const state = rig.bindings.list().find(({ record }) => record.id === id) as BindingState;
      return rig.bindings.gapOf(state.record);
    };
    const pickup = { source: "nano/ch1/cc7", path: PATH, takeover: "pickup" };
    beforeEach(() => {
      rig.node.set(PATH, 2);
      rig.bind("other", { source: "nano/ch1/cc8", path: PATH });
      rig.stands(7, 0);
    });

    it("finds the value from there although it was bound later, or its path came later", () => {
      rig.bind("a", pickup);
      rig.bind("b", { ...pickup, path: "/viz/late" });
      rig.path("/viz/late", { type: "float", default: 1 });
      rig.bindings.pump();
      expect([gapOf("a"), gapOf("b")]).toEqual([0.5, 1]);
      rig.cc(7, 100);
      expect(rig.get(PATH)).toBeCloseTo((4 * 100) / 127, 5);
    });

    it("goes on from where a hand moved it meanwhile, bound or not", () => {
      rig.cc(7, 120);
      rig.bind("a", pickup);
      // From 0 this would have crossed the value.
      rig.cc(7, 127);
      expect([rig.get(PATH), gapOf("a")]).toEqual([2, -0.5]);
      rig.bind("b", { ...pickup, range: [0, 2] });
      expect(gapOf("b")).toBe(0);
      rig.bind("c", { ...pickup, range: [0, 8] });
      expect(gapOf("c")).toBe(-0.75);
    });

    it("is known to stand there when a term begins, and not when it comes back or shows another bank", () => {
      rig.bind("a", pickup);
      rig.bindings.rearm();
      expect(gapOf("a")).toBe(0.5);
      rig.bindings.rearm("nano");
      rig.bind("b", pickup);
      expect([gapOf("a"), gapOf("b")]).toEqual([0, 0]);
      rig.stands(7, 127);
      rig.bindings.forgetDevice(0);
      rig.bind("c", pickup);
      expect([gapOf("a"), gapOf("c")]).toEqual([-0.5, 0]);
    });

    it("is forgotten with the last binding of its device", () => {
      rig.node.set("/mappings/other/source", "else/ch1/cc8");
      rig.bindings.pump();
      rig.bind("a", pickup);
      expect(gapOf("a")).toBe(0);
    });
  });

  it("is never apart from the value where the device itself puts it there: a motor, a ring that sets its place", () => {
    rig.profile("box", {
      channel: 1,
      controls: {
        fader: { kind: "fader", cc: 1, motor: true },
        knob: { kind: "encoder", cc: 2, encoding: "absolute", ring: { setsValue: true } },
        plain: { kind: "fader", cc: 3 },
      },
    });
    const gapOf = (control: string, feedback: string): number => {
      rig.bind("a", { source: `box/${control}`, path: PATH, takeover: "pickup", feedback });
      rig.node.set(PATH, 4);
      for (const number of [1, 2, 3]) rig.cc(number, 0);
      return rig.bindings.gapOf((rig.bindings.list()[0] as BindingState).record);
    };
    expect(["fader", "knob", "plain"].map((control) => gapOf(control, "auto"))).toEqual([0, 0, 1]);
    // Nobody sends it there.
    expect(gapOf("fader", "off")).toBe(1);
  });

  it("keeps its hold of the value when another binding changes", () => {
    rig.bind("a", { source: "nano/ch1/cc7", path: PATH, takeover: "pickup" });
    rig.cc(7, 0);
    rig.cc(7, 64);
    rig.bind("b", { source: "nano/ch1/cc9", path: PATH });
    rig.cc(7, 127);
    expect(rig.get(PATH)).toBe(4);
  });
});

describe("a button", () => {
  it("fires an impulse when it goes down, not while it is down and not when it goes up", () => {
    const rig = new Rig();
    rig.path("/viz/go", { type: "impulse" });
    rig.bind("a", { source: "nano/ch1/note60", path: "/viz/go" });
    rig.bind("b", { source: "nano/ch1/cc20", path: "/viz/go" });
    rig.send(MidiKind.noteOn, 60, 1);
    rig.send(MidiKind.noteOff, 60, 64);
    expect(rig.node.fired.get("/viz/go")).toBe(1);
    for (const value of [10, 64, 127, 63, 64]) rig.cc(20, value);
    expect(rig.node.fired.get("/viz/go")).toBe(3);
  });

  it("is true while it is down, however soft it was pressed", () => {
    const rig = new Rig();
    rig.path("/viz/on", { type: "bool" });
    rig.bind("a", { source: "nano/ch1/note60", path: "/viz/on" });
    rig.send(MidiKind.noteOn, 60, 1);
    expect(rig.get("/viz/on")).toBe(true);
    rig.send(MidiKind.noteOff, 60, 127);
    expect(rig.get("/viz/on")).toBe(false);
    rig.bind("a", { invert: true });
    rig.send(MidiKind.noteOn, 60, 1);
    expect(rig.get("/viz/on")).toBe(false);
  });
});

describe("an enumeration", () => {
  it("gives each of its values a part of the way", () => {
    const rig = new Rig();
    rig.path("/viz/mode", { type: "enum", values: ["a", "b", "c"] });
    rig.bind("a", { source: "nano/ch1/cc7", path: "/viz/mode" });
    const seen = [0, 31, 33, 64, 94, 96, 127].map((value) => {
      rig.cc(7, value);
      return rig.get("/viz/mode");
    });
    expect(seen).toEqual(["a", "a", "b", "b", "b", "c", "c"]);
  });
});

describe("a binding", () => {
  it("is dormant until its path is there, and works from then on", () => {
    const rig = new Rig();
    rig.bind("a", { source: "nano/ch1/cc7", path: PATH });
    expect(rig.standing("a")).toEqual(["dormant", `${PATH} does not exist`]);
    expect(rig.bindings.devices.map(({ alias }) => alias)).toEqual(["nano"]);
    rig.cc(7, 127);
    rig.path(PATH, { type: "float" });
    rig.bindings.pump();
    expect(rig.standing("a")).toEqual(["active", ""]);
    rig.cc(7, 127);
    expect(rig.get(PATH)).toBe(1);
  });

  it("rests while it is off, and is gone when it is removed", () => {
    const rig = new Rig();
    rig.path(PATH, { type: "float" });
    rig.bind("a", { source: "nano/ch1/cc7", path: PATH, enabled: false });
    rig.cc(7, 127);
    expect([rig.standing("a")[0], rig.get(PATH)]).toEqual(["off", 0]);
    rig.bind("a", { enabled: true });
    rig.cc(7, 127);
    expect(rig.get(PATH)).toBe(1);
    for (const { path } of instantiate(entityKind("/mappings"), "a")) rig.node.remove(path);
    rig.bindings.pump();
    expect([rig.bindings.list(), rig.bindings.devices]).toEqual([[], []]);
  });

  it("says why it cannot work, and leaves the others alone", () => {
    const rig = new Rig();
    rig.path(PATH, { type: "float" });
    rig.path("/viz/title", { type: "string" });
    rig.path("/viz/spot", { type: "vec2" });
    rig.bind("a", { source: "nano/ch1/cc7", path: PATH });
    rig.bind("b", { source: "", path: PATH });
    rig.bind("c", { source: "nano/ch1/cc7", path: "/viz/title" });
    rig.bind("d", { source: "nano/ch1/cc7", path: "/viz/spot" });
    expect(["b", "c", "d"].map((id) => rig.standing(id)[0])).toEqual(["refused", "refused", "refused"]);
    expect(rig.standing("c")[1]).toContain("/viz/title holds a text");
    expect(rig.standing("d")[1]).toContain("/viz/spot holds several numbers");
    rig.cc(7, 127);
    expect(rig.get(PATH)).toBe(1);
  });

  it("works once its record is mended, and is not dead for good (half-connected for ever after one bad record)", () => {
    const rig = new Rig();
    rig.path(PATH, { type: "float" });
    for (const bad of ["", "nano", "nano/ch99/cc7", "osc:[#0", "\u0000"]) {
      rig.bind("a", { source: bad, path: PATH });
      rig.bind("b", { source: "nano/ch1/cc8", path: PATH });
      expect([rig.standing("a")[0], rig.standing("b")[0]]).toEqual(["refused", "active"]);
      rig.cc(8, 0);
      expect(rig.get(PATH)).toBe(0);
      rig.bind("a", { source: "nano/ch1/cc7" });
      expect(rig.standing("a")).toEqual(["active", ""]);
      rig.cc(7, 127);
      expect(rig.get(PATH)).toBe(1);
    }
  });

  it("is read again only when something changed", () => {
    const rig = new Rig();
    rig.path(PATH, { type: "float" });
    rig.bind("a", { source: "nano/ch1/cc7", path: PATH });
    const { changes } = rig;
    rig.cc(7, 127);
    rig.bindings.pump();
    rig.bindings.pump();
    expect(rig.changes).toBe(changes);
    rig.node.set("/mappings/a/curve", "smooth");
    rig.bindings.pump();
    expect(rig.changes).toBe(changes + 1);
  });
});

describe("an OSC control", () => {
  const FADER = "/1/fader1";
  let rig: Rig;
  let osc: OscRig;
  beforeEach(() => {
    rig = new Rig();
    osc = new OscRig(rig.node, { controls: rig.bindings });
    rig.path(PATH, { type: "float", range: { min: 0, max: 4 } });
    rig.bind("a", { source: `osc:${FADER}#0`, path: PATH });
  });

  it("moves its path by an argument from 0 to 1, whatever numeric type that has (int for float), and no further", () => {
    for (const [tags, value, expected] of [
      ["f", 0.5, 2],
      ["d", 0.25, 1],
      ["i", 1, 4],
      ["f", 7, 4],
      ["f", -1, 0],
    ] as const) {
      osc.message(FADER, tags, [value]);
      expect(rig.get(PATH)).toBe(expected);
    }
    osc.message(FADER, "T");
    expect(rig.get(PATH)).toBe(4);
    expect(osc.count("unknownAddresses")).toBe(0);
  });

  it("is known by its host, so that no feedback goes to it", () => {
    osc.message(FADER, "f", [1]);
    expect(rig.node.origins.at(rig.node.state.origins[rig.node.state.idOf(PATH)] as number).surface).toContain(
      "osc:127",
    );
  });

  it("takes the argument that is named, and counts a message without it", () => {
    rig.bind("a", { source: `osc:/xy#1` });
    osc.message("/xy", "ff", [0, 0.5]);
    expect(rig.get(PATH)).toBe(2);
    osc.message("/xy", "f", [1]);
    osc.message("/xy", "fs", [0, "up"]);
    osc.message("/xy", "ff", [0, Number.NaN]);
    expect([rig.get(PATH), rig.bindings.counts.refused]).toEqual([2, 3]);
  });

  it("may be many by one pattern", () => {
    rig.bind("a", { source: `osc:/1/fader*` });
    osc.message("/1/fader9", "f", [1]);
    expect(rig.get(PATH)).toBe(4);
  });

  it("declares no path of its own under /viz, and moves another beside one that is there", () => {
    rig.path("/viz/other", { type: "float" });
    rig.bind("a", { source: "osc:/viz/knob" });
    osc.message("/viz/knob", "f", [1]);
    expect([rig.get(PATH), rig.node.state.idOf("/viz/knob")]).toEqual([4, -1]);
    rig.bind("a", { source: "osc:/viz/other" });
    osc.message("/viz/other", "f", [0.5]);
    expect([rig.get(PATH), rig.get("/viz/other")]).toEqual([2, 0.5]);
  });

  it("fires once for each press", () => {
    rig.path("/viz/go", { type: "impulse" });
    rig.bind("a", { source: "osc:/push", path: "/viz/go" });
    for (const value of [1, 1, 0, 1, 0]) osc.message("/push", "f", [value]);
    expect(rig.node.fired.get("/viz/go")).toBe(2);
  });

  it.each(["toggle", "increment", "momentary"])(
    "of mode %s hears a press that came over two cards once (duplicate datagrams from two cards)",
    (mode) => {
      rig.path("/viz/count", { type: "int", range: { min: 0, max: 9 } });
      rig.bind("a", { source: "osc:/push", path: "/viz/count", mode, value: "1" });
      const values = [1, 0, 1].map((value) => {
        // Of one card of the sender, and of the other, which has an address of its own; and the first one's again.
        for (const host of ["127.0.0.1", "127.0.0.2", "127.0.0.1"])
          osc.receive(message("/push", "f", [value]), 50_000, host);
        return rig.get("/viz/count");
      });
      expect(values).toEqual({ toggle: [1, 1, 0], increment: [1, 1, 2], momentary: [1, 0, 1] }[mode]);
    },
  );

  it("is not moved by an argument that is no number, and is by the next (string for number, empty argument)", () => {
    osc.message(FADER, "f", [0.5]);
    const nothings: [string, Argument[]][] = [
      ["s", ["0.75"]],
      ["s", [""]],
      ["S", ["up"]],
      ["b", [new Uint8Array(0)]],
      ["N", []],
      ["I", []],
      ["", []],
      ["[]", []],
    ];
    for (const [tags, values] of nothings) osc.message(FADER, tags, values);
    expect([rig.get(PATH), rig.bindings.counts.refused]).toEqual([2, nothings.length]);
    osc.message(FADER, "f", [0.25]);
    expect(rig.get(PATH)).toBe(1);
  });

  it("that is every address moves by each, and hides no request (path pattern that matches everything)", () => {
    rig.path("/viz/other", { type: "float" });
    rig.bind("a", { source: "osc://*#0" });
    for (const [address, value] of [
      [FADER, 0.5],
      ["/viz/other", 0.25],
    ] as const) {
      osc.message(address, "f", [value]);
      expect(rig.get(PATH)).toBe(4 * value);
    }
    expect(rig.get("/viz/other")).toBe(0.25);
    const { writes } = rig.bindings.counts;
    osc.message("/hana/ping");
    expect(osc.sender.take()).toHaveLength(1);
    // Nor do messages to everything: a pattern is no control.
    osc.message("//*", "f", [1]);
    expect(rig.bindings.counts.writes).toBe(writes);
  });

  it("is conflated above its host's rate, and its last value arrives", () => {
    osc = new OscRig(rig.node, { controls: rig.bindings, rateLimit: 100 });
    rig.node.steps.length = 0;
    for (let step = 1; step <= 1_000; step++) osc.message(FADER, "f", [step / 1_000]);
    expect(rig.node.steps.length).toBeLessThan(300);
    rig.node.advance(1_000_000);
    osc.turn();
    expect(rig.get(PATH)).toBe(4);
  });

  it("is as before once nothing is bound to it", () => {
    rig.bind("a", { enabled: false });
    osc.message(FADER, "f", [1]);
    expect([rig.get(PATH), osc.count("unknownAddresses")]).toEqual([0, 1]);
  });
});

function profileOf(id: string, text: string): Profile {
  const parsed = parseProfile(text, id);
  if ("profile" in parsed) return parsed.profile;
  throw new Error(JSON.stringify(parsed.complaints));
}

describe("a control by its name", () => {
  const shipped = (id: string): KnownProfile => {
    const text = readFileSync(new URL(`../../../hardware-profiles/${id}.json`, import.meta.url), "utf8");
    return { id, profile: profileOf(id, text) };
  };
  const file = {
    format: 1,
    name: "Mine",
    transport: "midi",
    verified: true,
    sources: ["this test"],
    controls: { keys: { kind: "key", channel: "any", note: "any" } },
  };
  const mine = { id: "mine", profile: profileOf("mine", JSON.stringify(file)) };
  let rig: Rig;
  beforeEach(() => {
    rig = new Rig();
    rig.path(PATH, { type: "float", range: { min: 0, max: 4 } });
    rig.profiles.set(["akai-apc-mini-mk2", "touchosc"].map(shipped).concat(mine));
  });

  it("is the message that the device's profile says, also of a second equal device", () => {
    rig.bind("a", { source: "akai-apc-mini-mk2/fader2", path: PATH });
    rig.bind("b", { source: "akai-apc-mini-mk2-2/fader1", path: PATH });
    expect(rig.bindings.devices.map(({ alias }) => alias)).toEqual(["akai-apc-mini-mk2", "akai-apc-mini-mk2-2"]);
    rig.cc(49, 127);
    expect(rig.get(PATH)).toBe(4);
    rig.cc(48, 0);
    expect(rig.get(PATH)).toBe(4);
    rig.send(MidiKind.cc, 48, 0, MIDI_MAX_7, 1);
    expect(rig.get(PATH)).toBe(0);
    expect(rig.bindings.list()[0]?.control).toMatchObject({ name: "fader2", kind: "fader" });
  });

  it("may be any key on any channel", () => {
    rig.bind("a", { source: "mine/keys", path: PATH });
    rig.send(MidiKind.noteOn, 3, 127);
    expect(rig.get(PATH)).toBe(4);
    rig.send(MidiKind.noteOff, 3, 127);
    expect(rig.get(PATH)).toBe(0);
    rig.channel = 16;
    rig.send(MidiKind.noteOn, 90, 127);
    expect(rig.get(PATH)).toBe(4);
  });

  it("is refused when the profile has none of that name, with the one that was meant", () => {
    rig.bind("a", { source: "akai-apc-mini-mk2/fadr2", path: PATH });
    const reason =
      "its source names fadr2, and the profile akai-apc-mini-mk2 has no such control; did you mean fader2?";
    expect(rig.standing("a")).toEqual(["refused", reason]);
  });

  it("waits for a profile or a program where no profile is known, and opens no port for that", () => {
    rig.bind("a", { source: "pedal/left", path: PATH });
    expect(rig.standing("a")).toEqual(["dormant", "no profile is known for pedal"]);
    expect(rig.bindings.devices).toEqual([]);
    rig.profiles.adopt([{ alias: "pedal", own: "x", place: "", profile: "akai-apc-mini-mk2" }]);
    rig.bind("a", { source: "pedal/fader1" });
    expect(rig.standing("a")).toEqual(["active", ""]);
    expect(rig.bindings.devices).toMatchObject([{ alias: "pedal" }]);
  });

  it("is read anew when more is known about profiles", () => {
    rig.bind("a", { source: "pedal/fader1", path: PATH });
    rig.profiles.adopt([{ alias: "pedal", own: "x", place: "", profile: "akai-apc-mini-mk2" }]);
    rig.bindings.pump();
    expect(rig.standing("a")[0]).toBe("dormant");
    rig.bindings.refresh();
    rig.bindings.pump();
    expect(rig.standing("a")[0]).toBe("active");
  });

  it("moves what it is bound to when a program gives its input, and clips what is beyond its ends", () => {
    rig.bind("a", { source: "pedal/left", path: PATH });
    rig.bindings.onInput("pedal", "left", 0.5);
    expect(rig.get(PATH)).toBe(2);
    rig.bindings.onInput("pedal", "left", 7);
    expect(rig.get(PATH)).toBe(4);
    rig.bindings.onInput("pedal", "right", 0);
    rig.bindings.onInput("pedals", "left", 0);
    expect([rig.get(PATH), rig.bindings.counts.unbound]).toEqual([4, 2]);
    rig.bindings.pump();
    expect(rig.standing("a")).toEqual(["active", ""]);
  });

  it("is an OSC address where the profile is of OSC", () => {
    rig.bind("a", { source: "touchosc/xy2-y", path: PATH });
    expect(rig.bindings.hearsOsc("/1/xy2")).toBe(true);
    rig.bindings.onOsc("/1/xy2", (argument) => [0.25, 0.75][argument] ?? -1, 0, rig.node);
    expect(rig.get(PATH)).toBe(3);
  });

  describe("as a voice of an MPE instrument", () => {
    const press = (channel: number): void => {
      rig.channel = channel;
      rig.send(MidiKind.pressure, 0, 127);
      rig.channel = 1;
    };
    const moves = (id: string, voice: string, channel: number): boolean => {
      rig.bind(id, { source: `generic-mpe/press${voice}`, path: PATH });
      rig.node.set(PATH, 0);
      press(channel);
      return rig.get(PATH) === 4;
    };
    const zone = (channel: number, members: number, max = MIDI_MAX_7): void => {
      rig.channel = channel;
      rig.send(MidiKind.rpn, 6, members, max);
      rig.channel = 1;
      rig.bindings.pump();
    };
    beforeEach(() => rig.profiles.set([shipped("generic-mpe")]));

    it("is the channel that the profile says, until the device speaks", () => {
      expect(moves("a", "3", 4)).toBe(true);
    });

    it("counts down from channel 15 in the upper zone, and behind the lower one's in both", () => {
      rig.bind("a", { source: "generic-mpe/press3", path: PATH });
      zone(1, 0);
      zone(16, 5);
      expect([moves("a", "3", 13), moves("a", "3", 4)]).toEqual([true, false]);
      zone(1, 2 << 7, MIDI_MAX_14);
      expect([moves("a", "1", 2), moves("a", "3", 15)]).toEqual([true, true]);
    });

    it("waits, and keeps its port, while the device has not so many voices", () => {
      rig.bind("a", { source: "generic-mpe/press9", path: PATH });
      zone(1, 8);
      expect(rig.standing("a")).toEqual(["dormant", "generic-mpe has not so many voices"]);
      expect(rig.bindings.devices).toMatchObject([{ alias: "generic-mpe" }]);
      rig.bindings.forgetDevice(0);
      rig.bindings.pump();
      expect(rig.standing("a")[0]).toBe("active");
    });

    it("leaves channels that are no zone's manager, and more members than there are, alone", () => {
      rig.bind("a", { source: "generic-mpe/press3", path: PATH });
      zone(2, 1);
      zone(1, 16);
      expect(moves("a", "3", 4)).toBe(true);
    });

    it("gives the zone that is set last what it needs of the other", () => {
      rig.bind("a", { source: "generic-mpe/press3", path: PATH });
      zone(1, 12);
      zone(16, 13);
      expect([moves("a", "1", 2), moves("a", "2", 15), moves("a", "14", 3)]).toEqual([true, true, true]);
      expect(moves("a", "15", 3)).toBe(false);
    });
  });
});
