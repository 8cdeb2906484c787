/**
 * Pokes: memory of a node that was changed behind its back, and what became of it.
 *
 * Until it is repaired nothing is said about that path of that node. A node that opens a term before it is repaired, or
 * gives its contents to a candidate or a side that asks for them, makes its error the truth of all: nothing is said about
 * that path any more, but that all end with the same.
 */
import type { Machine } from "./machine.js";

export interface Poke {
  readonly machine: Machine;
  readonly boot: number;
  readonly path: string;
  readonly atUs: number;
  /** Its version was set ahead: newer changes pass it by until then, and the repair may be older than they. */
  readonly isAhead: boolean;
  /** Since when its node could have repaired it: it was in sync, and heard its controller, from then on. */
  sinceUs: number;
}

export class Pokes {
  private open: Poke[] = [];
  private readonly spread = new Set<string>();
  made = 0;
  repaired = 0;
  slowestUs = 0;

  add(poke: Poke): void {
    this.open.push(poke);
    this.made++;
  }

  /** Whether nothing can be said about a path of a machine. */
  covers(machine: Machine, path: string): boolean {
    if (this.open.length === 0 && this.spread.size === 0) return false;
    return this.isSpread(path) || this.open.some((poke) => poke.machine === machine && poke.path === path);
  }

  /** Whether an error may have become everybody's. */
  isSpread(path: string): boolean {
    return this.spread.has(path);
  }

  /** A machine opens a term, or gives what it holds to one that may: its error may become the truth. */
  passedOn(machine: Machine): void {
    for (const poke of this.open) if (poke.machine === machine) this.spread.add(poke.path);
  }

  /**
   * Ends what is over. `isRight`: whether the path holds what was written there. Answers one that should have been
   * repaired for longer than `limitUs`.
   */
  settle(isRight: (poke: Poke) => boolean, nowUs: number, limitUs: number): Poke | undefined {
    this.open = this.open.filter((poke) => {
      if (poke.boot !== poke.machine.boot || !poke.machine.isUp) return false;
      if (!isRight(poke)) return true;
      this.repaired++;
      this.slowestUs = Math.max(this.slowestUs, nowUs - poke.atUs);
      return false;
    });
    for (const poke of this.open) if (!mayRepair(poke.machine)) poke.sinceUs = nowUs;
    return this.open.find((poke) => nowUs - poke.sinceUs > limitUs && !this.isSpread(poke.path));
  }
}

/** Under `hold` a node may follow for long a controller that has given up, and there is nobody to repair it. */
function mayRepair({ isInSync, isPaused, hana }: Machine): boolean {
  return isInSync && !isPaused && hana?.roles.hearsController === true;
}
