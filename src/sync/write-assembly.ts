/**
 * WriteAssembly: long writes of followers, put together from their pieces. One at a time per writer, bounded.
 */
import type { WritePart } from "../wire/write-part.js";

const WRITERS_MAX = 64;

interface Assembly {
  readonly term: number;
  readonly write: number;
  readonly pieces: (Uint8Array | undefined)[];
  missing: number;
}

export class WriteAssembly {
  private readonly assemblies = new Map<string, Assembly>();

  /** Takes a piece in. Answers the whole once it is there; it stays until `done`, should it have to be taken again. */
  add(node: string, part: WritePart): Uint8Array | undefined {
    let assembly = this.assemblies.get(node);
    if (assembly?.term !== part.term || assembly.write !== part.write || assembly.pieces.length !== part.parts) {
      assembly = this.begin(node, part);
    }
    if (assembly.pieces[part.index] === undefined) {
      assembly.pieces[part.index] = part.bytes;
      assembly.missing--;
    }
    return assembly.missing === 0 ? joined(assembly.pieces) : undefined;
  }

  private begin(node: string, part: WritePart): Assembly {
    this.assemblies.delete(node);
    if (this.assemblies.size >= WRITERS_MAX) this.assemblies.delete(this.assemblies.keys().next().value as string);
    const pieces = new Array<Uint8Array | undefined>(part.parts).fill(undefined);
    const assembly = { term: part.term, write: part.write, pieces, missing: part.parts };
    this.assemblies.set(node, assembly);
    return assembly;
  }

  done(node: string): void {
    this.assemblies.delete(node);
  }
}

function joined(pieces: readonly (Uint8Array | undefined)[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + (piece?.length ?? 0), 0));
  let at = 0;
  for (const piece of pieces) {
    if (piece === undefined) continue;
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
