/** The ring: order, laps, texts that were overwritten, and a reader in another thread while it is written. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { ChangeFlag, EventKind } from "../../../src/state/change.js";
import { ValueType } from "../../../src/state/declaration.js";
import {
  ChangeContext,
  createRingMemory,
  Found,
  type RingMemory,
  RingReader,
  RingWriter,
} from "../../../src/state/ring.js";
import { Staging } from "../../../src/state/staging.js";

const SIZES = { values: 16, events: 8, arenaBytes: 256 };
const context = new ChangeContext();
const staging = new Staging();
const encoder = new TextEncoder();

function ring(sizes = SIZES): { memory: RingMemory; writer: RingWriter; reader: RingReader } {
  const memory = createRingMemory(sizes);
  return { memory, writer: new RingWriter(memory), reader: new RingReader(memory) };
}

function writeNumber(writer: RingWriter, sequence: number): void {
  staging.value([sequence, sequence * 2, sequence * 3, sequence + 0.5]);
  context.doubles.set([sequence, sequence * 10]);
  writer.value(sequence & 0xffff, ValueType.vec4, staging, context);
}

function writeText(writer: RingWriter, sequence: number, text: string): void {
  staging.string(text);
  context.doubles[0] = sequence;
  writer.value(1, ValueType.string, staging, context);
}

function writeEvent(writer: RingWriter, sequence: number, payload = ""): void {
  context.doubles[0] = sequence;
  writer.event(EventKind.impulse, 1, encoder.encode(payload), context);
}

/** The sequences of all that is there, events negative; "lapped" where the reader was. */
function drain(reader: RingReader): (number | "lapped")[] {
  const found: (number | "lapped")[] = [];
  for (let next = reader.next(); next !== Found.nothing; next = reader.next()) {
    if (next === Found.lapped) found.push("lapped");
    else found.push((next === Found.event ? -1 : 1) * (reader.doubles[0] as number));
  }
  return found;
}

describe("a ring's reader", () => {
  test("finds every field of a value and of an event", () => {
    const { writer, reader } = ring();
    Object.assign(context, {
      origin: 4_095,
      term: 65_535,
      gesture: -7,
      flags: ChangeFlag.grouped | ChangeFlag.pending,
    });
    writeNumber(writer, 2 ** 40);
    writeEvent(writer, 2 ** 40 + 1, "payload");
    Object.assign(context, { origin: 0, term: 0, gesture: 0, flags: 0 });
    expect(reader.next()).toBe(Found.value);
    const { id, type, kind, flags, origin, term, gesture } = reader;
    const shared = { flags: 9, origin: 4_095, term: 65_535, gesture: -7 };
    expect({ id, type, kind, flags, origin, term, gesture }).toEqual({
      id: 0,
      type: ValueType.vec4,
      kind: 0,
      ...shared,
    });
    expect([...reader.numbers]).toEqual([2 ** 40, 2 ** 41, 3 * 2 ** 40, 2 ** 40 + 0.5]);
    expect([...reader.doubles.subarray(0, 2)]).toEqual([2 ** 40, 10 * 2 ** 40]);
    expect(reader.next()).toBe(Found.event);
    expect(reader).toMatchObject({ id: 1, type: 0, kind: EventKind.impulse, ...shared });
    expect(new TextDecoder().decode(reader.payload())).toBe("payload");
    expect([reader.next(), reader.behind]).toEqual([Found.nothing, 0]);
  });

  test("starts at the present end, and skips to it", () => {
    const { memory, writer } = ring();
    writeNumber(writer, 1);
    const late = new RingReader(memory);
    writeNumber(writer, 2);
    expect(drain(late)).toEqual([2]);
    writeNumber(writer, 3);
    writeEvent(writer, 4);
    expect(late.behind).toBe(2);
    late.skip();
    expect(drain(late)).toEqual([]);
  });

  test("gets values and events in the order in which they happened, round and round", () => {
    const { writer, reader } = ring();
    let sequence = 0;
    for (let round = 0; round < 200; round++) {
      const expected: number[] = [];
      for (let count = (round * 7) % 12; count > 0; count--) {
        sequence++;
        const isEvent = (sequence * 5 + round) % 3 === 0 && expected.filter((one) => one < 0).length < 7;
        if (isEvent) writeEvent(writer, sequence);
        else writeNumber(writer, sequence);
        expected.push(isEvent ? -sequence : sequence);
      }
      expect(drain(reader)).toEqual(expected);
    }
    expect(reader.laps).toBe(0);
  });

  test("goes on where a 32-bit head wraps", () => {
    const memory = createRingMemory(SIZES);
    new Int32Array(memory.heads).fill(0x7fff_fffb, 0, 2);
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
    for (let sequence = 1; sequence <= 40; sequence++) {
      writeNumber(writer, sequence * 2);
      writeEvent(writer, sequence * 2 + 1);
      expect([drain(reader), reader.laps]).toEqual([[sequence * 2, -(sequence * 2 + 1)], 0]);
    }
  });

  test.each([15, 16, 17, 500])("of %i values unread is lapped only when some are lost", (count) => {
    const { writer, reader } = ring();
    for (let sequence = 1; sequence <= count; sequence++) writeNumber(writer, sequence);
    const all = Array.from({ length: count }, (_, index) => index + 1);
    expect(drain(reader)).toEqual(count < 16 ? all : ["lapped"]);
    writeNumber(writer, 1_000);
    writeEvent(writer, 1_001);
    expect(drain(reader)).toEqual([1_000, -1_001]);
  });

  test("is told when events were lost", () => {
    const { writer, reader } = ring();
    for (let sequence = 1; sequence <= 9; sequence++) writeEvent(writer, sequence);
    expect(drain(reader)).toEqual(["lapped"]);
    expect(reader.laps).toBe(1);
  });

  test("keeps its own place beside others", () => {
    const { memory, writer, reader } = ring();
    const other = new RingReader(memory);
    writeNumber(writer, 1);
    expect(drain(reader)).toEqual([1]);
    writeNumber(writer, 2);
    expect([drain(other), drain(reader)]).toEqual([[1, 2], [2]]);
  });
});

describe("a ring's texts", () => {
  test("come whole, also where the arena wraps", () => {
    const { writer, reader } = ring();
    for (let sequence = 1; sequence < 300; sequence++) {
      const text = "\u00e9".repeat(sequence % 60);
      writeText(writer, sequence, text);
      expect(reader.next()).toBe(Found.value);
      expect(reader.text()).toBe(text);
      expect([reader.stage(staging), staging.text]).toEqual([true, text]);
    }
  });

  test("that were overwritten are gone, not another's", () => {
    const { writer, reader } = ring();
    for (let sequence = 1; sequence <= 10; sequence++) writeText(writer, sequence, `${sequence}`.repeat(50));
    const texts = [];
    while (reader.next() === Found.value) texts.push(reader.text());
    expect(texts.slice(0, 5)).toEqual(new Array(5).fill(undefined));
    expect(texts.at(-1)).toBe("10".repeat(50));
    expect(texts.every((text, index) => text === undefined || text === `${index + 1}`.repeat(50))).toBe(true);
    writeText(writer, 1, "gone");
    reader.next();
    writeText(writer, 2, "x".repeat(255));
    expect([reader.text(), reader.stage(staging)]).toEqual([undefined, false]);
  });

  test("keep a mark at their beginning, and bytes are bytes", () => {
    const { writer, reader } = ring();
    writeText(writer, 1, "\ufeffmark");
    staging.bytes(Uint8Array.of(1, 2, 3));
    writer.value(2, ValueType.blob, staging, context);
    reader.next();
    expect(reader.text()).toBe("\ufeffmark");
    reader.next();
    expect(reader.text()).toEqual(Uint8Array.of(1, 2, 3));
  });
});

/** The ring's code as plain JavaScript in a folder of its own, where a thread finds it. */
function compiled(): string {
  const folder = mkdtempSync(join(tmpdir(), "hana-ring-"));
  const source = new URL("../../../src/state/", import.meta.url);
  for (const name of ["ring", "staging", "declaration", "change"]) {
    const text = readFileSync(new URL(`${name}.ts`, source), "utf8");
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
    writeFileSync(join(folder, `${name}.js`), ts.transpileModule(text, { compilerOptions: options }).outputText);
  }
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "reader.js"), READER);
  return folder;
}

/** Reads until the event that ends it, and counts whatever is not as it was written. */
const READER = `
import { parentPort, workerData } from "node:worker_threads";
import { Found, RingReader } from "./ring.js";
const { memory, progress } = workerData;
const reader = new RingReader(memory);
const place = new Int32Array(progress);
const decoder = new TextDecoder();
const seen = { values: 0, texts: 0, gone: 0, events: 0, laps: 0, wrong: [] };
let last = 0;
const check = (is, what) => { if (!is && seen.wrong.length < 10) seen.wrong.push(what + " after " + last); };
parentPort.postMessage("ready");
for (let isOver = false; !isOver; ) {
  const found = reader.next();
  if (found === Found.nothing) continue;
  if (found === Found.lapped) { seen.laps++; continue; }
  const sequence = reader.doubles[0];
  check(sequence > last, "order " + sequence);
  last = sequence;
  Atomics.store(place, 0, sequence);
  if (found === Found.event) {
    seen.events++;
    if (reader.kind === 4) { isOver = true; continue; }
    const payload = reader.payload();
    if (payload === undefined) seen.gone++;
    else check(decoder.decode(payload) === "event " + sequence, "payload " + sequence);
  } else if (reader.type === 5) {
    const text = reader.text();
    if (text === undefined) seen.gone++;
    else { seen.texts++; check(text === "text " + sequence, "text " + text); }
  } else {
    seen.values++;
    const [a, b, c, d] = reader.numbers;
    check(a === sequence && b === 2 * a && c === 3 * a && d === a + 0.5 && reader.id === (a & 0xffff), "value " + sequence);
  }
}
seen.laps = reader.laps;
parentPort.postMessage(seen);
`;

interface Seen {
  readonly values: number;
  readonly texts: number;
  readonly gone: number;
  readonly events: number;
  readonly laps: number;
  readonly wrong: readonly string[];
}

/** Writes `count` entries while another thread reads; at most `ahead` of it, and yields every so often. */
async function readElsewhere(folder: string, count: number, burst: number, ahead: number): Promise<Seen> {
  const memory = createRingMemory({ values: 256, events: 64, arenaBytes: 2_048 });
  const progress = new SharedArrayBuffer(4);
  const place = new Int32Array(progress);
  const yielded = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));
  const worker = new Worker(pathToFileURL(join(folder, "reader.js")), { workerData: { memory, progress } });
  const message = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      worker.once("error", reject);
      worker.once("message", resolve);
    });
  await message();
  const writer = new RingWriter(memory);
  for (let sequence = 1; sequence < count; sequence++) {
    if (sequence % 11 === 0) writeEvent(writer, sequence, `event ${sequence}`);
    else if (sequence % 5 === 0) writeText(writer, sequence, `text ${sequence}`);
    else writeNumber(writer, sequence);
    if (sequence % burst === 0) await yielded();
    while (sequence - Atomics.load(place, 0) > ahead) await yielded();
  }
  const seen: Seen[] = [];
  const done = message().then((data) => {
    seen.push(data as Seen);
  });
  // Again and again: a reader that was lapped has skipped it.
  for (let sequence = count; seen.length === 0; sequence++) {
    context.doubles[0] = sequence;
    writer.event(EventKind.remove, 0, new Uint8Array(0), context);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await done;
  await worker.terminate();
  return seen[0] as Seen;
}

describe("a reader in another thread", () => {
  test("sees only what was written, in order, however often it is lapped", { timeout: 30_000 }, async () => {
    const folder = compiled();
    try {
      const fast = await readElsewhere(folder, 200_000, 20_000, Number.POSITIVE_INFINITY);
      expect(fast.wrong).toEqual([]);
      expect(fast.laps).toBeGreaterThan(0);
      const slow = await readElsewhere(folder, 20_000, 50, 100);
      const all = slow.values + slow.texts + slow.events;
      expect([slow.wrong, slow.laps, slow.gone, all]).toEqual([[], 0, 0, 20_000]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
