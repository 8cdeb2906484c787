/**
 * Yield: what two sides of a mesh say to each other until they are one.
 *
 *   ask       one controller to the other: this side is to yield; are you there?
 *   accept    the answer: go ahead
 *   frozen    this side takes no more writes: fetch what it holds, up to its head (an orphan begins with this)
 *   merged    the answer, once the head is in a term of the other's: its number, and by which change
 *   released  to all: who follows the sender is to follow that term now
 */
import { decodeFields, isNode, isPort, isWhole } from "./fields.js";

export const YieldStage = { ask: 1, accept: 2, frozen: 3, merged: 4, released: 5 } as const;
export type YieldStage = (typeof YieldStage)[keyof typeof YieldStage];

export interface YieldMessage {
  readonly stage: YieldStage;
  /** The head of the side that yields: a term, and the newest change of it that is here. */
  readonly number: number;
  readonly node: string;
  readonly sequence: number;
  /** The number of the term of the side that stays. */
  readonly stays: number;
  /** The newest change of that term; with `merged` the head is in it, or in one before it. */
  readonly staysSequence: number;
  /** Where the sender is answered, and where what it holds can be fetched. */
  readonly unicastPort: number;
  readonly snapshotPort: number;
}

const TERM_LIMIT = 2 ** 32;
const STAGES: readonly unknown[] = Object.values(YieldStage);

export function yieldFields(message: YieldMessage): unknown[] {
  const { stage, number, node, sequence, stays, staysSequence, unicastPort, snapshotPort } = message;
  return [stage, number, node, sequence, stays, staysSequence, unicastPort, snapshotPort];
}

export function decodeYield(plain: Uint8Array, length: number): YieldMessage | undefined {
  const fields = decodeFields(plain, length);
  if (fields?.length !== 8 || !STAGES.includes(fields[0])) return undefined;
  const [stage, number, node, sequence, stays, staysSequence, unicastPort, snapshotPort] = fields;
  if (!isWhole(number, TERM_LIMIT) || !isNode(node) || !isWhole(sequence)) return undefined;
  if (!isWhole(stays, TERM_LIMIT) || !isWhole(staysSequence)) return undefined;
  if (!isPort(unicastPort) || !isPort(snapshotPort)) return undefined;
  return { stage: stage as YieldStage, number, node, sequence, stays, staysSequence, unicastPort, snapshotPort };
}
