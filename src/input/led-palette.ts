/**
 * LED palette: which colour of a device's palette, and which of its brightnesses, is nearest to a colour.
 *
 * Where the channel of a message says how bright an LED is, a palette has so many times more colours. Slow side.
 */
import type { LedType } from "../config/profile.js";

export interface PaletteLight {
  index: number;
  /** 1..16; 0 where the channel says nothing. */
  channel: number;
  /** Nobody would see the difference. */
  isNear: boolean;
}

/** Of squares: each part differs by some 8 of 255. */
const NEAR = 3 * 8 ** 2;
/** What a palette without colours has. */
const DARK = new Uint8Array(3);

/**
 * `colour`: eight bits of each part. The plain channel is taken where its colour is near; a dimmer one only `byChannel`,
 * and only where it is nearer.
 */
export function nearestLight({ palette = DARK, looks }: LedType, colour: number, byChannel: boolean): PaletteLight {
  const full = looks.findIndex(({ mode, brightness }) => mode === "solid" && brightness === 1);
  const light: PaletteLight = { index: 0, channel: full + 1, isNear: false };
  let least = nearest(palette, colour, 1, Number.POSITIVE_INFINITY, light);
  for (const [at, { mode, brightness }] of looks.entries()) {
    if (least <= NEAR || !byChannel) break;
    if (mode !== "solid" || at === full) continue;
    const distance = nearest(palette, colour, brightness, least, light);
    if (distance >= least) continue;
    least = distance;
    light.channel = at + 1;
  }
  light.isNear = least <= NEAR;
  return light;
}

/** Puts the index of the nearest colour, the first of equals, into `light` if it is nearer than `least`. */
function nearest(palette: Uint8Array, colour: number, bright: number, least: number, light: PaletteLight): number {
  let best = least;
  for (let at = 0; at + 2 < palette.length; at += 3) {
    const red = ((colour >> 16) & 0xff) - (palette[at] as number) * bright;
    const green = ((colour >> 8) & 0xff) - (palette[at + 1] as number) * bright;
    const blue = (colour & 0xff) - (palette[at + 2] as number) * bright;
    const distance = red * red + green * green + blue * blue;
    if (distance >= best) continue;
    best = distance;
    light.index = at / 3;
  }
  return best;
}
