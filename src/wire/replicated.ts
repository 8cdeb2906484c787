/**
 * Replicated: a controller tells a follower that asked (`Applied.isAsking`) that enough nodes have all frames of its term
 * up to one: what is in them outlives it. It comes from another node: bytes that are none are refused.
 */
import { decodeFields, isWhole } from "./fields.js";

export interface ReplicatedNotice {
  readonly term: number;
  readonly frame: number;
}

export function replicatedFields({ term, frame }: ReplicatedNotice): unknown[] {
  return [term, frame];
}

export function decodeReplicated(plain: Uint8Array, length: number): ReplicatedNotice | undefined {
  const fields = decodeFields(plain, length);
  if (fields?.length !== 2) return undefined;
  const [term, frame] = fields;
  return isWhole(term, 2 ** 32) && isWhole(frame) ? { term, frame } : undefined;
}
