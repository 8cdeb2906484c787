import { beforeEach, describe, expect, it } from "vitest";
import { MIDI_MAX_7, MIDI_MAX_14, MidiKind } from "../../../src/input/midi-event.js";
import type { DeclarationInput, Value } from "../../../src/state/declaration.js";
import { BindingRig } from "./binding-rig.js";
import { OscRig, OTHER_NODE } from "./osc-node.js";

const PATH = "/viz/a/speed";
const CC = "nano/ch1/cc7";
const NOTE = "nano/ch1/note60";
const RANGE = { min: 0, max: 4 };

function rigOf(declaration: DeclarationInput, values: Readonly<Record<string, Value>>): BindingRig {
  const rig = new BindingRig();
  rig.path(PATH, declaration);
  rig.bind("a", { source: CC, path: PATH, ...values });
  return rig;
}

/** What the path is after each value of controller 7. */
function moved(rig: BindingRig, ...values: readonly number[]): Value[] {
  return values.map((value) => {
    rig.cc(7, value);
    return rounded(rig.get(PATH));
  });
}

function rounded(value: Value): Value {
  return typeof value === "number" ? Math.round(value * 1e4) / 1e4 : value;
}

/** Presses the button on note 60, and lets it go. */
function press(rig: BindingRig, velocity = 100): void {
  rig.send(MidiKind.noteOn, 60, velocity);
  rig.send(MidiKind.noteOff, 60, 64);
}

function presses(rig: BindingRig, count: number): Value[] {
  return Array.from({ length: count }, () => {
    press(rig);
    return rounded(rig.get(PATH));
  });
}

describe("an endless encoder", () => {
  it.each([
    ["twos-complement", [1, 2, 127, 125]],
    ["offset-binary", [65, 66, 63, 61]],
    ["sign-magnitude", [1, 2, 65, 67]],
    ["sign-magnitude-reversed", [65, 66, 1, 3]],
  ])("that sends %s turns the value by every detent of a message", (encoding, values) => {
    const rig = rigOf({ type: "float", range: RANGE }, { encoding });
    expect(moved(rig, ...values)).toEqual([0.04, 0.12, 0.08, 0]);
  });

  it("stops at the ends of the range, and turns back from there at once", () => {
    const rig = rigOf({ type: "float", range: RANGE }, { encoding: "twos-complement", range: [1, 2] });
    rig.node.set(PATH, 1.5);
    expect(moved(rig, 63, 63, 127, 64, 64)).toEqual([2, 2, 1.99, 1.35, 1]);
  });

  it("turns the other way when it is inverted, or its range is", () => {
    expect(moved(rigOf({ type: "float", range: RANGE }, { encoding: "twos-complement", invert: true }), 127)).toEqual([
      0.04,
    ]);
    const rig = rigOf({ type: "int", range: RANGE }, { encoding: "twos-complement", range: [4, 0] });
    expect(moved(rig, 126, 1)).toEqual([2, 1]);
  });

  it("is fine where its curve is", () => {
    const rig = rigOf(
      { type: "float", range: { min: 0, max: 1 } },
      { encoding: "twos-complement", curve: "exponential" },
    );
    expect(moved(rig, 10, 10)).toEqual([0.01, 0.04]);
  });

  it("takes steps of the value's units when it is told to", () => {
    const rig = rigOf({ type: "float", range: RANGE }, { encoding: "twos-complement", step: 0.5 });
    expect(moved(rig, 1, 2, 127)).toEqual([0.5, 1.5, 1]);
    rig.bind("a", { step: 0, steps: 5 });
    expect(moved(rig, 1, 127)).toEqual([2, 1]);
  });

  it("goes on from the value that is there, whoever set it, and never jumps", () => {
    const rig = rigOf({ type: "float", range: RANGE }, { encoding: "twos-complement", takeover: "pickup" });
    rig.node.set(PATH, 3);
    expect(moved(rig, 1)).toEqual([3.04]);
    rig.node.set(PATH, 1);
    expect(moved(rig, 1)).toEqual([1.04]);
  });

  it("goes through the values of whole numbers and names one by one, and loses no part of a step", () => {
    expect(
      moved(rigOf({ type: "int", range: { min: -2, max: 2 } }, { encoding: "twos-complement" }), 1, 2, 127),
    ).toEqual([1, 2, 1]);
    const names = rigOf({ type: "enum", values: ["x", "y", "z"] }, { encoding: "twos-complement" });
    expect(moved(names, 1, 5, 127)).toEqual(["y", "z", "y"]);
    const slow = rigOf({ type: "int", range: { min: 0, max: 9 } }, { encoding: "twos-complement", step: 0.25 });
    expect(moved(slow, 1, 1, 1, 1, 127, 127, 127)).toEqual([0, 1, 1, 1, 1, 1, 0]);
    slow.node.set(PATH, 5);
    expect(moved(slow, 1, 1)).toEqual([5, 6]);
  });

  it("makes a bool true to the right and false to the left", () => {
    expect(moved(rigOf({ type: "bool" }, { encoding: "twos-complement" }), 1, 1, 127)).toEqual([true, true, false]);
  });

  it("moves a path without a range beyond 0 to 1", () => {
    expect(moved(rigOf({ type: "float" }, { encoding: "twos-complement", step: 2 }), 1, 1, 120)).toEqual([2, 4, -12]);
  });

  it("does not move at rest (bug class: the centre value is taken for a turn)", () => {
    const rig = rigOf({ type: "float", range: RANGE }, { encoding: "offset-binary" });
    rig.node.set(PATH, 2);
    expect(moved(rig, 64, 64)).toEqual([2, 2]);
    expect(rig.bindings.counts).toMatchObject({ writes: 0, refused: 0 });
  });

  it("counts for more when it turns fast, if asked, and not when the device did that already", () => {
    const rig = rigOf({ type: "float", range: RANGE }, { encoding: "twos-complement", step: 0.01, acceleration: 3 });
    const turn = (gapMs: number, value: number): Value => {
      rig.node.advance(gapMs * 1_000);
      return moved(rig, value)[0] as Value;
    };
    expect([turn(100, 1), turn(10, 1), turn(10, 1)]).toEqual([0.01, 0.05, 0.09]);
    rig.bind("b", { source: CC, path: "/viz/none" });
    expect([turn(10, 1), turn(10, 4), turn(10, 1)]).toEqual([0.13, 0.17, 0.18]);
  });

  it("by OSC tells detents as they are; a message without a number is one", () => {
    const rig = rigOf({ type: "float", range: RANGE }, { source: "osc:/knob#0", mode: "relative", step: 0.5 });
    const osc = new OscRig(rig.node, { controls: rig.bindings });
    const seen = [
      ["f", [2]],
      ["i", [-1]],
      ["f", [0.5]],
      ["", []],
      ["f", [0]],
    ].map(([tags, values]) => {
      osc.message("/knob", tags as string, values as number[]);
      return rounded(rig.get(PATH));
    });
    expect(seen).toEqual([1, 0.5, 0.75, 1.25, 1.25]);
  });

  it("by OSC above its host's rate loses no detent, though values are held back", () => {
    const rig = rigOf({ type: "int", range: { min: 0, max: 1_000 } }, { source: "osc:/knob#0", mode: "relative" });
    const osc = new OscRig(rig.node, { controls: rig.bindings, rateLimit: 10 });
    for (let turn = 0; turn < 200; turn++) osc.message("/knob", "i", [1]);
    rig.node.advance(200_000);
    osc.input.pump();
    expect(rig.get(PATH)).toBe(200);
  });

  it("given by a program tells detents as they are", () => {
    const rig = rigOf({ type: "int", range: { min: 0, max: 9 } }, { source: "pad/wheel", mode: "relative" });
    rig.bindings.onInput("pad", "wheel", 5);
    rig.bindings.onInput("pad", "wheel", -2);
    expect(rig.get(PATH)).toBe(3);
  });
});

describe("a button", () => {
  let rig: BindingRig;
  const button = (declaration: DeclarationInput, values: Readonly<Record<string, Value>>): BindingRig =>
    rigOf(declaration, { source: NOTE, ...values });

  it("toggles at each press, from the value that is there", () => {
    rig = button({ type: "bool" }, { mode: "toggle" });
    expect(presses(rig, 3)).toEqual([true, false, true]);
    rig.node.set(PATH, false);
    expect(presses(rig, 1)).toEqual([true]);
    rig = button({ type: "float", range: RANGE }, { mode: "toggle", range: [1, 3] });
    rig.node.set(PATH, 2.5);
    expect(presses(rig, 3)).toEqual([1, 3, 1]);
    rig.bind("a", { value: "2" });
    expect(presses(rig, 2)).toEqual([2, 1]);
  });

  it("toggles once for a press that two nodes had (toggle executed on both main and backup)", () => {
    rig = button({ type: "bool" }, { mode: "toggle" });
    const id = rig.node.state.idOf(PATH);
    const pressedElsewhere = (surface: string, agoUs: number): void => {
      rig.node.set(PATH, true);
      rig.node.state.origins[id] = rig.node.origins.intern(OTHER_NODE, surface);
      rig.node.state.timesUs[id] = rig.node.clock.sessionUs - agoUs;
    };
    pressedElsewhere("midi:nano", 50_000);
    expect(presses(rig, 1)).toEqual([true]);
    expect(rig.bindings.counts.twins).toBe(1);
    // The next press is another one; so is that of another surface, and one of long ago.
    pressedElsewhere("midi:nano", 300_000);
    expect(presses(rig, 2)).toEqual([false, true]);
    pressedElsewhere("midi:other", 50_000);
    expect(presses(rig, 1)).toEqual([false]);
  });

  it("toggles once for a press of an OSC surface that has subscribed at one of the two nodes that heard it", () => {
    rig = new BindingRig();
    rig.path(PATH, { type: "bool" });
    rig.bind("a", { source: "osc:/1/push1#0", path: PATH, mode: "toggle" });
    const id = rig.node.state.idOf(PATH);
    const pressed = (here: string, elsewhere: string): Value => {
      rig.node.set(PATH, true);
      rig.node.state.origins[id] = rig.node.origins.intern(OTHER_NODE, elsewhere);
      rig.node.state.timesUs[id] = rig.node.clock.sessionUs - 50_000;
      for (const way of [1, 0]) rig.bindings.onOsc("/1/push1", () => way, rig.node.surface(here), rig.node);
      return rig.get(PATH);
    };
    expect([pressed("osc:10.0.0.7:9000", "osc:10.0.0.7"), pressed("osc:10.0.0.7", "osc:10.0.0.7:9000")]).toEqual([
      true,
      true,
    ]);
    expect(rig.bindings.counts.twins).toBe(2);
    for (const other of ["osc:10.0.0.70:9000", "osc:10.0.0.8", "midi:nano"]) {
      expect(pressed("osc:10.0.0.7", other)).toBe(false);
    }
    expect(pressed("osc:10.0.0.7:9000", "osc:10.0.0.7:9001")).toBe(false);
    expect(pressed("osc:127.0.0.1:9000", "osc:127.0.0.1")).toBe(false);
  });

  it("holds the high end while it is down, however softly it was pressed, and its own value if it has one", () => {
    rig = button({ type: "float", range: RANGE }, { mode: "momentary" });
    rig.send(MidiKind.noteOn, 60, 1);
    expect(rig.get(PATH)).toBe(4);
    rig.send(MidiKind.noteOff, 60, 1);
    expect(rig.get(PATH)).toBe(0);
    rig.bind("a", { value: "3" });
    rig.send(MidiKind.noteOn, 60, 1);
    expect(rig.get(PATH)).toBe(3);
  });

  it("latches as hard as it was pressed", () => {
    rig = button({ type: "float", range: RANGE }, { mode: "latch" });
    press(rig, 127);
    expect(rig.get(PATH)).toBe(4);
    rig.send(MidiKind.noteOn, 60, 63.5);
    expect(rig.get(PATH)).toBe(2);
  });

  it("is pressed once, however much it says while it is down", () => {
    rig = button({ type: "bool" }, { source: CC, mode: "toggle" });
    expect(moved(rig, 70, 127, 90, 20, 100)).toEqual([true, true, true, true, false]);
    rig.bind("a", { mode: "momentary" });
    moved(rig, 0, 127);
    rig.node.set(PATH, false);
    expect(moved(rig, 90, 64, 0, 127)).toEqual([false, false, false, true]);
  });

  it("of a radio group sets its own value, by name or number", () => {
    rig = button({ type: "enum", values: ["x", "y", "z"] }, { mode: "radio", value: "z" });
    rig.bind("b", { source: "nano/ch1/note61", path: PATH, mode: "radio", value: "1" });
    expect(presses(rig, 2)).toEqual(["z", "z"]);
    rig.send(MidiKind.noteOn, 61, 1);
    rig.send(MidiKind.noteOff, 61, 1);
    expect(rig.get(PATH)).toBe("y");
    rig.bind("b", { value: "w" });
    expect(rig.standing("b")).toEqual(["refused", `it has the value w, which is none of ${PATH}`]);
  });

  it("goes one step on at each press: numbers stop at the end, names begin again", () => {
    rig = button({ type: "int", range: { min: 0, max: 3 } }, { mode: "increment" });
    expect(presses(rig, 4)).toEqual([1, 2, 3, 3]);
    rig.bind("a", { step: -2 });
    expect(presses(rig, 2)).toEqual([1, 0]);
    expect(presses(button({ type: "float", range: RANGE }, { mode: "increment" }), 2)).toEqual([0.4, 0.8]);
    expect(presses(button({ type: "float", range: RANGE }, { mode: "increment", steps: 3 }), 3)).toEqual([2, 4, 4]);
    rig = button({ type: "enum", values: ["x", "y", "z"] }, { mode: "increment" });
    expect(presses(rig, 4)).toEqual(["y", "z", "x", "y"]);
    rig.bind("a", { invert: true });
    expect(presses(rig, 2)).toEqual(["x", "z"]);
  });

  it("that the device itself switches on and off is pressed at each of its messages", () => {
    rig = new BindingRig();
    rig.path(PATH, { type: "bool" });
    const control = { mute: { kind: "button", cc: 20, toggles: true } };
    rig.profile("mine", { controls: control });
    rig.bind("a", { source: "mine/mute", path: PATH, mode: "toggle" });
    rig.cc(20, 127);
    expect(rig.get(PATH)).toBe(true);
    rig.cc(20, 0);
    expect(rig.get(PATH)).toBe(false);
  });
});

describe("a program change", () => {
  it("is the number that it says", () => {
    const rig = rigOf({ type: "int", range: { min: 0, max: 50 } }, { source: "nano/ch1/program" });
    for (const [program, expected] of [
      [0, 0],
      [17, 17],
      [50, 50],
      [127, 50],
    ] as const) {
      rig.send(MidiKind.program, 0, program);
      expect(rig.get(PATH)).toBe(expected);
    }
    const names = rigOf({ type: "enum", values: ["x", "y"] }, { source: "nano/ch1/program" });
    names.send(MidiKind.program, 0, 1);
    names.send(MidiKind.program, 0, 2);
    expect(names.get(PATH)).toBe("y");
    expect(names.bindings.counts).toMatchObject({ writes: 1, refused: 1 });
  });

  it("is a share of the range that a binding gives it", () => {
    const rig = rigOf({ type: "int" }, { source: "nano/ch1/program", range: [0, 1270] });
    rig.send(MidiKind.program, 0, 5);
    expect(rig.get(PATH)).toBe(50);
  });

  it("fires an impulse each time, whatever its number", () => {
    const rig = rigOf({ type: "impulse" }, { source: "nano/ch1/program" });
    for (const program of [0, 100, 100]) rig.send(MidiKind.program, 0, program);
    expect(rig.node.fired.get(PATH)).toBe(3);
  });
});

describe("a way", () => {
  it("has places, which have equal parts of it", () => {
    const rig = rigOf({ type: "float", range: RANGE }, { steps: 3 });
    expect(moved(rig, 0, 42, 43, 85, 127)).toEqual([0, 0, 2, 4, 4]);
  });

  it("has a dead zone at its ends, and of a pitch bend around its centre", () => {
    const rig = rigOf({ type: "float", range: RANGE }, { deadZone: 0.25 });
    expect(moved(rig, 31, 63.5, 96, 127)).toEqual([0, 2, 4, 4]);
    const bend = rigOf({ type: "float", range: { min: -1, max: 1 } }, { source: "nano/ch1/bend", deadZone: 0.25 });
    const seen = [0, 8192 - 1000, 8192, 8192 + 1000, MIDI_MAX_14].map((value) => {
      bend.send(MidiKind.bend, 0, value, MIDI_MAX_14);
      return rounded(bend.get(PATH));
    });
    expect(seen).toEqual([-1, 0, 0, 0, 1]);
    bend.bind("a", { deadZoneAt: "low" });
    bend.send(MidiKind.bend, 0, 4_000, MIDI_MAX_14);
    expect(bend.get(PATH)).toBe(-1);
  });
});

describe("a condition", () => {
  const SHIFT = "/global/layers/shift";
  let rig: BindingRig;
  beforeEach(() => {
    rig = new BindingRig();
    rig.path(PATH, { type: "float", range: RANGE });
    rig.path(SHIFT, { type: "bool" });
    rig.bind("a", { source: CC, path: PATH, when: `${SHIFT} == 0`, takeover: "pickup" });
  });

  it("lets moves through while it holds", () => {
    expect(moved(rig, 0, 127)).toEqual([0, 4]);
    rig.node.set(SHIFT, true);
    expect(moved(rig, 0)).toEqual([4]);
    expect(rig.bindings.counts.unmet).toBe(1);
    rig.node.set(SHIFT, false);
    expect(moved(rig, 126)).toEqual([Math.round((126 / 127) * 4e4) / 1e4]);
  });

  it("makes the control find the value again after it had moved something else (bank change)", () => {
    moved(rig, 0, 32);
    rig.node.set(SHIFT, true);
    moved(rig, 100);
    rig.node.set(SHIFT, false);
    const before = rounded(rig.get(PATH));
    // It comes back at 100, far from the value; at 20 it has passed it.
    expect(moved(rig, 101)).toEqual([before]);
    expect(moved(rig, 20)).toEqual([Math.round((20 / 127) * 4e4) / 1e4]);
  });

  it("does not keep a button down that it let down", () => {
    rig.path("/viz/a/on", { type: "bool" });
    rig.bind("b", { source: NOTE, path: "/viz/a/on", mode: "momentary", when: `!${SHIFT}` });
    rig.send(MidiKind.noteOn, 60, 100);
    expect(rig.get("/viz/a/on")).toBe(true);
    rig.node.set(SHIFT, true);
    rig.send(MidiKind.noteOff, 60, 0);
    expect(rig.get("/viz/a/on")).toBe(false);
    rig.send(MidiKind.noteOn, 60, 100);
    rig.node.set(SHIFT, false);
    rig.send(MidiKind.noteOff, 60, 0);
    expect(rig.get("/viz/a/on")).toBe(false);
  });

  it("takes the velocity back that a key gave", () => {
    rig.bind("a", { source: NOTE, takeover: "jump" });
    rig.send(MidiKind.noteOn, 60, 127);
    rig.node.set(SHIFT, true);
    rig.send(MidiKind.noteOff, 60, 0);
    expect(rig.get(PATH)).toBe(0);
  });

  it("may ask how hard a pad was struck", () => {
    rig.path("/viz/a/go", { type: "impulse" });
    rig.bind("b", { source: NOTE, path: "/viz/a/go", when: "x > 0.5" });
    press(rig, 50);
    press(rig, 100);
    expect(rig.node.fired.get("/viz/a/go")).toBe(1);
  });

  it("counts as 0 what is not there, and the binding says so until it is", () => {
    rig.bind("b", { source: "nano/ch1/cc8", path: PATH, when: "/global/layers/none == 0 && /viz/title == 0" });
    rig.path("/viz/title", { type: "string" });
    rig.bindings.pump();
    expect(rig.standing("b")).toEqual(["active", "/global/layers/none, /viz/title are no number here: 0"]);
    rig.cc(8, 127);
    expect(rig.get(PATH)).toBe(4);
    rig.path("/global/layers/none", { type: "int" });
    rig.bindings.pump();
    expect(rig.standing("b")[1]).toBe("/viz/title is no number here: 0");
  });
});

describe("an expression", () => {
  it("makes the value of the control's way, the value that is there, and other paths", () => {
    const rig = rigOf({ type: "float" }, { expression: "x * 10 + /viz/b", curve: "exponential" });
    rig.path("/viz/b", { type: "float" });
    rig.node.set("/viz/b", 1);
    rig.bindings.pump();
    expect(moved(rig, 63.5, 127)).toEqual([3.5, 11]);
    rig.bind("a", { invert: true });
    expect(moved(rig, 63.5)).toEqual([8.5]);
    rig.bind("a", { expression: "value / 2", invert: false });
    expect(moved(rig, 1, 2)).toEqual([4.25, 2.125]);
  });

  it("is given the detents of an encoder", () => {
    const rig = rigOf({ type: "float" }, { encoding: "twos-complement", expression: "max(0, value + x / 4)" });
    expect(moved(rig, 2, 127, 120)).toEqual([0.5, 0.25, 0]);
  });

  it("whose result is no number changes nothing, and is counted", () => {
    const rig = rigOf({ type: "float" }, { expression: "1 / (x - 1)" });
    expect(moved(rig, 0, 127)).toEqual([-1, -1]);
    expect(rig.bindings.counts).toMatchObject({ writes: 1, refused: 1 });
  });

  it("that cannot be read refuses its binding, and says where", () => {
    const rig = rigOf({ type: "float" }, { expression: "x +* 2" });
    expect(rig.standing("a")).toEqual([
      "refused",
      "it has the expression x +* 2, which has * where a value is awaited (column 4)",
    ]);
    rig.bind("a", { expression: "", when: "(" });
    expect(rig.standing("a")[1]).toBe("it has the condition (, which ends where a value is awaited (column 2)");
  });
});

describe("several controls of one path", () => {
  function pair(merge: string, values: Readonly<Record<string, Value>> = {}): BindingRig {
    const rig = rigOf({ type: "float", range: RANGE }, { merge });
    rig.bind("b", { source: "nano/ch1/cc8", path: PATH, merge, ...values });
    return rig;
  }
  const play = (rig: BindingRig, ...moves: readonly (readonly [number, number])[]): Value[] =>
    moves.map(([number, value]) => {
      rig.cc(number, value);
      return rounded(rig.get(PATH));
    });

  it("are what the last one says, if nothing else is asked for", () => {
    expect(play(pair("last"), [7, 127], [8, 0])).toEqual([4, 0]);
  });

  it("are the highest, the sum, or the foremost", () => {
    const moves = [
      [7, 127],
      [8, 63.5],
      [7, 0],
      [8, 0],
    ] as const;
    expect(play(pair("max"), ...moves)).toEqual([4, 4, 2, 0]);
    expect(play(pair("sum"), ...moves)).toEqual([4, 4, 2, 0]);
    expect(play(pair("priority", { priority: 5 }), ...moves)).toEqual([4, 2, 2, 0]);
  });

  it("keep what they ask for when another binding changes", () => {
    const rig = pair("max");
    play(rig, [7, 127]);
    rig.bind("c", { source: "nano/ch1/cc9", path: "/viz/none" });
    expect(play(rig, [8, 63.5])).toEqual([4]);
  });
});

describe("one control", () => {
  it("moves several paths, each by its own range, as one change", () => {
    const rig = rigOf({ type: "float", range: RANGE }, { path: `${PATH} /viz/b /viz/none` });
    rig.path("/viz/b", { type: "float" });
    rig.bindings.pump();
    expect(rig.bindings.list().map(({ record, standing }) => [record.path, standing])).toEqual([
      [PATH, "active"],
      ["/viz/b", "active"],
      ["/viz/none", "dormant"],
    ]);
    rig.node.steps.length = 0;
    rig.cc(7, 127);
    expect([rig.get(PATH), rig.get("/viz/b")]).toEqual([4, 1]);
    expect(rig.node.steps.map(({ kind }) => kind)).toEqual(["begin", "write", "write", "end"]);
  });
});

describe("a binding that cannot be", () => {
  it.each([
    [{ mode: "relative" }, "it is relative, and its encoding is not known: twos-complement, offset-binary"],
    [{ encoding: "twos-complement", source: NOTE }, "it has an encoding, which only controllers (cc) have"],
    [{ mode: "toggle", expression: "x" }, "it has an expression, which toggle has no place for"],
    [{ mode: "toggle", merge: "max" }, "it is merged, and toggle asks for no value of its own"],
    [{ expression: "x", takeover: "pickup" }, "it has an expression, which has no way back: its takeover must be jump"],
    [{ merge: "sum", takeover: "scale" }, "it is merged, and others may hold the value: its takeover must be jump"],
  ])("as %j is refused, and says why", (values, reason) => {
    const [standing, told] = rigOf({ type: "float" }, values as Record<string, Value>).standing("a");
    expect([standing, told]).toEqual(["refused", expect.stringContaining(reason)]);
  });

  it("turns or toggles what only fires", () => {
    for (const values of [{ mode: "toggle" }, { encoding: "twos-complement" }]) {
      expect(rigOf({ type: "impulse" }, values).standing("a")).toEqual([
        "refused",
        expect.stringMatching(/^it is (toggle|relative), and its path fires: it has no value$/),
      ]);
    }
  });

  it("is judged only once its path is there", () => {
    const rig = new BindingRig();
    rig.bind("a", { source: CC, path: PATH, mode: "relative" });
    expect(rig.standing("a")[0]).toBe("dormant");
  });
});

describe("an encoder in a profile", () => {
  it("is read as the profile says, without a word of the binding", () => {
    const rig = new BindingRig();
    rig.path(PATH, { type: "int", range: { min: 0, max: 9 } });
    rig.profile("mine", { controls: { knob: { kind: "encoder", cc: 30, encoding: "offset-binary" } } });
    rig.bind("a", { source: "mine/knob", path: PATH });
    rig.cc(30, 67);
    expect(rig.get(PATH)).toBe(3);
    rig.bind("a", { mode: "absolute" });
    rig.cc(30, MIDI_MAX_7);
    expect(rig.get(PATH)).toBe(9);
  });
});
