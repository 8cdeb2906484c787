import { beforeEach, describe, expect, it } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import type { Profile } from "../../../src/config/profile.js";
import { parseProfile } from "../../../src/config/profile-file.js";
import { parseSource } from "../../../src/input/control-source.js";
import { Learn, LEARN_LONG_US, LEARN_US, type LearnFinding } from "../../../src/input/learn.js";
import { proposalOf, remarksOf } from "../../../src/input/learn-proposal.js";
import { SystemControl } from "../../../src/input/system-control.js";
import { SurfaceProfiles } from "../../../src/input/surface-profiles.js";
import { MidiControls } from "../../../src/input/midi-controls.js";
import { MidiCounters } from "../../../src/input/midi-counters.js";
import { MidiStream } from "../../../src/input/midi-stream.js";
import { completeDeclaration, type DeclarationInput } from "../../../src/state/declaration.js";

const START_US = 1_719_964_800_000_000;
const MS = 1_000;
/** Whoever is told to move a control takes longer than this to do it. */
const PAUSE_MS = 500;

function profileOf(file: object): Profile {
  const parsed = parseProfile(JSON.stringify(file), "test");
  if ("complaints" in parsed) throw new Error(JSON.stringify(parsed.complaints));
  return parsed.profile;
}

/** Whoever learns, behind the parser of a device: what is told is what a device's bytes say. */
class Rig {
  readonly clock = new Clock();
  readonly learn: Learn;
  private readonly streams = new Map<string, MidiStream>();

  constructor(profiles: Readonly<Record<string, Profile>> = {}) {
    this.clock.set(START_US);
    const known = new SurfaceProfiles("linux");
    known.set(Object.entries(profiles).map(([id, profile]) => ({ id, profile })));
    this.learn = new Learn({
      clock: this.clock,
      profileOf: (alias) => profiles[alias],
      layoutOf: (address, argument) => known.ofOsc(address, argument),
    });
  }

  wait(ms: number): this {
    this.clock.set(this.clock.nowUs + ms * MS);
    return this;
  }

  /** One message after the other, `gapMs` apart. */
  send(messages: readonly (readonly number[])[], gapMs = 5, alias = "pad"): this {
    for (const message of messages) {
      this.wait(gapMs);
      this.stream(alias).push(Uint8Array.from(message));
    }
    return this;
  }

  osc(address: string, values: readonly (number | undefined)[], gapMs = 5, argument = 0): this {
    for (const value of values) this.wait(gapMs).learn.onOsc(address, argument, value);
    return this;
  }

  private stream(alias: string): MidiStream {
    let stream = this.streams.get(alias);
    if (stream === undefined) {
      const counters = new MidiCounters();
      const sink = { control: (event: never) => this.learn.onMidi(alias, event), sysex: () => {} };
      stream = new MidiStream(new MidiControls(sink, this.clock, counters), counters);
      this.streams.set(alias, stream);
    }
    return stream;
  }

  /** What is found when time goes on, and how long after the first message. */
  found(limitMs = 3_000): LearnFinding | undefined {
    for (let ms = 0; ms < limitMs; ms += 10) {
      const finding = this.learn.decide();
      if (finding !== undefined) return finding;
      this.wait(10);
    }
    return undefined;
  }
}

/** Messages in hexadecimal. */
const raw = (...messages: string[]) => messages.map((message) => message.split(" ").map((byte) => Number(`0x${byte}`)));
const cc = (number: number, ...values: number[]) => values.map((value) => [0xb0, number, value]);
/** The moves of a fader. */
const sweep = (number: number, from = 20, to = 60) => {
  return cc(number, ...Array.from({ length: to - from }, (_, index) => from + index));
};

let rig: Rig;
beforeEach(() => {
  rig = new Rig().wait(PAUSE_MS);
});

describe("learning a MIDI control", () => {
  it("finds a fader, and says so some 300 ms after its first message", () => {
    rig.send(sweep(7));
    expect(rig.learn.decide()).toBeUndefined();
    rig.wait(LEARN_US / MS - 200 + 5);
    expect(rig.learn.decide()).toMatchObject({ source: "pad/ch1/cc7", kind: "fader", others: [] });
  });

  it.each([
    ["a pitch fader", [0, 20, 40, 60].map((high) => [0xe3, 0, high]), "pad/ch4/bend", "fader"],
    ["a key", raw("99 24 64", "89 24 40"), "pad/ch10/note36", "momentary"],
    ["a program change", [[0xc0, 12]], "pad/ch1/program", "program"],
    ["pressure alone", raw("d0 01", "d0 28", "d0 5a"), "pad/ch1/pressure", "pressure"],
    ["a button that says on and off", cc(20, 127, 0), "pad/ch1/cc20", "momentary"],
    ["a button that says little", cc(20, 1, 0), "pad/ch1/cc20", "momentary"],
  ])("finds %s", (_, messages, source, kind) => {
    expect(rig.send(messages, 60).found()).toMatchObject({ source, kind });
    expect(parseSource(source)).not.toHaveProperty("problem");
  });

  it("tells a button that changes by itself by its silence when it is let go", () => {
    rig.send(cc(20, 127));
    expect(rig.wait(LEARN_US / MS).learn.decide()).toBeUndefined();
    expect(rig.found()?.kind).toBe("toggle");
    expect(rig.clock.nowUs - START_US).toBeGreaterThanOrEqual(LEARN_LONG_US);
  });

  it("tells it as well when the same button is pressed twice", () => {
    expect(rig.send(cc(20, 127, 0), 500).found()?.kind).toBe("toggle");
  });
});

describe("learning does not take for the control (learn catches touch notes, clock, active sensing, note-off)", () => {
  it("clock, active sensing, sysex and song position", () => {
    rig.send(raw("f8", "fe", "f8", "f2 00 00", "f0 7e 7f 06 01 f7"));
    rig.send(
      Array.from({ length: 120 }, () => [0xf8]),
      20,
    );
    expect(rig.found()).toBeUndefined();
    expect(rig.learn.dueUs).toBe(Number.POSITIVE_INFINITY);
  });

  it("a clock that goes on while a sequencer's play button is pressed, which it does", () => {
    rig.send([...Array.from({ length: 30 }, () => [0xf8]), [0xfa], [0xf8]], 20);
    expect(rig.found()?.source).toBe("pad/system/start");
  });

  it("a time code that goes on while a button of machine control is pressed, which it does", () => {
    const quarters = (count: number) => Array.from({ length: count }, (_, index) => [0xf1, (index % 8) * 16]);
    rig.send([...quarters(40), ...raw("f0 7f 7f 01 01 01 02 03 04 f7", "f0 7f 7f 06 02 f7"), ...quarters(40)], 10);
    expect(rig.found()).toMatchObject({ source: "pad/system/mmc-play", kind: "trigger", others: [] });
    expect(
      new Rig()
        .wait(PAUSE_MS)
        .send([[0xfc]])
        .found()?.command,
    ).toBe(SystemControl.stop);
    expect(parseSource("pad/system/mmc-play")).not.toHaveProperty("problem");
  });

  it("the touch of a fader, whose profile names it, or which just comes along", () => {
    const touched = [[0x90, 104, 127], ...[10, 20, 30, 40].map((high) => [0xe0, 0, high]), [0x90, 104, 0]];
    expect(rig.send(touched, 30).found()?.source).toBe("pad/ch1/bend");
    const known = new Rig({ pad: profileOf(TOUCHED) }).wait(PAUSE_MS);
    expect(known.send(raw("90 68 7f", "90 68 00"), 30).found()).toBeUndefined();
    expect(known.send(touched, 30).found()?.source).toBe("pad/fader1");
  });

  it("a key that is let go, which was pressed before", () => {
    expect(rig.send([[0x80, 60, 0]]).found()).toBeUndefined();
  });

  it("the pressure behind a pad's note", () => {
    const pressed = [[0x90, 40, 90], ...[20, 60, 90, 50].map((value) => [0xd0, value]), [0x80, 40, 0]];
    expect(rig.send(pressed, 30).found()).toMatchObject({ source: "pad/ch1/note40", kind: "momentary" });
  });

  it("a worn knob that trembles, however long, and finds the one that moves", () => {
    for (let turn = 0; turn < 20; turn++) rig.send(cc(9, 64, 65), 50);
    expect(rig.found(1_000)).toBeUndefined();
    rig.send([...cc(9, 64, 65), ...cc(20, 127), ...cc(9, 64), ...cc(20, 0), ...cc(9, 65)], 30);
    expect(rig.found()?.source).toBe("pad/ch1/cc20");
  });

  it("a knob that trembles at its lower end for a button", () => {
    for (let turn = 0; turn < 6; turn++) rig.send(cc(9, 1, 0), 40);
    expect(rig.found(1_000)).toBeUndefined();
  });

  it("what streamed before it began; unless that was silent for a second and moves again", () => {
    const early = new Rig();
    for (let turn = 0; turn < 3; turn++) early.send(sweep(1, 0, 60));
    expect(early.found(500)).toBeUndefined();
    early.send([...sweep(1, 0, 30), ...sweep(7, 0, 8), ...sweep(1, 30, 60)]);
    expect(early.found()?.source).toBe("pad/ch1/cc7");
    early.wait(1_100).send(sweep(1, 0, 100));
    expect(early.found()?.source).toBe("pad/ch1/cc1");
  });

  it("what moved less, and says what else did", () => {
    const both = sweep(7, 0, 60).flatMap((message, index) =>
      index % 6 === 0 ? [message, [0xb0, 9, index]] : [message],
    );
    expect(rig.send(both).found()).toMatchObject({ source: "pad/ch1/cc7", others: ["pad/ch1/cc9"] });
  });
});

describe("learning several messages that are one control", () => {
  it("finds two controllers of one value, and which half comes first (MSB/LSB tear)", () => {
    const halves = (order: readonly number[]) => {
      const fresh = new Rig().wait(PAUSE_MS);
      for (let step = 0; step < 12; step++) {
        const value = step * 300;
        const [first = [], second = []] = order.map((number) => [0xb0, number, number < 32 ? value >> 7 : value & 127]);
        fresh.send([first], 5).send([second], 1);
      }
      return fresh.found();
    };
    expect(halves([1, 33])).toMatchObject({
      source: "pad/ch1/cc1-33",
      kind: "fader",
      remarks: ["14 bits, the high half first"],
      others: [],
    });
    expect(halves([33, 1])).toMatchObject({ source: "pad/ch1/cc1-33", remarks: ["14 bits, the low half first"] });
  });

  it("finds a parameter and not the controllers that carry it", () => {
    const moves = [10, 30, 60, 90].flatMap((high) => [...cc(99, 0), ...cc(98, 8), ...cc(6, high), ...cc(38, 0)]);
    expect(rig.send(moves, 10).found()).toMatchObject({ source: "pad/ch1/nrpn8", others: [] });
    const registered = [10, 30, 60].flatMap((high) => [...cc(101, 0), ...cc(100, 1), ...cc(6, high), ...cc(38, 0)]);
    expect(new Rig().wait(PAUSE_MS).send(registered, 10).found()?.source).toBe("pad/ch1/rpn1");
  });

  it("finds them also when the host stalls between them, each time", () => {
    for (let value = 900; value < 4_000; value += 170)
      rig.send([[0xb0, 1, value >> 7]], 6).send([[0xb0, 33, value & 127]], 15);
    expect(rig.found()).toMatchObject({ source: "pad/ch1/cc1-33", others: [] });
  });

  it("leaves two faders alone that two hands move, though their device reads them out together", () => {
    for (let step = 0; step < 25; step++) rig.send([[0xb0, 1, 20 + step * 2]], 9).send([[0xb0, 33, 90 - step]], 1);
    expect(rig.found()).toMatchObject({ source: "pad/ch1/cc1", others: ["pad/ch1/cc33"] });
  });

  it("leaves two faders alone that only share the numbers of a pair", () => {
    rig.send(sweep(1, 0, 30)).wait(20);
    rig.send(sweep(33, 0, 20), 3);
    expect(rig.found()).toMatchObject({ source: "pad/ch1/cc1", others: ["pad/ch1/cc33"] });
  });
});

describe("learning an encoder that turns without end", () => {
  it.each([
    ["twos-complement", [1, 1, 1, 2, 1, 127, 127, 126, 127]],
    ["offset-binary", [65, 65, 66, 65, 63, 63, 62, 63]],
    ["sign-magnitude", [1, 1, 3, 1, 65, 65, 67, 65]],
  ])("knows %s when it is turned both ways", (encoding, values) => {
    expect(rig.send(cc(16, ...values), 20).found()).toMatchObject({
      source: "pad/ch1/cc16",
      kind: "encoder",
      encoding,
      remarks: [],
    });
  });

  it.each([
    ["twos-complement", [1, 1, 1, 1]],
    ["offset-binary", [65, 65, 65, 65]],
  ])("guesses %s when it is turned to the right only, waits a little, and says that it guessed", (encoding, values) => {
    rig.send(cc(16, ...values), 20).wait(LEARN_US / MS);
    expect(rig.learn.decide()).toBeUndefined();
    const finding = rig.found();
    expect(finding).toMatchObject({ kind: "encoder", encoding });
    expect(finding?.remarks).toEqual([expect.stringContaining("turned one way only")]);
  });

  it("does not take a knob for one that is turned slowly near an end or its middle", () => {
    for (const values of [
      [1, 2, 3, 4, 5, 6, 5, 4],
      [66, 65, 64, 63, 62, 61],
      [127, 126, 125, 124, 123],
    ]) {
      const fresh = new Rig().wait(PAUSE_MS);
      expect(fresh.send(cc(16, ...values), 20).found()?.kind).toBe("fader");
    }
  });
});

describe("learning an OSC control", () => {
  it("finds a fader, an argument of an XY pad, and a button", () => {
    expect(rig.osc("/1/fader1", [0.1, 0.2, 0.3]).found()).toMatchObject({ source: "osc:/1/fader1#0", kind: "fader" });
    const pad = new Rig().wait(PAUSE_MS);
    for (const step of [0.1, 0.3, 0.6, 0.9]) pad.osc("/xy", [0.5 + step / 50]).osc("/xy", [step], 0, 1);
    expect(pad.found()).toMatchObject({ source: "osc:/xy#1", others: ["osc:/xy#0"] });
    expect(new Rig().wait(PAUSE_MS).osc("/push", [1, 0], 90).found()?.kind).toBe("momentary");
    expect(new Rig().wait(PAUSE_MS).osc("/bang", [undefined]).found()?.kind).toBe("trigger");
  });

  it("does not take the touch of a control for it", () => {
    rig.osc("/1/fader1", [0.5]).osc("/1/fader1/z", [1]).osc("/1/fader1", [0.52]).osc("/1/fader1/z", [0]);
    expect(rig.found()).toMatchObject({ source: "osc:/1/fader1#0", others: [] });
  });

  describe("that a layout knows", () => {
    const layout = (more: object = {}): Profile =>
      profileOf({
        ...{ format: 1, name: "Screen", transport: "osc", verified: true, sources: ["this test"] },
        controls: {
          "fader{1..2}": { kind: "fader", osc: "/p/f{n}", touch: { osc: "/p/f{n}/touched" }, range: [0, 127] },
          lamp: { kind: "button", osc: "/p/lamp", toggles: true },
          "xy-x": { kind: "axis", osc: "/p/xy" },
          "xy-y": { kind: "axis", osc: "/p/xy", argument: 1 },
          ...more,
        },
      });
    const taught = (...profiles: Profile[]): Rig =>
      new Rig(Object.fromEntries(profiles.map((profile, at) => [`screen-${at}`, profile]))).wait(PAUSE_MS);

    it("finds it by its name, over the layout's own range", () => {
      const finding = taught(layout()).osc("/p/f2", [3, 60, 100]).found();
      expect(finding).toMatchObject({ source: "screen-0/fader2", kind: "fader", remarks: [], others: [] });
      expect(finding?.control?.name).toBe("fader2");
      expect(taught(layout()).osc("/p/xy", [0.1, 0.2, 0.5], 5, 1).found()?.source).toBe("screen-0/xy-y");
      expect(taught(layout()).osc("/p/lamp", [1]).found()).toMatchObject({ source: "screen-0/lamp", kind: "toggle" });
    });

    it("does not take its touch for it", () => {
      const rig = taught(layout()).osc("/p/f1/touched", [1]).osc("/p/f1", [1, 2]).osc("/p/f1/touched", [0]);
      expect(rig.found()).toMatchObject({ source: "screen-0/fader1", others: [] });
    });

    it("finds it by its address where two layouts know that", () => {
      const two = taught(layout(), layout({ other: { kind: "fader", osc: "/p/other" } }));
      expect(two.osc("/p/f2", [0.1, 0.2]).found()?.source).toBe("osc:/p/f2#0");
      const other = taught(layout(), layout({ other: { kind: "fader", osc: "/p/other" } }));
      expect(other.osc("/p/other", [0.1, 0.2]).found()?.source).toBe("screen-1/other");
    });
  });

  it("takes one that is at another place at once", () => {
    expect(rig.osc("/1/fader1", [0.37]).found()).toMatchObject({ source: "osc:/1/fader1#0", kind: "fader" });
  });

  it("takes what a program gives for a control as well", () => {
    for (const value of [0, 1, 0]) rig.wait(50).learn.onInput("pad", "a", value);
    expect(rig.found()).toMatchObject({ source: "pad/a", kind: "momentary" });
  });

  it("says so when it sends more than 1", () => {
    expect(rig.osc("/1/fader1", [3, 60, 100]).found()?.remarks).toEqual([expect.stringContaining("more than 1")]);
  });
});

describe("learning on a device with a profile", () => {
  it("names the control, and believes the profile more than what it saw", () => {
    const known = new Rig({ pad: profileOf(TOUCHED) }).wait(PAUSE_MS);
    expect(known.send(cc(16, 1, 1, 1), 20).found()).toMatchObject({
      source: "pad/knob1",
      kind: "encoder",
      encoding: "sign-magnitude",
      remarks: [],
    });
  });

  it("takes both halves of a control for that control", () => {
    const known = new Rig({ pad: profileOf(TOUCHED) }).wait(PAUSE_MS);
    // The low half alone is a tremble, and not a way that was gone.
    expect(known.send(cc(34, 0, 90, 10, 120, 40, 3), 10).found()).toBeUndefined();
    for (let step = 0; step < 10; step++) known.send([...cc(2, step * 2), ...cc(34, step)], 3);
    expect(known.found()).toMatchObject({ source: "pad/pan", kind: "fader", others: [] });
  });
});

describe("learning is bounded", () => {
  it("when everything moves at once, and finds what moves after that", () => {
    for (let channel = 0; channel < 16; channel++) {
      for (let number = 0; number < 60; number++) rig.send([[0xb0 + channel, number, 64]], 0.1);
    }
    expect(rig.found(1_000)).toBeUndefined();
    expect(rig.send(sweep(90)).found()?.source).toBe("pad/ch1/cc90");
  });
});

describe("what is proposed", () => {
  const finding: LearnFinding = {
    source: "pad/ch1/cc7",
    control: undefined,
    kind: "fader",
    command: undefined,
    encoding: undefined,
    remarks: [],
    others: [],
  };

  it("is the path's own range, straight", () => {
    const level = completeDeclaration({ type: "float", range: { min: 0, max: 4 } });
    expect(proposalOf("/viz/a", level, finding)).toEqual({ source: "pad/ch1/cc7", path: "/viz/a" });
    expect(proposalOf("/viz/a", undefined, finding)).toEqual({ source: "pad/ch1/cc7", path: "/viz/a" });
  });

  it("is a curve where the path goes by ratios, and a range where an int has none", () => {
    const cutoff = completeDeclaration({ type: "float", range: { min: 20, max: 20_000 }, unit: "Hz" });
    expect(proposalOf("/viz/a", cutoff, finding)).toMatchObject({ curve: "exponential" });
    expect(proposalOf("/viz/a", cutoff, { ...finding, kind: "momentary" })).not.toHaveProperty("curve");
    expect(proposalOf("/viz/a", completeDeclaration({ type: "int" }), finding)).toMatchObject({ range: [0, 127] });
  });

  it("names what an endless encoder sends, unless its profile does", () => {
    const turned = { ...finding, kind: "encoder", encoding: "offset-binary" } as const;
    expect(proposalOf("/viz/a", undefined, turned).options).toEqual({ encoding: "offset-binary" });
    const control = profileOf(TOUCHED).controls.get("knob1");
    expect(proposalOf("/viz/a", undefined, { ...turned, control })).not.toHaveProperty("options");
  });

  describe("of a button for a path of two values", () => {
    const pressed = (path: string, input: DeclarationInput, more: Partial<LearnFinding> = {}) => {
      const found = { ...finding, kind: "momentary", ...more } as const;
      const declaration = completeDeclaration(input);
      return [proposalOf(path, declaration, found).options, remarksOf(path, declaration, found, false).join()];
    };
    const toggles = { mode: "toggle" };

    it.each<DeclarationInput>([
      { type: "bool" },
      { type: "enum", values: ["left", "right"] },
      { type: "int", range: { min: 1, max: 2 } },
    ])("is to toggle, says why, and how it is on while it is down: %j", (input) => {
      const why = expect.stringMatching(/^toggle: .* mostly are to last; with --mode momentary it is on while/);
      expect(pressed("/viz/lamp", input)).toEqual([toggles, why]);
    });

    it.each(["/viz/flash", "/viz/strobe-flash", "/viz/beam/bump", "/global/layers/effects"])(
      "is on while it is down where the path says so, and says how it toggles: %s",
      (path) => {
        const why = expect.stringMatching(/^on while it is down.*; with --mode toggle each press/);
        expect(pressed(path, { type: "bool" })).toEqual([undefined, why]);
      },
    );

    it("is to toggle when it never says that it is let go, whatever the path", () => {
      for (const path of ["/viz/lamp", "/viz/flash"]) {
        const why = expect.stringContaining("never says that it is let go");
        expect(pressed(path, { type: "bool" }, { kind: "trigger" })).toEqual([toggles, why]);
      }
    });

    it("is what it was for a button that turns on and off itself, for play and stop, and for more values", () => {
      const plain = [undefined, ""];
      expect(pressed("/viz/lamp", { type: "bool" }, { kind: "toggle" })).toEqual(plain);
      expect(pressed("/viz/lamp", { type: "bool" }, { kind: "trigger", command: SystemControl.start })).toEqual(plain);
      expect(pressed("/viz/look", { type: "enum", values: ["a", "b", "c"] })).toEqual(plain);
      expect(pressed("/viz/level", { type: "float" })).toEqual(plain);
      expect(pressed("/viz/flashed/level", { type: "impulse" })).toEqual(plain);
    });
  });

  describe("of a transport's command for a path of two values", () => {
    const played = (command: SystemControl, input: DeclarationInput) => {
      const found = { ...finding, kind: "trigger", command } as const;
      const declaration = completeDeclaration(input);
      const { options } = proposalOf("/viz/runs", declaration, found);
      return [options, remarksOf("/viz/runs", declaration, found, false).length];
    };
    const sets = (value: string) => [{ mode: "radio", value }, 1];
    const { start, stop } = SystemControl;

    it.each([stop, SystemControl["mmc-stop"], SystemControl["mmc-record-exit"]])(
      "is that what ends sets the value at rest, and says so: %i",
      (command) => {
        expect(played(command, { type: "bool" })).toEqual(sets("false"));
        expect(played(command, { type: "int", range: { min: 1, max: 2 } })).toEqual(sets("1"));
        expect(played(command, { type: "enum", values: ["left", "right"] })).toEqual(sets("left"));
      },
    );

    it("is by the names of the values, where one of them is that of rest", () => {
      const turned = { type: "enum", values: ["playing", "stopped"] } as const;
      expect([played(stop, turned), played(start, turned)]).toEqual([[undefined, 0], sets("playing")]);
      const straight = { type: "enum", values: ["off", "on"] } as const;
      expect([played(stop, straight), played(start, straight)]).toEqual([sets("off"), [undefined, 0]]);
    });

    it("is a press for what begins, and for a path of more values", () => {
      for (const command of [start, SystemControl["mmc-play"], SystemControl["mmc-pause"]]) {
        expect(played(command, { type: "bool" })).toEqual([undefined, 0]);
      }
      expect(played(stop, { type: "impulse" })).toEqual([undefined, 0]);
      expect(played(stop, { type: "enum", values: ["off", "a", "b"] })).toEqual([undefined, 0]);
    });
  });

  it("is pick-up where the profile says that the control needs it", () => {
    const control = profileOf(TOUCHED).controls.get("pan");
    expect(proposalOf("/viz/a", undefined, { ...finding, control })).toMatchObject({ takeover: "pickup" });
  });
});

const TOUCHED = {
  format: 1,
  name: "Touched",
  vendor: "Test",
  transport: "midi",
  verified: false,
  quirks: { unverified: "Nobody has one." },
  ports: ["Touched"],
  controls: {
    fader1: { kind: "fader", bend: true, touch: { note: 104 } },
    knob1: { kind: "encoder", cc: 16, encoding: "sign-magnitude" },
    pan: { kind: "fader", cc: 2, lsb: 34, pickup: true },
  },
};
