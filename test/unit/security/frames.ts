/** Senders and receivers for tests: fixed keys and ids, and a sealed datagram as a copy that may be mutated. */
import { Opener } from "../../../src/security/opener.js";
import { Sealer } from "../../../src/security/sealer.js";

export const MESH_TAG = 0x9abc_def0;
export const MESH_KEY = new Uint8Array(32).map((_, index) => index * 7 + 1);
export const OTHER_KEY = new Uint8Array(32).map((_, index) => index * 5 + 3);
export const OWN_ID = nodeId(200);

export function nodeId(number: number): Uint8Array {
  return Uint8Array.of(number, 1, 2, 3, 4, 5, number >>> 8, number);
}

/** A session id: its number, then four bytes that stand for the random ones. */
export function session(number: number, rest = 0x5eed): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, number);
  view.setUint32(4, rest);
  return bytes;
}

export function sealer(node: number, sessionNumber: number, key = MESH_KEY): Sealer {
  return new Sealer(key, MESH_TAG, nodeId(node), session(sessionNumber));
}

export function opener(capacity?: number): Opener {
  return new Opener(MESH_KEY, MESH_TAG, OWN_ID, capacity);
}

/** Seals `body` and returns the datagram as bytes of its own. */
export function sealed(from: Sealer, body: Uint8Array | readonly number[], type = 1, flags = 0): Uint8Array {
  from.plain.set(body);
  return from.view(from.seal(type, flags, body.length)).slice();
}

export function open(opener: Opener, datagram: Uint8Array): number {
  return opener.open(datagram, datagram.length);
}

/** The opened body as a copy. */
export function body(opener: Opener): number[] {
  return [...opener.plain.subarray(0, opener.plainLength)];
}
