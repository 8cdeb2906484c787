/**
 * Options: what a run is told on the command line, and how a run is written down so that it can be run again.
 */
import { parseArgs } from "node:util";
import { FAULT_KINDS, type FaultKind, isFaultKind, KINDS, mixOf } from "./faults.js";
import type { SimulationOptions } from "./simulation.js";

const NODES_DEFAULT = 5;
const NODES_MAX = 200;
const MINUTES_DEFAULT = 0.5;

export interface CommandOptions {
  readonly runs: readonly SimulationOptions[];
  readonly isTwice: boolean;
  readonly shrinks: boolean;
  /** Ends at the first failure. */
  readonly stops: boolean;
  /** One line a run is too much. */
  readonly isQuiet: boolean;
}

/** Throws with a sentence when the arguments make no sense. */
export function readOptions(args: readonly string[]): CommandOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: "1" },
      seeds: { type: "string" },
      nodes: { type: "string", default: String(NODES_DEFAULT) },
      minutes: { type: "string", default: String(MINUTES_DEFAULT) },
      faults: { type: "string" },
      sealed: { type: "boolean", default: false },
      twice: { type: "boolean", default: false },
      "no-shrink": { type: "boolean", default: false },
      "keep-going": { type: "boolean", default: false },
      quiet: { type: "boolean", default: false },
      hold: { type: "boolean", default: false },
      newcomers: { type: "boolean", default: false },
    },
  });
  const [first, last] = seedsOf(values.seeds ?? values.seed);
  const nodes = numberOf("--nodes", values.nodes, 1, NODES_MAX);
  const minutes = numberOf("--minutes", values.minutes, 0, 1e6);
  const runs: SimulationOptions[] = [];
  for (let seed = first; seed <= last; seed++) {
    runs.push({
      seed,
      nodes,
      minutes,
      faults: faultsOf(values.faults, seed),
      isSealed: values.sealed,
      isHold: values.hold,
      hasNewcomers: values.newcomers,
    });
  }
  return {
    runs,
    isTwice: values.twice,
    shrinks: !values["no-shrink"],
    stops: !values["keep-going"],
    isQuiet: values.quiet,
  };
}

function seedsOf(text: string): [number, number] {
  const [first = "", last = first] = text.split("..");
  return [numberOf("--seed", first, 0, 2 ** 31), numberOf("--seeds", last, 0, 2 ** 31)];
}

function numberOf(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (text === "" || !(number >= least && number <= most)) throw new Error(`${name} is a number ${least}..${most}`);
  return number;
}

/** Without a list the seed picks its own mix. */
function faultsOf(text: string | undefined, seed: number): readonly FaultKind[] {
  if (text === undefined || text === "mix") return mixOf(seed);
  if (text === "all") return FAULT_KINDS;
  if (text === "none" || text === "") return [];
  return text.split(",").map((kind) => {
    if (!isFaultKind(kind)) throw new Error(`--faults ${kind}: there is all, none, mix, ${KINDS.join(", ")}`);
    return kind;
  });
}

export function commandOf({ seed, nodes, minutes, faults, ...options }: SimulationOptions): string {
  const kinds = faults.length === FAULT_KINDS.length ? "all" : faults.length === 0 ? "none" : faults.join(",");
  const flags = [
    options.isSealed === true ? " --sealed" : "",
    options.isHold === true ? " --hold" : "",
    options.hasNewcomers === true ? " --newcomers" : "",
  ];
  return `npm run sim -- --seed ${seed} --nodes ${nodes} --minutes ${minutes} --faults ${kinds}${flags.join("")}`;
}
