/**
 * Feedback: the state drives the hardware back. A follower of the stream that keeps an image of every bound device.
 *
 * Compiled from the bindings when they change: which paths each output of a device shows. A change of such a path marks
 * the outputs; what is sent, and when, is the image's to say, from the value that is shown then. So nothing that was
 * overwritten, clipped or refused meanwhile is ever shown. It writes nothing to the state and costs two reads a turn
 * while nothing is bound to a device that can show anything.
 */
import type { Clock } from "../base/clock.js";
import type { Profile, ProfileControl } from "../config/profile.js";
import { Found, type RingMemory, RingReader } from "../state/ring.js";
import { Staging } from "../state/staging.js";
import type { State } from "../state/state.js";
import { Binding, BindingEffect } from "./binding.js";
import type { BindingRecord } from "./binding-records.js";
import { parseSource } from "./control-source.js";
import { type MidiEvent, MidiKind } from "./midi-event.js";
import { OscFeedback, type OscShown } from "./osc-feedback.js";
import type { MidiPacing } from "./midi-outbox.js";
import type { OscSender, ShownValues } from "./osc-target.js";
import { type ShownControl, SurfaceFeedback } from "./surface-feedback.js";
import { paint, type SurfaceLook } from "./surface-look.js";

/** What is known of a binding: `BindingState`. */
export interface FeedbackBinding {
  readonly record: BindingRecord;
  readonly standing: string;
  readonly alias: string;
  readonly control?: ProfileControl | undefined;
}

/** The way to the devices: `MidiHub`. */
export interface FeedbackSink {
  send(alias: string, message: Uint8Array): boolean;
  /** Messages to it that have not left yet. */
  waiting(alias: string): number;
}

export interface FeedbackParts {
  readonly clock: Clock;
  readonly state: State;
  readonly shown: ShownValues;
  readonly memory: RingMemory;
  readonly sink: FeedbackSink;
  readonly sender: OscSender;
  readonly profileOf: (alias: string) => Profile | undefined;
  readonly onRearm: (alias: string) => void;
}

/** What the hub has to know of a device that is shown something. */
export interface FeedbackWish {
  readonly needsOutput: boolean;
  readonly needsSysex: boolean;
  readonly pacing: MidiPacing | undefined;
  readonly init: readonly Uint8Array[];
  readonly exit: readonly Uint8Array[];
}

/** An output that shows a path, and who is told that it may look otherwise now. */
interface Place {
  readonly image: { mark(entry: number): void };
  readonly entry: number;
}

export class Feedback {
  /** What surfaces that speak OSC are shown. */
  readonly osc: OscFeedback;
  private readonly parts: FeedbackParts;
  private readonly reader: RingReader;
  private readonly staging = new Staging();
  private readonly ways = new Float64Array(2);
  private readonly surfaces = new Map<string, SurfaceFeedback>();
  /** By the device's place in the list of the bindings' devices. */
  private devices: readonly SurfaceFeedback[] = [];
  /** By path: 0, or where its list lies in `lists`, and one. */
  private listOf = new Int32Array(0);
  private lists: Place[][] = [];

  constructor(parts: FeedbackParts) {
    const { clock, sender, onRearm } = parts;
    this.parts = parts;
    this.osc = new OscFeedback({ clock, sender, onRearm });
    this.reader = new RingReader(parts.memory);
  }

  /** The bindings have changed. `aliases`: their devices, in order. */
  compile(bindings: readonly FeedbackBinding[], aliases: readonly string[]): void {
    const { state } = this.parts;
    this.lists = [];
    if (this.listOf.length === 0 && bindings.length > 0) this.listOf = new Int32Array(state.capacity);
    this.listOf.fill(0);
    for (const [alias, surface] of this.surfaces) {
      if (aliases.includes(alias)) continue;
      surface.darken();
      this.surfaces.delete(alias);
    }
    this.devices = aliases.map((alias) => {
      const surface = this.surfaceOf(alias);
      this.show(
        surface,
        bindings.filter((one) => one.alias === alias && one.standing === "active"),
      );
      return surface;
    });
    this.showOsc(bindings);
  }

  private showOsc(bindings: readonly FeedbackBinding[]): void {
    const shown = bindings.flatMap((one) => this.oscShownOf(one) ?? []);
    const aliases = new Set(bindings.flatMap(({ alias, control }) => (isOsc(control) ? [alias] : [])));
    const layouts = [...aliases].map((alias) => ({
      alias,
      announcements: this.parts.profileOf(alias)?.announcements ?? [],
    }));
    const controls = shown.map(({ control }) => control);
    for (const [index, entry] of this.osc.show(controls, layouts).entries()) {
      if (entry >= 0) this.follow((shown[index] as ShownOsc).target, { image: this.osc, entry });
    }
  }

  /** What an OSC binding shows; a pattern says not where. */
  private oscShownOf({ record, standing, control }: FeedbackBinding): ShownOsc | undefined {
    const source = parseSource(record.source);
    const binding = standing === "active" && record.feedback !== "off" ? this.bindingOf(record) : undefined;
    if ("problem" in source || binding === undefined) return undefined;
    const load = (look: SurfaceLook): boolean => this.load(binding, look);
    const { target } = binding;
    if (source.from === "osc" && isLiteral(source.pattern)) {
      const { pattern: address, argument } = source;
      return { target, control: { address, argument, range: WAY, control: undefined, load } };
    }
    const sends = control?.source;
    if (control === undefined || sends === undefined || !("address" in sends)) return undefined;
    return { target, control: { ...sends, range: control.range, control, load } };
  }

  private bindingOf(record: BindingRecord): Binding | undefined {
    const target = this.parts.state.idOf(record.path);
    return target < 0 ? undefined : new Binding(record, this.parts.state, target);
  }

  private surfaceOf(alias: string): SurfaceFeedback {
    const { clock, sink, onRearm } = this.parts;
    const profile = this.parts.profileOf(alias);
    const known = this.surfaces.get(alias);
    if (known !== undefined && known.profile === profile) return known;
    const made = new SurfaceFeedback({
      clock,
      profile,
      sink: { send: (message) => sink.send(alias, message), waiting: () => sink.waiting(alias) },
      onRearm: () => onRearm(alias),
    });
    this.surfaces.set(alias, made);
    if (known?.image.isOpen === true) made.open();
    return made;
  }

  private show(surface: SurfaceFeedback, bindings: readonly FeedbackBinding[]): void {
    const shown = bindings.flatMap((one) => this.shownOf(one) ?? []);
    for (const [index, entries] of surface.show(shown.map(({ control }) => control)).entries()) {
      for (const entry of entries) this.follow((shown[index] as Shown).target, { image: surface.image, entry });
    }
  }

  private follow(target: number, place: Place): void {
    const at = this.listOf[target] || this.lists.push([]);
    this.listOf[target] = at;
    this.lists[at - 1]?.push(place);
  }

  /** What a binding shows; undefined when it shows nothing. */
  private shownOf({ record, control }: FeedbackBinding): Shown | undefined {
    const source = parseSource(record.source);
    const address = "from" in source && source.from === "midi" ? source.address : undefined;
    const isOff = control === undefined ? record.feedback !== "on" : record.feedback === "off";
    const binding = isOff ? undefined : this.bindingOf(record);
    if (binding === undefined) return undefined;
    const { target } = binding;
    const isSwitch = binding.effect !== BindingEffect.value || address?.kind === MidiKind.noteOn;
    const load = (look: SurfaceLook): boolean => this.load(binding, look);
    return { target, control: { control, address, isSwitch, step: binding.step, load } };
  }

  private load(binding: Binding, look: SurfaceLook): boolean {
    const { state, shown } = this.parts;
    const { target, record } = binding;
    if (!state.exists(target) || binding.effect === BindingEffect.impulse) return false;
    shown.load(target, this.staging);
    this.ways[1] = this.staging.numbers[0] as number;
    binding.toWay(this.ways);
    look.way = this.ways[1];
    paint(look, record.colour);
    look.name = record.path.slice(record.path.lastIndexOf("/") + 1);
    look.value = this.valueText(target);
    return true;
  }

  private valueText(target: number): string {
    const { state } = this.parts;
    const value = this.staging.numbers[0] as number;
    const declaration = state.declarationOf(target);
    if (declaration?.type === "enum") return declaration.values[value] ?? "";
    if (declaration?.type === "bool") return value === 0 ? "off" : "on";
    return numberText(value);
  }

  /** What the hub has to know of a device. */
  wishOf(alias: string): FeedbackWish {
    const surface = this.surfaces.get(alias);
    const { pacing, init = [], exit = [], needsSysex = false, hasOutputs = false } = surface ?? {};
    return { needsOutput: hasOutputs || init.length > 0, needsSysex, pacing, init, exit };
  }

  opened(device: number): void {
    this.devices[device]?.open();
  }

  closed(device: number): void {
    this.devices[device]?.image.close();
  }

  /** Hears a device's message before the bindings. False: nothing is to follow from it. */
  hear(device: number, event: MidiEvent): boolean {
    return this.devices[device]?.hear(event) ?? true;
  }

  hearSysex(device: number, bytes: Uint8Array, length: number): void {
    this.devices[device]?.hearSysex(bytes, length);
  }

  /** The node ends: nothing shines on. */
  darken(): void {
    for (const surface of this.surfaces.values()) surface.darken();
  }

  /** Sends a device, or all, everything again. False when nothing is shown on such a device. */
  repaint(alias?: string): boolean {
    if (alias !== undefined && this.surfaces.get(alias)?.hasOutputs !== true) return false;
    for (const [name, { image }] of this.surfaces) if (alias === undefined || alias === name) image.repaint();
    if (alias === undefined) this.osc.repaint();
    return true;
  }

  /** Reads what changed and sends what is due; to be called once a turn, and at `dueUs`. */
  pump(): void {
    if (this.lists.length === 0) this.reader.skip();
    else this.drain();
    // By number: a turn allocates nothing.
    for (let at = 0; at < this.devices.length; at++) (this.devices[at] as SurfaceFeedback).image.pump();
    this.osc.pump();
  }

  private drain(): void {
    const { reader } = this;
    for (let found = reader.next(); found !== Found.nothing; found = reader.next()) {
      if (found === Found.value) this.mark(this.listOf[reader.id] as number);
      else if (found === Found.lapped) for (let at = 1; at <= this.lists.length; at++) this.mark(at);
    }
  }

  private mark(at: number): void {
    if (at === 0) return;
    for (const { image, entry } of this.lists[at - 1] as Place[]) image.mark(entry);
  }

  /** When `pump` has something to do although nothing changes, in own time. */
  get dueUs(): number {
    let due = this.osc.dueUs;
    for (let at = 0; at < this.devices.length; at++) {
      due = Math.min(due, (this.devices[at] as SurfaceFeedback).image.dueUs);
    }
    return due;
  }
}

interface Shown {
  readonly target: number;
  readonly control: ShownControl;
}

interface ShownOsc {
  readonly target: number;
  readonly control: OscShown;
}

const WAY: readonly [number, number] = [0, 1];

function isOsc(control: ProfileControl | undefined): boolean {
  return control?.source !== undefined && "address" in control.source;
}

/** Whether a pattern is an address. */
function isLiteral(pattern: string): boolean {
  return !/[*?[\]{}]|\/\//.test(pattern);
}

/** Four digits at most, as a display's cell has room for. */
function numberText(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const whole = Math.abs(value) >= 1 ? Math.floor(Math.log10(Math.abs(value))) + 1 : 1;
  return value.toFixed(Math.max(0, 4 - whole));
}
