/** Who is slow, what the stream does when many are, how loss is measured, and the lanes of those that get rounds. */
import { describe, expect, test } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import type { Stretch } from "../../../src/sync/conflation.js";
import { ConflatedLanes, LANE_PACKETS_PER_SECOND, LANES_MAX } from "../../../src/sync/conflated-lanes.js";
import { LossMeasure } from "../../../src/sync/loss-measure.js";
import { LossSteering } from "../../../src/sync/loss-steering.js";
import { SendBudget, WIRED_LIMITS, WIRELESS_LIMITS } from "../../../src/sync/send-budget.js";
import { SLOW_MAX, SlowPeers } from "../../../src/sync/slow-peers.js";
import { ConflatedReason, type RoundPart } from "../../../src/wire/conflated.js";

function clockAt(us: number): Clock {
  const clock = new Clock();
  clock.set(us);
  return clock;
}

describe("slow peers", () => {
  /** Reports five times a second for so long; `loss` answers what a node loses. */
  function report(peers: SlowPeers, clock: Clock, nodes: number, ms: number, loss: (node: number) => number): void {
    for (let passed = 0; passed < ms; passed += 200) {
      clock.set(clock.nowUs + 200_000);
      for (let node = 0; node < nodes; node++) peers.report(`n${node}`, loss(node));
      peers.tick();
    }
  }

  function slow(peers: SlowPeers): string[] {
    return [...peers.slow()];
  }

  test("one that loses much for five seconds is slow, and no longer when it has been well for as long", () => {
    const clock = clockAt(1e9);
    const peers = new SlowPeers(clock);
    report(peers, clock, 5, 2_000, () => 0);
    report(peers, clock, 5, 4_600, (node) => (node === 2 ? 600 : 0));
    expect(slow(peers)).toEqual([]);
    report(peers, clock, 5, 600, (node) => (node === 2 ? 600 : 0));
    expect(slow(peers)).toEqual(["n2"]);
    report(peers, clock, 5, 4_600, () => 10);
    expect(slow(peers)).toEqual(["n2"]);
    report(peers, clock, 5, 600, () => 10);
    expect(slow(peers)).toEqual([]);
  });

  test.each([
    ["ten in a hundred", 100, 0],
    ["three times the median", 300, 100],
  ])("%s is not too much", (_, loss, others) => {
    const clock = clockAt(1e9);
    const peers = new SlowPeers(clock);
    report(peers, clock, 5, 20_000, (node) => (node === 2 ? loss : others));
    expect(slow(peers)).toEqual([]);
    report(peers, clock, 5, 6_000, (node) => (node === 2 ? loss + 10 : others));
    expect(slow(peers)).toEqual(["n2"]);
  });

  test("a good second in between begins the five anew", () => {
    const clock = clockAt(1e9);
    const peers = new SlowPeers(clock);
    for (let time = 0; time < 4; time++) {
      report(peers, clock, 5, 4_000, (node) => (node === 2 ? 600 : 0));
      report(peers, clock, 5, 1_000, () => 0);
    }
    expect(slow(peers)).toEqual([]);
  });

  test("where many lose nobody is, and never more than eight are", () => {
    const clock = clockAt(1e9);
    const peers = new SlowPeers(clock);
    report(peers, clock, 100, 8_000, (node) => (node < 60 ? 600 : 0));
    expect(slow(peers)).toEqual([]);
    expect(peers.percentile(0.9)).toBe(600);
    const others = new SlowPeers(clock);
    report(others, clock, 100, 8_000, (node) => (node < 20 ? 600 : 0));
    expect(slow(others)).toHaveLength(SLOW_MAX);
    report(others, clock, 100, 8_000, (node) => (node < 20 ? 600 : 0));
    expect(slow(others)).toHaveLength(SLOW_MAX);
  });

  test("it is told in time where reports are rarer than looks, and so is who reports no more", () => {
    const clock = clockAt(1e9);
    const peers = new SlowPeers(clock);
    const slowMs: number[] = [];
    for (let ms = 0; ms < 20_000; ms += 20) {
      clock.set(1e9 + ms * 1_000);
      const loss = ms < 9_000 ? 600 : 0;
      if (ms % 1_000 === 0 && ms < 11_000)
        for (const node of ["a", "b", "c"]) peers.report(node, node === "a" ? loss : 0);
      peers.tick();
      if (peers.isSlow("a")) slowMs.push(ms);
    }
    // Five seconds after the first report; the last one is at 10 s, and three seconds later all are forgotten.
    expect([slowMs[0], slowMs.at(-1), peers.percentile(1)]).toEqual([5_000, 13_000, 0]);
  });

  test("who falls silent is forgotten, and there is room for no more than a mesh has", () => {
    const clock = clockAt(1e9);
    const peers = new SlowPeers(clock);
    report(peers, clock, 5, 6_000, (node) => (node === 2 ? 600 : 0));
    clock.set(clock.nowUs + 4e6);
    peers.tick();
    expect([slow(peers), peers.percentile(1)]).toEqual([[], 0]);
    for (let node = 0; node < 300; node++) peers.report(`m${node}`, node);
    expect(peers.percentile(1)).toBe(255);
  });
});

describe("what the stream does where many lose", () => {
  test.each([
    [0, 3],
    [100, 3],
    [300, 7],
    [500, 8],
    [1_000, 8],
  ])("a loss of %d in 1000 wants %d frames in the journal", (permille, redundancy) => {
    const steering = new LossSteering(3);
    steering.steer(permille);
    expect(steering.redundancy).toBe(redundancy);
    steering.steer(0);
    expect(steering.redundancy).toBe(3);
  });

  test("a journal that is off stays off", () => {
    const steering = new LossSteering(0);
    steering.steer(500);
    expect(steering.redundancy).toBe(0);
  });

  test.each([
    ["wired", WIRED_LIMITS, 400, 60],
    ["wireless", WIRELESS_LIMITS, 60, 60],
  ])(
    "%s, a tenth of the flushes is used where it is asked for, and never less than 60 a second",
    (_, limits, tenth, least) => {
      const clock = clockAt(1e9);
      const budget = new SendBudget(clock, limits);
      const flushes = (share: number): number => {
        budget.share = share;
        while (budget.takeFlush());
        let count = 0;
        for (let ms = 0; ms < 1_000; ms++) {
          clock.set(clock.nowUs + 1_000);
          while (budget.takeFlush()) count++;
        }
        return count;
      };
      expect(Math.abs(flushes(0.1) - tenth)).toBeLessThanOrEqual(1);
      expect(Math.abs(flushes(0) - least)).toBeLessThanOrEqual(1);
    },
  );

  test("flushes are spaced second by second, not without end, and come back", () => {
    const steering = new LossSteering(3);
    for (let second = 0; second < 3; second++) steering.steer(300);
    expect(steering.share).toBeCloseTo(0.343);
    for (let second = 0; second < 60; second++) steering.steer(300);
    expect(steering.share * 4_000).toBe(60);
    steering.steer(70);
    expect(steering.share * 4_000).toBe(60);
    for (let second = 0; second < 60; second++) steering.steer(0);
    expect(steering.share).toBe(1);
  });
});

describe("measuring loss", () => {
  test("counts frames with changes, and at rest the heartbeats", () => {
    const clock = clockAt(1e9);
    const loss = new LossMeasure(clock);
    loss.restart();
    loss.measure(0);
    for (let frame = 0; frame < 40; frame++) loss.onStream(false);
    expect(loss.measure(60)).toBe(600);
    clock.set(clock.nowUs + 100e6);
    loss.restart();
    expect(loss.measure(60)).toBe(0);
    for (let beat = 0; beat < 10; beat++) {
      clock.set(clock.nowUs + 200_000);
      loss.onStream(true);
    }
    expect(loss.measure(60)).toBeGreaterThan(450);
    expect(loss.measure(60)).toBeLessThan(550);
  });

  test("heartbeats that follow a change closely, and one lost frame of one, say nothing", () => {
    const clock = clockAt(1e9);
    const loss = new LossMeasure(clock);
    loss.restart();
    for (const ms of [4, 8, 16, 32, 64]) {
      clock.set(clock.nowUs + ms * 1_000);
      loss.onStream(true);
    }
    expect(loss.measure(1)).toBe(0);
  });
});

describe("the lanes", () => {
  interface Sent {
    readonly head: RoundPart;
    readonly port: number;
  }

  class Stage {
    readonly clock = clockAt(1e9);
    readonly sent: Sent[] = [];
    term = 4;
    newest = 10;
    parts = 1;
    reads = 0;
    readonly lanes = new ConflatedLanes(this.clock, {
      newest: () => this.newest,
      term: () => this.term,
      stretch: (since): Stretch | undefined => {
        this.reads++;
        if (since < this.newest - 4_000) return undefined;
        return { through: this.newest, parts: Array.from({ length: this.parts }, () => new Uint8Array(1)) };
      },
      send: (head, _entries, { port }) => this.sent.push({ head, port }),
    });

    lease(count: number, reason: ConflatedReason = ConflatedReason.slow): void {
      for (let place = 0; place < count; place++) {
        this.lanes.lease(`n${place}`, { address: "10.0.0.1", port: place }, reason, 60e6);
      }
    }

    tick(ms: number): Sent[] {
      this.sent.length = 0;
      for (let passed = 0; passed < ms; passed += 20) {
        this.clock.set(this.clock.nowUs + 20_000);
        this.lanes.tick();
      }
      return [...this.sent];
    }

    answer(node: string, head: RoundPart, here: number, complete: number): void {
      this.lanes.answer(node, { term: this.term, complete, round: head.round, here });
    }
  }

  test("a round goes out again until it is answered, and the next begins where the follower stands", () => {
    const stage = new Stage();
    stage.lease(1);
    const [first] = stage.tick(20);
    expect(first?.head).toMatchObject({ term: 4, since: 10, through: 10, parts: 1 });
    stage.newest = 50;
    const again = stage.tick(60);
    // Nothing of it was heard of, so what is newer goes in its place.
    expect(again.at(-1)?.head).toMatchObject({ since: 10, through: 50 });
    stage.answer("n0", (again.at(-1) as Sent).head, 1, 50);
    stage.newest = 70;
    expect(stage.tick(40).map(({ head }) => [head.since, head.through])).toEqual([[50, 70]]);
  });

  test("a round of a term that was raised meanwhile is not sent as one of the new term", () => {
    const stage = new Stage();
    stage.lease(1);
    stage.parts = 3;
    const [first] = stage.tick(20);
    stage.answer("n0", (first as Sent).head, 1, 10);
    stage.term = 5;
    stage.newest = 2;
    stage.parts = 1;
    expect(stage.tick(20).map(({ head }) => head)).toMatchObject([{ term: 5, since: 0, through: 2, part: 0 }]);
  });

  test("of a round of several parts only what is missing goes out again", () => {
    const stage = new Stage();
    stage.lease(1);
    stage.answer("n0", (stage.tick(20)[0] as Sent).head, 1, 10);
    stage.parts = 4;
    stage.newest = 40;
    const round = stage.tick(40);
    expect(round.map(({ head }) => head.part)).toEqual([0, 1, 2, 3]);
    stage.answer("n0", (round[0] as Sent).head, 0b1010, 10);
    stage.newest = 99;
    expect(stage.tick(40).map(({ head }) => [head.part, head.through])).toEqual([
      [0, 40],
      [2, 40],
    ]);
  });

  test("a follower that is too far behind hears of a round that it cannot take", () => {
    const stage = new Stage();
    stage.lease(1);
    stage.tick(20);
    stage.newest = 9_000;
    expect(stage.tick(60).at(-1)?.head).toMatchObject({ since: 9_000, through: 9_000 });
  });

  test("answers of another term, from nowhere or of frames that were never sent count for nothing", () => {
    const stage = new Stage();
    stage.lease(1);
    const [{ head }] = stage.tick(20) as [Sent];
    stage.lanes.answer("n0", { term: 5, complete: 3, round: head.round, here: 1 });
    stage.lanes.answer("n0", { term: 4, complete: 11, round: head.round, here: 1 });
    stage.lanes.answer("n9", { term: 4, complete: 3, round: head.round, here: 1 });
    expect(stage.tick(60).at(-1)?.head.since).toBe(10);
  });

  test("all lanes together stay below their budget, each has its turn, and those at one place share the reading", () => {
    const stage = new Stage();
    stage.lease(LANES_MAX + 10, ConflatedReason.cutOff);
    expect([stage.lanes.size, [...stage.lanes.cutOff()].length]).toEqual([LANES_MAX, LANES_MAX]);
    stage.tick(1_000);
    stage.reads = 0;
    const sent = stage.tick(2_000);
    expect(sent.length).toBeLessThanOrEqual(LANE_PACKETS_PER_SECOND * 2 + 200);
    expect(new Set(sent.map(({ port }) => port)).size).toBe(LANES_MAX);
    expect(stage.reads).toBeLessThanOrEqual(100);
  });

  test("a lane that is not renewed ends", () => {
    const stage = new Stage();
    stage.lanes.lease("n0", { address: "", port: 1 }, ConflatedReason.slow, 100_000);
    stage.tick(200);
    expect(stage.lanes.size).toBe(0);
    stage.lease(3);
    stage.lanes.end("n1");
    expect(stage.lanes.size).toBe(2);
  });
});
