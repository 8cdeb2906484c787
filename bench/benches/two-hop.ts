/**
 * Two hops: `set` on a follower, by unicast to the controller, by multicast to a third node's callback. The floor is a
 * bare relay over the same two hops in the same three processes.
 */
import type { Bench, BenchOptions, BenchResult } from "../harness/bench.js";
import { BenchMesh, freePort, LOOPBACK, randomGroup } from "../harness/network.js";
import { Children, type Remote } from "../harness/remote.js";
import type { LatencyPeer } from "../latency-peer.js";
import {
  BARE_BYTES,
  compare,
  type Comparison,
  comparisonLatencies,
  comparisonRows,
  type Ends,
  LATENCY_PEER,
  warmUp,
} from "./comparison.js";

const PATH = "/viz/bench/time";
const FLOOR = "floor";
const HANA = "hana";

interface Chain extends Ends {
  readonly relay: Remote<LatencyPeer>;
}

export const twoHop: Bench = {
  name: "two-hop",
  what: "two hops: set on a follower to callback on a third node",
  async run({ runs, say }: BenchOptions): Promise<BenchResult> {
    const done: Comparison[] = [];
    for (let run = 1; run <= runs; run++) {
      say(`two-hop: run ${run} of ${runs}`);
      done.push(await runOnce());
    }
    return {
      rows: comparisonRows("two-hop", "set on a follower to callback", done),
      latencies: [comparisonLatencies("two hops", done)],
    };
  },
};

async function runOnce(): Promise<Comparison> {
  const children = new Children();
  const mesh = await BenchMesh.make();
  try {
    const chain = {
      sender: children.spawn<LatencyPeer>(LATENCY_PEER),
      relay: children.spawn<LatencyPeer>(LATENCY_PEER),
      receiver: children.spawn<LatencyPeer>(LATENCY_PEER),
    };
    await openFloor(chain);
    await openHana(chain, mesh);
    await warmUp(chain, [FLOOR, HANA]);
    const comparison = await compare(chain, FLOOR, HANA);
    for (const peer of [chain.sender, chain.receiver, chain.relay]) await peer.close();
    return comparison;
  } finally {
    await children.end();
    mesh.remove();
  }
}

async function openFloor({ sender, relay, receiver }: Chain): Promise<void> {
  const group = randomGroup();
  const [first, second] = [await freePort(), await freePort()];
  await receiver.receiveBare(FLOOR, { group, port: second });
  await relay.relayBare({ port: first }, { address: group, port: second });
  await sender.sendBare(FLOOR, { address: LOOPBACK, port: first }, new Uint8Array(BARE_BYTES));
}

async function openHana({ sender, relay, receiver }: Chain, mesh: BenchMesh): Promise<void> {
  const { name, key, meshPort, folder } = mesh;
  const plan = { mesh: name, key, meshPort, folder };
  await relay.startNode({ ...plan, name: "controller", priority: 100 });
  await relay.settled("controller");
  await relay.declareTime(PATH);
  await sender.startNode({ ...plan, name: "sender", priority: 1 });
  await receiver.startNode({ ...plan, name: "receiver", priority: 1 });
  await sender.settled("follower");
  await receiver.settled("follower");
  await receiver.receiveBySubscription(HANA, PATH);
  await sender.sendBySet(HANA, PATH);
}
