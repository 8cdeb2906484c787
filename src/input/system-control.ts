/**
 * System control: what a device says about time and transport, as sources of bindings.
 *
 *     deck/system/start      start, continue, stop of its clock; beat: each quarter note from the start on
 *     deck/system/tempo      beats per minute, by its clock
 *     deck/system/time       seconds, by its time code (MTC)
 *     deck/system/mmc-play   machine control (MMC): stop, play, pause, record and so on
 *
 * The first and the last are commands: each message is a press, and none tells of a release. Tempo and time are measures:
 * what they say is the value itself. This only names them; what messages come to is `SystemMessages`' part.
 */
import { MidiKind } from "./midi-event.js";

/** The number of each; those of machine control are 16 and the command's own (MIDI 1.0, MMC: 0x01..0x09). */
export const SystemControl = {
  start: 0,
  continue: 1,
  stop: 2,
  beat: 3,
  tempo: 4,
  time: 5,
  "mmc-stop": 17,
  "mmc-play": 18,
  "mmc-deferred-play": 19,
  "mmc-forward": 20,
  "mmc-rewind": 21,
  "mmc-record": 22,
  "mmc-record-exit": 23,
  "mmc-pause": 25,
} as const;
export type SystemControl = (typeof SystemControl)[keyof typeof SystemControl];
export type SystemWord = keyof typeof SystemControl;

export const FIRST_MACHINE_CONTROL = 16;

/** What a measure counts, whole: 300 beats a minute, 24 hours in seconds; and in how small parts. */
const MEASURES: Readonly<Partial<Record<SystemControl, { readonly most: number; readonly parts: number }>>> = {
  [SystemControl.tempo]: { most: 300, parts: 100 },
  [SystemControl.time]: { most: 86_400, parts: 1_000 },
};

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(SystemControl).map(([name, number]) => [number, name]),
);

/** The number of a word behind `ALIAS/system/`; undefined for any other word. */
export function systemControlOf(word: string): SystemControl | undefined {
  return Object.hasOwn(SystemControl, word) ? SystemControl[word as SystemWord] : undefined;
}

export function systemWordOf(number: number): string {
  return NAMES.get(number) ?? "";
}

export function isSystemControl(number: number): number is SystemControl {
  return NAMES.has(number);
}

/** Whether it is a press or a value. */
export function systemKindOf(control: SystemControl): typeof MidiKind.command | typeof MidiKind.measure {
  return MEASURES[control] === undefined ? MidiKind.command : MidiKind.measure;
}

/** Whether it comes by SysEx, which is heard only where somebody needs it: machine control, and time by whole messages. */
export function isBySysex(kind: MidiKind, number: number): boolean {
  if (kind === MidiKind.measure) return number === SystemControl.time;
  return kind === MidiKind.command && number >= FIRST_MACHINE_CONTROL;
}

/** In how many parts of its unit a measure is told, and how many of them a whole way is; both 0 for a command. */
export function partsOf(control: SystemControl): { readonly parts: number; readonly max: number } {
  const measure = MEASURES[control];
  return measure === undefined ? { parts: 0, max: 0 } : { parts: measure.parts, max: measure.parts * measure.most };
}

/** What stands at the two ends of a measure's way: a binding without a range of its own sets what is measured. */
export function rangeOfMeasure(number: number): readonly [number, number] | undefined {
  const most = isSystemControl(number) ? MEASURES[number]?.most : undefined;
  return most === undefined ? undefined : [0, most];
}
