/**
 * Profile: what a hardware profile says, ready to be asked: controls by name, and the control behind a message.
 *
 * These are plain data, made once when a profile is read; bindings compile their own tables from them, feedback keeps
 * its images by them, and a virtual twin plays them. Nothing here is changed afterwards.
 */
import type { MessagePart } from "./profile-notation.js";
import type { ControlKind, EncoderEncoding, LedTypeFile, Quirk } from "./profile-schema.js";

/** How a control speaks by MIDI. `cc14` is a pair of control changes. */
export const MESSAGE_KINDS = ["note", "poly", "cc", "cc14", "rpn", "nrpn", "bend", "pressure", "program"] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** Instead of a channel or a number: every one. */
export const ANY = -1;

export interface MidiSource {
  readonly kind: MessageKind;
  /** 1..16, or ANY. */
  readonly channel: number;
  /** Note, control change (the upper half's for `cc14`) or parameter; ANY for every note; 0 where there is none. */
  readonly number: number;
  /** The lower half's control change for `cc14`; else ANY. */
  readonly lsb: number;
}

export interface OscSource {
  readonly address: string;
  readonly argument: number;
}

/** Either the one or the other, as the profile's transport is. */
export type ControlSource = MidiSource | OscSource;

/** A text or colour that an OSC surface takes; arguments hold {text} or {colour}. */
export interface OscText {
  readonly address: string;
  readonly arguments: readonly string[];
}

/** How an LED looks when it is addressed on a channel. */
export interface LedLook {
  readonly mode: "solid" | "pulse" | "blink" | "one-shot";
  /** 0..1 */
  readonly brightness: number;
  /** Of a pulse or blink: 8 for 1/8 of a whole note; undefined: the device's own. */
  readonly rate: number | undefined;
}

export interface LedSysex {
  readonly frame: readonly MessagePart[];
  readonly solid: readonly MessagePart[];
  readonly palette: readonly MessagePart[] | undefined;
  readonly flash: readonly MessagePart[] | undefined;
  readonly pulse: readonly MessagePart[] | undefined;
  /** Most blocks in one message. */
  readonly most: number;
}

export interface Animation {
  readonly channel: number;
  readonly off: number | undefined;
  /** Values in the order that the profile says: slowest or darkest first. */
  readonly strobe: readonly number[];
  readonly pulse: readonly number[];
  readonly brightness: readonly number[];
  readonly rainbow: number | undefined;
}

export interface LedType {
  readonly name: string;
  /** As it is written, by `colours`: values, palette, mix, hue or rgb. */
  readonly file: LedTypeFile;
  /** Red, green, blue of each index, 0..255; undefined without palette. */
  readonly palette: Uint8Array | undefined;
  /** By channel - 1; empty when the channel says nothing. */
  readonly looks: readonly LedLook[];
  readonly animation: Animation | undefined;
  readonly sysex: LedSysex | undefined;
}

export interface ControlLed {
  readonly type: LedType;
  readonly by: "note" | "cc" | "sysex";
  /** 1..16; not for SysEx. */
  readonly channel: number;
  /** Note, control change, or {index} of SysEx. */
  readonly number: number;
}

export interface ControlRing {
  readonly channel: number;
  readonly cc: number;
  readonly first: number;
  readonly last: number;
  readonly off: number | undefined;
  readonly blink: number | undefined;
  readonly all: number | undefined;
  /** Added to the position, or sent by `styleCc`. */
  readonly styles: Readonly<Record<string, number>>;
  readonly styleCc: number | undefined;
  readonly styleChannel: number;
  readonly style: string | undefined;
  readonly setsValue: boolean;
  readonly animation: Animation | undefined;
}

export interface ProfileControl {
  readonly name: string;
  readonly kind: ControlKind;
  /** What it sends; undefined for what only shows. */
  readonly source: ControlSource | undefined;
  /** Lowest and highest number by OSC. */
  readonly range: readonly [number, number];
  readonly encoding: EncoderEncoding | undefined;
  readonly toggles: boolean;
  readonly touch: ControlSource | undefined;
  readonly hasMotor: boolean;
  readonly led: ControlLed | undefined;
  readonly ring: ControlRing | undefined;
  /** By channel pressure: `add` plus a level of 0 to `last`. */
  readonly meter: { readonly add: number; readonly last: number } | undefined;
  readonly display: { readonly on: string; readonly cell: number } | undefined;
  readonly label: OscText | undefined;
  readonly colour: OscText | undefined;
  readonly needsPickup: boolean;
  readonly selfEcho: boolean;
  readonly localLed: boolean;
  readonly isVerified: boolean;
}

export interface ProfileDisplay {
  readonly name: string;
  readonly text: readonly MessagePart[];
  readonly rows: number;
  readonly columns: number;
  readonly cells: number;
  readonly colours: readonly MessagePart[] | undefined;
  readonly bits: { readonly red: number; readonly green: number; readonly blue: number } | undefined;
}

export interface Announcement {
  readonly name: string;
  readonly sysex: readonly MessagePart[] | undefined;
  /** One for each number that it may tell, in order. */
  readonly midi: readonly MidiSource[];
  /** With {value}. */
  readonly osc: string | undefined;
  /** Only messages with this value count. */
  readonly on: number | undefined;
  readonly home: number | undefined;
  readonly repaint: boolean;
  readonly rearm: boolean;
}

/** Patterns for names of ports, of one system. */
export interface PortPatterns {
  readonly in: readonly RegExp[];
  readonly out: readonly RegExp[];
}

export interface Profile {
  readonly name: string;
  readonly vendor: string;
  readonly transport: "midi" | "osc";
  readonly isVerified: boolean;
  readonly quirks: { readonly [Word in Quirk]?: string | undefined };
  /** Against names without ALSA's `Client:` and ` 16:0`, without Windows's `2- `. */
  readonly ports: { readonly windows: PortPatterns; readonly linux: PortPatterns; readonly macos: PortPatterns };
  /** vendor:product, or undefined. */
  readonly usb: string | undefined;
  readonly identity: { readonly request: readonly MessagePart[]; readonly reply: readonly MessagePart[] } | undefined;
  readonly init: readonly (readonly MessagePart[])[];
  readonly exit: readonly (readonly MessagePart[])[];
  readonly messages: ReadonlyMap<string, readonly MessagePart[]>;
  readonly positions: { readonly reply: readonly MessagePart[]; readonly controls: readonly string[] } | undefined;
  readonly announcements: readonly Announcement[];
  readonly pacing: { readonly hz: number; readonly gapMs: number; readonly bytesPerSecond: number };
  readonly mpe:
    | { readonly zone: "lower" | "upper"; readonly members: number; readonly bendSemitones: number }
    | undefined;
  readonly displays: ReadonlyMap<string, ProfileDisplay>;
  /** In the order of the file. */
  readonly controls: ReadonlyMap<string, ProfileControl>;
  readonly inputs: ProfileInputs;
}

/** The control behind a message. */
export interface ProfileInput {
  readonly control: ProfileControl;
  /** `lsb`: the lower half of a pair, which is no control by itself. */
  readonly part: "value" | "touch" | "lsb";
}

/** From a message to the control that sends it. */
export class ProfileInputs {
  private readonly byMessage = new Map<number, ProfileInput>();
  private readonly byAddress = new Map<string, ProfileInput>();

  /** Channel 1..16; number as in `MidiSource`, 0 for kinds without. A `cc14` is found as the `cc` of either half. */
  midi(kind: MessageKind, channel: number, number: number): ProfileInput | undefined {
    return this.byMessage.get(messageKey(kind === "cc14" ? "cc" : kind, channel, number));
  }

  osc(address: string, argument: number): ProfileInput | undefined {
    return this.byAddress.get(`${address}#${argument}`);
  }

  /** Answers whose message it was already, and then keeps it. */
  add(source: ControlSource, input: ProfileInput): ProfileInput | undefined {
    if ("address" in source) return this.put(this.byAddress, `${source.address}#${source.argument}`, input);
    const channels = source.channel === ANY ? [...Array(16).keys()].map((index) => index + 1) : [source.channel];
    const numbers = source.number === ANY ? [...Array(128).keys()] : [source.number];
    const kind = source.kind === "cc14" ? "cc" : source.kind;
    let owner: ProfileInput | undefined;
    for (const channel of channels) {
      for (const number of numbers) owner ??= this.put(this.byMessage, messageKey(kind, channel, number), input);
      if (source.lsb === ANY) continue;
      owner ??= this.put(this.byMessage, messageKey(kind, channel, source.lsb), { ...input, part: "lsb" });
    }
    return owner;
  }

  private put<Key>(table: Map<Key, ProfileInput>, key: Key, input: ProfileInput): ProfileInput | undefined {
    const owner = table.get(key);
    if (owner === undefined) table.set(key, input);
    return owner;
  }
}

function messageKey(kind: MessageKind, channel: number, number: number): number {
  return (MESSAGE_KINDS.indexOf(kind) * 17 + channel) * 16_384 + number;
}
