/**
 * Comparison: hana's latency against the floor's, in the same processes, in alternating blocks of 100 ms.
 *
 * Each run has fresh processes, so that what the compiler or the memory made of one is not what all are judged by. The
 * ratio that is judged is the median of the runs' ratios.
 */
import { setTimeout as delay } from "node:timers/promises";
import { MESSAGES_PER_BLOCK } from "../floor/pacer.js";
import type { Latencies, Row } from "../harness/bench.js";
import { freePort, randomGroup } from "../harness/network.js";
import type { Remote } from "../harness/remote.js";
import { Distribution, median } from "../harness/samples.js";
import type { LatencyPeer } from "../latency-peer.js";

export const LATENCY_PEER = new URL("../latency-peer.js", import.meta.url);
/** What a message carries over the floor, in bytes. */
export const BARE_BYTES = 64;
/** Of each link: 5,000 messages, so the 99th percentile has 50 above it. */
export const BLOCKS = 50;
/** Of each link before anything is measured: 6,000 messages at three times the pace, for the compiler. */
const WARM_BLOCKS = 60;
const WARM_PER_TICK = 3;
const DRAIN_MS = 400;

export interface Comparison {
  readonly floor: Distribution;
  readonly value: Distribution;
}

/** The two ends of what is measured; on a ring they are one process. */
export interface Ends {
  readonly sender: Remote<LatencyPeer>;
  readonly receiver: Remote<LatencyPeer>;
}

/** A floor for each link: a bare datagram to a group of its own. */
export async function openFloors({ sender, receiver }: Ends, links: readonly string[]): Promise<void> {
  for (const link of links) {
    const group = randomGroup();
    const port = await freePort();
    await receiver.receiveBare(link, { group, port });
    await sender.sendBare(link, { address: group, port }, new Uint8Array(BARE_BYTES));
  }
}

export async function warmUp({ sender }: Ends, links: readonly string[]): Promise<void> {
  await sender.pace({ links, blocks: WARM_BLOCKS, messagesPerBlock: MESSAGES_PER_BLOCK, perTick: WARM_PER_TICK });
  await drained();
}

export async function compare(ends: Ends, floor: string, link: string): Promise<Comparison> {
  const { sender } = ends;
  for (const name of [floor, link]) await take(ends, name);
  await sender.pace({ links: [floor, link], blocks: BLOCKS, messagesPerBlock: MESSAGES_PER_BLOCK, perTick: 1 });
  await drained();
  return { floor: await take(ends, floor), value: await take(ends, link) };
}

/** The last messages of a run arrive, repairs included. */
export async function drained(): Promise<void> {
  await delay(DRAIN_MS);
}

/** What a link has carried since the last call. */
export async function take({ sender, receiver }: Ends, link: string): Promise<Distribution> {
  return Distribution.of(await sender.takeSent(link), await receiver.takeArrivals(link));
}

const PERCENTILES: readonly (readonly [string, number])[] = [
  ["p50", 0.5],
  ["p99", 0.99],
];

/** A row for the median and one for the 99th percentile. */
export function comparisonRows(id: string, what: string, runs: readonly Comparison[]): Row[] {
  return PERCENTILES.map(([name, share]) => {
    const values = runs.map(({ value }) => value.at(share));
    const floors = runs.map(({ floor }) => floor.at(share));
    const ratios = values.map((value, run) => value / (floors[run] ?? Number.NaN));
    const superseded = runs.reduce((sum, { value }) => sum + value.superseded, 0);
    const note = [`ratios ${ratios.map((ratio) => ratio.toFixed(2)).join(" ")}`];
    if (superseded > 0) note.push(`${superseded} conflated`);
    return {
      id: `${id}.${name}`,
      what: `${what}, ${name}`,
      unit: "µs",
      value: median(values),
      floor: median(floors),
      ratio: median(ratios),
      note: note.join("; "),
    };
  });
}

export function comparisonLatencies(title: string, runs: readonly Comparison[]): Latencies {
  return {
    title,
    series: [
      { name: "floor: bare node:dgram", distribution: Distribution.pooled(runs.map(({ floor }) => floor)) },
      { name: "hana", distribution: Distribution.pooled(runs.map(({ value }) => value)) },
    ],
  };
}
