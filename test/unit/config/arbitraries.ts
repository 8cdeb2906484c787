/**
 * Declarations, values and paths of every kind, in the normal form in which the state keeps them.
 */
import fc from "fast-check";
import { parseDeclaration } from "../../../src/config/declarations.js";
import type { Declaration, DeclarationInput, Value } from "../../../src/state/declaration.js";
import { validatePath } from "../../../src/state/path.js";

/** The complete declaration of an input that must be right. */
export function declared(input: DeclarationInput): Declaration {
  const parsed = parseDeclaration(input);
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.declaration;
}

const float32 = fc.float({ noNaN: true, noDefaultInfinity: true });
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const channel = fc.oneof(
  fc.integer({ min: 0, max: 255 }).map((byte) => Math.fround(byte / 255)),
  fc.float({ min: 0, max: 1, noNaN: true }),
);
const text = fc.string({ unit: "binary", maxLength: 20 }).filter((candidate) => !candidate.includes("\0"));
const label = fc.oneof(fc.constant(""), text);
const enumName = fc
  .oneof(fc.constantFrom("sine", "1", "true", "soft light", '"', "\\"), fc.string({ unit: "grapheme", minLength: 1 }))
  .filter((name) => !/\p{Cc}/u.test(name));

/** Values of a type before any range. */
function rawValue(type: Declaration["type"], values: readonly string[]): fc.Arbitrary<Value> {
  switch (type) {
    case "float":
      return float32;
    case "double":
      return double;
    case "int":
      return int32;
    case "bool":
      return fc.boolean();
    case "string":
      return text;
    case "enum":
      return fc.constantFrom(...values);
    case "color":
      return fc.tuple(channel, channel, channel, channel);
    case "vec2":
      return fc.tuple(float32, float32);
    case "vec3":
      return fc.tuple(float32, float32, float32);
    case "vec4":
      return fc.tuple(float32, float32, float32, float32);
    case "quaternion":
      return fc.tuple(float32, float32, float32, float32).filter((lanes) => lanes.some((lane) => lane !== 0));
    case "impulse":
      return fc.constant(null);
    case "blob":
      return fc.uint8Array({ maxLength: 40 });
  }
}

/** Values that a declaration holds: its type, inside its range. */
export function anyValue(declaration: Pick<Declaration, "type" | "range" | "clip" | "values">): fc.Arbitrary<Value> {
  return rawValue(declaration.type, declaration.values).map((value) => {
    const { range } = declaration;
    const clamp = (lane: number): number => (range ? Math.min(range.max, Math.max(range.min, lane)) : lane);
    if (typeof value === "number") return clamp(value);
    return Array.isArray(value) ? (value as number[]).map(clamp) : value;
  });
}

const anyType = fc.constantFrom<Declaration["type"]>(
  ...(["float", "double", "int", "bool", "string", "enum", "color", "vec2", "vec3", "vec4"] as const),
  ...(["quaternion", "impulse", "blob"] as const),
);

function anyRange(type: Declaration["type"]): fc.Arbitrary<{ min: number; max: number } | undefined> {
  const bound = type === "int" ? int32 : type === "double" ? double : float32;
  const isRanged = ["float", "double", "int", "vec2", "vec3", "vec4"].includes(type);
  if (!isRanged) return fc.constant(undefined);
  return fc.option(
    fc.tuple(bound, bound).map(([left, right]) => ({ min: Math.min(left, right), max: Math.max(left, right) })),
    { nil: undefined },
  );
}

/** Every field of a declaration, each often as it would be anyway. */
export function anyDeclarationOf(type: Declaration["type"]): fc.Arbitrary<Declaration> {
  const isSmooth = !["bool", "enum", "string", "impulse", "blob"].includes(type);
  return fc
    .record({
      range: anyRange(type),
      clip: fc.constantFrom("both" as const, "both" as const, "none" as const, "low" as const, "high" as const),
      values: type === "enum" ? fc.uniqueArray(enumName, { minLength: 1, maxLength: 5 }) : fc.constant([]),
      unit: label,
      description: label,
      group: label,
      smoothMs: isSmooth ? fc.oneof(fc.constant(0), fc.float({ min: 0, max: 3_600_000, noNaN: true })) : fc.constant(0),
      easing: fc.constantFrom("none" as const, "linear" as const, "easeInOut" as const),
      oscAlias: fc.oneof(
        fc.constant(""),
        fc.integer({ min: 0 }).map((number) => `/alias/${number}`),
      ),
      persist: fc.boolean(),
      undo: fc.boolean(),
      recall: fc.boolean(),
      critical: fc.boolean(),
    })
    .chain((rest) => {
      const shape = { type, values: rest.values, clip: rest.clip, ...(rest.range ? { range: rest.range } : {}) };
      const fallback = type === "impulse" ? fc.constant(undefined) : fc.option(anyValue(shape), { nil: undefined });
      return fallback.map((value) => declared({ ...rest, type, default: value }));
    });
}

export const anyDeclaration: fc.Arbitrary<Declaration> = anyType.chain(anyDeclarationOf);

/** Segments that a table, a key or a field could be mistaken for, and any other. */
const segment = fc.oneof(
  fc.constantFrom(
    "type",
    "range",
    "default",
    "values",
    "min",
    "max",
    "a",
    "b",
    "c",
    "1",
    "10",
    "a.b",
    '"',
    "\\",
    "'x'",
  ),
  fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 6 }).filter((text) => !/[ #*,/?[\]{}]/.test(text)),
);

const anyTop = fc.constantFrom(
  ...[
    "viz",
    "viz",
    "global",
    "global/tempo",
    "global/master",
    "environment",
    "groups",
    "displays",
    "displays/left/size",
  ],
  ...["viz/left/opacity", "modulation", "modulation/sources", "mappings", "transport", "transport/loop"],
);

export const anyPath: fc.Arbitrary<string> = fc
  .tuple(anyTop, fc.array(segment, { minLength: 1, maxLength: 4 }))
  .map(([top, rest]) => `/${[top, ...rest].join("/")}`)
  .filter((path) => validatePath(path) === "");
