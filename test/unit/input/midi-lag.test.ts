import { beforeEach, expect, it } from "vitest";
import { MidiLag } from "../../../src/input/midi-lag.js";

const now = new Float64Array([5_000_000_000]);
const sent = new Float64Array(1);
let lag: MidiLag;

beforeEach(() => {
  now[0] = 5_000_000_000;
  sent[0] = 0;
  lag = new MidiLag();
});

/** Messages sent so many microseconds apart and taken so many apart. Answers whether it became hopeless. */
function run(messages: number, sentApartUs: number, takenApartUs: number): boolean {
  for (let message = 0; message < messages; message++) {
    sent[0] += sentApartUs;
    now[0] += takenApartUs;
    if (lag.take(now, sent)) return true;
  }
  return false;
}

it("is nothing where messages are taken as fast as they are sent", () => {
  expect(run(1_000_000, 62, 62)).toBe(false);
});

it("is hopeless where twice as many are sent as can be taken, within a few seconds", () => {
  expect(run(1_000_000, 62, 124)).toBe(true);
  expect(now[0] - 5_000_000_000).toBeLessThan(10_000_000);
});

it("is not hopeless after the loop stood still for a minute, as what waited is worked off", () => {
  run(1_000, 62, 62);
  // A minute at 250 Hz waits, and is taken at 10 us each.
  now[0] += 60_000_000;
  expect(run(15_000, 4_000, 10)).toBe(false);
  expect(run(1_000_000, 1_000, 1_000)).toBe(false);
});

it("is nothing where two clocks drift apart by a few parts in ten thousand", () => {
  expect(run(1_000_000, 10_000, 10_005)).toBe(false);
});

it("begins anew with the port", () => {
  expect(run(1_000_000, 62, 124)).toBe(true);
  lag.reset();
  expect(run(1_000, 62, 62)).toBe(false);
});
