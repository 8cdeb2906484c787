/**
 * Bench: what every benchmark answers with, and what it is given.
 *
 * A row is one figure with its floor from the same run. Budgets name rows by their id (`harness/budgets.ts`).
 */
import type { Distribution } from "./samples.js";

export interface Row {
  /** `bench.figure`, such as `hop.p50`. */
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  /** The same job by the least code that does it, measured in the same run. */
  readonly floor?: number;
  /** Value over floor: the median over the runs, not the quotient of the two medians. */
  readonly ratio?: number;
  readonly note?: string;
}

/** Latencies to be drawn: floor and hana of one benchmark. */
export interface Latencies {
  readonly title: string;
  readonly series: readonly { readonly name: string; readonly distribution: Distribution }[];
}

export interface BenchResult {
  readonly rows: readonly Row[];
  readonly latencies?: readonly Latencies[];
}

export interface BenchOptions {
  /** How often a comparison is repeated, each time with fresh processes. */
  readonly runs: number;
  /** Says what is going on; goes to stderr. */
  readonly say: (text: string) => void;
}

export interface Bench {
  readonly name: string;
  readonly what: string;
  run(options: BenchOptions): Promise<BenchResult>;
}
