/**
 * Vote: what a node that wants to be controller asks all others, and what each of them answers.
 *
 * The ask names the term that would be opened and the head of whoever asks: the term that its contents are of, and up
 * to which change all of it is there. The answer gives the voter's own head, so that the new controller can fetch what
 * a better informed voter has before its first write.
 */
import { decodeFields, isNode, isPort, isText, isWhole } from "./fields.js";

/** What a node holds: all changes of a term's stream up to one. Number 0 and node "" while it holds nothing. */
export interface Head {
  readonly number: number;
  readonly node: string;
  readonly whole: number;
}

export interface VoteAsk {
  /** The number of the term that would be opened. */
  readonly number: number;
  /** Repeated by the answers, so that an answer to an earlier ask is none. 1..2^32-1 */
  readonly nonce: number;
  readonly head: Head;
  readonly priority: number;
  /** Where the answer goes. */
  readonly unicastPort: number;
  /** Who agrees promises nothing: it is asked whether it would. */
  readonly isTrial: boolean;
  /** The controller of the head's term said goodbye: nobody needs to wait for its silence. */
  readonly hasLeft: boolean;
}

export interface Vote {
  readonly number: number;
  readonly nonce: number;
  readonly isYes: boolean;
  /** The highest term number that the voter knows of. */
  readonly known: number;
  readonly head: Head;
  /** The voter's name: electors may be known by it. */
  readonly name: string;
  /** Where the voter's contents can be fetched. */
  readonly snapshotPort: number;
}

const NAME_LIMIT = 64;
const TERM_LIMIT = 2 ** 32;

export function voteAskFields(ask: VoteAsk): unknown[] {
  return [ask.number, ask.nonce, ask.isTrial, ask.hasLeft, ask.priority, ask.unicastPort, ...headFields(ask.head)];
}

export function decodeVoteAsk(plain: Uint8Array, length: number): VoteAsk | undefined {
  const fields = decodeFields(plain, length);
  if (fields === undefined) return undefined;
  const [number, nonce, isTrial, hasLeft, priority, unicastPort] = fields;
  const head = headOf(fields.slice(6));
  if (!isWhole(number, TERM_LIMIT) || number === 0 || !isWhole(nonce, TERM_LIMIT)) return undefined;
  if (typeof isTrial !== "boolean" || typeof hasLeft !== "boolean" || !isWhole(priority, 1_001)) return undefined;
  if (!isPort(unicastPort) || head === undefined) return undefined;
  return { number, nonce, isTrial, hasLeft, priority, unicastPort, head };
}

export function voteFields(vote: Vote): unknown[] {
  return [vote.number, vote.nonce, vote.isYes, vote.known, vote.snapshotPort, vote.name, ...headFields(vote.head)];
}

export function decodeVote(plain: Uint8Array, length: number): Vote | undefined {
  const fields = decodeFields(plain, length);
  if (fields === undefined) return undefined;
  const [number, nonce, isYes, known, snapshotPort, name] = fields;
  const head = headOf(fields.slice(6));
  if (!isWhole(number, TERM_LIMIT) || !isWhole(nonce, TERM_LIMIT) || typeof isYes !== "boolean") return undefined;
  if (!isWhole(known, TERM_LIMIT) || !isPort(snapshotPort) || !isText(name, NAME_LIMIT)) return undefined;
  return head === undefined ? undefined : { number, nonce, isYes, known, snapshotPort, name, head };
}

function headFields({ number, node, whole }: Head): unknown[] {
  return [number, node, whole];
}

function headOf([number, node, whole]: readonly unknown[]): Head | undefined {
  if (!isWhole(number, TERM_LIMIT) || !isWhole(whole)) return undefined;
  if (number === 0 ? node !== "" : !isNode(node)) return undefined;
  return { number, node: node as string, whole };
}
