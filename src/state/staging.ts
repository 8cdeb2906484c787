/**
 * Staging: the value in hand. One reused object that decoders fill and `coerce` reads.
 *
 * It exists so that a value travels from a datagram to the state without a single allocation. It holds what arrived,
 * untyped and unchecked; after `coerce` it holds exactly what the declaration allows. Never keep a reference to its
 * contents: the next message overwrites them.
 */
import type { Value } from "./declaration.js";

/** What kind of value is in hand. */
export const StagedKind = { none: 0, numbers: 1, text: 2, bytes: 3 } as const;
export type StagedKind = (typeof StagedKind)[keyof typeof StagedKind];

export class Staging {
  kind: StagedKind = StagedKind.none;
  /** How many of `numbers` are meant, 0..4. */
  count = 0;
  readonly numbers = new Float64Array(4);
  text: string | Uint8Array | undefined = undefined;

  clear(): void {
    this.kind = StagedKind.none;
    this.count = 0;
    this.text = undefined;
  }

  number(value: number): void {
    this.kind = StagedKind.numbers;
    this.count = 1;
    this.numbers[0] = value;
    this.text = undefined;
  }

  string(value: string): void {
    this.kind = StagedKind.text;
    this.count = 0;
    this.text = value;
  }

  bytes(value: Uint8Array): void {
    this.kind = StagedKind.bytes;
    this.count = 0;
    this.text = value;
  }

  /** Takes a value from the rim. More than four numbers are refused later, by their count. */
  value(value: Value): void {
    if (typeof value === "number") this.number(value);
    else if (typeof value === "boolean") this.number(value ? 1 : 0);
    else if (typeof value === "string") this.string(value);
    else if (value === null) this.clear();
    else if (value instanceof Uint8Array) this.bytes(value);
    else this.vector(value);
  }

  private vector(values: readonly number[]): void {
    this.kind = StagedKind.numbers;
    this.count = values.length;
    this.text = undefined;
    const count = Math.min(values.length, 4);
    for (let lane = 0; lane < count; lane++) this.numbers[lane] = values[lane] as number;
  }
}
