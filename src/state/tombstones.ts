/**
 * Tombstones: paths that are gone, and the change that removed or renamed them. By them a merge tells a path that one
 * side removed and the other edited from one that only the other side ever had. Bounded: the oldest are forgotten
 * first, and then such a path comes back without a word about it.
 */
export const TOMBSTONES_MAX = 4_096;

/** The change that took a path away. Term and origin are indexes into the node's tables. */
export interface Tombstone {
  readonly path: string;
  readonly term: number;
  readonly sequence: number;
  readonly timeUs: number;
  readonly origin: number;
  /** What the path is called now; "" when it was removed. */
  readonly renamedTo: string;
  /** The change that the path held until then: whether it had been edited before it was renamed. */
  readonly wasTerm: number;
  readonly wasSequence: number;
}

export class Tombstones {
  private readonly stones = new Map<string, Tombstone>();

  get size(): number {
    return this.stones.size;
  }

  add(stone: Tombstone): void {
    this.stones.delete(stone.path);
    this.stones.set(stone.path, stone);
    if (this.stones.size > TOMBSTONES_MAX) this.stones.delete(this.stones.keys().next().value as string);
  }

  of(path: string): Tombstone | undefined {
    return this.stones.get(path);
  }

  values(): IterableIterator<Tombstone> {
    return this.stones.values();
  }

  /** The path is there again, or everybody has passed its removal. */
  drop(path: string): void {
    this.stones.delete(path);
  }

  clear(): void {
    this.stones.clear();
  }
}
