/**
 * Messages: the small control messages, as msgpack arrays. Hello, leave, NAK and write results.
 *
 * They are rare, so they are readable rather than tight. Every field is checked after decoding (`fields.ts`). A message
 * that does not fit is answered with undefined.
 */
import { type Reject, rejectOf } from "../state/reject.js";
import { decodeFields, isPort, isText, isWhole } from "./fields.js";
import { NAME_LIMIT, PRIORITY_MAX } from "./fitness.js";

/** What a node says of itself. */
export interface NodeNotice {
  readonly name: string;
  readonly priority: number;
  readonly unicastPort: number;
  readonly snapshotPort: number;
  /** The term number it knows; 0 for none, or while it joins one. */
  readonly term: number;
  readonly isInSync: boolean;
}

export interface Hello extends NodeNotice {
  /** Repeated by the controller's answer, so that an old answer is none. 1..2^32-1 */
  readonly nonce: number;
}

export interface WriteResult {
  readonly session: number;
  /** All writes up to this one are taken. */
  readonly write: number;
  /** They are published by this frame. */
  readonly frame: number;
  readonly term: number;
  readonly refusals: readonly { readonly write: number; readonly reject: Reject }[];
}

export interface Nak {
  readonly term: number;
  /** First and last, in pairs. */
  readonly ranges: readonly number[];
}

export const NAK_RANGES_MAX = 16;

export function helloFields(hello: Hello): unknown[] {
  return [hello.nonce, ...noticeFields(hello)];
}

export function decodeHello(plain: Uint8Array, length: number): Hello | undefined {
  const fields = decodeFields(plain, length);
  if (fields === undefined || !isWhole(fields[0], 2 ** 32)) return undefined;
  const notice = decodeNotice(fields, 1);
  return notice === undefined ? undefined : { ...notice, nonce: fields[0] };
}

function noticeFields(notice: NodeNotice): unknown[] {
  return [notice.name, notice.priority, notice.unicastPort, notice.snapshotPort, notice.term, notice.isInSync];
}

function decodeNotice(fields: unknown[], from: number): NodeNotice | undefined {
  const [name, priority, unicastPort, snapshotPort, term, isInSync] = fields.slice(from);
  if (!isText(name, NAME_LIMIT) || !isWhole(priority, PRIORITY_MAX + 1) || !isPort(unicastPort)) return undefined;
  if (!isPort(snapshotPort) || !isWhole(term, 2 ** 32) || typeof isInSync !== "boolean") return undefined;
  return { name, priority, unicastPort, snapshotPort, term, isInSync };
}

export function writeResultFields(result: WriteResult): unknown[] {
  const refusals = result.refusals.flatMap((refusal) => [refusal.write, refusal.reject]);
  return [result.session, result.write, result.frame, result.term, refusals];
}

export function decodeWriteResult(plain: Uint8Array, length: number): WriteResult | undefined {
  const fields = decodeFields(plain, length);
  if (fields === undefined) return undefined;
  const [session, write, frame, term, pairs] = fields;
  if (!isWhole(session, 2 ** 32) || !isWhole(write) || !isWhole(frame) || !isWhole(term, 2 ** 32)) return undefined;
  if (!Array.isArray(pairs) || !pairs.every((item) => isWhole(item))) return undefined;
  const refusals = [];
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    refusals.push({ write: pairs[index] as number, reject: rejectOf(pairs[index + 1] as number) });
  }
  return { session, write, frame, term, refusals };
}

export function nakFields(nak: Nak): unknown[] {
  return [nak.term, ...nak.ranges];
}

export function decodeNak(plain: Uint8Array, length: number): Nak | undefined {
  const fields = decodeFields(plain, length);
  if (fields === undefined || fields.length > 1 + NAK_RANGES_MAX * 2) return undefined;
  const numbers = fields.filter((field) => isWhole(field));
  if (numbers.length !== fields.length) return undefined;
  const [term, ...ranges] = numbers;
  return term === undefined ? undefined : { term, ranges };
}
