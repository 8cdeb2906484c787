/**
 * Throughput: two processes, 10,000 paths in random order, default redundancy and send budget. What counts is what the
 * receiver has applied, and both must hold the same at the end.
 *
 * The offered rate rises until the receiver gets less than 99 % of it; the highest that it got is the limit. Beside it
 * the plain maximum: the sender writes without a pause, and what the receiver cannot have anew it has conflated.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Bench, BenchOptions, BenchResult } from "../harness/bench.js";
import { BenchMesh } from "../harness/network.js";
import { Children, type Remote } from "../harness/remote.js";
import type { Contents, LoadPeer } from "../load-peer.js";

const LOAD_PEER = new URL("../load-peer.js", import.meta.url);
const PATHS = 10_000;
const STEP = 100_000;
const LOWEST = 300_000;
const HIGHEST = 4_000_000;
const SECONDS = 3;
const WARM_SECONDS = 2;
const DRAIN_MS = 500;
const SUSTAINED_SHARE = 0.99;

interface Pair {
  readonly sender: Remote<LoadPeer>;
  readonly receiver: Remote<LoadPeer>;
}

interface Load {
  readonly offered: number;
  readonly received: number;
  readonly packets: number;
  readonly bytes: number;
  /** Processor time a second of sender and receiver, all threads, in microseconds. */
  readonly senderCpuUs: number;
  readonly receiverCpuUs: number;
}

export const throughput: Bench = {
  name: "throughput",
  what: "changes a second between two processes, 10,000 paths",
  async run({ say }: BenchOptions): Promise<BenchResult> {
    const children = new Children();
    const mesh = await BenchMesh.make();
    try {
      const pair = { sender: children.spawn<LoadPeer>(LOAD_PEER), receiver: children.spawn<LoadPeer>(LOAD_PEER) };
      await openPair(pair, mesh);
      await load(pair, LOWEST, WARM_SECONDS);
      const sustained = await climb(pair, say);
      const most = await load(pair, 0, SECONDS);
      const same = await endsEqual(pair);
      for (const peer of [pair.receiver, pair.sender]) await peer.close();
      return { rows: rowsOf(sustained, most, same) };
    } finally {
      await children.end();
      mesh.remove();
    }
  },
};

async function openPair({ sender, receiver }: Pair, mesh: BenchMesh): Promise<void> {
  const { name, key, meshPort, folder } = mesh;
  const plan = { mesh: name, key, meshPort, folder };
  await sender.startNode({ ...plan, name: "sender", priority: 100 });
  await sender.settled("controller");
  await sender.declarePaths(PATHS);
  await receiver.startNode({ ...plan, name: "receiver", priority: 50 });
  await receiver.settled("follower");
  await receiver.knows(PATHS);
}

/** Raises the rate until it is not carried any more. Answers the best that was. */
async function climb(pair: Pair, say: (text: string) => void): Promise<Load> {
  let best: Load = { offered: 0, received: 0, packets: 0, bytes: 0, senderCpuUs: 0, receiverCpuUs: 0 };
  for (let rate = LOWEST; rate <= HIGHEST; rate += STEP) {
    const got = await loadTwice(pair, rate);
    say(`throughput: ${Math.round(got.offered)} offered, ${Math.round(got.received)} received`);
    if (!isCarried(got)) break;
    if (got.received > best.received) best = got;
    // The sender itself cannot offer more.
    if (got.offered < rate * SUSTAINED_SHARE) break;
  }
  return best;
}

/** A machine that was busy elsewhere for a moment gets a second chance. */
async function loadTwice(pair: Pair, rate: number): Promise<Load> {
  const first = await load(pair, rate, SECONDS);
  return isCarried(first) && first.offered >= rate * SUSTAINED_SHARE ? first : load(pair, rate, SECONDS);
}

function isCarried({ offered, received }: Load): boolean {
  return received >= offered * SUSTAINED_SHARE;
}

async function load({ sender, receiver }: Pair, rate: number, wanted: number): Promise<Load> {
  const read = async (): Promise<number[]> => [
    await receiver.counter("node.changesApplied"),
    await sender.counter("node.packetsSent"),
    await sender.counter("node.bytesSent"),
    await sender.cpuUs(),
    await receiver.cpuUs(),
  ];
  const before = await read();
  const { made, seconds } = await sender.drive({ paths: PATHS, rate, seconds: wanted });
  await delay(DRAIN_MS);
  const after = await read();
  const [received = 0, packets = 0, bytes = 0, senderCpuUs = 0, receiverCpuUs = 0] = after.map(
    (count, index) => (count - (before[index] ?? 0)) / seconds,
  );
  return { offered: made / seconds, received, packets, bytes, senderCpuUs, receiverCpuUs };
}

async function endsEqual({ sender, receiver }: Pair): Promise<boolean> {
  await delay(DRAIN_MS);
  const [left, right] = [await sender.contents(PATHS), await receiver.contents(PATHS)];
  return areEqual(left, right);
}

function areEqual(left: Contents, right: Contents): boolean {
  return left.digests === right.digests && left.checksum === right.checksum && left.sequence === right.sequence;
}

function rowsOf(sustained: Load, most: Load, same: boolean): BenchResult["rows"] {
  return [
    {
      id: "throughput.sustained",
      what: "highest rate of which the receiver got 99 %",
      unit: "changes/s",
      value: sustained.received,
      note: loadNote(sustained),
    },
    {
      id: "throughput.most",
      what: "applied at the receiver, sender without a pause",
      unit: "changes/s",
      value: most.received,
      note: `${loadNote(most)}; ${Math.round(most.offered).toLocaleString("en-US")}/s written`,
    },
    {
      id: "throughput.equal",
      what: "last values and digests equal at the end (1: yes)",
      unit: "",
      value: same ? 1 : 0,
    },
  ];
}

function loadNote({ packets, bytes, received, senderCpuUs, receiverCpuUs }: Load): string {
  const perChange = (amount: number): string => (amount / received).toFixed(2);
  const traffic = `${Math.round(packets)} packets/s, ${((bytes * 8) / 1e6).toFixed(0)} Mb/s, ${perChange(bytes)} B each`;
  return `${traffic}; processor ${perChange(senderCpuUs)} µs to send, ${perChange(receiverCpuUs)} to receive`;
}
