/** CriticalWatch: what counts as having a write that was acknowledged as replicated. */
import { expect, test } from "vitest";
import { type CriticalEyes, CriticalWatch } from "./critical-watch.js";
import { Ledger } from "./ledger.js";
import type { Machine } from "./machine.js";
import type { Write } from "./writes.js";

const PATH = "/viz/critical";
const GRAVE_US = 1_000_000;

/**
 * The writer's side was merged into that of a controller, where its write lost, and the controller dies. The writer is
 * told then; `isMerged` and `isOnRecord` say what the controller could have told of the write.
 */
function toldAfterDeath(legacy: { readonly isMerged: boolean; readonly isOnRecord: boolean }, laterUs = 2_000): string {
  const ledger = new Ledger();
  const change = { term: ledger.record({ number: 88, node: "01" }), sequence: 64 };
  const kept = { term: ledger.record({ number: 86, node: "02" }), sequence: 154 };
  const [writer, controller] = [{ pausedUs: 0, resumedUs: 0 }, {}] as [Machine, Machine];
  const write = { number: 1, machine: writer, path: PATH } as Write;
  let nowUs = 60_000_000;
  let living = [writer, controller];
  const eyes: CriticalEyes = {
    nowUs: () => nowUs,
    versionOf: () => kept,
    commitsOf: () => [change],
    reach: (path, version) => ledger.reach(path, version),
    isMergedAt: (machine) => machine === writer,
    isOnRecord: () => false,
    legacyOf: () => ({ isMerged: (at) => legacy.isMerged && at === change, isOnRecord: () => legacy.isOnRecord }),
    living: () => living,
    electors: 0,
  };
  const watch = new CriticalWatch(eyes, [PATH]);
  watch.dies(controller);
  living = [writer];
  nowUs += laterUs;
  return watch.acknowledged(write, true);
}

test("who took in the side of a write and died before that was answered had the write", () => {
  expect(toldAfterDeath({ isMerged: true, isOnRecord: false })).toBe("");
  expect(toldAfterDeath({ isMerged: false, isOnRecord: true })).toBe("");
});

test("who died and had nothing of it had it not, and nobody has who died long ago", () => {
  const wrong = /^said that another node has write 1 of .*, which 1 have$/;
  expect(toldAfterDeath({ isMerged: false, isOnRecord: false })).toMatch(wrong);
  expect(toldAfterDeath({ isMerged: true, isOnRecord: true }, GRAVE_US + 1)).toMatch(wrong);
});
