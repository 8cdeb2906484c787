/**
 * LED code: how an LED of each type is told to look, as one number, and that number as a block of SysEx.
 *
 * Equal numbers look equal on the device, so whether something is to be sent is a comparison. A device that knows on and
 * off shows on from half of a control's way; one that knows colours shows the colour as bright as the way is long.
 */
import type { LedSysex, LedType } from "../config/profile.js";
import type { LedTypeFile } from "../config/profile-schema.js";
import { fillForm } from "./sysex-form.js";
import type { SurfaceLook } from "./surface-look.js";

/** Eight bits of each colour in one number. */
export function ledCode(type: LedType, look: SurfaceLook): number {
  const { file } = type;
  switch (file.colours) {
    case "values":
      return valueOf(file, look);
    case "palette":
      return nearest(type.palette ?? new Uint8Array(3), bytesOf(look));
    case "mix":
      return mixOf(file, look);
    case "hue":
      return look.isOn ? hueOf(file, look) : file.off;
    default: {
      const [red, green, blue] = bytesOf(look);
      return (red << 16) | (green << 8) | blue;
    }
  }
}

type Values = Extract<LedTypeFile, { colours: "values" }>;
type Mix = Extract<LedTypeFile, { colours: "mix" }>;
type Hue = Extract<LedTypeFile, { colours: "hue" }>;
type Colour = readonly [number, number, number];

/** Names of values that are no colour of light that stays. */
const NOT_ON = /^off$|blink|flash|pulse/;

function valueOf({ values }: Values, look: SurfaceLook): number {
  const off = values.off ?? 0;
  if (!look.isOn) return off;
  return (
    values.on ?? values[colourName(look)] ?? Object.entries(values).find(([name]) => !NOT_ON.test(name))?.[1] ?? off
  );
}

/** The word that profiles have for a colour. */
function colourName({ red, green, blue }: SurfaceLook): string {
  const bright = Math.max(red, green, blue) / 2;
  const index = Number(red > bright) + 2 * Number(green > bright) + 4 * Number(blue > bright);
  const words = ["off", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;
  return words[index] ?? "white";
}

function bytesOf({ way, red, green, blue }: SurfaceLook): Colour {
  const bright = way * 255;
  return [Math.round(red * bright), Math.round(green * bright), Math.round(blue * bright)];
}

/** The index of the nearest colour; the first of those that are equally near. */
function nearest(palette: Uint8Array, [red, green, blue]: Colour): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let index = 0; index * 3 < palette.length; index++) {
    const [one, two, three] = palette.subarray(index * 3) as unknown as Colour;
    const distance = (red - one) ** 2 + (green - two) ** 2 + (blue - three) ** 2;
    if (distance >= least) continue;
    least = distance;
    best = index;
  }
  return best;
}

function mixOf({ red = 0, green = 0, blue = 0, steps, add }: Mix, look: SurfaceLook): number {
  const [r, g, b] = bytesOf(look).map((part) => Math.round((part / 255) * steps)) as unknown as Colour;
  return (add.solid ?? 0) + r * red + g * green + b * blue;
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

/** The piece of SysEx that makes LED `index` look so. */
export function ledBlock({ file, sysex }: LedType, index: number, code: number): Uint8Array {
  const { solid = [], palette } = sysex ?? {};
  if (file.colours !== "rgb")
    return fillForm(solid.includes("colour") ? solid : (palette ?? solid), { index, colour: code });
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
