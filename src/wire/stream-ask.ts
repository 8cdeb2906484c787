/**
 * Stream ask: a follower that does not hear the stream's group wants its frames by unicast, for a short while.
 *
 *   stream ask = kind u8
 */
export const StreamAskKind = {
  /** Every frame: the group is silent here. */
  copies: 1,
} as const;
export type StreamAskKind = (typeof StreamAskKind)[keyof typeof StreamAskKind];

const BYTES = 1;

/** Answers the message's length. */
export function writeStreamAsk(plain: Uint8Array, kind: StreamAskKind): number {
  plain[0] = kind;
  return BYTES;
}

/** Undefined when the bytes are none. */
export function readStreamAsk(plain: Uint8Array, length: number): StreamAskKind | undefined {
  return length === BYTES && plain[0] === StreamAskKind.copies ? StreamAskKind.copies : undefined;
}
