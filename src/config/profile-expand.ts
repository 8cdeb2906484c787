/**
 * Profile expansion: from a profile as it is written to one that can be asked, and every complaint on the way.
 *
 * Takes what the schema found right, which may be a part of a file only: then what can be judged of the rest is still
 * judged, so that a person is told everything at once. Never throws; after a complaint the result is of no use.
 */
import { type Announcement, type ControlSource, type LedType, type Profile, ProfileInputs } from "./profile.js";
import type { ProfileControl, ProfileDisplay } from "./profile.js";
import { type FileNames, isKnown, messageAt } from "./profile-judge.js";
import { checkPalette, ledTypeAt } from "./profile-led.js";
import { expandName, expandNumbers, type MessagePart, type Place, type Report } from "./profile-notation.js";
import { type Outputs, outputsAt } from "./profile-outputs.js";
import { expandPorts } from "./profile-ports.js";
import type { ControlFile, ProfileFile } from "./profile-schema.js";
import { type MessageFields, midiFieldsOf, midiSources, sourcesAt, sourceText } from "./profile-sources.js";

/** A file whose parts are right each by itself; some may be missing. */
export type PartialProfileFile = { readonly [Field in keyof ProfileFile]?: ProfileFile[Field] | undefined };

/** Most controls of one profile. */
const CONTROLS_MAX = 4_096;
const UNLIMITED = Number.POSITIVE_INFINITY;
/** Controls that send nothing. */
const SHOWING: readonly string[] = ["light", "meter"];
/** Controls that may send turns. */
const TURNING: readonly string[] = ["encoder", "jog", "knob"];
/** Fields that mean nothing to OSC. */
const MIDI_ONLY = [
  "ports",
  "usb",
  "identity",
  "init",
  "exit",
  "messages",
  "positions",
  "channel",
  "mpe",
  "palettes",
  "leds",
  "displays",
] as const;

export function expandProfile(file: PartialProfileFile, names: FileNames, report: Report): Profile {
  return new Expansion(file, names, report).run();
}

class Expansion {
  private readonly file: PartialProfileFile;
  private readonly names: FileNames;
  private readonly report: Report;
  private readonly inputs = new ProfileInputs();
  private readonly controls = new Map<string, ProfileControl>();
  private readonly leds = new Map<string, LedType>();
  private readonly displays = new Map<string, ProfileDisplay>();

  constructor(file: PartialProfileFile, names: FileNames, report: Report) {
    this.file = file;
    this.names = names;
    this.report = report;
  }

  run(): Profile {
    this.readLeds();
    this.readDisplays();
    for (const [key, group] of Object.entries(this.file.controls ?? {})) this.group(["controls", key], key, group);
    if (Object.keys(this.file.controls ?? { unread: {} }).length === 0) this.report(["controls"], "holds no control");
    this.checkTransport();
    this.checkVerified();
    return { ...this.facts(), ...this.talk(), displays: this.displays, controls: this.controls, inputs: this.inputs };
  }

  /** What is taken as it stands. */
  private facts() {
    const { name = "", vendor = "", transport = "midi", verified = false, quirks = {}, usb, mpe, pacing } = this.file;
    const { hz = 30, gapMs = 0, bytesPerSecond = UNLIMITED } = pacing ?? {};
    const ports = expandPorts(this.file.ports, this.report);
    return {
      name,
      vendor,
      transport,
      isVerified: verified,
      quirks,
      usb,
      mpe,
      ports,
      pacing: { hz, gapMs, bytesPerSecond },
    };
  }

  /** What is sent to the device and what it says about itself. */
  private talk() {
    const { init = [], exit = [], messages = {}, announcements = {} } = this.file;
    return {
      identity: this.identity(),
      init: init.map((text, index) => this.message(["init", index], text)),
      exit: exit.map((text, index) => this.message(["exit", index], text)),
      messages: new Map(Object.entries(messages).map(([name, text]) => [name, this.message(["messages", name], text)])),
      positions: this.positions(),
      announcements: Object.entries(announcements).map(([name, entry]) => this.announcement(name, entry)),
    };
  }

  private readLeds(): void {
    const palettes = this.file.palettes ?? {};
    for (const [name, text] of Object.entries(palettes)) checkPalette(["palettes", name], text, this.report);
    for (const [name, entry] of Object.entries(this.file.leds ?? {})) {
      const place = ["leds", name];
      const palette = entry.colours === "palette" ? entry.palette : undefined;
      if (palette !== undefined) isKnown([...place, "palette"], palette, this.names.palettes, "palettes", this.report);
      const text = palette === undefined ? undefined : palettes[palette];
      this.leds.set(name, ledTypeAt(place, name, entry, text, this.report));
    }
  }

  private readDisplays(): void {
    const fields = ["position", "cell", "row", "text"];
    for (const [name, entry] of Object.entries(this.file.displays ?? {})) {
      const place = ["displays", name];
      const text = this.sysex([...place, "text"], entry.text, fields);
      const { colours } = entry;
      this.displays.set(name, {
        ...entry,
        name,
        text,
        colours: colours === undefined ? undefined : this.sysex([...place, "colours"], colours, ["colours"]),
        bits: entry.bits,
      });
      if (text.length > 0 && !text.includes("text")) this.report([...place, "text"], "must have {text}");
      if (entry.columns % entry.cells !== 0) {
        this.report([...place, "cells"], `must divide the ${entry.columns} columns into equal parts`);
      }
    }
  }

  private group(place: Place, key: string, group: ControlFile): void {
    const { file, report } = this;
    const names = expandName(key);
    if ("problem" in names) return report(place, names.problem);
    if (this.controls.size + names.length > CONTROLS_MAX)
      return report(place, `is one of more than ${CONTROLS_MAX} controls`);
    this.checkEncoding(place, group);
    const form = { transport: file.transport, channel: file.channel, isNeeded: !SHOWING.includes(group.kind) };
    const sources = sourcesAt(place, group, names, form, report);
    const touchForm = { ...form, isNeeded: true };
    const touches =
      group.touch === undefined ? [] : sourcesAt([...place, "touch"], group.touch, names, touchForm, report);
    const parts = { names: this.names, leds: this.leds, displays: this.displays };
    const outputs = outputsAt(place, group, names, sources, parts, report);
    names.forEach(({ name }, index) => {
      this.keep(place, this.control(name, group, sources[index], touches[index], outputs[index] as Outputs));
    });
  }

  private control(
    name: string,
    group: ControlFile,
    source: ControlSource | undefined,
    touch: ControlSource | undefined,
    outputs: Outputs,
  ): ProfileControl {
    const { file } = this;
    // The place of a motor, of what a host can set, and of what is drawn on a screen is the value's.
    const stands = (group.kind === "fader" || group.kind === "knob") && file.transport !== "osc";
    return {
      name,
      kind: group.kind,
      source,
      range: group.range ?? [0, 1],
      encoding: group.encoding,
      toggles: group.toggles ?? false,
      touch,
      hasMotor: group.motor ?? false,
      ...outputs,
      needsPickup: group.pickup ?? (stands && group.motor !== true && group.ring?.setsValue !== true),
      selfEcho: group.selfEcho ?? file.selfEcho ?? false,
      localLed: group.localLed ?? file.localLed ?? false,
      isVerified: group.verified ?? true,
    };
  }

  private keep(place: Place, control: ProfileControl): void {
    const { name, source, touch } = control;
    if (this.controls.has(name)) return this.report(place, `${name} is a second control of that name`);
    this.controls.set(name, control);
    if (source !== undefined) this.own(place, control, source, "value");
    if (touch !== undefined) this.own([...place, "touch"], control, touch, "touch");
  }

  private own(place: Place, control: ProfileControl, source: ControlSource, part: "value" | "touch"): void {
    const owner = this.inputs.add(source, { control, part });
    if (owner === undefined) return;
    const says = part === "touch" ? `the touch of ${control.name}` : control.name;
    const whose = owner.part === "value" ? owner.control.name : `the ${owner.part} of ${owner.control.name}`;
    this.report(place, `${says} sends ${sourceText(source)}, which is ${whose}'s already`);
  }

  private checkEncoding(place: Place, { kind, encoding }: ControlFile): void {
    if (encoding !== undefined && !TURNING.includes(kind)) {
      this.report([...place, "encoding"], `is for ${TURNING.join(", ")}`);
    }
    if (encoding === undefined && (kind === "encoder" || kind === "jog")) {
      this.report([...place, "encoding"], `is missing: what the ${kind} sends`);
    }
  }

  private identity(): Profile["identity"] {
    const { identity } = this.file;
    if (identity === undefined) return undefined;
    return {
      request: this.sysex(["identity", "request"], identity.request),
      reply: this.pattern(["identity", "reply"], identity.reply),
    };
  }

  private positions(): Profile["positions"] {
    const { positions } = this.file;
    if (positions === undefined) return undefined;
    const reply = this.pattern(["positions", "reply"], positions.reply, "values");
    const controls = positions.controls.flatMap((text, index) =>
      this.positioned(["positions", "controls", index], text),
    );
    return { reply, controls };
  }

  private positioned(place: Place, text: string): string[] {
    const names = expandName(text);
    if ("problem" in names) {
      this.report(place, names.problem);
      return [];
    }
    const wrong = names.find(({ name }) => !this.names.controls.includes(name));
    if (wrong !== undefined) isKnown(place, wrong.name, this.names.controls, "controls", this.report);
    return names.map(({ name }) => name);
  }

  private announcement(name: string, entry: NonNullable<ProfileFile["announcements"]>[string]): Announcement {
    const place = ["announcements", name];
    const { sysex, osc, on, home } = entry;
    const count = midiFieldsOf(entry).length + (sysex === undefined ? 0 : 1) + (osc === undefined ? 0 : 1);
    if (count !== 1) this.report(place, "must have exactly one message: sysex, osc, or one as a control has");
    return {
      name,
      sysex: sysex === undefined ? undefined : this.pattern([...place, "sysex"], sysex, "value"),
      midi: this.announcedBy(place, entry),
      osc,
      on,
      home,
      repaint: entry.then.includes("repaint"),
      rearm: entry.then.includes("rearm"),
    };
  }

  /** One message for each number that may be told. */
  private announcedBy(place: Place, entry: MessageFields) {
    const given = midiFieldsOf(entry).map((field) => entry[field])[0];
    const numbers = typeof given === "string" ? expandNumbers(given) : [0];
    const count = "problem" in numbers ? 1 : numbers.length;
    const names = Array.from({ length: count }, () => ({ name: "", part: "" }));
    return midiSources(place, entry, names, this.file.channel, this.report);
  }

  /** Any MIDI message, as it is sent. */
  private message(place: Place, text: string): readonly MessagePart[] {
    return messageAt(place, text, { fields: [] }, this.report);
  }

  private sysex(place: Place, text: string, fields: readonly string[] = []): readonly MessagePart[] {
    return messageAt(place, text, { fields, isSysex: true }, this.report);
  }

  /** SysEx that the device sends; `field` is what must be found in it. */
  private pattern(place: Place, text: string, field?: string): readonly MessagePart[] {
    const fields = field === undefined ? [] : [field];
    const parts = messageAt(place, text, { fields, isSysex: true, hasWildcards: true }, this.report);
    if (field !== undefined && parts.length > 0 && !parts.includes(field)) this.report(place, `must have {${field}}`);
    return parts;
  }

  private checkTransport(): void {
    if (this.file.transport !== "osc") return;
    for (const field of MIDI_ONLY)
      if (this.file[field] !== undefined) this.report([field], 'is for "transport": "midi"');
  }

  /** Nobody should have to find out which part of a profile is a guess. */
  private checkVerified(): void {
    const { verified, quirks, controls = {}, leds = {} } = this.file;
    const isGuessed = [...Object.values(controls), ...Object.values(leds)].some((entry) => entry.verified === false);
    const isSaid = quirks?.unverified !== undefined;
    if (verified === true && isGuessed) this.report(["verified"], "must be false, as of a part of it");
    if (verified === true && isSaid) this.report(["quirks", "unverified"], 'contradicts "verified": true');
    if (verified === false && !isSaid) {
      this.report(["quirks", "unverified"], "is missing: what was not seen on the device");
    }
  }
}
