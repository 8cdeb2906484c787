/**
 * Echo: an elector tells its controller that it was heard, and up to which packet. What the lease under `hold` is made of.
 *
 * It comes from another node: bytes that are none are refused.
 */
import { decodeFields, isWhole } from "./fields.js";

export interface Echo {
  /** Which boot of the controller was heard. */
  readonly session: number;
  /** The newest packet counter that was heard of it. */
  readonly counter: number;
}

const SESSION_LIMIT = 2 ** 32;

export function echoFields({ session, counter }: Echo): unknown[] {
  return [session, counter];
}

export function decodeEcho(plain: Uint8Array, length: number): Echo | undefined {
  const fields = decodeFields(plain, length);
  if (fields?.length !== 2) return undefined;
  const [session, counter] = fields;
  return isWhole(session, SESSION_LIMIT) && isWhole(counter) ? { session, counter } : undefined;
}
