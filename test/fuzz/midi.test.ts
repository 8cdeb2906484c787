/**
 * MIDI input against bytes nobody meant: 10 MB of chance, endless SysEx, mutilated messages, from pinned seeds.
 *
 * What must hold: nothing throws or hangs, what is told is within its bounds, every byte is accounted for, nothing
 * grows, and the next good message is understood.
 */
import { describe, expect, it } from "vitest";
import { Clock } from "../../src/base/clock.js";
import { Random } from "../../src/base/random.js";
import { MidiControls } from "../../src/input/midi-controls.js";
import { MidiCounter, MidiCounters } from "../../src/input/midi-counters.js";
import { MIDI_MAX_7, MIDI_MAX_14, type MidiEvent, MidiKind, type MidiSink } from "../../src/input/midi-event.js";
import { MidiReject } from "../../src/input/midi-reject.js";
import { MIDI_SYSEX_LIMIT_BYTES, MidiStream } from "../../src/input/midi-stream.js";

const PIECE_BYTES = 1_024;

/** Checks everything that is told, and keeps no more than the last event. */
class Judge implements MidiSink {
  readonly clock = new Clock();
  readonly counters = new MidiCounters();
  readonly controls = new MidiControls(this, this.clock, this.counters);
  readonly stream = new MidiStream(this.controls, this.counters);
  last = "";
  longestSysex = 0;

  constructor() {
    const pairs = Array.from({ length: 16 }, (_, channel) => ({ channel: channel + 1, msb: 1, lsb: 33 }));
    this.controls.setPairs(pairs);
  }

  control({ kind, channel, number, value, max }: MidiEvent): void {
    const isParameter = kind === MidiKind.rpn || kind === MidiKind.nrpn;
    const isGood =
      maximaOf(kind).includes(max) &&
      isWithin(channel, 1, 16) &&
      isWithin(number, 0, isParameter ? MIDI_MAX_14 : MIDI_MAX_7) &&
      isWithin(value, 0, max);
    if (!isGood) throw new Error(`kind ${kind}, channel ${channel}, number ${number}, value ${value} of ${max}`);
    this.last = `${kind} ${channel} ${number} ${value}`;
  }

  sysex(bytes: Uint8Array, length: number): void {
    this.longestSysex = Math.max(this.longestSysex, length);
    const isGood = bytes[0] === 0xf0 && bytes[length - 1] === 0xf7 && length <= bytes.length;
    if (!isGood || bytes.subarray(1, length - 1).some((byte) => byte > 0x7f)) throw new Error("no SysEx");
  }

  /** A good message, whatever came before, is understood. */
  understands(): boolean {
    this.stream.push(Uint8Array.of(0x95, 60, 99));
    return this.last === `${MidiKind.noteOn} 6 60 99`;
  }

  rejects(reject: MidiReject): number {
    return this.counters.rejects[reject];
  }
}

function below(random: Random, end: number): number {
  return Math.floor(random.next() * end);
}

function isWithin(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}

/** `bytes` bytes in pieces of any length, while time passes. */
function feed(judge: Judge, bytes: number, random: Random, byte: () => number): void {
  const piece = new Uint8Array(PIECE_BYTES);
  for (let fed = 0; fed < bytes; ) {
    const length = Math.min(below(random, PIECE_BYTES) + 1, bytes - fed);
    for (let index = 0; index < length; index++) piece[index] = byte();
    judge.stream.push(piece.subarray(0, length));
    fed += length;
    judge.clock.set(judge.clock.nowUs + below(random, 4_000));
    judge.controls.pump();
  }
}

function maximaOf(kind: MidiKind): readonly number[] {
  if (kind === MidiKind.command) return [1];
  return kind === MidiKind.measure ? [30_000, 86_400_000] : [MIDI_MAX_7, MIDI_MAX_14];
}

describe("MIDI input", () => {
  it("takes 10 MB of random bytes", () => {
    const judge = new Judge();
    const random = new Random(1);
    feed(judge, 10_000_000, random, () => below(random, 256));
    const { values } = judge.counters;
    expect(values[MidiCounter.bytesIn]).toBe(10_000_000);
    expect(values[MidiCounter.messagesIn]).toBeGreaterThan(100_000);
    for (const reject of [MidiReject.truncated, MidiReject.dataWithoutStatus, MidiReject.truncatedSysex]) {
      expect(judge.rejects(reject)).toBeGreaterThan(10_000);
    }
    expect(judge.understands()).toBe(true);
  });

  it("takes what a broken controller sends: control changes, halves and parameters in any order", () => {
    const judge = new Judge();
    const random = new Random(2);
    const likely = [0xb0, 0xb0, 0xb1, 1, 33, 6, 38, 96, 97, 98, 99, 100, 101, 127, 127, 0];
    feed(judge, 1_000_000, random, () => likely[below(random, likely.length)] as number);
    expect(judge.counters.values[MidiCounter.eventsIn]).toBeGreaterThan(50_000);
    expect(judge.understands()).toBe(true);
  });

  it("takes a SysEx that never ends, within its bound", () => {
    const judge = new Judge();
    const random = new Random(3);
    judge.stream.push(Uint8Array.of(0xf0));
    feed(judge, 10_000_000, random, () => (below(random, 100) === 0 ? 0xf8 : below(random, 128)));
    expect(judge.rejects(MidiReject.sysexTooLong)).toBe(1);
    expect(judge.longestSysex).toBe(0);
    judge.stream.push(Uint8Array.of(0xf7, 0xf0, 1, 0xf7));
    expect(judge.longestSysex).toBe(3);
    expect(judge.understands()).toBe(true);
  });

  it("takes SysEx of every length, whole, interrupted and in each other", () => {
    const judge = new Judge();
    const random = new Random(4);
    let left = 0;
    feed(judge, 3_000_000, random, () => {
      if (left-- > 0) return below(random, 128);
      left = below(random, below(random, 20) === 0 ? 2 * MIDI_SYSEX_LIMIT_BYTES : 100);
      return [0xf0, 0xf0, 0xf7, 0xf7, 0x90, 0xf8][below(random, 6)] as number;
    });
    expect(judge.counters.values[MidiCounter.sysexIn]).toBeGreaterThan(10);
    expect(judge.longestSysex).toBeLessThanOrEqual(MIDI_SYSEX_LIMIT_BYTES);
    expect(judge.understands()).toBe(true);
  });
});
