/**
 * Control tables: which bindings a message concerns. Made anew whenever bindings change, then only read.
 *
 * A device is its place in `devices`; its messages are found by one number, without making one.
 */
import { LRUCache } from "lru-cache";
import type { Binding } from "./binding.js";
import type { OscAddress } from "./control-address.js";
import type { MidiAddress } from "./control-source.js";
import { type MidiEvent, MidiKind } from "./midi-event.js";
import { compilePattern, type OscPattern } from "./osc-pattern.js";
import { isBySysex } from "./system-control.js";
import type { Transform } from "./transform.js";

const OSC_ADDRESSES_MAX = 1_024;
const NONE: readonly Placed[] = [];

/** A binding at work, and its place in the memory of what controls were at. */
export interface Placed {
  readonly binding: Binding;
  /** Undefined: its control's way becomes the value, and nothing else. */
  readonly transform: Transform | undefined;
  readonly place: number;
  readonly surface: number;
  /** The device itself puts the control where the value is: it is never apart from it. */
  readonly isCarried: boolean;
}

/** A binding to the argument of the OSC messages that a pattern matches. */
export interface PlacedOsc extends OscAddress {
  readonly compiled: OscPattern;
  readonly placed: Placed;
}

/** A device that bindings name, and what its messages move. */
export interface BoundDevice {
  readonly alias: string;
  /** Pairs of controllers that are one of 14 bits. */
  readonly pairs: readonly MidiAddress[];
  /** Something of it comes by SysEx. */
  readonly needsSysex: boolean;
}

interface DeviceTable extends BoundDevice {
  readonly placed: Map<number, Placed[]>;
  readonly pairs: MidiAddress[];
  needsSysex: boolean;
}

export class ControlTables {
  private readonly tables: DeviceTable[] = [];
  /** By alias and name, of controls that a program may give. */
  private readonly names = new Map<string, Placed[]>();
  private readonly osc: PlacedOsc[] = [];
  /** Which of them an address concerns. Whoever sends chooses addresses, so it is bounded. */
  private readonly oscMatches = new LRUCache<string, readonly PlacedOsc[]>({ max: OSC_ADDRESSES_MAX });

  get devices(): readonly BoundDevice[] {
    return this.tables;
  }

  get hasOsc(): boolean {
    return this.osc.length > 0;
  }

  /** A device is wanted although nothing of it is at work yet: when its path comes, the port is open. */
  want(alias: string, addresses: readonly MidiAddress[]): void {
    const table = this.tableOf(alias);
    for (const address of addresses) if (address.low >= 0) table.pairs.push(address);
    table.needsSysex ||= addresses.some(({ kind, number }) => isBySysex(kind, number));
  }

  addMidi(alias: string, addresses: readonly MidiAddress[], placed: Placed): void {
    if (addresses.length === 0) return;
    const table = this.tableOf(alias).placed;
    for (const { kind, channel, number } of addresses) add(table, messageKey(kind, channel, number), placed);
  }

  addName(alias: string, name: string, placed: Placed): void {
    add(this.names, `${alias}/${name}`, placed);
  }

  addOsc(address: OscAddress, placed: Placed): void {
    const compiled = compilePattern(address.pattern);
    if (compiled !== null) this.osc.push({ ...address, compiled, placed });
  }

  /** The bindings of a device's message. The release of a key is the same control's as its press. */
  ofMidi(device: number, { kind, channel, number }: MidiEvent): readonly Placed[] {
    const control = kind === MidiKind.noteOff ? MidiKind.noteOn : kind;
    return this.tables[device]?.placed.get(messageKey(control, channel, number)) ?? NONE;
  }

  /** Those of one kind of a device's messages (`messageKey`). */
  ofKey(alias: string, key: number): readonly Placed[] {
    return this.tables.find((table) => table.alias === alias)?.placed.get(key) ?? NONE;
  }

  ofName(alias: string, name: string): readonly Placed[] {
    return this.names.get(`${alias}/${name}`) ?? NONE;
  }

  ofOsc(address: string): readonly PlacedOsc[] {
    const known = this.oscMatches.get(address);
    if (known !== undefined) return known;
    const found = this.osc.filter(({ compiled }) => compiled.matches(address));
    this.oscMatches.set(address, found);
    return found;
  }

  private tableOf(alias: string): DeviceTable {
    const known = this.tables.find((table) => table.alias === alias);
    if (known !== undefined) return known;
    const table = { alias, placed: new Map<number, Placed[]>(), pairs: [], needsSysex: false };
    this.tables.push(table);
    return table;
  }
}

function add<Key>(table: Map<Key, Placed[]>, key: Key, placed: Placed): void {
  const list = table.get(key);
  if (list === undefined) table.set(key, [placed]);
  else list.push(placed);
}

/** Kind, channel and number of a message in 22 bits. */
export function messageKey(kind: MidiKind, channel: number, number: number): number {
  return (kind << 18) | ((channel - 1) << 14) | number;
}
