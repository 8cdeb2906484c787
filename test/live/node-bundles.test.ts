/** An OSC bundle is one change: no node ever shows a part of it, however many frames it takes. */
import { beforeAll, describe, expect, it } from "vitest";
import { inSync, type LibraryPeer, type Observed } from "../harness/library-peer.js";
import { nestedBundle, sendTo } from "../harness/osc-bundles.js";
import { until } from "../harness/until.js";
import { startPeer } from "./harness.js";

/** Each value is some 8 bytes in a frame of at most 1,200. */
const SIZES = { "300 values": 300, "1,500 values": 1_500 };

let peers: LibraryPeer[];

beforeAll(async () => {
  peers = [await startPeer({ name: "controls" })];
  await until(
    () => (peers[0] as LibraryPeer).status(),
    ({ role }) => role === "controller",
    "a controller",
  );
  peers.push(await startPeer({ name: "writes" }), await startPeer({ name: "watches" }));
  await inSync(peers);
});

async function declareGroup(name: string, count: number): Promise<string[]> {
  const paths = Array.from({ length: count }, (_, index) => `/viz/${name}/${index}`);
  await sendTo((peers[0] as LibraryPeer).port, [nestedBundle(paths, -1)]);
  await until(
    () => Promise.all(peers.map((peer) => peer.get(paths.at(-1) as string))),
    (values) => values.every((value) => value === -1),
    "the paths on every node",
  );
  await inSync(peers);
  return paths;
}

async function observeAll(paths: readonly string[]): Promise<() => Promise<Observed[]>> {
  // Every tenth is enough: a frame holds more than a hundred.
  const pattern = `${(paths[0] as string).slice(0, -1)}*0`;
  const reads = await Promise.all(peers.map((peer) => peer.observe(pattern, paths)));
  return () => Promise.all(reads.map((read) => read()));
}

async function everywhere(paths: readonly string[], value: number): Promise<void> {
  for (const path of [paths[0], paths.at(-1)] as string[]) {
    await until(
      () => Promise.all(peers.map((peer) => peer.get(path))),
      (values) => values.every((one) => one === value),
      `${value} at ${path} on every node`,
    );
  }
}

describe.each([
  ["the controller", 0],
  ["a follower", 1],
])("a bundle sent to %s", (_, index) => {
  let port: number;
  beforeAll(() => {
    port = (peers[index] as LibraryPeer).port;
  });

  it.each(Object.entries(SIZES))("of %s changes every node at once", async (_, count) => {
    const paths = await declareGroup(`w${index}${count}`, count);
    const observed = await observeAll(paths);
    for (let value = 1; value <= 5; value++) {
      await sendTo(port, [nestedBundle(paths, value)]);
      await everywhere(paths, value);
    }
    for (const { torn, example, values, calls } of await observed()) {
      expect([torn, example]).toEqual([0, []]);
      expect(values).toEqual([1, 2, 3, 4, 5]);
      expect(calls).toBeGreaterThanOrEqual((5 * count) / 10);
    }
    await inSync(peers);
  });

  it("is whole when thirty follow each other without a pause", async () => {
    const paths = await declareGroup(`b${index}`, 300);
    const observed = await observeAll(paths);
    const values = Array.from({ length: 30 }, (_, at) => at + 1);
    await sendTo(
      port,
      values.map((value) => nestedBundle(paths, value)),
    );
    await everywhere(paths, 30);
    for (const { torn, example, values: seen } of await observed()) {
      expect([torn, example.slice(0, 3)]).toEqual([0, []]);
      expect(seen).toEqual([...seen].sort((left, right) => Number(left) - Number(right)));
    }
    await inSync(peers);
  });
});
