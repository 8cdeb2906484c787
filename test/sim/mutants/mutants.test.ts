/**
 * The simulator can fail: every fault that is planted in the protocol is found within 200 seeds, and without one the
 * same seeds pass.
 */
import { execFile } from "node:child_process";
import { describe, expect, test } from "vitest";
import { build } from "./build.js";
import { type Mutant, MUTANTS } from "./list.js";

const SEEDS = 200;
const RUN = ["--nodes", "4", "--minutes", "0.25", "--no-shrink"];

/** Runs seeds until one fails; answers it (0 for none) and what was wrong. */
function firstFailure(mutant: Mutant, lastSeed: number): Promise<{ seed: number; text: string }> {
  const { name, edits, run = [], firstSeed = 1 } = mutant;
  const args = [build(name, edits), "--seeds", `${firstSeed}..${lastSeed}`, ...RUN, ...run];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { maxBuffer: 1e8 }, (error, output) => {
      if (error === null) return resolve({ seed: 0, text: "" });
      const seed = Number(/--seed (\d+)/.exec(output)?.[1] ?? Number.NaN);
      resolve({ seed, text: /^FAILED .*$/m.exec(output)?.[0] ?? error.message });
    });
  });
}

describe("a fault that is planted in the protocol is found", () => {
  test.each(MUTANTS)("$name", { timeout: 240_000 }, async (mutant) => {
    const { seed, text } = await firstFailure(mutant, SEEDS);
    console.log(`${mutant.name}: found by seed ${seed}`);
    expect(text).toMatch(/^FAILED/);
    expect(seed).toBeGreaterThan(0);
  });

  test("and nothing is found where none is", { timeout: 240_000 }, async () => {
    expect(await firstFailure({ name: "none", edits: [] }, 20)).toEqual({ seed: 0, text: "" });
  });
});
