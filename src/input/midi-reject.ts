/**
 * Reject codes of MIDI input: why bytes, or the meaning of a message, were left out.
 *
 * As for OSC: an everyday event has a small integer and a counter, never an exception. This file decides nothing.
 */
export const MidiReject = {
  none: 0,
  /** A status byte came before the message that had begun was whole. One for each message. */
  truncated: 1,
  /** A data byte that belongs to no message. One for each byte. */
  dataWithoutStatus: 2,
  /** 0xF4, 0xF5, 0xF9 or 0xFD. */
  undefinedStatus: 3,
  /** A SysEx that another status ended before its 0xF7. */
  truncatedSysex: 4,
  /** A SysEx longer than `MIDI_SYSEX_LIMIT_BYTES`: what is beyond was passed over, and the whole was not told. */
  sysexTooLong: 5,
  /** 0xF7 without a SysEx. */
  straySysexEnd: 6,
  /** A low half for which no high half has ever come: it has no value yet. */
  lowWithoutHigh: 7,
  /** Data increment or decrement before the parameter had a value. */
  stepWithoutValue: 8,
} as const;
export type MidiReject = (typeof MidiReject)[keyof typeof MidiReject];

/** How many codes there are: the size of an array of counters indexed by code. */
export const MIDI_REJECT_COUNT = Object.keys(MidiReject).length;
