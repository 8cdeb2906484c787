/**
 * Expression: a formula that a binding carries, as a flat program.
 *
 * It runs from its first step to its last and has no jump, so it always ends, after as many steps as it has. It reads
 * the numbers that it is given and nothing else of the world: the same numbers give the same result. It allocates
 * nothing when it runs. `parseExpression` makes one of a text.
 */
import { Operation, operate, takenBy } from "./expression-operation.js";

/** Bounds of a program. */
export const EXPRESSION_STEPS_MAX = 256;
export const EXPRESSION_STACK_MAX = 32;
export const EXPRESSION_PATHS_MAX = 16;

/** Where the numbers lie that an expression is given; the values of its paths follow. */
export const ExpressionInput = { x: 0, value: 1, paths: 2 } as const;
/** Numbers that an expression can be given. */
export const EXPRESSION_INPUTS_MAX = ExpressionInput.paths + EXPRESSION_PATHS_MAX;

const OPERATION_BITS = 8;
const OPERATION_MASK = (1 << OPERATION_BITS) - 1;

/** Numbers on the way: one expression runs at a time. A step may look at two places above the highest in use. */
const stack = new Float64Array(EXPRESSION_STACK_MAX + 2);

export class Expression {
  readonly text: string;
  /** Paths whose values it is given, from `ExpressionInput.paths` on. */
  readonly paths: readonly string[];
  private readonly steps: Uint16Array;
  private readonly constants: Float64Array;

  constructor(text: string, paths: readonly string[], steps: readonly number[], constants: readonly number[]) {
    this.text = text;
    this.paths = paths;
    this.steps = Uint16Array.from(steps);
    this.constants = Float64Array.from(constants);
  }

  /** Puts the result into `results[0]`. False when it is no finite number. `inputs`: see `ExpressionInput`. */
  run(inputs: Float64Array, results: Float64Array): boolean {
    const { steps, constants } = this;
    let top = 0;
    for (let at = 0; at < steps.length; at++) {
      const step = steps[at] as number;
      const operation = (step & OPERATION_MASK) as Operation;
      const index = step >> OPERATION_BITS;
      if (operation === Operation.constant) stack[top] = constants[index] as number;
      else if (operation === Operation.input) stack[top] = inputs[index] as number;
      else {
        top -= takenBy(operation);
        operate(operation, stack, top);
      }
      top++;
    }
    const result = stack[0] as number;
    results[0] = result;
    // `Number.isFinite` would be handed the double as an object.
    return result - result === 0;
  }
}

/** A step of a program: an operation, and the place of the constant or input that it takes. */
export function expressionStep(operation: Operation, index = 0): number {
  return operation | (index << OPERATION_BITS);
}
