/**
 * Formula: an expression of a binding at work on this node, with the values that the node shows.
 *
 * Made anew whenever paths come or go. What is not there, or is no number, counts as 0, and the formula says so.
 */
import { StagedKind, type Staging } from "../state/staging.js";
import type { State } from "../state/state.js";
import { isText, type ValueType } from "../state/declaration.js";
import { type Expression, ExpressionInput } from "./expression.js";
import type { ShownValues } from "./osc-target.js";

export class Formula {
  /** Paths that count as 0, as a sentence; "" when all are numbers. */
  readonly missing: string;
  private readonly expression: Expression;
  /** By the order of the expression's paths; -1 for one that counts as 0. */
  private readonly ids: Int32Array;

  constructor(expression: Expression, state: State) {
    this.expression = expression;
    this.ids = Int32Array.from(expression.paths, (path) => numericId(state, path));
    const zeros = expression.paths.filter((_, index) => (this.ids[index] as number) < 0);
    this.missing =
      zeros.length === 0 ? "" : `${zeros.join(", ")} ${zeros.length === 1 ? "is" : "are"} no number here: 0`;
  }

  /** The paths that it reads. */
  get followed(): readonly number[] {
    return Array.from(this.ids).filter((id) => id >= 0);
  }

  /**
   * Puts the result into `results[0]`; false when it is no finite number. `inputs` holds the control's way and the value
   * already; `staging` is what values are read with.
   */
  run(shown: ShownValues, staging: Staging, inputs: Float64Array, results: Float64Array): boolean {
    const { ids } = this;
    for (let index = 0; index < ids.length; index++) {
      const id = ids[index] as number;
      if (id >= 0) shown.load(id, staging);
      const isNumber = id >= 0 && staging.kind === StagedKind.numbers;
      inputs[ExpressionInput.paths + index] = isNumber ? (staging.numbers[0] as number) : 0;
    }
    return this.expression.run(inputs, results);
  }
}

function numericId(state: State, path: string): number {
  const id = state.idOf(path);
  const type = state.typeOf(id);
  return type === 0 || isText(type as ValueType) ? -1 : id;
}
