/** Clock messages: read as they were written; what has another length or says no time is none. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { readClockAnswer, readClockAsk, writeClockAnswer, writeClockAsk } from "../../../src/wire/clock-message.js";

const plain = new Uint8Array(64);
const number = fc.nat(2 ** 32 - 1);

test("a question reads back, and is none when it is longer or shorter", () => {
  fc.assert(
    fc.property(number, (asked) => {
      const length = writeClockAsk(plain, asked);
      expect(readClockAsk(plain, length)).toBe(asked);
      expect([readClockAsk(plain, length - 1), readClockAsk(plain, length + 1), readClockAsk(plain, 0)]).toEqual([
        -1, -1, -1,
      ]);
    }),
  );
});

test("an answer reads back, and is none when it is longer or shorter", () => {
  const times = fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()).map((pair) => pair.sort((one, other) => one - other));
  fc.assert(
    fc.property(number, times, (asked, [receivedUs, answeredUs]) => {
      const answer = { number: asked, receivedUs: receivedUs as number, answeredUs: answeredUs as number };
      const length = writeClockAnswer(plain, answer);
      expect(readClockAnswer(plain, length)).toEqual(answer);
      for (let end = 0; end < length; end++) expect(readClockAnswer(plain, end)).toBeUndefined();
      expect(readClockAnswer(plain, length + 1)).toBeUndefined();
    }),
  );
});

test("an answer that left before the question came, or at no time, is none", () => {
  writeClockAnswer(plain, { number: 1, receivedUs: 5, answeredUs: 4 });
  expect(readClockAnswer(plain, 18)).toBeUndefined();
  writeClockAnswer(plain, { number: 1, receivedUs: 0, answeredUs: 0 });
  plain[11] = 0xff;
  expect(readClockAnswer(plain, 18)).toBeUndefined();
});
