/**
 * Bindings: the rules from controls to paths, at work. A follower of the stream on one side, a writer on the other.
 *
 * What the state says under `/mappings` is compiled into tables when it changes, so a move is one look-up and a write,
 * and allocates nothing. It never throws on what a device sends or a show says: what means nothing here is dormant or
 * refused, and says why. Devices are known by their aliases alone; which port that is, is for the edge.
 */
import { LRUCache } from "lru-cache";
import { ChangeFlag } from "../state/change.js";
import { Found, type RingMemory, RingReader } from "../state/ring.js";
import { StagedKind, type Staging } from "../state/staging.js";
import type { State } from "../state/state.js";
import { Reject } from "../state/reject.js";
import { Binding, BindingEffect, PRESSED, unmovable } from "./binding.js";
import { type BindingRecord, MAPPINGS, readBindings } from "./binding-records.js";
import { type MidiAddress, parseSource } from "./control-source.js";
import { type MidiEvent, MidiKind } from "./midi-event.js";
import type { ShownValues } from "./osc-target.js";
import { compilePattern, type OscPattern } from "./osc-pattern.js";
import { rearm, take, TAKEOVER_DOUBLES } from "./takeover.js";
import type { WriteTarget } from "./write-target.js";

/** Bindings that are at work at a time; the rest is refused. */
export const BINDINGS_MAX = 4_096;

const OSC_ADDRESSES_MAX = 1_024;

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
}

/** A binding at work, and where its doubles of `takeovers` begin. */
interface Placed {
  readonly binding: Binding;
  readonly at: number;
  readonly surface: number;
}

/** Where moves are written: the node, or whoever holds back what a source sends above its rate. */
export interface ControlSink {
  /** Writes what is in hand. */
  write(id: number, surface: number): Reject;
  trigger(id: number, surface: number): Reject;
}

/** A binding to the argument of the OSC messages that a pattern matches. */
interface PlacedOsc {
  readonly pattern: OscPattern;
  readonly argument: number;
  readonly placed: Placed;
}

/** A device that bindings name, and what its messages move. */
export interface BoundDevice {
  readonly alias: string;
  /** Pairs of controllers that are one of 14 bits. */
  readonly pairs: readonly MidiAddress[];
}

interface DeviceTable extends BoundDevice {
  readonly placed: Map<number, Placed[]>;
  readonly pairs: MidiAddress[];
}

export interface BindingsParts {
  readonly target: WriteTarget;
  readonly shown: ShownValues;
  readonly memory: RingMemory;
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
  private tables: DeviceTable[] = [];
  private oscPlaced: PlacedOsc[] = [];
  /** Which of them an address concerns. Whoever sends chooses addresses, so it is bounded. */
  private readonly oscMatches = new LRUCache<string, readonly PlacedOsc[]>({ max: OSC_ADDRESSES_MAX });
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
    return this.tables;
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
    this.tables = [];
    this.oscPlaced = [];
    this.oscMatches.clear();
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
    const source = parseSource(record.source);
    if ("problem" in source) return refused(record, "", `its source ${source.problem}`);
    if (source.from === "profile") return refused(record, source.alias, "no profile names such a control");
    const alias = source.from === "midi" ? source.alias : "";
    // A device is wanted although its path is not there yet: when the path comes, the port is open.
    const table = source.from === "midi" ? this.tableOf(source.alias) : undefined;
    if (source.from === "midi" && source.address.low >= 0) table?.pairs.push(source.address);
    const target = this.state.idOf(record.path);
    const because = target < 0 ? "" : unmovable(this.state.typeOf(target));
    if (because !== "") return refused(record, alias, `${record.path} ${because}`);
    if (!record.isEnabled) return { record, standing: BindingStanding.off, reason: "", alias };
    if (target < 0) {
      return { record, standing: BindingStanding.dormant, reason: `${record.path} does not exist`, alias };
    }
    const surface = alias === "" ? 0 : this.parts.target.surface(`midi:${alias}`);
    const placed = { binding: new Binding(record, this.state, target), at, surface };
    if (source.from === "midi") addTo(table as DeviceTable, source.address, placed);
    else this.addOsc(source.pattern, source.argument, placed);
    return { record, standing: BindingStanding.active, reason: "", alias };
  }

  private addOsc(pattern: string, argument: number, placed: Placed): void {
    const compiled = compilePattern(pattern);
    if (compiled !== null) this.oscPlaced.push({ pattern: compiled, argument, placed });
  }

  private tableOf(alias: string): DeviceTable {
    const known = this.tables.find((table) => table.alias === alias);
    if (known !== undefined) return known;
    const table = { alias, placed: new Map<number, Placed[]>(), pairs: [] };
    this.tables.push(table);
    return table;
  }

  /** A control of a device moved. `device`: its place in `devices`. */
  onMidi(device: number, event: MidiEvent): void {
    const { kind, channel, number, value, max } = event;
    // The release of a key is the same control's way back to 0, whatever its velocity.
    const isRelease = kind === MidiKind.noteOff;
    const key = messageKey(isRelease ? MidiKind.noteOn : kind, channel, number);
    const list = this.tables[device]?.placed.get(key);
    if (list === undefined) {
      this.counts.unbound++;
      return;
    }
    this.position[0] = isRelease ? 0 : value / max;
    const isDown = kind === MidiKind.noteOn || (!isRelease && value >= max * PRESSED);
    const first = list[0] as Placed;
    if (list.length === 1) this.move(first, isDown, first.surface, this.parts.target);
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
    return this.oscPlaced.length > 0;
  }

  /** Whether a binding listens to OSC messages with this address. */
  hearsOsc(address: string): boolean {
    return this.oscOf(address).length > 0;
  }

  private oscOf(address: string): readonly PlacedOsc[] {
    const known = this.oscMatches.get(address);
    if (known !== undefined) return known;
    const found = this.oscPlaced.filter(({ pattern }) => pattern.matches(address));
    this.oscMatches.set(address, found);
    return found;
  }

  /** A message with an address that `hearsOsc` came from a surface. `wayOf`: the way of 0..1 of an argument, or -1. */
  onOsc(address: string, wayOf: (argument: number) => number, surface: number, sink: ControlSink): void {
    for (const { argument, placed } of this.oscOf(address)) {
      const way = wayOf(argument);
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
    const alias = this.tables[device]?.alias;
    if (alias !== undefined) this.rearm(alias);
  }

  /** So have those of all: a term began. */
  rearm(alias?: string): void {
    this.states.forEach((state, index) => {
      if (alias === undefined || state.alias === alias) rearm(this.takeovers, index * TAKEOVER_DOUBLES);
    });
  }
}

function refused(record: BindingRecord, alias: string, reason: string): BindingState {
  return { record, standing: BindingStanding.refused, reason, alias };
}

function addTo({ placed }: DeviceTable, address: MidiAddress, entry: Placed): void {
  const key = messageKey(address.kind, address.channel, address.number);
  const list = placed.get(key);
  if (list === undefined) placed.set(key, [entry]);
  else list.push(entry);
}

/** What must be the same for a control to go on where it was. */
function keyOf({ id, source, path }: BindingRecord): string {
  return `${id} ${source} ${path}`;
}

/** Kind, channel and number of a message in 22 bits. */
function messageKey(kind: MidiKind, channel: number, number: number): number {
  return (kind << 18) | ((channel - 1) << 14) | number;
}
