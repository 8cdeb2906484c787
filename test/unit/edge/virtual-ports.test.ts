import { expect, it } from "vitest";
import type { MidiSystem } from "../../../src/edge/midi-system.js";
import { VirtualPorts } from "../../../src/edge/virtual-ports.js";
import type { MidiPort, MidiPortList } from "../../../src/input/midi-port.js";

const done: string[] = [];
const input = { overruns: () => 0, hearSysex: () => {}, close: () => {} };
const output = { send: () => {}, close: () => {} };
const port = (own: string): MidiPort => ({ name: `RtMidi Input Client:${own} 130:0`, own, place: "" });
let found: MidiPortList | string = { inputs: [port("Pad"), port("Stage")], outputs: [port("Stage"), port("Pad")] };
const system: MidiSystem = {
  scan: () => found,
  openInput: ({ own }) => (done.push(`open in ${own}`), input),
  openOutput: ({ own }) => (done.push(`open out ${own}`), output),
  makeInput: (name) => (done.push(`make in ${name}`), input),
  makeOutput: (name) => (done.push(`make out ${name}`), output),
};
const ports = new VirtualPorts(system, ["Stage", "Stage"]);

function scanned(): MidiPortList {
  const list = ports.scan();
  if (typeof list === "string") throw new Error(list);
  return list;
}

it("lists a virtual port once, first, and not what the system shows of it", () => {
  expect(scanned().inputs.map(({ own }) => own)).toEqual(["Stage", "Pad"]);
  expect(scanned().outputs.map(({ own }) => own)).toEqual(["Stage", "Pad"]);
});

it("makes what is its own when it is opened, and opens the rest", () => {
  const { inputs, outputs } = scanned();
  for (const one of inputs) ports.openInput(one, false, () => {});
  for (const one of outputs) ports.openOutput(one);
  expect(done).toEqual(["make in Stage", "open in Pad", "make out Stage", "open out Pad"]);
});

it("has nothing where the system has no MIDI", () => {
  found = "no sequencer";
  expect(ports.scan()).toBe("no sequencer");
});
