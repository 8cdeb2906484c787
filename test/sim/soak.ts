/**
 * Soak: as many virtual hours as it is told, in runs of an hour with every kind of fault, and what they leave on the
 * heap.
 *
 *     npm run soak -- --hours 100
 *
 * Also: --seed (the first), --nodes, --minutes (of one run). After each run what the simulator noted is dropped and the
 * heap measured with the nodes still there, beside that of a run of half the length: what the second half leaves in the
 * nodes, and what a run leaves behind, must both stay below 5 %. A run before the first fills the engine's own caches. Exit code 1 when a run failed or the heap grew.
 */
import { parseArgs } from "node:util";
import { Coverage } from "./coverage.js";
import { FAULT_KINDS } from "./faults.js";
import { commandOf } from "./options.js";
import { Simulation, type SimulationOptions, type SimulationResult } from "./simulation.js";

const GROWTH_MAX = 0.05;
const MEGABYTE = 1e6;

interface Measured {
  readonly result: SimulationResult;
  /** Heap in bytes with the nodes at rest. */
  readonly heldBytes: number;
}

process.exitCode = main();

function main(): number {
  if (globalThis.gc === undefined) throw new Error("run it with --expose-gc, as npm run soak does");
  const { values } = parseArgs({
    options: {
      hours: { type: "string", default: "100" },
      seed: { type: "string", default: "1" },
      nodes: { type: "string", default: "5" },
      minutes: { type: "string", default: "60" },
    },
  });
  const [hours, firstSeed] = [Number(values.hours), Number(values.seed)];
  const [nodes, minutes] = [Number(values.nodes), Number(values.minutes)];
  const coverage = new Coverage();
  const held: number[] = [];
  const left: number[] = [];
  let virtualS = 0;
  let cpuS = 0;
  measure({ seed: firstSeed, nodes, minutes, faults: FAULT_KINDS });
  for (let seed = firstSeed; virtualS < hours * 3_600; seed++) {
    const options = { seed, nodes, minutes, faults: FAULT_KINDS };
    const short = measure({ ...options, minutes: minutes / 2 });
    const long = measure(options);
    for (const { result } of [short, long]) {
      virtualS += result.virtualS;
      cpuS += result.cpuS;
      coverage.add(result.coverage);
      if (result.failure !== "") return failed(result);
    }
    held.push(long.heldBytes / short.heldBytes - 1);
    left.push(heapBytes());
    const heap = `heap ${megabytes(short.heldBytes)} MB after ${minutes / 2} min, ${megabytes(long.heldBytes)} MB after ${minutes} min`;
    console.log(
      `${(virtualS / 3_600).toFixed(1)} h; seed ${seed}; ${heap}; left ${megabytes(left.at(-1) as number)} MB`,
    );
  }
  console.log(coverage.line());
  console.log(`${(virtualS / 3_600).toFixed(1)} virtual hours in ${(cpuS / 60).toFixed(0)} min of one core`);
  return judge(median(held), median(left.slice(left.length >> 1)) / (left[0] as number) - 1);
}

function measure(options: SimulationOptions): Measured {
  const simulation = new Simulation(options);
  const result = simulation.run();
  simulation.forget();
  const heldBytes = heapBytes();
  return { result, heldBytes };
}

function heapBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function failed(result: SimulationResult): number {
  console.log(`FAILED at ${result.failedAtS.toFixed(3)} s: ${result.failure}\n  ${commandOf(result.options)}`);
  return 1;
}

function judge(grown: number, leftGrown: number): number {
  const [inNodes, behind] = [grown, leftGrown].map((share) => `${(share * 100).toFixed(1)} %`);
  console.log(`heap growth: ${inNodes ?? ""} in the nodes of a run, ${behind ?? ""} from run to run`);
  return grown < GROWTH_MAX && leftGrown < GROWTH_MAX ? 0 : 1;
}

function megabytes(bytes: number): string {
  return (bytes / MEGABYTE).toFixed(1);
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[sorted.length >> 1] as number;
}
