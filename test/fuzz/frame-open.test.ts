/**
 * Frames from a hostile network: real sealed frames, mutated in every way we can think of, against one opener.
 *
 * Pass figure of the design: 0 accepted of 1,000,000, and the opener must not be harmed on the way: frames that it
 * never got stay acceptable to the end. `HANA_FUZZ_FRAMES` sets the count (default 150,000), `HANA_FUZZ_SEED` the seed.
 */
import { describe, expect, it } from "vitest";
import { Opener, OpenResult } from "../../src/security/opener.js";
import { REPLAY_WINDOW_PACKETS } from "../../src/security/replay-window.js";
import type { Sealer } from "../../src/security/sealer.js";
import { COUNTER_OFFSET, HEADER_BYTES, NODE_ID_OFFSET, SESSION_OFFSET } from "../../src/wire/envelope.js";
import { MESH_KEY, MESH_TAG, OTHER_KEY, OWN_ID, open, sealed, sealer } from "../unit/security/frames.js";

const FRAMES = Number(process.env["HANA_FUZZ_FRAMES"] ?? 150_000);
const SEED = Number(process.env["HANA_FUZZ_SEED"] ?? 20_261_122);
const SENDERS = 6;

/** xorshift32: the seed alone decides a run. */
function chance(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Frames the opener has accepted, frames it never got, and frames of earlier sessions. */
interface Corpus {
  readonly accepted: Uint8Array[];
  readonly fresh: Uint8Array[];
  readonly earlier: Uint8Array[];
  readonly foreign: Uint8Array[];
}

function frames(from: Sealer, count: number, next: (below: number) => number): Uint8Array[] {
  return Array.from({ length: count }, () => {
    const length = next(8) === 0 ? 1_154 : next(200);
    const body = Uint8Array.from({ length }, () => next(256));
    return sealed(from, body, next(12), next(256));
  });
}

function corpus(opener: Opener, next: (below: number) => number): Corpus {
  const made: Corpus = { accepted: [], fresh: [], earlier: [], foreign: [] };
  for (let node = 0; node < SENDERS; node++) {
    made.earlier.push(...frames(sealer(node, 100 + node), 40, next));
    made.foreign.push(...frames(sealer(node, 300 + node, OTHER_KEY), 40, next));
    const current = sealer(node, 200 + node);
    const older = frames(current, 40, next);
    for (let frame = 0; frame < REPLAY_WINDOW_PACKETS; frame++) sealed(current, new Uint8Array(0));
    const newer = frames(current, 80, next);
    // The newest is accepted, so `older` lies outside the replay window and every other one of `newer` inside it.
    made.accepted.push(...newer.filter((_, index) => index % 2 === 1), ...older);
    made.fresh.push(...newer.filter((_, index) => index % 2 === 0));
    for (const frame of newer.filter((_, index) => index % 2 === 1).reverse()) {
      expect(open(opener, frame)).toBe(OpenResult.ok);
    }
  }
  return made;
}

type Mutation = (frame: Uint8Array, made: Corpus, next: (below: number) => number) => Uint8Array;

function pick(from: readonly Uint8Array[], next: (below: number) => number): Uint8Array {
  return from[next(from.length)] as Uint8Array;
}

function spliced(frame: Uint8Array, other: Uint8Array, start: number, end: number): Uint8Array {
  const made = frame.slice();
  made.set(other.subarray(start, Math.min(end, other.length, frame.length)), start);
  return made;
}

const MUTATIONS: Record<string, Mutation> = {
  bitFlips: (frame, _made, next) => {
    const made = frame.slice();
    for (let count = 1 + next(4); count > 0; count--) {
      const at = next(made.length);
      made[at] = (made[at] as number) ^ (1 << next(8));
    }
    return made;
  },
  headerByte: (frame, _made, next) => {
    const made = frame.slice();
    made[next(HEADER_BYTES)] = next(256);
    return made;
  },
  tagByte: (frame, _made, next) => {
    const made = frame.slice();
    made[made.length - 1 - next(16)] = next(256);
    return made;
  },
  truncated: (frame, _made, next) => frame.slice(0, next(frame.length)),
  extended: (frame, _made, next) =>
    Uint8Array.from([...frame, ...Array.from({ length: 1 + next(40) }, () => next(256))]),
  replayed: (_frame, made, next) => pick(made.accepted, next),
  earlierSession: (_frame, made, next) => pick(made.earlier, next),
  foreignKey: (_frame, made, next) => pick(made.foreign, next),
  otherHeader: (frame, made, next) => spliced(frame, pick(made.fresh, next), 0, HEADER_BYTES),
  otherSender: (frame, made, next) => spliced(frame, pick(made.fresh, next), NODE_ID_OFFSET, COUNTER_OFFSET),
  otherCounter: (frame, made, next) => spliced(frame, pick(made.accepted, next), COUNTER_OFFSET, HEADER_BYTES),
  aheadCounter: (frame, _made, next) => {
    const made = frame.slice();
    made[COUNTER_OFFSET + next(4)] = 1 + next(255);
    return made;
  },
  risenSession: (frame, made, next) => {
    const risen = (next(2) === 0 ? frame : pick(made.earlier, next)).slice();
    risen[SESSION_OFFSET + next(3)] = 1 + next(255);
    return risen;
  },
  otherBody: (frame, made, next) => spliced(frame, pick(made.fresh, next), HEADER_BYTES, frame.length),
  otherTag: (frame, made, next) => {
    const mixed = frame.slice();
    mixed.set(pick(made.fresh, next).subarray(-16), mixed.length - 16);
    return mixed;
  },
  ownId: (frame) => spliced(frame, Uint8Array.from([...new Uint8Array(NODE_ID_OFFSET), ...OWN_ID]), NODE_ID_OFFSET, 16),
  noise: (frame, _made, next) => {
    const made = Uint8Array.from({ length: next(1_400) }, () => next(256));
    if (next(2) === 0) made.set(frame.subarray(0, Math.min(HEADER_BYTES, made.length)));
    return made;
  },
};

describe("mutated frames", () => {
  it(`are never accepted (seed ${SEED})`, { timeout: 600_000 }, () => {
    const next = chance(SEED);
    const opener = new Opener(MESH_KEY, MESH_TAG, OWN_ID, 64);
    const made = corpus(opener, next);
    const untouched = new Set(made.fresh.map((frame) => Buffer.from(frame).toString("latin1")));
    const mutations = Object.entries(MUTATIONS);
    const acceptedBefore = opener.results[OpenResult.ok];
    let tried = 0;
    while (tried < FRAMES) {
      const [name, mutate] = mutations[next(mutations.length)] as [string, Mutation];
      const source = pick(next(3) === 0 ? made.accepted : made.fresh, next);
      const mutant = mutate(source, made, next);
      // A mutation that gives back a frame never sent before is no mutation.
      if (untouched.has(Buffer.from(mutant.buffer, mutant.byteOffset, mutant.length).toString("latin1"))) continue;
      tried++;
      // So that no try is refused for being one of too many.
      opener.nowMs += 20;
      if (open(opener, mutant) === OpenResult.ok) expect.unreachable(`accepted after ${tried}: ${name}`);
    }
    expect(opener.results[OpenResult.ok]).toBe(acceptedBefore);
    expect(opener.senderCount).toBe(SENDERS);
    for (const result of [OpenResult.tooShort, OpenResult.tooLong, OpenResult.badVersion, OpenResult.otherMesh]) {
      expect(opener.results[result]).toBeGreaterThan(0);
    }
    for (const result of [OpenResult.wrongKey, OpenResult.forged, OpenResult.replayed, OpenResult.staleSession]) {
      expect(opener.results[result]).toBeGreaterThan(FRAMES / 100);
    }
    for (const frame of made.fresh) expect(open(opener, frame)).toBe(OpenResult.ok);
  });
});
