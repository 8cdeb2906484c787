/**
 * Budgets: what each row may cost, from `bench/budgets.json`. Ratios to the floor where a floor is the yardstick,
 * absolute values where the figure itself is promised.
 *
 * A budget whose row did not come is broken: a gate must not pass on nothing.
 */
import { readFileSync } from "node:fs";
import type { Row } from "./bench.js";

export interface Bound {
  readonly min?: number;
  readonly max?: number;
}

/** One of the two: a bound on the ratio to the floor, or on the value. */
export interface Budget {
  readonly ratio?: Bound;
  readonly value?: Bound;
}

export type Budgets = ReadonlyMap<string, Budget>;

export interface Judgement {
  readonly id: string;
  readonly row: Row | undefined;
  readonly budget: Budget | undefined;
  readonly isOk: boolean;
}

export function readBudgets(file: URL): Budgets {
  const parsed: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (typeof parsed !== "object" || parsed === null) throw new Error("budgets.json is no table");
  return new Map(Object.entries(parsed).map(([id, value]) => [id, parseBudget(id, value)]));
}

function parseBudget(id: string, value: unknown): Budget {
  if (typeof value !== "object" || value === null) throw new Error(`budgets.json: ${id} is no table`);
  const budget = value as Readonly<Record<string, unknown>>;
  const entries = Object.entries(budget);
  const [kind, bound] = entries[0] ?? [];
  if (entries.length !== 1 || (kind !== "ratio" && kind !== "value")) {
    throw new Error(`budgets.json: ${id} must have "ratio" or "value"`);
  }
  return { [kind]: parseBound(id, bound) };
}

function parseBound(id: string, value: unknown): Bound {
  const bound = (value ?? {}) as Readonly<Record<string, unknown>>;
  const isNumeric = Object.entries(bound).every(
    ([name, limit]) => (name === "min" || name === "max") && typeof limit === "number",
  );
  if (!isNumeric || Object.keys(bound).length === 0) throw new Error(`budgets.json: ${id} needs "min" or "max"`);
  return bound;
}

/** Judges the rows, and the budgets of the benches that ran, in the order of the rows. */
export function judge(rows: readonly Row[], budgets: Budgets, benches: readonly string[]): Judgement[] {
  const judged = rows.map((row) => judgeRow(row, budgets.get(row.id)));
  const missing = [...budgets]
    .filter(([id]) => benches.includes(id.split(".")[0] ?? "") && !rows.some((row) => row.id === id))
    .map(([id, budget]) => ({ id, row: undefined, budget, isOk: false }));
  return [...judged, ...missing];
}

function judgeRow(row: Row, budget: Budget | undefined): Judgement {
  const isOk = budget === undefined || (isInside(row.ratio, budget.ratio) && isInside(row.value, budget.value));
  return { id: row.id, row, budget, isOk };
}

/** Not a number is never inside. */
function isInside(value: number | undefined, bound: Bound | undefined): boolean {
  if (bound === undefined) return true;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = bound;
  return value !== undefined && value >= min && value <= max;
}
