/**
 * Followers: what a change costs the controller of a small and of a large mesh, in the same process and minute.
 *
 * A fader at 1 kHz. The followers of both meshes take their turns first, then both controllers, each first every other
 * time: what the others left in the caches meets both alike.
 */
import { Crowd } from "./crowd.js";

const FEW = 1;
export const MANY = 100;
const ROUND_STEPS = 1_000;
const WARM_STEPS = 2_000;

export interface FollowerCost {
  /** Microseconds a change, one for each round. */
  readonly fewUs: readonly number[];
  readonly manyUs: readonly number[];
  /** Datagrams a change that the controller sent and took. */
  readonly fewDatagrams: number;
  readonly manyDatagrams: number;
  /** Whether every follower of both had the last value at the end. */
  readonly isEqual: boolean;
}

export async function measureFollowers(rounds: number): Promise<FollowerCost> {
  const [few, many] = [new Crowd(FEW), new Crowd(MANY)];
  pass(few, many, WARM_STEPS);
  const fewUs: number[] = [];
  const manyUs: number[] = [];
  let [fewDatagrams, manyDatagrams] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    few.begin();
    many.begin();
    pass(few, many, ROUND_STEPS);
    fewUs.push((few.tookMs * 1e3) / few.changes);
    manyUs.push((many.tookMs * 1e3) / many.changes);
    fewDatagrams += few.datagrams / few.changes / rounds;
    manyDatagrams += many.datagrams / many.changes / rounds;
  }
  return { fewUs, manyUs, fewDatagrams, manyDatagrams, isEqual: few.isEqual && many.isEqual };
}

function pass(few: Crowd, many: Crowd, steps: number): void {
  for (let step = 0; step < steps; step++) {
    few.follow();
    many.follow();
    const [first, second] = step % 2 === 0 ? [few, many] : [many, few];
    first.control();
    second.control();
  }
}
