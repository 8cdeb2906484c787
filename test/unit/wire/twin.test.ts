/** Twin messages: what was written is read, and bytes that are none are refused. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTwin, TwinKind, type TwinMessage, writeTwin } from "../../../src/wire/twin.js";

const message: fc.Arbitrary<TwinMessage> = fc.record({
  kind: fc.constantFrom(...Object.values(TwinKind)),
  session: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  heldMs: fc.nat(2 ** 32 - 1),
  unicastPort: fc.nat(65_535),
});

describe("a twin message", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(message, (written) => {
        const plain = new Uint8Array(64);
        expect(readTwin(plain, writeTwin(plain, written))).toEqual(written);
      }),
    );
  });

  it("is refused when it is of another length or kind", () => {
    fc.assert(
      fc.property(message, fc.nat(64), fc.nat(255), (written, length, kind) => {
        const plain = new Uint8Array(64);
        const whole = writeTwin(plain, written);
        if (length !== whole) expect(readTwin(plain, length)).toBeUndefined();
        plain[0] = kind;
        const isKind = kind === TwinKind.claim || kind === TwinKind.refusal;
        expect(readTwin(plain, whole) !== undefined).toBe(isKind);
      }),
    );
  });

  it("keeps the session's bytes when the buffer is used again", () => {
    const plain = new Uint8Array(64);
    const session = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const read = readTwin(plain, writeTwin(plain, { kind: TwinKind.claim, session, heldMs: 1, unicastPort: 2 }));
    plain.fill(0xee);
    expect(read?.session).toEqual(session);
  });
});
