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
import type { Reject } from "../state/reject.js";
import type { State } from "../state/state.js";
import { Binding, BindingEffect, PRESSED, unmovable } from "./binding.js";
import { BindingMemory } from "./binding-memory.js";
import { type BindingRecord, MAPPINGS, readBindings } from "./binding-records.js";
import { addressOf, type AddressProblem, type ControlAddress, type OscAddress } from "./control-address.js";
import { ControlMode } from "./control-mode.js";
import { ControlMoves, type ControlMovesParts, type ControlSink } from "./control-moves.js";
import { parseSource } from "./control-source.js";
import { type BoundDevice, ControlTables, messageKey, type Placed } from "./control-tables.js";
import { setGain, SPEED_DOUBLES } from "./encoder-speed.js";
import { InputMerge, MERGE_DOUBLES, MergedInputs } from "./input-merge.js";
import { MIDI_MAX_7, type MidiEvent, MidiKind } from "./midi-event.js";
import { MPE_CONFIGURATION, MpeZones } from "./mpe-zones.js";
import type { ShownValues } from "./osc-target.js";
import { WordWay } from "./osc-values.js";
import { RelativeEncoding } from "./relative-encoder.js";
import type { KnownProfile } from "./surface-profiles.js";
import { rangeOfMeasure } from "./system-control.js";
import { type Transform, transformOf } from "./transform.js";
import { Whereabouts } from "./whereabouts.js";

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
  /** Why it is dormant or refused, as a sentence's end; of one at work, what it misses; else "". */
  readonly reason: string;
  /** The device whose control it listens to; "" for OSC, and where the source is none. */
  readonly alias: string;
  /** What the device's profile says about the control; undefined where none says anything. */
  readonly control: ProfileControl | undefined;
  /** How it reads its control, if it is at work and asks for more than range and curve. */
  readonly transform?: Transform | undefined;
}

/**
 * The way, 0..1, of an argument between the numbers at the control's two ends; a `WordWay` when it says that a button is
 * down or up, and no number; -1 when it is not there or nothing of that.
 */
export type OscWay = (argument: number, low: number, high: number) => number;

/** Who looks on while bindings move paths. */
export interface MoveObserver {
  beforeMove(): void;
  /** What became of it is in the counts, and in `reject`. */
  afterMove(placed: Placed): void;
}

const NOWHERE = { alias: "", control: undefined };

/** Of OSC arguments that are turns: by so many detents at most in one message. */
const TURN_MAX = 128;
const TURN_RANGE: readonly [number, number] = [-TURN_MAX, TURN_MAX];

export interface BindingsParts extends ControlMovesParts {
  readonly memory: RingMemory;
  /** The profile of a device; undefined where none is known. */
  readonly profileOf: (alias: string) => KnownProfile | undefined;
  /** The bindings, or what they may move, have changed: other devices may be wanted. */
  readonly onChanged: () => void;
}

export class Bindings {
  private readonly moves: ControlMoves;
  private readonly misses = { unbound: 0, recordsRefused: 0 };
  private readonly parts: BindingsParts;
  private readonly state: State;
  private readonly reader: RingReader;
  private generation = -1;
  private states: readonly BindingState[] = [];
  private tables = new ControlTables();
  private readonly zones = new MpeZones();
  /** Where controls stand, as their devices said. */
  private readonly whereabouts = new Whereabouts();
  /** The aliases under which programs of this machine give input. */
  private readonly givers = new Set<string>();
  /** Bindings that share a path by a policy. */
  private merged = new Map<string, MergedInputs>();
  /** Bindings at work. */
  private atWork = new Map<string, Placed>();
  /** Somebody looks on. */
  observer: MoveObserver | undefined = undefined;

  constructor(parts: BindingsParts) {
    this.parts = parts;
    this.state = parts.target.state;
    this.moves = new ControlMoves(parts);
    this.reader = new RingReader(parts.memory);
  }

  /** What became of moves, messages that no binding wants, and bindings above the limit. */
  get counts(): Readonly<ControlMoves["counts"] & { unbound: number; recordsRefused: number }> {
    const { counts, easing } = this.moves;
    return { ...counts, refused: counts.refused + easing.refused, ...this.misses };
  }

  /** How every binding of the state stands here. */
  list(): readonly BindingState[] {
    return this.states;
  }

  /** The devices that bindings name: a device is its place in this list until `onChanged` is called again. */
  get devices(): readonly BoundDevice[] {
    return this.tables.devices;
  }

  /** What the node shows, but of a path that is on its way where it is going. */
  get shown(): ShownValues {
    return this.moves.easing;
  }

  /** Where a smooth binding's path is going; undefined when it stands. */
  aimOf(id: number): number | undefined {
    return this.moves.easing.aimOf(id);
  }

  /** When `ease` has something to do, in own time. */
  get dueUs(): number {
    return this.moves.easing.dueUs;
  }

  /** Moves the paths that are on their way; inside a turn. */
  ease(): void {
    this.moves.easing.pump();
  }

  /** Puts them at once where they are going: the node is about to end. */
  arrive(): void {
    this.moves.easing.arrive();
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
    this.atWork = new Map();
    const count = Math.min(records.length, BINDINGS_MAX);
    const memory = new BindingMemory(count);
    this.merged = new Map();
    this.misses.recordsRefused = records.length - count;
    this.states = records.slice(0, count).map((record, place) => {
      const old = before.get(keyOf(record));
      if (old === undefined) memory.reset(place);
      else memory.take(place, this.moves.memory, old);
      return this.place(record, place, memory);
    });
    this.moves.memory = memory;
    this.whereabouts.keep(new Set(this.tables.devices.map(({ alias }) => alias)));
    this.recall();
    this.parts.onChanged();
  }

  /** Bindings whose control's place is not known find their values from where the device said that it stands. */
  private recall(): void {
    const { moves, tables, whereabouts } = this;
    whereabouts.each(moves.hand, (alias, key) => {
      for (const placed of tables.ofKey(alias, key)) moves.recall(placed);
    });
  }

  /** Where the memory of each binding lies that may stay what it is. */
  private places(): Map<string, number> {
    return new Map(this.states.map(({ record }, place) => [keyOf(record), place]));
  }

  /** Puts a binding into the tables, if it means something here. */
  private place(record: BindingRecord, place: number, memory: BindingMemory): BindingState {
    const address = this.addressOf(record.source);
    const stand = (standing: BindingStanding, reason: string): BindingState => {
      const { alias, control } = "problem" in address ? NOWHERE : address;
      return { record, standing, reason, alias, control };
    };
    if ("problem" in address) return stand(BindingStanding.refused, `its source ${address.problem}`);
    if (address.isMidi) this.tables.want(address.alias, address.midi);
    const target = this.state.idOf(record.path);
    const because = target < 0 ? "" : unmovable(this.state.typeOf(target));
    if (because !== "") return stand(BindingStanding.refused, `${record.path} ${because}`);
    if (!record.isEnabled) return stand(BindingStanding.off, "");
    if (target < 0) return stand(BindingStanding.dormant, `${record.path} does not exist`);
    const binding = new Binding(measured(record, address), this.state, target);
    const transform = transformOf(
      binding,
      { kinds: address.midi.map(({ kind }) => kind), control: address.control },
      this.state,
    );
    if (transform !== undefined && "problem" in transform)
      return stand(BindingStanding.refused, `it ${transform.problem}`);
    const { alias, isMidi, missing } = address;
    const surface = alias === "" ? 0 : this.parts.target.surface(`${isMidi ? "midi" : "input"}:${alias}`);
    const isCarried = record.feedback !== "off" && isCarrier(address.control);
    const placed = { binding, transform, place, surface, isCarried };
    this.atWork.set(keyOf(record), placed);
    this.join(placed, memory);
    this.addTo(address, placed);
    const isMissing = missing !== "" && !this.givers.has(alias);
    if (isMissing) return stand(BindingStanding.dormant, missing);
    return { ...stand(BindingStanding.active, transform?.missing ?? ""), transform };
  }

  /** Makes a binding's memory ready for it, and puts it together with those that share its path. */
  private join({ binding, transform, place }: Placed, memory: BindingMemory): void {
    setGain(memory.speeds, place * SPEED_DOUBLES, binding.record.transform.acceleration);
    if (transform === undefined || transform.merge === InputMerge.last) return;
    const key = `${binding.target} ${transform.merge}`;
    const inputs = this.merged.get(key) ?? new MergedInputs(transform.merge, memory.merges);
    this.merged.set(key, inputs);
    inputs.add(place * MERGE_DOUBLES, transform.priority, binding.low);
    transform.inputs = inputs;
  }

  private addTo({ alias, name, midi, osc }: ControlAddress, placed: Placed): void {
    this.tables.addMidi(alias, midi, placed);
    if (osc !== undefined) this.tables.addOsc(isTurned(placed.transform) ? turned(osc) : osc, placed);
    if (name !== "") this.tables.addName(alias, name, placed);
  }

  private addressOf(text: string): ControlAddress | AddressProblem {
    const source = parseSource(text);
    if ("problem" in source) return source;
    return addressOf(source, source.from === "profile" ? this.parts.profileOf(source.alias) : undefined, this.zones);
  }

  /** What is wrong with a source on this machine, as a sentence's end; "" when nothing is, or its profile is not known. */
  problemOf(source: string): string {
    const address = this.addressOf(source);
    return "problem" in address ? address.problem : "";
  }

  /** What is known about profiles has changed: bindings are read anew at the next `pump`. */
  refresh(): void {
    this.generation = -1;
  }

  /** A control of a device moved. `device`: its place in `devices`. */
  onMidi(device: number, event: MidiEvent): void {
    const list = this.tables.ofMidi(device, event);
    const { kind, value, max } = event;
    if (kind === MidiKind.rpn && event.number === MPE_CONFIGURATION) this.setZone(device, event);
    const isRelease = kind === MidiKind.noteOff;
    this.moves.hand[0] = isRelease ? 0 : value / max;
    if (!this.whereabouts.isEmpty) this.follow(device, event);
    // A key that was struck is down, however softly.
    this.moveList(list, kind === MidiKind.noteOn || (!isRelease && value >= max * PRESSED));
  }

  /** A device says where a control stands, and no hand moved it: a value that it does not hold stays. */
  onPosition(alias: string, { kind, channel, number, value, max }: MidiEvent): void {
    const { moves, tables, whereabouts } = this;
    const key = messageKey(kind, channel, number);
    moves.hand[0] = value / max;
    whereabouts.report(alias, key, moves.hand);
    for (const placed of tables.ofKey(alias, key)) moves.stands(placed);
  }

  /** A control of which the device said where it stands is elsewhere now, whether it is bound or not. */
  private follow(device: number, { kind, channel, number }: MidiEvent): void {
    const alias = this.tables.devices[device]?.alias ?? "";
    this.whereabouts.move(alias, messageKey(kind, channel, number), this.moves.hand);
  }

  /** The device says how many voices it has: bindings to them are read anew. */
  private setZone(device: number, { channel, value, max }: MidiEvent): void {
    const alias = this.tables.devices[device]?.alias ?? "";
    const members = max === MIDI_MAX_7 ? value : value >> 7;
    if (alias !== "" && this.zones.heard(alias, channel, members)) this.refresh();
  }

  /** Whether a program may give input under these names: those that `ALIAS/CONTROL` can hold. */
  isName(alias: string, name: string): boolean {
    const source = parseSource(`${alias}/${name}`);
    return "from" in source && source.from === "profile";
  }

  /** A program of this machine says where a control stands, 0..1, or of an endless one by how many detents it turned. */
  onInput(alias: string, name: string, way: number): void {
    if (!this.givers.has(alias) && this.givers.size < GIVERS_MAX) {
      this.givers.add(alias);
      this.refresh();
    }
    this.moves.hand[0] = Math.min(1, Math.max(0, way));
    this.moves.hand[1] = way;
    this.moveList(this.tables.ofName(alias, name), way >= PRESSED);
  }

  private moveList(list: readonly Placed[], isDown: boolean): void {
    const [first] = list;
    if (first === undefined) this.misses.unbound++;
    else if (list.length === 1) this.play(first, isDown, first.surface, this.parts.target);
    else this.moveAll(list, isDown);
  }

  /** What one move changes, changes together. */
  private moveAll(list: readonly Placed[], isDown: boolean): void {
    const { target } = this.parts;
    target.beginGroup();
    for (const placed of list) this.play(placed, isDown, placed.surface, target);
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
      const { hand } = this.moves;
      hand[0] = Math.min(1, Math.max(0, way));
      // A message without a number is one detent.
      hand[1] = way >= 1 ? 1 : way <= 0 ? 0 : (2 * way - 1) * TURN_MAX;
      const isHeard = way === WordWay.down || way === WordWay.up ? !wantsNumber(placed) : way >= 0;
      if (isHeard) this.play(placed, way >= PRESSED, surface, sink);
      else this.moves.counts.refused++;
    }
  }

  private play(placed: Placed, isDown: boolean, surface: number, sink: ControlSink): void {
    const { observer } = this;
    observer?.beforeMove();
    this.moves.move(placed, isDown, surface, sink);
    observer?.afterMove(placed);
  }

  /** Why a move was refused, the last time. */
  get reject(): Reject {
    return this.moves.reject;
  }

  /**
   * How far the control of a binding stands from its value, as a part of its way: above 0 when it has to go up. 0 while it
   * holds the value, and before it moved.
   */
  gapOf(record: BindingRecord): number {
    const placed = this.atWork.get(keyOf(record));
    return placed === undefined ? 0 : this.moves.gapOf(placed);
  }

  /** A device went away: how many voices it has and where its controls stand, it says again when it is back. */
  forgetDevice(device: number): void {
    const alias = this.tables.devices[device]?.alias;
    if (alias === undefined) return;
    this.whereabouts.forget(alias);
    if (this.zones.forget(alias)) this.refresh();
  }

  /** The controls of a device have to find their values again: it came back. */
  rearmDevice(device: number): void {
    const alias = this.tables.devices[device]?.alias;
    if (alias !== undefined) this.rearm(alias);
  }

  /** So have those of all: a term began. That moved no control. */
  rearm(alias?: string): void {
    this.states.forEach((state, place) => {
      if (alias === undefined || state.alias === alias) this.moves.memory.rearm(place);
    });
    if (alias === undefined) this.recall();
    else this.whereabouts.forget(alias);
  }
}

/** What is measured is the value, unless the binding has a range of its own. */
function measured(record: BindingRecord, { midi }: ControlAddress): BindingRecord {
  const [first] = midi;
  if (first?.kind !== MidiKind.measure || record.range[0] !== record.range[1]) return record;
  return { ...record, range: rangeOfMeasure(first.number) ?? record.range };
}

/** Whether a motor, or the place that a ring sets, follows the value. */
function isCarrier(control: ProfileControl | undefined): boolean {
  return control?.hasMotor === true || control?.ring?.setsValue === true;
}

/** Whether the value follows the control's place, so that a message that names none moves nothing. */
function wantsNumber({ binding, transform }: Placed): boolean {
  if (binding.effect === BindingEffect.impulse || binding.effect === BindingEffect.truth) return false;
  return transform === undefined || transform.mode === ControlMode.absolute;
}

function isTurned(transform: Transform | undefined): boolean {
  return transform?.mode === ControlMode.relative && transform.encoding === RelativeEncoding.none;
}

function turned(address: OscAddress): OscAddress {
  return { ...address, range: TURN_RANGE };
}

/** What must be the same for a control to go on where it was. */
function keyOf({ id, source, path }: BindingRecord): string {
  return `${id} ${source} ${path}`;
}
