/**
 * Mesh identity: what follows from a mesh's name and key. The tag and the multicast groups from the name alone, so
 * that nodes with another key still meet and can be named; every working key from the mesh key, one per purpose.
 *
 * Each derivation hashes a label of its own before fields of fixed width, so no two purposes ever share a key. The
 * mesh key itself never seals anything.
 */
import { assert } from "../base/assert.js";
import { NODE_ID_BYTES, readWord, SESSION_BYTES } from "../wire/envelope.js";
import { hashBytes, KEY_BYTES } from "./aead.js";

/** The longest mesh name, in bytes of UTF-8: a join code stays short enough to read aloud. */
export const MESH_NAME_MAX_BYTES = 32;
export const MESH_KEY_BYTES = KEY_BYTES;
export const SNAPSHOT_NONCE_BYTES = 16;

/** Who speaks: the two directions of one connection have keys of their own, so nothing can be reflected. */
export const SnapshotDirection = { toServer: 0, toClient: 1 } as const;
export type SnapshotDirection = (typeof SnapshotDirection)[keyof typeof SnapshotDirection];

const encoder = new TextEncoder();
const NAME_LABEL = "hana mesh name v1\0";
const FRAME_LABEL = encoder.encode("hana frame key v1\0");
const SNAPSHOT_LABEL = encoder.encode("hana snapshot key v1\0");

/** The 32 bits that tell meshes apart in a clear header. No secret: two names may collide, their keys will not. */
export function meshTag(meshName: string): number {
  return readWord(nameHash(meshName), 0) >>> 0;
}

/** The group of the mesh's stream, 239.77.x.y (administratively scoped, RFC 2365); y is never 0 or 255. */
export function streamGroup(meshName: string): string {
  return groupOf(meshName, 0);
}

/**
 * The group in which the mesh's nodes meet: that of the stream with the highest bit of x flipped, so the two are never
 * the same. Both lie in the 23 bits that a network card filters by (RFC 1112, 6.4).
 */
export function meetingGroup(meshName: string): string {
  return groupOf(meshName, 0x80);
}

function groupOf(meshName: string, flipped: number): string {
  const hash = nameHash(meshName);
  const third = (hash[4] as number) ^ flipped;
  const fourth = 1 + ((hash[5] as number) % 254);
  return `239.77.${third}.${fourth}`;
}

function nameHash(meshName: string): Uint8Array {
  const hash = new Uint8Array(16);
  hashBytes(hash, encoder.encode(NAME_LABEL + meshName));
  return hash;
}

const frameInput = new Uint8Array(FRAME_LABEL.length + NODE_ID_BYTES + SESSION_BYTES);
frameInput.set(FRAME_LABEL);

/**
 * The key of one sender and boot, into `output` (32 bytes). `identity` holds the node id and the session id one
 * behind the other from `offset`, as they lie in a frame's header.
 */
export function deriveFrameKey(output: Uint8Array, meshKey: Uint8Array, identity: Uint8Array, offset: number): void {
  assert(output.length === KEY_BYTES, "a frame key has 32 bytes");
  for (let index = 0; index < NODE_ID_BYTES + SESSION_BYTES; index++) {
    frameInput[FRAME_LABEL.length + index] = identity[offset + index] as number;
  }
  hashBytes(output, frameInput, meshKey);
}

/** The key of one snapshot connection and direction. Both nonces are random, 16 bytes, sent in clear before. */
export function deriveSnapshotKey(
  meshKey: Uint8Array,
  clientNonce: Uint8Array,
  serverNonce: Uint8Array,
  direction: SnapshotDirection,
): Uint8Array {
  assert(clientNonce.length === SNAPSHOT_NONCE_BYTES, "the client's nonce has 16 bytes");
  assert(serverNonce.length === SNAPSHOT_NONCE_BYTES, "the server's nonce has 16 bytes");
  const input = new Uint8Array(SNAPSHOT_LABEL.length + 1 + 2 * SNAPSHOT_NONCE_BYTES);
  input.set(SNAPSHOT_LABEL);
  input[SNAPSHOT_LABEL.length] = direction;
  input.set(clientNonce, SNAPSHOT_LABEL.length + 1);
  input.set(serverNonce, SNAPSHOT_LABEL.length + 1 + SNAPSHOT_NONCE_BYTES);
  const key = new Uint8Array(KEY_BYTES);
  hashBytes(key, input, meshKey);
  return key;
}
