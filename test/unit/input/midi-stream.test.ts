import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MidiCounter } from "../../../src/input/midi-counters.js";
import { MidiReject } from "../../../src/input/midi-reject.js";
import { MIDI_SYSEX_LIMIT_BYTES } from "../../../src/input/midi-stream.js";
import { hex, Listening } from "./midi-model.js";

describe("a message", () => {
  it.each([
    ["90 3c 64", "noteOn 1 60 100/127"],
    ["9f 3c 00", "noteOff 16 60 0/127"],
    ["83 3c 40", "noteOff 4 60 64/127"],
    ["a1 3c 11", "poly 2 60 17/127"],
    ["b0 07 7f", "cc 1 7 127/127"],
    ["c2 05", "program 3 0 5/127"],
    ["d0 22", "pressure 1 0 34/127"],
    ["e0 00 40", "bend 1 0 8192/16383"],
    ["ef 7f 7f", "bend 16 0 16383/16383"],
    ["f0 7e 7f 06 01 f7", "sysex f0 7e 7f 06 01 f7"],
    ["f0 f7", "sysex f0 f7"],
    ["f1 35", "common f1 53"],
    ["f2 01 02", "common f2 257"],
    ["f3 07", "common f3 7"],
    ["f6", "common f6 0"],
    ["f8", "real time f8"],
    ["fe", "real time fe"],
    ["ff", "real time ff"],
  ])("%s is %s", (bytes, told) => {
    const listening = new Listening().hear(bytes);
    expect(listening.take()).toEqual([told]);
    expect([...listening.counters.rejects].every((count) => count === 0)).toBe(true);
  });

  it("may leave out its status when it is that of the message before", () => {
    const told = new Listening().hear("b0 07 01 07 02 07 03 c0 05 06").take();
    expect(told).toEqual(["cc 1 7 1/127", "cc 1 7 2/127", "cc 1 7 3/127", "program 1 0 5/127", "program 1 0 6/127"]);
  });

  it("loses its running status to system messages, which have none themselves", () => {
    const listening = new Listening().hear("b0 07 01 f2 01 02 03 04 b0 07 05");
    expect(listening.take()).toEqual(["cc 1 7 1/127", "common f2 257", "cc 1 7 5/127"]);
    expect(listening.rejects(MidiReject.dataWithoutStatus)).toBe(2);
  });

  it("may have real time anywhere inside, and so may a SysEx", () => {
    const listening = new Listening().hear("90 f8 3c fe 64 f8 3e f8 65 f0 01 f8 02 fa f7");
    expect(listening.take()).toEqual([
      "real time f8",
      "real time fe",
      "noteOn 1 60 100/127",
      "real time f8",
      "real time f8",
      "noteOn 1 62 101/127",
      "real time f8",
      "real time fa",
      "sysex f0 01 02 f7",
    ]);
  });

  it("may come in pieces: RtMidi cuts a SysEx at a clock tick", () => {
    expect(new Listening().hear("f0 01 02 f8").hear("03 04 f7").take()).toEqual([
      "real time f8",
      "sysex f0 01 02 03 04 f7",
    ]);
  });
});

describe("what is wrong", () => {
  it("is counted when a status comes too early, and the message that has begun is not told", () => {
    const listening = new Listening().hear("90 3c b0 07 05 90 80 3c 40");
    expect(listening.take()).toEqual(["cc 1 7 5/127", "noteOff 1 60 64/127"]);
    expect(listening.rejects(MidiReject.truncated)).toBe(2);
  });

  it("is counted when data come without a status", () => {
    const listening = new Listening().hear("01 02 03 90 3c 64");
    expect(listening.take()).toEqual(["noteOn 1 60 100/127"]);
    expect(listening.rejects(MidiReject.dataWithoutStatus)).toBe(3);
  });

  it("is counted when a status means nothing, and what comes next is understood", () => {
    const listening = new Listening().hear("f4 01 f5 f9 fd f7 90 3c 64");
    expect(listening.take()).toEqual(["noteOn 1 60 100/127"]);
    expect(listening.rejects(MidiReject.undefinedStatus)).toBe(4);
    expect(listening.rejects(MidiReject.straySysexEnd)).toBe(1);
  });

  it("makes no note of the rest of a SysEx that a message interrupted", () => {
    const listening = new Listening().hear("f0 01 02 90 3c 64 03 04 05 f7 90 3e 65 40 66");
    expect(listening.take()).toEqual(["noteOn 1 60 100/127", "noteOn 1 62 101/127", "noteOn 1 64 102/127"]);
    expect(listening.rejects(MidiReject.truncatedSysex)).toBe(1);
    expect(listening.rejects(MidiReject.dataWithoutStatus)).toBe(3);
  });

  it("is told when a SysEx begins inside another: the second one", () => {
    const listening = new Listening().hear("f0 01 f0 02 f7");
    expect(listening.take()).toEqual(["sysex f0 02 f7"]);
    expect(listening.rejects(MidiReject.truncatedSysex)).toBe(1);
  });

  it("keeps a SysEx of the limit whole, and passes over one that is a byte longer", () => {
    const sysex = (length: number): Uint8Array => {
      const bytes = new Uint8Array(length).fill(0x11);
      bytes[0] = 0xf0;
      bytes[length - 1] = 0xf7;
      return bytes;
    };
    const listening = new Listening();
    listening.stream.push(sysex(MIDI_SYSEX_LIMIT_BYTES));
    expect(listening.take()).toEqual([`sysex of ${MIDI_SYSEX_LIMIT_BYTES}`]);
    listening.stream.push(sysex(MIDI_SYSEX_LIMIT_BYTES + 1));
    listening.hear("90 3c 64 f0 01 f7");
    expect(listening.take()).toEqual(["noteOn 1 60 100/127", "sysex f0 01 f7"]);
    expect(listening.rejects(MidiReject.sysexTooLong)).toBe(1);
  });

  it("is forgotten when the port is opened anew", () => {
    const listening = new Listening().hear("f0 01 02");
    listening.stream.reset();
    expect(listening.hear("03 f7 90 3c 64").take()).toEqual(["noteOn 1 60 100/127"]);
  });
});

const seven = fc.nat(127);
const four = fc.nat(15);
/** A good message that is told as one, and what it is told as. */
const message = fc.oneof(
  fc.tuple(four, seven, fc.integer({ min: 1, max: 127 })).map(([channel, note, velocity]) => ({
    bytes: [0x90 | channel, note, velocity],
    told: `noteOn ${channel + 1} ${note} ${velocity}/127`,
  })),
  fc.tuple(four, fc.integer({ min: 39, max: 95 }), seven).map(([channel, number, value]) => ({
    bytes: [0xb0 | channel, number, value],
    told: `cc ${channel + 1} ${number} ${value}/127`,
  })),
  fc.tuple(four, seven).map(([channel, value]) => ({
    bytes: [0xd0 | channel, value],
    told: `pressure ${channel + 1} 0 ${value}/127`,
  })),
  fc.tuple(four, seven, seven).map(([channel, low, high]) => ({
    bytes: [0xe0 | channel, low, high],
    told: `bend ${channel + 1} 0 ${high * 128 + low}/16383`,
  })),
  fc.array(seven, { maxLength: 20 }).map((content) => {
    const bytes = [0xf0, ...content, 0xf7];
    return { bytes, told: `sysex ${hex(Uint8Array.from(bytes))}` };
  }),
);

/** The messages as bytes: with running status where that may be, and a clock tick wherever the numbers say. */
function written(messages: readonly { bytes: number[] }[], ticks: readonly number[]): number[] {
  let status = 0;
  const bytes = messages.flatMap((one) => {
    const [own = 0] = one.bytes;
    const isRunning = own === status && own < 0xf0;
    status = own < 0xf0 ? own : 0;
    return isRunning ? one.bytes.slice(1) : one.bytes;
  });
  for (const tick of ticks) bytes.splice(tick % (bytes.length + 1), 0, 0xf8);
  return bytes;
}

describe("any messages", () => {
  it("are told in order, whatever the pieces they come in, with clock ticks anywhere", () => {
    const positions = fc.array(fc.nat(1_000), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 30 }), positions, positions, (messages, ticks, cuts) => {
        const bytes = Uint8Array.from(written(messages, ticks));
        const listening = new Listening();
        const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((one, other) => one - other);
        let start = 0;
        for (const end of ends) {
          listening.stream.push(bytes.subarray(start, end));
          start = end;
        }
        const told = listening.take();
        expect(told.filter((text) => text !== "real time f8")).toEqual(messages.map((one) => one.told));
        expect(told.filter((text) => text === "real time f8")).toHaveLength(ticks.length);
        expect(listening.counters.values[MidiCounter.bytesIn]).toBe(bytes.length);
        expect([...listening.counters.rejects].every((count) => count === 0)).toBe(true);
      }),
    );
  });

  it("are understood after any garbage, from the second status on at the latest", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), message, (garbage, { bytes, told }) => {
        const listening = new Listening();
        listening.stream.push(garbage);
        listening.take();
        listening.stream.push(Uint8Array.from(bytes));
        expect(listening.take().at(-1)).toBe(told);
      }),
    );
  });
});
