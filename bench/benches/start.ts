/**
 * Start: `hana run` from spawn to its `ready` line, beside `node -e ""`, which is what any command of Node's costs; and
 * the memory that stays resident with 10,000 and 100,000 paths from a show file, three seconds after `ready`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Bench, BenchOptions, BenchResult, Row } from "../harness/bench.js";
import { monotonicUs } from "../harness/clock.js";
import { BenchMesh, LOOPBACK } from "../harness/network.js";
import { median } from "../harness/samples.js";

const MAIN = fileURLToPath(new URL("../../../dist/main.js", import.meta.url));
const STARTS_MIN = 7;
const SETTLE_MS = 3_000;
/** What every node declares by itself comes on top of the 100,000. */
const PATHS_LIMIT = 101_000;
const END_MS = 5_000;

interface Start {
  readonly readyMs: number;
  readonly floorMs: number;
}

export const start: Bench = {
  name: "start",
  what: "`hana run` to ready, and its memory",
  async run({ runs, say }: BenchOptions): Promise<BenchResult> {
    const starts: Start[] = [];
    const count = Math.max(runs, STARTS_MIN);
    for (let index = 1; index <= count; index++) {
      say(`start: ${index} of ${count}`);
      starts.push({ floorMs: await bareMs(), readyMs: await withHana([], ({ readyMs }) => readyMs) });
    }
    const rows = [...startRows(starts)];
    for (const paths of [10_000, 100_000]) {
      say(`start: memory with ${paths} paths`);
      rows.push(await memoryRow(paths));
    }
    return { rows };
  },
};

function startRows(starts: readonly Start[]): Row[] {
  const ready = starts.map(({ readyMs }) => readyMs);
  const floor = median(starts.map(({ floorMs }) => floorMs));
  const what = "`hana run` to ready";
  return [
    { id: "start.ready", what: `${what}, median (floor: node -e "")`, unit: "ms", value: median(ready), floor },
    {
      id: "start.ready-max",
      what: `${what}, slowest of ${starts.length}`,
      unit: "ms",
      value: Math.max(...ready),
      floor,
    },
  ];
}

async function bareMs(): Promise<number> {
  const startUs = monotonicUs();
  const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  await once(child, "exit");
  return (monotonicUs() - startUs) / 1_000;
}

interface Running {
  readonly child: ChildProcess;
  readonly readyMs: number;
}

/** Runs `hana run` on a mesh of its own, and ends it when `look` is done. */
async function withHana<T>(args: readonly string[], look: (running: Running) => T | Promise<T>): Promise<T> {
  const mesh = await BenchMesh.make();
  const child = spawnRun(mesh, args);
  const startUs = monotonicUs();
  try {
    await ready(child);
    return await look({ child, readyMs: (monotonicUs() - startUs) / 1_000 });
  } finally {
    await end(child);
    mesh.remove();
  }
}

function spawnRun({ name, folder, meshPort }: BenchMesh, args: readonly string[]): ChildProcess {
  const options = ["--mesh", name, "--interface", LOOPBACK, "--port", "0", "--mesh-port", String(meshPort)];
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: `${folder}/config`, XDG_DATA_HOME: `${folder}/data` };
  mkdirSync(join(folder, "config"), { recursive: true });
  return spawn(process.execPath, [MAIN, "run", ...options, ...args], { stdio: ["ignore", "pipe", "inherit"], env });
}

/** Resolves with the `ready` line; rejects when the process ends before. */
async function ready({ stdout }: ChildProcess): Promise<void> {
  if (stdout === null) throw new Error("no stdout");
  const lines = createInterface({ input: stdout });
  for await (const line of lines) {
    const entry: unknown = JSON.parse(line);
    if (typeof entry === "object" && entry !== null && "event" in entry && entry.event === "ready") {
      stdout.resume();
      return;
    }
  }
  throw new Error("`hana run` ended before it was ready");
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
  await ended;
  clearTimeout(timer);
}

async function memoryRow(paths: number): Promise<Row> {
  const mesh = await BenchMesh.make();
  const show = join(mesh.folder, "show.toml");
  writeFileSync(show, showText(paths));
  try {
    const megabytes = await withHana(["--show", show, "--limits-paths", String(PATHS_LIMIT)], async ({ child }) => {
      await delay(SETTLE_MS);
      return residentMb(child.pid ?? 0);
    });
    return {
      id: `start.memory-${paths / 1_000}k`,
      what: `resident with ${paths.toLocaleString("en-US")} paths`,
      unit: "MB",
      value: megabytes,
    };
  } finally {
    mesh.remove();
  }
}

/** VmRSS of a process, its threads included. */
function residentMb(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(found?.[1] ?? Number.NaN) / 1_024;
}

/** Visualizations of 100 parameters each. */
function showText(paths: number): string {
  const lines = ["format = 1"];
  for (let path = 0; path < paths; path++) {
    if (path % 100 === 0) lines.push("", `[viz.v${path / 100}.params]`);
    lines.push(`p${path % 100} = { type = "float", range = [0, 1], default = 0.5 }`);
  }
  return `${lines.join("\n")}\n`;
}
