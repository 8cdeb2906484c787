/** A snapshot over a stream of bytes that may break anywhere, be cut anywhere, or come from somebody else. */
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.js";
import { ORIGINS_MAX } from "../../../src/state/tables.js";
import { LINEAGE_MAX } from "../../../src/sync/lineage.js";
import {
  makeImage,
  SnapshotClient,
  type SnapshotImage,
  SnapshotProgress,
  SnapshotServer,
} from "../../../src/sync/snapshot-transfer.js";

const KEY = new Uint8Array(32).fill(7);
const HEADER = {
  ...{ image: 3, termNumber: 2, termNode: "0123456789abcdef", sequence: 99, told: 98 },
  origins: [{ node: "0123456789abcdef", surface: "fader" }],
  lineage: [{ number: 1, node: "fedcba9876543210", sequence: 98 }],
};
const CHUNKS = [100, 70_000, 1, 120_000].map((length, index) => new Uint8Array(length).fill(index + 1));
const IMAGE = makeImage(HEADER, CHUNKS);

let nonces = 0;
function nonce(): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, ++nonces);
  return bytes;
}

interface Connection {
  readonly client: SnapshotClient;
  readonly server: SnapshotServer;
  /** What the server would send, all of it. */
  readonly bytes: Uint8Array;
  /** Where in it each record ends; the first entry is the end of the nonce. */
  readonly ends: readonly number[];
}

/** Opens a connection and lets the server answer as far as it goes, without giving it to the client. */
function connect(progress: SnapshotProgress, image: SnapshotImage | undefined = IMAGE, keys = [KEY, KEY]): Connection {
  const own = nonce();
  const client = new SnapshotClient(keys[0] as Uint8Array, own, 5, progress);
  const server = new SnapshotServer(keys[1] as Uint8Array, nonce(), (request) =>
    request.minSequence === 5 ? image : undefined,
  );
  const parts: Uint8Array[] = [];
  server.push(own, (bytes) => parts.push(bytes));
  const toServer: Uint8Array[] = [];
  client.push(parts[0] as Uint8Array, (bytes) => toServer.push(bytes));
  for (const bytes of toServer) server.push(bytes, (answer) => parts.push(answer));
  const ends = [0];
  const records: Uint8Array[] = [];
  for (let record = server.pull(); record !== undefined; record = server.pull()) {
    records.push(record);
    ends.push((ends.at(-1) as number) + record.length);
  }
  return { client, server, bytes: joined(records), ends };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function nothing(): never {
  throw new Error("there was nothing more to send");
}

function expectWhole(progress: SnapshotProgress): void {
  expect(progress.isWhole).toBe(true);
  expect(progress.header).toEqual(HEADER);
  expect(progress.chunks.map((chunk) => [chunk.length, chunk[0]])).toEqual(
    CHUNKS.map((chunk) => [chunk.length, chunk[0]]),
  );
  const isSame = progress.chunks.every((chunk, index) => Buffer.compare(chunk, CHUNKS[index] as Uint8Array) === 0);
  expect(isSame).toBe(true);
}

describe("a transfer", () => {
  test("brings the image, however the bytes are cut", () => {
    for (const size of [1_000_000, 1_000, 977]) {
      const progress = new SnapshotProgress();
      const { client, bytes, server } = connect(progress);
      expect(server.isDone).toBe(true);
      for (let at = 0; at < bytes.length; at += size) client.push(bytes.subarray(at, at + size), nothing);
      expectWhole(progress);
    }
  });

  test("brings as many origins as a table holds, and refuses more", () => {
    const of = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ node: "0123456789abcdef", surface: `${index}`.padEnd(255, "x") }));
    const [all, tooMany] = [of(ORIGINS_MAX), of(ORIGINS_MAX + 1)];
    for (const origins of [all, tooMany]) {
      const progress = new SnapshotProgress();
      const { client, bytes } = connect(progress, makeImage({ ...HEADER, origins }, CHUNKS));
      expect(client.push(bytes, nothing)).toBe(false);
      expect(progress.isWhole).toBe(origins === all);
      if (origins === all) expect(progress.header?.origins).toEqual(all);
    }
  });

  test("brings as long a lineage as there may be, and refuses a longer one", () => {
    const of = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ number: index + 1, node: "fedcba9876543210", sequence: 2 ** 47 }));
    const [all, tooMany] = [of(LINEAGE_MAX), of(LINEAGE_MAX + 1)];
    for (const lineage of [all, tooMany]) {
      const progress = new SnapshotProgress();
      const { client, bytes } = connect(progress, makeImage({ ...HEADER, lineage }, CHUNKS));
      expect(client.push(bytes, nothing)).toBe(false);
      expect(progress.isWhole).toBe(lineage === all);
      if (lineage === all) expect(progress.header?.lineage).toEqual(all);
    }
  });

  test("that broke at or inside any record goes on there and sends nothing twice", () => {
    const { ends } = connect(new SnapshotProgress());
    expect(ends.length).toBeGreaterThan(7);
    for (const end of ends) {
      for (const cut of [end, end + 1, end + 4, end + 9]) {
        const progress = new SnapshotProgress();
        const first = connect(progress);
        first.client.push(first.bytes.subarray(0, cut), nothing);
        const whole = ends.filter((other) => other > 0 && other <= cut).length;
        expect(progress.records).toBe(whole);
        if (progress.isWhole) continue;
        const second = connect(progress);
        expect(second.ends.length - 1).toBe(ends.length - 1 - whole);
        second.client.push(second.bytes, nothing);
        expectWhole(progress);
      }
    }
  });

  test("begins anew when the server has another image by now", () => {
    const progress = new SnapshotProgress();
    const first = connect(progress);
    first.client.push(first.bytes.subarray(0, first.ends[3]), nothing);
    const other = makeImage({ ...HEADER, image: 4 }, [new Uint8Array(10)]);
    const second = connect(progress, other);
    second.client.push(second.bytes, nothing);
    expect([progress.isWhole, progress.header?.image, progress.chunks.length]).toEqual([true, 4, 1]);
  });

  test("does not go on with another controller's image that has the same number", () => {
    const progress = new SnapshotProgress();
    const first = connect(progress);
    first.client.push(first.bytes.subarray(0, first.ends[4]), nothing);
    const termNode = "fedcba9876543210";
    const other = makeImage(
      { ...HEADER, termNumber: 3, termNode },
      [1, 2, 3, 4, 5].map((byte) => new Uint8Array(70_000).fill(byte)),
    );
    const second = connect(progress, other);
    second.client.push(second.bytes, nothing);
    expect(progress.header?.termNode).toBe(termNode);
  });

  test("is refused by who holds no such image", () => {
    const server = new SnapshotServer(KEY, nonce(), () => undefined);
    const own = nonce();
    const client = new SnapshotClient(KEY, own, 5, new SnapshotProgress());
    const answers: Uint8Array[] = [];
    expect(server.push(own, (bytes) => answers.push(bytes))).toBe(true);
    const questions: Uint8Array[] = [];
    client.push(answers[0] as Uint8Array, (bytes) => questions.push(bytes));
    expect(server.push(questions[0] as Uint8Array, nothing)).toBe(false);
    expect([server.pull(), server.isDone]).toEqual([undefined, false]);
  });

  test("with another key brings nothing: no image is even asked for", () => {
    let asked = 0;
    const other = new Uint8Array(32).fill(8);
    const server = new SnapshotServer(other, nonce(), () => {
      asked++;
      return IMAGE;
    });
    const own = nonce();
    const progress = new SnapshotProgress();
    const client = new SnapshotClient(KEY, own, 5, progress);
    const answers: Uint8Array[] = [];
    server.push(own, (bytes) => answers.push(bytes));
    client.push(answers[0] as Uint8Array, (bytes) => {
      expect(server.push(bytes, nothing)).toBe(false);
    });
    expect([asked, server.pull()]).toEqual([0, undefined]);
    const { bytes } = connect(new SnapshotProgress());
    expect(client.push(bytes, nothing)).toBe(false);
    expect([progress.records, progress.header]).toEqual([0, undefined]);
  });

  test("takes no second request on a connection", () => {
    const { client, server } = connect(new SnapshotProgress());
    expect(client).toBeDefined();
    expect(server.push(new Uint8Array(40), nothing)).toBe(false);
  });

  test("of hostile bytes ends the connection, throws nothing and never claims to be whole", () => {
    const random = new Random(5);
    for (let round = 0; round < 300; round++) {
      const progress = new SnapshotProgress();
      const { client, bytes, ends } = connect(progress, makeImage(HEADER, [new Uint8Array(300), new Uint8Array(50)]));
      const hostile = bytes.slice();
      const at = Math.floor(random.next() * hostile.length);
      hostile[at] = (hostile[at] as number) ^ (1 + Math.floor(random.next() * 255));
      const before = ends.filter((end) => end > 0 && end <= at).length;
      client.push(hostile, nothing);
      expect(progress.isWhole).toBe(false);
      expect(progress.records).toBe(before);
      const server = new SnapshotServer(KEY, nonce(), () => IMAGE);
      const noise = Uint8Array.from({ length: 16 + Math.floor(random.next() * 200) }, () =>
        Math.floor(random.next() * 256),
      );
      server.push(noise, () => {});
      expect(server.pull()).toBeUndefined();
    }
  });
});

describe("records that are no snapshot", () => {
  test("are refused: before the header, of no kind, or a chunk beyond the limit", () => {
    expect(new SnapshotProgress().take(Uint8Array.of(2, 1))).toBe(false);
    expect(new SnapshotProgress().take(Uint8Array.of(4))).toBe(false);
    expect(new SnapshotProgress().take(new Uint8Array(0))).toBe(false);
    const progress = new SnapshotProgress();
    expect(progress.take(IMAGE.records[0] as Uint8Array)).toBe(true);
    expect([progress.take(Uint8Array.of(5)), progress.take(Uint8Array.of(9))]).toEqual([false, false]);
    const piece = new Uint8Array(65_520).fill(1);
    piece[0] = 2;
    const taken = Array.from({ length: 5 }, () => progress.take(piece));
    expect(taken).toContain(false);
  });

  test("cannot make a whole snapshot empty after its end", () => {
    const progress = new SnapshotProgress();
    for (const record of IMAGE.records) progress.take(record);
    progress.take(IMAGE.records[0] as Uint8Array);
    expect([progress.isWhole, progress.chunks.length]).toEqual([true, CHUNKS.length]);
  });
});
