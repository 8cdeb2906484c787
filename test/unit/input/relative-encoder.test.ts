import { describe, expect, it } from "vitest";
import { detentsOf, RelativeEncoding } from "../../../src/input/relative-encoder.js";

/** value, twos-complement, offset-binary, sign-magnitude, sign-magnitude-reversed */
const TABLE = [
  [0, 0, -64, 0, 0],
  [1, 1, -63, 1, -1],
  [5, 5, -59, 5, -5],
  [63, 63, -1, 63, -63],
  [64, -64, 0, 0, 0],
  [65, -63, 1, -1, 1],
  [69, -59, 5, -5, 5],
  [127, -1, 63, -63, 63],
] as const;

describe("a relative encoder", () => {
  it.each(TABLE)("that sends %i turned by %i, %i, %i or %i detents, as it is encoded", (value, ...expected) => {
    const encodings = [
      RelativeEncoding["twos-complement"],
      RelativeEncoding["offset-binary"],
      RelativeEncoding["sign-magnitude"],
      RelativeEncoding["sign-magnitude-reversed"],
    ];
    expect(encodings.map((encoding) => detentsOf(encoding, value))).toEqual(expected);
  });

  it("is at rest at its centre value, which is no motion (bug class: 64 mistaken for a turn)", () => {
    for (const encoding of ["offset-binary", "sign-magnitude", "sign-magnitude-reversed"] as const) {
      expect(Object.is(detentsOf(RelativeEncoding[encoding], 64), 0)).toBe(true);
    }
    for (const encoding of ["twos-complement", "sign-magnitude", "sign-magnitude-reversed"] as const) {
      expect(Object.is(detentsOf(RelativeEncoding[encoding], 0), 0)).toBe(true);
    }
  });

  it("turns by nothing when it is none", () => {
    expect([0, 1, 64, 127].map((value) => detentsOf(RelativeEncoding.none, value))).toEqual([0, 0, 0, 0]);
  });
});
