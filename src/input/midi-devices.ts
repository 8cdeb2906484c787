/**
 * MIDI devices: which alias is which port now, and which ports are to be open.
 *
 * Told the ports that each scan found and the aliases that are wanted, it answers with ports to close and to open. No
 * system tells reliably when a device comes or goes, and its list is unsteady for some 200 ms after a plug: so the list
 * is looked at every second, a change is believed once two looks in a row agree, and looking never ends, which finds
 * what came late. An alias keeps its port as long as that is plugged in; what comes back gets the alias it had, told
 * apart by serial number or socket where there are two alike. A port that cannot be opened is tried for ever. Only
 * wanted ports are opened. It does no I/O and is told the time by a clock.
 */
import type { Clock } from "../base/clock.js";
import { aliasOf, type MidiPort, type MidiPortList, serialOf, socketOf } from "./midi-port.js";

export const MIDI_SCAN_US = 1_000_000;
/** Until a change is looked at again. */
const SETTLE_US = 200_000;
/** A list that never rests is believed after so many looks. */
const UNSTEADY_LOOKS = 5;
const RETRY_FIRST_US = 250_000;
export const MIDI_RETRY_MAX_US = 2_000_000;
/** Ports of a list beyond this are not looked at: aconnect itself ends at 192 clients. */
const PORTS_MAX = 512;

const UNPLUGGED = "it was unplugged";

/** A port that must be open, or not be. */
export interface MidiSlot {
  readonly alias: string;
  readonly isInput: boolean;
  /** The port that is there; undefined while it is absent. */
  readonly port: MidiPort | undefined;
}

/** A device that has its alias from a user. */
export interface MidiAdoption {
  readonly alias: string;
  readonly own: string;
  readonly place: string;
}

export interface MidiAction {
  readonly isOpening: boolean;
  readonly slot: MidiSlot;
}

export interface MidiWish {
  readonly alias: string;
  /** Something is to be sent to it: then its output is opened too. */
  readonly needsOutput: boolean;
}

/** The alias for a port's own name: that of the profile which knows it, or the name made fit. */
export type PortNaming = (own: string, isInput: boolean) => string;

/** `unused` is plugged in and not wanted. */
export type MidiDeviceState = "open" | "absent" | "failed" | "unused";

export interface MidiDeviceReport {
  readonly alias: string;
  /** The ports' full names; "" for what it has not or what is not plugged in. */
  readonly input: string;
  readonly output: string;
  readonly isWanted: boolean;
  readonly state: MidiDeviceState;
  /** Why it is not open, as a sentence's end; "" when it is, or when nobody wants it. */
  readonly reason: string;
}

export class MidiDevices {
  private readonly clock: Clock;
  private readonly nameOf: PortNaming;
  private readonly devices = new Map<string, Device>();
  private accepted = "";
  private candidate = "";
  private looks = 0;
  private trouble = "";
  /** [0] when the next scan is due. */
  private readonly times = new Float64Array(1);

  constructor(clock: Clock, nameOf: PortNaming = aliasOf) {
    this.clock = clock;
    this.nameOf = nameOf;
  }

  /** Whether any alias is wanted: if not, there is nothing to scan for. */
  get isWanting(): boolean {
    for (const { wish } of this.devices.values()) if (wish !== undefined) return true;
    return false;
  }

  /** Sets the aliases that are to be open; all others are closed. */
  want(wishes: readonly MidiWish[]): void {
    const wasWanting = this.isWanting;
    for (const device of this.devices.values()) device.wish = undefined;
    for (const wish of wishes) this.device(wish.alias).wish = wish;
    this.forget();
    if (wasWanting) return;
    this.times[0] = this.clock.nowUs;
    this.accepted = "";
  }

  /** Sets the aliases that a user gave to devices of this machine: these are named anew at the next scan. */
  adopt(adoptions: readonly MidiAdoption[]): void {
    for (const device of this.devices.values()) {
      const isMeant = adoptions.some(({ own, place }) => device.own === own && device.place === place);
      if (device.isAdopted || isMeant) device.forgetUnit();
      device.isAdopted = false;
    }
    for (const { alias, own, place } of adoptions) {
      const device = this.device(alias);
      device.forgetUnit();
      Object.assign(device, { own, place, isAdopted: true });
    }
    this.accepted = "";
    this.forget();
  }

  /** The ports of the unit that has this alias now. */
  portsOf(alias: string): { readonly input: MidiPort | undefined; readonly output: MidiPort | undefined } {
    const [input, output] = this.devices.get(alias)?.slots ?? [];
    return { input: input?.port, output: output?.port };
  }

  /** The unit that has this alias now. */
  unitOf(alias: string): Omit<MidiAdoption, "alias"> | undefined {
    const device = this.devices.get(alias);
    return device === undefined || device.key === "" ? undefined : { own: device.own, place: device.place };
  }

  get isScanDue(): boolean {
    return this.isWanting && this.clock.nowUs >= this.times[0];
  }

  /** When a scan or another try is due, in own time; infinite while nothing is wanted. */
  get dueUs(): number {
    if (!this.isWanting) return Number.POSITIVE_INFINITY;
    let due = this.times[0];
    for (const device of this.devices.values()) {
      for (const slot of device.slots) if (mayOpen(device, slot)) due = Math.min(due, slot.retryUs);
    }
    return due;
  }

  /** What a scan found. `isFinal` believes it at once: somebody asks, and waits for the answer. */
  scanned(list: MidiPortList, isFinal = false): void {
    this.trouble = "";
    this.disconnect(list);
    const found = fingerprint(list);
    this.looks = found === this.candidate ? this.looks : this.looks + 1;
    const isSteady = found === this.candidate || found === this.accepted || this.accepted === "";
    this.candidate = found;
    const isBelieved = isFinal || isSteady || this.looks >= UNSTEADY_LOOKS;
    this.times[0] = this.clock.nowUs + (isBelieved ? MIDI_SCAN_US : SETTLE_US);
    if (!isBelieved) return;
    this.looks = 0;
    if (found !== this.accepted) this.assign(list);
    this.accepted = found;
  }

  /** The system has no MIDI now, and why: nothing is there until a scan finds it. */
  unavailable(reason: string): void {
    this.scanned({ inputs: [], outputs: [] }, true);
    this.trouble = reason;
  }

  /** What is to be done now, closing first. Each is to be answered by `opened`, `failed` or `closed`. */
  actions(): MidiAction[] {
    const closing: MidiAction[] = [];
    const opening: MidiAction[] = [];
    for (const device of this.devices.values()) {
      for (const slot of device.slots) {
        if (slot.open !== undefined && mustClose(device, slot)) closing.push({ isOpening: false, slot });
        else if (mayOpen(device, slot) && this.clock.nowUs >= slot.retryUs) opening.push({ isOpening: true, slot });
      }
    }
    return [...closing, ...opening];
  }

  opened(slot: MidiSlot): void {
    const own = this.slot(slot);
    own.open = own.port;
    own.isCut = false;
    own.reason = "";
    own.waitUs = RETRY_FIRST_US;
  }

  /** It could not be opened, and why: it is tried again, ever more seldom. */
  failed(slot: MidiSlot, reason: string): void {
    const own = this.slot(slot);
    own.open = undefined;
    own.reason = reason;
    own.retryUs = this.clock.nowUs + own.waitUs;
    own.waitUs = Math.min(own.waitUs * 2, MIDI_RETRY_MAX_US);
  }

  /** The device's ports are to be closed and opened anew. */
  cut(alias: string): void {
    for (const slot of this.devices.get(alias)?.slots ?? []) slot.isCut = slot.open !== undefined;
  }

  closed(slot: MidiSlot): void {
    this.slot(slot).open = undefined;
    this.forget();
  }

  /** What is wrong with what is wanted, a sentence each. A device that was never there is no trouble: it may come yet. */
  troubles(): string[] {
    if (!this.isWanting) return [];
    if (this.trouble !== "") return [this.trouble];
    const reports = this.report().filter(({ isWanted, reason }) => isWanted && reason !== "");
    const told = reports.filter(({ state, reason }) => state === "failed" || reason === UNPLUGGED);
    return told.map(({ alias, reason }) => `${alias}: ${reason}`);
  }

  /** Every alias that is wanted or plugged in. */
  report(): MidiDeviceReport[] {
    return [...this.devices.values()].map((device) => this.reportOf(device));
  }

  stateOf(alias: string): MidiDeviceReport | undefined {
    const device = this.devices.get(alias);
    return device === undefined ? undefined : this.reportOf(device);
  }

  private reportOf(device: Device): MidiDeviceReport {
    const { alias, wish } = device;
    const [input, output] = device.slots;
    const needed = device.slots.filter((slot) => isNeeded(device, slot));
    const failed = needed.find(({ reason }) => reason !== "");
    const names = { alias, input: input.port?.name ?? "", output: output.port?.name ?? "" };
    const isWanted = wish !== undefined;
    if (!isWanted) return { ...names, isWanted, state: "unused", reason: "" };
    if (needed.length === 0) return { ...names, isWanted, state: "absent", reason: this.absence(device) };
    if (failed !== undefined) return { ...names, isWanted, state: "failed", reason: failed.reason };
    const isOpen = needed.every(({ open }) => open !== undefined);
    if (isOpen) return { ...names, isWanted, state: "open", reason: "" };
    return { ...names, isWanted, state: "failed", reason: "being opened" };
  }

  private absence(device: Device): string {
    if (this.trouble !== "") return this.trouble;
    const [, output] = device.slots;
    if (output.port !== undefined) return "it has no input";
    return device.wasOpen ? UNPLUGGED : "it is not plugged in";
  }

  /** A connection that the system has cut, unseen, between two scans: as if the port had gone and come. */
  private disconnect(list: MidiPortList): void {
    for (const device of this.devices.values()) {
      for (const slot of device.slots) {
        const ports = slot.isInput ? list.inputs : list.outputs;
        const port = slot.open && ports.find(({ name }) => name === slot.open?.name);
        slot.isCut = port?.isConnected === false;
      }
    }
  }

  /** Gives every port of the list its alias. */
  private assign(list: MidiPortList): void {
    const inputs = list.inputs.slice(0, PORTS_MAX);
    const outputs = list.outputs.slice(0, PORTS_MAX);
    const units = unitsOf(inputs, outputs, this.nameOf);
    for (const device of this.devices.values()) {
      const unit = units.find(({ key }) => key === device.key);
      if (unit === undefined) device.setPorts(undefined);
      else device.setPorts(unit);
      if (unit !== undefined) units.splice(units.indexOf(unit), 1);
    }
    // Who is known best goes first, so that nobody else gets its alias.
    let left = units;
    for (const isSame of SAMENESS) left = left.filter((unit) => !this.adoptReturned(unit, isSame));
    for (const unit of left) this.device(this.freeAlias(this.baseOf(unit))).setPorts(unit);
    this.forget();
  }

  /** Gives a unit that came to the first absent alias of its name. */
  private adoptReturned(unit: Unit, isSame: Sameness): boolean {
    const base = this.baseOf(unit);
    for (const device of this.devices.values()) {
      const isOfName = device.own === unit.own || (device.own === "" && device.alias === base);
      if (device.key !== "" || !isOfName || !isSame(device.place, unit.place)) continue;
      device.setPorts(unit);
      return true;
    }
    return false;
  }

  private baseOf({ own, input }: Unit): string {
    return this.nameOf(own, input !== undefined);
  }

  /** An alias with the first number that is free: also one that is wanted and was never there. */
  private freeAlias(base: string): string {
    for (let number = 1; ; number++) {
      const alias = number === 1 ? base : `${base}-${number}`;
      const device = this.devices.get(alias);
      if (device === undefined || (device.key === "" && device.own === "")) return alias;
    }
  }

  private device(alias: string): Device {
    const known = this.devices.get(alias);
    if (known !== undefined) return known;
    const device = new Device(alias);
    this.devices.set(alias, device);
    return device;
  }

  private slot({ alias, isInput }: MidiSlot): Slot {
    return this.device(alias).slots[isInput ? 0 : 1];
  }

  /** Who is neither wanted nor adopted nor there is forgotten. */
  private forget(): void {
    for (const [alias, { wish, key, slots, isAdopted }] of this.devices) {
      const isGone = key === "" && slots.every(({ open }) => open === undefined);
      if (wish === undefined && !isAdopted && isGone) this.devices.delete(alias);
    }
  }
}

interface Slot extends MidiSlot {
  port: MidiPort | undefined;
  /** The port that is open. */
  open: MidiPort | undefined;
  /** The connection is no more, although the port is there. */
  isCut: boolean;
  reason: string;
  retryUs: number;
  waitUs: number;
}

/** The input and the output of one device. */
interface Unit {
  readonly key: string;
  readonly own: string;
  readonly place: string;
  readonly input: MidiPort | undefined;
  readonly output: MidiPort | undefined;
}

class Device {
  readonly alias: string;
  readonly slots: readonly [Slot, Slot];
  wish: MidiWish | undefined;
  /** Of the unit that is there; "" while it is absent. */
  key = "";
  /** The name and place of the unit that was there last. */
  own = "";
  place = "";
  wasOpen = false;
  /** A user gave it its alias. */
  isAdopted = false;

  constructor(alias: string) {
    this.alias = alias;
    this.slots = [slotOf(alias, true), slotOf(alias, false)];
  }

  /** It is no unit's alias any more. */
  forgetUnit(): void {
    this.setPorts(undefined);
    this.own = "";
    this.place = "";
  }

  setPorts(unit: Unit | undefined): void {
    const [input, output] = this.slots;
    this.wasOpen ||= input.open !== undefined || output.open !== undefined;
    setPort(input, unit?.input);
    setPort(output, unit?.output);
    this.key = unit?.key ?? "";
    if (unit === undefined) return;
    this.own = unit.own;
    this.place = unit.place;
  }
}

function slotOf(alias: string, isInput: boolean): Slot {
  return {
    alias,
    isInput,
    port: undefined,
    open: undefined,
    isCut: false,
    reason: "",
    retryUs: 0,
    waitUs: RETRY_FIRST_US,
  };
}

function setPort(slot: Slot, port: MidiPort | undefined): void {
  if (slot.port?.name !== port?.name) {
    slot.reason = "";
    slot.retryUs = 0;
    slot.waitUs = RETRY_FIRST_US;
  }
  slot.port = port;
}

function isNeeded({ wish }: Device, { isInput, port }: Slot): boolean {
  return wish !== undefined && port !== undefined && (isInput || wish.needsOutput);
}

function mayOpen(device: Device, slot: Slot): boolean {
  return slot.open === undefined && isNeeded(device, slot);
}

function mustClose(device: Device, slot: Slot): boolean {
  return slot.isCut || !isNeeded(device, slot) || slot.port?.name !== slot.open?.name;
}

type Sameness = (one: string, other: string) => boolean;

/** How a device that came is known for one that was there, surest first: cheap ones all have one serial number. */
const SAMENESS: readonly Sameness[] = [
  (one, other) => one !== "" && one === other,
  (one, other) => serialOf(one) !== "" && serialOf(one) === serialOf(other),
  (one, other) => socketOf(one) !== "" && socketOf(one) === socketOf(other),
  () => true,
];

/**
 * An output belongs to the input of the same name; where names are not unique, the second to the second. Some systems
 * name the two sides differently: then a profile's alias says that they are one device.
 */
function unitsOf(inputs: readonly MidiPort[], outputs: readonly MidiPort[], nameOf: PortNaming): Unit[] {
  const left = [...outputs];
  const units: Unit[] = inputs.map((input) => {
    const output =
      left.find(({ name }) => name === input.name) ??
      left.find(({ own }) => own === input.own) ??
      left.find(({ own }) => nameOf(own, false) === nameOf(input.own, true));
    if (output !== undefined) left.splice(left.indexOf(output), 1);
    return { key: input.name, own: input.own, place: input.place, input, output };
  });
  const alone = left.map((output) => {
    return { key: `\n${output.name}`, own: output.own, place: output.place, input: undefined, output };
  });
  return [...units, ...alone];
}

function fingerprint({ inputs, outputs }: MidiPortList): string {
  const names = (ports: readonly MidiPort[]): string => ports.map(({ name }) => name).join("\n");
  return `${names(inputs)}\n\n${names(outputs)}`;
}
