/**
 * Hours: two virtual hours of meshes of 3 to 6 nodes in changing trouble, a third of them under `hold`, every fifth seed
 * twice with one digest. What there was of each kind of fault is printed; a kind that never came fails the run.
 */
import { describe, expect, test } from "vitest";
import { Coverage } from "./coverage.js";
import { FAULT_KINDS, mixOf } from "./faults.js";
import { Simulation, type SimulationOptions } from "./simulation.js";

const FIRST_SEED = 50_001;
const RUNS = 48;
const MINUTES = 2.5;
const HOURS = 2;

/** Of each number of nodes, under both policies. */
function isRepeated(seed: number): boolean {
  return seed % 5 === 0;
}

/** Of each number of nodes. */
function isHold(seed: number): boolean {
  return seed % 3 === 0;
}

function optionsOf(seed: number): SimulationOptions {
  return { seed, nodes: 3 + (seed % 4), minutes: MINUTES, faults: mixOf(seed), isHold: isHold(seed) };
}

describe("two virtual hours", () => {
  const coverage = new Coverage();
  let virtualS = 0;
  let cpuS = 0;

  test.each(Array.from({ length: RUNS }, (_, index) => FIRST_SEED + index))("seed %d", { timeout: 180_000 }, (seed) => {
    const options = optionsOf(seed);
    const first = new Simulation(options).run();
    expect(
      first.failure,
      `npm run sim -- --seed ${seed} --nodes ${options.nodes} --minutes ${MINUTES}${isHold(seed) ? " --hold" : ""}`,
    ).toBe("");
    coverage.add(first.coverage);
    virtualS += first.virtualS;
    cpuS += first.cpuS;
    if (isRepeated(seed)) expect(new Simulation(options).run().digest).toBe(first.digest);
  });

  test("hold every kind of fault", () => {
    const hours = (virtualS / 3_600).toFixed(2);
    console.log(`${hours} virtual hours in ${cpuS.toFixed(0)} s of one core; ${coverage.line()}`);
    expect(virtualS).toBeGreaterThan(HOURS * 3_600);
    expect(FAULT_KINDS.filter((kind) => !coverage.episodes.has(kind))).toEqual([]);
  });
});
