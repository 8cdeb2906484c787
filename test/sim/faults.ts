/**
 * Faults: what can go wrong in a run, and when. Drawn from the seed before the run begins.
 *
 * Each kind has a schedule of its own, from its own sequence of chance, so that leaving a kind out or cutting the run
 * short leaves the others as they were: that is what makes shrinking work. Who is hit is drawn as a number 0..1 and
 * resolved when the time comes. It never looks at the nodes.
 */
import { Random } from "../../src/base/random.js";

export const FAULT_KINDS = [
  "loss",
  "burst",
  "delay",
  "jitter",
  "reorder",
  "duplicate",
  "corrupt",
  "replay",
  "clog",
  "capacity",
  "halves",
  "isolate",
  "split",
  "asymmetric",
  "bridge",
  "flapping",
  "blackhole",
  "pause",
  "kill",
  "leave",
  "clock",
  "drift",
  "tcp",
  "disk",
  "poke",
  "handover",
] as const;
/** Kinds that come only where they are named: the oracle does not know all that may follow from them. */
export const NAMED_KINDS = ["twin"] as const;
export type FaultKind = (typeof FAULT_KINDS)[number] | (typeof NAMED_KINDS)[number];
export const KINDS: readonly FaultKind[] = [...FAULT_KINDS, ...NAMED_KINDS];

export function isFaultKind(text: string): text is FaultKind {
  return (KINDS as readonly string[]).includes(text);
}

/** One fault: from when, how long, how strong, whom. The last three are 0..1 and mean what the kind makes of them. */
export interface Episode {
  readonly kind: FaultKind;
  readonly atUs: number;
  readonly lastsUs: number;
  readonly strength: number;
  readonly target: number;
  readonly scope: number;
}

/** Shortest and longest, in milliseconds. What has no length is done when it has begun. */
const LENGTHS_MS: Readonly<Record<FaultKind, readonly [number, number]>> = {
  loss: [1_000, 10_000],
  burst: [20, 300],
  delay: [500, 5_000],
  jitter: [500, 5_000],
  reorder: [500, 5_000],
  duplicate: [500, 5_000],
  corrupt: [500, 5_000],
  replay: [200, 2_000],
  clog: [50, 1_500],
  capacity: [500, 4_000],
  halves: [200, 6_000],
  isolate: [200, 6_000],
  split: [200, 6_000],
  asymmetric: [200, 6_000],
  bridge: [200, 6_000],
  flapping: [500, 5_000],
  blackhole: [300, 20_000],
  pause: [100, 5_000],
  kill: [50, 5_000],
  leave: [50, 5_000],
  clock: [0, 0],
  drift: [0, 0],
  tcp: [1_000, 8_000],
  disk: [500, 8_000],
  handover: [0, 0],
  poke: [0, 0],
  twin: [50, 3_000],
};
/** Mean time between two faults of a kind, in seconds: one of these for a whole run. */
const PACES_S = [4, 8, 15, 25];
const MIXED_MIN = 2;
const MIXED_MAX = 7;

/** A sequence of chance for one purpose of one run. */
export function chanceFor(seed: number, purpose: number): Random {
  return new Random((Math.imul(seed, 0x9e3779b1) ^ Math.imul(purpose + 1, 0x85ebca6b)) >>> 0);
}

/** The kinds that a seed picks by itself. */
export function mixOf(seed: number): FaultKind[] {
  const chance = chanceFor(seed, 1);
  const count = MIXED_MIN + Math.floor(chance.next() * (MIXED_MAX - MIXED_MIN + 1));
  const left: FaultKind[] = [...FAULT_KINDS];
  const mix: FaultKind[] = [];
  while (mix.length < count) mix.push(...left.splice(Math.floor(chance.next() * left.length), 1));
  return FAULT_KINDS.filter((kind) => mix.includes(kind));
}

/** All faults of a run, in the order of their times. `atUs` counts from the run's beginning. */
export function planOf(seed: number, kinds: readonly FaultKind[], fromUs: number, toUs: number): Episode[] {
  const paceUs = (PACES_S[Math.floor(chanceFor(seed, 2).next() * PACES_S.length)] as number) * 1e6;
  const plan: Episode[] = [];
  for (const kind of kinds) {
    const chance = chanceFor(seed, 100 + KINDS.indexOf(kind));
    for (let atUs = fromUs + gapUs(chance, paceUs); atUs < toUs; atUs += gapUs(chance, paceUs)) {
      plan.push(episode(kind, atUs, chance));
    }
  }
  return plan.sort((left, right) => left.atUs - right.atUs);
}

function gapUs(chance: Random, meanUs: number): number {
  return Math.round(1_000 - Math.log(1 - chance.next()) * meanUs);
}

function episode(kind: FaultKind, atUs: number, chance: Random): Episode {
  const [shortest, longest] = LENGTHS_MS[kind];
  // Short ones are as frequent as long ones on a scale of ratios.
  const lengthMs = shortest === 0 ? 0 : shortest * (longest / shortest) ** chance.next();
  const strength = chance.next();
  const target = chance.next();
  return { kind, atUs, lastsUs: Math.round(lengthMs * 1_000), strength, target, scope: chance.next() };
}
