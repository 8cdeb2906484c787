/**
 * Applied: a follower tells its controller up to which frame all have acted there. It does so when a heartbeat asks for it,
 * and by itself when it wants to hear that enough others have as much.
 */
import { decodeFields, isWhole } from "./fields.js";

export interface Applied {
  readonly term: number;
  /** All frames of that term up to this one have acted. */
  readonly frame: number;
  /** `Replicated` is to be answered as soon as it holds for this frame. */
  readonly isAsking: boolean;
}

export function appliedFields({ term, frame, isAsking }: Applied): unknown[] {
  return [term, frame, isAsking];
}

export function decodeApplied(plain: Uint8Array, length: number): Applied | undefined {
  const [term, frame, isAsking] = decodeFields(plain, length) ?? [];
  if (!isWhole(term, 2 ** 32) || !isWhole(frame) || typeof isAsking !== "boolean") return undefined;
  return { term, frame, isAsking };
}
