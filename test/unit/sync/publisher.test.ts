/** The publisher: what is written to the ring and what is in the frames. Newest values, all events, whole groups. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Applier } from "../../../src/node/applier.js";
import { NodeCore } from "../../../src/node/core.js";
import { EventKind } from "../../../src/state/change.js";
import { coerce } from "../../../src/state/coerce.js";
import { completeDeclaration, type Value } from "../../../src/state/declaration.js";
import { Acknowledgements } from "../../../src/sync/acknowledgements.js";
import { PendingWrites } from "../../../src/sync/pending-writes.js";
import { Publisher } from "../../../src/sync/publisher.js";
import { SendBudget, type SendLimits, WIRED_LIMITS } from "../../../src/sync/send-budget.js";
import { SentRing } from "../../../src/sync/sent-ring.js";
import { StreamFrames } from "../../../src/sync/stream-frames.js";
import { ContentReader, type ContentSink, Layout } from "../../../src/wire/content.js";
import { BODY_MAX_BYTES } from "../../../src/wire/envelope.js";
import { StreamFrameReader } from "../../../src/wire/frame.js";

const START_US = 1_719_964_800_000_000;
const IDENTITY = { id: "0000000000000001", name: "n1", mesh: "test", priority: 100, session: 1 };

/** A change as a frame tells it; of a group in pieces, with the frame of the last piece. */
interface Told {
  readonly frame: number;
  readonly id: number;
  readonly kind: EventKind | 0;
  readonly sequence: number;
  readonly value: number | string;
}

/** Reads frames as a follower that lost nothing does. */
class Listener implements ContentSink {
  readonly told: Told[] = [];
  readonly taken: { readonly frame: number; readonly origin: number; readonly write: number }[] = [];
  frame = 0;
  private pieces: number[] = [];

  onValue(reader: ContentReader): void {
    const isText = reader.layout === Layout.text;
    this.tell(reader, 0, isText ? new TextDecoder().decode(reader.payload()) : (reader.numbers[0] as number));
  }

  onEvent(reader: ContentReader): void {
    if (reader.kind !== EventKind.group) this.tell(reader, reader.kind as EventKind, "");
    else this.read(reader.payload());
  }

  onPiece(reader: ContentReader): void {
    if (reader.isFirstPiece) this.pieces = [];
    this.pieces.push(...reader.payload());
    if (reader.isLastPiece) this.read(Uint8Array.from(this.pieces));
  }

  onTaken(reader: ContentReader): void {
    this.taken.push({ frame: this.frame, origin: reader.origin, write: reader.doubles[3] as number });
  }

  read(bytes: Uint8Array): void {
    expect(new ContentReader().read(bytes, 0, bytes.length, this)).toBe(true);
  }

  private tell(reader: ContentReader, kind: EventKind | 0, value: number | string): void {
    this.told.push({ frame: this.frame, id: reader.id, kind, sequence: reader.doubles[0] as number, value });
  }
}

class Bench {
  readonly core = new NodeCore(IDENTITY, { paths: 1_000, autoPaths: 10 });
  readonly applier = new Applier(this.core, new PendingWrites(this.core.state, this.core.clock));
  readonly listener = new Listener();
  readonly acks = new Acknowledgements();
  readonly publisher: Publisher;

  constructor(limits: SendLimits = WIRED_LIMITS) {
    const { state, digests, memory, clock } = this.core;
    clock.set(START_US);
    const sent = new SentRing();
    const plain = new Uint8Array(BODY_MAX_BYTES);
    const reader = new StreamFrameReader();
    const multicast = (_type: number, length: number): number => {
      expect(reader.read(plain, length)).toBe(true);
      expect(length).toBeLessThanOrEqual(BODY_MAX_BYTES);
      this.listener.frame = reader.doubles[1] as number;
      this.listener.read(plain.slice(reader.contentStart, reader.contentEnd));
      return length + 46;
    };
    const port = { plain, multicast, announce: multicast, unicast: multicast };
    const frames = new StreamFrames(port, sent, () => true);
    const budget = new SendBudget(clock, limits);
    this.publisher = new Publisher({ state, digests, memory, sent, frames, budget, acks: this.acks });
    this.publisher.restart(0);
  }

  declare(id: number, type: "float" | "string" | "impulse" = "float"): number {
    this.applier.commitDeclare(`/viz/x${id}`, completeDeclaration({ type }), 0);
    return this.core.state.idOf(`/viz/x${id}`);
  }

  /** Declares and publishes; answers the ids. */
  declared(count: number, type: "float" | "string" | "impulse" = "float"): number[] {
    const { size } = new Set(this.core.state.ids());
    const ids = Array.from({ length: count }, (_, index) => this.declare(size + index, type));
    while (!this.publisher.flush()) this.pass(100_000);
    this.listener.told.length = 0;
    return ids;
  }

  write(id: number, value: Value): void {
    const { core } = this;
    core.staging.value(value);
    coerce(core.state, id, core.staging);
    this.applier.commit(id, 0, 0);
  }

  group(values: readonly (readonly [number, Value])[]): void {
    this.applier.isGrouped = true;
    for (const [id, value] of values) this.write(id, value);
    this.applier.isGrouped = false;
    this.publisher.pump();
  }

  pass(us: number): void {
    this.core.clock.set(this.core.clock.nowUs + us);
  }

  get told(): Told[] {
    return this.listener.told;
  }

  framesOf(ids: readonly number[]): number[] {
    return [...new Set(this.told.filter((one) => ids.includes(one.id)).map((one) => one.frame))];
  }
}

describe("values", () => {
  test("that were replaced before the flush are not sent: the newest is", () => {
    const bench = new Bench();
    const [x, y] = bench.declared(2) as [number, number];
    for (let value = 1; value <= 100; value++) {
      bench.write(x, value);
      bench.write(y, -value);
    }
    expect(bench.publisher.flush()).toBe(true);
    expect(bench.told.map(({ id, value }) => [id, value])).toEqual([
      [x, 100],
      [y, -100],
    ]);
    expect(bench.publisher.publishedSequence).toBe(bench.core.sequence[0]);
    expect(bench.publisher.isIdle).toBe(true);
  });

  test("too many for a frame go in as many as it takes, each once", () => {
    const bench = new Bench();
    const ids = bench.declared(900);
    for (const id of ids) bench.write(id, id + 0.5);
    expect(bench.publisher.flush()).toBe(true);
    expect(bench.told.map(({ id, value }) => [id, value])).toEqual(ids.map((id) => [id, id + 0.5]));
    expect(bench.framesOf(ids).length).toBeGreaterThan(4);
  });

  test("of 60,000 bytes go in pieces, and what follows comes after", () => {
    const bench = new Bench();
    const [text] = bench.declared(1, "string") as [number];
    const [x] = bench.declared(1) as [number];
    bench.write(text, "t".repeat(60_000));
    bench.write(x, 7);
    while (!bench.publisher.flush()) bench.pass(1_000);
    expect(bench.told.map(({ id, value }) => [id, typeof value === "string" ? value.length : value])).toEqual([
      [text, 60_000],
      [x, 7],
    ]);
    expect(bench.publisher.digestsAreSent).toBe(true);
  });

  test("of a path that was removed meanwhile are not sent", () => {
    const bench = new Bench();
    const [x, y] = bench.declared(2) as [number, number];
    bench.write(x, 1);
    bench.write(y, 2);
    bench.applier.commitRemove(x, 0);
    bench.publisher.flush();
    expect(bench.told.map(({ id, kind }) => [id, kind])).toEqual([
      [y, 0],
      [x, EventKind.remove],
    ]);
  });
});

describe("events", () => {
  test("are all sent, in order, after the values before them", () => {
    const bench = new Bench();
    const [go] = bench.declared(1, "impulse") as [number];
    const [x] = bench.declared(1) as [number];
    for (let value = 1; value <= 500; value++) {
      bench.write(x, value);
      bench.applier.commitImpulse(go, 0, 0);
    }
    bench.publisher.flush();
    const impulses = bench.told.filter(({ kind }) => kind === EventKind.impulse).map(({ sequence }) => sequence);
    expect(impulses).toHaveLength(500);
    expect(impulses).toEqual([...impulses].sort((left, right) => left - right));
    expect(bench.told.findIndex(({ id }) => id === x)).toBe(0);
    expect(bench.told[0]?.value).toBe(500);
  });
});

describe("a group", () => {
  test("is never split, wherever in a frame it begins", () => {
    for (let before = 0; before < 130; before += 3) {
      const bench = new Bench();
      const others = bench.declared(130);
      const ids = bench.declared(40);
      for (const id of others.slice(0, before)) bench.write(id, 1);
      bench.group(ids.map((id) => [id, 5]));
      for (const id of others.slice(before)) bench.write(id, 1);
      expect(bench.publisher.flush()).toBe(true);
      expect(bench.framesOf(ids)).toHaveLength(1);
      expect(bench.told).toHaveLength(170);
    }
  });

  test("larger than a frame goes in pieces and acts at once", () => {
    const bench = new Bench();
    const ids = bench.declared(300);
    const texts = bench.declared(20, "string");
    const [x] = bench.declared(1) as [number];
    bench.write(x, 1);
    bench.group([...ids.map((id) => [id, 5] as const), ...texts.map((id) => [id, "text".repeat(100)] as const)]);
    bench.write(x, 2);
    while (!bench.publisher.flush()) bench.pass(1_000);
    expect(bench.framesOf([...ids, ...texts])).toHaveLength(1);
    expect(bench.told.filter(({ id }) => id !== x)).toHaveLength(320);
    expect(bench.told.filter(({ id }) => id === x).at(-1)?.value).toBe(2);
  });

  test("takes a path's earlier place: nothing of it shows before the rest", () => {
    const bench = new Bench();
    const [x, y] = bench.declared(2) as [number, number];
    bench.write(x, 1);
    bench.group([
      [x, 2],
      [y, 2],
    ]);
    bench.publisher.flush();
    expect(bench.told.map(({ id, value }) => [id, value])).toEqual([
      [x, 2],
      [y, 2],
    ]);
  });

  test("with changes of another hour in it goes in parts, and a writer is told once its path is out", () => {
    const bench = new Bench();
    const [x, y, old] = bench.declared(3) as [number, number, number];
    const texts = bench.declared(20, "string");
    bench.group([
      [y, 1],
      [old, 1],
    ]);
    bench.pass(3_600_000_000);
    bench.group([[x, 1]]);
    bench.acks.add("0000000000000002", 1, 7, bench.publisher.itemsTaken, 1);
    for (const id of texts) bench.write(id, "text".repeat(100));
    // It takes the earlier places of both, and so all that lies between along.
    bench.group([
      [x, 2],
      [y, 2],
    ]);
    while (!bench.publisher.flush()) bench.pass(1_000);
    expect(bench.told.map(({ id }) => id)).toEqual([old, ...texts, x, y]);
    expect(bench.framesOf([...texts, x, y])).toHaveLength(1);
    expect(bench.listener.taken).toEqual([{ frame: bench.framesOf([x])[0], origin: 1, write: 7 }]);
  });

  test("that follows another in one turn is another group", () => {
    const bench = new Bench();
    const ids = bench.declared(120);
    bench.group(ids.slice(0, 60).map((id) => [id, 1]));
    bench.group(ids.slice(60).map((id) => [id, 1]));
    bench.publisher.flush();
    expect([bench.framesOf(ids.slice(0, 60)).length, bench.framesOf(ids.slice(60)).length]).toEqual([1, 1]);
    expect(bench.told).toHaveLength(120);
  });
});

describe("a budget that is used up", () => {
  test("spaces the flushes, and loses no event and no last value", () => {
    const bench = new Bench({ ...WIRED_LIMITS, flushesPerSecond: 50, flushBurst: 2 });
    const [go] = bench.declared(1, "impulse") as [number];
    const ids = bench.declared(50);
    bench.pass(10_000_000);
    let flushes = 0;
    for (let ms = 1; ms <= 1_000; ms++) {
      for (const id of ids) bench.write(id, ms);
      bench.applier.commitImpulse(go, 0, 0);
      bench.pass(1_000);
      const before = bench.told.length;
      bench.publisher.flush();
      if (bench.told.length > before) flushes++;
    }
    expect(flushes).toBeLessThanOrEqual(52);
    expect(flushes).toBeGreaterThan(45);
    while (!bench.publisher.flush()) bench.pass(1_000);
    const last = new Map(bench.told.filter(({ kind }) => kind === 0).map(({ id, value }) => [id, value]));
    expect([...last.values()]).toEqual(ids.map(() => 1_000));
    expect(bench.told.filter(({ kind }) => kind === EventKind.impulse)).toHaveLength(1_000);
    expect(bench.told.length).toBeLessThan(1_000 + 54 * 50 + 50);
  });

  test("in the midst of a flush lets the rest wait", () => {
    const bench = new Bench({ ...WIRED_LIMITS, packetsPerSecond: 1_000 });
    const texts = bench.declared(200, "string");
    bench.pass(1_000_000);
    for (const id of texts) bench.write(id, `${id}`.repeat(200));
    expect(bench.publisher.flush()).toBe(false);
    expect(bench.told.length).toBeLessThan(200);
    while (!bench.publisher.flush()) bench.pass(1_000);
    expect(bench.told.map(({ id }) => id)).toEqual(texts);
  });
});

test("whatever is written and however it is flushed, the frames say what the state holds", () => {
  const step = fc.record({
    what: fc.constantFrom("write", "write", "write", "group", "impulse", "redeclare", "remove", "flush"),
    place: fc.nat(29),
    count: fc.integer({ min: 1, max: 12 }),
  });
  const property = fc.property(fc.array(step, { maxLength: 80 }), fc.boolean(), (steps, isTight) => {
    const bench = new Bench(isTight ? { ...WIRED_LIMITS, flushBurst: 1, flushesPerSecond: 100 } : WIRED_LIMITS);
    const [go] = bench.declared(1, "impulse") as [number];
    const ids = [...bench.declared(20), ...bench.declared(10, "string")];
    const { state } = bench.core;
    let value = 0;
    let impulses = 0;
    const valueOf = (id: number): Value =>
      state.declarationOf(id)?.type === "string" ? `${++value}`.repeat(30) : ++value;
    for (const { what, place, count } of steps) {
      const chosen = Array.from({ length: count }, (_, index) => ids[(place + index * 7) % 30] as number);
      const there = chosen.filter((id) => state.exists(id));
      bench.pass(1_500);
      if (what === "flush") bench.publisher.flush();
      else if (what === "impulse") impulses += (bench.applier.commitImpulse(go, 0, 0), 1);
      else if (what === "group") bench.group(there.map((id) => [id, valueOf(id)]));
      else if (there[0] === undefined) continue;
      else if (what === "write") bench.write(there[0], valueOf(there[0]));
      else if (what === "remove" && place === 3) bench.applier.commitRemove(there[0], 0);
      else if (what === "redeclare") {
        const { type } = state.declarationOf(there[0]) as { type: "float" | "string" };
        bench.applier.commitDeclare(
          state.pathOf(there[0]),
          completeDeclaration({ type, description: `${++value}` }),
          0,
        );
      }
    }
    for (let tries = 0; !bench.publisher.flush(); tries++) {
      if (tries > 1_000) throw new Error("it is never all out");
      bench.pass(20_000);
    }
    const { told } = bench;
    const events = told.filter(({ kind }) => kind !== 0).map(({ sequence }) => sequence);
    expect(events).toEqual([...events].sort((left, right) => left - right));
    expect(told.filter(({ kind }) => kind === EventKind.impulse)).toHaveLength(impulses);
    const last = new Map<number, Told>();
    for (const one of told) {
      const before = last.get(one.id);
      if (one.kind === EventKind.remove) last.delete(one.id);
      else if (one.kind === 0) {
        expect(one.sequence).toBeGreaterThanOrEqual(before?.sequence ?? 0);
        last.set(one.id, one);
      }
    }
    for (const [id, one] of last) expect([one.value, one.sequence]).toEqual([state.valueOf(id), state.sequences[id]]);
    expect(bench.publisher.publishedSequence).toBe(bench.core.sequence[0]);
    const published = bench.core.digests.words.slice();
    for (const id of state.ids()) bench.core.digests.touch(id);
    expect(bench.core.digests.words).toEqual(published);
  });
  fc.assert(property, { numRuns: 60 });
}, 30_000);
