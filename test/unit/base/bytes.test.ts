/** Bytes, clock and chance: what is written is read, nothing beyond an end is touched, and one seed is one sequence. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../../src/base/bytes.js";
import { Clock, HYBRID_AHEAD_LIMIT_US } from "../../../src/base/clock.js";
import { Random } from "../../../src/base/random.js";

type Field = readonly [name: "u8" | "u16" | "u32" | "u48" | "u56" | "f32" | "f64" | "varint" | "zigzag", value: number];
const below = (bits: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.maxSafeNat().map((n) => n % 2 ** bits),
    fc.nat(300),
  );
const field: fc.Arbitrary<Field> = fc.oneof(
  fc.tuple(fc.constant("u8" as const), fc.nat(255)),
  fc.tuple(fc.constant("u16" as const), fc.nat(65_535)),
  fc.tuple(fc.constant("u32" as const), below(32)),
  fc.tuple(fc.constant("u48" as const), below(48)),
  fc.tuple(fc.constant("u56" as const), fc.maxSafeNat()),
  fc.tuple(fc.constant("f32" as const), fc.float()),
  fc.tuple(fc.constant("f64" as const), fc.double()),
  fc.tuple(fc.constant("varint" as const), fc.oneof(fc.maxSafeNat(), fc.nat(300))),
  fc.tuple(fc.constant("zigzag" as const), fc.integer()),
);

describe("a writer and a reader", () => {
  test("agree on every field", () => {
    const property = fc.property(fc.array(field, { maxLength: 30 }), (fields) => {
      const out = new ByteWriter(new Uint8Array(400));
      for (const [name, value] of fields) out[name](value);
      const input = new ByteReader(out.buffer, 0, out.offset);
      expect(fields.map(([name]) => input[name]())).toEqual(fields.map(([, value]) => value));
      expect([out.overflow, input.failed, input.remaining]).toEqual([false, false, 0]);
    });
    fc.assert(property, { numRuns: 500 });
  });

  test("touch nothing beyond their end, and say so", () => {
    const property = fc.property(fc.array(field, { minLength: 1, maxLength: 20 }), fc.nat(100), (fields, limit) => {
      const buffer = new Uint8Array(500).fill(0xee);
      const whole = new ByteWriter(new Uint8Array(500));
      const out = new ByteWriter(buffer, 0, limit);
      for (const [name, value] of fields) {
        out[name](value);
        whole[name](value);
      }
      expect(buffer.subarray(limit).every((byte) => byte === 0xee)).toBe(true);
      expect(out.overflow).toBe(whole.offset > limit);
      const input = new ByteReader(whole.buffer, 0, Math.min(limit, whole.offset));
      for (const [name] of fields) input[name]();
      expect(input.failed).toBe(whole.offset > limit);
      expect(input.offset).toBeLessThanOrEqual(input.end);
    });
    fc.assert(property, { numRuns: 500 });
  });

  test("are big-endian", () => {
    const out = new ByteWriter(new Uint8Array(64));
    out.u16(0x0102);
    out.u32(0x03040506);
    out.u48(0x0708090a0b0c);
    out.u56(0x0d0e0f10111213);
    expect([...out.buffer.subarray(0, out.offset)]).toEqual(Array.from({ length: 19 }, (_, index) => index + 1));
    out.reset(0, 64);
    out.f64(-1.5);
    out.f32(1.5);
    expect([...out.buffer.subarray(0, 12)]).toEqual([0xbf, 0xf8, 0, 0, 0, 0, 0, 0, 0x3f, 0xc0, 0, 0]);
  });

  test("carry bytes of any length, with a limit to what is read", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, limit) => {
      const out = new ByteWriter(new Uint8Array(400));
      out.blob(bytes);
      const input = new ByteReader(out.buffer, 0, out.offset);
      const read = input.blob(limit);
      expect(input.failed).toBe(bytes.length > limit);
      expect([...read]).toEqual(bytes.length > limit ? [] : [...bytes]);
    });
    fc.assert(property);
    const buffer = Buffer.from([2, 7, 8]);
    const copy = new ByteReader(buffer).blob(9);
    buffer.fill(0);
    expect([...copy]).toEqual([7, 8]);
  });

  test("refuse a varint of more than 53 bits or eight bytes", () => {
    const read = (...bytes: number[]): readonly [number, boolean] => {
      const input = new ByteReader(Uint8Array.from(bytes));
      return [input.varint(), input.failed];
    };
    const sevens = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    expect(read(...sevens, 0x0f)).toEqual([Number.MAX_SAFE_INTEGER, false]);
    expect(read(...sevens, 0x10)[1]).toBe(true);
    expect(read(...sevens, 0xff, 0x01)).toEqual([0, true]);
    expect(read(0x80)[1]).toBe(true);
    const wide = new ByteWriter(new Uint8Array(9));
    wide.varint(2 ** 32);
    const input = new ByteReader(wide.buffer, 0, wide.offset);
    input.zigzag();
    expect(input.failed).toBe(true);
  });
});

describe("the clock", () => {
  test("has a hybrid time that never goes back and follows what is heard, up to 500 ms ahead", () => {
    const clock = new Clock();
    const hybrid = (): number => clock.register[1] as number;
    clock.set(1_000);
    clock.tickHybrid();
    clock.set(500);
    clock.tickHybrid();
    expect(hybrid()).toBe(1_000);
    clock.observeHybrid(Float64Array.of(500 + HYBRID_AHEAD_LIMIT_US), 0);
    expect([hybrid(), clock.clampedHybrids]).toEqual([500 + HYBRID_AHEAD_LIMIT_US, 0]);
    clock.observeHybrid(Float64Array.of(501 + HYBRID_AHEAD_LIMIT_US), 0);
    clock.observeHybrid(Float64Array.of(3), 0);
    expect([hybrid(), clock.clampedHybrids]).toEqual([500 + HYBRID_AHEAD_LIMIT_US, 1]);
  });
});

describe("chance", () => {
  test("is decided by its seed, lies in [0, 1) and is spread evenly", () => {
    const take = (seed: number): number[] => {
      const random = new Random(seed);
      return Array.from({ length: 10_000 }, () => random.next());
    };
    expect(take(5)).toEqual(take(5));
    expect(take(5)).not.toEqual(take(6));
    for (const seed of [0, 1, 2 ** 32 - 1]) {
      const counts = new Array<number>(10).fill(0);
      for (const value of take(seed)) counts[Math.floor(value * 10)] = (counts[Math.floor(value * 10)] ?? 0) + 1;
      expect(counts).toHaveLength(10);
      expect(Math.min(...counts)).toBeGreaterThan(850);
    }
  });
});
