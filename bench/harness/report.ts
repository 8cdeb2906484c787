/** Report: the judged rows as a table for people and as JSON for machines, with the machine that they are from. */
import { cpus, loadavg, release, totalmem } from "node:os";
import type { Latencies } from "./bench.js";
import type { Bound, Budget, Judgement } from "./budgets.js";

export interface Machine {
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  /** Of the last minute: at the start, and at the end. */
  readonly load: readonly number[];
}

export function machine(loadAtStart: number): Machine {
  const cores = cpus();
  return {
    node: process.version,
    cpu: cores[0]?.model ?? "unknown",
    cores: cores.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    load: [loadAtStart, loadavg()[0] ?? 0].map((load) => Math.round(load * 100) / 100),
  };
}

const COLUMNS = ["", "value", "floor", "ratio", "budget", "", "note"] as const;

export function table(judgements: readonly Judgement[]): string {
  const lines = [COLUMNS, ...judgements.map(cells)];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) => line.map((cell, column) => pad(cell, column, widths[column] ?? 0)).join("  ")).join("\n");
}

function pad(cell: string, column: number, width: number): string {
  if (column === COLUMNS.length - 1) return cell;
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

function cells({ id, row, budget, isOk }: Judgement): string[] {
  const verdict = budget === undefined ? "" : isOk ? "ok" : "BROKEN";
  if (row === undefined) return [id, "missing", "", "", budgetText(budget), verdict, ""];
  return [
    `${row.id}: ${row.what}`,
    `${figure(row.value)} ${row.unit}`,
    row.floor === undefined ? "" : figure(row.floor),
    row.ratio === undefined ? "" : row.ratio.toFixed(2),
    budgetText(budget),
    verdict,
    row.note ?? "",
  ];
}

function budgetText(budget: Budget | undefined): string {
  if (budget === undefined) return "";
  const { ratio, value } = budget;
  return ratio === undefined ? boundText(value ?? {}, "") : boundText(ratio, "x");
}

function boundText({ min, max }: Bound, unit: string): string {
  if (min !== undefined && max !== undefined) return `${figure(min)}..${figure(max)}${unit}`;
  return min === undefined ? `<= ${figure(max ?? 0)}${unit}` : `>= ${figure(min)}${unit}`;
}

/** Three significant digits; thousands in groups. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

/** Shares at which a distribution is written out: finer towards the end, where the trouble is. */
export const SHARES: readonly number[] = Array.from({ length: 81 }, (_, step) => 1 - 10 ** (-step / 20));

export function json(about: Machine, judgements: readonly Judgement[], latencies: readonly Latencies[]): string {
  const rows = judgements.map(({ id, row, budget, isOk }) => ({ id, ...row, budget, ok: isOk }));
  const distributions = latencies.map(({ title, series }) => ({
    title,
    series: series.map(({ name, distribution }) => ({
      name,
      samples: distribution.sortedUs.length,
      superseded: distribution.superseded,
      percentilesUs: SHARES.map((share) => [share, distribution.at(share)]),
    })),
  }));
  return JSON.stringify({ machine: about, rows, distributions }, undefined, 2);
}
