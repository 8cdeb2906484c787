/**
 * SysEx form: a message with holes, filled; and what a device sent, read against one.
 *
 * Profiles write messages as bytes and fields. Here they become bytes, and back. Nothing here knows what a field means.
 */
import type { MessagePart } from "../config/profile-notation.js";

/** What goes into the holes; a field that is not given is left out. */
export type FormFields = Readonly<Record<string, number | readonly number[]>>;

export function fillForm(parts: readonly MessagePart[], fields: FormFields): Uint8Array {
  const bytes: number[] = [];
  for (const part of parts) {
    const filling = typeof part === "number" ? part : fields[part];
    if (typeof filling === "number") bytes.push(filling);
    else if (filling !== undefined) bytes.push(...filling);
  }
  return Uint8Array.from(bytes);
}

/**
 * Whether the first `length` bytes are such a message: `?` is any byte, `*` any number of them up to the end's, a field
 * any one byte.
 */
export function matchesForm(parts: readonly MessagePart[], bytes: Uint8Array, length: number): boolean {
  const rest = parts.indexOf("*");
  const head = rest < 0 ? parts : parts.slice(0, rest);
  const tail = rest < 0 ? [] : parts.slice(rest + 1);
  if (rest < 0 ? length !== parts.length : length < head.length + tail.length) return false;
  const fits = (part: MessagePart, at: number): boolean => typeof part !== "number" || part === bytes[at];
  return (
    head.every((part, index) => fits(part, index)) &&
    tail.every((part, index) => fits(part, length - tail.length + index))
  );
}

/** What stands in the hole `field`, however long, of such a message, whatever its other holes hold; undefined for another. */
export function heldBy(
  parts: readonly MessagePart[],
  field: string,
  bytes: Uint8Array,
  length: number,
): Uint8Array | undefined {
  const at = parts.indexOf(field);
  const end = parts.length - at - 1;
  if (at < 0 || !matchesForm([...parts.slice(0, at), "*", ...parts.slice(at + 1)], bytes, length)) return undefined;
  return bytes.slice(at, length - end);
}

/** Bytes as profiles write them: `F0 7E 7F`. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(" ");
}
