/**
 * Run: the benchmarks, their table, and whether their budgets hold.
 *
 *     npm run bench                        all
 *     npm run bench -- --only hop,two-hop  some
 *     npm run bench -- --json              JSON on stdout, the table on stderr
 *     npm run bench -- --runs 9            repeat each comparison so often (default 5)
 *
 * Exit code 1 when a budget is broken or a benchmark failed, 2 for a wrong argument. Latency distributions go to bench/out/latency.svg.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { allocation } from "./benches/allocation.js";
import { flood } from "./benches/flood.js";
import { followers } from "./benches/followers.js";
import { hop } from "./benches/hop.js";
import { midiHop } from "./benches/midi-hop.js";
import { lateJoin } from "./benches/late-join.js";
import { loss } from "./benches/loss.js";
import { oscHops } from "./benches/osc-hops.js";
import { parts } from "./benches/parts.js";
import { start } from "./benches/start.js";
import { throughput } from "./benches/throughput.js";
import { twoHop } from "./benches/two-hop.js";
import { wire } from "./benches/wire.js";
import type { Bench, Latencies, Row } from "./harness/bench.js";
import { judge, readBudgets } from "./harness/budgets.js";
import { charts } from "./harness/chart.js";
import { json, type Machine, machine, table } from "./harness/report.js";

const BENCHES: readonly Bench[] = [
  hop,
  twoHop,
  oscHops,
  midiHop,
  throughput,
  parts,
  allocation,
  wire,
  loss,
  lateJoin,
  start,
  followers,
  flood,
];
const DEFAULT_RUNS = 5;

/** This file runs from dist-bench/bench; budgets and pictures lie with the sources. */
const SOURCES = new URL("../../bench/", import.meta.url);

interface Arguments {
  readonly benches: readonly Bench[];
  readonly runs: number;
  readonly isJson: boolean;
}

const chosen = readArguments();
if (chosen === undefined) process.exitCode = 2;
else process.exitCode = await main(chosen);

function readArguments(): Arguments | undefined {
  try {
    const { values } = parseArgs({
      options: { only: { type: "string" }, runs: { type: "string" }, json: { type: "boolean", default: false } },
    });
    const runs = Number(values.runs ?? DEFAULT_RUNS);
    if (!Number.isInteger(runs) || runs < 1) throw new Error("--runs must be a whole number of 1 or more");
    return { benches: chooseBenches(values.only), runs, isJson: values.json };
  } catch (error) {
    const names = BENCHES.map(({ name, what }) => `  ${name.padEnd(12)} ${what}`);
    say(`${error instanceof Error ? error.message : String(error)}\nbenches:\n${names.join("\n")}`);
    return undefined;
  }
}

function chooseBenches(only: string | undefined): readonly Bench[] {
  if (only === undefined) return BENCHES;
  return only.split(",").map((name) => {
    const bench = BENCHES.find((candidate) => candidate.name === name.trim());
    if (bench === undefined) throw new Error(`no bench is called ${name}`);
    return bench;
  });
}

async function main({ benches, runs, isJson }: Arguments): Promise<number> {
  const budgets = readBudgets(new URL("budgets.json", SOURCES));
  const loadAtStart = loadavg()[0] ?? 0;
  const rows: Row[] = [];
  const latencies: Latencies[] = [];
  const failed: string[] = [];
  for (const bench of benches) {
    try {
      const result = await bench.run({ runs, say });
      rows.push(...result.rows);
      latencies.push(...(result.latencies ?? []));
    } catch (error) {
      // The others are worth having all the same; its budgets count as broken, for their rows are missing.
      failed.push(bench.name);
      say(`${bench.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  const judgements = judge(
    rows,
    budgets,
    benches.map(({ name }) => name),
  );
  const about = machine(loadAtStart);
  const text = `${aboutText(about)}\n\n${table(judgements)}\n`;
  if (isJson) {
    say(text);
    process.stdout.write(`${json(about, judgements, latencies)}\n`);
  } else process.stdout.write(text);
  if (latencies.length > 0) draw(latencies, about);
  const broken = judgements.filter(({ isOk }) => !isOk);
  if (broken.length > 0) say(`broken budgets: ${broken.map(({ id }) => id).join(", ")}`);
  return broken.length + failed.length > 0 ? 1 : 0;
}

function aboutText({ node, cpu, cores, memoryGb, system, load }: Machine): string {
  return `Node ${node}, ${cores} cores (${cpu}), ${memoryGb} GB, ${system}, load ${load.join(" → ")}`;
}

function draw(latencies: readonly Latencies[], about: Machine): void {
  const folder = new URL("out/", SOURCES);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL("latency.svg", folder), charts(latencies, aboutText(about)));
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
