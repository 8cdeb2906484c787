/**
 * Reject codes of the OSC codec: why bytes from outside were refused.
 *
 * A refused packet is an everyday event, so it has a small integer and a counter instead of an exception; the integer
 * indexes the counter directly. This file never decides anything: the decoder and the framing do.
 */
export const OscReject = {
  /** Nothing is wrong. */
  none: 0,
  /** Empty, or it begins neither with `/` nor with `#bundle`. */
  notAPacket: 1,
  /** The length of the packet is not a multiple of four. */
  misaligned: 2,
  /** The packet is longer than `OSC_PACKET_LIMIT_BYTES`. */
  tooLong: 3,
  /** A string or an argument runs past the end of its message. */
  truncated: 4,
  /** A padding byte is not zero, so what follows would be misread. */
  badPadding: 5,
  /** The address holds a byte that is not printable ASCII. */
  badAddress: 6,
  /** The type tags do not begin with a comma, hold an unknown tag, or their brackets do not pair. */
  badTypeTag: 7,
  /** Bytes are left over after the last argument, so tags and arguments disagree. */
  trailingBytes: 8,
  /** A bundle's header is cut short, or an element's size does not fit into it. */
  badBundle: 9,
  /** Bundles or arrays are nested deeper than the bound. */
  tooDeep: 10,
  /** The packet holds more messages than the bound. */
  tooManyMessages: 11,
  /** The packet holds more arguments than the bound. */
  tooManyArguments: 12,
  /** A TCP stream begins with a byte that belongs to neither framing. */
  unknownFraming: 13,
  /** A frame of a TCP stream is longer than the bound. */
  frameTooLong: 14,
  /** A SLIP escape is followed by a byte that RFC 1055 does not define. */
  badEscape: 15,
} as const;
export type OscReject = (typeof OscReject)[keyof typeof OscReject];

/** How many codes there are: the size of an array of counters indexed by code. */
export const OSC_REJECT_COUNT = Object.keys(OscReject).length;
