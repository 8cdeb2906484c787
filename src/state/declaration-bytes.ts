/**
 * Declaration bytes: a declaration as the wire, the ring and images carry it.
 *
 * A fixed layout and no general codec, because these bytes come from outside: whatever does not decode to a
 * declaration that `checkDeclaration`-ed code could have made is refused, never guessed.
 */
import { ByteReader, ByteWriter } from "../base/bytes.js";
import {
  ClipMode,
  type ClipModeName,
  type Declaration,
  Easing,
  type EasingName,
  isText,
  lanesOf,
  type Value,
  ValueType,
  type ValueTypeName,
} from "./declaration.js";
import { DeclarationPool, POOLED_MAX_BYTES } from "./declaration-pool.js";
import { validatePath } from "./path.js";

/** Longest encoded declaration in bytes; an enum of a thousand names fits. */
export const DECLARATION_LIMIT_BYTES = 32_768;
const TEXT_LIMIT = 4_096;
const NAMES_LIMIT = 1_024;

const FLAG_RANGE = 1;
const FLAG_PERSIST = 2;
const FLAG_UNDO = 4;
const FLAG_RECALL = 8;
const FLAG_CRITICAL = 16;

const typeNames = Object.keys(ValueType) as ValueTypeName[];
const clipNames = Object.keys(ClipMode) as ClipModeName[];
const easingNames = Object.keys(Easing) as EasingName[];
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const scratch = new Uint8Array(DECLARATION_LIMIT_BYTES);
/** Not the same: a declaration may be encoded while the view of a named one is in use. */
const namedScratch = new Uint8Array(DECLARATION_LIMIT_BYTES);
/** Holds nothing but what bytes mean, which is the same for every node of a process. */
const pool = new DeclarationPool();

/** The bytes of a declaration; undefined when they would be more than the limit. */
export function encodeDeclaration(declaration: Declaration): Uint8Array | undefined {
  const out = new ByteWriter(scratch);
  writeDeclaration(out, declaration);
  return out.overflow ? undefined : scratch.slice(0, out.offset);
}

/**
 * The one object that equal declarations are; frozen. A blob's is left as it is, since its default's bytes cannot be
 * frozen, and so is one that is too long to be shared or does not come back from its bytes.
 */
export function sharedDeclaration(declaration: Declaration): Declaration {
  if (declaration.type === "blob" || pool.bytesOf(declaration) !== undefined) return declaration;
  const bytes = encodeDeclaration(declaration);
  if (bytes === undefined || bytes.length > POOLED_MAX_BYTES) return declaration;
  const known = pool.find(bytes, 0, bytes.length);
  if (known !== undefined) return known;
  // What bytes from outside said in another way is kept as this node says it.
  const decoded = readFields(new ByteReader(bytes));
  if (decoded === undefined) return declaration;
  pool.add(decoded, bytes);
  return decoded;
}

/** Whether two declarations say the same. */
export function sameDeclaration(left: Declaration, right: Declaration | undefined): boolean {
  if (left === right) return true;
  const bytes = encodeDeclaration(left);
  const others = right === undefined ? undefined : encodeDeclaration(right);
  if (bytes === undefined || bytes.length !== others?.length) return false;
  return bytes.every((byte, index) => byte === others[index]);
}

export function writeDeclaration(out: ByteWriter, declaration: Declaration): void {
  const bytes = pool.bytesOf(declaration);
  if (bytes === undefined) writeFields(out, declaration);
  else out.bytes(bytes);
}

function writeFields(out: ByteWriter, declaration: Declaration): void {
  const type = ValueType[declaration.type];
  out.u8(type);
  out.u8(
    (declaration.range === undefined ? 0 : FLAG_RANGE) |
      (declaration.persist ? FLAG_PERSIST : 0) |
      (declaration.undo ? FLAG_UNDO : 0) |
      (declaration.recall ? FLAG_RECALL : 0) |
      (declaration.critical ? FLAG_CRITICAL : 0),
  );
  out.u8(ClipMode[declaration.clip]);
  out.u8(Easing[declaration.easing]);
  out.f32(declaration.smoothMs);
  if (declaration.range !== undefined) {
    out.f64(declaration.range.min);
    out.f64(declaration.range.max);
  }
  out.text(declaration.unit);
  out.text(declaration.description);
  out.text(declaration.group);
  out.text(declaration.oscAlias);
  out.varint(declaration.values.length);
  for (const name of declaration.values) out.text(name);
  writeDefault(out, type, declaration);
}

function writeDefault(out: ByteWriter, type: ValueType, declaration: Declaration): void {
  const value = declaration.default;
  if (type === ValueType.string) out.text(value as string);
  else if (type === ValueType.blob) out.blob(value as Uint8Array);
  else if (type === ValueType.enum) out.varint(Math.max(0, declaration.values.indexOf(value as string)));
  else if (typeof value === "number") out.f64(value);
  else if (typeof value === "boolean") out.f64(value ? 1 : 0);
  else if (Array.isArray(value)) for (const lane of value) out.f64(lane as number);
}

/** Undefined when the bytes are no declaration. */
export function decodeDeclaration(bytes: Uint8Array): Declaration | undefined {
  return readLast(new ByteReader(bytes));
}

/** A declaration that is all that is left. */
function readLast(input: ByteReader): Declaration | undefined {
  const known = pool.find(input.buffer, input.offset, input.end);
  if (known !== undefined) return known;
  const declaration = readFields(input);
  return declaration === undefined || input.remaining > 0 ? undefined : sharedDeclaration(declaration);
}

/** A declaration that more bytes follow. */
export function readDeclaration(input: ByteReader): Declaration | undefined {
  const declaration = readFields(input);
  return declaration === undefined ? undefined : sharedDeclaration(declaration);
}

function readFields(input: ByteReader): Declaration | undefined {
  const type = input.u8();
  const flags = input.u8();
  const clip = clipNames[input.u8()];
  const easing = easingNames[input.u8()];
  const smoothMs = input.f32();
  const name = typeNames.find((candidate) => ValueType[candidate] === type);
  if (name === undefined || clip === undefined || easing === undefined || !(smoothMs >= 0)) return undefined;
  const range = (flags & FLAG_RANGE) === 0 ? undefined : { min: input.f64(), max: input.f64() };
  if (range !== undefined && !(Number.isFinite(range.min) && Number.isFinite(range.max) && range.min <= range.max)) {
    return undefined;
  }
  const unit = readText(input);
  const description = readText(input);
  const group = readText(input);
  const oscAlias = readText(input);
  const values = readNames(input);
  const fallback = readDefault(input, type as ValueType, values);
  if (input.failed || fallback === undefined) return undefined;
  return {
    type: name,
    ...(range === undefined ? {} : { range }),
    clip,
    default: fallback,
    values,
    unit,
    description,
    group,
    smoothMs,
    easing,
    oscAlias,
    persist: (flags & FLAG_PERSIST) !== 0,
    undo: (flags & FLAG_UNDO) !== 0,
    recall: (flags & FLAG_RECALL) !== 0,
    critical: (flags & FLAG_CRITICAL) !== 0,
  };
}

function readNames(input: ByteReader): string[] {
  const count = input.varint();
  if (count > NAMES_LIMIT) input.failed = true;
  const names: string[] = [];
  for (let index = 0; index < count && !input.failed; index++) names.push(readText(input));
  return names;
}

function readDefault(input: ByteReader, type: ValueType, values: readonly string[]): Value | undefined {
  if (type === ValueType.impulse) return null;
  if (type === ValueType.enum) return values[input.varint()];
  if (type === ValueType.string) return readText(input);
  if (isText(type)) return input.blob(DECLARATION_LIMIT_BYTES);
  const lanes: number[] = [];
  for (let lane = 0; lane < lanesOf(type); lane++) lanes.push(input.f64());
  if (!lanes.every((lane) => fits(type, lane))) return undefined;
  if (lanes.length > 1) return lanes;
  return type === ValueType.bool ? lanes[0] === 1 : lanes[0];
}

/** Whether a type can hold a number as it is. */
function fits(type: ValueType, lane: number): boolean {
  if (type === ValueType.int) return (lane | 0) === lane;
  return Number.isFinite(type === ValueType.double ? lane : Math.fround(lane));
}

function readText(input: ByteReader): string {
  const bytes = input.blob(TEXT_LIMIT);
  try {
    return decoder.decode(bytes);
  } catch {
    input.failed = true;
    return "";
  }
}

/** The payload of a `declare` or `rename` event: the path, then the declaration if there is one. */
export function encodeNamed(path: string, declaration: Declaration | undefined): Uint8Array | undefined {
  return viewNamed(path, declaration)?.slice();
}

/** The same, valid until the next path is encoded. */
export function viewNamed(path: string, declaration: Declaration | undefined): Uint8Array | undefined {
  const out = new ByteWriter(namedScratch);
  out.text(path);
  if (declaration !== undefined) writeDeclaration(out, declaration);
  return out.overflow ? undefined : namedScratch.subarray(0, out.offset);
}

/** Undefined when the bytes hold no path, or something after it that is no declaration. */
export function decodeNamed(bytes: Uint8Array): { path: string; declaration: Declaration | undefined } | undefined {
  const input = new ByteReader(bytes);
  const path = readText(input);
  if (input.failed || validatePath(path) !== "") return undefined;
  if (input.remaining === 0) return { path, declaration: undefined };
  const declaration = readLast(input);
  return declaration === undefined ? undefined : { path, declaration };
}
