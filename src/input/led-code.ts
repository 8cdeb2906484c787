/**
 * LED code: how an LED of each type is told to look, as one number, and that number as a message's bytes.
 *
 * Equal numbers look equal on the device, so whether something is to be sent is a comparison. A device that knows on and
 * off shows on from half of a control's way; one that knows colours shows the colour as bright as the way is long. What
 * blinks or pulses is the device's to play where its profile says how; else the number is that of the step.
 */
import type { LedSysex, LedType } from "../config/profile.js";
import type { LedTypeFile } from "../config/profile-schema.js";
import { nearestLight } from "./led-palette.js";
import { fillForm } from "./sysex-form.js";
import { playedShare, Shine, type SurfaceLook } from "./surface-look.js";

/** Set in the code of a colour that no palette has: the rest is eight bits of each part. */
const IS_RGB = 1 << 24;
/** In the code of a palette's colour: where the channel lies that says how it shines; 0 for the LED's own. */
const CHANNEL_SHIFT = 8;

/** Eight bits of each colour in one number. */
export function ledCode(type: LedType, look: SurfaceLook): number {
  const { file } = type;
  switch (file.colours) {
    case "values":
      return valueOf(file, look);
    case "palette":
      return paletteCode(type, look);
    case "mix":
      return mixOf(file, look);
    case "hue":
      // The device's own animation says whether it blinks.
      return look.isOn && (type.animation !== undefined || playedShare(look) >= 0.5) ? hueOf(file, look) : file.off;
    default:
      return colourCode(look, litShare(look));
  }
}

type Values = Extract<LedTypeFile, { colours: "values" }>;
type Mix = Extract<LedTypeFile, { colours: "mix" }>;
type Hue = Extract<LedTypeFile, { colours: "hue" }>;

/** Names of values that are no colour of light that stays. */
const NOT_ON = /^off$|blink|flash|pulse/;

function valueOf({ values }: Values, look: SurfaceLook): number {
  const off = values.off ?? 0;
  if (!look.isOn) return off;
  const name = onName(values, look);
  if (name === undefined) return off;
  const on = values[name] as number;
  if (look.shines === Shine.solid) return on;
  const moving = values[`${name} blink`] ?? values.blink;
  return moving ?? (playedShare(look) >= 0.5 ? on : off);
}

/** The name of the value that lights it. */
function onName(values: Values["values"], look: SurfaceLook): string | undefined {
  if (values.on !== undefined) return "on";
  const colour = colourName(look);
  return values[colour] === undefined ? Object.keys(values).find((name) => !NOT_ON.test(name)) : colour;
}

/** The word that profiles have for a colour. */
function colourName({ red, green, blue }: SurfaceLook): string {
  const bright = Math.max(red, green, blue) / 2;
  const index = Number(red > bright) + 2 * Number(green > bright) + 4 * Number(blue > bright);
  const words = ["off", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;
  return words[index] ?? "white";
}

/** How bright it is at this step, where the node plays its look; what is dark does not move. */
function litShare(look: SurfaceLook): number {
  return look.bright === 0 ? 0 : look.bright * playedShare(look);
}

function colourCode({ red, green, blue }: SurfaceLook, share: number): number {
  const bright = share * 255;
  return (Math.round(red * bright) << 16) | (Math.round(green * bright) << 8) | Math.round(blue * bright);
}

/** The nearest colour of the palette on a channel that shines so; or by SysEx what is not near enough. */
function paletteCode(type: LedType, look: SurfaceLook): number {
  const { shines, beat, bright } = look;
  const moving = shines === Shine.solid || bright === 0 ? 0 : movingChannel(type, shines, beat);
  const colour = colourCode(look, moving > 0 ? bright : litShare(look));
  const light = nearestLight(type, colour, moving === 0);
  if (moving > 0) return (moving << CHANNEL_SHIFT) | light.index;
  if (!light.isNear && takesRgb(type)) return IS_RGB | colour;
  return (light.channel << CHANNEL_SHIFT) | light.index;
}

/** The channel on which an LED blinks or pulses at about this rate; 0 when none does. */
function movingChannel({ looks }: LedType, shines: Shine, beat: number): number {
  const mode = shines === Shine.blink ? "blink" : "pulse";
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const [index, look] of looks.entries()) {
    if (look.mode !== mode) continue;
    const distance = Math.abs(Math.log2((look.rate ?? beat) / beat));
    if (distance >= least) continue;
    least = distance;
    best = index + 1;
  }
  return best;
}

/** Whether its SysEx carries red, green and blue. */
function takesRgb({ sysex }: LedType): boolean {
  return sysex !== undefined && (sysex.solid.includes("red") || sysex.solid.includes("redMsb"));
}

function mixOf({ red = 0, green = 0, blue = 0, steps, add }: Mix, look: SurfaceLook): number {
  const isDevices = look.shines !== Shine.solid && look.bright > 0 && add.blink !== undefined;
  const share = (isDevices ? look.bright : litShare(look)) * steps;
  const added = (isDevices ? add.blink : add.solid) ?? 0;
  const level = (part: number): number => Math.round(part * share);
  return added + level(look.red) * red + level(look.green) * green + level(look.blue) * blue;
}

/** White has no hue: it is the colour for on, where there is one. */
function hueOf({ first, last, from, to, on }: Hue, look: SurfaceLook): number {
  const hue = degreesOf(look);
  if (hue === undefined) return on ?? first;
  // The scale may run down, and over the end of the circle.
  const span = to - from;
  const turned = ((((hue - from) * Math.sign(span)) % 360) + 360) % 360;
  const share = Math.min(1, turned / Math.abs(span));
  return Math.round(first + share * (last - first));
}

function degreesOf({ red, green, blue }: SurfaceLook): number | undefined {
  const most = Math.max(red, green, blue);
  const spread = most - Math.min(red, green, blue);
  if (spread < 1 / 255) return undefined;
  if (most === red) return (((green - blue) / spread) * 60 + 360) % 360;
  return most === green ? ((blue - red) / spread) * 60 + 120 : ((red - green) / spread) * 60 + 240;
}

/** The short message's channel and value. `own`: the channel of an LED whose channel says nothing. */
export function ledAddress({ looks }: LedType, own: number, code: number): { channel: number; value: number } {
  const said = looks.length === 0 ? 0 : code >> CHANNEL_SHIFT;
  return { channel: said === 0 ? own : said, value: code & 0x7f };
}

/** The piece of SysEx that makes LED `index` look so; undefined for what a short message says. */
export function ledBlock(
  { file, sysex }: LedType,
  index: number,
  code: number,
  isShort: boolean,
): Uint8Array | undefined {
  const { solid = [], palette } = sysex ?? {};
  const isRgb = file.colours === "rgb" || (file.colours === "palette" && (code & IS_RGB) !== 0);
  if (!isRgb && isShort) return undefined;
  if (!isRgb) {
    const form = solid.includes("colour") ? solid : (palette ?? solid);
    return fillForm(form, { index, colour: code & 0x7f });
  }
  const [red, green, blue] = [(code >> 16) & 0xff, (code >> 8) & 0xff, code & 0xff];
  return fillForm(solid, {
    index,
    red: red >> 1,
    green: green >> 1,
    blue: blue >> 1,
    redMsb: red >> 7,
    redLsb: red & 0x7f,
    greenMsb: green >> 7,
    greenLsb: green & 0x7f,
    blueMsb: blue >> 7,
    blueLsb: blue & 0x7f,
  });
}

/** The message around several blocks. */
export function ledFrame({ frame }: LedSysex, blocks: readonly Uint8Array[]): Uint8Array {
  const bytes = blocks.flatMap((block) => [...block]);
  return fillForm(frame, { blocks: bytes, lengthMsb: bytes.length >> 7, lengthLsb: bytes.length & 0x7f });
}
