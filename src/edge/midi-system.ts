/**
 * MIDI system: the ports of this machine, through RtMidi. The only file that touches it.
 *
 * The library is loaded when a port is first opened (on Linux; elsewhere when the ports are first listed), so a node
 * without MIDI never loads native code. It is asked for nothing that can be known to fail: without a sequencer device it
 * prints to stderr and throws, and of a port that is taken it says neither why nor by whom. Every error comes out as a
 * sentence. It never decides which ports are open, and never reads what comes in.
 */
import { createRequire } from "node:module";
import type * as Library from "@julusian/midi/lazy";
import { type AlsaClient, type AlsaConnection, alsaPorts } from "../input/alsa-clients.js";
import { type MidiPort, type MidiPortList, ownNameOf } from "../input/midi-port.js";
import { AlsaSequencer } from "./alsa-sequencer.js";
import { messageOf } from "./trouble.js";

/** `seconds` is how long after the one before these bytes were sent; 0 for the first. */
export type MidiBytesHandler = (bytes: Uint8Array, seconds: number) => void;

export interface MidiInputPort {
  /** Messages that the system's queue could not take since it was opened, as of the last scan. */
  overruns(): number;
  /** From now on its SysEx is heard, or no more. */
  hearSysex(isHeard: boolean): void;
  close(): void;
}

export interface MidiOutputPort {
  /** One whole message. Throws when the system refuses it. */
  send(message: Uint8Array): void;
  close(): void;
}

/** What the hub needs of a machine. `scan` and both `open` are quick, and may be called from the event loop. */
export interface MidiSystem {
  /** The ports that are there, or why there is no MIDI at all. */
  scan(): MidiPortList | string;
  /** Throws an error whose message says why it cannot be had. SysEx is heard only if asked for. */
  openInput(port: MidiPort, hearsSysex: boolean, onBytes: MidiBytesHandler): MidiInputPort;
  openOutput(port: MidiPort): MidiOutputPort;
  /** Makes a port of this name to which others connect. Throws as above; Windows has none. */
  makeInput(name: string, hearsSysex: boolean, onBytes: MidiBytesHandler): MidiInputPort;
  makeOutput(name: string): MidiOutputPort;
}

type LibraryPort = Library.Input | Library.Output;

/** This machine's. */
export function midiSystem(): MidiSystem {
  return process.platform === "linux" ? new AlsaSystem() : new PlainSystem();
}

/** Windows and macOS: the library's own list. */
class PlainSystem implements MidiSystem {
  private readonly naming = process.platform === "win32" ? "windows" : "plain";

  scan(): MidiPortList | string {
    try {
      const { Input, Output } = library();
      return { inputs: this.named(Input.getPortNames()), outputs: this.named(Output.getPortNames()) };
    } catch (error) {
      return `the system's MIDI cannot be used: ${messageOf(error)}`;
    }
  }

  openInput(port: MidiPort, hearsSysex: boolean, onBytes: MidiBytesHandler): MidiInputPort {
    return openInput((names) => this.indexOf(names, port), hearsSysex, onBytes);
  }

  openOutput(port: MidiPort): MidiOutputPort {
    return openOutput((names) => this.indexOf(names, port));
  }

  makeInput(name: string, hearsSysex: boolean, onBytes: MidiBytesHandler): MidiInputPort {
    return makeInput(name, hearsSysex, onBytes);
  }

  makeOutput(name: string): MidiOutputPort {
    return makeOutput(name);
  }

  private indexOf(names: readonly string[], port: MidiPort): number {
    return this.named(names).findIndex(({ name }) => name === port.name);
  }

  /** Equal names, and Windows' that hold an index which moves with other devices, are told apart by their order. */
  private named(names: readonly string[]): MidiPort[] {
    const seen = new Map<string, number>();
    return names.map((full) => {
      const own = ownNameOf(full, this.naming);
      const number = (seen.get(own) ?? 0) + 1;
      seen.set(own, number);
      return { name: number === 1 ? own : `${own} (${number})`, own, place: "" };
    });
  }
}

/** Linux: everything but the bytes comes from the kernel's own files. */
class AlsaSystem implements MidiSystem {
  private readonly sequencer = new AlsaSequencer();
  private readonly open = new Set<AlsaPortConnection>();

  scan(): MidiPortList | string {
    const trouble = this.sequencer.trouble();
    if (trouble !== "") return trouble;
    const clients = this.sequencer.clients();
    if (clients === undefined) return this.scanByLibrary();
    for (const connection of this.open) connection.look(clients);
    return alsaPorts(clients, (client) => this.sequencer.placeOf(client), [...this.open]);
  }

  openInput(port: MidiPort, hearsSysex: boolean, onBytes: MidiBytesHandler): MidiInputPort {
    return this.connect(port, true, () => openInput((names) => names.indexOf(port.name), hearsSysex, onBytes));
  }

  openOutput(port: MidiPort): MidiOutputPort {
    return this.connect(port, false, () => openOutput((names) => names.indexOf(port.name)));
  }

  makeInput(name: string, hearsSysex: boolean, onBytes: MidiBytesHandler): MidiInputPort {
    this.mustWork();
    return makeInput(name, hearsSysex, onBytes);
  }

  makeOutput(name: string): MidiOutputPort {
    this.mustWork();
    return makeOutput(name);
  }

  private mustWork(): void {
    const trouble = this.sequencer.trouble();
    if (trouble !== "") throw new Error(trouble);
  }

  /** Opens it unless it is known to be taken, and finds the client that the library made for it. */
  private connect<Port extends { close(): void }>(port: MidiPort, isInput: boolean, open: () => Port): Port {
    this.mustWork();
    const before = this.sequencer.clients() ?? [];
    const holder = this.holderOf(before, port, isInput);
    if (holder !== "") throw new Error(`another program has it open (${holder})`);
    const opened = open();
    const client = newClient(before, this.sequencer.clients() ?? [], port, isInput);
    if (client === undefined) return opened;
    const connection = new AlsaPortConnection(port.name, isInput, client);
    this.open.add(connection);
    const close = (): void => {
      this.open.delete(connection);
      opened.close();
    };
    return { ...opened, overruns: () => connection.overruns, close };
  }

  private holderOf(clients: readonly AlsaClient[], { name }: MidiPort, isInput: boolean): string {
    const [, client, port] = / (\d+):(\d+)$/.exec(name) ?? [];
    const found = clients.find(({ number }) => number === Number(client));
    return found === undefined ? "" : this.sequencer.holderOf(found, Number(port), isInput);
  }

  /** Where the kernel's list is hidden: no places, no overruns, and a sequencer client for each look. */
  private scanByLibrary(): MidiPortList | string {
    try {
      const { Input, Output } = library();
      const named = (name: string): MidiPort => ({ name, own: ownNameOf(name, "alsa"), place: "" });
      return { inputs: Input.getPortNames().map(named), outputs: Output.getPortNames().map(named) };
    } catch (error) {
      return `ALSA cannot be used: ${messageOf(error)}`;
    }
  }
}

/** What this process has connected, and how often its queue ran over. */
class AlsaPortConnection implements AlsaConnection {
  readonly name: string;
  readonly isInput: boolean;
  readonly client: number;
  overruns = 0;

  constructor(name: string, isInput: boolean, client: number) {
    this.name = name;
    this.isInput = isInput;
    this.client = client;
  }

  look(clients: readonly AlsaClient[]): void {
    this.overruns = clients.find(({ number }) => number === this.client)?.overruns ?? this.overruns;
  }
}

/** The client that came meanwhile and is connected to the port; undefined where the system does not tell. */
function newClient(
  before: readonly AlsaClient[],
  now: readonly AlsaClient[],
  port: MidiPort,
  isInput: boolean,
): number | undefined {
  const address = port.name.slice(port.name.lastIndexOf(" ") + 1);
  const isConnected = ({ ports }: AlsaClient): boolean =>
    ports.some(({ readers, writers }) => (isInput ? writers : readers).includes(address));
  const isNew = (client: AlsaClient): boolean => !before.some(({ number }) => number === client.number);
  return now.find((client) => isNew(client) && isConnected(client))?.number;
}

let loaded: typeof Library | undefined;

function library(): typeof Library {
  loaded ??= createRequire(import.meta.url)("@julusian/midi/lazy") as typeof Library;
  return loaded;
}

function openInput(
  indexOf: (names: readonly string[]) => number,
  hearsSysex: boolean,
  onBytes: MidiBytesHandler,
): MidiInputPort {
  return inputWith((input) => openPort(input, indexOf), hearsSysex, onBytes);
}

function makeInput(name: string, hearsSysex: boolean, onBytes: MidiBytesHandler): MidiInputPort {
  return inputWith((input) => makePort(input, name), hearsSysex, onBytes);
}

function inputWith(
  open: (input: Library.Input) => void,
  hearsSysex: boolean,
  onBytes: MidiBytesHandler,
): MidiInputPort {
  const { Input } = library();
  const input = new Input();
  const hearSysex = (isHeard: boolean): void => input.ignoreTypes(!isHeard, false, true);
  hearSysex(hearsSysex);
  open(input);
  input.on("messageBuffer", (seconds, bytes) => onBytes(bytes, seconds));
  return { overruns: () => 0, hearSysex, close: () => input.destroy() };
}

function openOutput(indexOf: (names: readonly string[]) => number): MidiOutputPort {
  return outputWith((output) => openPort(output, indexOf));
}

function makeOutput(name: string): MidiOutputPort {
  return outputWith((output) => makePort(output, name));
}

function outputWith(open: (output: Library.Output) => void): MidiOutputPort {
  const { Output } = library();
  const output = new Output();
  open(output);
  return {
    send: (message) => output.sendMessage(Buffer.from(message.buffer, message.byteOffset, message.length)),
    close: () => output.destroy(),
  };
}

function makePort(port: LibraryPort, name: string): void {
  if (process.platform === "win32") {
    port.destroy();
    throw new Error("Windows has no virtual ports; a loopback driver makes some");
  }
  try {
    port.openVirtualPort(name);
  } catch (error) {
    port.destroy();
    throw new Error(`the virtual port cannot be made: ${messageOf(error)}`, { cause: error });
  }
}

function openPort(port: LibraryPort, indexOf: (names: readonly string[]) => number): void {
  try {
    const names = Array.from({ length: port.getPortCount() }, (_, index) => port.getPortName(index));
    const index = indexOf(names);
    if (index < 0) throw new Error("it is not there any more");
    port.openPort(index);
    if (!port.isPortOpen()) throw new Error("the system did not open it");
  } catch (error) {
    port.destroy();
    throw new Error(reasonOf(error), { cause: error });
  }
}

/** The library says "Internal RtMidi error" for whatever happens. */
function reasonOf(error: unknown): string {
  const message = messageOf(error);
  if (!message.includes("RtMidi")) return message;
  return "the system refused to open it; is it open in another program?";
}
