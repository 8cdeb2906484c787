/**
 * OSC encoder: one packet (a message, or bundles in bundles) into a buffer that is reused for the next.
 *
 * The caller names the type tags when a message begins and then adds exactly these arguments, in order: so the tags,
 * which stand before the arguments on the wire, are written at once and nothing is kept or moved. A tag string that is
 * a constant of the caller costs nothing. Never allocates, never throws for lack of room: it sets `overflow`, ignores
 * what follows, and `rewind` takes back what did not fit. A wrong order of calls is our own mistake and asserts.
 *
 * 32-bit words may be given signed or unsigned. On a hot path give them signed (`word | 0`): an argument of 2^31 and
 * above that does not get inlined is boxed, 16 bytes a call (measured).
 */
import { assert } from "../base/assert.js";
import { ByteWriter } from "../base/bytes.js";
import { OSC_BUNDLE_DEPTH_LIMIT, OscTag } from "./osc-packet.js";

const BUNDLE_NAME = Uint8Array.of(0x23, 0x62, 0x75, 0x6e, 0x64, 0x6c, 0x65, 0x00);
const COMMA = 0x2c;
const SIZE_BYTES = 4;
/** A mark is the offset with the bundle depth below it. */
const MARK_DEPTHS = 32;
assert(OSC_BUNDLE_DEPTH_LIMIT < MARK_DEPTHS, "a mark must hold every depth");
const NO_TAGS = -1;

export class OscWriter {
  readonly buffer: Uint8Array;
  private readonly out: ByteWriter;
  /** Where the size of each open bundle element stands, by depth. */
  private readonly sizeOffsets = new Int32Array(OSC_BUNDLE_DEPTH_LIMIT + 2);
  private depth = 0;
  private tags = "";
  private tagIndex = NO_TAGS;

  constructor(buffer: Uint8Array) {
    this.buffer = buffer;
    this.out = new ByteWriter(buffer);
  }

  /** Begins a new packet at the start of the buffer, of at most `limitBytes`. */
  reset(limitBytes = this.buffer.length): void {
    assert(limitBytes <= this.buffer.length, "the limit must lie in the buffer");
    this.out.reset(0, limitBytes);
    this.depth = 0;
    this.tagIndex = NO_TAGS;
  }

  /** Bytes written since `reset`. */
  get length(): number {
    return this.out.offset;
  }

  /** True once something did not fit; the packet is then worthless unless it is rewound. */
  get overflow(): boolean {
    return this.out.overflow;
  }

  /** A copy of the packet. Allocates; the hot path sends `buffer` up to `length`. */
  packet(): Uint8Array {
    return new Uint8Array(this.buffer.subarray(0, this.length));
  }

  /** A place to come back to, between messages. */
  mark(): number {
    assert(this.tagIndex === NO_TAGS, "no mark inside a message");
    return this.out.offset * MARK_DEPTHS + this.depth;
  }

  /** Forgets everything since `mark`, an overflow too. Bundles open then must not have been ended since. */
  rewind(mark: number): void {
    this.out.offset = Math.floor(mark / MARK_DEPTHS);
    this.out.overflow = false;
    this.depth = mark % MARK_DEPTHS;
    this.tagIndex = NO_TAGS;
  }

  /** Opens a bundle, in the packet or in the bundle that is open, to `OSC_BUNDLE_DEPTH_LIMIT` deep. */
  bundleBegin(timetagHigh: number, timetagLow: number): void {
    assert(this.depth < OSC_BUNDLE_DEPTH_LIMIT, "bundles must not be nested deeper than a decoder reads");
    this.openElement();
    this.depth++;
    this.out.bytes(BUNDLE_NAME);
    this.out.u32(timetagHigh);
    this.out.u32(timetagLow);
  }

  bundleEnd(): void {
    assert(this.depth > 0 && this.tagIndex === NO_TAGS, "a bundle must be open, and no message in it");
    this.depth--;
    this.closeElement();
  }

  /**
   * Begins a message. `address` is printable ASCII text, or the bytes `encodeOscAddress` made of it; `tags` are the
   * type tags without comma, `"ff"` for two floats.
   */
  begin(address: string | Uint8Array, tags: string): void {
    this.openElement();
    if (typeof address === "string") this.paddedText(address);
    else this.out.bytes(address);
    this.out.u8(COMMA);
    for (let at = 0; at < tags.length; at++) this.out.u8(tags.charCodeAt(at));
    this.zeros(4 - ((tags.length + 1) & 3));
    this.tags = tags;
    this.tagIndex = 0;
  }

  /** Ends the message; every tag must have got its argument. */
  end(): void {
    assert(this.tagIndex === this.tags.length, "a message must get exactly the arguments of its tags");
    this.tagIndex = NO_TAGS;
    this.closeElement();
  }

  int(value: number): void {
    this.take(OscTag.int);
    this.out.u32(value);
  }

  float(value: number): void {
    this.take(OscTag.float);
    this.out.f32(value);
  }

  double(value: number): void {
    this.take(OscTag.double);
    this.out.f64(value);
  }

  /** A 64-bit integer of two words, two's complement. */
  long(high: number, low: number): void {
    this.take(OscTag.long);
    this.out.u32(high);
    this.out.u32(low);
  }

  timetag(high: number, low: number): void {
    this.take(OscTag.timetag);
    this.out.u32(high);
    this.out.u32(low);
  }

  /** Text as UTF-8. OSC ends a string at its first zero, so what follows a NUL character is left out. */
  string(value: string): void {
    this.take(OscTag.string);
    this.paddedText(value);
  }

  /** As `string`. */
  symbol(value: string): void {
    this.take(OscTag.symbol);
    this.paddedText(value);
  }

  blob(source: Uint8Array, start = 0, end = source.length): void {
    this.take(OscTag.blob);
    const length = end - start;
    this.out.u32(length);
    this.out.bytes(source, start, end);
    this.zeros((4 - (length & 3)) & 3);
  }

  /** A character code; OSC means ASCII. */
  char(code: number): void {
    this.take(OscTag.char);
    this.out.u32(code);
  }

  /** A color, 0xrrggbbaa. */
  rgba(word: number): void {
    this.take(OscTag.rgba);
    this.out.u32(word);
  }

  /** A MIDI message: port, status, data, data from the highest byte down. */
  midi(word: number): void {
    this.take(OscTag.midi);
    this.out.u32(word);
  }

  true(): void {
    this.take(OscTag.true);
  }

  false(): void {
    this.take(OscTag.false);
  }

  nil(): void {
    this.take(OscTag.nil);
  }

  impulse(): void {
    this.take(OscTag.impulse);
  }

  arrayBegin(): void {
    this.take(OscTag.arrayBegin);
  }

  arrayEnd(): void {
    this.take(OscTag.arrayEnd);
  }

  private take(tag: OscTag): void {
    assert(this.tagIndex >= 0 && this.tags.charCodeAt(this.tagIndex) === tag, "the argument must be of the next tag");
    this.tagIndex++;
  }

  /** Leaves room for the size that every element of a bundle has before it. */
  private openElement(): void {
    assert(this.tagIndex === NO_TAGS, "a message must be ended first");
    assert(this.depth > 0 || this.out.offset === 0, "one packet at a time");
    this.sizeOffsets[this.depth] = this.out.offset;
    if (this.depth > 0) this.out.u32(0);
  }

  private closeElement(): void {
    if (this.depth === 0) return;
    const sizeOffset = this.sizeOffsets[this.depth];
    const end = this.out.offset;
    this.out.offset = sizeOffset;
    this.out.u32(end - sizeOffset - SIZE_BYTES);
    this.out.offset = end;
  }

  private paddedText(text: string): void {
    const { out } = this;
    const start = out.offset;
    let at = 0;
    while (at < text.length && !out.overflow) {
      const code = text.charCodeAt(at);
      if (code === 0) break;
      if (code < 0x80) out.u8(code);
      else at += this.codePoint(text, at, code);
      at++;
    }
    this.zeros(4 - ((out.offset - start) & 3));
  }

  /** Writes the character beyond ASCII at `at`; 1 when it took two UTF-16 units, else 0. A lone half is U+FFFD. */
  private codePoint(text: string, at: number, code: number): number {
    if (code < 0xd800 || code > 0xdfff) {
      this.utf8(code);
      return 0;
    }
    const next = at + 1 < text.length ? text.charCodeAt(at + 1) : 0;
    if (code > 0xdbff || next < 0xdc00 || next > 0xdfff) {
      this.utf8(0xfffd);
      return 0;
    }
    this.utf8(0x10000 + ((code & 0x3ff) << 10) + (next & 0x3ff));
    return 1;
  }

  /** Two to four bytes of UTF-8 (RFC 3629); `code` is beyond ASCII. */
  private utf8(code: number): void {
    const { out } = this;
    if (code < 0x800) out.u8(0xc0 | (code >>> 6));
    else {
      if (code < 0x10000) out.u8(0xe0 | (code >>> 12));
      else {
        out.u8(0xf0 | (code >>> 18));
        out.u8(0x80 | ((code >>> 12) & 0x3f));
      }
      out.u8(0x80 | ((code >>> 6) & 0x3f));
    }
    out.u8(0x80 | (code & 0x3f));
  }

  private zeros(count: number): void {
    for (let rest = count; rest > 0; rest--) this.out.u8(0);
  }
}

/** An address as it stands on the wire, padded, to be made once and given to `begin`. `address` is printable ASCII. */
export function encodeOscAddress(address: string): Uint8Array {
  assert(/^\/[ -~]*$/.test(address), "an address must be printable ASCII and begin with a slash");
  const bytes = new Uint8Array((address.length & ~3) + 4);
  for (let at = 0; at < address.length; at++) bytes[at] = address.charCodeAt(at);
  return bytes;
}
