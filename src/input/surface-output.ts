/**
 * Surface output: one thing on a device that shows a value (an LED, a ring, a motor, a meter, a display's cell).
 *
 * How it looks is one number, its code: equal codes look equal, so what is to be sent is what has another code than the
 * device has. Which messages make it look so is for each to say.
 */
import type { LedSysex } from "../config/profile.js";
import type { SurfaceLook } from "./surface-look.js";

export interface SurfaceOutput {
  /** Which one of its device it is. */
  readonly key: string;
  /** The highest code of a position that the hand moves too; 0 for what only shows. */
  readonly most: number;
  /** Says in the look when that is another one at the next step. */
  codeOf(look: SurfaceLook): number;
  /** What makes it look so. `isFirst`: of what it looks like nothing is known. */
  messages(code: number, isFirst: boolean): readonly Uint8Array[];
  /** Where several go into one message: that message, and this one's part of it; undefined for what `messages` says. */
  readonly batch?: { readonly sysex: LedSysex; readonly block: (code: number) => Uint8Array | undefined } | undefined;
}
