/**
 * OSC values: the arguments of a message to a value in hand, and a value in hand to a message. Tolerant in, strict out.
 *
 * In: any number or truth value for any number, however it was typed, because senders differ (integer faders, double
 * clocks); `coerce` makes the declared type of it and refuses what cannot be. Out: exactly the type tags of the declared
 * type, because receivers differ too. Nothing here looks at the state's values or decides what may be written.
 */
import { type Declaration, ValueType, type ValueTypeName } from "../state/declaration.js";
import { Reject } from "../state/reject.js";
import { StagedKind, type Staging } from "../state/staging.js";
import { type OscPacket, OscTag } from "./osc-packet.js";
import type { OscWriter } from "./osc-writer.js";

/** What the arguments of a message mean to an impulse. */
export const Press = { refused: 0, fire: 1, release: 2 } as const;
export type Press = (typeof Press)[keyof typeof Press];

const INT_MIN = -0x8000_0000;
const INT_MAX = 0x7fff_ffff;
const UNICODE_MAX = 0x10_ffff;
/** The most components that a value has. */
const LANES = 4;

const IS_NUMERIC = tagTable(OscTag.int, OscTag.float, OscTag.long, OscTag.double, OscTag.true, OscTag.false);
const IS_TEXT = tagTable(OscTag.string, OscTag.symbol);

/** The type tags of each type on the way out; a bool's say its value, so they are `T` or `F`. */
const TAGS: readonly string[] = ["", "f", "d", "i", "T", "s", "s", "r", "ff", "fff", "ffff", "ffff", "I", "b"];

/**
 * Puts the arguments of a message in hand for a path of this type. An array around all of them is the same as none.
 * What is in hand afterwards is not coerced yet. Not for an impulse: see `pressOf`.
 */
export function stageArguments(packet: OscPacket, message: number, type: ValueType, staging: Staging): Reject {
  let first = packet.firstArguments[message];
  let count = packet.argumentCounts[message];
  if (isArray(packet, first, count)) {
    first++;
    count -= 2;
  }
  if (count === 0) return Reject.wrongCount;
  const tag = packet.tags[first];
  if (IS_NUMERIC[tag] === 1) return stageNumbers(packet, first, count, type, staging);
  if (count > 1) return Reject.wrongType;
  return stageOther(packet, first, tag, type, staging);
}

function isArray(packet: OscPacket, first: number, count: number): boolean {
  return count >= 2 && packet.tags[first] === OscTag.arrayBegin && packet.tags[first + count - 1] === OscTag.arrayEnd;
}

function stageNumbers(packet: OscPacket, first: number, count: number, type: ValueType, staging: Staging): Reject {
  const { tags, values } = packet;
  const { numbers } = staging;
  if (
    type === ValueType.int &&
    tags[first] === OscTag.long &&
    !(values[first] >= INT_MIN && values[first] <= INT_MAX)
  ) {
    return Reject.outOfRange;
  }
  for (let lane = 0; lane < count; lane++) {
    if (IS_NUMERIC[tags[first + lane]] === 0) return Reject.wrongType;
    if (lane < LANES) numbers[lane] = values[first + lane];
  }
  staging.kind = StagedKind.numbers;
  staging.count = count;
  staging.text = undefined;
  return Reject.none;
}

/** A text, a character, bytes or a color; whether the type takes texts or bytes is for `coerce` to say. */
function stageOther(packet: OscPacket, argument: number, tag: number, type: ValueType, staging: Staging): Reject {
  if (IS_TEXT[tag] === 1) {
    staging.string(packet.text(argument));
    return Reject.none;
  }
  if (tag === OscTag.blob) {
    staging.bytes(packet.blob(argument));
    return Reject.none;
  }
  if (tag === OscTag.char && packet.values[argument] <= UNICODE_MAX) {
    staging.string(String.fromCodePoint(packet.values[argument]));
    return Reject.none;
  }
  if (tag !== OscTag.rgba || type !== ValueType.color) return Reject.wrongType;
  const word = packet.values[argument] | 0;
  staging.kind = StagedKind.numbers;
  staging.count = LANES;
  staging.text = undefined;
  for (let lane = 0; lane < LANES; lane++) staging.numbers[lane] = ((word >>> (24 - 8 * lane)) & 0xff) / 255;
  return Reject.none;
}

/**
 * What a message means to an impulse: no argument, `I`, `T` and a number that is not zero fire it; `F`, `N` and zero
 * are the release of a button and do nothing.
 */
export function pressOf(packet: OscPacket, message: number): Press {
  const count = packet.argumentCounts[message];
  if (count === 0) return Press.fire;
  if (count > 1) return Press.refused;
  const argument = packet.firstArguments[message];
  const tag = packet.tags[argument];
  if (tag === OscTag.impulse) return Press.fire;
  if (tag === OscTag.nil) return Press.release;
  if (IS_NUMERIC[tag] === 0 || Number.isNaN(packet.values[argument])) return Press.refused;
  return packet.values[argument] === 0 ? Press.release : Press.fire;
}

/** What a message says of a button without a number: beyond every way that a control can go. */
export const WordWay = { down: 2, up: -2 } as const;

/**
 * How far a control went, 0..1 from `low` to `high`, by an argument of its message; -1 for an argument that is not there
 * or no number. `I` and no argument at all are a button that went down, `N` is one that went up: a `WordWay` each.
 */
export function wayOf(packet: OscPacket, message: number, argument: number, low: number, high: number): number {
  const count = packet.argumentCounts[message];
  if (count === 0 && argument === 0) return WordWay.down;
  if (argument >= count) return -1;
  const at = packet.firstArguments[message] + argument;
  const tag = packet.tags[at];
  if (tag === OscTag.impulse) return WordWay.down;
  if (tag === OscTag.nil) return WordWay.up;
  const value = IS_NUMERIC[tag] === 0 ? Number.NaN : packet.values[at];
  return Number.isNaN(value) ? -1 : Math.min(1, Math.max(0, (value - low) / (high - low)));
}

/** The number that an argument of a message is, as it was sent; NaN for one that is none. Truth is 1 and 0. */
export function numberOf(packet: OscPacket, message: number, argument: number): number {
  if (argument >= (packet.argumentCounts[message] as number)) return Number.NaN;
  const at = (packet.firstArguments[message] as number) + argument;
  const tag = packet.tags[at] as number;
  if (tag === OscTag.impulse) return 1;
  return IS_NUMERIC[tag] === 0 ? Number.NaN : (packet.values[at] as number);
}

/**
 * The type that the first message to an unknown address declares, or null when its arguments fit none. Numbers declare
 * float, whatever numeric type arrives, and only OSC's `d` a double: a fader that happens to send integers, or is at 1
 * just now, is a fader still.
 */
export function declaredTypeOf(packet: OscPacket, message: number): ValueTypeName | null {
  let first = packet.firstArguments[message];
  let count = packet.argumentCounts[message];
  if (isArray(packet, first, count)) {
    first++;
    count -= 2;
    if (count === 0) return null;
  }
  if (count === 0) return "impulse";
  return count === 1 ? scalarTypeOf(packet, first) : vectorTypeOf(packet, first, count);
}

function scalarTypeOf(packet: OscPacket, argument: number): ValueTypeName | null {
  switch (packet.tags[argument]) {
    case OscTag.int:
    case OscTag.long:
      return "float";
    case OscTag.float:
      return Number.isFinite(packet.values[argument]) ? "float" : null;
    case OscTag.double:
      return Number.isFinite(packet.values[argument]) ? "double" : null;
    case OscTag.true:
    case OscTag.false:
      return "bool";
    case OscTag.string:
    case OscTag.symbol:
    case OscTag.char:
      return "string";
    case OscTag.rgba:
      return "color";
    case OscTag.blob:
      return "blob";
    case OscTag.impulse:
      return "impulse";
    default:
      return null;
  }
}

function vectorTypeOf(packet: OscPacket, first: number, count: number): ValueTypeName | null {
  if (count > LANES) return null;
  for (let argument = first; argument < first + count; argument++) {
    const tag = packet.tags[argument];
    const isTruth = tag === OscTag.true || tag === OscTag.false;
    if (IS_NUMERIC[tag] === 0 || isTruth || !Number.isFinite(packet.values[argument])) return null;
  }
  return count === 2 ? "vec2" : count === 3 ? "vec3" : "vec4";
}

/**
 * Writes the message that carries a shown value. `address` is the path, or what `encodeOscAddress` made of it; what is in
 * hand has been coerced for this declaration (or comes from the state). Allocates nothing.
 */
export function writeValue(
  writer: OscWriter,
  address: string | Uint8Array,
  type: ValueType,
  declaration: Declaration | undefined,
  staging: Staging,
): void {
  const { numbers } = staging;
  switch (type) {
    case ValueType.bool:
      writer.begin(address, numbers[0] === 0 ? "F" : "T");
      if (numbers[0] === 0) writer.false();
      else writer.true();
      break;
    case ValueType.float:
      writer.begin(address, "f");
      writer.float(numbers[0]);
      break;
    case ValueType.double:
      writer.begin(address, "d");
      writer.double(numbers[0]);
      break;
    case ValueType.int:
      writer.begin(address, "i");
      writer.int(numbers[0] | 0);
      break;
    case ValueType.enum:
      writer.begin(address, "s");
      writer.string(declaration?.values[numbers[0]] ?? "");
      break;
    case ValueType.color:
      writer.begin(address, "r");
      writer.rgba(colorWord(numbers));
      break;
    case ValueType.impulse:
      writer.begin(address, "I");
      writer.impulse();
      break;
    case ValueType.string:
      writer.begin(address, "s");
      writer.string(typeof staging.text === "string" ? staging.text : "");
      break;
    case ValueType.blob:
      writer.begin(address, "b");
      writer.blob(staging.text instanceof Uint8Array ? staging.text : NO_BYTES);
      break;
    default:
      writeVector(writer, address, TAGS[type], numbers);
  }
  writer.end();
}

const NO_BYTES = new Uint8Array(0);

function writeVector(writer: OscWriter, address: string | Uint8Array, tags: string, numbers: Float64Array): void {
  writer.begin(address, tags);
  for (let lane = 0; lane < tags.length; lane++) writer.float(numbers[lane]);
}

/** Four components of 0..1 as 0xrrggbbaa, signed. */
function colorWord(numbers: Float64Array): number {
  let word = 0;
  for (let lane = 0; lane < LANES; lane++) word = (word << 8) | Math.round(numbers[lane] * 255);
  return word;
}

function tagTable(...tags: readonly OscTag[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const tag of tags) table[tag] = 1;
  return table;
}
