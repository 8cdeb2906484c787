/**
 * OSC decoder: one packet (a message, or bundles in bundles) into flat tables that are reused for the next.
 *
 * The whole packet is validated before anything of it can be read, so a malformed one has no effect at all and a
 * bundle can be applied as one. Never throws on bytes from outside, never allocates in `parse`, never reads outside
 * the bounds it was given (another OSC library returned a neighbour's memory for a blob that lied about its length).
 *
 * Accepts every type of OSC 1.0 and 1.1: i f s b h t d S c r m T F N I [ ]. A message without type tags (old senders)
 * is accepted when nothing follows its address and refused when something does, as osc-min does: bytes without tags
 * have no type, and a guess would move a value. Everything else is as strict as liblo: zero padding, no bytes left over.
 */
import { assert } from "../base/assert.js";
import { OscReject } from "./osc-reject.js";
import { OSC_IMMEDIATE_HIGH, OSC_IMMEDIATE_LOW } from "./osc-timetag.js";

/** The longest packet: above any UDP payload (65,507), and the bound of a TCP frame. */
export const OSC_PACKET_LIMIT_BYTES = 65_536;
/** Messages in one packet, all bundles counted. */
export const OSC_MESSAGE_LIMIT = 4_096;
/**
 * Arguments in one packet, brackets counted. An argument with data costs at least five bytes, so this refuses only
 * packets of tags without data.
 */
export const OSC_ARGUMENT_LIMIT = 16_384;
/** Bundles inside each other, the outermost counted. */
export const OSC_BUNDLE_DEPTH_LIMIT = 16;
/** Arrays inside each other. */
export const OSC_ARRAY_DEPTH_LIMIT = 8;
/** The bundle of a message that is in none, and the parent of an outermost bundle. */
export const OSC_NO_BUNDLE = -1;

/** `#bundle`, its zero and the time tag. */
const BUNDLE_HEADER_BYTES = 16;
const SIZE_BYTES = 4;
/** One bundle takes its header, and all but the first a size: a packet cannot hold more than this. */
const BUNDLE_LIMIT = Math.ceil(OSC_PACKET_LIMIT_BYTES / (BUNDLE_HEADER_BYTES + SIZE_BYTES)) + 1;
assert(OSC_ARGUMENT_LIMIT * 5 >= OSC_PACKET_LIMIT_BYTES, "every argument with data must fit the tables");

/** Type tags as they stand in `tags`. */
export const OscTag = {
  int: 0x69,
  float: 0x66,
  string: 0x73,
  blob: 0x62,
  long: 0x68,
  timetag: 0x74,
  double: 0x64,
  symbol: 0x53,
  char: 0x63,
  rgba: 0x72,
  midi: 0x6d,
  true: 0x54,
  false: 0x46,
  nil: 0x4e,
  impulse: 0x49,
  arrayBegin: 0x5b,
  arrayEnd: 0x5d,
} as const;
export type OscTag = (typeof OscTag)[keyof typeof OscTag];

/** Bytes of an argument by tag; negative for what has no fixed size. */
const Size = { text: -1, blob: -2, arrayBegin: -3, arrayEnd: -4, unknown: -5 } as const;
const SIZE_BY_TAG = sizeTable();

/** What a byte does in an address. */
const CHARACTER_BAD = 1;
const CHARACTER_PATTERN = 2;
const CHARACTER_KINDS = characterTable();

const SLASH = 0x2f;
const COMMA = 0x2c;
const BUNDLE_NAME = [0x23, 0x62, 0x75, 0x6e, 0x64, 0x6c, 0x65, 0x00] as const;
const TWO_32 = 0x1_0000_0000;

const float32Scratch = new Float32Array(1);
const float32Bits = new Int32Array(float32Scratch.buffer);
const float64Scratch = new Float64Array(1);
const float64Words = new Int32Array(float64Scratch.buffer);
const lowWord = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;
const highWord = 1 - lowWord;

const textDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
const NO_BYTES = new Uint8Array(0);

/**
 * The packet in hand. Tables are indexed by message, bundle or argument and hold what they held before above their
 * counts; offsets are into `bytes`, which is the caller's buffer and is read again by `text`, `blob` and `addressText`.
 */
export class OscPacket {
  bytes: Uint8Array = NO_BYTES;

  /** 0 after a reject. */
  messageCount = 0;
  /** Where the address begins, and its length without terminator. Printable ASCII, begins with `/`. */
  readonly addressOffsets = new Int32Array(OSC_MESSAGE_LIMIT);
  readonly addressLengths = new Int32Array(OSC_MESSAGE_LIMIT);
  /** 1 when the address holds one of ? * [ ] { } or `//`, so it is a pattern (or a malformed one) and not a path. */
  readonly addressPatterns = new Uint8Array(OSC_MESSAGE_LIMIT);
  /** A message's arguments are `firstArguments[m]` up to, without, `firstArguments[m] + argumentCounts[m]`. */
  readonly firstArguments = new Int32Array(OSC_MESSAGE_LIMIT);
  readonly argumentCounts = new Int32Array(OSC_MESSAGE_LIMIT);
  /** The time tag of the innermost bundle; 0,1 (immediately) outside bundles. */
  readonly timetagHighs = new Uint32Array(OSC_MESSAGE_LIMIT);
  readonly timetagLows = new Uint32Array(OSC_MESSAGE_LIMIT);
  /** The innermost bundle, or `OSC_NO_BUNDLE`. A packet has one outermost bundle, number 0: the atomic unit. */
  readonly bundles = new Int32Array(OSC_MESSAGE_LIMIT);

  bundleCount = 0;
  readonly bundleParents = new Int32Array(BUNDLE_LIMIT);
  readonly bundleTimetagHighs = new Uint32Array(BUNDLE_LIMIT);
  readonly bundleTimetagLows = new Uint32Array(BUNDLE_LIMIT);
  private readonly bundleEnds = new Int32Array(BUNDLE_LIMIT);
  private readonly bundleDepths = new Uint8Array(BUNDLE_LIMIT);

  argumentCount = 0;
  /** One of `OscTag`. Brackets are arguments too. */
  readonly tags = new Uint8Array(OSC_ARGUMENT_LIMIT);
  /**
   * The number: i f d as they are; h rounded to a double (see `isExactLong`); t as NTP seconds, rounded to 0.5 us;
   * c, r (0xrrggbbaa) and m (port, status, data, data) as unsigned 32 bits; T and I 1; 0 for all others.
   */
  readonly values = new Float64Array(OSC_ARGUMENT_LIMIT);
  /** The two words of h and t as they came; meaningless for other tags. */
  readonly highs = new Uint32Array(OSC_ARGUMENT_LIMIT);
  readonly lows = new Uint32Array(OSC_ARGUMENT_LIMIT);
  /** Where an argument's content begins and how long it is: without terminator for s and S, without size for b. */
  readonly offsets = new Int32Array(OSC_ARGUMENT_LIMIT);
  readonly lengths = new Int32Array(OSC_ARGUMENT_LIMIT);

  /**
   * Decodes `bytes` from `start` to, without, `end`. On anything but `OscReject.none` there is no message to read.
   * Linear in the length: the worst 65,504 bytes take 0.3 ms, and some 5 ms the first time, before it is compiled.
   */
  parse(bytes: Uint8Array, start: number, end: number): OscReject {
    assert(start >= 0 && start <= end && end <= bytes.length, "the packet must lie in its buffer");
    this.bytes = bytes;
    this.messageCount = 0;
    this.bundleCount = 0;
    this.argumentCount = 0;
    const reject = this.parsePacket(start, end);
    if (reject !== OscReject.none) this.messageCount = 0;
    return reject;
  }

  private parsePacket(start: number, end: number): OscReject {
    const length = end - start;
    if (length === 0) return OscReject.notAPacket;
    if (length > OSC_PACKET_LIMIT_BYTES) return OscReject.tooLong;
    if (this.bytes[start] === SLASH) {
      if ((length & 3) !== 0) return OscReject.misaligned;
      return this.parseMessage(start, end, OSC_NO_BUNDLE);
    }
    if (!this.isBundle(start, end)) return OscReject.notAPacket;
    if ((length & 3) !== 0) return OscReject.misaligned;
    return this.parseBundles(start, end);
  }

  /** Walks all bundles without recursion; a bundle's own end says when to go on with its parent. */
  private parseBundles(start: number, end: number): OscReject {
    let reject = this.openBundle(start, end, OSC_NO_BUNDLE);
    let position = start + BUNDLE_HEADER_BYTES;
    let bundle = 0;
    while (reject === OscReject.none) {
      const bundleEnd = this.bundleEnds[bundle];
      if (position === bundleEnd) {
        bundle = this.bundleParents[bundle];
        if (bundle === OSC_NO_BUNDLE) return OscReject.none;
        continue;
      }
      const elementStart = position + SIZE_BYTES;
      const elementEnd = this.elementEnd(position, bundleEnd);
      if (elementEnd < 0) return OscReject.badBundle;
      if (this.bytes[elementStart] === SLASH) {
        reject = this.parseMessage(elementStart, elementEnd, bundle);
        position = elementEnd;
      } else {
        reject = this.openBundle(elementStart, elementEnd, bundle);
        bundle = this.bundleCount - 1;
        position = elementStart + BUNDLE_HEADER_BYTES;
      }
    }
    return reject;
  }

  /** The end of the element whose size stands at `position`, or -1 when that size cannot be right. */
  private elementEnd(position: number, bundleEnd: number): number {
    const sizeBytes = this.word(position);
    const elementStart = position + SIZE_BYTES;
    if (sizeBytes <= 0 || (sizeBytes & 3) !== 0 || sizeBytes > bundleEnd - elementStart) return -1;
    return elementStart + sizeBytes;
  }

  private openBundle(start: number, end: number, parent: number): OscReject {
    if (!this.isBundle(start, end) || end - start < BUNDLE_HEADER_BYTES) return OscReject.badBundle;
    const depth = parent === OSC_NO_BUNDLE ? 1 : this.bundleDepths[parent] + 1;
    if (depth > OSC_BUNDLE_DEPTH_LIMIT) return OscReject.tooDeep;
    const bundle = this.bundleCount++;
    this.bundleParents[bundle] = parent;
    this.bundleDepths[bundle] = depth;
    this.bundleEnds[bundle] = end;
    this.bundleTimetagHighs[bundle] = this.word(start + BUNDLE_NAME.length);
    this.bundleTimetagLows[bundle] = this.word(start + BUNDLE_NAME.length + 4);
    return OscReject.none;
  }

  private isBundle(start: number, end: number): boolean {
    if (end - start < BUNDLE_NAME.length) return false;
    for (let at = 0; at < BUNDLE_NAME.length; at++) {
      if (this.bytes[start + at] !== BUNDLE_NAME[at]) return false;
    }
    return true;
  }

  private parseMessage(start: number, end: number, bundle: number): OscReject {
    if (this.messageCount === OSC_MESSAGE_LIMIT) return OscReject.tooManyMessages;
    const message = this.messageCount++;
    const tagsOffset = this.parseAddress(message, start, end);
    if (tagsOffset < 0) return -tagsOffset as OscReject;
    const firstArgument = this.argumentCount;
    const reject = tagsOffset === end ? OscReject.none : this.parseTags(tagsOffset, end);
    this.firstArguments[message] = firstArgument;
    this.argumentCounts[message] = this.argumentCount - firstArgument;
    this.bundles[message] = bundle;
    this.stampMessage(message, bundle);
    return reject;
  }

  /** Two branches instead of two choices: a chosen value of 2^31 and above is boxed, 16 bytes a bundle (measured). */
  private stampMessage(message: number, bundle: number): void {
    if (bundle === OSC_NO_BUNDLE) {
      this.timetagHighs[message] = OSC_IMMEDIATE_HIGH;
      this.timetagLows[message] = OSC_IMMEDIATE_LOW;
    } else {
      this.timetagHighs[message] = this.bundleTimetagHighs[bundle];
      this.timetagLows[message] = this.bundleTimetagLows[bundle];
    }
  }

  /** Where the type tags begin, or a negated reject code. */
  private parseAddress(message: number, start: number, end: number): number {
    const { bytes } = this;
    let kinds = 0;
    let previous = 0;
    let position = start;
    while (position < end) {
      const byte = bytes[position];
      if (byte === 0) break;
      kinds |= CHARACTER_KINDS[byte];
      if (byte === SLASH && previous === SLASH) kinds |= CHARACTER_PATTERN;
      previous = byte;
      position++;
    }
    if ((kinds & CHARACTER_BAD) !== 0) return -OscReject.badAddress;
    this.addressOffsets[message] = start;
    this.addressLengths[message] = position - start;
    this.addressPatterns[message] = kinds >>> 1;
    return this.skipTerminator(position, start, end);
  }

  private parseTags(start: number, end: number): OscReject {
    const { bytes } = this;
    if (bytes[start] !== COMMA) return OscReject.badTypeTag;
    let tagsEnd = start + 1;
    while (tagsEnd < end && bytes[tagsEnd] !== 0) tagsEnd++;
    const position = this.skipTerminator(tagsEnd, start, end);
    if (position < 0) return -position as OscReject;
    if (tagsEnd - start - 1 > OSC_ARGUMENT_LIMIT - this.argumentCount) return OscReject.tooManyArguments;
    return this.parseArguments(start + 1, tagsEnd, position, end);
  }

  private parseArguments(tagsStart: number, tagsEnd: number, start: number, end: number): OscReject {
    const { bytes } = this;
    let position = start;
    let arrayDepth = 0;
    for (let at = tagsStart; at < tagsEnd; at++) {
      const tag = bytes[at];
      const size = SIZE_BY_TAG[tag];
      const argument = this.argumentCount++;
      this.tags[argument] = tag;
      this.offsets[argument] = position;
      if (size >= 0) {
        if (size > end - position) return OscReject.truncated;
        this.readFixed(argument, tag, position);
        this.lengths[argument] = size;
        position += size;
      } else {
        this.values[argument] = 0;
        this.lengths[argument] = 0;
        if (size === Size.arrayBegin) arrayDepth++;
        else if (size === Size.arrayEnd) arrayDepth--;
        else if (size === Size.text) position = this.readText(argument, position, end);
        else if (size === Size.blob) position = this.readBlob(argument, position, end);
        else return OscReject.badTypeTag;
        if (position < 0) return -position as OscReject;
        if (arrayDepth < 0) return OscReject.badTypeTag;
        if (arrayDepth > OSC_ARRAY_DEPTH_LIMIT) return OscReject.tooDeep;
      }
    }
    if (arrayDepth !== 0) return OscReject.badTypeTag;
    return position === end ? OscReject.none : OscReject.trailingBytes;
  }

  /** The number of an argument of fixed size; its bytes are known to be there. */
  private readFixed(argument: number, tag: number, position: number): void {
    switch (tag) {
      case OscTag.float:
        float32Bits[0] = this.word(position);
        this.values[argument] = float32Scratch[0];
        return;
      case OscTag.int:
        this.values[argument] = this.word(position);
        return;
      case OscTag.double:
        float64Words[highWord] = this.word(position);
        float64Words[lowWord] = this.word(position + 4);
        this.values[argument] = float64Scratch[0];
        return;
      case OscTag.long:
      case OscTag.timetag:
        this.readWords(argument, tag, position);
        return;
      case OscTag.char:
      case OscTag.rgba:
      case OscTag.midi:
        this.values[argument] = this.word(position) >>> 0;
        return;
      default:
        this.values[argument] = tag === OscTag.true || tag === OscTag.impulse ? 1 : 0;
    }
  }

  private readWords(argument: number, tag: number, position: number): void {
    const high = this.word(position);
    const low = this.word(position + 4) >>> 0;
    this.highs[argument] = high;
    this.lows[argument] = low;
    if (tag === OscTag.long) this.values[argument] = high * TWO_32 + low;
    else this.values[argument] = (high >>> 0) + low / TWO_32;
  }

  /** Where the next argument begins, or a negated reject code. */
  private readText(argument: number, start: number, end: number): number {
    const { bytes } = this;
    let position = start;
    while (position < end && bytes[position] !== 0) position++;
    this.lengths[argument] = position - start;
    return this.skipTerminator(position, start, end);
  }

  /** Where the next argument begins, or a negated reject code. */
  private readBlob(argument: number, start: number, end: number): number {
    if (end - start < SIZE_BYTES) return -OscReject.truncated;
    const length = this.word(start);
    const contentStart = start + SIZE_BYTES;
    if (length < 0) return -OscReject.truncated;
    this.offsets[argument] = contentStart;
    this.lengths[argument] = length;
    return this.skipZeros(contentStart + length, (4 - (length & 3)) & 3, end);
  }

  /** Past the one to four zeros that end the string which began at `start`; a negated reject code if they are not. */
  private skipTerminator(position: number, start: number, end: number): number {
    return this.skipZeros(position, 4 - ((position - start) & 3), end);
  }

  private skipZeros(position: number, count: number, end: number): number {
    const next = position + count;
    if (next > end) return -OscReject.truncated;
    for (let at = position; at < next; at++) {
      if (this.bytes[at] !== 0) return -OscReject.badPadding;
    }
    return next;
  }

  /** Four bytes, big-endian, signed. */
  private word(position: number): number {
    const { bytes } = this;
    return (bytes[position] << 24) | (bytes[position + 1] << 16) | (bytes[position + 2] << 8) | bytes[position + 3];
  }

  /** The address of a message. Allocates. */
  addressText(message: number): string {
    assert(message >= 0 && message < this.messageCount, "the message must exist");
    return this.decode(this.addressOffsets[message], this.addressLengths[message]);
  }

  /** The text of an s or S, read as UTF-8; bytes that are not become U+FFFD. Allocates. */
  text(argument: number): string {
    assert(argument >= 0 && argument < this.argumentCount, "the argument must exist");
    const tag = this.tags[argument];
    assert(tag === OscTag.string || tag === OscTag.symbol, "the argument must be a string");
    return this.decode(this.offsets[argument], this.lengths[argument]);
  }

  /** A copy of the bytes of a b. */
  blob(argument: number): Uint8Array {
    assert(argument >= 0 && argument < this.argumentCount, "the argument must exist");
    assert(this.tags[argument] === OscTag.blob, "the argument must be a blob");
    const start = this.offsets[argument];
    return new Uint8Array(this.bytes.subarray(start, start + this.lengths[argument]));
  }

  /** Whether `values` holds an h exactly: it is an integer within 2^53. */
  isExactLong(argument: number): boolean {
    return Number.isSafeInteger(this.values[argument]);
  }

  private decode(offset: number, length: number): string {
    return textDecoder.decode(this.bytes.subarray(offset, offset + length));
  }
}

function sizeTable(): Int8Array {
  const table = new Int8Array(256).fill(Size.unknown);
  for (const tag of [OscTag.true, OscTag.false, OscTag.nil, OscTag.impulse]) table[tag] = 0;
  for (const tag of [OscTag.int, OscTag.float, OscTag.char, OscTag.rgba, OscTag.midi]) table[tag] = 4;
  for (const tag of [OscTag.long, OscTag.timetag, OscTag.double]) table[tag] = 8;
  for (const tag of [OscTag.string, OscTag.symbol]) table[tag] = Size.text;
  table[OscTag.blob] = Size.blob;
  table[OscTag.arrayBegin] = Size.arrayBegin;
  table[OscTag.arrayEnd] = Size.arrayEnd;
  return table;
}

function characterTable(): Uint8Array {
  const table = new Uint8Array(256).fill(CHARACTER_BAD);
  table.fill(0, 0x20, 0x7f);
  for (const character of "?*[]{}") table[character.charCodeAt(0)] = CHARACTER_PATTERN;
  return table;
}
