/**
 * Bytes: a writer and a reader over one preallocated buffer, big-endian, with LEB128 varints.
 *
 * Hot files read and write through these, so they allocate nothing and never throw. A writer that runs out of room
 * sets `overflow` and ignores what follows; a reader that runs past its end sets `failed` and yields zeros. The
 * caller checks once, at the end, instead of at every field.
 */
const float32Scratch = new Float32Array(1);
const float64Scratch = new Float64Array(1);
const float32Bits = new Int32Array(float32Scratch.buffer);
const float32Bytes = new Uint8Array(float32Scratch.buffer);
const float64Bytes = new Uint8Array(float64Scratch.buffer);
const uint32Scratch = new Uint32Array(float64Scratch.buffer);

/** The host's byte order decides which scratch byte is first; the wire is big-endian whatever the host is. */
const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const float32Order = hostIsLittleEndian ? [3, 2, 1, 0] : [0, 1, 2, 3];
const float64Order = hostIsLittleEndian ? [7, 6, 5, 4, 3, 2, 1, 0] : [0, 1, 2, 3, 4, 5, 6, 7];
const [f0, f1, f2, f3] = float32Order as [number, number, number, number];
const [d0, d1, d2, d3, d4, d5, d6, d7] = float64Order as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];
const lowWord = hostIsLittleEndian ? 0 : 1;
const highWord = 1 - lowWord;

const encoder = new TextEncoder();
const LOOP_MAX_BYTES = 2_048;
const TWO_32 = 0x1_0000_0000;
/** The longest varint read or written: 8 bytes hold 56 bits, more than the 53 that a number holds exactly. */
const VARINT_MAX_BYTES = 8;

export class ByteWriter {
  buffer: Uint8Array;
  offset = 0;
  limit: number;
  overflow = false;

  constructor(buffer: Uint8Array, offset = 0, limit = buffer.length) {
    this.buffer = buffer;
    this.offset = offset;
    this.limit = limit;
  }

  reset(offset: number, limit: number): void {
    this.offset = offset;
    this.limit = limit;
    this.overflow = false;
  }

  private room(count: number): boolean {
    if (this.offset + count <= this.limit) return true;
    this.overflow = true;
    return false;
  }

  u8(value: number): void {
    if (this.room(1)) this.buffer[this.offset++] = value;
  }

  u16(value: number): void {
    if (!this.room(2)) return;
    this.buffer[this.offset++] = value >>> 8;
    this.buffer[this.offset++] = value;
  }

  u32(value: number): void {
    if (!this.room(4)) return;
    const { buffer } = this;
    buffer[this.offset++] = value >>> 24;
    buffer[this.offset++] = value >>> 16;
    buffer[this.offset++] = value >>> 8;
    buffer[this.offset++] = value;
  }

  /** An unsigned integer below 2^48. */
  u48(value: number): void {
    this.u16(Math.floor(value / TWO_32));
    this.u32(value >>> 0);
  }

  /** An unsigned integer below 2^53, as seven bytes. */
  u56(value: number): void {
    const high = Math.floor(value / TWO_32);
    this.u8(high >>> 16);
    this.u16(high & 0xffff);
    this.u32(value >>> 0);
  }

  f32(value: number): void {
    float32Scratch[0] = value;
    this.f32Bytes();
  }

  /** A number out of an array: one that is handed over may be allocated for it. */
  f32At(values: Float64Array, index: number): void {
    float32Scratch[0] = values[index] as number;
    this.f32Bytes();
  }

  private f32Bytes(): void {
    if (!this.room(4)) return;
    const { buffer } = this;
    buffer[this.offset++] = float32Bytes[f0] as number;
    buffer[this.offset++] = float32Bytes[f1] as number;
    buffer[this.offset++] = float32Bytes[f2] as number;
    buffer[this.offset++] = float32Bytes[f3] as number;
  }

  f64(value: number): void {
    if (!this.room(8)) return;
    float64Scratch[0] = value;
    const { buffer } = this;
    buffer[this.offset++] = float64Bytes[d0] as number;
    buffer[this.offset++] = float64Bytes[d1] as number;
    buffer[this.offset++] = float64Bytes[d2] as number;
    buffer[this.offset++] = float64Bytes[d3] as number;
    buffer[this.offset++] = float64Bytes[d4] as number;
    buffer[this.offset++] = float64Bytes[d5] as number;
    buffer[this.offset++] = float64Bytes[d6] as number;
    buffer[this.offset++] = float64Bytes[d7] as number;
  }

  /** An unsigned integer below 2^53, seven bits a byte, lowest first (LEB128). */
  varint(value: number): void {
    let rest = value;
    while (rest >= TWO_32 / 2) {
      this.u8((rest % 128) | 0x80);
      rest = Math.floor(rest / 128);
    }
    let small = rest | 0;
    while (small >= 0x80) {
      this.u8((small & 0x7f) | 0x80);
      small >>>= 7;
    }
    this.u8(small);
  }

  /** A signed 32-bit integer, small magnitudes short (zigzag). */
  zigzag(value: number): void {
    this.varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  bytes(source: Uint8Array, start = 0, end = source.length): void {
    const count = end - start;
    if (!this.room(count)) return;
    const { buffer } = this;
    let to = this.offset;
    // A view costs more than the loop saves on what fits a frame, and is an allocation.
    if (count > LOOP_MAX_BYTES) {
      buffer.set(start === 0 && end === source.length ? source : source.subarray(start, end), to);
    } else {
      for (let from = start; from < end; from++) buffer[to++] = source[from] as number;
    }
    this.offset += count;
  }

  /** A byte string with its length before it. */
  blob(source: Uint8Array): void {
    this.varint(source.length);
    this.bytes(source);
  }

  /** A text from `start` on in UTF-8, with its length in bytes before it. Short ASCII, as paths are, allocates nothing. */
  text(text: string, start = 0): void {
    if (text.length - start < 0x80 && this.ascii(text, start)) return;
    this.blob(encoder.encode(text.slice(start)));
  }

  /** False, and nothing is written, when it is not ASCII or there is no room. */
  private ascii(text: string, start: number): boolean {
    const { buffer, offset } = this;
    const count = text.length - start;
    if (offset + 1 + count > this.limit) return false;
    for (let index = 0; index < count; index++) {
      const code = text.charCodeAt(start + index);
      if (code >= 0x80) return false;
      buffer[offset + 1 + index] = code;
    }
    buffer[offset] = count;
    this.offset = offset + 1 + count;
    return true;
  }
}

export class ByteReader {
  buffer: Uint8Array;
  offset = 0;
  end: number;
  failed = false;

  constructor(buffer: Uint8Array = new Uint8Array(0), offset = 0, end = buffer.length) {
    this.buffer = buffer;
    this.offset = offset;
    this.end = end;
  }

  reset(buffer: Uint8Array, offset: number, end: number): void {
    this.buffer = buffer;
    this.offset = offset;
    this.end = end;
    this.failed = false;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  private need(count: number): boolean {
    if (count >= 0 && this.offset + count <= this.end) return true;
    this.failed = true;
    this.offset = this.end;
    return false;
  }

  u8(): number {
    return this.need(1) ? (this.buffer[this.offset++] as number) : 0;
  }

  u16(): number {
    if (!this.need(2)) return 0;
    const { buffer, offset } = this;
    this.offset = offset + 2;
    return ((buffer[offset] as number) << 8) | (buffer[offset + 1] as number);
  }

  i32(): number {
    if (!this.need(4)) return 0;
    const { buffer, offset } = this;
    this.offset = offset + 4;
    return (
      ((buffer[offset] as number) << 24) |
      ((buffer[offset + 1] as number) << 16) |
      ((buffer[offset + 2] as number) << 8) |
      (buffer[offset + 3] as number)
    );
  }

  u32(): number {
    return this.i32() >>> 0;
  }

  u48(): number {
    const high = this.u16();
    return high * TWO_32 + this.u32();
  }

  u56(): number {
    const top = this.u8();
    const high = top * 0x1_0000 + this.u16();
    return high * TWO_32 + this.u32();
  }

  f32(): number {
    float32Bits[0] = this.i32();
    return float32Scratch[0] as number;
  }

  f64(): number {
    const high = this.i32();
    const low = this.i32();
    uint32Scratch[highWord] = high;
    uint32Scratch[lowWord] = low;
    return float64Scratch[0] as number;
  }

  /** Fails on more than eight bytes or a value of 2^53 and above. */
  varint(): number {
    let value = this.u8();
    if (value < 0x80) return value;
    value &= 0x7f;
    let scale = 128;
    for (let count = 1; count < VARINT_MAX_BYTES; count++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value <= Number.MAX_SAFE_INTEGER) return value;
        break;
      }
      scale *= 128;
    }
    this.failed = true;
    return 0;
  }

  zigzag(): number {
    const value = this.varint();
    if (value > 0xffffffff) this.failed = true;
    return (value >>> 1) ^ -(value & 1);
  }

  skip(count: number): void {
    if (this.need(count)) this.offset += count;
  }

  /** Copies the next `count` bytes to `target` from `at` on, which must hold them; nothing when there are fewer. */
  copy(count: number, target: Uint8Array, at: number): void {
    if (!this.need(count)) return;
    const { buffer, offset } = this;
    // A view costs more than the loop saves on what fits a frame, and is an allocation.
    if (count > LOOP_MAX_BYTES) target.set(buffer.subarray(offset, offset + count), at);
    else for (let index = 0; index < count; index++) target[at + index] = buffer[offset + index] as number;
    this.offset = offset + count;
  }

  /** A copy of the next `count` bytes; empty when there are fewer. */
  bytes(count: number): Uint8Array {
    if (!this.need(count)) return EMPTY;
    // Not `buffer.slice`: on a Node Buffer that is a view, and the receive buffer is used again.
    const copy = new Uint8Array(count);
    this.copy(count, copy, 0);
    return copy;
  }

  /** A byte string with its length before it, refused above `limitBytes`. */
  blob(limitBytes: number): Uint8Array {
    const count = this.varint();
    if (count > limitBytes) {
      this.failed = true;
      return EMPTY;
    }
    return this.bytes(count);
  }
}

const EMPTY = new Uint8Array(0);
