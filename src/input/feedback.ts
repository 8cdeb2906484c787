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
import type { State } from "../state/state.js";
import { Binding } from "./binding.js";
import type { BindingRecord } from "./binding-records.js";
import { parseSource } from "./control-source.js";
import { type MidiEvent, MidiKind } from "./midi-event.js";
import { OscFeedback, type OscShown } from "./osc-feedback.js";
import type { MidiPacing } from "./midi-outbox.js";
import type { Formula } from "./formula.js";
import { pagesOf } from "./osc-page.js";
import type { OscSender, ShownValues } from "./osc-target.js";
import type { Transform } from "./transform.js";
import { type ShownControl, SurfaceFeedback } from "./surface-feedback.js";
import type { SurfaceLook } from "./surface-look.js";
import { ShownBinding } from "./shown-binding.js";

/** What is known of a binding: `BindingState`. */
export interface FeedbackBinding {
  readonly record: BindingRecord;
  readonly standing: string;
  readonly alias: string;
  readonly control?: ProfileControl | undefined;
  readonly transform?: Transform | undefined;
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
  /** A device says where one of its controls stands, and no hand moved it. */
  readonly onPosition: (alias: string, event: MidiEvent) => void;
  /** How far a binding's control stands from the value that it has to find. */
  readonly gapOf: (record: BindingRecord) => number;
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
    const seen = bindings.flatMap((one) => this.oscShownOf(one) ?? []);
    const aliases = new Set(bindings.flatMap(({ alias, control }) => (isOsc(control) ? [alias] : [])));
    const layouts = [...aliases].map((alias) => ({
      alias,
      announcements: this.parts.profileOf(alias)?.announcements ?? [],
    }));
    const controls = seen.map(({ control }) => control);
    const { state, shown } = this.parts;
    const pages = pagesOf(
      seen.map(({ condition }) => condition),
      state,
      shown,
    );
    for (const [index, entry] of this.osc.show(controls, layouts, pages).entries()) {
      if (entry >= 0) this.follow((seen[index] as Seen<OscShown>).shown, { image: this.osc, entry });
    }
  }

  /** What an OSC binding shows; a pattern says not where, and what only turns stands nowhere. */
  private oscShownOf(one: FeedbackBinding): Seen<OscShown> | undefined {
    const { record, standing, control, transform } = one;
    const condition = transform?.condition;
    const source = parseSource(record.source);
    const shown = standing === "active" && record.feedback !== "off" ? this.shownOf(one) : undefined;
    if ("problem" in source || shown === undefined || shown.isTurned) return undefined;
    const load = (look: SurfaceLook): boolean => shown.load(look);
    if (source.from === "osc" && isLiteral(source.pattern)) {
      const { pattern: address, argument } = source;
      return { shown, condition, control: { address, argument, range: WAY, control: undefined, load } };
    }
    const sends = control?.source;
    if (control === undefined || sends === undefined || !("address" in sends)) return undefined;
    return { shown, condition, control: { ...sends, range: control.range, control, load } };
  }

  private shownOf({ record, transform }: FeedbackBinding): ShownBinding | undefined {
    const { state, shown, gapOf } = this.parts;
    const target = state.idOf(record.path);
    if (target < 0) return undefined;
    const binding = new Binding(record, state, target);
    return new ShownBinding({ binding, transform, state, shown, gap: () => gapOf(record) });
  }

  private surfaceOf(alias: string): SurfaceFeedback {
    const { clock, sink, onRearm, onPosition } = this.parts;
    const profile = this.parts.profileOf(alias);
    const known = this.surfaces.get(alias);
    if (known !== undefined && known.profile === profile) return known;
    const made = new SurfaceFeedback({
      clock,
      profile,
      sink: { send: (message) => sink.send(alias, message), waiting: () => sink.waiting(alias) },
      onRearm: () => onRearm(alias),
      onPosition: (event) => onPosition(alias, event),
    });
    this.surfaces.set(alias, made);
    if (known?.image.isOpen === true) made.open();
    return made;
  }

  private show(surface: SurfaceFeedback, bindings: readonly FeedbackBinding[]): void {
    const seen = bindings.flatMap((one) => this.midiShownOf(one) ?? []);
    for (const [index, entries] of surface.show(seen.map(({ control }) => control)).entries()) {
      for (const entry of entries)
        this.follow((seen[index] as Seen<ShownControl>).shown, { image: surface.image, entry });
    }
  }

  private follow({ paths }: ShownBinding, place: Place): void {
    for (const path of paths) {
      const at = this.listOf[path] || this.lists.push([]);
      this.listOf[path] = at;
      this.lists[at - 1]?.push(place);
    }
  }

  /** What a binding shows on its device; undefined when it shows nothing. */
  private midiShownOf(one: FeedbackBinding): Seen<ShownControl> | undefined {
    const { record, control } = one;
    const source = parseSource(record.source);
    const address = "from" in source && source.from === "midi" ? source.address : undefined;
    const isOff = control === undefined ? record.feedback !== "on" : record.feedback === "off";
    const shown = isOff ? undefined : this.shownOf(one);
    if (shown === undefined) return undefined;
    const { isPlace, step, seeks } = shown;
    const isSwitch = shown.isSwitch || address?.kind === MidiKind.noteOn;
    const load = (look: SurfaceLook): boolean => shown.load(look);
    return { shown, control: { control, address, isSwitch, isPlace, seeks, step, load } };
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

/** What a control shows, and what of the state that depends on. */
interface Seen<Control> {
  readonly shown: ShownBinding;
  /** What has to be so that it moves anything. */
  readonly condition?: Formula | undefined;
  readonly control: Control;
}

const WAY: readonly [number, number] = [0, 1];

function isOsc(control: ProfileControl | undefined): boolean {
  return control?.source !== undefined && "address" in control.source;
}

/** Whether a pattern is an address. */
function isLiteral(pattern: string): boolean {
  return !/[*?[\]{}]|\/\//.test(pattern);
}
