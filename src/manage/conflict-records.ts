/**
 * Conflict records: what both sides of a partition had changed, read from the replica, and what a decision does.
 *
 * A record is a string path `/system/conflicts/{id}` that holds JSON; a member of the mesh wrote it, so it is checked
 * field by field, and what is none is left out. Pure: deciding and acknowledging are ordinary writes.
 */
import type { Value } from "../state/declaration.js";
import { CONFLICTS_PREFIX } from "../sync/merge.js";
import type { Replica } from "./replica.js";

/** One side's value; `value` is null where it was too long for the record. Time in milliseconds since the epoch. */
export interface ConflictSideReport {
  /** What the path was called there. */
  readonly path: string;
  readonly value: Value;
  readonly type: string;
  readonly time: number;
  readonly node: string;
  readonly surface: string;
}

export interface ConflictReport {
  readonly id: string;
  readonly path: string;
  readonly kind: string;
  readonly policy: string;
  readonly critical: boolean;
  /** Whose value the path got: the side's that stayed (`mine`) or the other's (`theirs`). */
  readonly taken: string;
  /** Nobody has decided yet. */
  readonly open: boolean;
  /** null where the path was gone on that side. */
  readonly mine: ConflictSideReport | null;
  readonly theirs: ConflictSideReport | null;
}

/** What is to be done to the path of a conflict so that it holds one side's value. */
export type Decision = { readonly value: Value } | { readonly removes: true } | { readonly problem: string };

export function conflictReports({ state }: Replica): ConflictReport[] {
  const reports: ConflictReport[] = [];
  for (const id of state.ids()) {
    const path = state.pathOf(id);
    if (!path.startsWith(CONFLICTS_PREFIX)) continue;
    const report = parseRecord(path.slice(CONFLICTS_PREFIX.length), state.valueOf(id));
    if (report !== undefined) reports.push(report);
  }
  return reports;
}

export function conflictPath(id: string): string {
  return `${CONFLICTS_PREFIX}${id}`;
}

/** `take`: `mine` or `theirs`. */
export function decide(report: ConflictReport, take: "mine" | "theirs"): Decision {
  const side = report[take];
  if (side === null) return { removes: true };
  if (side.type === "impulse") return { problem: "an impulse has no value" };
  if (side.value === null) return { problem: "the record holds no value that long: set the path, then acknowledge" };
  if (side.type !== "blob") return { value: side.value };
  return { value: typeof side.value === "string" ? fromHex(side.value) : new Uint8Array() };
}

function fromHex(text: string): Uint8Array {
  const pairs = text.match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

function parseRecord(id: string, text: Value): ConflictReport | undefined {
  if (typeof text !== "string" || text === "") return undefined;
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof record !== "object" || record === null) return undefined;
  const { path, kind, policy, isCritical, taken, isOpen, mine, theirs } = record as Readonly<Record<string, unknown>>;
  if (typeof path !== "string" || typeof kind !== "string" || typeof policy !== "string") return undefined;
  if (typeof isCritical !== "boolean" || typeof taken !== "string" || typeof isOpen !== "boolean") return undefined;
  const sides = { mine: parseSide(mine), theirs: parseSide(theirs) };
  return { id, path, kind, policy, critical: isCritical, taken, open: isOpen, ...sides };
}

function parseSide(side: unknown): ConflictSideReport | null {
  if (typeof side !== "object" || side === null) return null;
  const { path, value, type, timeUs, node, surface } = side as Readonly<Record<string, unknown>>;
  if (typeof type !== "string" || typeof timeUs !== "number" || typeof node !== "string") return null;
  return {
    path: typeof path === "string" ? path : "",
    value: value as Value,
    type,
    time: timeUs / 1_000,
    node,
    surface: typeof surface === "string" ? surface : "",
  };
}
