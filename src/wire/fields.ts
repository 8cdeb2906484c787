/**
 * Fields: how control messages become bytes and back, and the checks that each field goes through.
 *
 * The records feature of msgpackr stays off (a decoder with structures can be poisoned). Every field is checked after
 * decoding: msgpack yields Dates, RegExps and bigints to whoever sends them.
 */
import { Packr, Unpackr } from "msgpackr";

const OPTIONS = { useRecords: false, variableMapSize: true, copyBuffers: true } as const;
const packr = new Packr(OPTIONS);
const unpackr = new Unpackr(OPTIONS);

/** The bytes are the packer's own: they are to be copied at once. */
export function packFields(fields: readonly unknown[]): Uint8Array {
  return packr.pack(fields);
}

/** Answers how many bytes were written; 0 when they do not fit. */
export function encodeMessage(fields: readonly unknown[], plain: Uint8Array): number {
  const bytes = packFields(fields);
  if (bytes.length > plain.length) return 0;
  plain.set(bytes);
  return bytes.length;
}

export function decodeFields(plain: Uint8Array, length: number): unknown[] | undefined {
  try {
    const value: unknown = unpackr.unpack(plain.slice(0, length));
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isWhole(value: unknown, below = 2 ** 53): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < below;
}

export function isPort(value: unknown): value is number {
  return isWhole(value, 65_536);
}

export function isText(value: unknown, limit: number): value is string {
  return typeof value === "string" && value.length <= limit;
}

/** A node id: 16 hex digits. */
export function isNode(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{16}$/.test(value);
}
