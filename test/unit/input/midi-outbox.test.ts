import { describe, expect, it } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { isOneMessage, MIDI_OUTBOX_BYTES, MIDI_OUTBOX_MESSAGES, MidiOutbox } from "../../../src/input/midi-outbox.js";
import { bytesOf } from "./midi-model.js";

const message = bytesOf("b0 07 01");

describe("an outbox", () => {
  it("gives what fits the device's burst at once and the rest at its pace, in order", () => {
    const clock = new Clock();
    const outbox = new MidiOutbox(clock, { bytesPerSecond: 3_000, burstBytes: 9 });
    for (let value = 0; value < 10; value++) outbox.put(Uint8Array.of(0xb0, 7, value));
    const sent: [number, number][] = [];
    while (outbox.length > 0) {
      clock.set(Math.max(clock.nowUs, outbox.dueUs));
      for (let one = outbox.take(); one !== undefined; one = outbox.take()) sent.push([one[2] ?? -1, clock.nowUs]);
    }
    expect(sent.map(([value]) => value)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(sent.filter(([, atUs]) => atUs === 0)).toHaveLength(3);
    // 21 bytes at 3,000 a second, of which the last may be sent on credit.
    expect(sent.at(-1)?.[1]).toBeGreaterThan(5_000);
    expect(sent.at(-1)?.[1]).toBeLessThan(8_000);
  });

  it("sends a SysEx that is longer than its burst, and lets the next message wait for it", () => {
    const clock = new Clock();
    const outbox = new MidiOutbox(clock, { bytesPerSecond: 1_000, burstBytes: 100 });
    outbox.put(new Uint8Array(200));
    outbox.put(message);
    expect(outbox.take()).toHaveLength(200);
    expect(outbox.take()).toBeUndefined();
    expect(outbox.dueUs).toBeGreaterThan(90_000);
  });

  it("keeps a device's least time between two messages", () => {
    const clock = new Clock();
    const outbox = new MidiOutbox(clock, { bytesPerSecond: 20_000, burstBytes: 1_024, gapUs: 1_000 });
    for (let count = 0; count < 3; count++) outbox.put(message);
    expect(outbox.take()).toEqual(message);
    expect(outbox.take()).toBeUndefined();
    expect(outbox.dueUs).toBe(1_000);
    clock.set(1_000);
    expect(outbox.take()).toEqual(message);
    expect(outbox.takeAll()).toEqual([message]);
    expect(outbox.length).toBe(0);
  });

  it("refuses what is beyond its bounds, and takes more once there is room", () => {
    const outbox = new MidiOutbox(new Clock(), { bytesPerSecond: 1_000, burstBytes: 100 });
    for (let count = 0; count < MIDI_OUTBOX_MESSAGES; count++) expect(outbox.put(message)).toBe(true);
    expect(outbox.put(message)).toBe(false);
    outbox.take();
    expect(outbox.put(message)).toBe(true);
    expect(outbox.takeAll()).toHaveLength(MIDI_OUTBOX_MESSAGES);
    expect(outbox.put(new Uint8Array(MIDI_OUTBOX_BYTES + 1))).toBe(false);
    expect(outbox.put(new Uint8Array(MIDI_OUTBOX_BYTES))).toBe(true);
    expect(outbox.put(message)).toBe(false);
  });

  it("keeps a copy: the caller may use its bytes again", () => {
    const outbox = new MidiOutbox(new Clock());
    const bytes = Uint8Array.of(0xb0, 7, 1);
    outbox.put(bytes);
    bytes[2] = 99;
    expect(outbox.take()).toEqual(message);
  });
});

it.each([
  ["90 3c 64", true],
  ["c0 05", true],
  ["d0 05", true],
  ["f0 f7", true],
  ["f0 01 02 f7", true],
  ["f1 05", true],
  ["f2 01 02", true],
  ["f6", true],
  ["f8", true],
  ["", false],
  ["90", false],
  ["90 3c", false],
  ["90 3c 64 65", false],
  ["90 3c 80", false],
  ["c0 05 06", false],
  ["3c 64", false],
  ["f0", false],
  ["f0 01", false],
  ["f0 90 f7", false],
  ["f7", false],
  ["f4", false],
  ["f9", false],
  ["f8 f8", false],
])("%s is one message: %s", (bytes, isOne) => {
  expect(isOneMessage(bytesOf(bytes))).toBe(isOne);
});
