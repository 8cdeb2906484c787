import { describe, expect, it } from "vitest";
import { InputMerge, MERGE_DOUBLES, MergedInputs, resetMerge } from "../../../src/input/input-merge.js";

/** Controls with these priorities, at rest at these values. Answers what the path becomes by moves of [control, value]. */
function merged(
  policy: InputMerge,
  inputs: readonly (readonly [number, number])[],
  ...moves: [number, number][]
): number[] {
  const memory = new Float64Array(inputs.length * MERGE_DOUBLES);
  const group = new MergedInputs(policy, memory);
  inputs.forEach(([priority, rest], index) => {
    resetMerge(memory, index * MERGE_DOUBLES);
    group.add(index * MERGE_DOUBLES, priority, rest);
  });
  return moves.map(([input, value]) => {
    const values = Float64Array.of(value);
    group.take(input * MERGE_DOUBLES, values);
    return values[0] as number;
  });
}

describe("inputs merged", () => {
  it("by max are what the highest asks for, of those that have moved", () => {
    const inputs = [
      [0, 0],
      [0, 0],
    ] as const;
    expect(merged(InputMerge.max, inputs, [0, -2], [1, 3], [0, 1], [1, 0.5], [0, 0])).toEqual([-2, 3, 3, 1, 0.5]);
  });

  it("by sum add how far each is from its rest", () => {
    const inputs = [
      [0, 10],
      [0, 1],
    ] as const;
    expect(merged(InputMerge.sum, inputs, [0, 12], [1, 4], [0, 10], [1, 0])).toEqual([12, 6, 4 - 1 + 10, 0]);
  });

  it("by priority are what the foremost that does not rest asks for", () => {
    const inputs = [
      [0, 0],
      [5, 0],
    ] as const;
    const moves: [number, number][] = [
      [0, 3],
      [1, 2],
      [0, 4],
      [1, 0],
      [0, 0],
    ];
    expect(merged(InputMerge.priority, inputs, ...moves)).toEqual([3, 2, 2, 4, 0]);
  });

  it("by priority, of equals, are what the last one asks for", () => {
    const inputs = [
      [1, 0],
      [1, 0],
    ] as const;
    expect(merged(InputMerge.priority, inputs, [0, 3], [1, 2], [0, 4], [0, 0])).toEqual([3, 2, 4, 2]);
  });
});
