/**
 * Control source: which control of which surface a binding listens to, as people write it.
 *
 *     nano/fader1           a control by its name in the profile of the device
 *     nano/ch1/cc7          a MIDI message: cc7, cc1-33 (14 bits, the high byte's number first), note60, poly60, bend,
 *                           program, pressure, rpn0, nrpn1234
 *     nano/system/tempo     its clock, time code or machine control: start, stop, tempo ..., see `SystemControl`
 *     osc:/surface/fader#0  an argument of the OSC messages that a pattern matches
 *
 * It reads and names; whether such a device or control exists is for others to say.
 */
import { MidiKind } from "./midi-event.js";
import { compilePattern } from "./osc-pattern.js";
import { SystemControl, systemControlOf, systemKindOf, systemWordOf } from "./system-control.js";

/** A MIDI message: `number` is a note, a controller (of 14 bits: the high byte's), a parameter, a `SystemControl`, else 0. */
export interface MidiAddress {
  readonly kind: MidiKind;
  /** 1..16. */
  readonly channel: number;
  readonly number: number;
  /** The low byte's controller, of a 14-bit pair; else -1. */
  readonly low: number;
}

export type ControlSource =
  | { readonly from: "midi"; readonly alias: string; readonly address: MidiAddress }
  | { readonly from: "profile"; readonly alias: string; readonly control: string }
  | { readonly from: "osc"; readonly pattern: string; readonly argument: number };

/** What is wrong with a text as a source, as a sentence's end. */
export interface SourceProblem {
  readonly problem: string;
}

const OSC_PREFIX = "osc:";
const ARGUMENTS_MAX = 64;
const ALIAS = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const CHANNEL = /^ch(\d{1,2})$/;
const CONTROL = /^[a-z][a-z0-9-]*$/;
const SYSTEM = "system";
const FORMS = "cc7, cc1-33, note60, poly60, bend, program, pressure, rpn0 or nrpn1234";

/** Reads `ALIAS/CONTROL`, `ALIAS/chN/MESSAGE` or `osc:/pattern#ARGUMENT`. */
export function parseSource(text: string): ControlSource | SourceProblem {
  if (text.startsWith(OSC_PREFIX)) return parseOsc(text.slice(OSC_PREFIX.length));
  const [alias = "", second = "", third, ...rest] = text.split("/");
  if (!ALIAS.test(alias))
    return { problem: "begins with no alias: lower case letters and digits, with hyphens between" };
  if (rest.length > 0) return { problem: "has more than three parts" };
  if (second === SYSTEM && third !== undefined) return parseSystem(alias, third);
  const channel = CHANNEL.exec(second)?.[1];
  if (third !== undefined) return channel === undefined ? noChannel(second) : parseMidi(alias, Number(channel), third);
  if (channel !== undefined) return { problem: `names a channel and no message: ${FORMS}` };
  if (!CONTROL.test(second))
    return { problem: "names no control: write ALIAS/CONTROL, ALIAS/ch1/cc7 or osc:/pattern#0" };
  return { from: "profile", alias, control: second };
}

function noChannel(text: string): SourceProblem {
  return { problem: `has ${text === "" ? "nothing" : text} where the channel stands: ch1 to ch16` };
}

/** Whether two sources mean the same control, however they are written: the first argument need not be named. */
export function isSameSource(one: string, other: string): boolean {
  return withArgument(one) === withArgument(other);
}

function withArgument(source: string): string {
  return source.startsWith(OSC_PREFIX) && !source.includes("#") ? `${source}#0` : source;
}

function parseOsc(text: string): ControlSource | SourceProblem {
  const [pattern = "", argument = "0", ...rest] = text.split("#");
  const index = /^\d{1,2}$/.test(argument) ? Number(argument) : ARGUMENTS_MAX;
  if (rest.length > 0 || index >= ARGUMENTS_MAX) return { problem: "has no argument number 0 to 63 behind #" };
  if (compilePattern(pattern) === null) return { problem: "holds no OSC address pattern behind osc:" };
  return { from: "osc", pattern, argument: index };
}

function parseMidi(alias: string, channel: number, text: string): ControlSource | SourceProblem {
  if (channel < 1 || channel > 16) return { problem: "names a channel that is not ch1 to ch16" };
  const address = readMessage(channel, text);
  if (address === undefined) return { problem: `names no MIDI message: ${FORMS}` };
  return { from: "midi", alias, address };
}

function parseSystem(alias: string, word: string): ControlSource | SourceProblem {
  const number = systemControlOf(word);
  if (number === undefined)
    return { problem: `names nothing of a device's system: ${Object.keys(SystemControl).join(", ")}` };
  return { from: "midi", alias, address: { kind: systemKindOf(number), channel: 1, number, low: -1 } };
}

/** Messages that carry a number: their kind and the highest number. */
const NUMBERED: Readonly<Record<string, readonly [MidiKind, number]>> = {
  cc: [MidiKind.cc, 127],
  note: [MidiKind.noteOn, 127],
  poly: [MidiKind.poly, 127],
  rpn: [MidiKind.rpn, 16_383],
  nrpn: [MidiKind.nrpn, 16_383],
};
const PLAIN: Readonly<Record<string, MidiKind>> = {
  bend: MidiKind.bend,
  program: MidiKind.program,
  pressure: MidiKind.pressure,
};
const MESSAGE = /^([a-z]+)(\d{1,5})?(?:-(\d{1,3}))?$/;

function readMessage(channel: number, text: string): MidiAddress | undefined {
  const [, word = "", digits, lowDigits] = MESSAGE.exec(text) ?? [];
  const plain = Object.hasOwn(PLAIN, word) ? PLAIN[word] : undefined;
  if (digits === undefined) return plain === undefined ? undefined : { kind: plain, channel, number: 0, low: -1 };
  const [kind, highest] = Object.hasOwn(NUMBERED, word) ? (NUMBERED[word] as readonly [MidiKind, number]) : [];
  const number = Number(digits);
  if (kind === undefined || highest === undefined || number > highest) return undefined;
  if (lowDigits === undefined) return { kind, channel, number, low: -1 };
  const low = Number(lowDigits);
  return kind === MidiKind.cc && low <= 127 && low !== number
    ? { kind: MidiKind.cc14, channel, number, low }
    : undefined;
}

const WORDS: Readonly<Record<MidiKind, MidiWord>> = {
  [MidiKind.noteOn]: "note",
  [MidiKind.noteOff]: "note",
  [MidiKind.poly]: "poly",
  [MidiKind.cc]: "cc",
  [MidiKind.cc14]: "cc",
  [MidiKind.program]: "program",
  [MidiKind.pressure]: "pressure",
  [MidiKind.bend]: "bend",
  [MidiKind.rpn]: "rpn",
  [MidiKind.nrpn]: "nrpn",
  [MidiKind.command]: "system",
  [MidiKind.measure]: "system",
};

export type MidiWord = "note" | "poly" | "cc" | "program" | "pressure" | "bend" | "rpn" | "nrpn" | "system";

/** What a kind of message is called in a source. */
export function midiWordOf(kind: MidiKind): MidiWord {
  return WORDS[kind];
}

/** A MIDI message as a source: what `parseSource` reads. `low`: the low byte's controller of a 14-bit pair. */
export function midiSourceText(alias: string, kind: MidiKind, channel: number, number: number, low = -1): string {
  const word = midiWordOf(kind);
  if (word === SYSTEM) return `${alias}/${SYSTEM}/${systemWordOf(number)}`;
  const which = Object.hasOwn(PLAIN, word) ? "" : String(number);
  return `${alias}/ch${channel}/${word}${which}${low < 0 ? "" : `-${low}`}`;
}
