/**
 * Join code: a mesh's name and key as one text that can be pasted, or read aloud over a headset.
 *
 * Crockford's base32 (no I, L, O, U; I and L read as 1, O as 0; case does not matter) in groups of five behind
 * `HANA-`. Spaces, line breaks and dashes of any kind mean nothing. Bytes: format (1), length of the name (1), name in
 * UTF-8, key (32), checksum (4, BLAKE2b of all before). A code *is* the key: it is never logged.
 */
import { assert } from "../base/assert.js";
import { hashBytes } from "./aead.js";
import { MESH_KEY_BYTES, MESH_NAME_MAX_BYTES } from "./mesh-identity.js";

export interface JoinSecret {
  readonly mesh: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** What is wrong with a text that should be a join code. */
export const JoinComplaint = {
  notAJoinCode: "notAJoinCode",
  badCharacter: "badCharacter",
  tooShort: "tooShort",
  tooLong: "tooLong",
  wrongChecksum: "wrongChecksum",
  unknownFormat: "unknownFormat",
  badName: "badName",
} as const;
export type JoinComplaint = (typeof JoinComplaint)[keyof typeof JoinComplaint];

export type JoinDecoded =
  | { readonly ok: true; readonly secret: JoinSecret }
  | { readonly ok: false; readonly complaint: JoinComplaint; readonly message: string };

const PREFIX = "HANA";
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP_LETTERS = 5;
const FORMAT = 1;
const CHECKSUM_BYTES = 4;
const FIXED_BYTES = 2 + MESH_KEY_BYTES + CHECKSUM_BYTES;
const MAX_BYTES = FIXED_BYTES + MESH_NAME_MAX_BYTES;
/** Spaces of every kind, and every dash that a mail program may put for a plain one. */
const FILLERS = /[\s\u00ad\u200b\u2060\ufeff_\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/gu;

const encoder = new TextEncoder();

export function encodeJoinCode(secret: JoinSecret): string {
  const name = encoder.encode(secret.mesh);
  assert(name.length > 0 && name.length <= MESH_NAME_MAX_BYTES, "a mesh name has 1 to 32 bytes");
  assert(secret.key.length === MESH_KEY_BYTES, "a mesh key has 32 bytes");
  const bytes = new Uint8Array(FIXED_BYTES + name.length);
  bytes[0] = FORMAT;
  bytes[1] = name.length;
  bytes.set(name, 2);
  bytes.set(secret.key, 2 + name.length);
  bytes.set(checksum(bytes.subarray(0, bytes.length - CHECKSUM_BYTES)), bytes.length - CHECKSUM_BYTES);
  const letters = toLetters(bytes);
  const groups = [PREFIX];
  for (let at = 0; at < letters.length; at += GROUP_LETTERS) groups.push(letters.slice(at, at + GROUP_LETTERS));
  return groups.join("-");
}

/** Any text: the answer is a secret or one precise complaint, never a throw. */
export function decodeJoinCode(text: string): JoinDecoded {
  const letters = text.slice(0, TEXT_MAX_LETTERS).replace(FILLERS, "").toUpperCase();
  if (!letters.startsWith(PREFIX)) {
    return complain(JoinComplaint.notAJoinCode, "this is not a join code: one begins with HANA-");
  }
  const body = letters.slice(PREFIX.length);
  if (text.length > TEXT_MAX_LETTERS || body.length > Math.ceil((MAX_BYTES * 8) / 5)) {
    return complain(JoinComplaint.tooLong, "this is longer than a join code can be: is it one code, pasted once?");
  }
  const bytes = new Uint8Array(Math.floor((body.length * 5) / 8));
  const stray = fromLetters(body, bytes);
  if (stray !== "") {
    return complain(JoinComplaint.badCharacter, `a join code has letters and digits only, and no U: found ${stray}`);
  }
  return decodeBytes(bytes, body.length);
}

/** Room for a code with a filler after every letter, twice over. */
const TEXT_MAX_LETTERS = 1_024;

function decodeBytes(bytes: Uint8Array, letterCount: number): JoinDecoded {
  if (bytes.length > 0 && bytes[0] !== FORMAT) {
    return complain(
      JoinComplaint.unknownFormat,
      "the beginning of this join code is wrong, or it was made by a newer hana",
    );
  }
  const nameLength = bytes[1] ?? 0;
  if (nameLength > MESH_NAME_MAX_BYTES) return wrongChecksum();
  const wanted = FIXED_BYTES + nameLength;
  if (bytes.length < wanted) {
    const missing = Math.ceil((wanted * 8) / 5) - letterCount;
    return complain(JoinComplaint.tooShort, `this join code is cut short: ${missing} or more characters are missing`);
  }
  if (bytes.length > wanted) {
    return complain(JoinComplaint.tooLong, "there is something behind this join code: is it one code, pasted once?");
  }
  return decodeWhole(bytes, nameLength);
}

function decodeWhole(bytes: Uint8Array, nameLength: number): JoinDecoded {
  const end = bytes.length - CHECKSUM_BYTES;
  const wanted = checksum(bytes.subarray(0, end));
  for (let index = 0; index < CHECKSUM_BYTES; index++) if (bytes[end + index] !== wanted[index]) return wrongChecksum();
  const mesh = nameFrom(bytes.subarray(2, 2 + nameLength));
  if (mesh === "") return complain(JoinComplaint.badName, "this join code names no mesh");
  return { ok: true, secret: { mesh, key: bytes.slice(2 + nameLength, end) } };
}

function nameFrom(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "";
  }
}

function wrongChecksum(): JoinDecoded {
  return complain(JoinComplaint.wrongChecksum, "the checksum of this join code is wrong: a character was mistaken");
}

function complain(complaint: JoinComplaint, message: string): JoinDecoded {
  return { ok: false, complaint, message };
}

function checksum(bytes: Uint8Array): Uint8Array {
  const hash = new Uint8Array(16);
  hashBytes(hash, bytes);
  return hash.subarray(0, CHECKSUM_BYTES);
}

function toLetters(bytes: Uint8Array): string {
  let letters = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held & 0xff) << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      letters += ALPHABET[(held >>> bits) & 31] as string;
    }
  }
  return bits === 0 ? letters : letters + (ALPHABET[(held << (5 - bits)) & 31] as string);
}

/** Fills `bytes`; returns the first character that belongs to no join code, or "". Left-over bits are ignored. */
function fromLetters(letters: string, bytes: Uint8Array): string {
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const letter of letters) {
    const value = valueOf(letter);
    if (value < 0) return letter;
    held = ((held & 0xff) << 5) | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = held >>> bits;
  }
  return "";
}

function valueOf(letter: string): number {
  if (letter === "O") return 0;
  if (letter === "I" || letter === "L") return 1;
  return ALPHABET.indexOf(letter);
}
