/**
 * MIDI counters: everything that can happen to what comes in and goes out by MIDI, as numbers.
 *
 * One closed set on one typed array, as `OscCounters`: counting is an addition, and nothing is decided or logged here.
 */
import { byName } from "../base/counts.js";
import { MIDI_REJECT_COUNT, type MidiReject } from "./midi-reject.js";

/** What is counted; the value is the index into `MidiCounters.values`. */
export const MidiCounter = {
  bytesIn: 0,
  /** Channel messages, whole ones. */
  messagesIn: 1,
  sysexIn: 2,
  /** System common and real time. */
  systemIn: 3,
  /** What was told of it: less than the messages where halves make one value. */
  eventsIn: 4,
  /** Notes that were let go because their device went away. */
  notesReleased: 5,
  /** Messages that the system's queue of a port refused. When that runs over, Linux drops all that is in it as well. */
  overruns: 6,
  /** How often a port was opened anew because this process had fallen too far behind it. */
  fallenBehind: 7,
  messagesOut: 8,
  /** Messages that a device's full queue could not take. */
  queueFull: 9,
  /** Messages that the system refused. */
  sendsFailed: 10,
  /** Messages that were not sent because their device went away. */
  unsent: 11,
  opens: 12,
  opensFailed: 13,
} as const;
export type MidiCounterName = keyof typeof MidiCounter;
export type MidiCounter = (typeof MidiCounter)[MidiCounterName];

export class MidiCounters {
  /** Indexed by `MidiCounter`. */
  readonly values = new Float64Array(Object.keys(MidiCounter).length);
  /** Indexed by `MidiReject`. */
  readonly rejects = new Float64Array(MIDI_REJECT_COUNT);

  count(counter: MidiCounter, by = 1): void {
    this.values[counter] += by;
  }

  reject(reject: MidiReject): void {
    this.rejects[reject]++;
  }

  /** All counters by name, for metrics and `status`. Allocates. */
  report(): Record<MidiCounterName, number> {
    return byName(MidiCounter, this.values);
  }
}
