/**
 * Surface feedback: one MIDI device that shows what its bindings move. Its image, and what it says that concerns it.
 *
 * It hears each message before the bindings do: a report of what a motor was told is no move, a touch holds the motor, a
 * key that is let go gets its LED back, and a device that announces another bank is painted anew.
 */
import type { Clock } from "../base/clock.js";
import type { Announcement, ControlSource, Profile, ProfileControl } from "../config/profile.js";
import { midiAddresses } from "./control-address.js";
import { outputsOf, positionOutput } from "./control-outputs.js";
import type { MidiAddress } from "./control-source.js";
import { messageKey } from "./control-tables.js";
import { DisplayColours } from "./display-colours.js";
import { HandHold } from "./hand-hold.js";
import { MIDI_MAX_7, MidiEvent, MidiKind } from "./midi-event.js";
import type { MidiPacing } from "./midi-outbox.js";
import { IMAGE_HZ, type ImageEntry, type ImageSink, SurfaceImage } from "./surface-image.js";
import { SurfaceLook } from "./surface-look.js";
import type { SurfaceOutput } from "./surface-output.js";
import { fillForm, heldBy, matchesForm } from "./sysex-form.js";

/** A device that lights a key itself does so when it is let go: what is sent in the same moment would be lost. */
const LOCAL_LED_US = 10_000;
/** A device that was just plugged in swallows what it is sent while it starts: by then it takes everything. */
const STARTED_US = 1_500_000;
/** USB takes this at once; a device's own rate is kept on top of it. */
const BURST_BYTES = 1_024;
const BYTES_PER_SECOND = 20_000;

/** What a binding shows on a control of this device. */
export interface ShownControl {
  /** The profile's; undefined for a message without one. */
  readonly control: ProfileControl | undefined;
  /** The message that moves it; undefined for what only shows. */
  readonly address: MidiAddress | undefined;
  /** Its value is on or off: a light, not a place. */
  readonly isSwitch: boolean;
  /** Where the control stands says what the value is: it can be put where the value is. */
  readonly isPlace: boolean;
  /** It looks otherwise while its control has not found its value. */
  readonly seeks: boolean;
  /** The least way that its value tells apart. */
  readonly step: number;
  /** Puts its value in hand; false when it does not speak now. */
  load(look: SurfaceLook): boolean;
}

export interface SurfaceParts {
  readonly clock: Clock;
  readonly profile: Profile | undefined;
  readonly sink: ImageSink;
  /** Its controls have to find their values again. */
  readonly onRearm: () => void;
  /** It says where a control stands. */
  readonly onPosition: (event: MidiEvent) => void;
}

/** What a message of the device does here. */
interface Reaction {
  readonly entry: number;
  readonly does: "move" | "seek" | "touch" | "release";
}

export class SurfaceFeedback {
  readonly image: SurfaceImage;
  readonly profile: Profile | undefined;
  /** How fast it may be written to: the same object every time, as what waits goes when that changes. */
  readonly pacing: MidiPacing | undefined;
  /** Whether any of its bindings has something to be shown on. */
  hasOutputs = false;
  private readonly parts: SurfaceParts;
  private readonly look = new SurfaceLook();
  private readonly position = new MidiEvent();
  private readonly hands = new Map<string, HandHold>();
  private entries: readonly Entry[] = [];
  private reactions = new Map<number, Reaction[]>();
  private readonly announcements: readonly Announcement[];
  /** Those of them that come as a short message, by that. */
  private readonly announced = new Map<number, Announcement>();

  constructor(parts: SurfaceParts) {
    const { clock, profile, sink } = parts;
    this.parts = parts;
    this.profile = profile;
    this.pacing = profile === undefined ? undefined : pacingOf(profile);
    this.image = new SurfaceImage({ clock, hz: profile?.pacing.hz ?? IMAGE_HZ, sink }, this.look);
    this.announcements = profile?.announcements ?? [];
    for (const announcement of this.announcements) {
      for (const address of announcement.midi.flatMap(midiAddresses)) {
        this.announced.set(messageKey(address.kind, address.channel, address.number), announcement);
      }
    }
  }

  /** Sets what its bindings show, in their order. Answers for each of them the entries of the image that it is in. */
  show(controls: readonly ShownControl[]): number[][] {
    const entries: Entry[] = [];
    const byKey = new Map<string, number>();
    this.reactions = new Map();
    const places = controls.map((shown) =>
      this.outputsOf(shown).map((output) => {
        const index = byKey.get(output.key) ?? entries.length;
        if (index === entries.length) entries.push(this.entry(output, shown));
        byKey.set(output.key, index);
        entries[index]?.add(shown);
        this.listen(index, entries[index] as Entry, shown);
        return index;
      }),
    );
    // What nothing is bound to any more goes dark; what the hand moves stays where it is.
    for (const { output } of this.entries) {
      if (output.most === 0 && !byKey.has(output.key)) entries.push(entryOf(output, undefined, 0));
    }
    this.hasOutputs = byKey.size > 0;
    this.entries = entries;
    this.image.setEntries(entries);
    return places;
  }

  /** It was plugged in, or its port is open at last. */
  open(): void {
    this.image.open(STARTED_US);
  }

  /** Lets all of it go dark: nothing is bound to it any more, or the node ends. */
  darken(): void {
    this.show([]);
    this.image.finish();
  }

  private outputsOf({ control, address, isSwitch, isPlace }: ShownControl): SurfaceOutput[] {
    const isKnown = control !== undefined && this.profile !== undefined;
    const own = address === undefined ? [] : [positionOutput(address, isSwitch)];
    return (isKnown ? outputsOf(control, this.profile) : own).filter(({ most }) => most === 0 || isPlace);
  }

  private entry(output: SurfaceOutput, { control, step }: ShownControl): Entry {
    let hand: HandHold | undefined;
    if (output.most > 0) {
      hand =
        this.hands.get(output.key) ??
        new HandHold(this.parts.clock, {
          isEchoed: control?.selfEcho === true,
          // What is not known may have one.
          hasMotor: control?.hasMotor ?? true,
        });
      this.hands.set(output.key, hand);
    }
    return entryOf(output, hand, Math.ceil((step / 2) * output.most));
  }

  private listen(entry: number, { hand }: Entry, { control, address, seeks }: ShownControl): void {
    const { source, touch, localLed = false, selfEcho = false } = control ?? {};
    const moves = source === undefined ? [address] : midiOf(source);
    if (seeks) this.react(moves, { entry, does: "seek" });
    if (hand !== undefined) this.react(moves, { entry, does: "move" });
    else if (localLed || selfEcho) this.react(moves, { entry, does: "release" });
    if (hand !== undefined && touch !== undefined) this.react(midiOf(touch), { entry, does: "touch" });
  }

  private react(addresses: readonly (MidiAddress | undefined)[], reaction: Reaction): void {
    for (const address of addresses) {
      if (address === undefined) continue;
      const key = messageKey(address.kind, address.channel, address.number);
      const known = this.reactions.get(key) ?? [];
      if (known.some(({ entry, does }) => entry === reaction.entry && does === reaction.does)) continue;
      this.reactions.set(key, [...known, reaction]);
    }
  }

  /** Hears what the device says. False when that is no move of a hand's, and nothing is to follow from it. */
  hear(event: MidiEvent): boolean {
    if (this.reactions.size === 0 && this.announced.size === 0) return true;
    const { kind, channel, number, value, max } = event;
    const key = messageKey(kind === MidiKind.noteOff ? MidiKind.noteOn : kind, channel, number);
    const announcement = this.announced.get(key);
    if (announcement !== undefined && (announcement.on ?? value) === value) this.follow(announcement);
    const list = this.reactions.get(key);
    if (list === undefined) return true;
    const isUp = kind === MidiKind.noteOff || value === 0;
    let isMove = true;
    this.look.way = value / max;
    for (const { entry, does } of list) {
      if (does === "move") isMove = this.moved(entry) && isMove;
      // Whether it found its value is known when the bindings have heard it too.
      else if (does === "seek") this.image.mark(entry);
      else if (does === "touch") this.touched(entry, kind === MidiKind.cc ? value > max / 2 : !isUp);
      else if (isUp) this.image.forget(entry, LOCAL_LED_US);
    }
    return isMove;
  }

  private moved(index: number): boolean {
    const { output, hand } = this.entries[index] as Entry;
    const isMove = hand?.report(output.codeOf(this.look)) ?? true;
    // What becomes of it is looked at when the hand has let go.
    this.image.mark(index);
    return isMove;
  }

  private touched(index: number, isDown: boolean): void {
    this.entries[index]?.hand?.touch(isDown);
    this.image.mark(index);
    this.image.again();
  }

  hearSysex(bytes: Uint8Array, length: number): void {
    for (const announcement of this.announcements) {
      if (announcement.sysex !== undefined && matchesForm(announcement.sysex, bytes, length)) this.follow(announcement);
    }
    this.hearPositions(bytes, length);
  }

  /** It says where its controls stand, as some do when they are spoken to first. */
  private hearPositions(bytes: Uint8Array, length: number): void {
    const { positions, controls } = this.profile ?? {};
    if (positions === undefined || controls === undefined) return;
    const names = positions.controls;
    const values = heldBy(positions.reply, "values", bytes, length);
    if (values?.length !== names.length) return;
    for (const [at, name] of names.entries()) {
      const [address] = midiOf(controls.get(name)?.source);
      if (address === undefined) continue;
      const { kind, channel, number } = address;
      Object.assign(this.position, { kind, channel, number, value: values[at], max: MIDI_MAX_7 });
      this.parts.onPosition(this.position);
    }
    this.image.markAll();
  }

  /** It shows another bank, page or template now. */
  private follow({ repaint, rearm }: Announcement): void {
    if (repaint) this.image.repaint();
    if (rearm) this.parts.onRearm();
  }

  /** Whether it says something by SysEx that is of interest here. */
  get needsSysex(): boolean {
    return this.profile?.positions !== undefined || this.announcements.some(({ sysex }) => sysex !== undefined);
  }

  /** What it is sent when its port opens, and before that closes. */
  get init(): readonly Uint8Array[] {
    return (this.profile?.init ?? []).map((message) => fillForm(message, {}));
  }

  get exit(): readonly Uint8Array[] {
    return (this.profile?.exit ?? []).map((message) => fillForm(message, {}));
  }
}

function pacingOf({ pacing: { gapMs, bytesPerSecond } }: Profile): MidiPacing {
  const rate = Math.min(BYTES_PER_SECOND, bytesPerSecond);
  return { bytesPerSecond: rate, burstBytes: Math.min(BURST_BYTES, rate), gapUs: gapMs * 1_000 };
}

function midiOf(source: ControlSource | undefined): MidiAddress[] {
  return source === undefined || "address" in source ? [] : midiAddresses(source);
}

function entryOf(output: SurfaceOutput, hand: HandHold | undefined, near: number): Entry {
  return output instanceof DisplayColours ? new ColoursEntry(output) : new Entry(output, hand, near);
}

/** An output, and whoever has something to show on it: the first that speaks is shown. */
class Entry implements ImageEntry {
  readonly output: SurfaceOutput;
  readonly hand: HandHold | undefined;
  readonly near: number;
  protected readonly shown: ShownControl[] = [];

  constructor(output: SurfaceOutput, hand: HandHold | undefined, near: number) {
    this.output = output;
    this.hand = hand;
    this.near = near;
  }

  add(shown: ShownControl): void {
    this.shown.push(shown);
  }

  load(look: SurfaceLook): void {
    if (!this.shown.some((one) => one.load(look))) look.clear();
  }
}

/** One output that shows many controls: each has a cell of its own. */
class ColoursEntry extends Entry {
  private readonly colours: DisplayColours;

  constructor(output: DisplayColours) {
    super(output, undefined, 0);
    this.colours = output;
  }

  override load(look: SurfaceLook): void {
    const { colours, shown } = this;
    colours.bleach();
    // The first that speaks for a cell is seen there: it comes last.
    for (const one of shown.toReversed()) {
      if (one.control?.display !== undefined && one.load(look)) colours.paint(one.control.display.cell, look);
    }
    look.clear();
  }
}
