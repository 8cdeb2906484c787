/** The snapshot port, for real, on 127.0.0.1 alone. */
import { connect, type Socket } from "node:net";
import { afterEach, expect, it, vi } from "vitest";
import { SnapshotFetch } from "../../src/edge/snapshot-fetch.js";
import { SNAPSHOT_LIMITS, type SnapshotLimits, SnapshotListener } from "../../src/edge/snapshot-listener.js";
import type { Snapshot } from "../../src/node/adoption.js";
import { makeImage, SnapshotClient, SnapshotProgress } from "../../src/sync/snapshot-transfer.js";

const LOOPBACK = "127.0.0.1";
const KEY = new Uint8Array(32).fill(7);
const HEADER = {
  image: 1,
  termNumber: 1,
  termNode: "0000000000000001",
  sequence: 5,
  told: 5,
  origins: [],
  lineage: [],
};
/** Longer than what two sockets buffer: a client that does not read keeps its place. */
const CHUNKS = Array.from({ length: 200 }, () => new Uint8Array(65_000));

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function listen(limits: Partial<SnapshotLimits> = {}): Promise<SnapshotListener> {
  const all = { ...SNAPSHOT_LIMITS, ...limits };
  const listener = await SnapshotListener.open(LOOPBACK, KEY, () => makeImage(HEADER, CHUNKS), all);
  closers.push(() => listener.close());
  return listener;
}

async function idle(port: number): Promise<Socket> {
  const socket = connect(port, LOOPBACK);
  closers.push(() => socket.destroy());
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  return socket;
}

function fetchFrom(port: number): Promise<Snapshot | string> {
  return new Promise((resolve) => {
    const fetch = new SnapshotFetch(KEY, LOOPBACK, { onArrived: resolve, onFailed: resolve });
    closers.push(() => fetch.close());
    fetch.fetch({ address: LOOPBACK, port, minSequence: 5 });
  });
}

it("whoever shows no key keeps no joiner out: the oldest of them gives way", async () => {
  const { port } = await listen();
  const strangers: Socket[] = [];
  for (let place = 0; place < 128; place++) strangers.push(await idle(port));
  expect(await fetchFrom(port)).toMatchObject({ sequence: 5 });
  await vi.waitFor(() => {
    expect(strangers.map((socket) => socket.destroyed)).toEqual(strangers.map((_, place) => place === 0));
  });
});

it("a transfer that has begun is not given up for strangers", async () => {
  const { port } = await listen();
  const slow = await idle(port);
  const own = new Uint8Array(16).fill(1);
  const progress = new SnapshotProgress();
  const client = new SnapshotClient(KEY, own, 5, progress);
  let hasPaused = false;
  const hasBegun = new Promise<void>((resolve) => {
    slow.on("data", (bytes) => {
      client.push(bytes, (answer) => slow.write(answer));
      if (hasPaused || progress.header === undefined) return;
      hasPaused = true;
      slow.pause();
      resolve();
    });
  });
  slow.write(own);
  await hasBegun;
  for (let place = 0; place < 300; place++) await idle(port);
  slow.resume();
  await vi.waitFor(() => expect(progress.isWhole).toBe(true), 5_000);
});

it("one address has few places, and comes only so often", async () => {
  const few = await listen({ sparesLoopback: false, perAddress: 4, perSecond: 100 });
  const sockets: Socket[] = [];
  for (let place = 0; place < 8; place++) sockets.push(await idle(few.port));
  await vi.waitFor(() => expect(sockets.filter((socket) => socket.destroyed)).toHaveLength(4));
  const seldom = await listen({ sparesLoopback: false, perAddress: 100, perSecond: 5 });
  const others: Socket[] = [];
  for (let place = 0; place < 12; place++) others.push(await idle(seldom.port));
  await vi.waitFor(() => expect(others.filter((socket) => socket.destroyed).length).toBeGreaterThanOrEqual(6));
  expect(others.slice(0, 5).map((socket) => socket.destroyed)).toEqual(Array(5).fill(false));
});

it("who drips bytes and shows no key loses the place all the same", async () => {
  const { port } = await listen({ proveMs: 300 });
  const drip = await idle(port);
  const timer = setInterval(() => drip.write(Uint8Array.of(1)), 50);
  closers.push(() => clearInterval(timer));
  await vi.waitFor(() => expect(drip.destroyed).toBe(true), 5_000);
});
