/**
 * Twin: what two starts of one node id say to each other. Only nodes of that id read it, and it begins no session
 * anywhere, so who says so has not spoken yet.
 *
 *   twin = kind u8, session 8 B, held u32, unicast port u16
 *
 * A claim says for how long its sender has held the id, in milliseconds: 0 while it starts. A refusal says that the node
 * of that session must end. The session is that of the node that it is for, zeros for whoever is there: a session is
 * random, so what names this boot's is no recording of an earlier one. Bytes that are none are refused.
 */
import { ByteReader, ByteWriter } from "../base/bytes.js";
import { SESSION_BYTES } from "./envelope.js";

export const TwinKind = { claim: 1, refusal: 2 } as const;
export type TwinKind = (typeof TwinKind)[keyof typeof TwinKind];

export interface TwinMessage {
  readonly kind: TwinKind;
  /** 8 bytes. */
  readonly session: Uint8Array;
  /** 0..2^32-1 */
  readonly heldMs: number;
  /** Where its sender is answered beside the group; 0 for nowhere. */
  readonly unicastPort: number;
}

export const HELD_MAX_MS = 2 ** 32 - 1;
const BYTES = 1 + SESSION_BYTES + 4 + 2;

/** Answers the message's length. */
export function writeTwin(plain: Uint8Array, { kind, session, heldMs, unicastPort }: TwinMessage): number {
  const out = new ByteWriter(plain);
  out.u8(kind);
  out.bytes(session, 0, SESSION_BYTES);
  out.u32(heldMs);
  out.u16(unicastPort);
  return out.offset;
}

/** Undefined when the bytes are none. */
export function readTwin(plain: Uint8Array, length: number): TwinMessage | undefined {
  const [kind] = plain;
  if (length !== BYTES || (kind !== TwinKind.claim && kind !== TwinKind.refusal)) return undefined;
  const session = plain.slice(1, 1 + SESSION_BYTES);
  const rest = new ByteReader(plain, 1 + SESSION_BYTES, length);
  const heldMs = rest.u32();
  return { kind, session, heldMs, unicastPort: rest.u16() };
}
