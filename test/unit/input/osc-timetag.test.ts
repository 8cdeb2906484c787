import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isImmediate, timetagEpochUs, writeTimetag } from "../../../src/input/osc-timetag.js";

const words = new Uint32Array(2);

/** 2036-02-07T06:28:16Z, when the seconds wrap. */
const WRAP_US = Date.UTC(2036, 1, 7, 6, 28, 16) * 1_000;
/** The first second whose highest bit is set, in 1968, and the last that reads back, in 2104. */
const FIRST_US = Date.UTC(1968, 0, 20, 3, 14, 8) * 1_000;
const LAST_US = Date.UTC(2104, 1, 26, 9, 42, 23) * 1_000;

describe("a time tag", () => {
  it("is NTP's: seconds since 1900 and a fraction of 2^32", () => {
    writeTimetag(0, words);
    expect([...words]).toEqual([2_208_988_800, 0]);
    writeTimetag(1_500_000, words);
    expect([...words]).toEqual([2_208_988_801, 0x80000000]);
    expect(timetagEpochUs(2_208_988_801, 0x40000000)).toBe(1_250_000);
  });

  it("reads back to the microsecond from 1968 to 2104", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (number) => {
        const epochUs = FIRST_US + (Math.abs(number) % (LAST_US - FIRST_US));
        writeTimetag(epochUs, words);
        expect(timetagEpochUs(words[0], words[1])).toBe(epochUs);
      }),
      { seed: 7707, numRuns: 5_000 },
    );
  });

  it("goes on over the wrap of the seconds in 2036", () => {
    writeTimetag(WRAP_US - 1, words);
    expect(words[0]).toBe(0xffffffff);
    writeTimetag(WRAP_US, words);
    expect([...words]).toEqual([0, 0]);
    expect(timetagEpochUs(0, 0)).toBe(WRAP_US);
    expect(timetagEpochUs(0xffffffff, 0) + 1_000_000).toBe(WRAP_US);
  });

  it("never has a fraction that spills into the second", () => {
    writeTimetag(1_000_000 - 2 ** -33, words);
    expect([...words]).toEqual([2_208_988_800, 0xffffffff]);
  });

  it("is immediate as 0,1, and as the 0,0 of senders without a clock", () => {
    expect([isImmediate(0, 1), isImmediate(0, 0)]).toEqual([true, true]);
    expect([isImmediate(0, 2), isImmediate(1, 1), isImmediate(3_900_000_000, 0)]).toEqual([false, false, false]);
  });
});
