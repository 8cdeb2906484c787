import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { doubleText, float32Text, parseNumber } from "../../../src/config/number-text.js";

const anyFloat32 = fc.float({ noNaN: true, noDefaultInfinity: true });

describe("a number is read from", () => {
  it.each([
    ["0.5", 0.5],
    ["-3", -3],
    ["+.25", 0.25],
    ["2.", 2],
    ["1e-3", 0.001],
    ["1E+3", 1000],
    ["-0", -0],
  ])("%s", (text, value) => {
    expect(parseNumber(text)).toBe(value);
  });

  it.each(["", " ", ".", "1,5", "0x10", "1_000", "NaN", "Infinity", "1e999", "1 2", "1e", "--1", "1f"])(
    "nothing but decimals, so not from %j",
    (text) => {
      expect(parseNumber(text)).toBeUndefined();
    },
  );
});

describe("the text of a 32-bit float", () => {
  it.each([
    [0.1, "0.1"],
    [-0.30000001192092896, "-0.3"],
    [16777216, "16777216"],
    [1 / 3, "0.33333334"],
    [3.4028234663852886e38, "3.4028235e+38"],
    [1e-45, "1e-45"],
    [-0, "-0"],
    [120, "120"],
  ])("of %d is %s", (value, text) => {
    expect(float32Text(Math.fround(value))).toBe(text);
  });

  it("reads back as the same float", () => {
    fc.assert(
      fc.property(anyFloat32, (value) => {
        expect(Math.fround(parseNumber(float32Text(value)) ?? Number.NaN)).toBe(value);
      }),
      { numRuns: 2_000 },
    );
  });

  it("has no digit too many", () => {
    fc.assert(
      fc.property(anyFloat32, (value) => {
        const digits = float32Text(value)
          .replace(/e.*|[^\d]/g, "")
          .replace(/^0+|0+$/g, "").length;
        fc.pre(digits > 1);
        expect(Math.fround(Number(value.toPrecision(digits - 1)))).not.toBe(value);
      }),
      { numRuns: 2_000 },
    );
  });
});

it("the text of a double reads back as the same double", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(parseNumber(doubleText(value))).toBe(value);
    }),
  );
});
