/** Silence is told once for all who fell silent together; agreement and health follow what nodes said. */
import { beforeEach, describe, expect, test } from "vitest";
import { AGREED_AFTER_US, Agreement } from "../../../src/sync/agreement.js";
import { healthOfPeer, lagOf, LATE_US, SILENT_US } from "../../../src/sync/peer-health.js";
import { PeerWatch } from "../../../src/sync/peer-watch.js";
import { Peer, Peers } from "../../../src/sync/peers.js";

const START_US = 1_719_964_800_000_000;
const NOTICE = { name: "", priority: 100, unicastPort: 1, snapshotPort: 2, term: 1, isInSync: true };

describe("silence", () => {
  let peers: Peers;
  let watch: PeerWatch;
  let nowUs: number;
  let findings: string[];

  beforeEach(() => {
    peers = new Peers();
    watch = new PeerWatch(peers);
    nowUs = START_US;
    findings = [];
  });

  /** Lets time pass; who speaks does so once a second, each at a time of his own. */
  function pass(seconds: number, speakers: readonly string[], isHearing = true): void {
    for (let step = 0; step < seconds * 50; step++) {
      nowUs += 20_000;
      speakers.forEach((name, place) => {
        if ((step + place * 7) % 50 === 0) peers.notice(name, "10.0.0.1", { ...NOTICE, name }, nowUs);
      });
      peers.listed(nowUs);
      watch.tick(nowUs, isHearing);
      if (watch.finding !== (findings.at(-1) ?? "")) findings.push(watch.finding);
    }
  }

  const ALL = ["a", "b", "c", "d", "e"];

  test("of many is one finding, however far apart their last words were", () => {
    pass(3, ALL);
    pass(12, ["a", "b"]);
    expect(findings).toEqual(["3 of 5 other nodes are silent: c, d, e; switched off, unplugged or cut off"]);
    pass(3, ALL);
    expect(findings).toHaveLength(2);
    expect(watch.finding).toBe("");
  });

  test("of one is told within five seconds, and of another one later anew", () => {
    pass(3, ALL);
    pass(5, ["a", "b", "c", "d"]);
    expect(watch.finding).toMatch(/^1 of 5 other nodes is silent: e;/);
    pass(5, ["a", "b", "c"]);
    expect(watch.finding).toMatch(/^2 of 5 other nodes are silent: d, e;/);
  });

  test("of who said goodbye is none", () => {
    pass(3, ALL);
    watch.left("e");
    pass(6, ["a", "b", "c", "d"]);
    expect(findings).toEqual([]);
  });

  test("ends when the silent one says that it goes", () => {
    pass(3, ALL);
    pass(5, ["a", "b", "c", "d"]);
    watch.left("e");
    pass(1, ["a", "b", "c", "d"]);
    expect(findings.at(-1)).toBe("");
  });

  test("is not told by a node that hears nobody, which forgets who is gone all the same", () => {
    pass(3, ALL);
    pass(6, [], false);
    expect([findings, peers.size]).toEqual([[], 0]);
  });

  test("is told of nodes that come and go all the time, too", () => {
    pass(3, ALL);
    for (let round = 0; round < 4; round++) {
      pass(2.2, ["a", "b", "c"]);
      pass(1.2, ["a", "b", "c", "d"]);
    }
    expect(findings[0]).toMatch(/silent: /);
  });

  test("names six nodes and counts the rest", () => {
    const many = Array.from({ length: 10 }, (_, place) => `n${place}`);
    pass(3, many);
    pass(6, ["n9"]);
    expect(findings).toEqual([
      "9 of 10 other nodes are silent: n0, n1, n2, n3, n4, n5 and 3 more; switched off, unplugged or cut off",
    ]);
  });
});

describe("agreement", () => {
  test("is about the newest version that all had the time to prove", () => {
    const agreement = new Agreement();
    expect(agreement.sequence(START_US)).toBe(-1);
    for (let step = 0; step <= 50; step++) agreement.note(step, START_US + step * 100_000);
    const nowUs = START_US + 5_000_000;
    expect(agreement.sequence(nowUs)).toBe(25);
    expect(agreement.sequence(nowUs + 1_000_000)).toBe(35);
    expect(agreement.sequence(nowUs + AGREED_AFTER_US)).toBe(50);
  });

  test("counts a version from its first announcement on, and survives more of them than it keeps", () => {
    const agreement = new Agreement();
    for (let step = 0; step < 1_000; step++) agreement.note(7, START_US + step * 100_000);
    expect(agreement.sequence(START_US + AGREED_AFTER_US)).toBe(7);
    for (let step = 0; step < 1_000; step++) agreement.note(8 + step, START_US + 1e9 + step * 50_000);
    expect(agreement.sequence(START_US + 1e9 + 999 * 50_000)).toBe(1_007 - AGREED_AFTER_US / 50_000);
  });

  test("of a young term is about its first version", () => {
    const agreement = new Agreement();
    agreement.note(3, START_US);
    agreement.note(4, START_US + 100_000);
    expect(agreement.sequence(START_US + 200_000)).toBe(3);
    agreement.clear();
    expect(agreement.sequence(START_US + 300_000)).toBe(-1);
  });
});

describe("the health of a peer", () => {
  function peerWith(change: Partial<Peer>): Peer {
    return Object.assign(new Peer("a"), { heardUs: START_US, isInSync: true, sequence: 50 }, change);
  }

  test.each<[string, Partial<Peer>, number]>([
    ["green", {}, 0],
    ["yellow", { lossPermille: 10 }, 0],
    ["yellow", { level: 1 }, 0],
    ["yellow", { isInSync: false }, 0],
    ["yellow", { sequence: 49 }, 0],
    ["yellow", {}, LATE_US + 1],
    ["red", { differs: 4 }, 0],
    ["red", { level: 2 }, 0],
    ["red", { lossPermille: 300 }, 0],
    ["red", {}, SILENT_US + 1],
  ])("is %s with %j, silent for %d us", (health, change, silentUs) => {
    expect(healthOfPeer(peerWith(change), 50, START_US + silentUs)).toBe(health);
  });

  test("knows how far it is behind what all had the time to reach", () => {
    expect([lagOf(peerWith({}), 57), lagOf(peerWith({ provenSequence: 56 }), 57), lagOf(peerWith({}), 3)]).toEqual([
      7, 1, 0,
    ]);
  });
});
