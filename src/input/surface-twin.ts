/**
 * Surface twin: plays a hardware profile as a device: what its controls send, and what it shows of what it is sent.
 *
 * For tests, demos and rehearsals without the hardware. It is the other side of bindings and feedback, made of the same
 * profile. It opens nothing; a message that the profile does not know is told as it is.
 */
import { nearestName } from "../config/nearest-name.js";
import {
  ANY,
  type ControlSource,
  type LedLook,
  type LedType,
  type MidiSource,
  type Profile,
  type ProfileControl,
} from "../config/profile.js";
import type { MessagePart } from "../config/profile-notation.js";
import { midiAddresses } from "./control-address.js";
import { positionOutput } from "./control-outputs.js";
import type { MidiAddress } from "./control-source.js";
import { MIDI_MAX_7, MidiKind } from "./midi-event.js";
import { detentsOf, RelativeEncoding } from "./relative-encoder.js";
import { fillForm, heldBy, hexOf, matchesForm } from "./sysex-form.js";

/** What a hand does to a control. `way`: 0..1; `turn`: detents, to the right above 0. */
export type TwinMotion =
  | { readonly does: "place"; readonly way: number }
  | { readonly does: "turn"; readonly detents: number }
  | { readonly does: "touch"; readonly isDown: boolean };

/** Why it cannot be done, as a sentence's end. */
export interface TwinProblem {
  readonly problem: string;
}

/** Of the largest turn that one message tells. */
const DETENTS_MAX = 63;
/** For controls that may be any key, and on any channel. */
const ANY_KEY = 60;
const ANY_CHANNEL = 1;

/** Reads what people write: `0.5`, `down`, `up`, `+3`, `-3`, `touch`, `release`; undefined for anything else. */
export function parseMotion(text: string): TwinMotion | undefined {
  if (text === "down" || text === "up") return { does: "place", way: text === "down" ? 1 : 0 };
  if (text === "touch" || text === "release") return { does: "touch", isDown: text === "touch" };
  if (/^[+-]\d{1,4}$/.test(text)) return { does: "turn", detents: Number(text) };
  const way = /^\d(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return way >= 0 && way <= 1 ? { does: "place", way } : undefined;
}

export class SurfaceTwin {
  private readonly profile: Profile;
  /** By the first two bytes of a message, or the first for those that have no number. */
  private readonly shown = new Map<string, string>();
  /** By the LED type's name and the number of the LED, of those that are set by SysEx. */
  private readonly lamps = new Map<string, string>();
  private readonly types = new Map<string, LedType>();
  /** Where hands have put the controls: 0..1, by name. */
  private readonly places = new Map<string, number>();

  constructor(profile: Profile) {
    this.profile = profile;
    for (const control of profile.controls.values()) this.learn(control);
  }

  /** What the device sends when a hand moves a control. */
  move(name: string, motion: TwinMotion): readonly Uint8Array[] | TwinProblem {
    const control = this.profile.controls.get(name);
    if (control === undefined) return this.unknown(name);
    const source = motion.does === "touch" ? control.touch : control.source;
    if (source === undefined) return { problem: motion.does === "touch" ? "feels no touch" : "sends nothing" };
    const address = addressOf(source);
    if (address === undefined) return { problem: "speaks OSC: play it from a program that does" };
    if (motion.does === "touch") return placed(address, motion.isDown ? 1 : 0);
    const encoding = encodingOf(control);
    if (motion.does === "place") {
      if (encoding !== RelativeEncoding.none) return { problem: "turns without end: write +1 or -1" };
      this.places.set(name, motion.way);
      return placed(address, motion.way);
    }
    if (encoding === RelativeEncoding.none) return { problem: "has a place: write 0 to 1, down or up" };
    return turned(address, encoding, motion.detents);
  }

  private unknown(name: string): TwinProblem {
    const nearest = nearestName(name, this.profile.controls.keys());
    return { problem: `is no control of it${nearest === undefined ? "" : `; did you mean ${nearest}?`}` };
  }

  /** What one whole message makes the device show, in words. */
  hear(bytes: Uint8Array): string {
    const [status = 0, number = 0, value = 0] = bytes;
    if (status === 0xf0) return this.hearSysex(bytes);
    const name = this.shown.get(`${status} ${number}`);
    if (name !== undefined) return `${name} ${value}`;
    const plain = this.shown.get(String(status));
    if (plain !== undefined) return `${plain} ${status >> 4 === 0xe ? number | (value << 7) : number}`;
    return `unknown ${hexOf(bytes)}`;
  }

  /** What the device answers to a message at once: who it is, or where its controls stand once it is spoken to. */
  answer(bytes: Uint8Array): Uint8Array | undefined {
    const { identity, positions, init } = this.profile;
    if (identity !== undefined && matchesForm(identity.request, bytes, bytes.length)) return filled(identity.reply, []);
    const isFirst = init[0] !== undefined && matchesForm(init[0], bytes, bytes.length);
    if (positions === undefined || !isFirst) return undefined;
    const values = positions.controls.map((name) => Math.round((this.places.get(name) ?? 0) * MIDI_MAX_7));
    return filled(positions.reply, values);
  }

  private hearSysex(bytes: Uint8Array): string {
    for (const { name, text, colours } of this.profile.displays.values()) {
      const written = heldBy(text, "text", bytes, bytes.length);
      if (written !== undefined) return `display ${name} ${JSON.stringify(String.fromCharCode(...written))}`;
      const painted = colours && heldBy(colours, "colours", bytes, bytes.length);
      if (painted !== undefined) return `display ${name} colours ${painted.join(" ")}`;
    }
    return this.hearLamps(bytes) ?? `sysex ${hexOf(bytes)}`;
  }

  /** Several lights in one message. */
  private hearLamps(bytes: Uint8Array): string | undefined {
    for (const { name, sysex } of this.types.values()) {
      const blocks = sysex && heldBy(sysex.frame, "blocks", bytes, bytes.length);
      if (sysex === undefined || blocks === undefined) continue;
      const { length } = sysex.solid;
      if (length === 0 || blocks.length % length !== 0) continue;
      const words: string[] = [];
      for (let at = 0; at < blocks.length; at += length) {
        const block = blocks.subarray(at, at + length);
        const lamp = this.lamps.get(`${name} ${block[sysex.solid.indexOf("index")]}`);
        if (lamp === undefined || !matchesForm(sysex.solid, block, length)) return undefined;
        words.push(`${lamp} light ${lookOf(sysex.solid, block)}`);
      }
      return words.join(", ");
    }
    return undefined;
  }

  private learn({ name, source, hasMotor, led, ring, meter }: ProfileControl): void {
    const address = source === undefined ? undefined : addressOf(source);
    if (hasMotor && address !== undefined) this.learnPlace(`${name} motor`, address);
    if (ring !== undefined) this.know(0xb0, ring.channel, ring.cc, `${name} ring`);
    if (ring?.styleCc !== undefined) this.know(0xb0, ring.styleChannel, ring.styleCc, `${name} ring style`);
    if (ring?.animation !== undefined) this.know(0xb0, ring.animation.channel, ring.cc, `${name} ring animation`);
    if (meter !== undefined) this.shown.set(String(0xd0), "meter");
    if (led !== undefined) this.learnLight(name, led);
  }

  private learnLight(name: string, { type, by, channel, number }: NonNullable<ProfileControl["led"]>): void {
    const { looks, animation, sysex } = type;
    if (animation !== undefined) this.know(0xb0, animation.channel, number, `${name} light animation`);
    if (sysex !== undefined) {
      this.types.set(type.name, type);
      this.lamps.set(`${type.name} ${number}`, name);
    }
    if (by === "sysex") return;
    const status = by === "cc" ? 0xb0 : 0x90;
    if (looks.length === 0) this.know(status, channel, number, `${name} light`);
    // Where the channel says how it shines, it may be any.
    for (const [at, look] of looks.entries()) this.know(status, at + 1, number, `${name} ${lightText(look)}`);
  }

  /** What is told so first is what it means: of two of a kind on one message, the first. */
  private know(status: number, channel: number, number: number, words: string): void {
    const key = `${status | (channel - 1)} ${number}`;
    if (!this.shown.has(key)) this.shown.set(key, words);
  }

  private learnPlace(name: string, address: MidiAddress): void {
    for (const [status = 0, number = 0] of positionOutput(address).messages(0, true)) {
      const key = status >> 4 === 0xe || status >> 4 === 0xd ? String(status) : `${status} ${number}`;
      this.shown.set(key, name);
    }
  }
}

/** Bytes where the profile leaves a hole or says any: nothing is known of them. */
function filled(form: readonly MessagePart[], values: readonly number[]): Uint8Array {
  return fillForm(
    form.flatMap((part) => (part === "*" ? [] : part === "?" ? [0] : [part])),
    { values },
  );
}

/** A light's colour: its parts of 0 to 255, or the number of a colour. */
function lookOf(form: readonly MessagePart[], block: Uint8Array): string {
  const byte = (field: string): number => block[form.indexOf(field)] ?? 0;
  if (form.includes("colour")) return String(byte("colour"));
  const parts = ["red", "green", "blue"].map((part) =>
    form.includes(part) ? byte(part) * 2 : byte(`${part}Msb`) * 128 + byte(`${part}Lsb`),
  );
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/** What is not plain: `light (blink 1/4)`, `light (solid 50%)`. */
function lightText({ mode, brightness, rate }: LedLook): string {
  if (mode === "solid" && brightness === 1) return "light";
  const more = rate === undefined ? `${Math.round(brightness * 100)}%` : `1/${rate}`;
  return `light (${mode} ${more})`;
}

function addressOf(source: ControlSource): MidiAddress | undefined {
  if ("address" in source) return undefined;
  const { channel, number } = source;
  const one: MidiSource = {
    ...source,
    channel: channel === ANY ? ANY_CHANNEL : channel,
    number: number === ANY ? ANY_KEY : number,
  };
  return midiAddresses(one)[0];
}

function placed(address: MidiAddress, way: number): readonly Uint8Array[] {
  const output = positionOutput(address);
  const code = Math.round(way * output.most);
  // A key that is let go says so by a message of its own kind.
  if (address.kind === MidiKind.noteOn && code === 0) {
    return [Uint8Array.of(0x80 | (address.channel - 1), address.number, 0)];
  }
  return output.messages(code, true);
}

function encodingOf({ encoding }: ProfileControl): RelativeEncoding {
  return encoding === undefined || encoding === "absolute" ? RelativeEncoding.none : RelativeEncoding[encoding];
}

/** As many messages as it takes. */
function turned(address: MidiAddress, encoding: RelativeEncoding, detents: number): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let left = detents; left !== 0; ) {
    const step = Math.min(DETENTS_MAX, Math.max(-DETENTS_MAX, left));
    messages.push(...positionOutput(address).messages(valueOf(encoding, step), true));
    left -= step;
  }
  return messages;
}

/** The value that tells so many detents. */
function valueOf(encoding: RelativeEncoding, detents: number): number {
  for (let value = 0; value <= MIDI_MAX_7; value++) if (detentsOf(encoding, value) === detents) return value;
  return 0;
}
