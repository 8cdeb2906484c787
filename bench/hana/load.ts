/**
 * Load: writes to many paths at a chosen rate, in a random order, and says what they hold at the end.
 *
 * Every path is written once before any is written again, in another order each round: conflation then takes a change
 * only when the node is a whole round behind, so what is missing at the receiver is what the node could not carry.
 */
import { monotonicUs } from "../harness/clock.js";
import type { NodeHost } from "./node-host.js";

export interface LoadPlan {
  readonly paths: number;
  /** Changes a second; 0: as many as the process can make. */
  readonly rate: number;
  readonly seconds: number;
}

export interface LoadMade {
  readonly made: number;
  /** How long it took. */
  readonly seconds: number;
}

const ROUNDS = 16;
/** Writes in one turn of the event loop when the rate is not limited: what a renderer's frame may bring. */
const BATCH = 500;
/** A process that was held up makes up for it in steps of this. */
const BATCH_MAX = 2_000;

export function loadPath(index: number): string {
  return `/viz/bench/load/${index.toString(36).padStart(4, "0")}`;
}

export class Load {
  private readonly host: NodeHost;
  private paths: string[] = [];
  private order = new Int32Array(0);
  private at = 0;
  /** [0] the next value: whole numbers that a float holds exactly, each new to its path. */
  private readonly values = new Float64Array(1);

  constructor(host: NodeHost) {
    this.host = host;
  }

  declare(count: number): void {
    for (let index = 0; index < count; index++) {
      this.host.declare(loadPath(index), { type: "float", range: { min: 0, max: 2 ** 24 } });
    }
  }

  /** Writes for the given time. */
  async drive({ paths, rate, seconds }: LoadPlan): Promise<LoadMade> {
    this.prepare(paths);
    const startUs = monotonicUs();
    const endUs = startUs + seconds * 1e6;
    let made = 0;
    for (let now = startUs; now < endUs; now = monotonicUs()) {
      const due = rate === 0 ? BATCH : Math.floor(((now - startUs) / 1e6) * rate) - made;
      const count = Math.min(due, BATCH_MAX);
      this.write(count);
      made += count;
      await new Promise(setImmediate);
    }
    return { made, seconds: (monotonicUs() - startUs) / 1e6 };
  }

  private prepare(count: number): void {
    if (this.paths.length === count) return;
    this.paths = Array.from({ length: count }, (_, index) => loadPath(index));
    this.order = new Int32Array(count * ROUNDS);
    for (let round = 0; round < ROUNDS; round++) this.order.set(shuffled(count), round * count);
  }

  private write(count: number): void {
    const { node } = this.host;
    const { order, paths, values } = this;
    for (let index = 0; index < count; index++) {
      const value = ((values[0] ?? 0) + 1) % 2 ** 24;
      values[0] = value;
      node.set(paths[order[this.at] ?? 0] ?? "", value);
      this.at = this.at + 1 === order.length ? 0 : this.at + 1;
    }
  }

  /** FNV-1a over the values of all paths. */
  checksum(paths: number): number {
    let hash = 0x811c9dc5;
    for (let index = 0; index < paths; index++) {
      hash = Math.imul(hash ^ (this.host.node.get(loadPath(index)) as number), 0x01000193);
    }
    return hash >>> 0;
  }
}

/** Fisher and Yates. */
function shuffled(count: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, index) => index);
  for (let index = count - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1));
    const kept = order[index] ?? 0;
    order[index] = order[other] ?? 0;
    order[other] = kept;
  }
  return order;
}
