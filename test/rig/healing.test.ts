/**
 * A network that is divided and comes together again: both sides go on, and nobody's work is lost or overwritten unsaid.
 *
 * Two and three nodes, real processes, both sides written for ten seconds. The figures to reach are one controller
 * after 1 s and equal contents after 2 s; the test asserts ten times that, because the machine has other work.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Value } from "hana-sync";
import { expect, it } from "vitest";
import { inSync, type LibraryPeer } from "../harness/library-peer.js";
import { record, until } from "../harness/until.js";
import { type Host, lanUp } from "./rig.js";

const WRITTEN_MS = 10_000;
const ROUND_MS = 50;
const AGREED_MS = 1_000;
const MERGED_MS = 2_000;
const FEW: readonly Host[] = ["h1", "h2"];
const MANY: readonly Host[] = ["h3", "h4", "h5"];
/** Paths that one side writes, that both write, that the other writes, that nobody writes. */
const PATHS = Array.from({ length: 80 }, (_, index) => `/viz/healing/p${index}`);
const ONLY_FEW = PATHS.slice(0, 20);
const BOTH = PATHS.slice(20, 40);
const ONLY_MANY = PATHS.slice(40, 60);

it("is one mesh again with both sides' work, and lists exactly what both had changed", async () => {
  const lan = await lanUp(FEW.length + MANY.length);
  const peers = new Map<Host, LibraryPeer>();
  for (const host of [...FEW, ...MANY]) peers.set(host, await lan.startPeer(host));
  const [few, many] = [peers.get("h2") as LibraryPeer, peers.get("h4") as LibraryPeer];
  for (const path of PATHS) await few.declare(path, { type: "int" });
  for (const path of PATHS) await few.write(path, 1);
  await inSync([...peers.values()]);
  const conflicts = await (peers.get("h5") as LibraryPeer).subscribe("/system/conflicts/*");

  await lan.partition(FEW, MANY);
  const last = new Map<string, { few: Value; many: Value }>(PATHS.map((path) => [path, { few: 1, many: 1 }]));
  for (let value = 2; value * ROUND_MS <= WRITTEN_MS; value++) {
    for (const path of [...ONLY_FEW, ...BOTH]) {
      await few.set(path, value);
      last.set(path, { few: value, many: last.get(path)?.many ?? 1 });
    }
    for (const path of [...BOTH, ...ONLY_MANY]) {
      await many.set(path, -value);
      last.set(path, { few: last.get(path)?.few ?? 1, many: -value });
    }
    await pause(ROUND_MS / 2);
  }
  // Each side holds its own writes, confirmed; a gesture is over after 400 ms.
  const written = [few, many];
  await until(
    () => Promise.all(written.map((peer) => peer.status())),
    (all) => all.every(({ state }) => state.pendingWrites === 0),
    "both sides' writes to be confirmed",
  );
  await pause(500);

  await lan.heal();
  const healedMs = performance.now();
  const statuses = (): Promise<Awaited<ReturnType<LibraryPeer["status"]>>[]> =>
    Promise.all([...peers.values()].map((peer) => peer.status()));
  await until(
    statuses,
    (all) => all.filter(({ role }) => role === "controller").length === 1,
    "one controller",
    10 * AGREED_MS,
  );
  const agreedMs = performance.now() - healedMs;
  await until(
    statuses,
    (all) => new Set(all.map(({ term, state }) => JSON.stringify([term, state.components]))).size === 1,
    "nodes that hold the same",
    10 * MERGED_MS,
  );
  const mergedMs = performance.now() - healedMs;
  record("two and three nodes heal", { "agreed ms": Math.round(agreedMs), "merged ms": Math.round(mergedMs) });
  await inSync([...peers.values()]);

  const records = conflicts.changes().filter(({ value }) => typeof value === "string" && value !== "");
  const listed = new Set(records.map(({ value }) => (JSON.parse(String(value)) as { path: string }).path));
  expect([...listed].sort()).toEqual([...BOTH].sort());
  for (const peer of peers.values()) {
    for (const path of ONLY_FEW) expect([path, await peer.get(path)]).toEqual([path, last.get(path)?.few]);
    for (const path of ONLY_MANY) expect([path, await peer.get(path)]).toEqual([path, last.get(path)?.many]);
    // The later by time: within a round that is the other side's.
    for (const path of BOTH) expect([path, await peer.get(path)]).toEqual([path, last.get(path)?.many]);
  }

  // Any node lists them, any node decides: h1 was on the side that yielded.
  const hana = (host: Host, ...args: string[]): ReturnType<typeof lan.cli> =>
    lan.cli(host, ...args, "--node", `http://127.0.0.1:${peers.get(host)?.port}`);
  const list = async (host: Host): Promise<{ id: string; path: string; taken: string }[]> =>
    JSON.parse((await hana(host, "conflicts", "--json")).stdout) as { id: string; path: string; taken: string }[];
  const [first, ...rest] = await list("h1");
  expect([first?.path, ...rest.map(({ path }) => path)].sort()).toEqual([...BOTH].sort());
  const other = first?.taken === "theirs" ? "mine" : "theirs";
  expect(await hana("h1", "conflicts", "resolve", first?.id ?? "", other)).toMatchObject({ code: 0, stderr: "" });
  const path = first?.path ?? "";
  for (const peer of peers.values()) {
    await until(
      () => peer.get(path),
      (value) => value === last.get(path)?.few,
      `${path} as it was decided`,
    );
  }
  expect((await hana("h1", "conflicts", "resolve", "none", "mine")).code).toBe(1);
  expect((await many.status()).health.map(({ code }) => code)).toContain("conflicts");
  expect((await hana("h5", "conflicts", "acknowledge", "all")).stdout).toBe("19 acknowledged\n");
  await until(
    () => list("h2"),
    ({ length }) => length === 0,
    "an empty list",
  );
  await until(
    () => many.status(),
    ({ health }) => health.length === 0,
    "the finding to end",
  );
  for (const peer of peers.values()) await peer.close();
}, 120_000);
