/**
 * Sealing: ChaCha20-Poly1305 (RFC 8439) and keyed BLAKE2b (RFC 7693) through libsodium, over given buffers.
 *
 * It exists to hold the two traps of the binding in one place. The package's own wrapper throws when a tag does not
 * verify, which costs 4.1 µs instead of 0.5 (measured): a flood of forgeries would pay us to build stack traces. So
 * the native functions are called directly, and since those trust the lengths they are given, the lengths are
 * asserted here. It must never see a key that is not 32 bytes, and never be called twice with one nonce and one key.
 */
import sodium from "sodium-native";
import binding from "sodium-native/binding.js";
import { assert } from "../base/assert.js";
import { TAG_BYTES } from "../wire/envelope.js";

export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;

/** Seals `plain` into `sealed`, which is exactly 16 bytes longer. */
export function sealBytes(
  sealed: Uint8Array,
  plain: Uint8Array,
  associated: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
): void {
  assert(sealed.length === plain.length + TAG_BYTES, "sealed bytes are the plain ones and a tag");
  assert(nonce.length === NONCE_BYTES, "a nonce has 12 bytes");
  assert(key.length === KEY_BYTES, "a key has 32 bytes");
  const written = binding.crypto_aead_chacha20poly1305_ietf_encrypt(sealed, plain, associated, nonce, key);
  assert(written === sealed.length, "sealing writes the whole datagram");
}

/** Opens `sealed` into `plain`, exactly 16 bytes shorter. False: the tag does not verify and `plain` is zeroed. */
export function openBytes(
  plain: Uint8Array,
  sealed: Uint8Array,
  associated: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
): boolean {
  assert(sealed.length === plain.length + TAG_BYTES, "sealed bytes are the plain ones and a tag");
  assert(nonce.length === NONCE_BYTES, "a nonce has 12 bytes");
  assert(key.length === KEY_BYTES, "a key has 32 bytes");
  return binding.crypto_aead_chacha20poly1305_ietf_decrypt(plain, sealed, associated, nonce, key) === plain.length;
}

/** What seals the bodies of datagrams. Nodes ship with `SODIUM`; a simulation of many may bring one that costs less. */
export interface FrameCipher {
  seal(sealed: Uint8Array, plain: Uint8Array, associated: Uint8Array, nonce: Uint8Array, key: Uint8Array): void;
  open(plain: Uint8Array, sealed: Uint8Array, associated: Uint8Array, nonce: Uint8Array, key: Uint8Array): boolean;
}

export const SODIUM: FrameCipher = { seal: sealBytes, open: openBytes };

/** BLAKE2b of `input` into `output` (16 to 64 bytes), keyed when a key is given. */
export function hashBytes(output: Uint8Array, input: Uint8Array, key?: Uint8Array): void {
  if (key !== undefined) assert(key.length === KEY_BYTES, "a key has 32 bytes");
  sodium.crypto_generichash(output, input, key);
}
