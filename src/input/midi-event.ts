/**
 * MIDI event: what one move of a control on a MIDI device says, however many messages it took to say it.
 *
 * A 14-bit controller comes as two messages, an NRPN as four; here they are one event with one number. `MidiControls`
 * makes it, bindings, learn and trace read it. There is one object, filled anew for each event: whoever wants to keep
 * what it says copies it. It never holds what has no value (SysEx, clock), which goes to the other methods of `MidiSink`.
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
} as const;
export type MidiKind = (typeof MidiKind)[keyof typeof MidiKind];

/** The highest value of seven bits, and of fourteen. */
export const MIDI_MAX_7 = 127;
export const MIDI_MAX_14 = 16_383;

export class MidiEvent {
  kind: MidiKind = MidiKind.cc;
  /** 1..16. */
  channel = 1;
  /** Note or controller, 0..127; parameter of rpn and nrpn, 0..16383; 0 for the kinds that have none. */
  number = 0;
  /** 0..max. */
  value = 0;
  /** 127, or 16383. cc14, rpn and nrpn of a sender that leaves out the low half have 127: so they reach their end. */
  max = MIDI_MAX_7;
}

/** Gets what a device says. What is handed over is valid only during the call. */
export interface MidiSink {
  control(event: MidiEvent): void;
  /** A whole SysEx, 0xF0 and 0xF7 included: `bytes` from 0 to, without, `length`. */
  sysex(bytes: Uint8Array, length: number): void;
  /** 0xF1 time code (value 0..127), 0xF2 song position (0..16383), 0xF3 song (0..127), 0xF6 tune request (0). */
  common(status: number, value: number): void;
  /** 0xF8 clock, 0xFA start, 0xFB continue, 0xFC stop, 0xFE active sensing, 0xFF reset. */
  realTime(status: number): void;
}
