/**
 * Learn encoding: which of the ways to tell a turn the values of an endless encoder are, as far as they can say.
 *
 * Makers name the four ways as they like, so only the values tell. Absolute controls tell what changed and so never say
 * the same twice in a row, while an encoder says "one step up" over and over. One direction alone leaves two ways open:
 * then the commoner one is taken, for a turn to the right, and the answer says that it is not sure. Pure.
 */
import type { EncoderEncoding } from "../config/profile-schema.js";

export interface EncodingGuess {
  readonly encoding: Exclude<EncoderEncoding, "absolute">;
  /** False: the values fit another way too. */
  readonly isSure: boolean;
}

/** Steps in one message beyond which it is no turn: a fast turn of the fastest encoder known is some 20. */
const STEPS_MAX = 24;
/** Fewer messages than this say nothing. */
const MESSAGES_MIN = 3;
/** Share of the messages that repeat the one before. */
const REPEATS_MIN = 0.25;

/** Which values lie where: up by 1.., down by 127.., beyond the middle, before the middle. */
interface Regions {
  readonly low: number;
  readonly high: number;
  readonly above: number;
  readonly below: number;
  readonly other: number;
}

/** `values`: of a controller of seven bits, in the order in which they came. Undefined: it is no encoder. */
export function guessEncoding(values: readonly number[]): EncodingGuess | undefined {
  const repeats = values.filter((value, index) => index > 0 && value === values[index - 1]).length;
  if (values.length < MESSAGES_MIN || repeats < values.length * REPEATS_MIN) return undefined;
  // 0 and 64 are what some send at rest.
  return guessOf(regionsOf(values.filter((value) => value !== 0 && value !== 64)));
}

function guessOf({ low, high, above, below, other }: Regions): EncodingGuess | undefined {
  if (other > 0 || low + high + above + below === 0) return undefined;
  if (above === 0 && below === 0) return { encoding: "twos-complement", isSure: high > 0 };
  if (low === 0 && high === 0) return { encoding: "offset-binary", isSure: below > 0 };
  // The other way round it is the reversed one, which no device at hand has.
  return high === 0 && below === 0 ? { encoding: "sign-magnitude", isSure: true } : undefined;
}

function regionsOf(values: readonly number[]): Regions {
  const within = (first: number, last: number): number =>
    values.filter((value) => value >= first && value <= last).length;
  const low = within(1, STEPS_MAX);
  const high = within(128 - STEPS_MAX, 127);
  const above = within(65, 64 + STEPS_MAX);
  const below = within(64 - STEPS_MAX, 63);
  return { low, high, above, below, other: values.length - low - high - above - below };
}
