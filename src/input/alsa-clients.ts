/**
 * ALSA clients: the text in which the Linux kernel lists the sequencer's clients, ports and connections, as tables.
 *
 * Reading that text costs no sequencer client of our own (RtMidi makes one, with a queue, for each look at the list),
 * and it tells what RtMidi does not: who is connected, and how often a client's queue ran over. Names in it are chosen
 * by other programs, so a line that is not understood is passed over. It opens nothing.
 */
import type { MidiPort, MidiPortList } from "./midi-port.js";

export interface AlsaPort {
  readonly number: number;
  readonly name: string;
  /** Others may read from it, as from a keyboard; write to it, as to a synthesizer. */
  readonly isReadable: boolean;
  readonly isWritable: boolean;
  /** `client:port` of those that get what it sends, and of those whose it gets. */
  readonly readers: readonly string[];
  readonly writers: readonly string[];
}

export interface AlsaClient {
  readonly number: number;
  readonly name: string;
  readonly ports: readonly AlsaPort[];
  /** Messages that did not fit into the queue of what it is to read, since it began. */
  readonly overruns: number;
}

/** The kernel's own client: a timer and the announcements. */
const SYSTEM_CLIENT = 0;
/** RtMidi's ports that stand for a connection: one of these for each port that a program like this one has open. */
const RTMIDI = /^RtMidi (In|Out)put/;
/** Clients of the kernel for sound cards: four numbers each, from here on, up to those of programs. */
const FIRST_CARD_CLIENT = 16;
const CLIENTS_PER_CARD = 4;
const FIRST_PROGRAM_CLIENT = 128;

const CLIENT = /^Client +(\d+) : "(.*)" \[/;
const PORT = /^ +Port +(\d+) : "(.*)" \((.)(.)..\)/;
const CONNECTIONS = /^ +Connect(ing To|ed From): (.*)$/;
const POOL = /^ +(Input|Output) pool/;
const FAILURES = /^ +Alloc failures +: (\d+)/;

/** Reads `/proc/asound/seq/clients`. */
export function parseAlsaClients(text: string): AlsaClient[] {
  const reading = new Reading();
  for (const line of text.split("\n")) reading.line(line);
  return reading.clients;
}

class Reading {
  readonly clients: WritableClient[] = [];
  private isInputPool = false;

  line(line: string): void {
    if (this.readClient(line) || this.readPort(line) || this.readConnections(line)) return;
    const pool = POOL.exec(line);
    if (pool !== null) this.isInputPool = pool[1] === "Input";
    const failures = FAILURES.exec(line);
    const client = this.clients.at(-1);
    if (failures !== null && client !== undefined && this.isInputPool) client.overruns = Number(failures[1]);
  }

  private readClient(line: string): boolean {
    const client = CLIENT.exec(line);
    if (client === null) return false;
    this.clients.push({ number: Number(client[1]), name: client[2] ?? "", ports: [], overruns: 0 });
    this.isInputPool = false;
    return true;
  }

  private readPort(line: string): boolean {
    const port = PORT.exec(line);
    if (port === null) return false;
    const [, number, name = "", read, write] = port;
    const isReadable = read === "R";
    const isWritable = write === "W";
    const one = { number: Number(number), name, isReadable, isWritable, readers: [], writers: [] };
    this.clients.at(-1)?.ports.push(one);
    return true;
  }

  private readConnections(line: string): boolean {
    const connections = CONNECTIONS.exec(line);
    const port = this.clients.at(-1)?.ports.at(-1);
    if (connections === null || port === undefined) return false;
    const addresses = connections[2]?.match(/\d+:\d+/g) ?? [];
    (connections[1] === "ing To" ? port.readers : port.writers).push(...addresses);
    return true;
  }
}

interface WritableClient extends AlsaClient {
  readonly ports: WritablePort[];
  overruns: number;
}

interface WritablePort extends AlsaPort {
  readonly readers: string[];
  readonly writers: string[];
}

/** What this process has connected to which port; `client` is the one that RtMidi made for it. */
export interface AlsaConnection {
  /** The port's full name, as it was when it was opened. */
  readonly name: string;
  readonly isInput: boolean;
  readonly client: number;
}

/**
 * The ports that a device or another program offers, named as RtMidi names them. `placeOf` tells where a client's card
 * is plugged in; `connections` are this process's own.
 */
export function alsaPorts(
  clients: readonly AlsaClient[],
  placeOf: (client: number) => string,
  connections: readonly AlsaConnection[],
): MidiPortList {
  const inputs: MidiPort[] = [];
  const outputs: MidiPort[] = [];
  for (const client of clients) {
    if (client.number === SYSTEM_CLIENT) continue;
    const place = placeOf(client.number);
    for (const port of client.ports) {
      if (RTMIDI.test(client.name) && RTMIDI.test(port.name)) continue;
      const name = `${client.name}:${port.name} ${client.number}:${port.number}`;
      const named = { name, own: port.name, place };
      const isTo = (isInput: boolean): boolean | undefined => isConnected(port, name, isInput, connections);
      if (port.isReadable) inputs.push({ ...named, isConnected: isTo(true) });
      if (port.isWritable) outputs.push({ ...named, isConnected: isTo(false) });
    }
  }
  return { inputs, outputs };
}

/** Undefined when this process has not opened it. */
function isConnected(
  port: AlsaPort,
  name: string,
  isInput: boolean,
  connections: readonly AlsaConnection[],
): boolean | undefined {
  const own = connections.filter((connection) => connection.name === name && connection.isInput === isInput);
  if (own.length === 0) return undefined;
  const others = isInput ? port.readers : port.writers;
  return own.some(({ client }) => others.some((address) => address.startsWith(`${client}:`)));
}

/** The number of the sound card that a client of the kernel stands for. */
export function cardOf(client: number): number | undefined {
  if (client < FIRST_CARD_CLIENT || client >= FIRST_PROGRAM_CLIENT) return undefined;
  return Math.floor((client - FIRST_CARD_CLIENT) / CLIENTS_PER_CARD);
}

/**
 * Reads `/proc/asound/cardN/midiM`: the process that has the raw port open, past the sequencer; undefined if none has.
 * `number` is the substream, which is the sequencer port's number without that of its device.
 */
export function rawPortOwner(text: string, isInput: boolean, number: number): number | undefined {
  const wanted = `${isInput ? "Input" : "Output"} ${number}`;
  let isWanted = false;
  for (const line of text.split("\n")) {
    if (/^(Input|Output) \d+/.test(line)) isWanted = line.trim() === wanted;
    const owner = /^ +Owner PID +: (\d+)/.exec(line);
    if (isWanted && owner !== null) return Number(owner[1]);
  }
  return undefined;
}
