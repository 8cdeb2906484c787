/**
 * Precedence: which write to a path counts when several origins write there. The controller's judge.
 *
 * Inside a term the order of arrival decides, with two exceptions. A write that was made before what the path holds of
 * another origin is a late retry: it is superseded. That must be certain, so a write counts as made when it can have been
 * made at the latest: by its writer's time as far as that may be off, and by its age when it left, which needs no clock
 * that anybody else agrees with; and what the path holds counts as made at the earliest. And a path that one origin is
 * moving is held against all others, until that one lets go or pauses for 400 ms; one write alone moves nothing, the
 * second of a gesture does. An OSC surface that sends to two nodes is one hand: there what this node hears goes on, else
 * what the lower id hears.
 * It knows no value and changes none. Allocates nothing once a term was opened here.
 */
import type { Clock } from "../base/clock.js";
import { isOneOscSurface } from "../input/osc-target.js";
import { Reject } from "../state/reject.js";
import type { State } from "../state/state.js";
import type { OriginTable } from "../state/tables.js";
import { BOUND_UNKNOWN_US } from "../wire/write-frame.js";

/** As long as a gesture may pause (`node/gestures.ts`). */
export const HOLD_IDLE_US = 400_000;

export class Precedence {
  private readonly state: State;
  private readonly clock: Clock;
  private readonly table: OriginTable;
  private readonly ownNode: string;
  /** Who wrote a path last, by which gesture, and until when the path is held for that origin. */
  private origins = new Uint16Array(0);
  private gestures = new Int32Array(0);
  private heldUs = new Float64Array(0);
  /** By how much what a path holds may have been made earlier than its time says, where that is still the time noted. */
  private doubtsUs = new Float64Array(0);
  private doubtedUs = new Float64Array(0);
  /** [0] when the write that is judged was made, in hybrid time, at most now. */
  readonly made = new Float64Array(1);
  /** [0] what is added to the times of the writer whose frame is being read, [1] how much earlier they may be then. */
  private readonly behind = new Float64Array(2);
  /** [0] how much earlier than `made` the write that is judged may have been made. */
  private readonly doubt = new Float64Array(1);
  /** Writes that lost: to who holds the path, to what was written later. */
  held = 0;
  superseded = 0;

  constructor(state: State, clock: Clock, origins: OriginTable, ownNode: string) {
    this.state = state;
    this.clock = clock;
    this.table = origins;
    this.ownNode = ownNode;
  }

  /** A term begins: nobody is known to move anything. */
  open(): void {
    const { capacity } = this.state;
    if (this.origins.length === 0) {
      this.origins = new Uint16Array(capacity);
      this.gestures = new Int32Array(capacity);
      this.heldUs = new Float64Array(capacity);
      this.doubtsUs = new Float64Array(capacity);
      this.doubtedUs = new Float64Array(capacity);
    } else this.heldUs.fill(0);
  }

  /** A frame came that had left at `frame[3]` by its writer's time, which is off by `frame[4]` at most. */
  hear(frame: Float64Array): void {
    const onTheWayUs = this.clock.sessionUs - (frame[3] as number);
    const boundUs = frame[4] as number;
    const isKnown = boundUs < BOUND_UNKNOWN_US;
    this.behind[0] = isKnown ? Math.min(onTheWayUs, boundUs) : onTheWayUs;
    this.behind[1] = isKnown ? (this.behind[0] as number) + boundUs : Number.POSITIVE_INFINITY;
  }

  /** Puts a write's time, at `write[1]`, to the latest at which it can have been made. */
  date(write: Float64Array): void {
    write[1] = (write[1] as number) + (this.behind[0] as number);
  }

  /** The write to be judged was made at `times[index]`; what claims to come from the future counts as made now. */
  setMade(times: Float64Array, index: number): void {
    const { clock, made } = this;
    clock.tickHybrid();
    const madeUs = times[index] as number;
    const nowUs = clock.register[1] as number;
    made[0] = Math.min(madeUs, nowUs);
    this.doubt[0] = 0;
  }

  /** The same for one that a frame brought and that `date` dated. */
  setDated(times: Float64Array, index: number): void {
    this.setMade(times, index);
    this.doubt[0] = this.behind[1] as number;
  }

  /** Whether another origin moves the path now. */
  isHeld(id: number, origin: number): boolean {
    if (this.origins[id] === origin || (this.heldUs[id] as number) <= (this.clock.register[0] as number)) return false;
    return !this.goesOn(origin, this.origins[id] as number);
  }

  /** Of one surface that two nodes hear: or each would hold a part of what it moves against the other, and none has all. */
  private goesOn(origin: number, holder: number): boolean {
    const { node, surface } = this.table.at(origin);
    const other = this.table.at(holder);
    if (other.node === this.ownNode || !isOneOscSurface(surface, other.surface)) return false;
    return node === this.ownNode || node < other.node;
  }

  /** Judges a write that was made when `setMade` said. */
  judge(id: number, origin: number): Reject {
    if (this.isHeld(id, origin)) return Reject.held;
    const { state } = this;
    const isOlder = (this.made[0] as number) < this.earliestUs(id);
    const last = state.origins[id] as number;
    return isOlder && last !== 0 && !this.areOfOneNode(last, origin) ? Reject.superseded : Reject.none;
  }

  /**
   * What a node writes comes in the order in which it was made, whatever the way of each frame says of its time: a value
   * is not older than the declaration before it, nor one surface's move than another's.
   */
  private areOfOneNode(one: number, other: number): boolean {
    return one === other || this.table.at(one).node === this.table.at(other).node;
  }

  count(reject: Reject): void {
    if (reject === Reject.held) this.held++;
    else if (reject === Reject.superseded) this.superseded++;
  }

  /** An origin writes the path, and it counts. */
  touch(id: number, origin: number, gesture: number): void {
    const isMove = this.origins[id] === origin && this.gestures[id] === gesture;
    this.origins[id] = origin;
    this.gestures[id] = gesture;
    this.heldUs[id] = isMove ? (this.clock.register[0] as number) + HOLD_IDLE_US : 0;
  }

  /** What was judged last stands in the state, stamped. */
  noteDoubt(id: number): void {
    this.doubtsUs[id] = this.doubt[0] as number;
    this.doubtedUs[id] = this.state.timesUs[id] as number;
  }

  /** When what a path holds was made, at the earliest. */
  private earliestUs(id: number): number {
    const heldUs = this.state.timesUs[id] as number;
    return this.doubtedUs[id] === heldUs ? heldUs - (this.doubtsUs[id] as number) : heldUs;
  }

  /** An origin lets go of a path. */
  release(id: number, origin: number): void {
    if (this.origins[id] === origin) this.heldUs[id] = 0;
  }
}
