/**
 * WriteTarget: what the inputs write to. The seam between a decoder (OSC, MIDI, a binding) and the node's write walk.
 *
 * The caller fills `staging`, then names the path. Everything is answered at once with a reject code; nothing throws.
 * On a follower a write shows as pending and travels to the controller; the caller need not know.
 */
import type { ValueTypeName } from "../state/declaration.js";
import type { Reject } from "../state/reject.js";
import type { Staging } from "../state/staging.js";
import type { State } from "../state/state.js";

export interface WriteTarget {
  readonly state: State;
  /** The value in hand. `write` and `trigger` leave its contents undefined. */
  readonly staging: Staging;
  /** The index of a surface of this node (such as `osc:192.168.1.5`), for the calls below. Bounded; slow side. */
  surface(name: string): number;
  /** Writes what is in hand to an existing path. */
  write(id: number, surface: number): Reject;
  /** Lets go of a path that the surface moved. */
  release(id: number, surface: number): Reject;
  /** Fires an impulse. */
  trigger(id: number, surface: number): Reject;
  /**
   * Declares an unknown path by itself, if the settings allow it, and answers its id; or a negative reject code
   * (`-Reject.strict`, `-Reject.autoFull`, `-Reject.badPath`, ...).
   */
  declareAuto(path: string, type: ValueTypeName, surface: number): number;
  /** What is written between these two changes together, on other nodes too. Not nested. */
  beginGroup(): void;
  endGroup(): void;
}
