/**
 * Run: simulations from the command line.
 *
 *     npm run sim -- --seed 7                                 one run; the seed picks the mix of faults
 *     npm run sim -- --seeds 1..200 --nodes 5 --minutes 1     many, until one fails
 *     npm run sim -- --seed 7 --faults kill,loss --twice      twice, which must give the same digest
 *
 * Also: --keep-going (past failures), --no-shrink, --quiet. Exit code 1 when a run failed, 2 for a wrong argument.
 */
import { execFileSync } from "node:child_process";
import { Coverage } from "./coverage.js";
import { type CommandOptions, commandOf, readOptions } from "./options.js";
import { shrink } from "./shrink.js";
import { Simulation, type SimulationResult } from "./simulation.js";
import { Totals } from "./totals.js";

process.exitCode = main();

function main(): number {
  let options: CommandOptions;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 2;
  }
  const coverage = new Coverage();
  let failed = 0;
  const totals = new Totals();
  for (const run of options.runs) {
    const result = new Simulation(run).run();
    totals.add(result);
    coverage.add(result.coverage);
    if (!options.isQuiet) console.log(line(result));
    const isSame = !options.isTwice || new Simulation(run).run().digest === result.digest;
    if (!isSame) console.log(`seed ${run.seed} gave another digest the second time`);
    if (result.failure === "" && isSame) continue;
    failed++;
    report(result, options.shrinks);
    if (options.stops) break;
  }
  console.log(coverage.line());
  for (const text of totals.lines(options.runs.length, failed)) console.log(text);
  return failed > 0 ? 1 : 0;
}

function line({
  options,
  tally,
  critical,
  digest,
  virtualS,
  cpuS,
  startS,
  healS,
  packets,
  termsReused,
  clockErrorUs,
}: SimulationResult): string {
  const parts = [
    `seed ${options.seed}`,
    `digest ${digest}`,
    `${options.nodes} nodes`,
    `${(virtualS / cpuS).toFixed(0)} x`,
    `${packets} packets`,
    `in sync ${startS.toFixed(2)} s`,
    `healed ${healS.toFixed(2)} s`,
    `${tally.writes} writes (${tally.confirmed} confirmed, ${tally.refused} refused, ${tally.died} died)`,
    `held ${tally.held}, superseded ${tally.superseded}`,
    `lost by takeover ${tally.lostByTakeover}, merged ${tally.merged}`,
    `merges ${tally.merges}, conflicts ${tally.conflicts}`,
    `critical ${critical.replicated} (${critical.alone} alone, ${critical.buried} buried)`,
    `fired across forks ${tally.firedAcrossForks}`,
    `takeovers ${tally.takeovers}`,
    `snapshots ${tally.snapshots}`,
    `digest mismatches ${tally.digestMismatches}`,
    `impulses late ${tally.impulsesLate}`,
    `terms reused ${termsReused}`,
    `clocks apart ${(clockErrorUs / 1_000).toFixed(2)} ms`,
    options.faults.join(","),
  ];
  return parts.join("; ");
}

function report(result: SimulationResult, shrinks: boolean): void {
  console.log(`FAILED at ${result.failedAtS.toFixed(3)} s, commit ${commit()}: ${result.failure}`);
  console.log(`  ${commandOf(result.options)}`);
  if (!shrinks) return;
  const least = shrink(result);
  console.log(`smallest found, at ${least.failedAtS.toFixed(3)} s: ${least.failure}`);
  console.log(`  ${commandOf(least.options)}`);
}

function commit(): string {
  try {
    const hash = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
    const isChanged = execFileSync("git", ["status", "--porcelain", "--", "src"], { encoding: "utf8" }) !== "";
    return isChanged ? `${hash} with changes` : hash;
  } catch {
    return "unknown";
  }
}
