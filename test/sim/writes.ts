/**
 * Writes: each write of a run to a path of the show, by its number, and what became of it. Kept until the run is over;
 * whether that is as it should be is the oracle's to say.
 */
import { BOUND_UNKNOWN_US } from "../../src/wire/write-frame.js";
import type { Version } from "./ledger.js";
import type { Machine } from "./machine.js";

export const Outcome = { pending: "pending", confirmed: "confirmed", refused: "refused", dead: "died with its node" };
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** One write to a path of the show. */
export interface Write {
  readonly number: number;
  readonly machine: Machine;
  readonly boot: number;
  readonly path: string;
  readonly atUs: number;
  /** Which group it is of; 0 for none. */
  readonly pair: number;
  outcome: Outcome;
  /** When a controller took it last; 0 while none has. */
  committedUs: number;
  /** How far its writer's clock may have been off when it was made. */
  readonly boundUs: number;
  /** What that change was stamped with, in its controller's session time. */
  stampedUs: number;
  /** Where controllers put it: usually once. */
  readonly commits: Version[];
}

export class Writes {
  /** By number; there is no write 0: it is what a path holds that nobody wrote. */
  private readonly list: (Write | undefined)[] = [undefined];
  private readonly byWriter = new Map<string, Write[]>();

  at(number: number): Write | undefined {
    return this.list[number];
  }

  *[Symbol.iterator](): Generator<Write> {
    for (const write of this.list) if (write !== undefined) yield write;
  }

  *fromNewest(): Generator<Write> {
    for (let at = this.list.length - 1; at > 0; at--) yield this.list[at] as Write;
  }

  add(machine: Machine, path: string, atUs: number, pair: number): Write {
    const write: Write = {
      number: this.list.length,
      machine,
      boot: machine.boot,
      path,
      atUs,
      pair,
      outcome: Outcome.pending,
      committedUs: 0,
      stampedUs: 0,
      boundUs: machine.hana?.sessionClock.boundUs ?? BOUND_UNKNOWN_US,
      commits: [],
    };
    this.list.push(write);
    const key = writerKey(write);
    const list = this.byWriter.get(key);
    if (list === undefined) this.byWriter.set(key, [write]);
    else list.push(write);
    return write;
  }

  /** From the newest on: what explains a loss was written lately, and a long run has a hundred thousand. */
  some(explains: (other: Write) => boolean): boolean {
    for (const write of this.fromNewest()) if (explains(write)) return true;
    return false;
  }

  /** A write, and what the same boot of the same node wrote there later. */
  from(write: Write): readonly Write[] {
    const list = this.byWriter.get(writerKey(write)) ?? [];
    let first = 0;
    let end = list.length;
    while (first < end) {
      const middle = (first + end) >> 1;
      if ((list[middle] as Write).number < write.number) first = middle + 1;
      else end = middle;
    }
    return list.slice(first);
  }

  forget(): void {
    this.list.length = 1;
    this.byWriter.clear();
  }
}

/** Who wrote where: of those the later one takes the place of the one before. */
export function writerKey({ machine, boot, path }: Pick<Write, "machine" | "boot" | "path">): string {
  return `${machine.index}/${boot}${path}`;
}

/** Whether the boot that wrote it still runs. */
export function isAlive({ machine, boot }: Write): boolean {
  return machine.boot === boot && machine.hana !== undefined;
}
