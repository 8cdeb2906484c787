/**
 * Expression operation: what one step of an expression does to the numbers on its stack.
 *
 * Every operation takes a fixed count of numbers and leaves one, so a program's need of stack is known before it runs.
 * All are functions of their numbers alone, and none can fail: what means nothing is NaN, as JavaScript has it.
 */

export const Operation = {
  constant: 0,
  input: 1,
  negate: 2,
  not: 3,
  abs: 4,
  floor: 5,
  ceil: 6,
  round: 7,
  sqrt: 8,
  exp: 9,
  log: 10,
  sin: 11,
  cos: 12,
  sign: 13,
  add: 14,
  subtract: 15,
  multiply: 16,
  divide: 17,
  remainder: 18,
  power: 19,
  less: 20,
  lessEqual: 21,
  greater: 22,
  greaterEqual: 23,
  equal: 24,
  notEqual: 25,
  and: 26,
  or: 27,
  min: 28,
  max: 29,
  mod: 30,
  step: 31,
  choose: 32,
  clamp: 33,
  lerp: 34,
  smoothstep: 35,
} as const;
export type Operation = (typeof Operation)[keyof typeof Operation];

/** How many numbers it takes from the stack. */
export function takenBy(operation: Operation): number {
  if (operation <= Operation.input) return 0;
  if (operation < Operation.add) return 1;
  return operation < Operation.choose ? 2 : 3;
}

/** Puts what an operation makes of the numbers from `at` on in their place, at `at`. */
export function operate(operation: Operation, stack: Float64Array, at: number): void {
  if (operation < Operation.add) single(operation, stack, at);
  else if (operation < Operation.less) arithmetic(operation, stack, at);
  else if (operation < Operation.min) logic(operation, stack, at);
  else several(operation, stack, at);
}

/** Neither 0 nor NaN. */
function isTrue(value: number): boolean {
  return value < 0 || value > 0;
}

function single(operation: Operation, stack: Float64Array, at: number): void {
  const value = stack[at] as number;
  if (operation === Operation.negate) stack[at] = -value;
  else if (operation === Operation.not) stack[at] = isTrue(value) ? 0 : 1;
  else if (operation === Operation.abs) stack[at] = Math.abs(value);
  else if (operation === Operation.floor) stack[at] = Math.floor(value);
  else if (operation === Operation.ceil) stack[at] = Math.ceil(value);
  else if (operation === Operation.round) stack[at] = Math.round(value);
  else if (operation === Operation.sqrt) stack[at] = Math.sqrt(value);
  else if (operation === Operation.exp) stack[at] = Math.exp(value);
  else if (operation === Operation.log) stack[at] = Math.log(value);
  else if (operation === Operation.sin) stack[at] = Math.sin(value);
  else if (operation === Operation.cos) stack[at] = Math.cos(value);
  else stack[at] = Math.sign(value);
}

function arithmetic(operation: Operation, stack: Float64Array, at: number): void {
  const left = stack[at] as number;
  const right = stack[at + 1] as number;
  if (operation === Operation.add) stack[at] = left + right;
  else if (operation === Operation.subtract) stack[at] = left - right;
  else if (operation === Operation.multiply) stack[at] = left * right;
  else if (operation === Operation.divide) stack[at] = left / right;
  else if (operation === Operation.remainder) stack[at] = left % right;
  else stack[at] = left ** right;
}

function logic(operation: Operation, stack: Float64Array, at: number): void {
  const left = stack[at] as number;
  const right = stack[at + 1] as number;
  stack[at] = isSo(operation, left, right) ? 1 : 0;
}

function isSo(operation: Operation, left: number, right: number): boolean {
  if (operation === Operation.less) return left < right;
  if (operation === Operation.lessEqual) return left <= right;
  if (operation === Operation.greater) return left > right;
  if (operation === Operation.greaterEqual) return left >= right;
  if (operation === Operation.equal) return left === right;
  if (operation === Operation.notEqual) return left !== right;
  return operation === Operation.and ? isTrue(left) && isTrue(right) : isTrue(left) || isTrue(right);
}

function several(operation: Operation, stack: Float64Array, at: number): void {
  const first = stack[at] as number;
  const second = stack[at + 1] as number;
  const third = stack[at + 2] as number;
  if (operation === Operation.min) stack[at] = Math.min(first, second);
  else if (operation === Operation.max) stack[at] = Math.max(first, second);
  else if (operation === Operation.mod) stack[at] = first - second * Math.floor(first / second);
  else if (operation === Operation.step) stack[at] = second < first ? 0 : 1;
  else if (operation === Operation.choose) stack[at] = isTrue(first) ? second : third;
  else if (operation === Operation.clamp) stack[at] = Math.min(third, Math.max(second, first));
  else if (operation === Operation.lerp) stack[at] = first + (second - first) * third;
  else {
    const share = Math.min(1, Math.max(0, (third - first) / (second - first)));
    stack[at] = share * share * (3 - 2 * share);
  }
}
