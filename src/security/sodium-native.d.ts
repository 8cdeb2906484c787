/** The parts of sodium-native 5.1.0 that are used here; the package brings no types. */
declare module "sodium-native" {
  const sodium: {
    crypto_generichash(output: Uint8Array, input: Uint8Array, key?: Uint8Array): void;
  };
  export default sodium;
}

declare module "sodium-native/binding.js" {
  const binding: {
    /** Returns the number of bytes written. */
    crypto_aead_chacha20poly1305_ietf_encrypt(
      sealed: Uint8Array,
      plain: Uint8Array,
      associated: Uint8Array,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    /** Returns the number of bytes written, or -1 when the tag does not verify. */
    crypto_aead_chacha20poly1305_ietf_decrypt(
      plain: Uint8Array,
      sealed: Uint8Array,
      associated: Uint8Array,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
  };
  export default binding;
}
