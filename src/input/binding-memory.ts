/**
 * Binding memory: what a node remembers of its bindings' controls between two moves: one place for each binding.
 *
 * Bindings are compiled anew whenever one changes; what a control was at then goes on at its new place. Doubles in
 * arrays, so that a move allocates nothing.
 */
import { resetSpeed, SPEED_DOUBLES } from "./encoder-speed.js";
import { MERGE_DOUBLES, resetMerge } from "./input-merge.js";
import { rearm, TAKEOVER_DOUBLES } from "./takeover.js";

/** Doubles per binding of `rests`: [0] what the last turn made of the value, [1] the part of a step that was left. */
export const REST_DOUBLES = 2;

export class BindingMemory {
  readonly takeovers: Float64Array;
  readonly speeds: Float64Array;
  readonly merges: Float64Array;
  readonly rests: Float64Array;
  /** 1 while a binding's button is down. */
  readonly pressed: Uint8Array;

  constructor(count: number) {
    this.takeovers = new Float64Array(count * TAKEOVER_DOUBLES);
    this.speeds = new Float64Array(count * SPEED_DOUBLES);
    this.merges = new Float64Array(count * MERGE_DOUBLES);
    this.rests = new Float64Array(count * REST_DOUBLES);
    this.pressed = new Uint8Array(count);
  }

  reset(place: number): void {
    this.rearm(place);
    resetSpeed(this.speeds, place * SPEED_DOUBLES);
    resetMerge(this.merges, place * MERGE_DOUBLES);
    this.rests.fill(0, place * REST_DOUBLES, (place + 1) * REST_DOUBLES);
    this.pressed[place] = 0;
  }

  /** The control has to find the value again. */
  rearm(place: number): void {
    rearm(this.takeovers, place * TAKEOVER_DOUBLES);
  }

  /** Goes on, at `place`, with what another memory has at `from`. */
  take(place: number, other: BindingMemory, from: number): void {
    copy(this.takeovers, place, other.takeovers, from, TAKEOVER_DOUBLES);
    copy(this.speeds, place, other.speeds, from, SPEED_DOUBLES);
    copy(this.merges, place, other.merges, from, MERGE_DOUBLES);
    copy(this.rests, place, other.rests, from, REST_DOUBLES);
    this.pressed[place] = other.pressed[from] as number;
  }
}

function copy(into: Float64Array, place: number, from: Float64Array, other: number, doubles: number): void {
  into.set(from.subarray(other * doubles, (other + 1) * doubles), place * doubles);
}
