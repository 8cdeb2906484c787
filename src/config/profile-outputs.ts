/**
 * Profile outputs: what a control shows (LED, ring, meter, text), from one entry for several controls to each of them.
 */
import { ANY, type ControlLed, type ControlRing, type ControlSource, type LedType, type OscText } from "./profile.js";
import type { ProfileControl, ProfileDisplay } from "./profile.js";
import { CHANNELS, DATA, type FileNames, isKnown, numbersAt, pick } from "./profile-judge.js";
import { animationOf } from "./profile-led.js";
import type { Place, RepeatedName, Report } from "./profile-notation.js";
import type { ControlFile } from "./profile-schema.js";
import { withPart } from "./profile-sources.js";

export type Outputs = Pick<ProfileControl, "led" | "ring" | "meter" | "display" | "label" | "colour">;

/** What of the profile outputs refer to. */
export interface OutputParts {
  readonly names: FileNames;
  readonly leds: ReadonlyMap<string, LedType>;
  readonly displays: ReadonlyMap<string, ProfileDisplay>;
}

/** For each name; `sources` may be empty. */
export function outputsAt(
  place: Place,
  group: ControlFile,
  names: readonly RepeatedName[],
  sources: readonly ControlSource[],
  parts: OutputParts,
  report: Report,
): Outputs[] {
  const count = names.length;
  const leds = ledsAt(place, group.led, count, sources, parts, report);
  const rings = ringsAt([...place, "ring"], group.ring, count, sources, report);
  const { meter, display, label, colour } = group;
  const levels = meter && numbersAt([...place, "meter", "add"], meter.add, { count, ...DATA }, report);
  const cells = display && cellsAt([...place, "display"], display, count, parts, report);
  return names.map((name, index) => ({
    led: leds[index],
    ring: rings[index],
    meter: meter && { add: pick(levels ?? [], index), last: meter.last },
    display: display && { on: display.on, cell: pick(cells ?? [], index) },
    label: label && oscText(label, name, "{text}"),
    colour: colour && oscText(colour, name, "{colour}"),
  }));
}

function ledsAt(
  place: Place,
  led: ControlFile["led"],
  count: number,
  sources: readonly ControlSource[],
  { names, leds }: OutputParts,
  report: Report,
): ControlLed[] {
  if (led === undefined) return [];
  const { type: name, number, channel } = typeof led === "string" ? { type: led } : led;
  const inner = typeof led === "string" ? [...place, "led"] : [...place, "led", "type"];
  if (!isKnown(inner, name, names.leds, "leds", report)) return [];
  const type = leds.get(name);
  if (type === undefined) return [];
  const own = ownMessage(sources[0]);
  const by = type.file.by ?? own;
  if (by === undefined) report(inner, `says nothing of the message: leds.${name} must have "by"`);
  if (number === undefined && own === undefined) report([...place, "led"], 'must have "number": the control has none');
  const numbers =
    number === undefined ? [] : numbersAt([...place, "led", "number"], number, { count, ...DATA }, report);
  const channels =
    channel === undefined ? [] : numbersAt([...place, "led", "channel"], channel, { count, ...CHANNELS }, report);
  return Array.from({ length: count }, (_, index) => ({
    type,
    by: by ?? "note",
    number: numbers.length > 0 ? pick(numbers, index) : numberOf(sources[index]),
    channel: channels.length > 0 ? pick(channels, index) : (type.file.channel ?? channelOf(sources[index])),
  }));
}

function ringsAt(
  place: Place,
  ring: ControlFile["ring"],
  count: number,
  sources: readonly ControlSource[],
  report: Report,
): ControlRing[] {
  if (ring === undefined) return [];
  const { cc, first = 0, last = 127, styles = {}, style, styleCc } = ring;
  if (cc === undefined && ownMessage(sources[0]) !== "cc") report(place, 'must have "cc": the control sends none');
  if (last < first) report([...place, "last"], 'must not be below "first"');
  if (style !== undefined) isKnown([...place, "style"], style, Object.keys(styles), "styles", report);
  const numbers = cc === undefined ? [] : numbersAt([...place, "cc"], cc, { count, ...DATA }, report);
  const styleNumbers =
    styleCc === undefined ? [] : numbersAt([...place, "styleCc"], styleCc, { count, ...DATA }, report);
  const animation = ring.animation && animationOf([...place, "animation"], ring.animation, report);
  return Array.from({ length: count }, (_, index) => {
    const channel = ring.channel ?? channelOf(sources[index]);
    return {
      channel,
      cc: numbers.length > 0 ? pick(numbers, index) : numberOf(sources[index]),
      first,
      last,
      off: ring.off,
      blink: ring.blink,
      all: ring.all,
      styles,
      styleCc: styleCc === undefined ? undefined : pick(styleNumbers, index),
      styleChannel: ring.styleChannel ?? channel,
      style,
      setsValue: ring.setsValue ?? false,
      animation,
    };
  });
}

function cellsAt(
  place: Place,
  display: NonNullable<ControlFile["display"]>,
  count: number,
  { names, displays }: OutputParts,
  report: Report,
): readonly number[] {
  isKnown([...place, "on"], display.on, names.displays, "displays", report);
  const maximum = displays.get(display.on)?.cells ?? 64;
  return numbersAt([...place, "cell"], display.cell, { count, minimum: 1, maximum }, report);
}

function oscText(file: NonNullable<ControlFile["label"]>, { part }: RepeatedName, whole: string): OscText {
  const texts = file.arguments ?? [whole];
  return { address: withPart(file.osc, part), arguments: texts.map((text) => withPart(text, part)) };
}

/** What sets an LED on the very message that its control sends. */
function ownMessage(source: ControlSource | undefined): "note" | "cc" | undefined {
  if (source === undefined || "address" in source || source.number === ANY) return undefined;
  if (source.kind === "cc" || source.kind === "cc14") return "cc";
  return source.kind === "note" ? "note" : undefined;
}

function numberOf(source: ControlSource | undefined): number {
  return source === undefined || "address" in source ? 0 : source.number;
}

/** What listens on every channel is answered on the first. */
function channelOf(source: ControlSource | undefined): number {
  return source === undefined || "address" in source || source.channel === ANY ? 1 : source.channel;
}
