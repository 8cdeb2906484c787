/**
 * Loss: isolated changes while a tenth of all datagrams is lost. From `set` to the callback of one peer.
 *
 * An isolated change is followed by nothing that could repair it but the controller's heartbeats: 4, 12 and 28 ms
 * after it. The next change comes 50 ms later, so it mends only what three heartbeats did not: one in 10,000. Two
 * peers lose by patterns of their own; a third loses nothing and is the floor.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Bench, BenchOptions, BenchResult } from "../harness/bench.js";
import { BenchMesh } from "../harness/network.js";
import { Children, type Remote } from "../harness/remote.js";
import { Distribution, median } from "../harness/samples.js";
import type { LatencyPeer } from "../latency-peer.js";
import { LATENCY_PEER } from "./comparison.js";

const PATH = "/viz/bench/time";
const HANA = "hana";
const SHARE = 0.1;
const CHANGES = 1_500;
const WARM_CHANGES = 500;
const PAUSE_MS = 50;
const DRAIN_MS = 1_000;
const SEEDS = [1, 2] as const;

interface Mesh {
  readonly sender: Remote<LatencyPeer>;
  readonly clean: Remote<LatencyPeer>;
  readonly lossy: readonly Remote<LatencyPeer>[];
}

export const loss: Bench = {
  name: "loss",
  what: "isolated changes at 10 % loss",
  async run({ say }: BenchOptions): Promise<BenchResult> {
    say(`loss: ${CHANGES} changes, ${PAUSE_MS} ms apart`);
    const children = new Children();
    const mesh = await BenchMesh.make();
    try {
      const nodes = {
        sender: children.spawn<LatencyPeer>(LATENCY_PEER),
        clean: children.spawn<LatencyPeer>(LATENCY_PEER),
        lossy: SEEDS.map(() => children.spawn<LatencyPeer>(LATENCY_PEER)),
      };
      await open(nodes, mesh);
      const result = await measure(nodes);
      for (const peer of [...nodes.lossy, nodes.clean, nodes.sender]) await peer.close();
      return result;
    } finally {
      await children.end();
      mesh.remove();
    }
  },
};

async function open({ sender, clean, lossy }: Mesh, { name, key, meshPort, folder }: BenchMesh): Promise<void> {
  const plan = { mesh: name, key, meshPort, folder };
  await sender.startNode({ ...plan, name: "sender", priority: 100 });
  await sender.settled("controller");
  await sender.declareTime(PATH);
  for (const [index, peer] of [clean, ...lossy].entries()) {
    await peer.startNode({ ...plan, name: `peer-${index}`, priority: 1 });
    await peer.settled("follower");
    await peer.receiveBySubscription(HANA, PATH);
  }
  await sender.sendBySet(HANA, PATH);
}

async function measure({ sender, clean, lossy }: Mesh): Promise<BenchResult> {
  const send = (messages: number, pauseMs: number): Promise<void> =>
    sender.pace({ links: [HANA], blocks: 1, messagesPerBlock: messages, perTick: 1, pauseMs });
  await send(WARM_CHANGES, 1);
  for (const [index, peer] of lossy.entries()) await peer.lose(SHARE, SEEDS[index] ?? 1);
  await delay(DRAIN_MS);
  await sender.takeSent(HANA);
  for (const peer of [clean, ...lossy]) await peer.takeArrivals(HANA);
  await send(CHANGES, PAUSE_MS);
  await delay(DRAIN_MS);
  const sent = await sender.takeSent(HANA);
  const take = async (peer: Remote<LatencyPeer>): Promise<Distribution> =>
    Distribution.of(sent, await peer.takeArrivals(HANA));
  const floor = await take(clean);
  const peers = await Promise.all(lossy.map(take));
  return { rows: rowsOf(floor, peers), latencies: [latenciesOf(floor, peers)] };
}

function rowsOf(floor: Distribution, peers: readonly Distribution[]): BenchResult["rows"] {
  const shares = [
    ["p50", 0.5],
    ["p99", 0.99],
  ] as const;
  return shares.map(([name, share]) => {
    const values = peers.map((peer) => peer.at(share) / 1_000);
    const superseded = peers.reduce((sum, peer) => sum + peer.superseded, 0);
    return {
      id: `loss.${name}`,
      what: `set to callback at 10 % loss, ${name} (floor: no loss)`,
      unit: "ms",
      value: median(values),
      floor: floor.at(share) / 1_000,
      note: `peers ${values.map((value) => value.toFixed(2)).join(" ")}; ${superseded} of ${CHANGES * peers.length} came with the next one`,
    };
  });
}

function latenciesOf(
  floor: Distribution,
  peers: readonly Distribution[],
): NonNullable<BenchResult["latencies"]>[number] {
  return {
    title: "isolated changes at 10 % loss",
    series: [
      { name: "hana, no loss", distribution: floor },
      { name: "hana, 10 % loss", distribution: Distribution.pooled(peers) },
    ],
  };
}
