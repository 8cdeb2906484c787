/**
 * Tests in four groups: `unit` (with fuzz) needs nothing, `live` starts real processes on loopback, `rig` needs root
 * and Linux namespaces, `sim` runs whole meshes in virtual time. Live and rig tests run the built node, so their setup builds it first if it is stale.
 */
import { defineConfig } from "vitest/config";

/** Real processes and two cores: only after the unit tests are done, and one file at a time where nothing else is said. */
const processes = {
  globalSetup: ["test/harness/build.ts"],
  fileParallelism: false,
  testTimeout: 30_000,
  hookTimeout: 60_000,
  teardownTimeout: 20_000,
};

/** Rig tests that mostly wait and ask for an outcome, not for a figure: two files at a time, each on a switch of its own. */
const outcomes = [
  "bundles",
  "chaos",
  "clock",
  "controller",
  "doctor",
  "healing",
  "hold",
  "interfaces",
  "keys",
  "lan",
  "multicast-trouble",
  "network-trouble",
  "parting",
  "third-parties",
].map((name) => `test/rig/${name}.test.ts`);

export default defineConfig({
  test: {
    projects: [
      // A property test of a second takes five on a machine that has other work; what hangs is still ended. What is below
      // edge/ has no state of its own, so files share a process: each in one of its own costs 80 s more.
      { test: { name: "unit", include: ["test/{unit,fuzz}/**/*.test.ts"], testTimeout: 30_000, isolate: false } },
      {
        test: {
          name: "sim",
          include: ["test/sim/**/*.test.ts"],
          testTimeout: 60_000,
          sequence: { groupOrder: 3 },
          // As `npm run sim`: a hundred nodes outgrow the usual young generation, which costs a quarter of the time.
          execArgv: ["--max-semi-space-size=64"],
        },
      },
      {
        test: {
          name: "live",
          include: ["test/live/**/*.test.ts"],
          ...processes,
          fileParallelism: true,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "rig",
          include: ["test/rig/**/*.test.ts"],
          exclude: outcomes,
          ...processes,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "rig-outcomes",
          include: outcomes,
          ...processes,
          fileParallelism: true,
          maxWorkers: 2,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
