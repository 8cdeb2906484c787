/**
 * Coerce: what is in hand becomes exactly the declared type, or is refused with a reason.
 *
 * Any numeric type comes in, exactly the declared type goes out; NaN and infinities are refused; the clip happens
 * here, so it happens before change detection. Runs once per write and allocates nothing (texts aside, which are kept
 * as they came). It never looks at the value that the path holds now.
 */
import { ClipMode, ValueType } from "./declaration.js";
import { Reject } from "./reject.js";
import { StagedKind, type Staging } from "./staging.js";
import type { State } from "./state.js";

/** Longest string or blob in bytes: with its address it still fits one OSC datagram (65,507). */
export const TEXT_LIMIT_BYTES = 60_000;
const INT_MIN = -0x8000_0000;
const INT_MAX = 0x7fff_ffff;

export function coerce(state: State, id: number, staging: Staging): Reject {
  const type = state.types[id] as ValueType;
  switch (type) {
    case ValueType.float:
    case ValueType.double:
    case ValueType.int:
    case ValueType.bool:
      return coerceScalar(state, id, staging, type);
    case ValueType.enum:
      return coerceEnum(state, id, staging);
    case ValueType.vec2:
      return coerceVector(state, id, staging, 2);
    case ValueType.vec3:
      return coerceVector(state, id, staging, 3);
    case ValueType.vec4:
      return coerceVector(state, id, staging, 4);
    case ValueType.quaternion:
      return coerceQuaternion(state, id, staging);
    case ValueType.color:
      return coerceColor(staging);
    case ValueType.string:
      return coerceString(staging);
    case ValueType.blob:
      return coerceBlob(staging);
    default:
      return Reject.wrongType;
  }
}

function coerceScalar(state: State, id: number, staging: Staging, type: ValueType): Reject {
  if (staging.kind !== StagedKind.numbers) return Reject.wrongType;
  if (staging.count !== 1) return Reject.wrongCount;
  const { numbers } = staging;
  if (!isFiniteAt(numbers, 0)) return Reject.notANumber;
  if (type === ValueType.bool) {
    numbers[0] = Math.abs(numbers[0] as number) >= 0.5 ? 1 : 0;
    return Reject.none;
  }
  clipLane(state, id, numbers, 0);
  if (type === ValueType.float) {
    numbers[0] = Math.fround(numbers[0] as number);
    return isFiniteAt(numbers, 0) ? Reject.none : Reject.outOfRange;
  }
  if (type === ValueType.int) {
    const rounded = Math.round(numbers[0] as number);
    if (rounded < INT_MIN || rounded > INT_MAX) return Reject.outOfRange;
    // `+ 0` turns -0, which Math.round gives for -0.4, into 0.
    numbers[0] = rounded + 0;
  }
  return Reject.none;
}

/** `Number.isFinite` is handed the double as an object of 16 bytes (Node 20, measured). */
function isFiniteAt(numbers: Float64Array, lane: number): boolean {
  const value = numbers[lane] as number;
  return value - value === 0;
}

function clipLane(state: State, id: number, numbers: Float64Array, lane: number): void {
  const clip = state.clips[id] as number;
  if (clip === ClipMode.none) return;
  const value = numbers[lane] as number;
  if ((clip & ClipMode.low) !== 0 && value < (state.minima[id] as number)) numbers[lane] = state.minima[id] as number;
  if ((clip & ClipMode.high) !== 0 && value > (state.maxima[id] as number)) numbers[lane] = state.maxima[id] as number;
}

function coerceVector(state: State, id: number, staging: Staging, count: number): Reject {
  if (staging.kind !== StagedKind.numbers) return Reject.wrongType;
  if (staging.count !== count) return Reject.wrongCount;
  const { numbers } = staging;
  for (let lane = 0; lane < count; lane++) {
    if (!isFiniteAt(numbers, lane)) return Reject.notANumber;
    clipLane(state, id, numbers, lane);
    numbers[lane] = Math.fround(numbers[lane] as number);
    if (!isFiniteAt(numbers, lane)) return Reject.outOfRange;
  }
  return Reject.none;
}

/** A quaternion of length zero is no rotation; others are kept as they came, so that what is read is what was set. */
function coerceQuaternion(state: State, id: number, staging: Staging): Reject {
  const reject = coerceVector(state, id, staging, 4);
  if (reject !== Reject.none) return reject;
  const { numbers } = staging;
  const isZero = numbers[0] === 0 && numbers[1] === 0 && numbers[2] === 0 && numbers[3] === 0;
  return isZero ? Reject.outOfRange : Reject.none;
}

/** Three or four numbers, each 0..1, or `#rrggbb`, `#rrggbbaa`. Without alpha it is opaque. */
function coerceColor(staging: Staging): Reject {
  if (staging.kind === StagedKind.text) return coerceHexColor(staging);
  if (staging.kind !== StagedKind.numbers) return Reject.wrongType;
  if (staging.count !== 3 && staging.count !== 4) return Reject.wrongCount;
  const { numbers } = staging;
  if (staging.count === 3) numbers[3] = 1;
  for (let lane = 0; lane < 4; lane++) {
    if (!isFiniteAt(numbers, lane)) return Reject.notANumber;
    const value = numbers[lane] as number;
    numbers[lane] = Math.fround(value < 0 ? 0 : value > 1 ? 1 : value);
  }
  staging.count = 4;
  return Reject.none;
}

const HEX_COLOR = /^#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?$/;

function coerceHexColor(staging: Staging): Reject {
  const text = staging.text as string;
  if (!HEX_COLOR.test(text)) return Reject.wrongType;
  const { numbers } = staging;
  for (let lane = 0; lane < 4; lane++) {
    const digits = text.slice(1 + 2 * lane, 3 + 2 * lane);
    numbers[lane] = digits === "" ? 1 : Math.fround(Number.parseInt(digits, 16) / 255);
  }
  staging.kind = StagedKind.numbers;
  staging.count = 4;
  staging.text = undefined;
  return Reject.none;
}

/** An enum is set by name or by index; inside it is its index. */
function coerceEnum(state: State, id: number, staging: Staging): Reject {
  const names = state.declarations[id]?.values ?? [];
  if (staging.kind === StagedKind.text) {
    const index = names.indexOf(staging.text as string);
    if (index < 0) return Reject.unknownName;
    staging.number(index);
    return Reject.none;
  }
  if (staging.kind !== StagedKind.numbers) return Reject.wrongType;
  if (staging.count !== 1) return Reject.wrongCount;
  const value = staging.numbers[0] as number;
  if (!Number.isFinite(value)) return Reject.notANumber;
  const index = Math.round(value) + 0;
  if (index < 0 || index >= names.length) return Reject.unknownName;
  staging.numbers[0] = index;
  return Reject.none;
}

/** Half of a surrogate pair: no UTF-8 can carry it, so other nodes could never hold the same. */
const LONE_SURROGATE = /\p{Surrogate}/u;
const LONE_SURROGATES = /\p{Surrogate}/gu;

function coerceString(staging: Staging): Reject {
  if (staging.kind !== StagedKind.text) return Reject.wrongType;
  let text = staging.text as string;
  if (LONE_SURROGATE.test(text)) {
    text = text.replace(LONE_SURROGATES, "\ufffd");
    staging.text = text;
  }
  // A UTF-16 unit is at most three bytes of UTF-8, so most texts need no count.
  if (text.length * 3 <= TEXT_LIMIT_BYTES) return Reject.none;
  return utf8Bytes(text) <= TEXT_LIMIT_BYTES ? Reject.none : Reject.tooLong;
}

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00 && index + 1 < text.length) {
      bytes += 4;
      index++;
    } else bytes += 3;
  }
  return bytes;
}

function coerceBlob(staging: Staging): Reject {
  if (staging.kind !== StagedKind.bytes) return Reject.wrongType;
  return (staging.text as Uint8Array).length <= TEXT_LIMIT_BYTES ? Reject.none : Reject.tooLong;
}
