/** The content of a frame: what was written is read again, exactly, and what did not fit changed nothing. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventKind } from "../../../src/state/change.js";
import { ValueType } from "../../../src/state/declaration.js";
import { BLOCK_HEADER_BYTES, ContentReader, ContentWriter, encodeEvent } from "../../../src/wire/content.js";
import { add, type Change, changes, expected, load, readAll, TIME_US } from "./changes.js";

const START = 7;

/** Writes what fits below `limit`; answers the writer and the changes that fitted. */
function write(list: readonly Change[], limit: number): { writer: ContentWriter; fitted: Change[] } {
  const buffer = new Uint8Array(START + limit + 16).fill(0xee);
  const writer = new ContentWriter(buffer);
  writer.begin(START, START + limit, load(list[0] as Change));
  return { writer, fitted: list.filter((change) => add(writer, change)) };
}

function expectRead(writer: ContentWriter, fitted: readonly Change[]): void {
  const { buffer } = writer.out;
  expect(readAll(buffer, START, START + writer.length)).toEqual(fitted.map(expected));
  expect(writer.count).toBe(fitted.length);
  expect(ContentReader.hasEvents(buffer, START)).toBe(fitted.some((change) => change.type === undefined));
}

function value(sequence: number, timeUs: number): Change {
  const { float: type } = ValueType;
  const context = { kind: EventKind.impulse, id: 1, origin: 0, gesture: 0, sequence, timeUs };
  return { type, ...context, numbers: [1, 0, 0, 0], bytes: new Uint8Array(0) };
}

describe("a block of content", () => {
  test("reads back as it was written", () => {
    const property = fc.property(changes(40), (list) => {
      const { writer, fitted } = write(list, 8_192);
      expect(fitted).toHaveLength(list.length);
      expectRead(writer, fitted);
    });
    fc.assert(property, { numRuns: 500 });
  });

  test("holds what fits below any limit, intact, and nothing beyond it", () => {
    const property = fc.property(changes(40), fc.integer({ min: BLOCK_HEADER_BYTES, max: 600 }), (list, limit) => {
      const { writer, fitted } = write(list, limit);
      expect(writer.length).toBeLessThanOrEqual(limit);
      expect([...writer.out.buffer.subarray(START + limit)].every((byte) => byte === 0xee)).toBe(true);
      expectRead(writer, fitted);
    });
    fc.assert(property, { numRuns: 500 });
  });

  test("is intact whichever byte is the last that fits", () => {
    const [list] = fc.sample(changes(60), { numRuns: 1, seed: 5 }) as [Change[]];
    const whole = write(list, 8_192).writer.length;
    for (let limit = BLOCK_HEADER_BYTES; limit <= whole; limit++) {
      const { writer, fitted } = write(list, limit);
      expectRead(writer, fitted);
    }
    expect(write(list, whole).fitted).toHaveLength(list.length);
    expect(write(list, whole - 1).fitted.length).toBeLessThan(list.length);
  });

  test("takes a shorter text where a longer one of the same run did not fit", () => {
    const text = (sequence: number, length: number): Change => {
      return { ...value(sequence, TIME_US), type: ValueType.string, bytes: new Uint8Array(length).fill(7) };
    };
    const list = [value(1, TIME_US), text(2, 100), text(2, 5), text(3, 100), text(3, 6)];
    const { writer, fitted } = write(list, 80);
    expect(fitted.map(({ bytes }) => bytes.length)).toEqual([0, 5, 6]);
    expectRead(writer, fitted);
  });

  test("begins another run after 255 values", () => {
    const list = Array.from({ length: 600 }, (_, index) => value(1_000 + index, TIME_US));
    const { writer, fitted } = write(list, 8_192);
    expectRead(writer, fitted);
    expect(fitted).toHaveLength(600);
    expect(writer.length).toBeLessThan(600 * 5 + 60);
  });

  test("goes back to where a run was closed", () => {
    const { writer } = write([value(1, TIME_US), value(2, TIME_US)], 8_192);
    writer.closeRun();
    const { offset } = writer.out;
    add(writer, { ...value(3, TIME_US), type: undefined, bytes: new Uint8Array(30) });
    add(writer, value(4, TIME_US));
    writer.rewind(offset, 2);
    expect(readAll(writer.out.buffer, START, START + writer.length)).toHaveLength(2);
  });

  test("carries times as far apart as a block can be asked to hold", () => {
    const list = [value(1, TIME_US), value(2, TIME_US + 2 ** 31 - 1), value(3, TIME_US - 2 ** 31)];
    const { writer, fitted } = write(list, 8_192);
    expectRead(writer, fitted);
  });

  test("carries a value last written an hour ago beside one written now", () => {
    const list = [value(5_000, TIME_US + 3_600e6), value(1, TIME_US)];
    const { writer, fitted } = write(list, 8_192);
    expectRead(writer, fitted);
  });

  test("carries a value whose last change lies 2^31 changes back", () => {
    const list = [value(2 ** 32, TIME_US), value(1, TIME_US)];
    const { writer, fitted } = write(list, 8_192);
    expectRead(writer, fitted);
  });
});

describe("an event longer than a frame", () => {
  test("comes in pieces that are the event's bytes", () => {
    const property = fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 5_000 }),
      fc.integer({ min: 20, max: 1_056 }),
      (payload, limit) => {
        const change = load(value(9, TIME_US));
        const bytes = (encodeEvent(EventKind.declare, change, payload) as Uint8Array).slice();
        const whole = rejoined(bytes, limit);
        expect(whole).toEqual([...bytes]);
        const [event] = readAll(Uint8Array.from(whole), 0, whole.length) as [{ kind: number; bytes: number[] }];
        expect([event.kind, event.bytes]).toEqual([EventKind.declare, [...payload]]);
      },
    );
    fc.assert(property, { numRuns: 100 });
  });

  test("is not made beyond its limit", () => {
    expect(encodeEvent(EventKind.declare, load(value(1, TIME_US)), new Uint8Array(262_145))).toBeUndefined();
    expect(encodeEvent(EventKind.declare, load(value(1, TIME_US)), new Uint8Array(262_144))).toBeDefined();
  });
});

/** Cuts bytes into blocks of one piece each and puts the pieces together. */
function rejoined(bytes: Uint8Array, limit: number): number[] {
  const whole: number[] = [];
  let from = 0;
  while (from < bytes.length) {
    const writer = new ContentWriter(new Uint8Array(limit));
    writer.begin(0, limit, load(value(9, TIME_US)));
    const size = writer.piece(bytes, from);
    if (size === 0) throw new Error("a piece has room for no byte");
    const found = readAll(writer.out.buffer, 0, writer.length) as [{ first: boolean; last: boolean; bytes: number[] }];
    expect([found[0].first, found[0].last]).toEqual([from === 0, from + size === bytes.length]);
    whole.push(...found[0].bytes);
    from += size;
  }
  return whole;
}
