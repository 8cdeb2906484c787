/** State to lights, rings, motors and displays of real devices, by their profiles. */
import { describe, expect, it } from "vitest";
import { MidiKind } from "../../../src/input/midi-event.js";
import { START_US } from "./osc-node.js";
import { FeedbackRig } from "./feedback-model.js";

const PATH = "/viz/tunnel/speed";
const UNIT = { type: "float", range: { min: 0, max: 1 } } as const;
const BOOL = { type: "bool" } as const;

describe("a light", () => {
  it("is lit by the note of its pad, on the channel that says how bright", () => {
    const rig = new FeedbackRig("akai-apc-mini-mk2").bind("pad1", PATH, BOOL, { colour: [1, 0, 0] }).open();
    rig.set(PATH, true);
    rig.run(40_000).set(PATH, false);
    // Index 5 is ff0000; channel 7 is "solid", fully bright.
    expect(rig.take()).toEqual(["96 00 05", "96 00 00"]);
  });

  it("shows a number as brightness, and white if no colour is said", () => {
    const rig = new FeedbackRig("akai-apc-mini-mk2").bind("pad9", PATH, UNIT).open();
    rig.set(PATH, 1);
    rig.run(40_000).set(PATH, 0.5);
    // 03 is ffffff, 02 is 7f7f7f.
    expect(rig.take()).toEqual(["96 08 03", "96 08 02"]);
  });

  it("knows only on and off where the device does", () => {
    const rig = new FeedbackRig("korg-nanokontrol2").bind("solo3", PATH, UNIT).bind("play", "/viz/on", BOOL).open();
    rig.set(PATH, 0.6);
    rig.set("/viz/on", true);
    rig.run(80_000).set(PATH, 0.4);
    expect(rig.take()).toEqual(["b0 22 7f", "b0 29 7f", "b0 22 00"]);
  });

  it("is a block of SysEx on a Launchpad, several of them in one message", () => {
    const rig = new FeedbackRig("novation-launchpad-x");
    for (let pad = 1; pad <= 20; pad++) rig.bind(`pad${pad}`, `/viz/pad/${pad}`, BOOL, { colour: [1, 0.5, 0] });
    rig.open();
    for (let pad = 1; pad <= 20; pad++) rig.node.set(`/viz/pad/${pad}`, true);
    rig.pump();
    const [first, second, ...rest] = rig.take();
    expect(rest).toEqual([]);
    expect(first).toMatch(/^f0 00 20 29 02 0c 03 03 0b 7f 40 00 03 0c 7f 40 00 .* f7$/);
    // 16 blocks of 5 bytes at most: what the profile says.
    expect(first?.split(" ")).toHaveLength(8 + 16 * 5);
    expect(second?.split(" ")).toHaveLength(8 + 4 * 5);
  });

  it("has its hue on a Twister, and its mixture of red and green on a Launch Control", () => {
    const twister = new FeedbackRig("djtt-midi-fighter-twister")
      .bind("push1", PATH, BOOL, { colour: [1, 0, 0] })
      .open();
    twister.set(PATH, true);
    expect(twister.take()).toEqual(["b1 00 56"]);
    const launch = new FeedbackRig("novation-launch-control-xl")
      .bind("knob1", PATH, UNIT, { colour: [1, 1, 0] })
      .open();
    launch.set(PATH, 1);
    expect(launch.take()).toEqual(["f0 00 20 29 02 11 78 08 00 3f f7"]);
  });

  it("goes dark when nothing is bound to it any more", () => {
    const rig = new FeedbackRig("korg-nanokontrol2").bind("solo1", PATH, BOOL).open();
    rig.set(PATH, true);
    rig.run(40_000).unbind();
    rig.pump();
    expect(rig.take()).toEqual(["b0 20 7f", "b0 20 00"]);
  });

  it("shows what its own key has done", () => {
    const rig = new FeedbackRig("korg-nanokontrol2").bind("solo1", PATH, BOOL).open();
    expect(rig.hear(MidiKind.cc, 32, 127)).toBe(true);
    rig.set(PATH, true);
    expect(rig.take()).toEqual(["b0 20 7f"]);
  });

  it("is corrected when its key is let go, where the device changes it by itself (local LED)", () => {
    const rig = new FeedbackRig("behringer-bcr2000").bind("button1", PATH, BOOL).open();
    rig.hear(MidiKind.cc, 65, 127);
    rig.set(PATH, true);
    rig.run(50_000);
    expect(rig.take()).toEqual(["b0 41 7f"]);
    rig.hear(MidiKind.cc, 65, 0);
    expect(rig.take()).toEqual([]);
    expect(rig.run(40_000).take()).toEqual(["b0 41 7f"]);
  });

  it("of a message without profile is sent back only when the binding says so", () => {
    const rig = new FeedbackRig().bind("ch1/note60", PATH, BOOL).bind("ch1/cc20", "/viz/x", UNIT, { feedback: "on" });
    rig.open();
    rig.set(PATH, true);
    rig.set("/viz/x", 1);
    expect(rig.take()).toEqual(["b0 14 7f"]);
  });

  it("of a radio group is on while the value is its own, and only then", () => {
    const rig = new FeedbackRig("korg-nanokontrol2");
    const values = ["intro", "verse", "chorus"];
    for (const [index, value] of values.entries()) {
      rig.bind(`solo${index + 1}`, "/viz/scene", { type: "enum", values }, {}, { mode: "radio", value });
    }
    rig.open();
    rig.set("/viz/scene", "chorus");
    rig.run(40_000).set("/viz/scene", "verse");
    expect(rig.take()).toEqual(["b0 20 00", "b0 22 7f", "b0 21 7f", "b0 22 00"]);
  });

  it("shows the binding whose condition is met: another layer is another image", () => {
    const rig = new FeedbackRig("korg-nanokontrol2");
    rig.node.declare("/global/layers/shift", { type: "int" });
    rig.bind("solo1", "/viz/a", BOOL, {}, { when: "/global/layers/shift == 0" });
    rig.bind("solo1", "/viz/b", BOOL, {}, { when: "/global/layers/shift == 1" }).open();
    rig.set("/viz/b", true);
    rig.run(40_000);
    expect(rig.take()).toEqual([]);
    rig.set("/global/layers/shift", 1);
    rig.run(40_000).set("/global/layers/shift", 0);
    expect(rig.take()).toEqual(["b0 20 7f", "b0 20 00"]);
  });

  it("is not lit when its binding says so", () => {
    const rig = new FeedbackRig("korg-nanokontrol2").bind("solo1", PATH, BOOL, { feedback: "off" }).open();
    rig.set(PATH, true);
    expect(rig.take()).toEqual([]);
  });
});

describe("a ring", () => {
  it("stands where the control would stand for the value, with its style", () => {
    const rig = new FeedbackRig("behringer-x-touch");
    rig.bind("encoder2", PATH, { type: "float", range: { min: -10, max: 10 } }).open();
    rig.set(PATH, 10);
    rig.run(40_000).set(PATH, 0);
    expect(rig.take()).toEqual(["b0 31 0b", "b0 31 06"]);
  });

  it("follows the curve and the direction of its binding", () => {
    const rig = new FeedbackRig("djtt-midi-fighter-twister");
    rig.bind("encoder1", PATH, UNIT, { curve: "exponential", isInverted: true }).open();
    rig.set(PATH, 0.75);
    // Inverted: a quarter of the way down; the curve's root of that: half of the ring.
    expect(rig.take()).toEqual(["b0 00 40"]);
  });

  it("that sets the encoder's place is never sent back to the hand that turned it, nor read as a move", () => {
    const rig = new FeedbackRig("djtt-midi-fighter-twister").bind("encoder1", PATH, UNIT).open();
    expect(rig.hear(MidiKind.cc, 0, 40)).toBe(true);
    rig.set(PATH, 40 / 127);
    expect(rig.run(1_000_000).take()).toEqual([]);
    rig.set(PATH, 0.9);
    expect(rig.take()).toEqual(["b0 00 72"]);
    expect(rig.hear(MidiKind.cc, 0, 0x72)).toBe(false);
  });
});

describe("a motor fader", () => {
  const PLACE = "/viz/tunnel/level";

  it("goes where the value is, in 14 bits", () => {
    const rig = new FeedbackRig("behringer-x-touch").bind("fader3", PLACE, UNIT).open();
    rig.set(PLACE, 1);
    rig.run(40_000).set(PLACE, 0.5);
    expect(rig.take().filter((text) => text.startsWith("e"))).toEqual(["e2 7f 7f", "e2 00 40"]);
  });

  it("is held while it is touched, and goes there when it is let go", () => {
    const rig = new FeedbackRig("behringer-x-touch").bind("master", PLACE, UNIT).open();
    rig.hear(MidiKind.noteOn, 112, 127);
    rig.set(PLACE, 1);
    expect(rig.run(5_000_000).take()).toEqual([]);
    rig.hear(MidiKind.noteOff, 112, 0);
    expect(rig.run(35_000).take()).toEqual(["e8 7f 7f"]);
  });

  it("is never sent back where the hand has put it", () => {
    const rig = new FeedbackRig("behringer-x-touch").bind("master", PLACE, UNIT).open();
    rig.hear(MidiKind.noteOn, 112, 127);
    for (const place of [100, 5_000, 9_999]) {
      expect(rig.hear(MidiKind.bend, 0, place, 9)).toBe(true);
      rig.set(PLACE, place / 16_383);
    }
    rig.hear(MidiKind.noteOff, 112, 0);
    expect(rig.run(2_000_000).take()).toEqual([]);
  });

  it("goes to the value when that did not follow the hand", () => {
    const rig = new FeedbackRig("behringer-x-touch").bind("master", PLACE, UNIT).open();
    rig.hear(MidiKind.noteOn, 112, 127);
    rig.hear(MidiKind.bend, 0, 9_999, 9);
    rig.set(PLACE, 0.25);
    rig.hear(MidiKind.noteOff, 112, 0);
    expect(rig.run(35_000).take()).toEqual(["e8 00 20"]);
  });

  it("without a touch sensor waits until the hand rests, then gets its own place back where the device asks", () => {
    const rig = new FeedbackRig("behringer-bcf2000").bind("fader1", PLACE, UNIT).open();
    for (let place = 10; place < 20; place++) {
      expect(rig.hear(MidiKind.cc, 81, place)).toBe(true);
      rig.set(PLACE, place / 127);
      rig.run(100_000);
    }
    expect(rig.take()).toEqual([]);
    const letGoUs = rig.node.clock.nowUs - 100_000;
    rig.run(1_000_000);
    expect(rig.sent.map(({ text }) => text)).toEqual(["b0 51 13"]);
    expect((rig.sent[0]?.atUs ?? 0) - letGoUs).toBeGreaterThanOrEqual(300_000);
    expect((rig.sent[0]?.atUs ?? 0) - letGoUs).toBeLessThan(335_000);
  });

  it("is not moved by a binding that has no way back: an expression, merged inputs", () => {
    const rig = new FeedbackRig("behringer-bcf2000");
    rig.bind("fader1", PLACE, UNIT, {}, { expression: "x * 0.5" });
    rig.bind("fader2", PLACE, UNIT, {}, { merge: "max" }).open();
    rig.set(PLACE, 0.4);
    expect(rig.run(1_000_000).take()).toEqual([]);
  });

  it("stays where a value with steps was put, and is not pulled to the step", () => {
    const rig = new FeedbackRig("behringer-x-touch").bind("master", PLACE, { type: "int", range: { min: 0, max: 10 } });
    rig.open();
    rig.hear(MidiKind.bend, 0, 8_000, 9);
    rig.set(PLACE, 5);
    expect(rig.run(1_000_000).take()).toEqual([]);
    rig.set(PLACE, 7);
    expect(rig.take()).toEqual(["e8 4c 59"]);
  });

  it("reports its own travel and its own rounded place without moving the value (echo with rounding drifts)", () => {
    const rig = new FeedbackRig("behringer-bcf2000").bind("fader1", PLACE, UNIT).open();
    rig.set(PLACE, 1 / 3);
    expect(rig.take()).toEqual(["b0 51 2a"]);
    for (const place of [0, 10, 30, 42]) expect(rig.hear(MidiKind.cc, 81, place)).toBe(false);
    rig.run(2_000_000);
    // The same place again, long after: still no move.
    expect(rig.hear(MidiKind.cc, 81, 42)).toBe(false);
    expect(rig.get(PLACE)).toBeCloseTo(1 / 3, 6);
    expect(rig.hear(MidiKind.cc, 81, 43)).toBe(true);
  });

  it("follows another control of its own device that moves the same path", () => {
    const rig = new FeedbackRig("behringer-x-touch").bind("fader1", PLACE, UNIT).bind("fader2", PLACE, UNIT).open();
    rig.hear(MidiKind.bend, 0, 16_383, 1);
    rig.set(PLACE, 1);
    expect(
      rig
        .run(1_000_000)
        .take()
        .filter((text) => text.startsWith("e")),
    ).toEqual(["e1 7f 7f"]);
  });

  it("travels to its value at connect, and what it says on the way is no move", () => {
    const rig = new FeedbackRig("behringer-bcf2000").bind("fader1", PLACE, UNIT);
    rig.node.set(PLACE, 0.5);
    rig.feedback.opened(0);
    rig.pump();
    expect(rig.take()).toEqual(["b0 51 40"]);
    for (const place of [3, 20, 64]) expect(rig.hear(MidiKind.cc, 81, place)).toBe(false);
  });
});

describe("a display", () => {
  it("shows the path's name and its value in the control's cell, and then only what changed", () => {
    const rig = new FeedbackRig("behringer-x-touch").bind("fader2", "/viz/tunnel/glühen", UNIT);
    rig.feedback.opened(0);
    rig.run(500_000);
    const text = (words: string): string =>
      Buffer.from(words)
        .toString("hex")
        .replace(/..(?=.)/g, "$& ");
    expect(rig.take().filter((message) => message.startsWith("f0 00 00 66 14 12"))).toEqual([
      `f0 00 00 66 14 12 07 ${text("gluhen ")} f7`,
      `f0 00 00 66 14 12 3f ${text("0      ")} f7`,
    ]);
    rig.set("/viz/tunnel/glühen", 0.25);
    expect(rig.take().filter((message) => message.startsWith("f0"))).toEqual([
      `f0 00 00 66 14 12 3f ${text("0.250  ")} f7`,
    ]);
  });
});

describe("pacing", () => {
  it("lets a single change leave at once, and within 35 ms after another", () => {
    const rig = new FeedbackRig("korg-nanokontrol2").bind("solo1", PATH, BOOL).bind("solo2", "/viz/b", BOOL).open();
    let latestUs = 0;
    for (let turn = 0; turn < 50; turn++) {
      const atUs = rig.node.clock.nowUs;
      rig.set(turn % 2 === 0 ? PATH : "/viz/b", turn % 4 < 2);
      rig.run(1_000 * (turn + 1));
      rig.run(40_000);
      latestUs = Math.max(latestUs, (rig.sent.at(-1)?.atUs ?? Number.POSITIVE_INFINITY) - atUs);
    }
    expect(rig.sent).toHaveLength(50);
    expect(latestUs).toBeLessThanOrEqual(35_000);
  });

  it("conflates what moves faster than its frames, and ends with the last value", () => {
    const rig = new FeedbackRig("djtt-midi-fighter-twister").bind("encoder1", PATH, UNIT).open();
    for (let step = 1; step <= 1_000; step++) {
      rig.node.set(PATH, step / 1_000);
      rig.run(1_000);
    }
    rig.run(40_000);
    expect(rig.sent.length).toBeGreaterThan(25);
    expect(rig.sent.length).toBeLessThanOrEqual(32);
    expect(rig.sent.at(-1)?.text).toBe("b0 00 7f");
  });

  it("paints 64 pads one by one, as far apart as the device needs (LED burst dropped by device)", () => {
    const rig = new FeedbackRig("akai-apc-mini-mk2");
    for (let pad = 1; pad <= 64; pad++) {
      rig.bind(`pad${pad}`, `/viz/pad/${pad}`, BOOL);
      rig.node.set(`/viz/pad/${pad}`, true);
    }
    rig.feedback.opened(0);
    rig.run(200_000);
    expect(rig.sent).toHaveLength(64);
    const gaps = rig.sent.slice(1).map(({ atUs }, index) => atUs - (rig.sent[index]?.atUs ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
    // 64 ms by the profile's pace.
    expect((rig.sent.at(-1)?.atUs ?? 0) - START_US).toBeLessThanOrEqual(100_000);
  });

  it("shows the newest value late rather than an old one, while messages wait", () => {
    const rig = new FeedbackRig("korg-nanokontrol2").bind("solo1", PATH, BOOL).open();
    rig.isBlocked = true;
    for (let turn = 0; turn < 9; turn++) {
      rig.set(PATH, turn % 2 === 0);
      rig.run(10_000);
    }
    rig.isBlocked = false;
    expect(rig.run(40_000).take()).toEqual(["b0 20 7f"]);
  });

  it("asks to be called only when there is something to do", () => {
    const rig = new FeedbackRig("korg-nanokontrol2").bind("solo1", PATH, BOOL).open();
    expect(rig.feedback.dueUs).toBe(Number.POSITIVE_INFINITY);
    rig.set(PATH, true);
    rig.set(PATH, false);
    const nowUs = rig.node.clock.nowUs;
    expect(rig.feedback.dueUs).toBeGreaterThan(nowUs + 30_000);
    expect(rig.feedback.dueUs).toBeLessThanOrEqual(nowUs + 34_000);
    rig.run(40_000);
    expect(rig.feedback.dueUs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("a repaint", () => {
  it("sends what changed while nobody was connected too, and nothing while the device is away (first snapshot stale)", () => {
    const rig = new FeedbackRig("korg-nanokontrol2").bind("solo1", PATH, BOOL).bind("play", "/viz/on", BOOL).open();
    rig.set(PATH, true);
    rig.run(40_000);
    rig.take();
    rig.feedback.closed(0);
    rig.set("/viz/on", true);
    expect(rig.run(1_000_000).take()).toEqual([]);
    rig.feedback.opened(0);
    rig.pump();
    expect(rig.take()).toEqual(["b0 20 7f", "b0 29 7f"]);
  });

  it("lights nothing of a binding that was deleted while the device was away (reconnect resurrects deletes)", () => {
    const rig = new FeedbackRig("korg-nanokontrol2").bind("solo1", PATH, BOOL).open();
    rig.set(PATH, true);
    rig.run(40_000);
    expect(rig.take()).toEqual(["b0 20 7f"]);
    rig.feedback.closed(0);
    rig.unbind();
    rig.run(100_000).feedback.opened(0);
    expect(
      rig
        .run(5_000_000)
        .take()
        .filter((text) => text !== "b0 20 00"),
    ).toEqual([]);
  });

  it("comes a second time when a device that was plugged in has had time to start", () => {
    const rig = new FeedbackRig("korg-nanokontrol2").bind("solo1", PATH, BOOL);
    rig.feedback.opened(0);
    rig.run(10_000_000);
    expect(rig.sent.map(({ atUs, text }) => [atUs - START_US, text])).toEqual([
      [0, "b0 20 00"],
      [1_500_000, "b0 20 00"],
    ]);
  });

  it("comes by command, and only for devices that show something", () => {
    const rig = new FeedbackRig("korg-nanokontrol2").bind("solo1", PATH, BOOL).open();
    expect(rig.feedback.repaint("nano")).toBe(false);
    expect(rig.feedback.repaint("device")).toBe(true);
    rig.pump();
    expect(rig.take()).toEqual(["b0 20 00"]);
  });

  it("comes when the device announces another bank or template, and pick-up is armed again", () => {
    const twister = new FeedbackRig("djtt-midi-fighter-twister").bind("push1", PATH, BOOL).open();
    twister.hear(MidiKind.cc, 1, 0, 4);
    expect([twister.rearmed, twister.take()]).toEqual([0, []]);
    twister.hear(MidiKind.cc, 1, 127, 4);
    expect([twister.rearmed, twister.take()]).toEqual([1, ["b1 00 00", "b2 00 00"]]);
    const launch = new FeedbackRig("novation-launch-control-xl").bind("knob1", PATH, UNIT).open();
    expect(launch.feedback.wishOf("device").needsSysex).toBe(true);
    const bytes = Uint8Array.of(0xf0, 0, 0x20, 0x29, 2, 0x11, 0x77, 9, 0xf7);
    launch.feedback.hearSysex(0, bytes, bytes.length - 1);
    expect(launch.rearmed).toBe(0);
    launch.feedback.hearSysex(0, bytes, bytes.length);
    launch.pump();
    expect([launch.rearmed, launch.take().length]).toEqual([1, 1]);
  });

  it("finds a reader that the stream has overtaken: everything is looked at again", () => {
    const rig = new FeedbackRig("korg-nanokontrol2").bind("solo1", PATH, BOOL).open();
    rig.node.declare("/viz/other", { type: "int" });
    rig.node.set(PATH, true);
    for (let count = 1; count < 3_000; count++) rig.node.set("/viz/other", count);
    rig.pump();
    expect(rig.take()).toEqual(["b0 20 7f"]);
  });
});

it("a device that shows nothing is sent nothing, and needs no output", () => {
  const rig = new FeedbackRig("korg-nanokontrol2").bind("fader1", PATH, UNIT);
  expect(rig.feedback.wishOf("device")).toMatchObject({ needsOutput: false, needsSysex: false });
  rig.bind("solo1", "/viz/on", BOOL);
  const { needsOutput, pacing } = rig.feedback.wishOf("device");
  expect(needsOutput).toBe(true);
  // Another object would be another pace to the hub, and what waits would be lost.
  rig.bind("solo2", "/viz/on", BOOL);
  expect(rig.feedback.wishOf("device").pacing).toBe(pacing);
  const launchpad = new FeedbackRig("novation-launchpad-x").feedback.wishOf("device");
  expect(launchpad.init).toEqual([Uint8Array.of(0xf0, 0, 0x20, 0x29, 2, 0x0c, 0x0e, 1, 0xf7)]);
  expect(launchpad.needsOutput).toBe(true);
});
