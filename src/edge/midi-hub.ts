/**
 * MIDI hub: the MIDI side of a node at its ports. Bytes in, control events out; messages to send, paced, out.
 *
 * It does what `MidiDevices` says at the ports of a `MidiSystem`, and hands what each device sends through a stream and
 * its controls to one listener, inside a turn of the event loop. Nothing here ever throws because of a device: what
 * cannot be had is a sentence for the node's health and is tried again for ever. Nothing is opened, scanned or even
 * loaded before a device is wanted.
 */
import type { Clock } from "../base/clock.js";
import type { Profile } from "../config/profile.js";
import { MidiControls, type MidiPair } from "../input/midi-controls.js";
import { MidiCounter, MidiCounters } from "../input/midi-counters.js";
import {
  type MidiAdoption,
  type MidiDeviceReport,
  MidiDevices,
  type MidiSlot,
  type PortNaming,
} from "../input/midi-devices.js";
import type { MidiEvent, MidiSink } from "../input/midi-event.js";
import { MidiLag } from "../input/midi-lag.js";
import { isOneMessage, MidiOutbox, type MidiPacing } from "../input/midi-outbox.js";
import { MidiStream } from "../input/midi-stream.js";
import type { KnownProfile } from "../input/surface-profiles.js";
import { blinkDevice } from "./device-blink.js";
import { askIdentity, type Identity } from "./identity-ask.js";
import type { MidiInputPort, MidiOutputPort, MidiSystem } from "./midi-system.js";
import { messageOf } from "./trouble.js";

/** A device that somebody needs, under the alias that the show has for it. */
export interface MidiWanted {
  readonly alias: string;
  /** Controllers that are the halves of one value. */
  readonly pairs: readonly MidiPair[];
  /** Something is to be sent to it. */
  readonly needsOutput: boolean;
  /** Somebody reads its SysEx. Native code collects one that never ends without bound, so it is not heard by default. */
  readonly needsSysex: boolean;
  readonly pacing?: MidiPacing | undefined;
  /** What it is sent as soon as its output is open, and before that is closed. */
  readonly init?: readonly Uint8Array[] | undefined;
  readonly exit?: readonly Uint8Array[] | undefined;
}

/** Gets what devices send, each by its index in the list last wanted. What is handed over is valid during the call. */
export interface MidiListener {
  control(device: number, event: MidiEvent): void;
  sysex(device: number, bytes: Uint8Array, length: number): void;
  /** It can be heard, and sent to if that is needed; for the first time or again. */
  opened(device: number): void;
  /** It went away. Its notes have been let go. */
  closed(device: number): void;
}

/** The event loop's side: `LiveLoop`. */
export interface MidiTurn {
  begin(): void;
  end(): void;
  /** Makes sure that `pump` is called by then, in own time. */
  wakeBy(dueUs: number): void;
  /** The same for the time in `dues[0]`, which mostly is far: called for each message. */
  wakeFor(dues: Float64Array): void;
}

/** Who is told what comes, as it came, before anything is made of it. */
export interface MidiTap {
  midi(alias: string, bytes: Uint8Array, sentUs: number): void;
  port(alias: string, isOpen: boolean): void;
  /** What waited for its other half is told now. */
  due(alias: string): void;
}

export interface MidiHubParts {
  readonly system: MidiSystem;
  readonly clock: Clock;
  readonly turn: MidiTurn;
  readonly listener: MidiListener;
  /** What is wrong now, "" when nothing is. Called only when that changes. */
  readonly onHealth: (text: string) => void;
  /** The alias of a port's own name, where it is not just that name. */
  readonly nameOf?: PortNaming | undefined;
  /** Asked for each message: undefined while nobody records. */
  readonly tap?: (() => MidiTap | undefined) | undefined;
}

const SECOND_US = 1_000_000;
/** How long the loss of messages is told. */
const LOSS_TOLD_US = 60_000_000;

export class MidiHub {
  readonly counters = new MidiCounters();
  private readonly parts: MidiHubParts;
  private readonly devices: MidiDevices;
  private readonly surfaces = new Map<string, Surface>();
  private health = "";
  /** The last loss of messages, as long as it is told. */
  private loss = "";
  /** [0] until when it is told. */
  private readonly times = new Float64Array(1);
  private isClosed = false;

  constructor(parts: MidiHubParts) {
    this.parts = parts;
    this.devices = new MidiDevices(parts.clock, parts.nameOf);
  }

  /**
   * Sets the devices that are to be open, all of them each time; the listener hears of each by its index in this list.
   * What is plugged in is open when this returns, or `stateOf` says why not.
   */
  want(wanted: readonly MidiWanted[]): void {
    if (this.isClosed) return;
    this.inTurn(() => {
      const aliases = new Set(wanted.map(({ alias }) => alias));
      for (const [alias, surface] of this.surfaces) if (!aliases.has(alias)) surface.device = -1;
      for (const [index, one] of wanted.entries()) this.surface(one.alias).want(index, one);
      this.devices.want(wanted);
      if (this.devices.isWanting) this.scan(true);
      this.act();
      for (const alias of this.surfaces.keys()) if (!aliases.has(alias)) this.surfaces.delete(alias);
    });
  }

  /** Every device that is plugged in or wanted, as of now. */
  list(): readonly MidiDeviceReport[] {
    this.inTurn(() => {
      this.scan(true);
      this.act();
    });
    return this.devices.report();
  }

  /** Sets the aliases that a user gave to devices of this machine. */
  adopt(adoptions: readonly MidiAdoption[]): void {
    this.inTurn(() => {
      this.devices.adopt(adoptions);
      if (this.devices.isWanting) this.scan(true);
      this.act();
    });
  }

  /** Asks a device who it is, at ports that are opened for that. */
  identify(alias: string, known: readonly KnownProfile[]): Promise<Identity> {
    return askIdentity(this.parts.system, this.devices.portsOf(alias), known);
  }

  /** Lets the lights of a device blink. */
  blink(alias: string, profile: Profile | undefined): Promise<string> {
    return blinkDevice(this.parts.system, this.devices.portsOf(alias).output, profile);
  }

  /** The unit that has this alias now. */
  unitOf(alias: string): Omit<MidiAdoption, "alias"> | undefined {
    return this.devices.unitOf(alias);
  }

  /** How it is with one that is wanted or was seen; undefined for an alias that nobody knows. */
  stateOf(alias: string): MidiDeviceReport | undefined {
    return this.devices.stateOf(alias);
  }

  /** Sends one whole message as soon as the device can take it. False when it is not open or its queue is full. */
  send(alias: string, message: Uint8Array): boolean {
    const surface = this.surfaces.get(alias);
    if (surface === undefined || !surface.canSend || !isOneMessage(message)) return false;
    const isTaken = surface.send(message);
    if (surface.outbox.length > 0) this.parts.turn.wakeBy(surface.outbox.dueUs);
    return isTaken;
  }

  /** Messages to a device that have not left yet. */
  waiting(alias: string): number {
    return this.surfaces.get(alias)?.outbox.length ?? 0;
  }

  /** When `pump` has something to do, in own time. */
  dueUs(): number {
    let due = this.devices.dueUs;
    for (const { controls, outbox } of this.surfaces.values()) {
      due = Math.min(due, controls.nextDueUs, outbox.dueUs);
    }
    return due;
  }

  /** Does what is due: inside a turn. */
  pump(): void {
    if (this.isClosed) return;
    if (this.devices.isScanDue) this.scan(false);
    this.shed();
    this.act();
    for (const surface of this.surfaces.values()) surface.pump();
  }

  close(): void {
    this.want([]);
    this.isClosed = true;
  }

  private inTurn(act: () => void): void {
    const { turn } = this.parts;
    turn.begin();
    try {
      act();
    } finally {
      turn.end();
    }
    turn.wakeBy(this.dueUs());
  }

  private surface(alias: string): Surface {
    let surface = this.surfaces.get(alias);
    if (surface === undefined) {
      surface = new Surface(alias, this.parts, this.counters);
      this.surfaces.set(alias, surface);
    }
    return surface;
  }

  private scan(isFinal: boolean): void {
    const found = this.parts.system.scan();
    if (typeof found === "string") this.devices.unavailable(found);
    else this.devices.scanned(found, isFinal);
    this.countOverruns();
  }

  /** Closes and opens what `MidiDevices` says: what is closed may be to be opened anew. */
  private act(): void {
    for (const { isOpening, slot } of this.devices.actions()) if (!isOpening) this.closeSlot(slot);
    for (const { isOpening, slot } of this.devices.actions()) if (isOpening) this.open(slot);
    for (const [alias, surface] of this.surfaces) {
      surface.tell(this.devices.stateOf(alias)?.state === "open");
    }
    this.tellHealth();
  }

  private open(slot: MidiSlot): void {
    try {
      this.surface(slot.alias).open(slot, this.parts.system);
      this.devices.opened(slot);
      this.counters.count(MidiCounter.opens);
    } catch (error) {
      this.devices.failed(slot, messageOf(error));
      this.counters.count(MidiCounter.opensFailed);
    }
  }

  private closeSlot(slot: MidiSlot): void {
    this.surfaces.get(slot.alias)?.close(slot);
    this.devices.closed(slot);
  }

  /** Opens the ports anew that this process cannot keep up with: what waits for it goes, its queue has no bound. */
  private shed(): void {
    for (const [alias, surface] of this.surfaces) {
      if (!surface.isBehind) continue;
      surface.isBehind = false;
      this.counters.count(MidiCounter.fallenBehind);
      this.tellLoss(`${alias}: it sends faster than this node works, and what waited was dropped`);
      this.devices.cut(alias);
    }
  }

  private tellLoss(sentence: string): void {
    this.loss = sentence;
    this.times[0] = this.parts.clock.nowUs + LOSS_TOLD_US;
  }

  private countOverruns(): void {
    for (const [alias, surface] of this.surfaces) {
      const lost = surface.newOverruns();
      if (lost === 0) continue;
      this.counters.count(MidiCounter.overruns, lost);
      this.tellLoss(`${alias}: it sends faster than this machine reads, and ${lost} messages or more were lost`);
    }
    if (this.parts.clock.nowUs >= this.times[0]) this.loss = "";
  }

  private tellHealth(): void {
    const sentences = this.devices.troubles();
    if (this.loss !== "") sentences.push(this.loss);
    const text = sentences.join("; ");
    if (text === this.health) return;
    this.health = text;
    this.parts.onHealth(text);
  }
}

/** One wanted device: its ports, what it is saying, and what is to be said to it. Outlives its ports. */
class Surface implements MidiSink {
  /** Its index in the list of what is wanted; -1 when it is not wanted any more. */
  device = -1;
  readonly controls: MidiControls;
  outbox: MidiOutbox;
  /** This process does not keep up with what it sends. */
  isBehind = false;
  private readonly alias: string;
  private readonly parts: MidiHubParts;
  private readonly counters: MidiCounters;
  private readonly lag = new MidiLag();
  private readonly stream: MidiStream;
  private wanted: MidiWanted | undefined;
  private input: MidiInputPort | undefined;
  private output: MidiOutputPort | undefined;
  private toldOverruns = 0;
  private isTold = false;

  constructor(alias: string, parts: MidiHubParts, counters: MidiCounters) {
    this.alias = alias;
    this.parts = parts;
    this.counters = counters;
    this.controls = new MidiControls(this, parts.clock, counters);
    this.stream = new MidiStream(this.controls, counters);
    this.outbox = new MidiOutbox(parts.clock);
  }

  want(device: number, wanted: MidiWanted): void {
    this.device = device;
    this.controls.setPairs(wanted.pairs);
    const before = this.wanted;
    this.wanted = wanted;
    const { pacing, needsSysex } = wanted;
    if (needsSysex !== before?.needsSysex) this.input?.hearSysex(needsSysex);
    if (pacing !== undefined && pacing !== before?.pacing) this.outbox = new MidiOutbox(this.parts.clock, pacing);
  }

  get canSend(): boolean {
    return this.output !== undefined;
  }

  open({ isInput, port }: MidiSlot, system: MidiSystem): void {
    if (port === undefined) throw new Error("it is not there any more");
    if (!isInput) {
      this.output = system.openOutput(port);
      for (const message of this.wanted?.init ?? []) this.outbox.put(message);
      this.drain();
      return;
    }
    this.stream.reset();
    this.lag.reset();
    this.toldOverruns = 0;
    this.input = system.openInput(port, this.wanted?.needsSysex === true, this.onBytes);
  }

  close({ isInput, port }: MidiSlot): void {
    if (isInput) {
      this.input?.close();
      this.input = undefined;
      this.controls.release();
    } else {
      if (port === undefined) this.counters.count(MidiCounter.unsent, this.outbox.takeAll().length);
      else this.farewell();
      this.output?.close();
      this.output = undefined;
    }
    this.tell(false);
  }

  /** What still waits leaves at once, and behind it what the device has to be told at last. */
  private farewell(): void {
    for (const message of [...this.outbox.takeAll(), ...(this.wanted?.exit ?? [])]) this.deliver(message);
  }

  /** Tells the listener when the device has come or gone. */
  tell(isOpen: boolean): void {
    if (isOpen === this.isTold) return;
    this.isTold = isOpen;
    this.parts.tap?.()?.port(this.alias, isOpen);
    if (this.device < 0) return;
    if (isOpen) this.parts.listener.opened(this.device);
    else this.parts.listener.closed(this.device);
  }

  send(message: Uint8Array): boolean {
    const isTaken = this.outbox.put(message);
    if (!isTaken) this.counters.count(MidiCounter.queueFull);
    this.drain();
    return isTaken;
  }

  pump(): void {
    if (this.parts.clock.nowUs >= this.controls.nextDueUs) {
      this.parts.tap?.()?.due(this.alias);
      this.controls.pump();
    }
    this.drain();
  }

  /** What was lost since the last call. */
  newOverruns(): number {
    const overruns = this.input?.overruns() ?? 0;
    const lost = Math.max(0, overruns - this.toldOverruns);
    this.toldOverruns = overruns;
    return lost;
  }

  private drain(): void {
    if (this.output === undefined) return;
    for (let message = this.outbox.take(); message !== undefined; message = this.outbox.take()) this.deliver(message);
  }

  private deliver(message: Uint8Array): void {
    try {
      this.output?.send(message);
      this.counters.count(MidiCounter.messagesOut);
    } catch {
      // The port is going: the next scan finds that out.
      this.counters.count(MidiCounter.sendsFailed);
    }
  }

  private readonly onBytes = (bytes: Uint8Array, seconds: number): void => {
    const { turn } = this.parts;
    turn.begin();
    const { heard } = this.controls;
    heard[0] += seconds * SECOND_US;
    this.isBehind ||= this.lag.take(this.parts.clock.register, heard);
    this.parts.tap?.()?.midi(this.alias, bytes, heard[0]);
    try {
      this.stream.push(bytes);
      turn.wakeFor(this.controls.dues);
    } finally {
      turn.end();
    }
  };

  control(event: MidiEvent): void {
    if (this.device >= 0) this.parts.listener.control(this.device, event);
  }

  sysex(bytes: Uint8Array, length: number): void {
    if (this.device >= 0) this.parts.listener.sysex(this.device, bytes, length);
  }
}
