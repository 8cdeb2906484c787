/** Clock sync: two crystals and a network with unequal ways; what is said of the error must be true. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { Random } from "../../../src/base/random.js";
import { ClockSync } from "../../../src/sync/clock-sync.js";

const START_US = 1_719_964_800_000_000;
const TICK_US = 20_000;

interface World {
  /** How far the follower's own clock is ahead of the truth, and how fast it runs. */
  readonly aheadUs: number;
  readonly rate: number;
  /** A way takes between these, drawn anew for each. */
  readonly thereUs: readonly [number, number];
  readonly backUs: readonly [number, number];
  readonly loss: number;
  readonly seed: number;
}

const LAN: World = { aheadUs: 0, rate: 1, thereUs: [60, 300], backUs: [60, 300], loss: 0, seed: 1 };

/** A follower whose controller's session time is the truth plus `controllerAheadUs`. */
class Pair {
  readonly clock = new Clock();
  readonly sync: ClockSync;
  private readonly chance: Random;
  private readonly world: World;
  truthUs = START_US;
  controllerAheadUs = 0;
  isCut = false;
  steps: number[] = [];

  constructor(world: Partial<World>) {
    this.world = { ...LAN, ...world };
    this.chance = new Random(this.world.seed);
    this.sync = new ClockSync(this.clock, this.chance);
    this.clock.set(this.ownUs(this.truthUs));
    this.sync.follow();
  }

  private ownUs(truthUs: number): number {
    return START_US + this.world.aheadUs + (truthUs - START_US) * this.world.rate;
  }

  private between([low, high]: readonly [number, number]): number {
    return low + this.chance.next() * (high - low);
  }

  /** What is really wrong now. */
  get errorUs(): number {
    this.clock.set(this.ownUs(this.truthUs));
    return Math.abs(this.clock.sessionUs - (this.truthUs + this.controllerAheadUs));
  }

  run(seconds: number, each: () => void = () => {}): void {
    const endUs = this.truthUs + seconds * 1e6;
    while (this.truthUs < endUs) {
      this.truthUs += TICK_US;
      this.clock.set(this.ownUs(this.truthUs));
      this.sync.steer();
      if (this.sync.isAskDue) this.exchange();
      each();
    }
  }

  private exchange(): void {
    const { sync, world, chance } = this;
    const askedUs = this.clock.nowUs;
    const number = sync.ask(askedUs);
    const cameUs = this.truthUs + this.between(world.thereUs);
    const leftUs = cameUs + chance.next() * 40;
    if (this.isCut || chance.next() < world.loss) return;
    this.truthUs = leftUs + this.between(world.backUs);
    this.clock.set(this.ownUs(this.truthUs));
    const stepUs = sync.take({
      askedUs: sync.takeAsked(number),
      receivedUs: Math.round(cameUs + this.controllerAheadUs),
      answeredUs: Math.round(leftUs + this.controllerAheadUs),
      heardUs: this.clock.nowUs,
    });
    if (stepUs !== 0) this.steps.push(stepUs);
  }
}

describe("a joiner", () => {
  test.each([3_600_000_000, -3_600_000_000, 40_000, -900])(
    "whose clock is %d us off has session time at once",
    (aheadUs) => {
      const pair = new Pair({ aheadUs });
      expect(pair.sync.boundUs).toBe(Number.POSITIVE_INFINITY);
      pair.run(0.5);
      expect(pair.errorUs).toBeLessThan(200);
      expect(pair.sync.boundUs).toBeLessThan(3_000);
      expect(pair.steps[0]).toBeCloseTo(-aheadUs, -3);
    },
  );

  test("takes the time of a heartbeat while it knows nothing, and never after", () => {
    const pair = new Pair({ aheadUs: 3_600_000_000 });
    expect(pair.sync.hint(START_US - 400)).toBeCloseTo(-3_600_000_400, 0);
    expect(pair.errorUs).toBeLessThan(1_000);
    expect(pair.sync.boundUs).toBe(Number.POSITIVE_INFINITY);
    pair.run(1);
    expect(pair.sync.hint(START_US)).toBe(0);
  });
});

describe("the error that is reported", () => {
  const world = fc.record({
    aheadUs: fc.integer({ min: -3_600_000_000, max: 3_600_000_000 }),
    rate: fc.double({ min: 0.99, max: 1.01, noNaN: true }),
    thereUs: fc.tuple(fc.nat(500), fc.integer({ min: 500, max: 40_000 })),
    backUs: fc.tuple(fc.nat(500), fc.integer({ min: 500, max: 5_000 })),
    loss: fc.constantFrom(0, 0.1, 0.5),
    seed: fc.nat(1e6),
  });

  test("is never less than the true one, whatever the crystal, the ways and the loss", () => {
    const property = fc.property(world, (drawn) => {
      const pair = new Pair(drawn);
      pair.run(45, () => {
        expect(pair.errorUs).toBeLessThanOrEqual(pair.sync.boundUs);
      });
    });
    fc.assert(property, { numRuns: 60, seed: 20_261_122 });
  });

  test("is never less where one way takes all of a long round trip, and the crystal is slow", () => {
    const pair = new Pair({ rate: 0.964, thereUs: [0, 0], backUs: [38_000, 38_000] });
    let worst = 0;
    pair.run(1, () => {
      if (pair.sync.exchanges > 0) worst = Math.max(worst, pair.errorUs - pair.sync.boundUs);
    });
    expect(pair.sync.exchanges).toBeGreaterThan(0);
    expect(worst).toBeLessThanOrEqual(0);
  });

  test("is never less when the way there was long, gets short, and the crystal is slow", () => {
    const thereUs: [number, number] = [41_000, 41_000];
    const pair = new Pair({ rate: 0.965, thereUs, backUs: [0, 0] });
    let worst = 0;
    const look = (): void => {
      if (pair.sync.exchanges > 0) worst = Math.max(worst, pair.errorUs - pair.sync.boundUs);
    };
    pair.run(0.6, look);
    thereUs.fill(270);
    pair.run(3, look);
    expect(pair.sync.exchanges).toBeGreaterThan(8);
    expect(worst).toBeLessThanOrEqual(0);
  });

  test("is small on a wire: 500 us in half a minute, and the true one is 150 at most", () => {
    for (const rate of [1, 1 + 50e-6, 1 - 50e-6]) {
      for (let seed = 1; seed <= 50; seed++) {
        const pair = new Pair({ rate, seed });
        pair.run(30);
        expect(pair.errorUs).toBeLessThan(150);
        expect(pair.sync.boundUs).toBeLessThan(500);
      }
    }
  });

  test("grows while the controller does not answer", () => {
    const pair = new Pair({ rate: 1 + 20e-6 });
    pair.run(20);
    const before = pair.sync.boundUs;
    pair.isCut = true;
    pair.run(60);
    expect(pair.sync.boundUs).toBeGreaterThan(before);
    expect(pair.errorUs).toBeLessThanOrEqual(pair.sync.boundUs);
  });
});

describe("session time", () => {
  /** The largest difference between what session time and own time did in a tick, as a share. */
  function steepest(pair: Pair, seconds: number): number {
    let [own, session] = [pair.clock.nowUs, pair.clock.sessionUs];
    let steepestGain = 0;
    pair.run(seconds, () => {
      const ownUs = pair.clock.nowUs - own;
      const gain = (pair.clock.sessionUs - session - ownUs) / ownUs;
      steepestGain = Math.max(steepestGain, Math.abs(gain));
      [own, session] = [pair.clock.nowUs, pair.clock.sessionUs];
    });
    return steepestGain;
  }

  test("is slewed by 500 ppm at most when another controller's differs", () => {
    const pair = new Pair({ seed: 5 });
    pair.run(40);
    pair.controllerAheadUs = 20_000;
    pair.sync.follow();
    const steps = pair.sync.steps;
    expect(steepest(pair, 20)).toBeLessThan(600e-6);
    expect(pair.sync.steps).toBe(steps);
    pair.run(40);
    expect(pair.errorUs).toBeLessThan(300);
  });

  test("steps to a controller of another mesh's time", () => {
    const pair = new Pair({});
    pair.run(5);
    pair.controllerAheadUs = -60_000_000;
    pair.sync.follow();
    pair.run(1);
    expect(pair.errorUs).toBeLessThan(500);
  });

  test("goes on as it went when this node takes control", () => {
    const pair = new Pair({ rate: 1.01, aheadUs: 77_000_000 });
    pair.run(40);
    const gap = pair.errorUs;
    const before = pair.clock.sessionUs;
    pair.sync.lead();
    pair.clock.follow();
    expect(pair.clock.sessionUs).toBeCloseTo(before, 0);
    expect(pair.sync.boundUs).toBe(0);
    pair.run(10);
    // At its crystal's rate it would be 100 ms off by now.
    expect(pair.errorUs).toBeLessThan(gap + 1_000);
  });

  test("is led no faster than two crystals differ, whatever the mesh's pace has become", () => {
    const pair = new Pair({ rate: 1.035 });
    pair.run(40);
    const before = pair.clock.sessionUs;
    const { truthUs } = pair;
    pair.sync.lead();
    pair.clock.follow();
    expect(pair.clock.sessionUs).toBeCloseTo(before, 0);
    pair.run(10);
    const pace = (pair.clock.sessionUs - before) / (pair.truthUs - truthUs) / 1.035;
    expect(pace).toBeCloseTo(1 - 0.018, 4);
  });

  test("is found again when a crystal changes", () => {
    const pair = new Pair({ rate: 1, seed: 9 });
    pair.run(30);
    pair.controllerAheadUs = 5_000;
    pair.run(30);
    expect(pair.sync.contradictions).toBe(1);
    expect(pair.errorUs).toBeLessThan(500);
    expect(pair.sync.boundUs).toBeGreaterThanOrEqual(pair.errorUs);
  });
});

describe("an answer", () => {
  test("counts once, and only to a question that was asked lately", () => {
    const pair = new Pair({});
    const first = pair.sync.ask(5);
    expect([pair.sync.takeAsked(first), pair.sync.takeAsked(first), pair.sync.takeAsked(first + 1)]).toEqual([5, 0, 0]);
    const second = pair.sync.ask(6);
    for (let more = 0; more < 8; more++) pair.sync.ask(7);
    expect(pair.sync.takeAsked(second)).toBe(0);
    const third = pair.sync.ask(8);
    pair.sync.follow();
    expect(pair.sync.takeAsked(third)).toBe(0);
  });

  test("to an earlier boot says nothing: questions are not numbered from 1", () => {
    const numbers = [1, 2, 3, 4].map((seed) => new Pair({ seed }).sync.ask(5));
    expect(new Set(numbers).size).toBe(4);
    expect(Math.min(...numbers)).toBeGreaterThan(100);
  });

  test("after two seconds, or before the question, says nothing", () => {
    const pair = new Pair({});
    const { clock, sync } = pair;
    const exchange = { receivedUs: 5e15, answeredUs: 5e15, heardUs: clock.nowUs };
    expect(sync.take({ ...exchange, askedUs: clock.nowUs - 2_100_000 })).toBe(0);
    expect(sync.take({ ...exchange, askedUs: clock.nowUs + 100 })).toBe(0);
    expect(sync.exchanges).toBe(0);
  });
});
