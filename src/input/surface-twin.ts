/**
 * Surface twin: plays a hardware profile as a device: what its controls send, and what it shows of what it is sent.
 *
 * For tests, demos and rehearsals without the hardware. It is the other side of bindings and feedback, made of the same
 * profile. It opens nothing; a message that the profile does not know is told as it is.
 */
import { nearestName } from "../config/nearest-name.js";
import { ANY, type ControlSource, type MidiSource, type Profile, type ProfileControl } from "../config/profile.js";
import { midiAddresses } from "./control-address.js";
import { positionOutput } from "./control-outputs.js";
import type { MidiAddress } from "./control-source.js";
import { MIDI_MAX_7, MidiKind } from "./midi-event.js";
import { detentsOf, RelativeEncoding } from "./relative-encoder.js";
import { hexOf, matchesForm } from "./sysex-form.js";

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

  /** What the device answers to a message at once: who it is. */
  answer(bytes: Uint8Array): Uint8Array | undefined {
    const { identity } = this.profile;
    if (identity === undefined || !matchesForm(identity.request, bytes, bytes.length)) return undefined;
    return Uint8Array.from(identity.reply.flatMap((part) => (part === "*" ? [] : typeof part === "number" ? part : 0)));
  }

  private hearSysex(bytes: Uint8Array): string {
    for (const display of this.profile.displays.values()) {
      const until = display.text.findIndex((part) => typeof part !== "number");
      const isThis = display.text.slice(0, until).every((part, index) => part === bytes[index]);
      const at = display.text.indexOf("text");
      if (!isThis || at < 0) continue;
      const text = String.fromCharCode(...bytes.slice(at, bytes.length - 1));
      return `display ${display.name} ${JSON.stringify(text)}`;
    }
    return `sysex ${hexOf(bytes)}`;
  }

  private learn({ name, source, hasMotor, led, ring, meter }: ProfileControl): void {
    const address = source === undefined ? undefined : addressOf(source);
    if (hasMotor && address !== undefined) this.learnPlace(`${name} motor`, address);
    if (ring !== undefined) this.shown.set(`${0xb0 | (ring.channel - 1)} ${ring.cc}`, `${name} ring`);
    if (meter !== undefined) this.shown.set(String(0xd0), "meter");
    if (led === undefined || led.by === "sysex") return;
    // Where the channel says how it shines, it may be any.
    const channels = led.type.looks.length === 0 ? [led.channel] : led.type.looks.map((_, index) => index + 1);
    const status = led.by === "cc" ? 0xb0 : 0x90;
    for (const channel of channels) this.shown.set(`${status | (channel - 1)} ${led.number}`, `${name} light`);
  }

  private learnPlace(name: string, address: MidiAddress): void {
    for (const [status = 0, number = 0] of positionOutput(address).messages(0, true)) {
      const key = status >> 4 === 0xe || status >> 4 === 0xd ? String(status) : `${status} ${number}`;
      this.shown.set(key, name);
    }
  }
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
