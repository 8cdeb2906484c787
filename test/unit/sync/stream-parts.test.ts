/** The parts of the stream's two ends: window, requests, repairs, budget. Each is told the time and the bytes. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { Random } from "../../../src/base/random.js";
import { HeartbeatSchedule } from "../../../src/sync/heartbeat-schedule.js";
import { MulticastCheck } from "../../../src/sync/multicast-check.js";
import { NAK_TRIES_MAX, NakDecision, NakSchedule } from "../../../src/sync/nak-schedule.js";
import { Arrival, ReceiveWindow } from "../../../src/sync/receive-window.js";
import { FRAMES_PER_ASK, RepairDesk } from "../../../src/sync/repair-desk.js";
import { SendBudget, WIRED_LIMITS } from "../../../src/sync/send-budget.js";
import { SENT_FRAMES, SentRing } from "../../../src/sync/sent-ring.js";

const START_US = 1_719_964_800_000_000;

function clockAt(nowUs = START_US): Clock {
  const clock = new Clock();
  clock.set(nowUs);
  return clock;
}

describe("the receive window", () => {
  /** Lets all that has arrived act; answers the kept contents that acted, by their byte. */
  function acted(window: ReceiveWindow): number[] {
    const found: number[] = [];
    for (let sequence = window.advance(); sequence > 0; sequence = window.advance()) {
      found.push(window.keptContent(sequence)[0] as number);
      window.release(sequence);
    }
    return found;
  }

  test("lets every frame act once and in order, however they come", () => {
    const order = fc
      .integer({ min: 1, max: 60 })
      .chain((count) =>
        fc
          .array(fc.integer({ min: 1, max: count }), { minLength: count, maxLength: count * 3 })
          .map((list) => ({ count, list })),
      );
    const property = fc.property(order, ({ count, list }) => {
      const window = new ReceiveWindow();
      const found: number[] = [];
      const arrived = new Set<number>();
      for (const sequence of [...list, ...Array.from({ length: count }, (_, index) => count - index)]) {
        const arrival = window.arrive(sequence, START_US);
        expect(arrival === Arrival.duplicate).toBe(arrived.has(sequence));
        arrived.add(sequence);
        if (arrival === Arrival.inOrder) found.push(sequence);
        if (arrival === Arrival.early) window.keep(sequence, Uint8Array.of(sequence), 0, 1);
        found.push(...acted(window));
        const missing = new Float64Array(64);
        const ranges = window.missing(missing, 32);
        const wanted = new Set<number>();
        for (let range = 0; range < ranges; range++) {
          for (let at = missing[range * 2] as number; at <= (missing[range * 2 + 1] as number); at++) wanted.add(at);
        }
        const newest = Math.max(...arrived);
        const lacking = Array.from({ length: newest }, (_, index) => index + 1).filter((at) => !arrived.has(at));
        expect([...wanted]).toEqual(lacking);
        expect(window.hasGap).toBe(lacking.length > 0);
      }
      expect(found).toEqual(Array.from({ length: count }, (_, index) => index + 1));
      expect([window.complete, window.newest]).toEqual([count, count]);
    });
    fc.assert(property, { numRuns: 100 });
  });

  test("keeps nothing of a slot's last frame when the slot comes round again", () => {
    const window = new ReceiveWindow();
    for (let sequence = 1; sequence <= SENT_FRAMES * 3; sequence += 2) {
      expect(window.arrive(sequence + 1, START_US)).toBe(Arrival.early);
      const isKept = sequence % 4 === 1;
      if (isKept) window.keep(sequence + 1, Uint8Array.of(7), 0, 1);
      expect(window.arrive(sequence, START_US)).toBe(Arrival.inOrder);
      expect(acted(window)).toEqual(isKept ? [7] : []);
    }
    expect(window.hasGap).toBe(false);
  });

  test("keeps nothing of a frame that came early and again in its turn", () => {
    const window = new ReceiveWindow();
    const [early, later] = [2, 2 + SENT_FRAMES];
    window.arrive(early, START_US);
    window.keep(early, Uint8Array.of(7), 0, 1);
    // As a conflated round brings them: one after the other, with nothing in between.
    expect([window.arrive(1, START_US), window.arrive(early, START_US)]).toEqual([Arrival.inOrder, Arrival.inOrder]);
    for (let sequence = 3; sequence <= later - 2; sequence++) window.arrive(sequence, START_US);
    expect(window.arrive(later, START_US)).toBe(Arrival.early);
    window.arrive(later - 1, START_US);
    expect(acted(window)).toEqual([]);
    expect(window.complete).toBe(later);
  });

  test("knows a frame that is too far ahead to be repaired", () => {
    const window = new ReceiveWindow();
    window.restart(100);
    expect(window.arrive(100 + SENT_FRAMES, START_US)).toBe(Arrival.beyond);
    expect([window.hear(100 + SENT_FRAMES, START_US), window.newest]).toEqual([false, 100]);
    expect(window.arrive(99 + SENT_FRAMES, START_US)).toBe(Arrival.early);
    expect(window.arrive(100, START_US)).toBe(Arrival.duplicate);
  });

  test("holds what comes before the snapshot, and lets it act after", () => {
    const window = new ReceiveWindow();
    window.restart(10);
    for (const sequence of [12, 11, 14, 12]) window.hold(sequence, Uint8Array.of(sequence), 0, 1, START_US);
    expect([window.complete, window.newest]).toEqual([10, 14]);
    expect(acted(window)).toEqual([11, 12]);
    expect(window.arrive(13, START_US)).toBe(Arrival.inOrder);
    expect(acted(window)).toEqual([14]);
    expect(window.hold(14, Uint8Array.of(1), 0, 1, START_US)).toBe(false);
  });

  test("remembers when a frame was first heard of, by itself or by one after it", () => {
    const window = new ReceiveWindow();
    window.arrive(1, START_US + 1);
    window.arrive(4, START_US + 2);
    window.arrive(3, START_US + 3);
    window.hear(6, START_US + 4);
    window.arrive(5, START_US + 5);
    const heard = [1, 2, 3, 4, 5, 6].map((sequence) => window.heardAtUs(sequence) - START_US);
    expect(heard).toEqual([1, 2, 2, 2, 4, 4]);
  });

  test("names at most as many ranges as asked for, the oldest first", () => {
    const window = new ReceiveWindow();
    for (let sequence = 2; sequence <= 100; sequence += 2) window.arrive(sequence, START_US);
    const ranges = new Float64Array(32);
    expect(window.missing(ranges, 16)).toBe(16);
    expect([...ranges.subarray(0, 4), ...ranges.subarray(30)]).toEqual([1, 1, 3, 3, 31, 31]);
  });
});

describe("the request for missing frames", () => {
  test("waits for the journal, at most 4 ms, then asks ever slower and gives up after eight", () => {
    for (let seed = 1; seed < 50; seed++) {
      const clock = clockAt();
      const naks = new NakSchedule(clock, new Random(seed));
      expect([naks.dueUs, naks.decide()]).toEqual([Number.POSITIVE_INFINITY, NakDecision.wait]);
      naks.observe(5);
      expect(naks.dueUs - START_US).toBeLessThanOrEqual(4_000);
      const asked: number[] = [];
      for (;;) {
        clock.set(naks.dueUs - 1);
        expect(naks.decide()).toBe(NakDecision.wait);
        clock.set(naks.dueUs);
        const decision = naks.decide();
        if (decision === NakDecision.giveUp) break;
        expect(decision).toBe(NakDecision.ask);
        asked.push(clock.nowUs);
      }
      const gaps = asked.slice(1).map((at, index) => at - (asked[index] as number));
      expect(asked).toHaveLength(NAK_TRIES_MAX);
      expect(gaps).toEqual([...gaps].sort((left, right) => left - right));
      expect(Math.max(...gaps)).toBeLessThanOrEqual(100_000);
    }
  });

  test("begins anew with progress, and ends when nothing is missing", () => {
    const clock = clockAt();
    const naks = new NakSchedule(clock, new Random(1));
    naks.observe(5);
    for (let time = 0; time < 7; time++) {
      clock.set(naks.dueUs);
      expect(naks.decide()).toBe(NakDecision.ask);
    }
    const { dueUs } = naks;
    naks.observe(5);
    expect(naks.dueUs).toBe(dueUs);
    naks.observe(6);
    expect(naks.dueUs).toBeLessThanOrEqual(clock.nowUs + 4_000);
    for (let time = 0; time < 2; time++) {
      clock.set(naks.dueUs);
      expect(naks.decide()).toBe(NakDecision.ask);
    }
    naks.observe(0);
    clock.set(clock.nowUs + 1e9);
    expect(naks.decide()).toBe(NakDecision.wait);
  });

  test("of many followers comes from few at first", () => {
    const clock = clockAt();
    const early = Array.from({ length: 1_000 }, (_, seed) => {
      const naks = new NakSchedule(clock, new Random(seed));
      naks.observe(1);
      return naks.dueUs - START_US;
    }).filter((delay) => delay < 1_000);
    expect(early.length).toBeLessThan(100);
    expect(early.length).toBeGreaterThan(0);
  });
});

describe("the repair desk", () => {
  const [one, two] = [
    { address: "10.0.0.1", port: 1 },
    { address: "10.0.0.2", port: 1 },
  ];

  function desk(frames: number) {
    const clock = clockAt();
    const sent = new SentRing();
    for (let frame = 0; frame < frames; frame++) sent.append(20);
    const repairs = new RepairDesk(clock, sent);
    const sends: (readonly [number, string | undefined])[] = [];
    const pass = (us: number): void => {
      clock.set(clock.nowUs + us);
      repairs.tick((sequence, target) => sends.push([sequence, target?.address]));
    };
    return { repairs, sends, pass, clock };
  }

  test("sends what one asks for to that one, what two ask for to all, after a moment", () => {
    const { repairs, sends, pass } = desk(20);
    repairs.ask([3, 5], one);
    repairs.ask([5, 6], two);
    repairs.ask([3, 3], one);
    pass(999);
    expect(sends).toEqual([]);
    pass(1);
    expect(sends).toEqual([
      [3, "10.0.0.1"],
      [4, "10.0.0.1"],
      [5, undefined],
      [6, "10.0.0.2"],
    ]);
  });

  test("does not send again within 5 ms what is on its way", () => {
    const { repairs, sends, pass } = desk(20);
    repairs.ask([3, 3], one);
    pass(1_000);
    repairs.ask([3, 3], two);
    pass(3_000);
    expect(sends).toHaveLength(1);
    pass(2_000);
    repairs.ask([3, 3], two);
    pass(1_000);
    expect(sends).toHaveLength(2);
  });

  test("refuses what the ring no longer holds, and what was never sent", () => {
    const { repairs, sends, pass } = desk(SENT_FRAMES + 10);
    repairs.ask([10, 12, 11, 12], one);
    expect(repairs.tooOld).toBe(1);
    repairs.ask([SENT_FRAMES + 10, 2 ** 53], one);
    repairs.ask([SENT_FRAMES + 11, 2 ** 53], one);
    expect(repairs.tooOld).toBe(2);
    pass(1_000);
    expect(sends.map(([sequence]) => sequence)).toEqual([11, 12, SENT_FRAMES + 10]);
  });

  test("looks at no more frames for one request than it may name, the lowest first, however its ranges overlap", () => {
    const { repairs, sends, pass } = desk(SENT_FRAMES);
    const whole = Array.from({ length: 16 }, () => [1, SENT_FRAMES]).flat();
    repairs.ask(whole, one);
    for (let ms = 0; ms < 1_000; ms++) pass(1_000);
    expect(sends.map(([sequence]) => sequence)).toEqual(
      Array.from({ length: FRAMES_PER_ASK }, (_, index) => index + 1),
    );
  });

  test("a flood of requests brings no more than its share of the packets, and every frame once in 5 ms", () => {
    const { repairs, sends, pass } = desk(SENT_FRAMES);
    for (let ms = 0; ms < 1_000; ms++) {
      for (let ask = 0; ask < 20; ask++)
        repairs.ask([1 + ((ms * 20 + ask) % SENT_FRAMES), SENT_FRAMES], ask % 2 === 0 ? one : two);
      pass(1_000);
    }
    expect(sends.length).toBeLessThanOrEqual(5_000 + 100);
  });

  test("spends at most 5,000 packets a second, and gets through all it took", () => {
    const { repairs, sends, pass } = desk(3_000);
    for (let first = 1; first <= 3_000; first += FRAMES_PER_ASK) repairs.ask([first, 3_000], one);
    pass(1_000);
    expect(sends.length).toBeLessThanOrEqual(100);
    for (let ms = 0; ms < 100; ms++) pass(1_000);
    expect(sends.length).toBeLessThanOrEqual(100 + 505);
    for (let ms = 0; ms < 200; ms++) pass(1_000);
    expect(sends.map(([sequence]) => sequence)).toEqual(Array.from({ length: 1_024 }, (_, index) => index + 1));
    expect(repairs.dueUs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("the send budget", () => {
  test("lets a fader of 1 kHz go out at once, always", () => {
    const clock = clockAt();
    const budget = new SendBudget(clock, WIRED_LIMITS);
    for (let ms = 0; ms < 10_000; ms++) {
      clock.set(START_US + ms * 1_000);
      expect(budget.takeFlush()).toBe(true);
      budget.spend(200);
    }
    expect(budget.waits).toBe(0);
  });

  test.each([
    ["flushes", { ...WIRED_LIMITS, flushesPerSecond: 100, flushBurst: 5 }, 200, 105],
    ["packets", { ...WIRED_LIMITS, packetsPerSecond: 500 }, 200, 564],
    ["bits", { ...WIRED_LIMITS, bitsPerSecond: 8e6 }, 1_200, (1e6 + 65_536) / 1_200 + 1],
  ] as const)("gives no more %s in a second than its rate and burst", (_name, limits, bytes, most) => {
    const clock = clockAt();
    const budget = new SendBudget(clock, limits);
    let sent = 0;
    for (let step = 0; step < 10_000; step++) {
      clock.set(START_US + step * 100);
      if (!budget.takeFlush()) continue;
      budget.spend(bytes);
      sent++;
    }
    expect(sent).toBeLessThanOrEqual(most);
    expect(sent).toBeGreaterThan(most * 0.9);
  });

  test("stands still while the clock does, and when it goes back", () => {
    const clock = clockAt();
    const budget = new SendBudget(clock, { ...WIRED_LIMITS, flushBurst: 2 });
    expect([budget.takeFlush(), budget.takeFlush(), budget.takeFlush()]).toEqual([true, true, false]);
    clock.set(START_US - 1e6);
    expect(budget.takeFlush()).toBe(false);
    expect(budget.waits).toBe(2);
  });
});

describe("heartbeats", () => {
  test("follow a change four times within 60 ms, once more, and then every 100", () => {
    const clock = clockAt();
    const schedule = new HeartbeatSchedule(clock);
    schedule.start();
    expect([schedule.take(), schedule.takeAnnouncement()]).toEqual([true, true]);
    schedule.onChange();
    const beats: number[] = [];
    for (let us = 0; us <= 500_000; us += 100) {
      clock.set(START_US + us);
      if (schedule.take()) beats.push(us);
    }
    expect(beats.slice(0, 7)).toEqual([3_500, 10_500, 24_500, 52_500, 108_500, 208_500, 308_500]);
    schedule.stop();
    clock.set(START_US + 1e9);
    expect([schedule.take(), schedule.takeAnnouncement(), schedule.dueUs]).toEqual([
      false,
      false,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test.each([
    ["quiet", 100_000, () => {}],
    ["a stream that never pauses", 200_000, (schedule: HeartbeatSchedule) => schedule.onChange()],
  ])("are announced to all: %s, every %i us", (_name, everyUs, onTick) => {
    const clock = clockAt();
    const schedule = new HeartbeatSchedule(clock);
    schedule.start();
    const announced: number[] = [];
    for (let us = 0; us <= 1_000_000; us += 1_000) {
      clock.set(START_US + us);
      onTick(schedule);
      if (clock.nowUs < schedule.dueUs) continue;
      schedule.take();
      if (schedule.takeAnnouncement()) announced.push(us);
    }
    expect(announced).toEqual(Array.from({ length: 1e6 / everyUs + 1 }, (_, index) => index * everyUs));
  });
});

describe("the check of one's own multicast", () => {
  test("says blocked when three frames have not come back in two seconds, and not after one has", () => {
    const clock = clockAt();
    const check = new MulticastCheck(clock);
    clock.set(START_US + 10e6);
    expect(check.isBlocked).toBe(false);
    check.onSent();
    check.onSent();
    clock.set(START_US + 13e6);
    expect(check.isBlocked).toBe(false);
    check.onSent();
    expect(check.isBlocked).toBe(true);
    check.onHeard();
    expect(check.isBlocked).toBe(false);
    for (let ms = 0; ms < 5_000; ms++) {
      clock.set(START_US + 13e6 + ms * 1_000);
      check.onSent();
      if (ms % 1_500 === 0) check.onHeard();
      expect(check.isBlocked).toBe(false);
    }
  });
});
