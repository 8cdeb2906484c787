/**
 * Bindings: the rules from controls to paths, at work. A follower of the stream on one side, a writer on the other.
 *
 * What the state says under `/mappings` is compiled into tables when it changes, so a move is one look-up and a write,
 * and allocates nothing. It never throws on what a device sends or a show says: what means nothing here is dormant or
 * refused, and says why. Devices are known by their aliases alone; which port that is, is for the edge.
 */
import type { ProfileControl } from "../config/profile.js";
import { ChangeFlag } from "../state/change.js";
import { Found, type RingMemory, RingReader } from "../state/ring.js";
import { StagedKind, type Staging } from "../state/staging.js";
import type { State } from "../state/state.js";
import { Reject } from "../state/reject.js";
import { Binding, BindingEffect, PRESSED, unmovable } from "./binding.js";
import { type BindingRecord, MAPPINGS, readBindings } from "./binding-records.js";
import { addressOf, type AddressProblem, type ControlAddress } from "./control-address.js";
import { parseSource } from "./control-source.js";
import { type BoundDevice, ControlTables, type Placed } from "./control-tables.js";
import { type MidiEvent, MidiKind } from "./midi-event.js";
import type { ShownValues } from "./osc-target.js";
import type { KnownProfile } from "./surface-profiles.js";
import { rearm, take, TAKEOVER_DOUBLES } from "./takeover.js";
import type { WriteTarget } from "./write-target.js";

/** Bindings that are at work at a time; the rest is refused. */
export const BINDINGS_MAX = 4_096;

/** Names under which programs give input; more are not told apart from a device without a profile. */
const GIVERS_MAX = 256;

/** How a binding stands on this node. `dormant`: its path does not exist yet. */
export const BindingStanding = { active: "active", dormant: "dormant", off: "off", refused: "refused" } as const;
export type BindingStanding = (typeof BindingStanding)[keyof typeof BindingStanding];

export interface BindingState {
  readonly record: BindingRecord;
  readonly standing: BindingStanding;
  /** Why it is dormant or refused, as a sentence's end; else "". */
  readonly reason: string;
  /** The device whose control it listens to; "" for OSC, and where the source is none. */
  readonly alias: string;
  /** What the device's profile says about the control; undefined where none says anything. */
  readonly control: ProfileControl | undefined;
}

/** Where moves are written: the node, or whoever holds back what a source sends above its rate. */
export interface ControlSink {
  /** Writes what is in hand. */
  write(id: number, surface: number): Reject;
  trigger(id: number, surface: number): Reject;
}

/** The way, 0..1, of an argument between the numbers at the control's two ends; -1 when it is not there or no number. */
export type OscWay = (argument: number, low: number, high: number) => number;

const NOWHERE = { alias: "", control: undefined };

export interface BindingsParts {
  readonly target: WriteTarget;
  readonly shown: ShownValues;
  readonly memory: RingMemory;
  /** The profile of a device; undefined where none is known. */
  readonly profileOf: (alias: string) => KnownProfile | undefined;
  /** The bindings, or what they may move, have changed: other devices may be wanted. */
  readonly onChanged: () => void;
}

export class Bindings {
  /** Moves that became writes, that were refused, and messages that no binding wants. */
  readonly counts = { writes: 0, refused: 0, unbound: 0, recordsRefused: 0 };
  private readonly parts: BindingsParts;
  private readonly state: State;
  private readonly staging: Staging;
  private readonly reader: RingReader;
  private generation = -1;
  private states: readonly BindingState[] = [];
  private tables = new ControlTables();
  /** The aliases under which programs of this machine give input. */
  private readonly givers = new Set<string>();
  private takeovers = new Float64Array(0);
  /** [0] where the control in hand stands, 0..1: a double that is handed on would be allocated. */
  private readonly position = new Float64Array(1);
  /** [0] what becomes of that for one binding, [1] where its value stands. */
  private readonly way = new Float64Array(2);
  /** 1 while a binding's button is down, by its place. */
  private pressed = new Uint8Array(0);

  constructor(parts: BindingsParts) {
    this.parts = parts;
    this.state = parts.target.state;
    this.staging = parts.target.staging;
    this.reader = new RingReader(parts.memory);
  }

  /** How every binding of the state stands here. */
  list(): readonly BindingState[] {
    return this.states;
  }

  /** The devices that bindings name: a device is its place in this list until `onChanged` is called again. */
  get devices(): readonly BoundDevice[] {
    return this.tables.devices;
  }

  /** Reads what changed since the last call; to be called once a turn. */
  pump(): void {
    if (this.hasNews()) this.compile();
  }

  private hasNews(): boolean {
    const { reader, state } = this;
    let isNew = state.generation !== this.generation;
    if (this.states.length === 0) {
      reader.skip();
      return isNew;
    }
    for (let found = reader.next(); found !== Found.nothing; found = reader.next()) {
      if (found === Found.lapped) isNew = true;
      else if (found !== Found.value || state.components[reader.id] !== MAPPINGS) continue;
      else if ((reader.flags & ChangeFlag.pending) === 0) isNew = true;
    }
    return isNew;
  }

  private compile(): void {
    const { state } = this;
    const { generation } = state;
    const before = this.places();
    const records = readBindings(state);
    this.generation = generation;
    if (records.length === 0 && this.states.length === 0) return;
    this.tables = new ControlTables();
    const count = Math.min(records.length, BINDINGS_MAX);
    const takeovers = new Float64Array(count * TAKEOVER_DOUBLES);
    const pressed = new Uint8Array(count);
    this.counts.recordsRefused = records.length - count;
    this.states = records.slice(0, count).map((record, index) => {
      const at = index * TAKEOVER_DOUBLES;
      const old = before.get(keyOf(record));
      if (old === undefined) rearm(takeovers, at);
      else {
        for (let word = 0; word < TAKEOVER_DOUBLES; word++) takeovers[at + word] = this.takeovers[old + word] as number;
        pressed[index] = this.pressed[old / TAKEOVER_DOUBLES] as number;
      }
      return this.place(record, at);
    });
    this.takeovers = takeovers;
    this.pressed = pressed;
    this.parts.onChanged();
  }

  /** Where the takeover of each binding lies that may stay what it is. */
  private places(): Map<string, number> {
    return new Map(this.states.map(({ record }, index) => [keyOf(record), index * TAKEOVER_DOUBLES]));
  }

  /** Puts a binding into the tables, if it means something here. */
  private place(record: BindingRecord, at: number): BindingState {
    const address = this.addressOf(record.source);
    const stand = (standing: BindingStanding, reason: string): BindingState => {
      const { alias, control } = "problem" in address ? NOWHERE : address;
      return { record, standing, reason, alias, control };
    };
    if ("problem" in address) return stand(BindingStanding.refused, `its source ${address.problem}`);
    this.tables.want(address.alias, address.midi);
    const target = this.state.idOf(record.path);
    const because = target < 0 ? "" : unmovable(this.state.typeOf(target));
    if (because !== "") return stand(BindingStanding.refused, `${record.path} ${because}`);
    if (!record.isEnabled) return stand(BindingStanding.off, "");
    if (target < 0) return stand(BindingStanding.dormant, `${record.path} does not exist`);
    const { alias, name, midi, missing } = address;
    const surface = alias === "" ? 0 : this.parts.target.surface(`${midi.length > 0 ? "midi" : "input"}:${alias}`);
    const placed = { binding: new Binding(record, this.state, target), at, surface };
    this.tables.addMidi(alias, midi, placed);
    if (address.osc !== undefined) this.tables.addOsc(address.osc, placed);
    if (name !== "") this.tables.addName(alias, name, placed);
    const isMissing = missing !== "" && !this.givers.has(alias);
    return isMissing ? stand(BindingStanding.dormant, missing) : stand(BindingStanding.active, "");
  }

  private addressOf(text: string): ControlAddress | AddressProblem {
    const source = parseSource(text);
    if ("problem" in source) return source;
    return addressOf(source, source.from === "profile" ? this.parts.profileOf(source.alias) : undefined);
  }

  /** What is known about profiles has changed: bindings are read anew at the next `pump`. */
  refresh(): void {
    this.generation = -1;
  }

  /** A control of a device moved. `device`: its place in `devices`. */
  onMidi(device: number, event: MidiEvent): void {
    const list = this.tables.ofMidi(device, event);
    const { kind, value, max } = event;
    const isRelease = kind === MidiKind.noteOff;
    this.position[0] = isRelease ? 0 : value / max;
    // A key that was struck is down, however softly.
    this.moveList(list, kind === MidiKind.noteOn || (!isRelease && value >= max * PRESSED));
  }

  /** Whether a program may give input under these names: those that `ALIAS/CONTROL` can hold. */
  isName(alias: string, name: string): boolean {
    const source = parseSource(`${alias}/${name}`);
    return "from" in source && source.from === "profile";
  }

  /** A program of this machine says where a control stands, 0..1: a key, a gamepad's stick. */
  onInput(alias: string, name: string, way: number): void {
    if (!this.givers.has(alias) && this.givers.size < GIVERS_MAX) {
      this.givers.add(alias);
      this.refresh();
    }
    this.position[0] = Math.min(1, Math.max(0, way));
    this.moveList(this.tables.ofName(alias, name), way >= PRESSED);
  }

  private moveList(list: readonly Placed[], isDown: boolean): void {
    const [first] = list;
    if (first === undefined) this.counts.unbound++;
    else if (list.length === 1) this.move(first, isDown, first.surface, this.parts.target);
    else this.moveAll(list, isDown);
  }

  /** What one move changes, changes together. */
  private moveAll(list: readonly Placed[], isDown: boolean): void {
    const { target } = this.parts;
    target.beginGroup();
    for (const placed of list) this.move(placed, isDown, placed.surface, target);
    target.endGroup();
  }

  get listensToOsc(): boolean {
    return this.tables.hasOsc;
  }

  /** Whether a binding listens to OSC messages with this address. */
  hearsOsc(address: string): boolean {
    return this.tables.ofOsc(address).length > 0;
  }

  /** A message with an address that `hearsOsc` came from a surface. */
  onOsc(address: string, wayOf: OscWay, surface: number, sink: ControlSink): void {
    for (const { argument, range, placed } of this.tables.ofOsc(address)) {
      const way = wayOf(argument, range[0], range[1]);
      this.position[0] = way;
      if (way >= 0) this.move(placed, way >= PRESSED, surface, sink);
      else this.counts.refused++;
    }
  }

  private move({ binding, at }: Placed, isDown: boolean, surface: number, sink: ControlSink): void {
    const index = at / TAKEOVER_DOUBLES;
    const wasDown = this.pressed[index] === 1;
    this.pressed[index] = isDown ? 1 : 0;
    if (binding.effect === BindingEffect.impulse) {
      if (isDown && !wasDown) this.count(sink.trigger(binding.target, surface));
      return;
    }
    this.way[0] = binding.effect === BindingEffect.truth ? Number(isDown) : (this.position[0] as number);
    if (binding.effect !== BindingEffect.truth && !this.takes(binding, at)) return;
    binding.toValue(this.way);
    this.stage();
    this.count(sink.write(binding.target, surface));
  }

  /** Puts the number in hand; `staging.number` would be given a double. */
  private stage(): void {
    const { staging } = this;
    staging.kind = StagedKind.numbers;
    staging.count = 1;
    staging.numbers[0] = this.way[0] as number;
    staging.text = undefined;
  }

  /** Makes the control's way in hand the value's; false when the value is to stay. */
  private takes(binding: Binding, at: number): boolean {
    const { staging, way } = this;
    this.parts.shown.load(binding.target, staging);
    way[1] = staging.numbers[0] as number;
    binding.toWay(way);
    return take(binding.takeover, this.takeovers, at, way, binding.step);
  }

  private count(reject: Reject): void {
    if (reject === Reject.none) this.counts.writes++;
    else this.counts.refused++;
  }

  /** The controls of a device have to find their values again: it came back. */
  rearmDevice(device: number): void {
    const alias = this.tables.devices[device]?.alias;
    if (alias !== undefined) this.rearm(alias);
  }

  /** So have those of all: a term began. */
  rearm(alias?: string): void {
    this.states.forEach((state, index) => {
      if (alias === undefined || state.alias === alias) rearm(this.takeovers, index * TAKEOVER_DOUBLES);
    });
  }
}

/** What must be the same for a control to go on where it was. */
function keyOf({ id, source, path }: BindingRecord): string {
  return `${id} ${source} ${path}`;
}
