/**
 * State: the typed tree. What every path is, and the value and version that the stream confirmed.
 *
 * Values lie in typed arrays indexed by a dense id, so the hot path reads and writes memory and nothing else. Ids are
 * given by the controller and never used again within a term. The state knows nothing of writes that wait (see
 * `sync/pending`), of time, or of who reads it; it never checks a value: `coerce` has.
 */
import { assert } from "../base/assert.js";
import { componentOf } from "./component.js";
import { ClipMode, type Declaration, isText, lanesOf, type Value, ValueType } from "./declaration.js";
import { sharedDeclaration } from "./declaration-bytes.js";
import { StagedKind, type Staging } from "./staging.js";
import { Tombstones } from "./tombstones.js";

/** Doubles per id: the largest value is four numbers. */
export const LANES = 4;
/** Ids at the top that a follower gives to paths whose own id the controller has yet to give. */
export const PROVISIONAL_IDS = 4_096;

export class State {
  /** One more than the highest id that can be given. */
  readonly capacity: number;
  /** The id that the next declaration gets from this node while it is controller. */
  nextId = 0;
  /** The lowest provisional id. */
  readonly firstProvisional: number;
  /** Paths that exist now. */
  pathCount = 0;
  /** Rises with every declaration, rename and removal: whoever compiled a table from the tree compares it. */
  generation = 0;

  readonly types: Uint8Array;
  readonly clips: Uint8Array;
  readonly components: Uint8Array;
  readonly minima: Float64Array;
  readonly maxima: Float64Array;
  /** LANES doubles per id. */
  readonly numbers: Float64Array;
  readonly texts: (string | Uint8Array | undefined)[] = [];
  /** Version of the last change: index into the term table, and sequence. Sequence 0: never written. */
  readonly terms: Uint16Array;
  readonly sequences: Float64Array;
  /** Hybrid time of the last change, in microseconds. */
  readonly timesUs: Float64Array;
  readonly origins: Uint16Array;
  /** The gesture that the last change belonged to, counted by its origin; 0 for none. */
  readonly gestures: Int32Array;
  readonly paths: (string | undefined)[] = [];
  readonly declarations: (Declaration | undefined)[] = [];
  /** Paths that were here. */
  readonly tombstones = new Tombstones();
  private readonly idsByPath = new Map<string, number>();
  private readonly idsByAlias = new Map<string, number>();

  constructor(capacity: number) {
    assert(capacity > PROVISIONAL_IDS, "the capacity holds more than the provisional ids");
    this.capacity = capacity;
    this.firstProvisional = capacity - PROVISIONAL_IDS;
    this.types = new Uint8Array(capacity);
    this.clips = new Uint8Array(capacity);
    this.components = new Uint8Array(capacity);
    this.minima = new Float64Array(capacity);
    this.maxima = new Float64Array(capacity);
    this.numbers = new Float64Array(capacity * LANES);
    this.terms = new Uint16Array(capacity);
    this.sequences = new Float64Array(capacity);
    this.timesUs = new Float64Array(capacity);
    this.origins = new Uint16Array(capacity);
    this.gestures = new Int32Array(capacity);
  }

  /** The id of a path, or -1. */
  idOf(path: string): number {
    return this.idsByPath.get(path) ?? -1;
  }

  /** The id of the path that has this OSC alias, or -1. */
  idOfAlias(alias: string): number {
    return this.idsByAlias.get(alias) ?? -1;
  }

  /** Whether an alias would lead elsewhere than to this path: another one has it, as its alias or its name. */
  isAliasTaken(path: string, alias: string): boolean {
    const holder = this.idsByPath.get(alias) ?? this.idsByAlias.get(alias);
    return alias !== "" && holder !== undefined && this.paths[holder] !== path;
  }

  /** Of two paths with one alias the first keeps it; a path that the controller has yet to accept gives way. */
  private keepAlias(id: number, alias: string): void {
    const holder = this.idsByAlias.get(alias);
    const isFree = holder === undefined || (this.isProvisional(holder) && !this.isProvisional(id));
    if (alias !== "" && isFree) this.idsByAlias.set(alias, id);
  }

  exists(id: number): boolean {
    return id >= 0 && id < this.capacity && this.types[id] !== 0;
  }

  pathOf(id: number): string {
    return this.paths[id] ?? "";
  }

  declarationOf(id: number): Declaration | undefined {
    return this.declarations[id];
  }

  typeOf(id: number): ValueType | 0 {
    return (id >= 0 && id < this.capacity ? this.types[id] : 0) as ValueType | 0;
  }

  /** Every id that exists, in the order of ids. */
  *ids(): Generator<number> {
    for (let id = 0; id < this.nextId; id++) if (this.types[id] !== 0) yield id;
    for (let id = this.firstProvisional; id < this.capacity; id++) if (this.types[id] !== 0) yield id;
  }

  isProvisional(id: number): boolean {
    return id >= this.firstProvisional;
  }

  /** A provisional id that is free, or -1. */
  freeProvisional(): number {
    for (let id = this.firstProvisional; id < this.capacity; id++) if (this.types[id] === 0) return id;
    return -1;
  }

  /** Puts a checked declaration at an id. Over an existing one it replaces the declaration and keeps what fits. */
  declare(id: number, path: string, declaration: Declaration): void {
    assert(id >= 0 && id < this.capacity, "an id lies below the capacity");
    if (this.types[id] !== 0) this.forget(id);
    const type = ValueType[declaration.type];
    this.types[id] = type;
    this.components[id] = componentOf(path);
    this.clips[id] = declaration.range === undefined ? ClipMode.none : ClipMode[declaration.clip];
    this.minima[id] = declaration.range?.min ?? 0;
    this.maxima[id] = declaration.range?.max ?? 0;
    this.paths[id] = path;
    this.declarations[id] = sharedDeclaration(declaration);
    this.idsByPath.set(path, id);
    this.keepAlias(id, declaration.oscAlias);
    this.setDefault(id);
    this.pathCount++;
    this.generation++;
    if (id >= this.nextId && id < this.firstProvisional) this.nextId = id + 1;
  }

  rename(id: number, path: string): void {
    this.idsByPath.delete(this.pathOf(id));
    this.idsByPath.set(path, id);
    this.paths[id] = path;
    this.components[id] = componentOf(path);
    this.generation++;
  }

  remove(id: number): void {
    this.forget(id);
    this.generation++;
  }

  /** Empties the tree, ids included: only before a whole snapshot takes its place. */
  clear(): void {
    for (const id of this.ids()) this.forget(id);
    this.tombstones.clear();
    this.nextId = 0;
    this.generation++;
  }

  private forget(id: number): void {
    const declaration = this.declarations[id];
    if (this.idsByPath.get(this.pathOf(id)) === id) this.idsByPath.delete(this.pathOf(id));
    if (declaration !== undefined && this.idsByAlias.get(declaration.oscAlias) === id) {
      this.idsByAlias.delete(declaration.oscAlias);
    }
    this.types[id] = 0;
    this.paths[id] = undefined;
    this.declarations[id] = undefined;
    this.texts[id] = undefined;
    this.sequences[id] = 0;
    this.terms[id] = 0;
    this.timesUs[id] = 0;
    this.origins[id] = 0;
    this.gestures[id] = 0;
    this.pathCount--;
  }

  private setDefault(id: number): void {
    const declaration = this.declarations[id] as Declaration;
    const at = id * LANES;
    for (let lane = 0; lane < LANES; lane++) this.numbers[at + lane] = 0;
    this.texts[id] = undefined;
    const value = declaration.default;
    if (isText(this.types[id] as ValueType)) this.texts[id] = value as string | Uint8Array;
    else if (declaration.type === "enum") this.numbers[at] = Math.max(0, declaration.values.indexOf(value as string));
    else if (typeof value === "number") this.numbers[at] = declaration.type === "float" ? Math.fround(value) : value;
    else if (typeof value === "boolean") this.numbers[at] = value ? 1 : 0;
    else if (Array.isArray(value)) {
      value.forEach((lane: number, index) => {
        this.numbers[at + index] = Math.fround(lane);
      });
    }
  }

  /** Whether what is in hand (coerced) differs from the confirmed value. */
  differs(id: number, staging: Staging): boolean {
    const type = this.types[id] as ValueType;
    if (isText(type)) return !sameText(this.texts[id], staging.text);
    return !sameLanes(this.numbers, id * LANES, staging.numbers, lanesOf(type));
  }

  /** Stores what is in hand (coerced) as the confirmed value. */
  store(id: number, staging: Staging): void {
    const type = this.types[id] as ValueType;
    if (isText(type)) {
      this.texts[id] = staging.text;
      return;
    }
    const { numbers } = this;
    const at = id * LANES;
    const lanes = lanesOf(type);
    numbers[at] = staging.numbers[0] as number;
    for (let lane = 1; lane < lanes; lane++) numbers[at + lane] = staging.numbers[lane] as number;
  }

  /** Puts the confirmed value in hand. */
  load(id: number, staging: Staging): void {
    const type = this.types[id] as ValueType;
    const text = this.texts[id];
    if (typeof text === "string") staging.string(text);
    else if (text !== undefined) staging.bytes(text);
    else {
      // `staging.number` would be handed a double, which may be allocated for it.
      staging.kind = StagedKind.numbers;
      staging.count = lanesOf(type);
      staging.text = undefined;
      for (let lane = 0; lane < LANES; lane++) staging.numbers[lane] = this.numbers[id * LANES + lane] as number;
    }
  }

  /** The confirmed value, as the rim shows it. */
  valueOf(id: number): Value {
    return valueOf(this.types[id] as ValueType, this.declarations[id], this.numbers, id * LANES, this.texts[id]);
  }
}

/** Numbers or a text as the rim shows them. */
export function valueOf(
  type: ValueType,
  declaration: Declaration | undefined,
  numbers: Float64Array,
  at: number,
  text: string | Uint8Array | undefined,
): Value {
  switch (type) {
    case ValueType.bool:
      return numbers[at] === 1;
    case ValueType.enum:
      return declaration?.values[numbers[at] as number] ?? "";
    case ValueType.string:
      return text ?? "";
    case ValueType.blob:
      return text ?? new Uint8Array(0);
    case ValueType.impulse:
      return null;
    case ValueType.float:
    case ValueType.double:
    case ValueType.int:
      return numbers[at] as number;
    default:
      return Array.from(numbers.subarray(at, at + lanesOf(type)));
  }
}

function sameLanes(left: Float64Array, at: number, right: Float64Array, lanes: number): boolean {
  if (left[at] !== right[0]) return false;
  for (let lane = 1; lane < lanes; lane++) if (left[at + lane] !== right[lane]) return false;
  return true;
}

export function sameText(left: string | Uint8Array | undefined, right: string | Uint8Array | undefined): boolean {
  if (left === right) return true;
  if (!(left instanceof Uint8Array) || !(right instanceof Uint8Array)) return false;
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}
