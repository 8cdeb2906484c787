/** Conflation: what is left out is only what later frames replace, and no event is passed over. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { EventKind } from "../../../src/state/change.js";
import { ValueType } from "../../../src/state/declaration.js";
import { Conflation } from "../../../src/sync/conflation.js";
import { SentRing } from "../../../src/sync/sent-ring.js";
import { EntryReader, ROUND_FRAMES_MAX, ROUND_PARTS_MAX, type RoundPart } from "../../../src/wire/conflated.js";
import { ChangeRecord, ContentReader, type ContentSink, ContentWriter } from "../../../src/wire/content.js";

const TIME_US = 1_719_964_800_000_000;
const LIMIT = 1_056;

/** What a follower shows after each event, and at the end. */
class Reader implements ContentSink {
  readonly values = new Map<number, string>();
  readonly writers = new Map<string, number>();
  readonly atEvents: string[] = [];
  count = 0;

  onValue(delta: ContentReader): void {
    this.count++;
    const { id, origin, gesture, doubles } = delta;
    const value = delta.layout === 9 ? [...delta.payload()].join() : delta.numbers[0];
    this.values.set(id, JSON.stringify([value, origin, gesture, doubles[0], doubles[1]]));
  }

  onEvent(event: ContentReader): void {
    this.atEvents.push(`${event.kind} ${event.id} ${event.doubles[0]} ${JSON.stringify([...this.values].sort())}`);
  }

  onPiece(piece: ContentReader): void {
    this.atEvents.push(`piece ${piece.payload().join()} ${JSON.stringify([...this.values].sort())}`);
  }

  onTaken(taken: ContentReader): void {
    this.writers.set(`${taken.origin}/${taken.session}`, taken.doubles[3] as number);
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    expect(new ContentReader().read(bytes, start, end, this)).toBe(true);
  }

  get shown(): unknown {
    return { values: [...this.values].sort(), writers: [...this.writers].sort(), atEvents: this.atEvents };
  }
}

interface Item {
  readonly what: "value" | "text" | "event" | "taken" | "piece";
  readonly id: number;
  readonly origin: number;
}

const item: fc.Arbitrary<Item> = fc.record({
  what: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom("value" as const, "text" as const) },
    { weight: 3, arbitrary: fc.constant("taken" as const) },
    { weight: 1, arbitrary: fc.constantFrom("event" as const, "piece" as const) },
  ),
  id: fc.nat(6),
  origin: fc.nat(2),
});

/** A ring with these frames; every change has the next sequence. */
function sentOf(frames: readonly (readonly Item[])[]): SentRing {
  const sent = new SentRing();
  const writer = new ContentWriter(sent.bytes);
  const change = new ChangeRecord();
  let sequence = 100;
  for (const items of frames) {
    const start = sent.start(sent.newest + 1);
    change.doubles.set([sequence + 1, TIME_US + sequence]);
    writer.begin(start, start + LIMIT, change);
    for (const { what, id, origin } of items) {
      if (what === "taken") {
        writer.taken(origin, 7, sequence, sequence % 3 === 0 ? [{ write: sequence, reject: 1 }] : []);
        continue;
      }
      change.id = id;
      change.origin = origin;
      change.gesture = sequence % 4;
      change.doubles.set([++sequence, TIME_US + sequence * 10]);
      const numbers = new Float64Array([sequence, 0, 0, 0]);
      if (what === "value") writer.value(change, ValueType.int, numbers, 0, undefined);
      else if (what === "text")
        writer.value(change, ValueType.string, numbers, 0, Uint8Array.of(sequence & 0xff, 2, 3));
      else if (what === "event") writer.event(EventKind.impulse, change, new Uint8Array(0));
      else writer.piece(Uint8Array.of(sequence & 0xff), 0);
    }
    sent.append(writer.length);
  }
  return sent;
}

function readAll(sent: SentRing, since: number, through: number): Reader {
  const reader = new Reader();
  for (let frame = since + 1; frame <= through; frame++) {
    reader.read(sent.bytes, sent.start(frame), sent.start(frame) + sent.length(frame));
  }
  return reader;
}

function readRound(parts: readonly Uint8Array[], since: number, through: number): Reader {
  const reader = new Reader();
  const head: RoundPart = { term: 1, since, through, round: 1, parts: parts.length, part: 0, reason: 1 };
  let last = since;
  for (const part of parts) {
    const entries = new EntryReader();
    entries.begin(part, 0, part.length, head);
    while (entries.next()) {
      expect(entries.frame).toBeGreaterThan(last);
      last = entries.frame;
      reader.read(part, entries.start, entries.end);
    }
    expect(entries.failed).toBe(false);
  }
  return reader;
}

test("whoever takes a stretch in shows at its end, and at every event, what the frames themselves would have shown", () => {
  const property = fc.property(
    fc.array(fc.array(item, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 60 }),
    fc.nat(20),
    (frames, skipped) => {
      const sent = sentOf(frames);
      const since = Math.min(skipped, frames.length);
      const stretch = new Conflation(sent).stretch(since);
      expect(stretch?.through).toBe(frames.length);
      const whole = readAll(sent, since, frames.length);
      const round = readRound(stretch?.parts ?? [], since, frames.length);
      expect(round.shown).toEqual(whole.shown);
      expect(round.count).toBeLessThanOrEqual(whole.count);
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test("a thousand moves of three paths are three values, and one datagram", () => {
  const frames = Array.from({ length: 1_000 }, (_, index): Item[] => [{ what: "value", id: index % 3, origin: 1 }]);
  const stretch = new Conflation(sentOf(frames)).stretch(0);
  expect(stretch?.parts).toHaveLength(1);
  expect(readRound(stretch?.parts ?? [], 0, 1_000).count).toBe(3);
});

test("what is more than a round holds is cut at a frame, and the next round goes on there", () => {
  const frames = Array.from({ length: 400 }, (_, frame): Item[] =>
    Array.from({ length: 100 }, (_, place) => ({ what: "value", id: frame * 100 + place, origin: 1 })),
  );
  const sent = sentOf(frames);
  const conflation = new Conflation(sent);
  const reader = new Map<number, string>();
  let since = 0;
  for (let rounds = 0; since < 400; rounds++) {
    expect(rounds).toBeLessThan(400);
    const stretch = conflation.stretch(since);
    expect(stretch?.parts.length).toBeLessThanOrEqual(ROUND_PARTS_MAX);
    const { parts, through } = stretch ?? { parts: [], through: since };
    expect(through).toBeGreaterThan(since);
    for (const [id, value] of readRound(parts, since, through).values) reader.set(id, value);
    since = through;
  }
  expect([...reader].sort()).toEqual([...readAll(sent, 0, 400).values].sort());
});

test("no more frames are read for a round than it may stand for, and none that the ring has lost", () => {
  const sent = sentOf(Array.from({ length: 5_000 }, (): Item[] => [{ what: "value", id: 1, origin: 1 }]));
  const conflation = new Conflation(sent);
  expect(conflation.stretch(2_000)?.through).toBe(2_000 + ROUND_FRAMES_MAX);
  expect(conflation.stretch(100)).toBeUndefined();
  expect(conflation.stretch(5_000)).toEqual({ through: 5_000, parts: [new Uint8Array(0)] });
});
