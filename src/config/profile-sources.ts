/**
 * Profile sources: what a control sends, from one entry for several controls to one message for each.
 */
import { ANY, type ControlSource, type MessageKind, type MidiSource, type OscSource } from "./profile.js";
import { CHANNELS, DATA, numbersAt, pick } from "./profile-judge.js";
import type { Place, RepeatedName, Report } from "./profile-notation.js";
import type { ControlFile, ProfileFile } from "./profile-schema.js";

export type MessageFields = Pick<
  ControlFile,
  "channel" | "note" | "poly" | "cc" | "lsb" | "rpn" | "nrpn" | "bend" | "pressure" | "program" | "osc" | "argument"
>;

/** What the whole profile says about messages. */
export interface SourceForm {
  readonly transport: ProfileFile["transport"] | undefined;
  readonly channel: ProfileFile["channel"];
  /** Whether a control without a message is a mistake. */
  readonly isNeeded: boolean;
}

const MIDI_FIELDS = ["note", "poly", "cc", "rpn", "nrpn", "bend", "pressure", "program"] as const;
type MidiField = (typeof MIDI_FIELDS)[number];
const PARAMETERS = { minimum: 0, maximum: 16_383 };

export function midiFieldsOf(fields: MessageFields): readonly MidiField[] {
  return MIDI_FIELDS.filter((field) => fields[field] !== undefined);
}

/** One for each name, or none when there is no message or a complaint. */
export function sourcesAt(
  place: Place,
  fields: MessageFields,
  names: readonly RepeatedName[],
  form: SourceForm,
  report: Report,
): readonly ControlSource[] {
  if (form.transport === "osc") return oscSources(place, fields, names, form, report);
  const found = midiFieldsOf(fields);
  if (fields.osc !== undefined) report([...place, "osc"], 'is for "transport": "osc"');
  if (fields.lsb !== undefined && fields.cc === undefined) report([...place, "lsb"], "needs the cc of the upper half");
  if (found.length > 1) report(place, `sends ${found.join(" and ")}; a control sends one message`);
  else if (found.length === 1) return midiSources(place, fields, names, form.channel, report);
  else if (form.isNeeded) report(place, `sends nothing; it must have one of ${MIDI_FIELDS.join(", ")}`);
  return [];
}

function oscSources(
  place: Place,
  fields: MessageFields,
  names: readonly RepeatedName[],
  form: SourceForm,
  report: Report,
): OscSource[] {
  for (const field of midiFieldsOf(fields)) report([...place, field], 'is for "transport": "midi"');
  const { osc, argument = 0 } = fields;
  if (osc === undefined) {
    if (form.isNeeded) report(place, 'sends nothing; it must have "osc", an address');
    return [];
  }
  if (names.length > 1 && !osc.includes("{n}")) {
    report([...place, "osc"], "must have {n}: several controls cannot have one address");
    return [];
  }
  return names.map(({ part }) => ({ address: withPart(osc, part), argument }));
}

/** For fields that have one message. */
export function midiSources(
  place: Place,
  fields: MessageFields,
  names: readonly RepeatedName[],
  channel: ProfileFile["channel"],
  report: Report,
): MidiSource[] {
  const field = midiFieldsOf(fields)[0];
  if (field === undefined) return [];
  const count = names.length;
  const given = fields[field] as number | string | true;
  const bounds = field === "rpn" || field === "nrpn" ? PARAMETERS : DATA;
  const channels = numbersAt([...place, "channel"], fields.channel ?? channel ?? 1, { count, ...CHANNELS }, report);
  const numbers = given === true ? [0] : numbersAt([...place, field], given, { count, ...bounds }, report);
  const halves =
    fields.lsb === undefined ? [ANY] : numbersAt([...place, "lsb"], fields.lsb, { count, ...DATA }, report);
  const kind: MessageKind = fields.lsb === undefined ? field : "cc14";
  return names.map((_, index) => ({
    kind,
    channel: pick(channels, index),
    number: pick(numbers, index),
    lsb: pick(halves, index),
  }));
}

/** An address for one of several controls. */
export function withPart(text: string, part: string): string {
  return text.replaceAll("{n}", part);
}

/** The message as a person says it: `cc 7 on channel 1`. */
export function sourceText(source: ControlSource): string {
  if ("address" in source) return `${source.address} (argument ${source.argument})`;
  const { kind, number, lsb } = source;
  const channel = source.channel === ANY ? "every channel" : `channel ${source.channel}`;
  if (kind === "bend" || kind === "pressure" || kind === "program") return `${kind} on ${channel}`;
  const which = number === ANY ? "of every number" : lsb === ANY ? String(number) : `${number}-${lsb}`;
  return `${kind === "cc14" ? "cc" : kind} ${which} on ${channel}`;
}
