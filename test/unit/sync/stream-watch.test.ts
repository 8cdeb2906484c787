/** Stream watch and unicast copies: when a follower asks for the stream, how long it gets it, how many may have it. */
import { describe, expect, test } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { StreamTrouble, StreamWatch } from "../../../src/sync/stream-watch.js";
import { COPIES_MAX, LEASE_US, UnicastCopies } from "../../../src/sync/unicast-copies.js";
import { readStreamAsk, StreamAskKind, writeStreamAsk } from "../../../src/wire/stream-ask.js";

const TICK_US = 20_000;

class Follower {
  readonly clock = new Clock();
  readonly watch: StreamWatch;
  hearsStream = true;
  hearsMeeting = true;
  /** What comes by unicast also shows that the controller lives. */
  hearsAny = true;
  asks: number[] = [];
  private heardUs = 0;

  constructor() {
    this.clock.set(1e15);
    this.watch = new StreamWatch(this.clock);
    this.watch.restart();
    this.heardUs = 1e15;
  }

  run(ms: number): void {
    for (let passed = 0; passed < ms; passed += TICK_US / 1_000) {
      this.clock.set(this.clock.nowUs + TICK_US);
      const isBeat = Math.round(this.clock.nowUs / TICK_US) % 5 === 0;
      if (isBeat && this.hearsStream) this.watch.heardStream();
      if (isBeat && this.hearsMeeting) this.watch.heardMeeting();
      if (isBeat && (this.hearsStream || this.hearsMeeting || this.hearsAny)) this.heardUs = this.clock.nowUs;
      if (this.watch.tick(this.clock.nowUs - this.heardUs)) this.asks.push(this.clock.nowUs);
    }
  }
}

describe("a follower", () => {
  test("that hears the stream asks for nothing", () => {
    const follower = new Follower();
    follower.run(60_000);
    expect([follower.asks.length, follower.watch.finding]).toEqual([0, StreamTrouble.none]);
  });

  test("whose stream is silent asks within half a second, goes on, and says so after a second", () => {
    const follower = new Follower();
    follower.run(1_000);
    follower.hearsStream = false;
    follower.run(600);
    expect([follower.asks.length, follower.watch.finding]).toEqual([1, StreamTrouble.none]);
    follower.run(3_000);
    expect(follower.asks.length).toBeGreaterThan(8);
    expect(follower.watch.finding).toBe(StreamTrouble.stream);
    follower.hearsMeeting = false;
    follower.run(2_000);
    expect(follower.watch.finding).toBe(StreamTrouble.all);
  });

  test("that hears nothing at all asks before silence counts for a takeover", () => {
    const follower = new Follower();
    Object.assign(follower, { hearsStream: false, hearsMeeting: false, hearsAny: false });
    follower.run(360);
    expect(follower.asks.length).toBe(1);
  });

  test("stops asking when the group was heard for a second, and not for a single frame", () => {
    const follower = new Follower();
    follower.hearsStream = false;
    follower.run(2_000);
    follower.watch.heardStream();
    const asked = follower.asks.length;
    follower.run(2_000);
    expect(follower.asks.length).toBeGreaterThan(asked + 4);
    follower.hearsStream = true;
    follower.run(1_300);
    const then = follower.asks.length;
    follower.run(5_000);
    expect([follower.asks.length, follower.watch.finding]).toEqual([then, StreamTrouble.none]);
  });

  test("whose own loop was held up has had no time to hear", () => {
    const follower = new Follower();
    follower.run(100);
    follower.clock.set(follower.clock.nowUs + 2_000_000);
    expect(follower.watch.tick(0)).toBe(false);
  });
});

describe("copies", () => {
  const target = (port: number): { address: string; port: number } => ({ address: "10.0.0.1", port });

  test("are for eight at most, as long as they renew, and follow who moves", () => {
    const clock = new Clock();
    clock.set(1e15);
    const copies = new UnicastCopies(clock);
    for (let node = 0; node < COPIES_MAX; node++) expect(copies.lease(`n${node}`, target(node))).toBe(true);
    expect(copies.lease("late", target(99))).toBe(false);
    expect([copies.targets.length, copies.refused]).toEqual([COPIES_MAX, 1]);
    clock.set(1e15 + LEASE_US / 2);
    copies.lease("n3", target(33));
    clock.set(1e15 + LEASE_US);
    copies.tick();
    expect(copies.targets).toEqual([target(33)]);
    expect(copies.lease("late", target(99))).toBe(true);
    copies.clear();
    expect(copies.targets).toEqual([]);
  });
});

test("a question for the stream reads back; other bytes are none", () => {
  const plain = new Uint8Array(8);
  const length = writeStreamAsk(plain, StreamAskKind.copies);
  expect(readStreamAsk(plain, length)).toBe(StreamAskKind.copies);
  for (const wrong of [0, 2, 8]) expect(readStreamAsk(plain, wrong)).toBeUndefined();
  for (let kind = 0; kind < 256; kind++) {
    if (kind !== StreamAskKind.copies) expect(readStreamAsk(Uint8Array.of(kind), 1)).toBeUndefined();
  }
});
