/** Halves of one value, or two controls: told from what both say in the time that learning takes. */
import { describe, expect, it } from "vitest";
import { Random } from "../../../src/base/random.js";
import type { Sample } from "../../../src/input/learn-candidate.js";
import { PairOrder, pairOf } from "../../../src/input/learn-pair.js";

const MS = 1_000;
const HIGH = true;
const LOW = false;

/** Messages of two controllers, in order. */
class Said {
  private readonly high: Sample[] = [];
  private readonly low: Sample[] = [];
  private atUs = 0;
  private order = 0;

  say(isHigh: boolean, value: number, gapMs: number): this {
    this.atUs += gapMs * MS;
    (isHigh ? this.high : this.low).push({ value, atUs: this.atUs, order: this.order++ });
    return this;
  }

  pair(): PairOrder | undefined {
    return pairOf(this.high, this.low);
  }
}

/** The way of a hand, as values of fourteen bits: slow at first, `top` a message at its fastest, slow at last. */
function wayOf(messages: number, top: number, from = 1_000): number[] {
  let value = from;
  return Array.from({ length: messages }, (_, index) => {
    value += Math.round(top * Math.sin((Math.PI * index) / messages));
    return Math.min(16_383, value);
  });
}

/** Each value as two halves, `gapMs` apart, `restMs` between values. */
function halves(values: readonly number[], order: PairOrder, gapMs: () => number, restMs: () => number): Said {
  const said = new Said();
  const isHighFirst = order === PairOrder.highFirst;
  for (const value of values) {
    const [high, low] = [value >> 7, value & 127];
    said.say(isHighFirst, isHighFirst ? high : low, restMs()).say(!isHighFirst, isHighFirst ? low : high, gapMs());
  }
  return said;
}

/** Two faders, each going its own way, each with its own time. */
function faders(high: readonly number[], low: readonly number[], lagMs: number, periodMs: number): Said {
  const said = new Said();
  for (let index = 0; index < high.length; index++) {
    const next = low[index];
    said.say(HIGH, high[index] as number, periodMs - lagMs);
    if (next !== undefined) said.say(LOW, next, lagMs);
  }
  return said;
}

const count = (from: number, to: number): number[] =>
  Array.from({ length: Math.abs(to - from) }, (_, index) => from + Math.sign(to - from) * index);

describe.each(Object.values(PairOrder))("halves of one value, the %s", (order) => {
  const random = new Random(5);
  it.each([
    ["a millisecond apart", () => 1, () => 5],
    ["as long apart as the values", () => 5, () => 5],
    ["parted by a host that stalls each time", () => 20, () => 2],
    ["parted by a host that stalls now and then", () => (random.next() < 0.3 ? 40 : 1), () => 6],
    ["all at one time, after a stall", () => 0, () => 0],
  ])("are one control: %s", (_, gapMs, restMs) => {
    for (const [messages, top] of [
      [12, 300],
      [30, 130],
      [40, 90],
      [60, 40],
      [60, 8],
    ] as const) {
      const told = halves(wayOf(messages, top), order, gapMs, restMs).pair();
      expect(told, `${messages} messages, ${top} at most`).toBeDefined();
      if (top >= 40) expect(told, `${messages} messages, ${top} at most`).toBe(order);
    }
  });

  it("are one control also when only a few come, within a millisecond", () => {
    expect(
      halves(
        [5_000, 5_100, 5_220],
        order,
        () => 1,
        () => 8,
      ).pair(),
    ).toBe(order);
  });
});

describe("halves of one value", () => {
  it("are one control when the high one is only said as it changes", () => {
    const said = new Said();
    let before = -1;
    for (const value of wayOf(60, 60)) {
      if (value >> 7 !== before) said.say(HIGH, value >> 7, 5);
      said.say(LOW, value & 127, 8);
      before = value >> 7;
    }
    expect(said.pair()).toBe(PairOrder.highFirst);
  });

  it("are one control when the low one says nothing of its own: always 0, or the same as the high one", () => {
    const values = count(20, 60);
    expect(
      halves(
        values.map((value) => value << 7),
        PairOrder.highFirst,
        () => 20,
        () => 5,
      ).pair(),
    ).toBeDefined();
    expect(
      halves(
        values.map((value) => value << 7),
        PairOrder.highFirst,
        () => 1,
        () => 5,
      ).pair(),
    ).toBeDefined();
  });
});

describe("two controls whose numbers are 32 apart", () => {
  it.each([
    ["one after the other in time, at random", 4, 9],
    ["read out together by their device, a millisecond apart", 1, 10],
  ])("are none, moved by two hands: %s", (_, lagMs, periodMs) => {
    for (const [high, low] of [
      [count(20, 60), count(10, 50)],
      [count(20, 60), count(90, 50)],
      [count(0, 120).filter((value) => value % 5 === 0), count(120, 0).filter((value) => value % 7 === 0)],
      [wayOf(40, 400).map((value) => value >> 7), wayOf(40, 250).map((value) => value >> 7)],
    ] as const) {
      const moved = (values: readonly number[]): number[] =>
        values.filter((value, index) => value !== values[index - 1]);
      expect(faders(moved(high), moved(low), lagMs, periodMs).pair()).toBeUndefined();
    }
  });

  it("are none, moved one behind the other", () => {
    const said = new Said();
    for (const value of count(0, 30)) said.say(HIGH, value, 5);
    for (const value of count(0, 20)) said.say(LOW, value, 3);
    expect(said.pair()).toBeUndefined();
  });

  it("are none, one moved and one that trembles", () => {
    const tremble = count(0, 40).map((index) => 64 + (index % 2));
    expect(faders(count(20, 60), tremble, 1, 10).pair()).toBeUndefined();
  });
});
