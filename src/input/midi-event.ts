/**
 * MIDI event: what one move of a control on a MIDI device says, however many messages it took to say it.
 *
 * A 14-bit controller comes as two messages, an NRPN as four; here they are one event with one number. `MidiControls`
 * makes it, bindings, learn and trace read it. There is one object, filled anew for each event: whoever wants to keep
 * what it says copies it. Of clock, time code and machine control it holds what they come to (a tempo, a press of "play"):
 * nobody is told of the messages themselves. Every SysEx goes to the other method of `MidiSink`.
 */

export const MidiKind = {
  noteOn: 1,
  /** Its value is the release velocity. A note on with velocity 0 is one of these, with the value 0. */
  noteOff: 2,
  /** Pressure of one key. */
  poly: 3,
  cc: 4,
  /** Two controllers as one value; only of a pair that was named. Its number is the MSB's. */
  cc14: 5,
  program: 6,
  /** Pressure of the whole channel. */
  pressure: 7,
  bend: 8,
  rpn: 9,
  nrpn: 10,
  /** Start, stop, machine control: a press without a release. Its number is a `SystemControl`, its channel 1. */
  command: 11,
  /** Tempo, time: its value is so many parts of what it measures. Its number is a `SystemControl`, its channel 1. */
  measure: 12,
} as const;
export type MidiKind = (typeof MidiKind)[keyof typeof MidiKind];

/** The highest value of seven bits, and of fourteen. */
export const MIDI_MAX_7 = 127;
export const MIDI_MAX_14 = 16_383;

export class MidiEvent {
  kind: MidiKind = MidiKind.cc;
  /** 1..16. */
  channel = 1;
  /** Note or controller, 0..127; parameter of rpn and nrpn, 0..16383; a `SystemControl`; 0 for the kinds without one. */
  number = 0;
  /** 0..max. */
  value = 0;
  /**
   * 127, or 16383. cc14, rpn and nrpn of a sender that leaves out the low half have 127: so they reach their end. Of a
   * command 1; of a measure its whole way in parts.
   */
  max = MIDI_MAX_7;
}

/** Gets what a device says. What is handed over is valid only during the call. */
export interface MidiSink {
  control(event: MidiEvent): void;
  /** A whole SysEx, 0xF0 and 0xF7 included: `bytes` from 0 to, without, `length`. */
  sysex(bytes: Uint8Array, length: number): void;
}
