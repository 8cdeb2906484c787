/**
 * Relative encoder: how far an endless encoder was turned, by what it sends instead of a position.
 *
 * Four encodings are in use, and vendors give them each other's names, so they are called here by what the bits are.
 * A message tells how many detents the encoder went since the last one, and all of them count. Pure; it keeps nothing.
 */

/** In the order of the values of `/mappings/{id}/encoding`, where 0 is none. */
export const RelativeEncoding = {
  none: 0,
  "twos-complement": 1,
  "offset-binary": 2,
  "sign-magnitude": 3,
  "sign-magnitude-reversed": 4,
} as const;
export type RelativeEncoding = (typeof RelativeEncoding)[keyof typeof RelativeEncoding];

const CENTRE = 64;

/**
 * Detents to the right (above 0) or left (below 0), -64..64, of a 7-bit value; 0 for what is sent at rest. A small
 * integer, so nothing is allocated.
 *
 * - twos-complement: 1..63 up, 127..64 down ("relative 1", 01/7F);
 * - offset-binary: 65..127 up, 63..0 down, 64 is rest ("relative 2", 41/3F);
 * - sign-magnitude: 1..63 up, 65..127 down, 0 and 64 are rest (Mackie Control, 01/41);
 * - sign-magnitude-reversed: the same with the sign's other meaning.
 */
export function detentsOf(encoding: RelativeEncoding, value: number): number {
  switch (encoding) {
    case RelativeEncoding["twos-complement"]:
      return value < CENTRE ? value : value - 2 * CENTRE;
    case RelativeEncoding["offset-binary"]:
      return value - CENTRE;
    case RelativeEncoding["sign-magnitude"]:
      return value < CENTRE ? value : CENTRE - value;
    case RelativeEncoding["sign-magnitude-reversed"]:
      return value < CENTRE ? 0 - value : value - CENTRE;
    default:
      return 0;
  }
}
