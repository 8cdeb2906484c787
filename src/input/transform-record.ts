/**
 * Transform record: what a binding says about how its control is read, beyond range, curve and takeover.
 *
 * Paths of the binding like its others, but such as exist only once somebody asked for them: most bindings have none.
 */
import type { Value } from "../state/declaration.js";

export interface TransformRecord {
  readonly mode: string;
  readonly encoding: string;
  /** A detent's or press's worth in the value's units; 0: chosen by the path's type. */
  readonly step: number;
  readonly acceleration: number;
  /** Places on the control's way; below 2: no steps. */
  readonly steps: number;
  /** The value's time constant, in milliseconds; 0: it goes where the control is at once. */
  readonly smooth: number;
  readonly deadZone: number;
  readonly deadZoneAt: string;
  /** What a button of mode `radio` sets, as text; "" for the end of the range. */
  readonly value: string;
  /** A condition, and a formula for the value; "" for none. */
  readonly when: string;
  readonly expression: string;
  readonly merge: string;
  readonly priority: number;
}

/** As `/mappings/{id}/` says; what is not there, or of another type, is the default. */
export function transformRecord(parameters: ReadonlyMap<string, Value>): TransformRecord {
  const text = (name: string): string => {
    const value = parameters.get(name);
    return typeof value === "string" ? value : "";
  };
  const number = (name: string): number => {
    const value = parameters.get(name);
    return typeof value === "number" ? value : 0;
  };
  return {
    mode: text("mode"),
    encoding: text("encoding"),
    step: number("step"),
    acceleration: number("acceleration"),
    steps: number("steps"),
    smooth: number("smooth"),
    deadZone: number("deadZone"),
    deadZoneAt: text("deadZoneAt"),
    value: text("value"),
    when: text("when"),
    expression: text("expression"),
    merge: text("merge"),
    priority: number("priority"),
  };
}
