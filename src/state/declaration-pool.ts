/**
 * Declaration pool: equal declarations are one object, kept with its bytes.
 *
 * A show has many paths and few declarations: shared, they cost no memory per path, are written by copying, read by
 * finding, and compared by identity. It is only a memo: of two generations of a bounded size the older one is
 * forgotten, and a declaration that is not here means the same. It never decodes: what is found for bytes is what
 * was decoded from these very bytes.
 */
import { assert } from "../base/assert.js";
import type { Declaration } from "./declaration.js";

/** Declarations of a generation; two are kept. */
const GENERATION = 4_096;
/** A longer declaration is not kept: few are, and a member of the mesh must not fill the memory. */
export const POOLED_MAX_BYTES = 512;

interface Pooled {
  readonly declaration: Declaration;
  readonly bytes: Uint8Array;
  readonly hash: number;
}

export class DeclarationPool {
  private byHash = new Map<number, Pooled>();
  private olderByHash = new Map<number, Pooled>();
  private byDeclaration = new Map<Declaration, Pooled>();
  private olderByDeclaration = new Map<Declaration, Pooled>();

  /** The declaration whose bytes these are, if it is here. */
  find(buffer: Uint8Array, start: number, end: number): Declaration | undefined {
    if (end - start > POOLED_MAX_BYTES) return undefined;
    const hash = hashOf(buffer, start, end);
    const known = this.byHash.get(hash);
    const pooled = known ?? this.olderByHash.get(hash);
    if (pooled === undefined || !isAt(pooled.bytes, buffer, start, end)) return undefined;
    if (known === undefined) this.keep(pooled);
    return pooled.declaration;
  }

  /** The bytes of a declaration that is here; not to be written to. */
  bytesOf(declaration: Declaration): Uint8Array | undefined {
    const known = this.byDeclaration.get(declaration);
    if (known !== undefined) return known.bytes;
    const pooled = this.olderByDeclaration.get(declaration);
    if (pooled !== undefined) this.keep(pooled);
    return pooled?.bytes;
  }

  /** Keeps a declaration that was decoded from these bytes. Both are the pool's from now on. */
  add(declaration: Declaration, bytes: Uint8Array): void {
    assert(bytes.length <= POOLED_MAX_BYTES, "a long declaration is not kept");
    this.keep({ declaration: frozen(declaration), bytes, hash: hashOf(bytes, 0, bytes.length) });
  }

  private keep(pooled: Pooled): void {
    if (this.byDeclaration.size >= GENERATION) this.age();
    this.byHash.set(pooled.hash, pooled);
    this.byDeclaration.set(pooled.declaration, pooled);
  }

  private age(): void {
    this.olderByHash = this.byHash;
    this.olderByDeclaration = this.byDeclaration;
    this.byHash = new Map();
    this.byDeclaration = new Map();
  }
}

/** Many paths share it: whoever wrote to it would change them all. */
function frozen(declaration: Declaration): Declaration {
  Object.freeze(declaration.values);
  if (declaration.range !== undefined) Object.freeze(declaration.range);
  if (Array.isArray(declaration.default)) Object.freeze(declaration.default);
  return Object.freeze(declaration);
}

/** FNV-1a. Two declarations of one hash take turns in the pool, no more. */
function hashOf(buffer: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (buffer[at] as number), 0x01000193);
  return hash;
}

function isAt(bytes: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean {
  if (bytes.length !== end - start) return false;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== buffer[start + at]) return false;
  return true;
}
