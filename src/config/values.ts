/**
 * Values: is this unknown thing a value of that type, exactly as the state would keep it?
 *
 * Stricter than what the network may send (`state/coerce`): a person who writes 7.5 for a whole number or 20 for a
 * range of 0..10 made a mistake and is told, where a fader is clipped. Used for defaults, show files and JSON; never
 * on the path of a message.
 */
import { TEXT_LIMIT_BYTES } from "../state/coerce.js";
import { ClipMode, type ClipModeName, type Declaration, type Value, type ValueTypeName } from "../state/declaration.js";
import { fromBase64 } from "./base64.js";
import { doubleText } from "./number-text.js";

/** What a value is measured against: a declaration, or the part of one that is known so far. */
export type ValueShape = Pick<Declaration, "type" | "range" | "clip" | "values">;

export type CheckedValue = { readonly value: Value } | { readonly problem: string };

export const INT_MIN = -0x8000_0000;
export const INT_MAX = 0x7fff_ffff;
/** Components of a vector type; a color has three or four. */
const COMPONENTS: Partial<Record<ValueTypeName, number>> = { vec2: 2, vec3: 3, vec4: 4, quaternion: 4 };

/**
 * The value in normal form (32-bit floats rounded, colors as four numbers, blobs as bytes), or what is wrong.
 * A number outside a range is wrong only where the clip mode would move it. An impulse's only value is null.
 */
export function checkValue(value: unknown, shape: ValueShape): CheckedValue {
  switch (shape.type) {
    case "float":
    case "double":
    case "int":
      return checkNumber(value, shape);
    case "bool":
      return typeof value === "boolean" ? { value } : { problem: "is not true or false" };
    case "string":
      return checkString(value);
    case "enum":
      return checkEnum(value, shape.values);
    case "color":
      return checkColor(value);
    case "impulse":
      return value === null ? { value } : { problem: "an impulse has no value" };
    case "blob":
      return checkBlob(value);
    default:
      return checkVector(value, shape, COMPONENTS[shape.type] as number);
  }
}

function checkNumber(value: unknown, shape: ValueShape): CheckedValue {
  const problem = numberProblem(value, shape.type);
  if (problem !== "") return { problem };
  const number = rounded(value as number, shape.type);
  const outside = rangeProblem(number, shape);
  return outside === "" ? { value: number } : { problem: outside };
}

/** What is wrong with `value` as one number of this type, whatever the range, or "". */
export function numberProblem(value: unknown, type: ValueTypeName): string {
  if (typeof value !== "number") return "is not a number";
  if (!Number.isFinite(value)) return "is not a finite number";
  if (type === "int") {
    if (!Number.isInteger(value)) return "is not a whole number";
    return value < INT_MIN || value > INT_MAX ? "does not fit 32 bits" : "";
  }
  return Number.isFinite(rounded(value, type)) ? "" : "is too large for a 32-bit float";
}

/** The number as the state keeps it: everything but double and int is a 32-bit float. */
export function rounded(value: number, type: ValueTypeName): number {
  if (type === "double") return value;
  return type === "int" ? value + 0 : Math.fround(value);
}

function rangeProblem(value: number, shape: ValueShape): string {
  const { range, clip } = shape;
  if (range === undefined || value === nearestInRange(value, range, clip)) return "";
  return `is outside the range ${rangeText(range)}`;
}

function rangeText(range: { readonly min: number; readonly max: number }): string {
  return `${doubleText(range.min)}..${doubleText(range.max)}`;
}

/** Where the clip mode moves a number. */
export function nearestInRange(value: number, range: { min: number; max: number }, clip: ClipModeName): number {
  if ((ClipMode[clip] & ClipMode.low) !== 0 && value < range.min) return range.min;
  if ((ClipMode[clip] & ClipMode.high) !== 0 && value > range.max) return range.max;
  return value;
}

function checkVector(value: unknown, shape: ValueShape, count: number): CheckedValue {
  if (!Array.isArray(value) || value.length !== count) return { problem: `is not ${count} numbers` };
  const numbers: number[] = [];
  for (const component of value as unknown[]) {
    const checked = checkNumber(component, shape);
    if ("problem" in checked) return checked;
    numbers.push(checked.value as number);
  }
  if (shape.type === "quaternion" && numbers.every((number) => number === 0)) {
    return { problem: "is no rotation: all four numbers are 0" };
  }
  return { value: numbers };
}

const HEX_COLOR = /^#[0-9a-f]{6}([0-9a-f]{2})?$/i;
const COLOR_PROBLEM = 'is not a color: three or four numbers 0..1, or "#rrggbb", "#rrggbbaa"';

function checkColor(value: unknown): CheckedValue {
  if (typeof value === "string") {
    return HEX_COLOR.test(value) ? { value: hexColor(value) } : { problem: COLOR_PROBLEM };
  }
  if (!Array.isArray(value) || value.length < 3 || value.length > 4) return { problem: COLOR_PROBLEM };
  const numbers = value as unknown[];
  if (!numbers.every((number) => typeof number === "number" && number >= 0 && number <= 1)) {
    return { problem: COLOR_PROBLEM };
  }
  const [red, green, blue, alpha = 1] = numbers as number[];
  return { value: [red, green, blue, alpha].map((number) => Math.fround(number as number)) };
}

/** `#rrggbb[aa]` as four numbers 0..1; `text` has that form. */
function hexColor(text: string): number[] {
  const channels = text.slice(1).padEnd(8, "f").match(/../g) ?? [];
  return channels.map((channel) => Math.fround(Number.parseInt(channel, 16) / 255));
}

function checkString(value: unknown): CheckedValue {
  if (typeof value !== "string") return { problem: "is not a string" };
  const problem = textProblem(value);
  return problem === "" ? { value } : { problem };
}

/** What is wrong with a text that OSC and UTF-8 must carry, or "". */
export function textProblem(text: string): string {
  if (text.includes("\0")) return "holds a NUL, which OSC cannot carry";
  if (/\p{Cs}/u.test(text)) return "is not valid Unicode";
  return isLongerThan(text, TEXT_LIMIT_BYTES) ? "is longer than 60,000 bytes" : "";
}

const encoder = new TextEncoder();

/** Whether a text has more bytes than that as UTF-8; a UTF-16 unit has at most three, so most texts need no count. */
export function isLongerThan(text: string, limitBytes: number): boolean {
  return text.length * 3 > limitBytes && encoder.encode(text).length > limitBytes;
}

/** By name, or by index. */
function checkEnum(value: unknown, names: readonly string[]): CheckedValue {
  const name = typeof value === "number" ? names[value] : value;
  if (typeof name === "string" && names.includes(name)) return { value: name };
  return { problem: `is none of ${names.map((candidate) => JSON.stringify(candidate)).join(", ")}` };
}

function checkBlob(value: unknown): CheckedValue {
  const bytes = typeof value === "string" ? fromBase64(value) : value;
  if (!(bytes instanceof Uint8Array)) return { problem: "is not base64" };
  return bytes.length > TEXT_LIMIT_BYTES ? { problem: "is longer than 60,000 bytes" } : { value: bytes };
}
