/**
 * Shrink: makes a run that fails smaller while it still fails: fewer kinds of faults, fewer nodes, less time.
 *
 * Any failure will do, since a fault in the protocol shows in more than one way.
 */
import { Simulation, type SimulationOptions, type SimulationResult } from "./simulation.js";

const RUNS_MAX = 80;
const REAL_S_MAX = 90;
const NODES_MIN = 2;
const LAST_SECONDS = 2;

export function shrink(failed: SimulationResult): SimulationResult {
  let best = failed;
  const endMs = performance.now() + REAL_S_MAX * 1_000;
  let left = RUNS_MAX;
  for (let candidates = smaller(best); candidates.length > 0 && left > 0 && performance.now() < endMs; ) {
    const options = candidates.shift() as SimulationOptions;
    left--;
    const result = new Simulation(options).run();
    if (result.failure === "") continue;
    best = result;
    candidates = smaller(best);
  }
  return best;
}

/** The next smaller runs, the largest steps first. */
function smaller({ options, failedAtS }: SimulationResult): SimulationOptions[] {
  const { nodes, minutes, faults } = options;
  const candidates: SimulationOptions[] = [];
  // What comes after the failure is of no use; a failure to come to rest lies after the faults.
  const untilFailure = Math.ceil(((failedAtS - LAST_SECONDS) / 60) * 1_000) / 1_000;
  for (const shorter of [minutes / 4, minutes / 2, untilFailure, minutes * 0.9]) {
    const rounded = Math.round(shorter * 1_000) / 1_000;
    if (rounded > 0 && rounded < minutes) candidates.push({ ...options, minutes: rounded });
  }
  for (const fewer of new Set([Math.ceil(nodes / 2), nodes - 1])) {
    if (fewer >= NODES_MIN && fewer < nodes) candidates.push({ ...options, nodes: fewer });
  }
  for (const kind of faults) candidates.push({ ...options, faults: faults.filter((other) => other !== kind) });
  return candidates;
}
