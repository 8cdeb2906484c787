/**
 * Virtual ports: MIDI ports of the node's own, to which other programs of this machine connect, as to a device.
 *
 * To the hub they are ports like any other: listed, opened once something is bound to them, and then others see them.
 * The system lists them too; that is left out, or the node would hear itself.
 */
import type { MidiPort, MidiPortList } from "../input/midi-port.js";
import type { MidiBytesHandler, MidiInputPort, MidiOutputPort, MidiSystem } from "./midi-system.js";

export class VirtualPorts implements MidiSystem {
  private readonly system: MidiSystem;
  private readonly names: ReadonlySet<string>;
  private readonly own: readonly MidiPort[];

  /** `names`: what others see them as. */
  constructor(system: MidiSystem, names: readonly string[]) {
    this.system = system;
    this.names = new Set(names);
    this.own = [...this.names].map((name) => ({ name: `virtual ${name}`, own: name, place: "" }));
  }

  scan(): MidiPortList | string {
    const found = this.system.scan();
    if (typeof found === "string" || this.own.length === 0) return found;
    const isOther = ({ own }: MidiPort): boolean => !this.names.has(own);
    return {
      inputs: [...this.own, ...found.inputs.filter(isOther)],
      outputs: [...this.own, ...found.outputs.filter(isOther)],
    };
  }

  openInput(port: MidiPort, hearsSysex: boolean, onBytes: MidiBytesHandler): MidiInputPort {
    if (!this.own.includes(port)) return this.system.openInput(port, hearsSysex, onBytes);
    return this.system.makeInput(port.own, hearsSysex, onBytes);
  }

  openOutput(port: MidiPort): MidiOutputPort {
    return this.own.includes(port) ? this.system.makeOutput(port.own) : this.system.openOutput(port);
  }

  makeInput(name: string, hearsSysex: boolean, onBytes: MidiBytesHandler): MidiInputPort {
    return this.system.makeInput(name, hearsSysex, onBytes);
  }

  makeOutput(name: string): MidiOutputPort {
    return this.system.makeOutput(name);
  }
}
