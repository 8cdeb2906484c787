/**
 * MIDI port: one input or output as the system lists it, and the alias that a port without a profile gets.
 *
 * Shows hold aliases, never ports: a port's full name changes with every replug (ALSA's client numbers) or with its
 * neighbours (the index that Windows' names get). Only the part that stays makes the alias.
 */
export interface MidiPort {
  /** What the system opens it by; unique in its list. */
  readonly name: string;
  /** The device's own name of the port, the same after every replug; two equal devices have equal ones. */
  readonly own: string;
  /** What tells two equal devices apart over a replug: `serial@socket`, of which either may be empty; "" if nothing does. */
  readonly place: string;
  /** Whether this process's connection to it still stands; undefined where the system does not tell. */
  readonly isConnected?: boolean | undefined;
}

/** What is there at one moment, each list in the system's order. */
export interface MidiPortList {
  readonly inputs: readonly MidiPort[];
  readonly outputs: readonly MidiPort[];
}

/** The serial number in a place; "" if there is none. */
export function serialOf(place: string): string {
  return place.slice(0, place.indexOf("@"));
}

/** The socket in a place; "" if there is none. */
export function socketOf(place: string): string {
  return place.slice(place.indexOf("@") + 1);
}

/** How a system names ports: ALSA `Client:Port 16:0`, Windows `Name 3` (its index), others just the name. */
export type MidiNaming = "alsa" | "windows" | "plain";

/** The part of a port's name that stays. */
export function ownNameOf(name: string, naming: MidiNaming): string {
  if (naming === "plain") return name;
  if (naming === "windows") return name.replace(/ \d+$/, "");
  // A client's name may hold a colon, which the port's then mostly repeats: the first one ends it.
  const withoutNumbers = name.replace(/ \d+:\d+$/, "");
  return withoutNumbers.slice(withoutNumbers.indexOf(":") + 1);
}

/** Lower case, every run of other characters one hyphen: `VirMIDI 0-0` is `virmidi-0-0`. Never empty. */
export function aliasOf(own: string): string {
  const alias = own
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return alias === "" ? "midi" : alias;
}
