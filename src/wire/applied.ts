/**
 * Applied: a follower's answer to a heartbeat that asks for it: up to which frame all have acted there.
 */
import { decodeFields, isWhole } from "./fields.js";

export interface Applied {
  readonly term: number;
  /** All frames of that term up to this one have acted. */
  readonly frame: number;
}

export function appliedFields({ term, frame }: Applied): unknown[] {
  return [term, frame];
}

export function decodeApplied(plain: Uint8Array, length: number): Applied | undefined {
  const [term, frame] = decodeFields(plain, length) ?? [];
  return isWhole(term, 2 ** 32) && isWhole(frame) ? { term, frame } : undefined;
}
