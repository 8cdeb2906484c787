/** How lights blink, pulse and seek on real devices: by the device where its profile says how, else by the node. */
import { describe, expect, it } from "vitest";
import type { ControlRing, ProfileControl } from "../../../src/config/profile.js";
import { outputsOf } from "../../../src/input/control-outputs.js";
import { Feedback } from "../../../src/input/feedback.js";
import { MidiEvent, MidiKind } from "../../../src/input/midi-event.js";
import { Shine, SurfaceLook } from "../../../src/input/surface-look.js";
import { BindingRig } from "./binding-rig.js";
import { FeedbackRig, profileOf } from "./feedback-model.js";
import { hex } from "./midi-model.js";

const PATH = "/viz/tunnel/speed";
const UNIT = { type: "float", range: { min: 0, max: 1 } } as const;
const BOOL = { type: "bool" } as const;
const RED = [1, 0, 0];
const ON = [1, 1, 1];

/** What a light of a device is sent when its path is switched on, and in how many messages a while later. */
function lit(profile: string, control: string, look: string, colour: readonly number[] = ON): string[] {
  const rig = new FeedbackRig(profile).bind(control, PATH, BOOL, { look, colour }).open();
  rig.set(PATH, true);
  return rig.run(2_000_000).take();
}

describe("a look that the device plays", () => {
  it.each([
    ["akai-apc-mini-mk1", "pad1", "blink", RED, ["90 00 04"]],
    ["akai-apc-mini-mk2", "pad1", "pulse", RED, ["99 00 05"]],
    ["akai-apc-mini-mk2", "pad1", "blink-fast", RED, ["9d 00 05"]],
    ["akai-apc-mini-mk2", "track2", "blink", RED, ["90 65 02"]],
    ["akai-apc40-mk2", "pad3", "blink", RED, ["9e 02 05"]],
    ["akai-apc40-mk2", "pad3", "pulse-slow", RED, ["9a 02 05"]],
    ["behringer-x-touch", "mute1", "blink", ON, ["90 10 01"]],
    ["behringer-x-touch-mini", "button2", "blink", ON, ["90 01 02"]],
    ["novation-launch-control-xl", "knob1", "blink", RED, ["f0 00 20 29 02 11 78 08 00 0b f7"]],
    ["djtt-midi-fighter-twister", "push1", "blink", RED, ["b1 00 56", "b2 00 05"]],
    ["djtt-midi-fighter-twister", "push1", "pulse-fast", RED, ["b1 00 56", "b2 00 0e"]],
  ])("%s %s: %s is told once", (profile, control, look, colour, messages) => {
    expect(lit(profile, control, look, colour)).toEqual(messages);
  });

  it("ends when its value is off", () => {
    const rig = new FeedbackRig("akai-apc40-mk2").bind("pad1", PATH, BOOL, { look: "blink", colour: RED }).open();
    rig.set(PATH, true);
    rig.run(500_000).set(PATH, false);
    expect(rig.run(500_000).take()).toEqual(["9e 00 05", "90 00 00"]);
  });

  it("that changes a Launch Control's lamps is switched on when its port opens", () => {
    const rig = new FeedbackRig("novation-launch-control-xl");
    const init = rig.feedback.wishOf("device").init.map((message) => Buffer.from(message).toString("hex"));
    expect(init.at(-1)).toBe("b80028");
  });
});

describe("a look that the device does not know", () => {
  it("is played by the node: on for a quarter of a second, and off for one", () => {
    const rig = new FeedbackRig("korg-nanokontrol2").bind("solo1", PATH, BOOL, { look: "blink" }).open();
    rig.set(PATH, true);
    rig.run(2_000_000);
    const { sent } = rig;
    expect(sent.length).toBeGreaterThanOrEqual(7);
    for (const [at, { text, atUs }] of sent.entries()) {
      const before = sent[at - 1];
      expect(text).toBe(text === "b0 20 7f" ? "b0 20 7f" : "b0 20 00");
      expect(text).not.toBe(before?.text);
      if (at > 1) expect(Math.abs(atUs - (before?.atUs ?? 0) - 250_000)).toBeLessThan(40_000);
    }
  });

  it("is twice as fast or half as fast when that is asked for", () => {
    const countOf = (look: string): number => lit("korg-nanokontrol2", "solo1", look).length;
    const [slow, plain, fast] = [countOf("blink-slow"), countOf("blink"), countOf("blink-fast")];
    expect(plain).toBeGreaterThanOrEqual(slow * 1.5);
    expect(fast).toBeGreaterThanOrEqual(plain * 1.5);
  });

  it("pulses in the colour's own shades, and never goes dark", () => {
    const blues = lit("novation-launchpad-x", "pad1", "pulse", [0, 0, 1]).map((text) => text.split(" ")[11]);
    expect(new Set(blues).size).toBeGreaterThanOrEqual(4);
    expect(blues).not.toContain("00");
    expect(blues).toContain("7f");
  });

  it("costs nothing once the value is off, or the device is away", () => {
    const rig = new FeedbackRig("korg-nanokontrol2").bind("solo1", PATH, BOOL, { look: "blink" }).open();
    rig.set(PATH, true);
    expect(rig.feedback.dueUs).toBeLessThan(Number.POSITIVE_INFINITY);
    rig.run(1_000_000).set(PATH, false);
    rig.run(1_000_000);
    expect(rig.feedback.dueUs).toBe(Number.POSITIVE_INFINITY);
    rig.set(PATH, true);
    rig.run(100_000).feedback.closed(0);
    expect(rig.feedback.dueUs).toBe(Number.POSITIVE_INFINITY);
  });

  it("is the same for all at the same time", () => {
    const rig = new FeedbackRig("korg-nanokontrol2");
    rig.bind("solo1", PATH, BOOL, { look: "blink" }).bind("solo2", "/viz/b", BOOL, { look: "blink" }).open();
    rig.set(PATH, true);
    rig.run(77_000).set("/viz/b", true);
    rig.run(600_000).take();
    rig.run(2_000_000);
    const [one, two] = ["b0 20", "b0 21"].map((start) =>
      rig.sent.filter(({ text }) => text.startsWith(start)).map(({ atUs }) => atUs),
    );
    expect(one?.length).toBeGreaterThanOrEqual(7);
    expect(two).toEqual(one);
  });
});

describe("brightness and colours", () => {
  it("are a palette's colour, on a channel that is as bright", () => {
    const rig = new FeedbackRig("akai-apc-mini-mk2").bind("pad1", PATH, UNIT, { colour: RED }).open();
    rig.set(PATH, 0.75);
    expect(rig.take()).toEqual(["94 00 05"]);
  });

  it("that no palette has are red, green and blue by SysEx, where the device takes them", () => {
    const colour = [1, 0.6, 0.8];
    expect(lit("akai-apc-mini-mk2", "pad2", "solid", colour)).toEqual([
      "f0 47 7f 4f 24 00 08 01 01 01 7f 01 19 01 4c f7",
    ]);
    expect(lit("akai-apc40-mk2", "pad2", "solid", colour)).toEqual([expect.stringMatching(/^90 01 /)]);
  });

  it("of a Twister's light follow the value by its animation", () => {
    const rig = new FeedbackRig("djtt-midi-fighter-twister").bind("push1", PATH, UNIT, { colour: RED }).open();
    rig.set(PATH, 0.6);
    rig.run(40_000).set(PATH, 1);
    expect(rig.take()).toEqual(["b1 00 56", "b2 00 23", "b2 00 00"]);
  });
});

describe("a display's colours", () => {
  const TOUCH = "behringer-x-touch";
  const coloursOf = (rig: FeedbackRig): string[] =>
    rig.take().flatMap((text) => /^f0 00 00 66 14 72 (.*) f7$/.exec(text)?.[1] ?? []);

  it("are those of the bindings, in one message for all cells, and white where nothing is bound", () => {
    const rig = new FeedbackRig(TOUCH);
    rig.bind("fader1", PATH, UNIT, { colour: RED }).bind("fader3", "/viz/b", UNIT, { colour: [0.1, 0.5, 0.6] });
    rig.feedback.opened(0);
    rig.run(500_000);
    expect(coloursOf(rig)).toEqual(["01 07 06 07 07 07 07 07"]);
    rig.set(PATH, 0.5);
    expect(coloursOf(rig.run(500_000))).toEqual([]);
  });

  it("are sent again when a binding gets another one, and are white at the end", () => {
    const rig = new FeedbackRig(TOUCH).bind("fader1", PATH, UNIT, { colour: RED }).open();
    rig.unbind();
    rig.run(40_000);
    expect(coloursOf(rig)).toEqual(["07 07 07 07 07 07 07 07"]);
    rig.bind("fader1", PATH, UNIT, { colour: [0, 0, 1] }).run(100_000);
    expect(coloursOf(rig)).toEqual(["04 07 07 07 07 07 07 07"]);
  });

  it("are those of the first binding that speaks for a cell", () => {
    const rig = new FeedbackRig(TOUCH).bind("fader1", PATH, UNIT, { colour: RED });
    rig.bind("fader1", "/viz/b", UNIT, { colour: [0, 1, 0] }).feedback.opened(0);
    expect(coloursOf(rig.run(500_000))).toEqual(["01 07 07 07 07 07 07 07"]);
  });

  it("change with the layer that speaks", () => {
    const rig = new FeedbackRig(TOUCH);
    rig.node.declare("/global/layers/shift", { type: "int" });
    rig.bind("fader1", PATH, UNIT, { colour: RED }, { when: "/global/layers/shift == 0" });
    rig.bind("fader1", "/viz/b", UNIT, { colour: [0, 1, 0] }, { when: "/global/layers/shift == 1" }).open();
    rig.set("/global/layers/shift", 1);
    expect(coloursOf(rig.run(40_000))).toEqual(["02 07 07 07 07 07 07 07"]);
  });
});

describe("a cell of a display", () => {
  it("shows the new path's name when its control is bound to another one", () => {
    const rig = new FeedbackRig("behringer-x-touch").bind("fader1", "/viz/a/first", UNIT).open();
    rig.unbind();
    rig.bind("fader1", "/viz/a/other", UNIT).run(200_000);
    const name = Buffer.from("other  ").toString("hex");
    expect(rig.take().map((text) => text.replaceAll(" ", ""))).toContain(`f0000066141200${name}f7`);
  });
});

describe("a ring", () => {
  it("that nothing is bound to any more goes dark, not to its first lamp", () => {
    const rig = new FeedbackRig("behringer-x-touch").bind("encoder1", PATH, UNIT).open();
    rig.unbind();
    expect(rig.run(40_000).take()).toEqual(["b0 30 00"]);
  });

  it("blinks where the value is", () => {
    const rig = new FeedbackRig("behringer-x-touch").bind("encoder1", PATH, UNIT, { look: "blink" }).open();
    rig.set(PATH, 1);
    const places = new Set(rig.run(1_000_000).take());
    expect(places).toEqual(new Set(["b0 30 0b", "b0 30 00"]));
  });

  it("that sets its encoder's place blinks by animation, never by another place", () => {
    const rig = new FeedbackRig("djtt-midi-fighter-twister").bind("encoder1", PATH, UNIT, { look: "blink" }).open();
    rig.set(PATH, 1);
    expect(rig.run(1_000_000).take()).toEqual(["b0 00 7f"]);
    const ring = { ...(profileOf("djtt-midi-fighter-twister").controls.get("encoder1") as ProfileControl).ring };
    const bare = { ...ring, off: 0, blink: 64, animation: undefined } as ControlRing;
    const [output] = outputsOf({ ring: bare } as ProfileControl, profileOf("djtt-midi-fighter-twister"));
    const look = Object.assign(new SurfaceLook(), { isShown: true, way: 1, shines: Shine.blink, step: 3 });
    expect([output?.codeOf(look), look.isMoving]).toEqual([127, false]);
    const mini = new FeedbackRig("behringer-x-touch-mini").bind("encoder1", PATH, UNIT, { look: "blink" }).open();
    mini.set(PATH, 1);
    expect(mini.run(1_000_000).take()).toEqual(["ba 01 7f"]);
  });
});

describe("a control that has not found its value (soft takeover is invisible)", () => {
  it("blinks, lit whatever the value, from the move that shows the gap until it is closed", () => {
    const rig = new FeedbackRig("novation-launch-control-xl");
    rig.bind("knob1", PATH, UNIT, { takeover: "pickup", colour: RED }).open();
    const lamp = (code: string): string => `f0 00 20 29 02 11 78 08 00 ${code} f7`;
    rig.gaps.set(PATH, -0.4);
    rig.hear(MidiKind.cc, 13, 50, 9);
    expect(rig.run(500_000).take()).toEqual([lamp("0b")]);
    rig.gaps.set(PATH, 0);
    rig.hear(MidiKind.cc, 13, 1, 9);
    expect(rig.run(500_000).take()).toEqual([lamp("0c")]);
  });

  it("is told the way on a display", () => {
    const rig = new FeedbackRig("behringer-x-touch").bind("fader1", PATH, UNIT, { takeover: "pickup" }).open();
    rig.gaps.set(PATH, -0.4);
    rig.set(PATH, 0.25);
    const value = Buffer.from("<0.250 ").toString("hex");
    expect(
      rig
        .run(40_000)
        .take()
        .map((text) => text.replaceAll(" ", "")),
    ).toContain(`f0000066141238${value}f7`);
  });

  it("does not blink where it need not find it", () => {
    const rig = new FeedbackRig("novation-launch-control-xl").bind("knob1", PATH, UNIT, { colour: RED }).open();
    rig.gaps.set(PATH, 0.5);
    rig.hear(MidiKind.cc, 13, 50, 9);
    expect(rig.run(500_000).take()).toEqual([]);
    rig.set(PATH, 1);
    expect(rig.run(500_000).take()).toEqual(["f0 00 20 29 02 11 78 08 00 0f f7"]);
  });
});

/** A Launch Control, its bindings, and what its lamps are told: nothing between them is played. */
class KnobRig {
  readonly bindings = new BindingRig();
  readonly sent: string[] = [];
  private readonly feedback: Feedback;

  constructor(id: string) {
    const { bindings } = this;
    const { node } = bindings;
    const profile = profileOf(id);
    bindings.channel = 9;
    bindings.profiles.set([{ id, profile }]);
    this.feedback = new Feedback({
      clock: node.clock,
      state: node.state,
      shown: bindings.bindings.shown,
      memory: node.memory,
      sink: { send: (_alias, message) => this.sent.push(hex(message)) > 0, waiting: () => 0 },
      sender: { send: () => {} },
      profileOf: () => profile,
      onRearm: (alias) => bindings.bindings.rearm(alias),
      onPosition: (alias, event) => bindings.bindings.onPosition(alias, event),
      gapOf: (record) => bindings.bindings.gapOf(record),
    });
  }

  bind(source: string): this {
    this.bindings.path(PATH, UNIT);
    this.bindings.bind("a", { source, path: PATH, takeover: "pickup", colour: [1, 0, 0, 1] });
    const { bindings } = this.bindings;
    this.feedback.compile(
      bindings.list(),
      bindings.devices.map(({ alias }) => alias),
    );
    this.feedback.opened(0);
    return this;
  }

  turn(number: number, value: number): void {
    const event = Object.assign(new MidiEvent(), { kind: MidiKind.cc, channel: 9, number, value, max: 127 });
    if (this.feedback.hear(0, event)) this.bindings.bindings.onMidi(0, event);
  }

  /** What is sent in the next two seconds. */
  take(): string[] {
    this.sent.length = 0;
    for (let tick = 0; tick < 200; tick++) {
      this.bindings.node.advance(10_000);
      this.feedback.pump();
    }
    return this.sent.map((text) => text.split(" ").slice(-2, -1).join());
  }
}

describe("a knob with a lamp, under pick-up", () => {
  it("shines as its value, blinks while it is turned elsewhere or its value is moved away, and shines again", () => {
    const rig = new KnobRig("novation-launch-control-xl").bind("novation-launch-control-xl/knob1");
    rig.take();
    rig.turn(13, 100);
    // 0b: red, bright, blinking; 0c: dark; 0f: red, bright.
    expect(rig.take()).toEqual(["0b"]);
    rig.turn(13, 0);
    expect(rig.take()).toEqual(["0c"]);
    rig.turn(13, 127);
    expect(rig.take()).toEqual(["0f"]);
    rig.bindings.node.set(PATH, 0.2);
    expect(rig.take()).toEqual(["0b"]);
    rig.turn(13, 20);
    expect(rig.bindings.get(PATH)).toBeCloseTo(20 / 127, 5);
    expect(rig.take()).toEqual(["0c"]);
  });
});

describe("a device that says where its controls stand", () => {
  const REPLY = [0xf0, 0x47, 0x7f, 0x29, 0x61, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 99, 0xf7];

  it("is listened to, and each place is its control's", () => {
    const rig = new FeedbackRig("akai-apc40-mk2").bind("fader1", PATH, UNIT).open();
    expect(rig.feedback.wishOf("device").needsSysex).toBe(true);
    rig.feedback.hearSysex(0, Uint8Array.from(REPLY), REPLY.length);
    const faders = [1, 2, 3, 4, 5, 6, 7, 8].map((channel) => [channel, 7, channel]);
    expect(rig.positions).toEqual([...faders, [1, 14, 99]]);
  });

  it("is not believed in any other message, nor in one that is too short", () => {
    const rig = new FeedbackRig("akai-apc40-mk2").bind("fader1", PATH, UNIT).open();
    rig.feedback.hearSysex(0, Uint8Array.from(REPLY), REPLY.length - 1);
    rig.feedback.hearSysex(
      0,
      Uint8Array.from(REPLY, (byte, at) => (at === 4 ? 0x60 : byte)),
      REPLY.length,
    );
    expect(rig.positions).toEqual([]);
  });
});
