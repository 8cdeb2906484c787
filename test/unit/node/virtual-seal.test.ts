/**
 * What the simulator's seal must keep of the real one: nothing that was changed opens.
 */
import { expect, test } from "vitest";
import { TAG_BYTES } from "../../../src/wire/envelope.js";
import { VIRTUAL_SEAL } from "../../sim/virtual-seal.js";

const HEADER = Uint8Array.from({ length: 30 }, (_, index) => index * 7);
const NONCE = Uint8Array.from({ length: 12 }, (_, index) => index);
const KEY = Uint8Array.from({ length: 32 }, (_, index) => 255 - index);

function opens(
  sealed: Uint8Array,
  header: Uint8Array = HEADER,
  nonce: Uint8Array = NONCE,
  key: Uint8Array = KEY,
): Uint8Array | undefined {
  const plain = new Uint8Array(sealed.length - TAG_BYTES);
  return VIRTUAL_SEAL.open(plain, sealed, header, nonce, key) ? plain : undefined;
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

test.each([0, 1, 3, 4, 61, 200])("a body of %d bytes opens as it was, and with no bit changed", (length) => {
  const plain = Uint8Array.from({ length }, (_, index) => index * 31);
  const sealed = new Uint8Array(length + TAG_BYTES);
  VIRTUAL_SEAL.seal(sealed, plain, HEADER, NONCE, KEY);
  expect(opens(sealed)).toEqual(plain);
  for (let bit = 0; bit < sealed.length * 8; bit++) expect(opens(flipped(sealed, bit))).toBeUndefined();
  for (let bit = 0; bit < HEADER.length * 8; bit++) expect(opens(sealed, flipped(HEADER, bit))).toBeUndefined();
  expect(opens(sealed, HEADER, flipped(NONCE, 90))).toBeUndefined();
  expect(opens(sealed, HEADER, NONCE, flipped(KEY, 5))).toBeUndefined();
  if (length > 0) expect(opens(sealed.subarray(0, sealed.length - 1))).toBeUndefined();
});

test("what was opened before opens again, and nothing beside it that differs in a bit", () => {
  const plain = Uint8Array.from({ length: 90 }, (_, index) => index);
  const sealed = new Uint8Array(plain.length + TAG_BYTES);
  VIRTUAL_SEAL.seal(sealed, plain, HEADER, NONCE, KEY);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    expect(opens(sealed)).toEqual(plain);
    expect(opens(flipped(sealed, bit))).toBeUndefined();
    expect(opens(sealed, flipped(HEADER, bit % (HEADER.length * 8)))).toBeUndefined();
    expect(opens(sealed, HEADER, flipped(NONCE, 32 + (bit % 64)))).toBeUndefined();
    expect(opens(sealed, HEADER, NONCE, flipped(KEY, bit % 64))).toBeUndefined();
  }
});
