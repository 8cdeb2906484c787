/**
 * Binding records: the bindings as the state says them, under `/mappings/{id}/`.
 *
 * They are paths like any other, so they are versioned, synchronized and saved with the show. Whoever reads them here
 * gets plain data; whether a source or a path means anything on this node is for `Bindings` to say. Slow side.
 */
import { COMPONENTS } from "../state/component.js";
import type { State } from "../state/state.js";
import { entityOf } from "../state/templates.js";
import type { Value } from "../state/declaration.js";
import { type TransformRecord, transformRecord } from "./transform-record.js";

/** Paths that one binding may move. */
export const BOUND_PATHS_MAX = 16;

export const MAPPINGS = COMPONENTS.indexOf("mappings");

export interface BindingRecord {
  readonly id: string;
  readonly isEnabled: boolean;
  /** As people write it: see `parseSource`. */
  readonly source: string;
  /** The path that the control moves. A binding that names several is as many records, alike but for this. */
  readonly path: string;
  /** Values at the control's two ends; equal: the path's own range. */
  readonly range: readonly [number, number];
  readonly curve: string;
  readonly isInverted: boolean;
  readonly takeover: string;
  readonly transform: TransformRecord;
  /** Whether the control is shown the value: auto, on or off. */
  readonly feedback: string;
  /** Of its light: red, green, blue, 0..1; white if nothing is said. */
  readonly colour: readonly number[];
  /** How that shines while it is on: solid, blink, pulse, and -slow or -fast of these. */
  readonly look: string;
}

/** Every binding of the state, in the order of their ids' names. */
export function readBindings(state: State): BindingRecord[] {
  const found = new Map<string, Map<string, Value>>();
  for (let id = 0; id < state.capacity; id++) {
    if (state.types[id] === 0 || state.components[id] !== MAPPINGS) continue;
    const place = entityOf(state.pathOf(id));
    if (place === undefined) continue;
    const parameters = found.get(place.id) ?? new Map<string, Value>();
    parameters.set(place.parameter, state.valueOf(id));
    found.set(place.id, parameters);
  }
  const ids = [...found.keys()].sort();
  return ids.flatMap((id) => recordsOf(id, found.get(id) as ReadonlyMap<string, Value>));
}

/** The paths that a text names, one space between two. */
export function boundPaths(text: string): string[] {
  return text.split(" ").slice(0, BOUND_PATHS_MAX);
}

/** A node of another show may have declared these paths otherwise: what is not of its type counts as not there. */
function recordsOf(id: string, parameters: ReadonlyMap<string, Value>): BindingRecord[] {
  const text = (name: string): string => {
    const value = parameters.get(name);
    return typeof value === "string" ? value : "";
  };
  const range = parameters.get("range");
  const colour = parameters.get("colour");
  const [low = 0, high = 0] = Array.isArray(range) ? (range as number[]) : [];
  const record: Omit<BindingRecord, "path"> = {
    id,
    isEnabled: parameters.get("enabled") !== false,
    source: text("source"),
    range: [low, high],
    curve: text("curve"),
    isInverted: parameters.get("invert") === true,
    takeover: text("takeover"),
    transform: transformRecord(parameters),
    feedback: text("feedback"),
    colour: Array.isArray(colour) ? (colour as number[]) : [],
    look: text("look"),
  };
  return boundPaths(text("path")).map((path) => ({ ...record, path }));
}
