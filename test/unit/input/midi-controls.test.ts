import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MidiCounter } from "../../../src/input/midi-counters.js";
import { MidiReject } from "../../../src/input/midi-reject.js";
import { Listening } from "./midi-model.js";

function paired(channel = 1, msb = 1, lsb = 33): Listening {
  const listening = new Listening();
  listening.controls.setPairs([{ channel, msb, lsb }]);
  return listening;
}

describe("two controllers that are a pair", () => {
  it("are two controllers as long as nobody says so", () => {
    expect(new Listening().hear("b0 01 12 b0 21 34").take()).toEqual(["cc 1 1 18/127", "cc 1 33 52/127"]);
  });

  it("are one value, told once both halves are in, the high one first", () => {
    const listening = paired().hear("b0 01 12");
    expect(listening.take()).toEqual([]);
    expect(listening.hear("b0 21 34").take()).toEqual([`cc14 1 1 ${0x12 * 128 + 0x34}/16383`]);
  });

  it("are one value when the low one comes first", () => {
    const listening = paired().hear("b0 21 34");
    expect(listening.take()).toEqual([]);
    expect(listening.hear("b0 01 12").take()).toEqual([`cc14 1 1 ${0x12 * 128 + 0x34}/16383`]);
  });

  it("are told after some milliseconds when the high one comes alone, and set the low one to 0", () => {
    const listening = paired().hear("b0 01 12 21 34").wait(50).hear("b0 01 13").wait(19);
    expect(listening.take()).toEqual([`cc14 1 1 ${0x12 * 128 + 0x34}/16383`]);
    expect(listening.wait(3).take()).toEqual([`cc14 1 1 ${0x13 * 128}/16383`]);
    // Once it has come alone, it is told sooner.
    listening.hear("b0 01 14");
    expect(listening.wait(4).take()).toEqual([`cc14 1 1 ${0x14 * 128}/16383`]);
  });

  it("reach their end also from a sender that never sends the low one", () => {
    const listening = paired().hear("b0 01 7f").wait(30).hear("b0 01 00").wait(30);
    expect(listening.take()).toEqual(["cc14 1 1 127/127", "cc14 1 1 0/127"]);
  });

  it("lose nothing when high ones come faster than they are told", () => {
    const listening = paired();
    for (let value = 0; value < 10; value++) listening.hear(`b0 01 0${value}`).wait(1);
    expect(listening.wait(30).take()).toEqual(Array.from({ length: 10 }, (_, value) => `cc14 1 1 ${value}/127`));
  });

  it("have no value as long as only low ones came", () => {
    const listening = paired().hear("b0 21 34").wait(30);
    expect(listening.take()).toEqual([]);
    expect(listening.rejects(MidiReject.lowWithoutHigh)).toBe(1);
  });

  it("wait for nothing when a low one comes alone, once it is known that the high one comes first", () => {
    const listening = paired().hear("b0 01 12 21 34").wait(30).hear("b0 01 12").wait(0.3).hear("21 35").wait(30);
    listening.take();
    expect(listening.hear("b0 21 36").take()).toEqual([`cc14 1 1 ${0x12 * 128 + 0x36}/16383`]);
  });

  it("are held again once the order turns out to be the other one, and what is at rest is right at once", () => {
    const listening = paired();
    for (const value of [0x10, 0x11, 0x12])
      listening
        .hear(`b0 01 ${value.toString(16)}`)
        .wait(0.2)
        .hear("21 7f")
        .wait(30);
    listening.take();
    for (const [at, high] of [0x20, 0x30, 0x40, 0x50].entries()) {
      listening
        .hear("b0 21 00")
        .wait(0.2)
        .hear(`01 ${high.toString(16)}`);
      const told = listening.wait(30).take();
      expect(told.at(-1)).toBe(`cc14 1 1 ${high * 128}/16383`);
      if (at > 2) expect(told).toHaveLength(1);
    }
  });

  it("are told by pump only after what waits in the loop had its turn", () => {
    const listening = paired().hear("b0 01 12");
    // The loop was blocked: the low half lies in a queue behind the timer.
    listening.clock.set(listening.clock.nowUs + 40_000);
    listening.controls.pump();
    expect(listening.hear("b0 21 34").take()).toEqual([`cc14 1 1 ${0x12 * 128 + 0x34}/16383`]);
  });

  it("are told whole also when this process is slow: the low half comes late, as its own time shows", () => {
    const listening = paired();
    for (let value = 0; value < 20; value++) {
      listening.controls.heard[0] = listening.clock.nowUs;
      listening.stream.push(Uint8Array.of(0xb0, 1, value));
      listening.wait(12);
      listening.stream.push(Uint8Array.of(0xb0, 33, 99));
      listening.wait(0.5);
    }
    expect(listening.take()).toEqual(Array.from({ length: 20 }, (_, value) => `cc14 1 1 ${value * 128 + 99}/16383`));
  });

  it("are of two values when the sender's time is that far apart, although this process had no time to tell the first", () => {
    const listening = paired().hear("b0 01 10 21 01").wait(4).hear("b0 21 02");
    listening.clock.set(listening.clock.nowUs + 4_000);
    listening.hear("b0 01 11 21 03");
    expect(listening.take()).toEqual(
      [0x10 * 128 + 1, 0x10 * 128 + 2, 0x11 * 128 + 3].map((value) => `cc14 1 1 ${value}/16383`),
    );
  });

  it("keep their channel and number to themselves", () => {
    const listening = paired(2, 1, 33).hear("b0 01 12 b1 02 13 b1 01 14 b0 21 15 b1 21 16");
    expect(listening.take()).toEqual([
      "cc 1 1 18/127",
      "cc 2 2 19/127",
      "cc 1 33 21/127",
      `cc14 2 1 ${0x14 * 128 + 0x16}/16383`,
    ]);
  });

  it("are two controllers again once the pair is not named any more, and keep what is known while it is", () => {
    const listening = paired().hear("b0 01 12 b0 21 34");
    listening.controls.setPairs([
      { channel: 3, msb: 7, lsb: 39 },
      { channel: 1, msb: 1, lsb: 33 },
    ]);
    listening.take();
    expect(listening.hear("b0 21 35").wait(30).take()).toEqual([`cc14 1 1 ${0x12 * 128 + 0x35}/16383`]);
    listening.controls.setPairs([]);
    expect(listening.hear("b0 21 35").take()).toEqual(["cc 1 33 53/127"]);
  });
});

/** How a sender of this kind says its values. */
interface Sender {
  readonly name: string;
  readonly isLowFirst: boolean;
  /** Leaves out a high half that did not change. */
  readonly isSparing: boolean;
  readonly insideMs: number;
  readonly betweenMs: number;
}

const senders: Sender[] = [
  { name: "high first", isLowFirst: false, isSparing: false, insideMs: 0.1, betweenMs: 4 },
  { name: "high first, all at once", isLowFirst: false, isSparing: false, insideMs: 0, betweenMs: 4 },
  { name: "high first on a slow cable", isLowFirst: false, isSparing: false, insideMs: 1, betweenMs: 10 },
  { name: "high first, sparing", isLowFirst: false, isSparing: true, insideMs: 0.1, betweenMs: 4 },
  { name: "high first, 1 kHz", isLowFirst: false, isSparing: false, insideMs: 0, betweenMs: 1 },
  { name: "low first", isLowFirst: true, isSparing: false, insideMs: 0.1, betweenMs: 4 },
  { name: "low first, all at once", isLowFirst: true, isSparing: false, insideMs: 0, betweenMs: 4 },
  { name: "low first on a slow cable", isLowFirst: true, isSparing: false, insideMs: 1, betweenMs: 10 },
];

function play(listening: Listening, sender: Sender, values: readonly number[]): string[] {
  let known = -1;
  const told: string[] = [];
  for (const value of values) {
    const high = value >> 7;
    const halves: [number, number][] = [[33, value & 127]];
    if (!sender.isSparing || high !== known) halves[sender.isLowFirst ? "push" : "unshift"]([1, high]);
    known = high;
    for (const [at, [number, half]] of halves.entries()) {
      listening.hearBytes(Uint8Array.of(0xb0, number, half));
      if (at < halves.length - 1) listening.wait(sender.insideMs);
    }
    listening.wait(sender.betweenMs);
    told.push(...listening.take());
  }
  return [...told, ...listening.wait(30).take()];
}

describe("a fader of fourteen bits", () => {
  it.each(senders)("is never torn: $name (MSB/LSB tear)", (sender) => {
    fc.assert(
      fc.property(fc.array(fc.nat(16_383), { minLength: 1, maxLength: 40 }), (values) => {
        expect(play(paired(), sender, values)).toEqual(values.map((value) => `cc14 1 1 ${value}/16383`));
      }),
    );
  });

  it.each(senders.filter(({ isSparing, betweenMs }) => !isSparing && betweenMs > 1))(
    "is right again after the first pause when the port was opened between the halves: $name",
    (sender) => {
      fc.assert(
        fc.property(fc.array(fc.nat(16_383), { minLength: 4, maxLength: 40 }), fc.nat(127), (values, orphan) => {
          const listening = paired();
          listening.hearBytes(Uint8Array.of(0xb0, sender.isLowFirst ? 1 : 33, orphan));
          listening.wait(sender.betweenMs);
          const told = play(listening, sender, values);
          const wanted = values.map((value) => `cc14 1 1 ${value}/16383`);
          expect(told.slice(-(values.length - 3))).toEqual(wanted.slice(-(values.length - 3)));
        }),
      );
    },
  );
});

describe("a parameter", () => {
  it("is told with its number and both halves of its value, and is closed by null", () => {
    const listening = new Listening().hear("b0 63 09 62 52 06 12 26 34 65 7f 64 7f");
    expect(listening.take()).toEqual([
      // The first half of a choice might as well be a knob.
      "cc 1 99 9/127",
      `nrpn 1 ${9 * 128 + 0x52} ${0x12 * 128 + 0x34}/16383`,
    ]);
    expect(listening.hear("b0 06 05").take()).toEqual(["cc 1 6 5/127"]);
  });

  it("is registered or not, and may be chosen low half first", () => {
    const listening = new Listening().hear("b2 64 00 65 00 06 0c 26 00");
    expect(listening.take().at(-1)).toBe(`rpn 3 0 ${12 * 128}/16383`);
    expect(listening.hear("b2 62 01 63 02 06 01 26 02").take()).toEqual([`nrpn 3 257 130/16383`]);
  });

  it("has seven bits from a sender that never sends the low half, and reaches its end", () => {
    const listening = new Listening().hear("b0 63 00 62 05 06 7f");
    listening.take();
    expect(listening.wait(30).take()).toEqual(["nrpn 1 5 127/127"]);
  });

  it("is told before another one is chosen, also when its low half is still to come", () => {
    const listening = new Listening().hear("b0 63 00 62 05 06 11 62 06 06 22 65 7f 64 7f");
    expect(listening.wait(30).take().slice(1)).toEqual(["nrpn 1 5 17/127", "nrpn 1 6 34/127"]);
  });

  it("stays what it is when it is chosen again", () => {
    const listening = new Listening().hear("b0 63 00 62 05 06 11 26 01 63 00 62 05").wait(30);
    listening.take();
    expect(listening.hear("26 02").wait(30).take()).toEqual([`nrpn 1 5 ${0x11 * 128 + 2}/16383`]);
  });

  it("goes up and down by steps, within its bounds, once it has a value", () => {
    const listening = new Listening().hear("b0 65 00 64 02 60 00").wait(30);
    listening.take();
    expect(listening.rejects(MidiReject.stepWithoutValue)).toBe(1);
    expect(listening.hear("06 7e 60 00 60 00 61 00").take()).toEqual([
      "rpn 1 2 126/127",
      "rpn 1 2 127/127",
      "rpn 1 2 127/127",
      "rpn 1 2 126/127",
    ]);
    expect(listening.hear("26 00 61 00").take().at(-1)).toBe(`rpn 1 2 ${126 * 128 - 1}/16383`);
  });

  it("is one on each channel", () => {
    const listening = new Listening().hear("b0 63 00 62 05 b1 06 11 b0 06 12 26 00");
    expect(listening.take().slice(1)).toEqual(["cc 2 6 17/127", `nrpn 1 5 ${0x12 * 128}/16383`]);
  });

  it("leaves its controllers to plain knobs as long as none is open", () => {
    expect(new Listening().hear("b0 06 01 26 02 60 03 61 04 63 05 63 06 65 07").take()).toEqual([
      "cc 1 6 1/127",
      "cc 1 38 2/127",
      "cc 1 96 3/127",
      "cc 1 97 4/127",
      "cc 1 99 5/127",
      "cc 1 99 6/127",
      "cc 1 101 7/127",
    ]);
  });
});

describe("a device that goes away", () => {
  it("lets go of the notes it held, each once, and nothing else", () => {
    const listening = new Listening().hear("90 3c 64 3c 65 3e 66 91 3c 67 80 3e 00 ff");
    listening.take();
    listening.controls.release();
    expect(listening.take()).toEqual(["noteOff 1 60 0/127", "noteOff 2 60 0/127"]);
    expect(listening.counters.values[MidiCounter.notesReleased]).toBe(2);
    listening.controls.release();
    expect(listening.take()).toEqual([]);
  });

  it("leaves no half and no parameter behind for the next one", () => {
    const listening = paired().hear("b0 01 12 63 00 62 05 06 11");
    listening.take();
    listening.controls.release();
    expect(listening.wait(50).hear("b0 21 34 06 01").wait(50).take()).toEqual(["cc 1 6 1/127"]);
  });
});
