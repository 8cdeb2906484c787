import { describe, expect, it } from "vitest";
import { MidiClock, PULSES_PER_BEAT } from "../../../src/input/midi-clock.js";
import { MidiKind } from "../../../src/input/midi-event.js";
import { SystemControl } from "../../../src/input/system-control.js";
import { BindingRig } from "./binding-rig.js";
import { Listening } from "./midi-model.js";

/** Between two pulses of a clock, in milliseconds. */
function pulseMs(tempo: number): number {
  return 60_000 / tempo / PULSES_PER_BEAT;
}

/** So many pulses of a clock, and what they came to. */
function play(listening: Listening, tempo: number, pulses: number): string[] {
  for (let pulse = 0; pulse < pulses; pulse++) listening.wait(pulseMs(tempo)).hear("f8");
  return told(listening);
}

function told(listening: Listening): string[] {
  const { system } = listening;
  listening.system = [];
  return system;
}

function tempos(texts: readonly string[]): number[] {
  return texts.filter((text) => text !== BEAT).map((text) => Number(/(\d+)\/30000$/.exec(text)?.[1]) / 100);
}

const command = (control: SystemControl): string => `command 1 ${control} 1/1`;
const tempo = (parts: number): string => `measure 1 ${SystemControl.tempo} ${parts}/30000`;
const BEAT = command(SystemControl.beat);

/** Eight quarter frames of a time. `rate`: the two bits of it. */
function quarterFrames(hours: number, minutes: number, seconds: number, frames: number, rate: number): string {
  const pieces = [frames & 15, frames >> 4, seconds & 15, seconds >> 4, minutes & 15, minutes >> 4];
  pieces.push(hours & 15, (hours >> 4) | (rate << 1));
  return pieces.map((nibble, piece) => `f1 ${((piece << 4) | nibble).toString(16).padStart(2, "0")}`).join(" ");
}

function timeOf(text: string): number {
  const [, , , value = ""] = text.split(" ");
  return Number(value.split("/")[0]) / 1_000;
}

describe("the clock of a device", () => {
  it("has a tempo after a beat, which is told once while it is steady", () => {
    const listening = new Listening();
    expect(play(listening, 120, 23)).toEqual([BEAT]);
    expect(play(listening, 120, 240).filter((text) => text !== BEAT)).toEqual([tempo(12_000)]);
  });

  it("has its new tempo within a beat, to a hundredth, and soon exactly, be it far or little", () => {
    const listening = new Listening();
    play(listening, 120, 96);
    const first = tempos(play(listening, 140, 24));
    expect(Math.abs((first.at(-1) ?? 0) - 140)).toBeLessThan(1.4);
    expect([...first, ...tempos(play(listening, 140, 48))].at(-1)).toBe(140);
    expect(tempos(play(listening, 140.5, 120)).at(-1)).toBe(140.5);
  });

  it("is measured to a 1,000th though each pulse comes up to a millisecond off its time, and does not waver", () => {
    const clock = new MidiClock();
    const heard = new Float64Array(1);
    const tempos: number[] = [];
    for (let pulse = 0; pulse < 2_400; pulse++) {
      // Golden ratio: spread evenly, and never the same twice.
      const jitterUs = ((pulse * 0.618_034) % 1) * 1_000;
      heard[0] = 1e9 + pulse * pulseMs(128) * 1_000 + jitterUs;
      if (clock.pulse(heard)) tempos.push(clock.tempo);
    }
    for (const one of tempos) expect(Math.abs(one - 128)).toBeLessThan(0.128);
    expect(tempos.length).toBeLessThan(5);
  });

  it("presses the beat each quarter note from the start on, none while it is stopped, and goes on where it was", () => {
    const listening = new Listening();
    listening.hear("fa");
    expect(told(listening)).toEqual([command(SystemControl.start)]);
    expect(play(listening, 120, 30).filter((text) => text === BEAT)).toHaveLength(2);
    listening.hear("fc");
    expect(told(listening)).toEqual([command(SystemControl.stop)]);
    expect(play(listening, 120, 60)).not.toContain(BEAT);
    listening.hear("fb");
    expect(told(listening)).toEqual([command(SystemControl.continue)]);
    // Six of the second beat were played.
    expect(play(listening, 120, 18)).toEqual([]);
    expect(play(listening, 120, 1)).toEqual([BEAT]);
  });

  it("counts from where the song position says", () => {
    const listening = new Listening().hear("fa");
    told(listening);
    // The third sixteenth of a beat: twelve pulses of it are over.
    listening.hear("fc f2 02 00 fb");
    told(listening);
    expect(play(listening, 120, 12)).not.toContain(BEAT);
    expect(play(listening, 120, 1)).toContain(BEAT);
  });

  it("begins anew after a pause and when the device comes back, and never tells what is no tempo", () => {
    const listening = new Listening();
    play(listening, 120, 48);
    listening.wait(10_000);
    expect(play(listening, 90, 23).filter((text) => text !== BEAT)).toEqual([]);
    expect(play(listening, 90, 12).filter((text) => text !== BEAT)).toEqual([tempo(9_000)]);
    listening.controls.release();
    expect(play(listening, 90, 24).filter((text) => text !== BEAT)).toEqual([tempo(9_000)]);
    // All at one moment, as after a stall.
    for (let pulse = 0; pulse < 100; pulse++) listening.hear("f8");
    expect(told(listening).filter((text) => text !== BEAT)).toEqual([]);
  });
});

describe("the time code of a device", () => {
  it.each([
    [0, 3_723 + (4 + 2) / 24],
    [1, 3_723 + (4 + 2) / 25],
    [3, 3_723 + (4 + 2) / 30],
  ])("is the time of eight quarter frames, two frames later, at rate %i", (rate, seconds) => {
    const listening = new Listening().hear(quarterFrames(1, 2, 3, 4, rate));
    expect(timeOf(told(listening)[0] ?? "")).toBeCloseTo(seconds, 2);
  });

  it("is the clock's on the wall where frames are dropped", () => {
    // 10 minutes of drop frame are 17,982 frames of 1001/30000 s.
    const listening = new Listening().hear("f0 7f 7f 01 01 40 0a 00 00 f7");
    expect(timeOf(told(listening)[0] ?? "")).toBeCloseTo((17_982 * 1_001) / 30_000, 3);
  });

  it("is told by a whole message at once, and by no piece out of order", () => {
    const listening = new Listening().hear("f0 7f 7f 01 01 61 02 03 04 f7");
    expect(timeOf(told(listening)[0] ?? "")).toBeCloseTo(3_723 + 4 / 30, 3);
    const pieces = quarterFrames(1, 2, 3, 4, 3).split(" f1");
    listening.hear([...pieces.slice(0, 3), ...pieces.slice(4)].map((piece) => piece.replace(/^ /, "f1 ")).join(" "));
    expect(told(listening)).toEqual([]);
  });

  it.each([
    "f0 7f 7f 01 01 18 00 00 00 f7",
    "f0 7f 7f 01 01 00 3c 00 00 f7",
    "f0 7f 7f 01 01 00 00 3c 00 f7",
    "f0 7f 7f 01 01 20 00 00 19 f7",
  ])("is nothing where %s says no time", (bytes) => {
    expect(told(new Listening().hear(bytes))).toEqual([]);
  });
});

describe("machine control", () => {
  it("presses what it commands", () => {
    const listening = new Listening().hear("f0 7f 7f 06 02 f7 f0 7f 00 06 01 f7");
    expect(told(listening)).toEqual([command(SystemControl["mmc-play"]), command(SystemControl["mmc-stop"])]);
  });

  it.each(["f0 7f 7f 06 40 f7", "f0 7f 7f 06 02 00 f7", "f0 7e 7f 06 02 f7", "f0 7f 06 f7", "f0 7f 7f 05 02 f7"])(
    "is not what %s says",
    (bytes) => {
      expect(told(new Listening().hear(bytes))).toEqual([]);
    },
  );
});

describe("a binding to the system of a device", () => {
  const { command: press, measure } = MidiKind;

  it("sets the tempo that is measured, whatever the path's range is, and its own range where it has one", () => {
    const rig = new BindingRig();
    rig.path("/viz/tempo", { type: "float", range: { min: 20, max: 300 } });
    rig.path("/viz/glow", { type: "float" });
    rig.bind("tempo", { source: "deck/system/tempo", path: "/viz/tempo" });
    rig.bind("glow", { source: "deck/system/tempo", path: "/viz/glow", range: [0, 3] });
    rig.send(measure, SystemControl.tempo, 12_800, 30_000);
    expect([rig.get("/viz/tempo"), rig.get("/viz/glow")]).toEqual([128, expect.closeTo(1.28, 5)]);
  });

  it("sets the seconds of the time code", () => {
    const rig = new BindingRig();
    rig.path("/viz/position", { type: "double", range: { min: 0, max: 1e9 } });
    rig.bind("time", { source: "deck/system/time", path: "/viz/position" });
    rig.send(measure, SystemControl.time, 3_723_134, 86_400_000);
    expect(rig.get("/viz/position")).toBeCloseTo(3_723.134, 6);
  });

  it("asks for SysEx, which is not heard by default, where it comes by that", () => {
    const rig = new BindingRig();
    for (const word of ["tempo", "start", "mmc-play", "time"]) {
      rig.bind("one", { source: `${word}/system/${word}`, path: "/viz/one" });
      rig.bind("other", { source: `${word}/ch1/cc7`, path: "/viz/other" });
      const [device] = rig.bindings.devices;
      expect([device?.alias, device?.needsSysex]).toEqual([word, word === "mmc-play" || word === "time"]);
    }
  });

  it("fires at each start and each command, and switches a truth by buttons of its own", () => {
    const rig = new BindingRig();
    rig.path("/viz/go", { type: "impulse" });
    rig.path("/viz/runs", { type: "bool" });
    rig.bind("go", { source: "deck/system/beat", path: "/viz/go" });
    rig.bind("on", { source: "deck/system/start", path: "/viz/runs", mode: "radio", value: "true" });
    rig.bind("off", { source: "deck/system/stop", path: "/viz/runs", mode: "radio", value: "false" });
    for (let beat = 0; beat < 3; beat++) rig.send(press, SystemControl.beat, 1, 1);
    expect(rig.node.fired.get("/viz/go")).toBe(3);
    rig.send(press, SystemControl.start, 1, 1);
    expect(rig.get("/viz/runs")).toBe(true);
    rig.send(press, SystemControl.stop, 1, 1);
    expect(rig.get("/viz/runs")).toBe(false);
  });
});
