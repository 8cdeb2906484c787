/**
 * Virtual seal: stands in for ChaCha20-Poly1305 where a hundred nodes open every datagram. It hides nothing, and it
 * keeps what a run depends on: whoever changes a bit of header, body, nonce or key is found out, up to 2^-64.
 *
 * A datagram to a group is opened by everybody with the same header, nonce and key. So what was opened last is kept
 * whole, and what is equal to it in every byte is not mixed again.
 *
 * All else of the sealer and the opener is what ships. `seeds.test.ts` shows that runs with the real seal are the same.
 */
import type { FrameCipher } from "../../src/security/aead.js";
import { ViewCache } from "../../src/security/view-cache.js";
import { DATAGRAM_MAX_BYTES, HEADER_BYTES, TAG_BYTES } from "../../src/wire/envelope.js";

export const VIRTUAL_SEAL: FrameCipher = {
  seal(sealed, plain, associated, nonce, key) {
    const { length } = plain;
    begin(associated, nonce, key);
    copyMixed(plain, sealed, length);
    for (let index = 0; index < TAG_BYTES; index++) sealed[length + index] = tagByte(index);
  },
  open(plain, sealed, associated, nonce, key) {
    if (last.is(sealed, associated, nonce, key)) {
      plain.set(last.plain);
      return true;
    }
    const { length } = plain;
    begin(associated, nonce, key);
    copyMixed(sealed, plain, length);
    for (let index = 0; index < TAG_BYTES; index++) {
      if (sealed[length + index] === tagByte(index)) continue;
      plain.fill(0);
      return false;
    }
    last.keep(plain, sealed, associated, nonce, key);
    return true;
  },
};

const words = new Int32Array(2);
/** Keys are hashes: eight bytes of one tell it from any other. The counter ends the nonce. */
const KEY_MIXED_BYTES = 8;
const NONCE_FROM = 4;

/** What was opened last, and with what. */
class LastOpened {
  private readonly sealedBytes = new Uint8Array(DATAGRAM_MAX_BYTES);
  private readonly sealedViews = new ViewCache(this.sealedBytes);
  private readonly plainBytes = new Uint8Array(DATAGRAM_MAX_BYTES);
  private readonly plainViews = new ViewCache(this.plainBytes);
  private sealed = this.sealedViews.of(0);
  plain = this.plainViews.of(0);
  private readonly associated = new Uint8Array(HEADER_BYTES);
  private readonly nonce = new Uint8Array(NONCE_FROM + 8);
  private readonly key = new Uint8Array(KEY_MIXED_BYTES);

  keep(plain: Uint8Array, sealed: Uint8Array, associated: Uint8Array, nonce: Uint8Array, key: Uint8Array): void {
    this.sealed = this.sealedViews.of(sealed.length);
    this.sealed.set(sealed);
    this.plain = this.plainViews.of(plain.length);
    this.plain.set(plain);
    this.associated.set(associated);
    this.nonce.set(nonce);
    this.key.set(key.subarray(0, KEY_MIXED_BYTES));
  }

  is(sealed: Uint8Array, associated: Uint8Array, nonce: Uint8Array, key: Uint8Array): boolean {
    return (
      sealed.length === this.sealed.length &&
      isEqual(associated, this.associated) &&
      isEqual(nonce, this.nonce) &&
      isEqual(this.key, key) &&
      Buffer.compare(sealed, this.sealed) === 0
    );
  }
}

/** Whether two begin with the same bytes, as many as the first has. */
function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false;
  return true;
}

const last = new LastOpened();

function begin(associated: Uint8Array, nonce: Uint8Array, key: Uint8Array): void {
  words[0] = 0x811c9dc5 ^ wordAt(nonce, NONCE_FROM);
  words[1] = 0x9e3779b9 ^ wordAt(nonce, NONCE_FROM + 4);
  mix(words, key, KEY_MIXED_BYTES);
  mix(words, associated, associated.length);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function tagByte(index: number): number {
  return ((words[(index >> 2) & 1] as number) >>> ((index & 3) * 8)) & 255;
}

/** Mixes bytes into two words: every step can be undone, so two inputs that differ in one word never meet in `low`. */
export function mix(hash: Int32Array, bytes: Uint8Array, length: number): void {
  let low = (hash[0] as number) ^ length;
  let high = hash[1] as number;
  let at = 0;
  for (; at + 3 < length; at += 4) {
    low = Math.imul(low ^ wordAt(bytes, at), 0x01000193);
    low ^= low >>> 15;
    high = Math.imul(high ^ low, 0x85ebca6b);
  }
  for (; at < length; at++) {
    low = Math.imul(low ^ (bytes[at] as number), 0x01000193);
    high = Math.imul(high ^ low, 0x85ebca6b);
  }
  hash[0] = low;
  hash[1] = high ^ (high >>> 13);
}

/** Copies bytes and mixes them on the way. */
function copyMixed(from: Uint8Array, to: Uint8Array, length: number): void {
  let low = (words[0] as number) ^ length;
  let high = words[1] as number;
  let at = 0;
  for (; at + 3 < length; at += 4) {
    const word = wordAt(from, at);
    to[at] = word;
    to[at + 1] = word >>> 8;
    to[at + 2] = word >>> 16;
    to[at + 3] = word >>> 24;
    low = Math.imul(low ^ word, 0x01000193);
    low ^= low >>> 15;
    high = Math.imul(high ^ low, 0x85ebca6b);
  }
  for (; at < length; at++) {
    const byte = from[at] as number;
    to[at] = byte;
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ low, 0x85ebca6b);
  }
  words[0] = low;
  words[1] = high ^ (high >>> 13);
}
