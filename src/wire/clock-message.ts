/**
 * Clock messages: the question for the session time and its answer, of fixed length.
 *
 * The moment of asking stays with who asks: the answer repeats only the number of the question, so an answer that was
 * never asked for, or comes a second time, says nothing.
 *
 *   ask = number u32
 *   answer = number u32, session time when the question came u56, session time when the answer left u56 (microseconds)
 */
import { ByteReader, ByteWriter } from "../base/bytes.js";

export interface ClockAnswer {
  readonly number: number;
  readonly receivedUs: number;
  readonly answeredUs: number;
}

const ASK_BYTES = 4;
const ANSWER_BYTES = 18;

/** Answers the message's length. */
export function writeClockAsk(plain: Uint8Array, number: number): number {
  const out = new ByteWriter(plain);
  out.u32(number);
  return out.offset;
}

/** The question's number; -1 when the bytes are none. */
export function readClockAsk(plain: Uint8Array, length: number): number {
  return length === ASK_BYTES ? new ByteReader(plain, 0, length).u32() : -1;
}

export function writeClockAnswer(plain: Uint8Array, { number, receivedUs, answeredUs }: ClockAnswer): number {
  const out = new ByteWriter(plain);
  out.u32(number);
  out.u56(receivedUs);
  out.u56(answeredUs);
  return out.offset;
}

export function readClockAnswer(plain: Uint8Array, length: number): ClockAnswer | undefined {
  if (length !== ANSWER_BYTES) return undefined;
  const input = new ByteReader(plain, 0, length);
  const number = input.u32();
  const receivedUs = input.u56();
  const answeredUs = input.u56();
  const isTime = receivedUs <= answeredUs && answeredUs <= Number.MAX_SAFE_INTEGER;
  return isTime ? { number, receivedUs, answeredUs } : undefined;
}
