/**
 * Value text: values as people type and read them on the command line, and as JSON.
 *
 * `formatValue` gives the shortest text that `parseValue` reads back as the same value, on one line for everything
 * but a string with line breaks in it. The texts are not what files hold (`show-text`) and not what OSC carries.
 */
import type { Declaration, Value, ValueTypeName } from "../state/declaration.js";
import { toBase64 } from "./base64.js";
import { doubleText, float32Text, parseNumber } from "./number-text.js";
import { checkValue, numberProblem, rounded, type ValueShape } from "./values.js";

/** A value and its type, which without a declaration was guessed. */
export type ParsedValue = { readonly type: ValueTypeName; readonly value: Value } | { readonly problem: string };

/** What a value text is read against. */
export type TextShape = Pick<Declaration, "type" | "values">;

/**
 * Reads the words of `hana set PATH VALUE...` or, as one word, of `--set PATH=VALUE`. Numbers are not clipped: that is
 * the state's job. Per type:
 *
 * - float, double, int: one decimal number; an int is rounded
 * - bool: true, false, on, off, yes, no, or a number (from 0.5 on it is true)
 * - string: the words joined by one space; enum: a name, or an index
 * - color: `#rrggbb`, `#rrggbbaa`, or three or four numbers 0..1
 * - vec2, vec3, vec4, quaternion: that many numbers, separated by spaces or commas
 * - impulse: nothing, `true` or a number other than 0
 * - blob: base64
 *
 * Without a declaration: one number is a float, two to four are a vector, true and false a bool, the rest a string.
 */
export function parseValue(words: readonly string[], declaration: TextShape | undefined): ParsedValue {
  if (declaration === undefined) return guessValue(words);
  const { type } = declaration;
  switch (type) {
    case "float":
    case "double":
    case "int":
      return parseScalar(words, type);
    case "bool":
      return parseBool(words);
    case "string":
      return checked(words.join(" "), declaration);
    case "enum":
      return parseEnum(words.join(" "), declaration);
    case "impulse":
      return parseImpulse(words);
    case "blob":
      return checked(words.join(""), declaration);
    case "color":
      return parseColor(words, declaration);
    default:
      return checked(numbersOf(words), declaration);
  }
}

/** A value from JSON text: numbers, true, false, strings, arrays, null for an impulse, base64 for a blob. */
export function parseJsonValue(text: string, declaration: ValueShape | undefined): ParsedValue {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: "is not JSON" };
  }
  return declaration === undefined ? guessJson(value) : checked(value, withoutRange(declaration));
}

/** Shortest form that reads back the same. A blob is base64 (RFC 4648), a color its four numbers, an impulse "". */
export function formatValue(value: Value, declaration: TextShape | undefined): string {
  if (value === null) return "";
  if (typeof value === "number") return numberText(value, declaration?.type);
  if (typeof value === "boolean" || typeof value === "string") return String(value);
  if (value instanceof Uint8Array) return toBase64(value);
  return value.map((number) => numberText(number, declaration?.type)).join(" ");
}

/** The value as `JSON.stringify` should get it: floats in their shortest form, a blob as base64. */
export function jsonValue(
  value: Value,
  declaration: TextShape | undefined,
): number | boolean | string | number[] | null {
  if (typeof value === "number") return Number(numberText(value, declaration?.type));
  if (value instanceof Uint8Array) return toBase64(value);
  if (value === null || typeof value !== "object") return value;
  return value.map((number) => Number(numberText(number, declaration?.type)));
}

/** The shortest text of one number of this type; vectors and colors hold 32-bit floats. */
export function numberText(value: number, type: ValueTypeName | undefined): string {
  // A number that is no 32-bit float is not one of the state's, whatever the declaration says.
  const isFloat32 = type !== undefined && type !== "double" && type !== "int" && Math.fround(value) === value;
  return isFloat32 ? float32Text(value) : doubleText(value);
}

function parseScalar(words: readonly string[], type: "float" | "double" | "int"): ParsedValue {
  const numbers = numbersOf(words);
  if (numbers?.length !== 1) return { problem: "is not one number" };
  const value = type === "int" ? Math.round(numbers[0] as number) : (numbers[0] as number);
  const problem = numberProblem(value, type);
  return problem === "" ? { type, value: rounded(value, type) } : { problem };
}

const BOOLS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["false", false],
  ["on", true],
  ["off", false],
  ["yes", true],
  ["no", false],
]);

function parseBool(words: readonly string[]): ParsedValue {
  const text = words.join(" ").trim();
  const number = parseNumber(text);
  const value = number === undefined ? BOOLS.get(text.toLowerCase()) : Math.abs(number) >= 0.5;
  return value === undefined ? { problem: "is not true or false" } : { type: "bool", value };
}

/** A name wins over an index, so an enum whose names are numbers reads back. */
function parseEnum(text: string, declaration: TextShape): ParsedValue {
  if (declaration.values.includes(text)) return { type: "enum", value: text };
  return checked(/^\d{1,9}$/.test(text) ? Number(text) : text, declaration);
}

function parseImpulse(words: readonly string[]): ParsedValue {
  const text = words.join(" ").trim();
  const number = parseNumber(text);
  const fires = text === "" || text === "true" || (number !== undefined && number !== 0);
  return fires ? { type: "impulse", value: null } : { problem: "an impulse has no value" };
}

function parseColor(words: readonly string[], declaration: TextShape): ParsedValue {
  return checked(numbersOf(words) ?? words.join("").trim(), declaration);
}

function checked(value: unknown, declaration: TextShape): ParsedValue {
  const result = checkValue(value, withoutRange(declaration));
  return "problem" in result ? result : { type: declaration.type, value: result.value };
}

/** What is typed is clipped by the state, as what a fader sends. */
function withoutRange(declaration: TextShape): ValueShape {
  return { type: declaration.type, values: declaration.values, clip: "none" };
}

/** Every number in the words, between spaces and commas; undefined when something else is there. */
function numbersOf(words: readonly string[]): number[] | undefined {
  const numbers: number[] = [];
  for (const text of words.join(" ").split(/[\s,]+/)) {
    if (text === "") continue;
    const number = parseNumber(text);
    if (number === undefined) return undefined;
    numbers.push(number);
  }
  return numbers;
}

const VECTORS: readonly ValueTypeName[] = ["float", "vec2", "vec3", "vec4"];

function guessValue(words: readonly string[]): ParsedValue {
  if (words.length === 0) return { problem: "is missing" };
  const text = words.join(" ");
  if (text === "true" || text === "false") return { type: "bool", value: text === "true" };
  const numbers = text.includes(",") ? undefined : numbersOf(words);
  const type = numbers === undefined ? undefined : VECTORS[numbers.length - 1];
  if (numbers === undefined || type === undefined) return checked(text, { type: "string", values: [] });
  return type === "float" ? parseScalar(words, type) : checked(numbers, { type, values: [] });
}

function guessJson(value: unknown): ParsedValue {
  if (typeof value === "boolean") return { type: "bool", value };
  if (typeof value === "number") return checked(value, { type: "float", values: [] });
  if (typeof value === "string") return checked(value, { type: "string", values: [] });
  const type = Array.isArray(value) && value.length > 1 ? VECTORS[value.length - 1] : undefined;
  return type === undefined ? { problem: "is no value of any type" } : checked(value, { type, values: [] });
}
