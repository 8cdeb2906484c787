/**
 * Learn pair: whether two controllers, n and n + 32, are the halves of one value, by all that they said.
 *
 * How soon one comes after the other tells little: a host that stalls parts the halves of a pair, and a device that
 * looks at its faders every 10 ms sends two that are moved by two hands within a millisecond. Values tell. An absolute
 * control never says the same twice, and goes on from where it is. Of a pair one half is said again because the other
 * moved, and the low one leaps from one end of its way to the other whenever the high one goes on. Only when too little
 * came for that does time decide: two controls at once are rarer than a pair. Pure.
 */
import type { Sample } from "./learn-candidate.js";

/** What makes a value whole: the low half behind the high one, or the high one behind the low. */
export const PairOrder = { highFirst: "high first", lowFirst: "low first" } as const;
export type PairOrder = (typeof PairOrder)[keyof typeof PairOrder];

/** Fewer values than this are no pair. */
const VALUES_MIN = 2;
/** Share of the high halves that have a low one next to them, always on the same side. */
const TOGETHER_MIN = 0.6;
/** What a control goes in one message is less than this, unless it is thrown from end to end. */
const LEAP = 32;
/** Share of the steps that no two controls make, and how many there must be. */
const TIED_MIN = 0.1;
const TIED_STEPS_MIN = 2;
/** As many steps without that are two controls, however close in time. */
const STEPS_SURE = 8;
/** Halves of one value come within this of each other, when nothing stalls. */
const BESIDE_US = 5_000;
/** Values of the right order are smoother than torn ones, mostly by far more. */
const SMOOTHER = 0.5;
const LOW_HALF = 128;

/** Which half comes first; undefined: they are two controls. Both in the order in which they came. */
export function pairOf(high: readonly Sample[], low: readonly Sample[]): PairOrder | undefined {
  const halves = [...high.map((one) => halfOf(one, true)), ...low.map((one) => halfOf(one, false))];
  halves.sort((one, other) => one.order - other.order);
  const orders = [PairOrder.highFirst, PairOrder.lowFirst].map((order) => valuesOf(halves, order));
  const [highFirst, lowFirst] = orders as [Value[], Value[]];
  const needed = Math.max(VALUES_MIN, high.length * TOGETHER_MIN);
  if (Math.max(highFirst.length, lowFirst.length) < needed) return undefined;
  const order = orderOf(halves);
  return areTied(order === PairOrder.highFirst ? highFirst : lowFirst) ? order : undefined;
}

interface Half extends Sample {
  readonly isHigh: boolean;
}

/** Two halves that came one behind the other, and what each was before; NaN: nothing. */
interface Value {
  readonly high: number;
  readonly low: number;
  readonly highBefore: number;
  readonly lowBefore: number;
  readonly apartUs: number;
}

function halfOf(sample: Sample, isHigh: boolean): Half {
  return { ...sample, isHigh };
}

/** What the halves come to if the one or the other comes first. */
function valuesOf(halves: readonly Half[], order: PairOrder): Value[] {
  const isHighFirst = order === PairOrder.highFirst;
  const values: Value[] = [];
  let [highBefore, lowBefore] = [Number.NaN, Number.NaN];
  for (const [index, half] of halves.entries()) {
    const next = halves[index + 1];
    if (next !== undefined && half.isHigh === isHighFirst && next.isHigh !== isHighFirst) {
      const [high, low] = (isHighFirst ? [half, next] : [next, half]).map(({ value }) => value) as [number, number];
      values.push({ high, low, highBefore, lowBefore, apartUs: next.atUs - half.atUs });
    }
    if (half.isHigh) highBefore = half.value;
    else lowBefore = half.value;
  }
  return values;
}

/** Whether the two do what two controls would not. */
function areTied(values: readonly Value[]): boolean {
  const steps = values.length - 1;
  const tied = values.filter(({ high, low, highBefore, lowBefore }) => {
    const went = Math.abs(low - lowBefore);
    return high === highBefore || went === 0 || went > LEAP;
  }).length;
  if (tied >= TIED_STEPS_MIN && tied >= steps * TIED_MIN) return true;
  const beside = values.filter(({ apartUs }) => apartUs <= BESIDE_US).length;
  return steps < STEPS_SURE && beside >= values.length * TOGETHER_MIN;
}

/** By the values, where one order makes them smooth and the other torn; else before the first half lies the longer pause. */
function orderOf(halves: readonly Half[]): PairOrder {
  const [highFirst, lowFirst] = [roughnessOf(halves, PairOrder.highFirst), roughnessOf(halves, PairOrder.lowFirst)];
  if (highFirst < lowFirst * SMOOTHER) return PairOrder.highFirst;
  if (lowFirst < highFirst * SMOOTHER) return PairOrder.lowFirst;
  let first = 0;
  for (let index = 1; index + 1 < halves.length; index++) {
    const [before, half, after] = halves.slice(index - 1, index + 2) as [Half, Half, Half];
    if (half.atUs - before.atUs > after.atUs - half.atUs) first += half.isHigh ? 1 : -1;
  }
  return first >= 0 ? PairOrder.highFirst : PairOrder.lowFirst;
}

/** How much the way from value to value changes on average, if the one or the other half comes first. */
function roughnessOf(halves: readonly Half[], order: PairOrder): number {
  const all = wholeOf(halves, order);
  let sum = 0;
  for (let index = 2; index < all.length; index++) {
    const [first, middle, last] = all.slice(index - 2, index + 1) as [number, number, number];
    sum += Math.abs(last - 2 * middle + first);
  }
  return sum / Math.max(1, all.length - 2);
}

/** The value after each half, but for those that wait for another. */
function wholeOf(halves: readonly Half[], order: PairOrder): number[] {
  const isHighFirst = order === PairOrder.highFirst;
  let [high, low] = [Number.NaN, Number.NaN];
  return halves.flatMap(({ isHigh, value }, index) => {
    if (isHigh) high = value;
    else low = value;
    const next = halves[index + 1];
    const waits = isHigh === isHighFirst && next !== undefined && next.isHigh !== isHighFirst;
    const whole = high * LOW_HALF + low;
    return waits || Number.isNaN(whole) ? [] : [whole];
  });
}
