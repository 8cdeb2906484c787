/**
 * Profile LEDs: what the LED types of a profile say, as tables and messages with holes.
 */
import type { Animation, LedLook, LedSysex, LedType } from "./profile.js";
import { DATA, messageAt, numbersAt } from "./profile-judge.js";
import type { Place, Report } from "./profile-notation.js";
import type { AnimationFile, LedTypeFile } from "./profile-schema.js";

const FRAME_FIELDS = ["blocks", "lengthMsb", "lengthLsb"];
const SEVEN_BITS = ["red", "green", "blue"];
const EIGHT_BITS = ["redMsb", "redLsb", "greenMsb", "greenLsb", "blueMsb", "blueLsb"];
const BLOCK_FIELDS = ["index", "colour", "other", ...SEVEN_BITS, ...EIGHT_BITS];
const LOOK = /^(solid|pulse|blink|one-shot)(?: (\d{1,3})%| 1\/(\d{1,3}))?$/;

/** `palette` is the text of the palette that it names, if there is one. */
export function ledTypeAt(
  place: Place,
  name: string,
  file: LedTypeFile,
  palette: string | undefined,
  report: Report,
): LedType {
  const sysex = file.sysex && ledSysex([...place, "sysex"], file.sysex, report);
  if (sysex === undefined && file.by === "sysex") report([...place, "by"], 'must come with "sysex", the message');
  if (file.colours === "rgb") checkRgb(place, sysex, report);
  if (file.colours === "hue" && file.last <= file.first) report([...place, "last"], 'must be above "first"');
  const animation = file.colours === "hue" ? file.animation : undefined;
  return {
    name,
    file,
    palette: palette === undefined ? undefined : paletteBytes(palette),
    looks: file.colours === "palette" ? looksAt([...place, "channels"], file.channels ?? [], report) : [],
    animation: animation && animationOf([...place, "animation"], animation, report),
    sysex,
  };
}

function checkRgb(place: Place, sysex: LedSysex | undefined, report: Report): void {
  if (sysex === undefined) return report(place, 'must have "sysex": no other message carries red, green and blue');
  const hasAll = (fields: readonly string[]) => fields.every((field) => sysex.solid.includes(field));
  if (sysex.solid.length === 0 || hasAll(SEVEN_BITS) || hasAll(EIGHT_BITS)) return;
  report([...place, "sysex", "solid"], "must have {red} {green} {blue}, or {redMsb} {redLsb} and so on");
}

function ledSysex(place: Place, file: NonNullable<LedTypeFile["sysex"]>, report: Report): LedSysex {
  const block = (field: "solid" | "palette" | "flash" | "pulse") => {
    const text = file[field];
    return text === undefined
      ? undefined
      : messageAt([...place, field], text, { fields: BLOCK_FIELDS, isPiece: true }, report);
  };
  const frame = messageAt([...place, "frame"], file.frame, { fields: FRAME_FIELDS, isSysex: true }, report);
  if (frame.length > 0 && !frame.includes("blocks"))
    report([...place, "frame"], "must have {blocks}: where the LEDs go");
  const solid = block("solid") ?? [];
  if (solid.length > 0 && !solid.includes("index"))
    report([...place, "solid"], "must have {index}: which LED is meant");
  return {
    frame,
    solid,
    palette: block("palette"),
    flash: block("flash"),
    pulse: block("pulse"),
    most: file.most ?? 1,
  };
}

/** Most colours of a palette: a data byte is the index. */
const PALETTE = /^[0-9a-f]{6}( [0-9a-f]{6}){0,127}$/i;

export function checkPalette(place: Place, text: string, report: Report): void {
  if (!PALETTE.test(text)) report(place, `must be 1 to 128 colours of six hexadecimal digits, one space between`);
}

/** Red, green, blue of each index. */
function paletteBytes(text: string): Uint8Array {
  return Uint8Array.from(text.match(/[0-9a-f]{2}/gi) ?? [], (pair) => Number.parseInt(pair, 16));
}

function looksAt(place: Place, texts: readonly string[], report: Report): LedLook[] {
  return texts.flatMap((text, index) => {
    const [, mode, percent = "100", rate] = LOOK.exec(text) ?? [];
    if (mode !== undefined && Number(percent) <= 100 && rate !== "0") {
      const look = mode as LedLook["mode"];
      return [{ mode: look, brightness: Number(percent) / 100, rate: rate === undefined ? undefined : Number(rate) }];
    }
    report(
      [...place, index],
      'must be solid, pulse, blink or one-shot, then a brightness or a rate: "solid 50%", "blink 1/8"',
    );
    return [];
  });
}

/** The lists of an animation as numbers. */
export function animationOf(place: Place, file: AnimationFile, report: Report): Animation {
  const numbers = (field: "strobe" | "pulse" | "brightness") => {
    const given = file[field];
    return given === undefined ? [] : numbersAt([...place, field], given, DATA, report);
  };
  return {
    channel: file.channel,
    off: file.off,
    strobe: numbers("strobe"),
    pulse: numbers("pulse"),
    brightness: numbers("brightness"),
    rainbow: file.rainbow,
  };
}
