/**
 * Gestures: which moves of a control belong together. Consecutive writes of one origin to one path are one gesture
 * until 400 ms pass without one; what begins in the same turn of one origin is one gesture too (a bundle).
 */
import type { Clock } from "../base/clock.js";
import { ORIGINS_MAX } from "../state/tables.js";

const IDLE_US = 400_000;

export class Gestures {
  private readonly clock: Clock;
  private readonly lastUs: Float64Array;
  private readonly lastOrigin: Uint16Array;
  private readonly gesture: Int32Array;
  /** Per origin: the number of its newest gesture and when that began. */
  private readonly newest = new Int32Array(ORIGINS_MAX + 1);
  private readonly begunUs = new Float64Array(ORIGINS_MAX + 1);

  constructor(clock: Clock, capacity: number) {
    this.clock = clock;
    this.lastUs = new Float64Array(capacity);
    this.lastOrigin = new Uint16Array(capacity);
    this.gesture = new Int32Array(capacity);
  }

  /** The move is over: what comes next is another gesture. */
  end(id: number, origin: number): void {
    if (this.lastOrigin[id] === origin) this.lastUs[id] = 0;
  }

  /** The gesture that a write of `origin` to `id` belongs to now. */
  of(id: number, origin: number): number {
    const now = this.clock.register[0] as number;
    const idle = now - (this.lastUs[id] as number) > IDLE_US;
    if (idle || this.lastOrigin[id] !== origin) {
      if (this.begunUs[origin] !== now) {
        this.begunUs[origin] = now;
        this.newest[origin] = ((this.newest[origin] as number) + 1) & 0x3fffffff;
      }
      this.gesture[id] = this.newest[origin] as number;
      this.lastOrigin[id] = origin;
    }
    this.lastUs[id] = now;
    return this.gesture[id] as number;
  }
}
