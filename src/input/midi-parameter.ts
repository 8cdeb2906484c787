/**
 * MIDI parameter: the registered or non-registered parameter (RPN, NRPN) that is open on one channel.
 *
 * Controllers 101/100 and 99/98 choose it by halves, in either order; 127 127 closes it. From then on data entry (6 and
 * 38) and the steps (96, 97) belong to it. A half alone chooses nothing yet: a plain knob on one of these numbers stays
 * a plain knob. It only keeps the choice; values are told by `MidiControls`.
 */
import type { Clock } from "../base/clock.js";
import type { MidiCounters } from "./midi-counters.js";
import { MidiKind } from "./midi-event.js";
import { MidiHalves } from "./midi-halves.js";

const NONE = -1;
const NULL_HALF = 127;

/** The controllers that belong to parameters. */
export const DATA_ENTRY = 6;
export const DATA_ENTRY_LOW = 38;
export const DATA_INCREMENT = 96;
export const DATA_DECREMENT = 97;
const NRPN_LOW = 98;
const NRPN_HIGH = 99;
const RPN_HIGH = 101;

/** Whether a controller chooses a parameter. */
export function choosesParameter(number: number): boolean {
  return number >= NRPN_LOW && number <= RPN_HIGH;
}

export class MidiParameter {
  readonly data: MidiHalves;
  kind: typeof MidiKind.rpn | typeof MidiKind.nrpn = MidiKind.rpn;
  private high = NONE;
  private low = NONE;

  constructor(clock: Clock, heard: Float64Array, dues: Float64Array, counters: MidiCounters) {
    this.data = new MidiHalves(clock, heard, dues, counters);
  }

  get isOpen(): boolean {
    return this.high !== NONE && this.low !== NONE;
  }

  /** 0..16383, of the open one. */
  get number(): number {
    return (this.high << 7) | this.low;
  }

  /** Whether this choice would change what is open, so that what its data entry holds must be told before. */
  changes(controller: number, value: number): boolean {
    return this.isOpen && (this.kind !== kindOf(controller) || this.half(controller) !== value);
  }

  /** Takes a half of the choice. Answers whether it made one: a parameter is open, or was closed by null. */
  choose(controller: number, value: number): boolean {
    const kind = kindOf(controller);
    if (this.kind === kind && this.half(controller) === value) return this.isOpen;
    if (this.kind !== kind) this.close();
    this.kind = kind;
    if (isHigh(controller)) this.high = value;
    else this.low = value;
    this.data.reset();
    if (this.high !== NULL_HALF || this.low !== NULL_HALF) return this.isOpen;
    this.close();
    return true;
  }

  /** Nothing is open any more. */
  close(): void {
    this.high = NONE;
    this.low = NONE;
    this.data.reset();
  }

  private half(controller: number): number {
    return isHigh(controller) ? this.high : this.low;
  }
}

function kindOf(controller: number): MidiParameter["kind"] {
  return controller <= NRPN_HIGH ? MidiKind.nrpn : MidiKind.rpn;
}

function isHigh(controller: number): boolean {
  return (controller & 1) === 1;
}
