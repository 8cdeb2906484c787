/**
 * Declarations: unknown input (the library's argument, a table of a show file, JSON) to a complete `Declaration`, or
 * everything that is wrong with it.
 *
 * The one rim through which a declaration enters, so that the state, the wire and the pages never meet a range of NaN
 * or an enum without names. Written by hand and small, because the library needs it when it starts: no schema library.
 * It never throws on input.
 */
import {
  ClipMode,
  type ClipModeName,
  completeDeclaration,
  type Declaration,
  type DeclarationInput,
  Easing,
  type EasingName,
  isText,
  lanesOf,
  type Value,
  ValueType,
  type ValueTypeName,
  zeroOf,
} from "../state/declaration.js";
import {
  DECLARATION_LIMIT_BYTES,
  decodeDeclaration,
  encodeDeclaration,
  sharedDeclaration,
} from "../state/declaration-bytes.js";
import { PATH_MAX_BYTES, validateAddress, validatePath } from "../state/path.js";
import {
  checkValue,
  isLongerThan,
  nearestInRange,
  numberProblem,
  rounded,
  textProblem,
  type ValueShape,
} from "./values.js";

/** One thing wrong with a declaration. `field` is "" for the whole of it. */
export interface DeclarationProblem {
  readonly field: string;
  readonly message: string;
}

export type ParsedDeclaration =
  | { readonly declaration: Declaration }
  | { readonly problems: readonly DeclarationProblem[] };

/** The fields a declaration may have; `smooth` and `alias` are what files call `smoothMs` and `oscAlias`. */
export const DECLARATION_FIELDS = [
  "type",
  "range",
  "clip",
  "default",
  "values",
  "unit",
  "description",
  "group",
  "smooth",
  "smoothMs",
  "easing",
  "alias",
  "oscAlias",
  "persist",
  "undo",
  "recall",
  "critical",
] as const;
type Field = (typeof DECLARATION_FIELDS)[number];
const fieldNames: ReadonlySet<string> = new Set(DECLARATION_FIELDS);
const typeNames = Object.keys(ValueType) as ValueTypeName[];
const clipNames = Object.keys(ClipMode) as ClipModeName[];
const easingNames = Object.keys(Easing) as EasingName[];

/** A description is a sentence or two, not a manual. */
const DESCRIPTION_MAX_BYTES = 2_000;
const LABEL_MAX_BYTES = 200;
const ENUM_NAMES_MAX = 1_000;
export const SMOOTH_MAX_MS = 3_600_000;

/** As `parseDeclaration`, with what is wrong with the path as a problem of the field `path`. */
export function parseDeclared(path: string, input: unknown): ParsedDeclaration {
  const problem = validatePath(path);
  const parsed = parseDeclaration(input);
  if (problem === "") return parsed;
  const rest = "problems" in parsed ? parsed.problems : [];
  return { problems: [{ field: "path", message: problem }, ...rest] };
}

/**
 * Checks an object with the fields of `Declaration`, all but `type` optional and undefined the same as absent. `range`
 * is `{ min, max }` or `[min, max]`; `smooth` and `alias` are taken for `smoothMs` and `oscAlias`. Numbers come out as
 * precise as the state keeps them. Without a default it is 0 (false, "", the first name, opaque black, no rotation),
 * or what the range makes of 0.
 */
export function parseDeclaration(input: unknown): ParsedDeclaration {
  if (typeof input !== "object" || input === null || Array.isArray(input) || input instanceof Date) {
    return { problems: [{ field: "", message: "is not a table of fields" }] };
  }
  return new DeclarationReader(input as Readonly<Record<string, unknown>>).read();
}

/** The default that a declaration has when it gives none. */
export function impliedDefault(shape: ValueShape): Value {
  const zero = zeroOf(shape);
  const { range, clip } = shape;
  if (range === undefined) return zero;
  if (typeof zero === "number") return nearestInRange(zero, range, clip);
  return Array.isArray(zero) ? zero.map((lane: number) => nearestInRange(lane, range, clip)) : zero;
}

class DeclarationReader {
  private readonly input: Readonly<Record<string, unknown>>;
  private readonly problems: DeclarationProblem[] = [];

  constructor(input: Readonly<Record<string, unknown>>) {
    this.input = input;
  }

  read(): ParsedDeclaration {
    this.unknownFields();
    const type = this.type();
    // Without a type nothing about values can be said; what can be said is said at once.
    const shape = type === undefined ? undefined : this.shape(type);
    const value = shape === undefined ? undefined : this.default(shape);
    const smoothMs = type === undefined ? 0 : this.smooth(type);
    const labels = this.labels();
    if (shape === undefined || this.problems.length > 0) return { problems: this.problems };
    return checkedSize(sharedDeclaration(completeDeclaration({ ...labels, ...shape, default: value, smoothMs })));
  }

  private fail(field: string, message: string): undefined {
    this.problems.push({ field, message });
    return undefined;
  }

  private unknownFields(): void {
    for (const name of Object.keys(this.input)) {
      if (fieldNames.has(name)) continue;
      this.fail(name, `is no field of a declaration; fields are ${DECLARATION_FIELDS.join(", ")}`);
    }
  }

  private type(): ValueTypeName | undefined {
    const { type } = this.input;
    if (type === undefined) return this.fail("type", "is missing");
    return this.oneOf("type", type, typeNames);
  }

  private shape(type: ValueTypeName): ValueShape {
    const clip = this.choice("clip", clipNames) ?? "both";
    const range = this.range(type);
    const values = this.values(type);
    return range === undefined ? { type, clip, values } : { type, clip, values, range };
  }

  private range(type: ValueTypeName): { min: number; max: number } | undefined {
    const { range } = this.input;
    if (range === undefined) return undefined;
    if (!hasRange(type)) return this.fail("range", `a ${type} has no range; numbers and vectors have`);
    const [min, max] = Array.isArray(range) && range.length === 2 ? (range as unknown[]) : boundsOf(range);
    for (const bound of [min, max]) {
      const problem = numberProblem(bound, type);
      if (problem !== "") return this.fail("range", `is not [min, max]: a bound ${problem}`);
    }
    if ((min as number) > (max as number)) return this.fail("range", "has a minimum above its maximum");
    return { min: rounded(min as number, type), max: rounded(max as number, type) };
  }

  private values(type: ValueTypeName): readonly string[] {
    const { values } = this.input;
    if (type !== "enum") {
      if (values !== undefined && !(Array.isArray(values) && values.length === 0)) {
        this.fail("values", `a ${type} has no list of values; an enum has`);
      }
      return [];
    }
    if (!Array.isArray(values) || values.length === 0 || values.length > ENUM_NAMES_MAX) {
      this.fail("values", "is not a list of 1 to 1,000 names");
      return [];
    }
    const problem = namesProblem(values as unknown[]);
    if (problem === "") return [...(values as string[])];
    this.fail("values", problem);
    return [];
  }

  private default(shape: ValueShape): Value {
    const value = this.input["default"];
    // An enum without names has been complained about; its default would only repeat that.
    if (value === undefined || (shape.type === "enum" && shape.values.length === 0)) return impliedDefault(shape);
    const checked = checkValue(value, shape);
    if ("value" in checked) return checked.value;
    this.fail("default", checked.problem);
    return null;
  }

  private smooth(type: ValueTypeName): number {
    const [field, value] = this.aliased("smooth", "smoothMs");
    if (value === undefined) return 0;
    if (typeof value !== "number" || !(value >= 0 && value <= SMOOTH_MAX_MS)) {
      this.fail(field, "is not a time of 0 to 3,600,000 ms");
      return 0;
    }
    if (value > 0 && lanesOf(ValueType[type]) === 0) this.fail(field, `a ${type} cannot be smoothed`);
    else if (value > 0 && (type === "bool" || type === "enum")) this.fail(field, `a ${type} cannot be smoothed`);
    return Math.fround(value);
  }

  private labels(): Partial<DeclarationInput> {
    return {
      unit: this.text("unit", LABEL_MAX_BYTES),
      description: this.text("description", DESCRIPTION_MAX_BYTES),
      group: this.text("group", LABEL_MAX_BYTES),
      easing: this.choice("easing", easingNames),
      oscAlias: this.alias(),
      persist: this.flag("persist"),
      undo: this.flag("undo"),
      recall: this.flag("recall"),
      critical: this.flag("critical"),
    };
  }

  private alias(): string | undefined {
    const [field, value] = this.aliased("alias", "oscAlias");
    if (value === undefined || value === "") return undefined;
    if (typeof value !== "string") return this.fail(field, "is not an OSC address");
    const problem = validateAddress(value);
    if (problem !== "") return this.fail(field, `is not an OSC address: ${problem}`);
    // These addresses are commands to the node or the node's own; a parameter must not take them.
    if (/^\/(hana|system)(\/|$)/.test(value)) return this.fail(field, "lies under /hana or /system");
    return value;
  }

  private text(field: Field, limitBytes: number): string | undefined {
    const value = this.input[field];
    if (value === undefined) return undefined;
    if (typeof value !== "string") return this.fail(field, "is not a string");
    const problem = textProblem(value);
    if (problem !== "") return this.fail(field, problem);
    if (isLongerThan(value, limitBytes)) return this.fail(field, `is longer than ${limitBytes} bytes`);
    return value;
  }

  private flag(field: Field): boolean | undefined {
    const value = this.input[field];
    if (value === undefined || typeof value === "boolean") return value;
    return this.fail(field, "is not true or false");
  }

  private choice<Name extends string>(field: Field, names: readonly Name[]): Name | undefined {
    const value = this.input[field];
    return value === undefined ? undefined : this.oneOf(field, value, names);
  }

  private oneOf<Name extends string>(field: Field, value: unknown, names: readonly Name[]): Name | undefined {
    return names.find((name) => name === value) ?? this.fail(field, `is none of ${names.join(", ")}`);
  }

  private aliased(short: Field, long: Field): [field: Field, value: unknown] {
    const value = this.input[short];
    if (value !== undefined && this.input[long] !== undefined) this.fail(short, `is given twice, as ${long} too`);
    return value === undefined ? [long, this.input[long]] : [short, value];
  }
}

/** Numbers and vectors. */
function hasRange(type: ValueTypeName): boolean {
  return type === "float" || type === "double" || type === "int" || type.startsWith("vec");
}

function boundsOf(range: unknown): unknown[] {
  if (typeof range !== "object" || range === null) return [];
  const { min, max, ...rest } = range as Readonly<Record<string, unknown>>;
  return Object.keys(rest).length === 0 ? [min, max] : [];
}

function namesProblem(names: readonly unknown[]): string {
  const seen = new Set<unknown>();
  for (const name of names) {
    if (typeof name !== "string" || name === "") return "holds something that is no name";
    // A name is printed alone on a line and typed back.
    if (/\p{Cc}|\p{Cs}/u.test(name)) return "holds a name with a control character";
    if (isLongerThan(name, LABEL_MAX_BYTES)) return `holds a name of more than ${LABEL_MAX_BYTES} bytes`;
    if (seen.has(name)) return `holds ${JSON.stringify(name)} twice`;
    seen.add(name);
  }
  return "";
}

/** What the wire cannot carry to the other nodes must not be declared on one. Only names and default can be long. */
function checkedSize(declaration: Declaration): ParsedDeclaration {
  if (declaration.values.length === 0 && !isText(ValueType[declaration.type])) return { declaration };
  const bytes = encodeDeclaration(declaration);
  const fits = bytes !== undefined && bytes.length + PATH_MAX_BYTES + 2 <= DECLARATION_LIMIT_BYTES;
  if (fits && decodeDeclaration(bytes) !== undefined) return { declaration };
  const field = declaration.type === "enum" ? "values" : "default";
  return { problems: [{ field, message: "is too long to be sent to the other nodes" }] };
}
