/**
 * The simulator can fail: every fault that is planted in the protocol is found within 200 seeds, and without one the
 * same seeds pass.
 */
import { execFile } from "node:child_process";
import { describe, expect, test } from "vitest";
import { build } from "./build.js";
import { type Edit, MUTANTS } from "./list.js";

const SEEDS = 200;
const PER_RUN = ["--nodes", "4", "--minutes", "0.25", "--no-shrink"];

/** Runs seeds until one fails; answers it (0 for none) and what was wrong. */
function firstFailure(name: string, edits: readonly Edit[], seeds: number): Promise<{ seed: number; text: string }> {
  const file = build(name, edits);
  return new Promise((resolve) => {
    execFile(process.execPath, [file, "--seeds", `1..${seeds}`, ...PER_RUN], { maxBuffer: 1e8 }, (error, output) => {
      if (error === null) return resolve({ seed: 0, text: "" });
      const seed = Number(/--seed (\d+)/.exec(output)?.[1] ?? Number.NaN);
      resolve({ seed, text: /^FAILED .*$/m.exec(output)?.[0] ?? error.message });
    });
  });
}

describe("a fault that is planted in the protocol is found", () => {
  test.each(MUTANTS)("$name", { timeout: 240_000 }, async ({ name, edits }) => {
    const { seed, text } = await firstFailure(name, edits, SEEDS);
    console.log(`${name}: seed ${seed}: ${text}`);
    expect(text).toMatch(/^FAILED/);
    expect(seed).toBeGreaterThan(0);
  });

  test("and nothing is found where none is", { timeout: 240_000 }, async () => {
    expect(await firstFailure("none", [], 20)).toEqual({ seed: 0, text: "" });
  });
});
