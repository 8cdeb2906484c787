/**
 * Number text: numbers as people write them, and the shortest text that reads back as the same number.
 *
 * The state keeps float, color and vectors as 32-bit floats: 0.1 is 0.10000000149011612 there, and nobody wants to
 * read that. Only decimal notation is a number here: no hexadecimal, no `Infinity`, no empty text.
 */
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number that `text` writes, or undefined. Never NaN and never an infinity. */
export function parseNumber(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** The shortest text that reads back as the same double. */
export function doubleText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Nine significant digits tell any two 32-bit floats apart (IEEE 754). */
const FLOAT32_DIGITS = 9;

/**
 * The shortest text that reads back, rounded to 32 bits, as the same float; `value` is one already. (Of all floats
 * 2^-96, 2^87 and 2^90 come out a digit longer than they must: below a power of two the floats lie closer.)
 */
export function float32Text(value: number): string {
  if (value === 0) return doubleText(value);
  for (let digits = 1; digits < FLOAT32_DIGITS; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return doubleText(candidate);
  }
  return doubleText(Number(value.toPrecision(FLOAT32_DIGITS)));
}
