import { describe, expect, it } from "vitest";
import { midiSourceText, parseSource } from "../../../src/input/control-source.js";
import { MidiKind } from "../../../src/input/midi-event.js";
import { SystemControl } from "../../../src/input/system-control.js";

function midi(text: string): unknown {
  const source = parseSource(text);
  return "from" in source && source.from === "midi" ? source.address : source;
}

describe("a source", () => {
  it("is a control by the name in its device's profile", () => {
    expect(parseSource("nano-2/fader1")).toEqual({ from: "profile", alias: "nano-2", control: "fader1" });
  });

  it("is a raw MIDI message of a channel", () => {
    const { cc, cc14, noteOn, poly, bend, program, pressure, rpn, nrpn } = MidiKind;
    expect(parseSource("virmidi-0-0/ch1/cc7")).toEqual({
      from: "midi",
      alias: "virmidi-0-0",
      address: { kind: cc, channel: 1, number: 7, low: -1 },
    });
    expect(midi("a/ch16/cc1-33")).toEqual({ kind: cc14, channel: 16, number: 1, low: 33 });
    expect(midi("a/ch2/note60")).toEqual({ kind: noteOn, channel: 2, number: 60, low: -1 });
    expect(midi("a/ch2/poly0")).toEqual({ kind: poly, channel: 2, number: 0, low: -1 });
    expect(midi("a/ch1/bend")).toEqual({ kind: bend, channel: 1, number: 0, low: -1 });
    expect(midi("a/ch1/program")).toEqual({ kind: program, channel: 1, number: 0, low: -1 });
    expect(midi("a/ch1/pressure")).toEqual({ kind: pressure, channel: 1, number: 0, low: -1 });
    expect(midi("a/ch1/rpn0")).toEqual({ kind: rpn, channel: 1, number: 0, low: -1 });
    expect(midi("a/ch1/nrpn16383")).toEqual({ kind: nrpn, channel: 1, number: 16_383, low: -1 });
  });

  it("is what a device's clock, time code or machine control says", () => {
    const { command, measure } = MidiKind;
    expect(midi("deck/system/start")).toEqual({ kind: command, channel: 1, number: SystemControl.start, low: -1 });
    expect(midi("deck/system/tempo")).toEqual({ kind: measure, channel: 1, number: SystemControl.tempo, low: -1 });
    expect(midiSourceText("deck", command, 1, SystemControl["mmc-record"])).toBe("deck/system/mmc-record");
  });

  it("is an argument of the OSC messages that a pattern matches, the first one unless it says another", () => {
    expect(parseSource("osc:/1/fader*#2")).toEqual({ from: "osc", pattern: "/1/fader*", argument: 2 });
    expect(parseSource("osc:/1/fader1")).toEqual({ from: "osc", pattern: "/1/fader1", argument: 0 });
  });

  it.each([
    ["", "alias"],
    ["Nano/fader1", "alias"],
    ["-a/fader1", "alias"],
    ["a", "no control"],
    ["a/Fader 1", "no control"],
    ["a/ch1", "no message"],
    ["a/ch0/cc7", "ch1 to ch16"],
    ["a/ch17/cc7", "ch1 to ch16"],
    ["a/x/cc7", "x where the channel stands"],
    ["a/ch1/cc128", "no MIDI message"],
    ["a/ch1/cc", "no MIDI message"],
    ["a/ch1/cc7-7", "no MIDI message"],
    ["a/ch1/cc7-128", "no MIDI message"],
    ["a/ch1/note128", "no MIDI message"],
    ["a/ch1/note1-2", "no MIDI message"],
    ["a/ch1/bend1", "no MIDI message"],
    ["a/ch1/nrpn16384", "no MIDI message"],
    ["a/ch1/constructor", "no MIDI message"],
    ["a/system/tempos", "start, continue, stop, beat, tempo, time"],
    ["a/system/constructor", "nothing of a device's system"],
    ["a/ch1/cc7/more", "more than three"],
    ["osc:", "no OSC address pattern"],
    ["osc:/a[", "no OSC address pattern"],
    ["osc:/a#64", "argument number"],
    ["osc:/a#x", "argument number"],
    ["osc:/a#1#2", "argument number"],
  ])("refuses %j and says why", (text, part) => {
    const source = parseSource(text);
    expect("problem" in source ? source.problem : source).toContain(part);
  });
});
