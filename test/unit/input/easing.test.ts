/** Values that ease to where a control is: `smooth` of a binding, on a clock that runs only when told. */
import { describe, expect, it } from "vitest";
import { Easing, EASING_STEP_US, EASINGS_MAX } from "../../../src/input/easing.js";
import { MidiKind } from "../../../src/input/midi-event.js";
import { Reject } from "../../../src/state/reject.js";
import { Staging } from "../../../src/state/staging.js";
import type { DeclarationInput, Value } from "../../../src/state/declaration.js";
import { BindingRig } from "./binding-rig.js";
import { TestNode } from "./osc-node.js";

const PATH = "/viz/a/speed";
const CC = "nano/ch1/cc7";
const UNIT: DeclarationInput = { type: "double", range: { min: 0, max: 1 } };
/** A time constant in milliseconds. */
const SMOOTH = 100;

function rigOf(declaration: DeclarationInput = UNIT, values: Readonly<Record<string, Value>> = {}): BindingRig {
  const rig = new BindingRig();
  rig.path(PATH, declaration);
  rig.bind("a", { source: CC, path: PATH, smooth: SMOOTH, ...values });
  writes(rig);
  return rig;
}

/** Lets time pass; what is due is done when it is, as by a timer. */
function run(rig: BindingRig, ms: number, stepUs = EASING_STEP_US): void {
  const { clock } = rig.node;
  const endUs = clock.nowUs + ms * 1_000;
  while (Math.max(rig.bindings.dueUs, clock.nowUs + stepUs) <= endUs) {
    rig.node.advance(Math.max(rig.bindings.dueUs - clock.nowUs, stepUs));
    rig.bindings.ease();
  }
  rig.node.advance(endUs - clock.nowUs);
}

/** The writes since the last call. */
function writes(rig: BindingRig): number {
  return rig.node.steps.splice(0).filter(({ kind }) => kind === "write").length;
}

function shown(rig: BindingRig): number {
  const staging = new Staging();
  rig.bindings.shown.load(rig.node.state.idOf(PATH), staging);
  return staging.numbers[0] as number;
}

describe("a smooth binding", () => {
  it("goes where the control is exponentially, ends exactly there, and has nothing to do then", () => {
    const rig = rigOf();
    expect(rig.bindings.dueUs).toBe(Number.POSITIVE_INFINITY);
    rig.cc(7, 127);
    expect(rig.get(PATH)).toBe(0);
    for (let tenth = 1; tenth <= 50; tenth++) {
      run(rig, 10);
      expect(rig.get(PATH)).toBeCloseTo(1 - Math.exp(-tenth / 10), 10);
    }
    run(rig, 180);
    expect(rig.get(PATH)).toBeLessThan(1);
    run(rig, 20);
    expect([rig.get(PATH), rig.bindings.dueUs]).toEqual([1, Number.POSITIVE_INFINITY]);
    expect(writes(rig)).toBe(70);
    run(rig, 1_000);
    expect(writes(rig)).toBe(0);
  });

  it("is where it is going at once when the node ends", () => {
    const rig = rigOf();
    rig.cc(7, 127);
    run(rig, 10);
    expect(rig.get(PATH)).toBeLessThan(1);
    rig.bindings.arrive();
    expect([rig.get(PATH), rig.bindings.dueUs]).toEqual([1, Number.POSITIVE_INFINITY]);
  });

  it("is where its time says, however late it is called", () => {
    const rig = rigOf();
    rig.cc(7, 127);
    run(rig, 170, 85_000);
    expect(writes(rig)).toBe(2);
    expect(rig.get(PATH)).toBeCloseTo(1 - Math.exp(-1.7), 10);
    rig.node.advance(60_000_000);
    expect(rig.get(PATH)).not.toBe(1);
    rig.bindings.ease();
    expect(rig.get(PATH)).toBe(1);
  });

  it("turns round where it is when the control does, and does not start anew with each message", () => {
    const rig = rigOf();
    rig.cc(7, 127);
    run(rig, 50);
    const half = rig.get(PATH) as number;
    rig.cc(7, 127);
    expect(rig.get(PATH)).toBe(half);
    run(rig, 10);
    expect(rig.get(PATH)).toBeCloseTo(1 - Math.exp(-0.6), 10);
    rig.cc(7, 0);
    run(rig, 10);
    expect(rig.get(PATH)).toBeCloseTo((1 - Math.exp(-0.6)) * Math.exp(-0.1), 10);
    run(rig, 1_000);
    expect(rig.get(PATH)).toBe(0);
  });

  it("lets go of the path when somebody else writes there, another control of this node too", () => {
    const rig = rigOf();
    rig.cc(7, 127);
    run(rig, 50);
    rig.node.set(PATH, 0.25);
    expect([shown(rig), rig.bindings.aimOf(rig.node.state.idOf(PATH))]).toEqual([0.25, undefined]);
    run(rig, 1_000);
    expect([rig.get(PATH), rig.bindings.dueUs]).toEqual([0.25, Number.POSITIVE_INFINITY]);
    rig.bind("b", { source: "nano/ch1/cc8", path: PATH });
    rig.cc(7, 0);
    run(rig, 30);
    rig.cc(8, 127);
    run(rig, 1_000);
    expect(rig.get(PATH)).toBe(1);
  });

  it("lets go of a path that is gone or renamed, and touches no other", () => {
    const rig = rigOf();
    for (const change of [() => rig.node.rename(PATH, "/viz/a/other"), () => rig.node.remove("/viz/a/other")]) {
      rig.bind("a", { path: rig.node.state.idOf(PATH) < 0 ? "/viz/a/other" : PATH });
      rig.cc(7, 127);
      run(rig, 30);
      change();
      writes(rig);
      run(rig, 1_000);
      expect([writes(rig), rig.bindings.dueUs]).toEqual([0, Number.POSITIVE_INFINITY]);
    }
  });

  it("is told by its counts when the path refuses what is on its way, and asks no more", () => {
    const rig = rigOf();
    rig.cc(7, 127);
    run(rig, 30);
    rig.node.write = () => Reject.held;
    run(rig, 1_000);
    expect([rig.bindings.counts, rig.bindings.dueUs]).toMatchObject([
      { writes: 1, refused: 1 },
      Number.POSITIVE_INFINITY,
    ]);
  });
});

it("so many paths are on their way at a time; one more is put where it belongs at once", () => {
  const node = new TestNode();
  const easing = new Easing({ target: node, shown: node, clock: node.clock });
  const ids = Array.from({ length: EASINGS_MAX + 1 }, (_, index) => node.declare(`/viz/many/${index}`, UNIT));
  for (const target of ids) {
    node.staging.number(1);
    expect(easing.aim({ target, isBounded: true, low: 0, high: 1 }, 0, 100_000)).toBe(Reject.none);
  }
  const values = (): Value[] => [0, EASINGS_MAX - 1, EASINGS_MAX].map((index) => node.value(`/viz/many/${index}`));
  expect(values()).toEqual([0, 0, 1]);
  node.advance(10_000_000);
  easing.pump();
  expect(values()).toEqual([1, 1, 1]);
});

describe("the control of a smooth binding", () => {
  it("keeps its hold of the value under pick-up while that is on its way, and has no gap", () => {
    const rig = rigOf(UNIT, { takeover: "pickup" });
    rig.cc(7, 0);
    for (const value of [40, 80, 120]) {
      rig.cc(7, value);
      run(rig, 20);
    }
    const [state] = rig.bindings.list();
    expect(rig.bindings.gapOf((state as NonNullable<typeof state>).record)).toBe(0);
    expect(rig.get(PATH)).toBeLessThan(0.5);
    rig.cc(7, 127);
    run(rig, 2_000);
    expect(rig.get(PATH)).toBe(1);
    // Somebody else takes the value: the control has to find it.
    rig.node.set(PATH, 0.2);
    rig.cc(7, 120);
    run(rig, 2_000);
    expect(rig.get(PATH)).toBe(0.2);
  });

  it("turns on from where the value is going: no detent is lost", () => {
    const rig = rigOf(UNIT, { encoding: "twos-complement" });
    for (let detent = 0; detent < 20; detent++) {
      rig.cc(7, 1);
      run(rig, 10);
    }
    run(rig, 2_000);
    expect(rig.get(PATH)).toBeCloseTo(0.2, 10);
  });

  it("toggles to the other end of where the value is going, and fades a momentary button in and out", () => {
    const rig = rigOf(UNIT, { source: "nano/ch1/note60", mode: "toggle" });
    const press = (velocity: number): void => rig.send(MidiKind.noteOn, 60, velocity);
    press(100);
    rig.send(MidiKind.noteOff, 60, 0);
    run(rig, 20);
    press(100);
    run(rig, 2_000);
    expect(rig.get(PATH)).toBe(0);
    rig.bind("a", { mode: "momentary" });
    rig.send(MidiKind.noteOff, 60, 0);
    press(100);
    run(rig, 100);
    expect(rig.get(PATH)).toBeCloseTo(1 - Math.exp(-1), 6);
    rig.send(MidiKind.noteOff, 60, 0);
    run(rig, 2_000);
    expect(rig.get(PATH)).toBe(0);
  });

  it("is shown where it is, not what the value has come to", () => {
    const rig = rigOf();
    rig.cc(7, 127);
    run(rig, 20);
    expect([shown(rig), rig.bindings.aimOf(rig.node.state.idOf(PATH))]).toEqual([1, 1]);
    expect(rig.get(PATH)).toBeLessThan(0.2);
  });

  it("is merged with others by what it asks for", () => {
    const rig = rigOf(UNIT, { merge: "max" });
    rig.bind("b", { source: "nano/ch1/cc8", path: PATH, merge: "max", smooth: SMOOTH });
    rig.cc(7, 127);
    run(rig, 20);
    rig.cc(8, 64);
    run(rig, 20);
    expect(rig.bindings.aimOf(rig.node.state.idOf(PATH))).toBe(1);
    rig.cc(7, 0);
    run(rig, 2_000);
    expect(rig.get(PATH)).toBeCloseTo(64 / 127, 10);
  });
});

describe("the path of a smooth binding", () => {
  it("of whole numbers goes through them, each once, and shows the last", () => {
    const rig = rigOf({ type: "int", range: { min: 0, max: 10 } });
    rig.cc(7, 127);
    const seen: Value[] = [];
    for (let step = 0; step < 80; step++) {
      run(rig, 10);
      if (rig.get(PATH) !== seen.at(-1)) seen.push(rig.get(PATH));
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(rig.bindings.dueUs).toBe(Number.POSITIVE_INFINITY);
  });

  it("of 32 bits, or narrower than the binding's range, ends as if it had been set", () => {
    const rig = rigOf({ type: "float", range: { min: 0, max: 0.3 } }, { range: [0, 1] });
    rig.cc(7, 100);
    run(rig, 2_000);
    expect([rig.get(PATH), rig.bindings.dueUs]).toEqual([Math.fround(0.3), Number.POSITIVE_INFINITY]);
    rig.cc(7, 20);
    run(rig, 2_000);
    expect(rig.get(PATH)).toBe(Math.fround(20 / 127));
  });

  it.each<[DeclarationInput]>([[{ type: "bool" }], [{ type: "enum", values: ["a", "b"] }], [{ type: "impulse" }]])(
    "of %j has nothing between two values, so that the binding is refused",
    (declaration) => {
      const rig = rigOf(declaration);
      expect(rig.standing("a")).toEqual(["refused", `it is smooth, and ${PATH} has nothing between two values`]);
    },
  );
});
