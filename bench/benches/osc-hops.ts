/**
 * OSC hops: an OSC datagram into one node, to another node, out of it as an OSC datagram. Three hops, and the surface
 * that sends is the one that receives, so there is one clock. The floor relays the same datagrams over the same three
 * hops in the same processes: unicast, multicast, unicast.
 */
import { TIME_BYTES } from "../floor/links.js";
import type { Bench, BenchOptions, BenchResult } from "../harness/bench.js";
import { BenchMesh, freePort, LOOPBACK, randomGroup } from "../harness/network.js";
import { Children, type Remote } from "../harness/remote.js";
import type { LatencyPeer } from "../latency-peer.js";
import { compare, type Comparison, comparisonLatencies, comparisonRows, LATENCY_PEER, warmUp } from "./comparison.js";

const PATH = "/viz/bench/time";
const FLOOR = "floor";
const HANA = "hana";

interface Way {
  readonly surface: Remote<LatencyPeer>;
  readonly entry: Remote<LatencyPeer>;
  readonly exit: Remote<LatencyPeer>;
}

export const oscHops: Bench = {
  name: "osc-hops",
  what: "three hops: OSC in, node to node, OSC out",
  async run({ runs, say }: BenchOptions): Promise<BenchResult> {
    const done: Comparison[] = [];
    for (let run = 1; run <= runs; run++) {
      say(`osc-hops: run ${run} of ${runs}`);
      done.push(await runOnce());
    }
    return {
      rows: comparisonRows("osc-hops", "OSC in to OSC out", done),
      latencies: [comparisonLatencies("three hops, OSC to OSC", done)],
    };
  },
};

async function runOnce(): Promise<Comparison> {
  const children = new Children();
  const mesh = await BenchMesh.make();
  try {
    const way = {
      surface: children.spawn<LatencyPeer>(LATENCY_PEER),
      entry: children.spawn<LatencyPeer>(LATENCY_PEER),
      exit: children.spawn<LatencyPeer>(LATENCY_PEER),
    };
    const ends = { sender: way.surface, receiver: way.surface };
    await openFloor(way);
    await openHana(way, mesh);
    await warmUp(ends, [FLOOR, HANA]);
    const comparison = await compare(ends, FLOOR, HANA);
    for (const peer of [way.exit, way.entry]) await peer.close();
    return comparison;
  } finally {
    await children.end();
    mesh.remove();
  }
}

async function openFloor({ surface, entry, exit }: Way): Promise<void> {
  const group = randomGroup();
  const [first, second, third] = [await freePort(), await freePort(), await freePort()];
  await surface.receiveBare(FLOOR, { port: third });
  await exit.relayBare({ group, port: second }, { address: LOOPBACK, port: third });
  await entry.relayBare({ port: first }, { address: group, port: second });
  await surface.sendBare(FLOOR, { address: LOOPBACK, port: first }, oscDouble(PATH));
}

async function openHana({ surface, entry, exit }: Way, mesh: BenchMesh): Promise<void> {
  const { name, key, meshPort, folder } = mesh;
  const plan = { mesh: name, key, meshPort, folder };
  const out = await freePort();
  await surface.receiveBare(HANA, { port: out });
  const oscPort = await entry.startNode({ ...plan, name: "entry", priority: 100 });
  await entry.settled("controller");
  await entry.declareTime(PATH);
  const settings = { oscOut: [`${LOOPBACK}:${out},${PATH}`] };
  await exit.startNode({ ...plan, name: "exit", priority: 50, settings });
  await exit.settled("follower");
  await surface.sendBare(HANA, { address: LOOPBACK, port: oscPort }, oscDouble(PATH));
}

/** An OSC message with one double, which is its last eight bytes. */
function oscDouble(address: string): Uint8Array {
  const padded = Math.floor(address.length / 4) * 4 + 4;
  const bytes = Buffer.alloc(padded + 4 + TIME_BYTES);
  bytes.write(address);
  bytes.write(",d", padded);
  return bytes;
}
