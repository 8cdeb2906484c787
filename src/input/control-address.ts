/**
 * Control address: a binding's source, down to the messages that a node hears.
 *
 * A control by its name is looked up in the profile of its device; one name may stand for many messages (any key of a
 * keyboard). It says in a sentence's end why a source means nothing here, and opens nothing.
 */
import { nearestName } from "../config/nearest-name.js";
import { ANY, type MessageKind, type MidiSource, type Profile, type ProfileControl } from "../config/profile.js";
import type { ControlSource, MidiAddress } from "./control-source.js";
import { MidiKind } from "./midi-event.js";
import type { MpeZones } from "./mpe-zones.js";
import type { KnownProfile } from "./surface-profiles.js";

/** The argument of the OSC messages that a pattern matches, and the numbers at the control's two ends. */
export interface OscAddress {
  readonly pattern: string;
  readonly argument: number;
  readonly range: readonly [number, number];
}

export interface ControlAddress {
  /** The device; "" for a source that is none's. */
  readonly alias: string;
  /** Its name in the profile, or for programs that give input; "" for a raw source. */
  readonly name: string;
  /** What the profile says about it. */
  readonly control: ProfileControl | undefined;
  /** Its device has MIDI ports, whether it can send this one now or not. */
  readonly isMidi: boolean;
  readonly midi: readonly MidiAddress[];
  readonly osc: OscAddress | undefined;
  /** Why no device can send it here, though a program may, as a sentence's end; else "". */
  readonly missing: string;
}

/** What is wrong with a source here, as a sentence's end. */
export interface AddressProblem {
  readonly problem: string;
}

const WAY: readonly [number, number] = [0, 1];

export function addressOf(
  source: ControlSource,
  profile: KnownProfile | undefined,
  zones: MpeZones,
): ControlAddress | AddressProblem {
  const none = { alias: "", name: "", control: undefined, isMidi: false, midi: [], osc: undefined, missing: "" };
  if (source.from === "midi") return { ...none, alias: source.alias, isMidi: true, midi: [source.address] };
  if (source.from === "osc") {
    const { pattern, argument } = source;
    return { ...none, osc: { pattern, argument, range: WAY } };
  }
  const { alias, control: name } = source;
  if (profile === undefined) return { ...none, alias, name, missing: `no profile is known for ${alias}` };
  const control = profile.profile.controls.get(name);
  if (control === undefined) return { problem: unknownText(name, profile) };
  const sends = control.source;
  if (sends === undefined) return { ...none, alias, control, isMidi: profile.profile.transport === "midi" };
  if (!("address" in sends))
    return midiAddress({ ...none, alias, name, control, isMidi: true }, sends, profile.profile, zones);
  const osc = { pattern: sends.address, argument: sends.argument, range: control.range };
  return { ...none, alias, name, control, osc };
}

/** A voice is on the channel that the device gives it now. */
function midiAddress(address: ControlAddress, sends: MidiSource, { mpe }: Profile, zones: MpeZones): ControlAddress {
  if (mpe === undefined || address.control?.kind !== "voice") return { ...address, midi: midiAddresses(sends) };
  const channel = zones.channelOf(address.alias, sends.channel, mpe);
  if (channel === 0) return { ...address, missing: `${address.alias} has not so many voices` };
  return { ...address, midi: midiAddresses({ ...sends, channel }) };
}

function unknownText(name: string, { id, profile }: KnownProfile): string {
  const nearest = nearestName(name, profile.controls.keys());
  const advice = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  return `names ${name}, and the profile ${id} has no such control${advice}`;
}

const KINDS: Readonly<Record<MessageKind, MidiKind>> = {
  note: MidiKind.noteOn,
  poly: MidiKind.poly,
  cc: MidiKind.cc,
  cc14: MidiKind.cc14,
  rpn: MidiKind.rpn,
  nrpn: MidiKind.nrpn,
  bend: MidiKind.bend,
  pressure: MidiKind.pressure,
  program: MidiKind.program,
};

/** Any channel and any number are written out: a move is then found by one look-up. */
export function midiAddresses({ kind, channel, number, lsb }: MidiSource): MidiAddress[] {
  const channels = channel === ANY ? [...Array(16).keys()].map((index) => index + 1) : [channel];
  const numbers = number === ANY ? [...Array(128).keys()] : [number];
  return channels.flatMap((one) =>
    numbers.map((each) => ({ kind: KINDS[kind], channel: one, number: each, low: lsb === ANY ? -1 : lsb })),
  );
}
