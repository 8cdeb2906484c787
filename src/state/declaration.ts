/**
 * Declaration: what a path holds. Type, range and policies; never a value, never an id.
 *
 * A declaration is checked once, at the rim (`config/` for show files and the library), and is immutable after
 * that. Everything here is complete: optional input fields have been given their defaults by `completeDeclaration`.
 */

/** The types of a path. The numbers are on the wire and in snapshots: never renumber one. */
export const ValueType = {
  float: 1,
  double: 2,
  int: 3,
  bool: 4,
  string: 5,
  enum: 6,
  color: 7,
  vec2: 8,
  vec3: 9,
  vec4: 10,
  quaternion: 11,
  impulse: 12,
  blob: 13,
} as const;
export type ValueTypeName = keyof typeof ValueType;
export type ValueType = (typeof ValueType)[ValueTypeName];

/** What happens to a number outside its range: the bound named is enforced by moving the value onto it. */
export const ClipMode = { none: 0, low: 1, high: 2, both: 3 } as const;
export type ClipModeName = keyof typeof ClipMode;

export const Easing = { none: 0, linear: 1, easeIn: 2, easeOut: 3, easeInOut: 4 } as const;
export type EasingName = keyof typeof Easing;

/** What a path holds on the surface of the library: see `Value`. */
export interface Declaration {
  readonly type: ValueTypeName;
  /** Lowest and highest value, in `unit`; the same for every component of a vector. Numbers and vectors only. */
  readonly range?: { readonly min: number; readonly max: number };
  /** What enforces `range`. Default `both`. */
  readonly clip: ClipModeName;
  /** The value before any write. An enum's is its name. Absent for an impulse. */
  readonly default: Value;
  /** Names of an enum's values, in order. Empty for other types. */
  readonly values: readonly string[];
  /** Free text such as `m`, `deg`, `Hz`, `s`. */
  readonly unit: string;
  readonly description: string;
  readonly group: string;
  /** Smoothing time in milliseconds, 0 for none. */
  readonly smoothMs: number;
  readonly easing: EasingName;
  /** A second OSC address that reaches this path, or "". */
  readonly oscAlias: string;
  readonly persist: boolean;
  readonly undo: boolean;
  readonly recall: boolean;
  readonly critical: boolean;
}

/**
 * A value at the rim: float, double and int as a number; bool as a boolean; string and enum (its name) as a string;
 * color as [red, green, blue, alpha], each 0..1; vec2, vec3, vec4 and quaternion [x, y, z, w] as numbers; blob as
 * bytes; an impulse has none (null).
 */
export type Value = number | boolean | string | readonly number[] | Uint8Array | null;

/** What a caller gives: the type, and whatever differs from the defaults. */
export type DeclarationInput = { readonly type: ValueTypeName } & {
  readonly [K in Exclude<keyof Declaration, "type">]?: Declaration[K] | undefined;
};

/** How many numbers a value of this type is; 0 for string, blob and impulse. */
export function lanesOf(type: ValueType): number {
  return LANES[type] as number;
}
const LANES = [0, 1, 1, 1, 1, 0, 1, 4, 2, 3, 4, 4, 0, 0];

export function isText(type: ValueType): boolean {
  return type === ValueType.string || type === ValueType.blob;
}

export function zeroOf(input: {
  readonly type: ValueTypeName;
  readonly values?: readonly string[] | undefined;
}): Value {
  switch (input.type) {
    case "float":
    case "double":
    case "int":
      return 0;
    case "bool":
      return false;
    case "string":
      return "";
    case "enum":
      return input.values?.[0] ?? "";
    case "color":
      return [0, 0, 0, 1];
    case "vec2":
      return [0, 0];
    case "vec3":
      return [0, 0, 0];
    case "vec4":
      return [0, 0, 0, 0];
    case "quaternion":
      return [0, 0, 0, 1];
    case "impulse":
      return null;
    case "blob":
      return new Uint8Array(0);
  }
}

/** Fills in every default. `input` has been checked already. */
export function completeDeclaration(input: DeclarationInput): Declaration {
  return {
    type: input.type,
    ...(input.range === undefined ? {} : { range: input.range }),
    clip: input.clip ?? "both",
    default: input.default ?? zeroOf(input),
    values: input.values ?? [],
    unit: input.unit ?? "",
    description: input.description ?? "",
    group: input.group ?? "",
    smoothMs: input.smoothMs ?? 0,
    easing: input.easing ?? "none",
    oscAlias: input.oscAlias ?? "",
    persist: input.persist ?? true,
    undo: input.undo ?? true,
    recall: input.recall ?? true,
    critical: input.critical ?? false,
  };
}
