/**
 * FormerNames: what the paths of one side were called when it and another were still one. Read once from the
 * tombstones of its renames; names that came to be and went since the fork lead on to where they went.
 */
import type { State } from "../state/state.js";
import type { Tombstone } from "../state/tombstones.js";

export class FormerNames {
  /** Former name → what it is called now; present name → the changes that led to it. */
  private readonly now = new Map<string, string>();
  private readonly former = new Map<string, Tombstone[]>();
  /** By present name: the change that gave it. */
  private readonly last = new Map<string, Tombstone>();

  /** `isNew`: whether a change was made since the fork. */
  constructor(state: State, isNew: (stone: Tombstone) => boolean) {
    const { tombstones } = state;
    for (const stone of tombstones.values()) {
      if (stone.renamedTo === "" || !isNew(stone)) continue;
      const last = lastOf(stone, (path) => tombstones.of(path));
      if (state.idOf(last.renamedTo) < 0) continue;
      this.now.set(stone.path, last.renamedTo);
      this.former.set(last.renamedTo, [...this.stonesOf(last.renamedTo), stone]);
      this.last.set(last.renamedTo, last);
    }
  }

  /** What a path is called now that had another name; "" when it has not been renamed. */
  nowOf(path: string): string {
    return this.now.get(path) ?? "";
  }

  /** The names that a path had. */
  of(path: string): readonly string[] {
    return this.stonesOf(path).map((stone) => stone.path);
  }

  /** The changes that led to the name that a path has. */
  stonesOf(path: string): readonly Tombstone[] {
    return this.former.get(path) ?? [];
  }

  /** The change that gave a path the name that it has; undefined when it has not been renamed. */
  stoneOf(path: string): Tombstone | undefined {
    return this.last.get(path);
  }
}

/** The newest rename in a row. */
function lastOf(first: Tombstone, of: (path: string) => Tombstone | undefined): Tombstone {
  const seen = new Set<string>();
  let last = first;
  while (!seen.has(last.path)) {
    seen.add(last.path);
    const next = of(last.renamedTo);
    if (next === undefined || next.renamedTo === "") break;
    last = next;
  }
  return last;
}
