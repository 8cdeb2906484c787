import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RECORD_PLAIN_MAX_BYTES, StreamOpener, StreamResult, StreamSealer } from "../../../src/security/stream-seal.js";

const key = new Uint8Array(32).fill(3);

function stream(...plains: Uint8Array[]): Uint8Array {
  const sealer = new StreamSealer(key);
  return Buffer.concat(plains.map((plain) => sealer.seal(plain)));
}

function opened(bytes: Uint8Array, cuts: readonly number[] = [], withKey = key) {
  const opener = new StreamOpener(withKey);
  const plains: Uint8Array[] = [];
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (let index = 1; index < places.length; index++) {
    opener.push(bytes.subarray(places[index - 1], places[index]), (plain) => plains.push(plain.slice()));
  }
  return { plains, result: opener.result, opener };
}

describe("a sealed stream", () => {
  it("comes back record by record, wherever the chunks are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), fc.array(fc.nat()), (plains, cuts) => {
        const back = opened(stream(...plains), cuts);
        expect(back.plains).toEqual(plains.map((plain) => Uint8Array.from(plain)));
        expect([back.result, back.opener.isBetweenRecords]).toEqual([StreamResult.ok, true]);
      }),
    );
  });

  it("comes back byte by byte too", () => {
    const bytes = stream(Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.of(4));
    expect(opened(bytes, [...bytes.keys()]).plains.map((plain) => [...plain])).toEqual([[1, 2, 3], [], [4]]);
  });

  it("holds records of up to 65,520 bytes", () => {
    const plain = new Uint8Array(RECORD_PLAIN_MAX_BYTES).fill(5);
    expect(opened(stream(plain), [10, 40_000]).plains).toEqual([plain]);
    expect(() => new StreamSealer(key).seal(new Uint8Array(RECORD_PLAIN_MAX_BYTES + 1))).toThrow("at most 65,520");
  });

  it("is forged when a bit flips, and stays so", () => {
    const bytes = stream(Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5));
    const lastByteOfFirst = 4 + 3 + 16 - 1;
    bytes[lastByteOfFirst] = (bytes[lastByteOfFirst] as number) ^ 1;
    const { plains, result, opener } = opened(bytes);
    expect([plains, result]).toEqual([[], StreamResult.forged]);
    expect(opener.push(stream(Uint8Array.of(1)), () => expect.unreachable())).toBe(StreamResult.forged);
  });

  it("is forged under another key, and when records are repeated, swapped or left out", () => {
    const sealer = new StreamSealer(key);
    const [first, second] = [sealer.seal(Uint8Array.of(1)), sealer.seal(Uint8Array.of(2))];
    expect(opened(first, [], new Uint8Array(32)).result).toBe(StreamResult.forged);
    expect(opened(Buffer.concat([first, first])).result).toBe(StreamResult.forged);
    expect(opened(Buffer.concat([second, first])).result).toBe(StreamResult.forged);
    expect(opened(second).result).toBe(StreamResult.forged);
  });

  it("refuses lengths that cannot be, before anything is read or held for them", () => {
    expect(opened(Uint8Array.of(0, 1, 0, 1)).result).toBe(StreamResult.tooLong);
    expect(opened(Uint8Array.of(0xff, 0xff, 0xff, 0xff)).result).toBe(StreamResult.tooLong);
    expect(opened(Uint8Array.of(0, 0, 0, 15)).result).toBe(StreamResult.tooShort);
  });

  it("knows when it was cut inside a record", () => {
    const bytes = stream(Uint8Array.of(1, 2, 3));
    expect(opened(bytes.subarray(0, 10)).opener.isBetweenRecords).toBe(false);
  });

  it("never throws and never yields anything from bytes that were not sealed", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat()), (bytes, cuts) => {
        expect(opened(bytes, cuts).plains).toEqual([]);
      }),
    );
  });
});
