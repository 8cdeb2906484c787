/**
 * Replay reports: what is played of a recording, as plain data.
 */
import type { InputRecord } from "../input/input-record.js";

/** The next part of a recording; with `begin` its first one. */
export interface ReplayPart {
  /** `wallUs`: the wall clock at the recording's beginning. `speed`: how many times as fast. */
  readonly begin?: { readonly wallUs: number; readonly speed: number };
  readonly records: readonly InputRecord[];
}

export interface ReplayReport {
  /** Why the part was not taken, as a sentence; else "". */
  readonly problem: string;
  /** Records that are still to be played. */
  readonly waiting: number;
  readonly played: number;
  /** Messages that were lost when it was recorded. */
  readonly lost: number;
}
