/**
 * How long a show is without a controller: kill -9 of real processes, again and again.
 *
 * HANA_TAKEOVER_RUNS sets how often (10); the figures to reach are a median of 600 ms and a worst of 1 s, and the test
 * asserts ten times that, because the machine that runs it has other work.
 */
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import type { LibraryPeer } from "../harness/library-peer.js";
import type { Line } from "../harness/process.js";
import { record, until } from "../harness/until.js";
import { type Host, type Lan, lanUp, type RigNode } from "./rig.js";

const RUNS = Number(process.env["HANA_TAKEOVER_RUNS"] ?? 10);
const MEDIAN_MS = 600;
const WORST_MS = 1_000;
const HANDOVER_MS = 50;
const CANDIDATES: readonly Host[] = ["h1", "h2", "h3"];
const PATH = "/viz/takeover/x";

let lan: Lan;
let writer: LibraryPeer;
const nodes = new Map<Host, RigNode>();

beforeAll(async () => {
  lan = await lanUp(4);
  for (const host of CANDIDATES) await start(host);
  writer = await lan.startPeer("h4", { priority: 0 });
  await writer.declare(PATH, { type: "int" });
  await writer.write(PATH, 1);
});

async function start(host: Host): Promise<void> {
  const node = await lan.startNode(host);
  nodes.set(host, node);
  await node.process.waitFor(({ event, role }) => event === "role" && (role === "following" || role === "controlling"));
}

/** The only one that controls, as soon as there is only one. */
async function controller(): Promise<RigNode> {
  const last = (node: RigNode): Line | undefined => node.process.lines.findLast(({ event }) => event === "role");
  const found = await until(
    () => [...nodes.values()].filter((node) => last(node)?.role === "controlling"),
    ({ length }) => length === 1,
    "one controller",
  );
  return found[0] as RigNode;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((left, right) => left - right)[Math.floor(numbers.length / 2)] as number;
}

it("is followed by a confirmed write of a third node within a second after kill -9", {
  timeout: 60_000 + RUNS * 15_000,
}, async () => {
  const tookMs: number[] = [];
  for (let run = 1; run <= RUNS; run++) {
    const killed = await controller();
    await pause(1_200 + Math.random() * 100);
    const begunMs = performance.now();
    await killed.kill();
    const { node } = await writer.write(PATH, run + 1);
    tookMs.push(performance.now() - begunMs);
    expect(node).not.toBe(killed.ready["node"]);
    await start(killed.host);
  }
  const rounded = tookMs.map(Math.round);
  const figures = {
    runs: RUNS,
    "median ms": median(rounded),
    "worst ms": Math.max(...rounded),
    all: rounded.join(" "),
  };
  record("takeover after kill -9, kill to a confirmed write", figures);
  expect(median(tookMs)).toBeLessThan(10 * MEDIAN_MS);
  expect(Math.max(...tookMs)).toBeLessThan(10 * WORST_MS);
});

it("passes on when it is handed over, ten times to and fro", async () => {
  const tookMs: number[] = [];
  for (let run = 1; run <= 10; run++) {
    const { host: from } = await controller();
    const others = CANDIDATES.filter((host) => host !== from);
    const to = others[run % others.length] as Host;
    await until(
      () => lan.status(to),
      ({ role }) => role === "follower",
      `${to} to follow`,
    );
    const { code, stdout, stderr } = await lan.cli(to, "control", "take", "--json");
    expect([code, stderr]).toEqual([0, ""]);
    tookMs.push((JSON.parse(stdout) as { tookMs: number }).tookMs);
    expect((await writer.write(PATH, 1_000 + run)).node).toBe(nodes.get(to)?.ready["node"]);
  }
  const all = tookMs.map((ms) => ms.toFixed(1));
  record("planned handover", { "median ms": median(tookMs), "worst ms": Math.max(...tookMs), all: all.join(" ") });
  expect(Math.max(...tookMs)).toBeLessThan(10 * HANDOVER_MS);
}, 120_000);
