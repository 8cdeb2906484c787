/** State to surfaces that speak OSC: who is shown what, where, and what is never sent back. */
import { describe, expect, it } from "vitest";
import { Bindings } from "../../../src/input/bindings.js";
import { BoundOsc } from "../../../src/input/bound-osc.js";
import { Feedback } from "../../../src/input/feedback.js";
import { OSC_SURFACES_MAX } from "../../../src/input/osc-feedback.js";
import type { DeclarationInput, Value } from "../../../src/state/declaration.js";
import { entityKind, everyPath } from "../../../src/state/templates.js";
import { profileOf } from "./feedback-model.js";
import { OscRig, type Sent, TestNode } from "./osc-node.js";

const FADER = "/1/fader1";
const PATH = "/viz/tunnel/speed";
const SURFACE = 50_000;
const OTHER = 50_001;

/** A node with OSC in and out, bindings and feedback, as the edge puts it together. */
class Rig {
  readonly node = new TestNode();
  readonly osc: OscRig;
  readonly bindings: Bindings;
  readonly feedback: Feedback;

  constructor(profile?: string) {
    const { node } = this;
    const known = profile === undefined ? undefined : { id: profile, profile: profileOf(profile) };
    const { clock, state, memory, origins } = node;
    this.bindings = new Bindings({
      target: node,
      shown: node,
      memory,
      clock,
      origins,
      profileOf: () => known,
      onChanged: () => this.feedback.compile(this.bindings.list(), []),
    });
    this.feedback = new Feedback({
      clock,
      state,
      memory,
      shown: node,
      sink: { send: () => false, waiting: () => 0 },
      sender: { send: (target, bytes, length) => this.osc.sender.send(target, bytes, length) },
      profileOf: () => known?.profile,
      onRearm: (alias) => this.bindings.rearm(alias),
      onPosition: () => {},
      gapOf: () => 0,
    });
    const controls = new BoundOsc(this.bindings, this.feedback);
    this.osc = new OscRig(node, { controls, surfaces: this.feedback.osc });
  }

  bind(source: string, path: string, declaration: DeclarationInput, values: Record<string, Value> = {}): this {
    const id = `b${this.bindings.list().length}`;
    this.node.declare(path, declaration);
    for (const entry of everyPath(entityKind("/mappings"), id)) this.node.declare(entry.path, entry.declaration);
    const fields = { source, path, ...values };
    for (const [name, value] of Object.entries(fields)) this.node.set(`/mappings/${id}/${name}`, value);
    this.bindings.pump();
    return this;
  }

  /** A surface says something. */
  say(address: string, values: readonly number[], port = SURFACE): void {
    this.osc.message(address, "f".repeat(values.length), values, port);
    this.pump();
  }

  set(path: string, value: Value): void {
    this.node.set(path, value);
    this.pump();
  }

  pump(): void {
    this.osc.turn();
    this.feedback.pump();
  }

  run(us: number): void {
    this.node.advance(us);
    this.pump();
  }

  take(port = SURFACE): Sent[] {
    return this.osc.sender.take(port);
  }
}

function rigWithFader(): Rig {
  return new Rig().bind(`osc:${FADER}#0`, PATH, { type: "float", range: { min: 0, max: 4 } });
}

describe("an OSC surface", () => {
  it("is shown what others change, as the way of its control, once it has sent one of its addresses", () => {
    const rig = rigWithFader();
    rig.set(PATH, 1);
    expect(rig.osc.sender.take()).toEqual([]);
    rig.say(FADER, [0.5]);
    rig.run(1_000_000);
    rig.set(PATH, 1);
    expect(rig.take()).toEqual([[FADER, "f", 0.25]]);
  });

  it("never gets back what it moved itself, and others do", () => {
    const rig = rigWithFader();
    rig.say(FADER, [0], OTHER);
    rig.run(1_000_000);
    rig.take(OTHER);
    for (let step = 1; step <= 20; step++) {
      rig.say(FADER, [step / 30]);
      rig.run(10_000);
    }
    rig.run(2_000_000);
    expect(rig.take()).toEqual([]);
    const others = rig.take(OTHER);
    expect(others.at(-1)?.[2]).toBeCloseTo(20 / 30, 6);
    expect(others.length).toBeLessThanOrEqual(8);
  });

  it("is left alone while its control is moved, and shown what came of it afterwards", () => {
    const rig = rigWithFader();
    rig.say(FADER, [0.5]);
    rig.set(PATH, 4);
    rig.run(200_000);
    expect(rig.take()).toEqual([]);
    rig.run(101_000);
    expect(rig.take()).toEqual([[FADER, "f", 1]]);
  });

  it("is shown the rest of its page when it is first heard", () => {
    const rig = rigWithFader().bind("osc:/1/toggle1#0", "/viz/on", { type: "bool" });
    rig.node.set("/viz/on", true);
    rig.say(FADER, [0.5]);
    expect(rig.take()).toEqual([["/1/toggle1", "f", 1]]);
  });

  it("gets both numbers of a field in one message", () => {
    const rig = new Rig()
      .bind("osc:/1/xy#0", "/viz/x", { type: "float" })
      .bind("osc:/1/xy#1", "/viz/y", { type: "float" });
    rig.say("/1/xy", [0.5, 0.25]);
    rig.run(1_000_000);
    expect(rig.take()).toEqual([]);
    rig.set("/viz/y", 1);
    expect(rig.take()).toEqual([["/1/xy", "ff", 0.5, 1]]);
  });

  it("is shown nothing by a pattern, by a binding whose feedback is off, or once that is gone", () => {
    const rig = new Rig()
      .bind("osc:/1/fader*#0", PATH, { type: "float" })
      .bind("osc:/1/knob1#0", "/viz/quiet", { type: "float" }, { feedback: 2 });
    rig.say(FADER, [0.5]);
    rig.say("/1/knob1", [0.5]);
    rig.run(1_000_000);
    rig.set(PATH, 1);
    rig.set("/viz/quiet", 1);
    expect(rig.take()).toEqual([]);
  });

  it("is shown things where its subscription listens", () => {
    const rig = rigWithFader();
    rig.osc.message("/hana/subscribe", "sfi", ["/nothing", 30, 9_000], SURFACE);
    rig.say(FADER, [0.5]);
    rig.run(1_000_000);
    rig.osc.sender.take();
    rig.set(PATH, 4);
    expect([rig.take(), rig.take(9_000)]).toEqual([[], [[FADER, "f", 1]]]);
  });

  it("gets each control's own colour, and one label where a control moves several paths: that of what it shows", () => {
    const range = { type: "float", range: { min: 0, max: 1 } } as const;
    const rig = new Rig()
      .bind("osc:/1/fader1#0", "/viz/a", range, { colour: [1, 0, 0, 1] })
      .bind("osc:/1/fader1#0", "/viz/b", range, { colour: [0, 1, 0, 1] })
      .bind("osc:/1/fader2#0", "/viz/c", range)
      .bind("osc:/1/fader3#0", "/viz/d", range, { colour: [0, 0, 1, 1] });
    for (const port of [SURFACE, OTHER]) {
      rig.osc.message("/hana/surface", "", [], port);
      rig.pump();
      expect(rig.take(port).filter(([address]) => address === "/hana/label")).toEqual([
        ["/hana/label", "sss", "/1/fader1", "a", "#ff0000"],
        ["/hana/label", "sss", "/1/fader2", "c", "#ffffff"],
        ["/hana/label", "sss", "/1/fader3", "d", "#0000ff"],
      ]);
    }
  });

  it("that asks gets values, labels and colours at the port that it names, and keeps that port", () => {
    const rig = rigWithFader();
    rig.osc.message("/hana/surface", "i", [9_000], SURFACE);
    rig.pump();
    expect(rig.take(9_000)).toEqual([
      ["/hana/label", "sss", FADER, "speed", "#ffffff"],
      [FADER, "f", 0],
    ]);
    rig.say(FADER, [0.5]);
    rig.run(1_000_000);
    rig.set(PATH, 4);
    expect([rig.take(), rig.take(9_000)]).toEqual([[], [[FADER, "f", 1]]]);
  });

  it("is told the pages that its controls lie in when it asks, and turns them by their own paths", () => {
    const rig = new Rig();
    const [bank, shift, look, many] = ["bank", "shift", "look", "many"].map((name) => `/global/layers/${name}`) as [
      string,
      string,
      string,
      string,
    ];
    rig.node.declare(bank, { type: "int", range: { min: 1, max: 3 }, default: 1 });
    rig.node.declare(shift, { type: "bool" });
    rig.node.declare(look, { type: "enum", values: ["wash", "beam"] });
    rig.node.declare(many, { type: "int", range: { min: 0, max: 127 } });
    rig.node.declare("/global/layers/unused", { type: "bool" });
    const when = `${bank} == 2 && ${shift} == 0 && ${look} == 1 && ${many} < 9 && /viz/other == 0`;
    rig.node.declare("/viz/other", { type: "float" });
    rig.bind(`osc:${FADER}#0`, PATH, { type: "float" }, { when });
    rig.bind("osc:/1/fader2#0", "/viz/b", { type: "float" }, { when: `${bank} == 3` });
    const pages = (): Sent[] => {
      rig.osc.message("/hana/surface", "", [], SURFACE);
      rig.pump();
      return rig.take().filter(([address]) => address === "/hana/page");
    };
    const others = [
      ["/hana/page", "ssss", shift, "off", "off", "on"],
      ["/hana/page", "ssss", look, "wash", "wash", "beam"],
      ["/hana/page", "ss", many, "0"],
    ];
    expect(pages()).toEqual([["/hana/page", "sssss", bank, "1", "1", "2", "3"], ...others]);
    rig.osc.message(bank, "i", [3], SURFACE);
    rig.pump();
    expect(pages()).toEqual([["/hana/page", "sssss", bank, "3", "1", "2", "3"], ...others]);
    rig.osc.message("/hana/surface", "", [], SURFACE);
    const labels = rig.take().filter(([address]) => address === "/hana/label");
    expect(labels).toEqual([["/hana/label", "sss", "/1/fader2", "b", "#ffffff"]]);
  });

  it("cannot name a port that is none", () => {
    const rig = rigWithFader();
    rig.osc.message("/hana/surface", "i", [70_000], SURFACE);
    expect(rig.take()).toEqual([["/hana/error", "s", "no such port"]]);
  });

  it("is one of a bounded number: the one that was silent longest is forgotten", () => {
    const rig = rigWithFader();
    for (let port = 1; port <= OSC_SURFACES_MAX + 1; port++) rig.say(FADER, [0.5], 10_000 + port);
    rig.run(1_000_000);
    rig.osc.sender.take();
    rig.set(PATH, 0);
    expect(rig.osc.sender.take()).toHaveLength(OSC_SURFACES_MAX);
  });
});

describe("a layout that a profile knows", () => {
  it("has its range, is held while it is touched, and gets labels and colours as it takes them", () => {
    const rig = new Rig("touchosc").bind("touchosc/fader2", PATH, { type: "float" });
    rig.say("/1/fader2/z", [1]);
    rig.take();
    rig.set(PATH, 1);
    rig.run(5_000_000);
    expect(rig.take()).toEqual([]);
    rig.say("/1/fader2/z", [0]);
    expect(rig.take()).toEqual([["/1/fader2", "f", 1]]);
    rig.run(1_000_000);
    // Its user opens page 1.
    rig.say("/1", []);
    expect(rig.take()).toEqual([
      ["/1/label2", "s", "speed"],
      ["/1/fader2/color", "s", "#ffffff"],
      ["/1/fader2", "f", 1],
    ]);
  });

  it("is edited as Open Stage Control takes it", () => {
    const rig = new Rig("open-stage-control").bind("open-stage-control/knob3", PATH, { type: "float" });
    rig.osc.message("/hana/surface", "", [], SURFACE);
    expect(rig.take()).toContainEqual(["/EDIT", "ss", "knob_3", '{"label":"speed"}']);
  });
});
