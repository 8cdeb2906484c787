/**
 * Change report: one path's value, or one change, as the control API shows it in JSON.
 *
 * The same object answers `get`, makes a line of `watch` and stands in `list`, so a program learns it once. `version`
 * is `{ term, node, sequence }`, or null while the value is pending or was never written. `time` is in milliseconds
 * since the Unix epoch, with microseconds behind the point (the hybrid clock of whoever ordered the change). `origin`
 * is the node and the surface there ("" for the node itself).
 */
import { jsonValue } from "../config/value-text.js";
import type { Origin } from "../state/change.js";
import type { ValueTypeName } from "../state/declaration.js";
import type { ImpulseFields, Replica } from "./replica.js";
import type { VersionReport } from "./reports.js";

export interface ChangeReport {
  readonly path: string;
  readonly value: number | boolean | string | number[] | null;
  readonly version: VersionReport | null;
  readonly origin: Origin;
  readonly time: number | null;
  /** Present, and true, while the controller has not confirmed it. */
  readonly pending?: true;
}

export interface PathReport extends ChangeReport {
  readonly type: ValueTypeName;
}

/** What a path shows now; the id exists. */
export function reportChange(replica: Replica, id: number): ChangeReport {
  const { state } = replica;
  const isPending = replica.pending[id] === 1;
  const timeUs = state.timesUs[id] as number;
  return {
    path: state.pathOf(id),
    value: jsonValue(state.valueOf(id), state.declarationOf(id)),
    version: isPending ? null : versionAt(replica, state.terms[id] as number, state.sequences[id] as number),
    origin: replica.origins.at(state.origins[id] as number),
    time: timeUs === 0 ? null : timeUs / 1_000,
    ...(isPending ? { pending: true as const } : {}),
  };
}

export function reportPath(replica: Replica, id: number): PathReport {
  const type = replica.state.declarationOf(id)?.type ?? "float";
  const { path, ...rest } = reportChange(replica, id);
  return { path, type, ...rest };
}

export function reportImpulse(replica: Replica, id: number, impulse: ImpulseFields): ChangeReport {
  return {
    path: replica.state.pathOf(id),
    value: null,
    version: impulse.isPending ? null : versionAt(replica, impulse.term, impulse.sequence),
    origin: replica.origins.at(impulse.origin),
    time: impulse.timeUs / 1_000,
    ...(impulse.isPending ? { pending: true as const } : {}),
  };
}

function versionAt(replica: Replica, term: number, sequence: number): VersionReport | null {
  if (sequence === 0) return null;
  const { number, node } = replica.terms.at(term);
  return { term: number, node, sequence };
}
