/**
 * Hop: `set` in one process to the subscriber's callback in another, sealed, over loopback multicast.
 *
 * Three comparisons a run. Bare against bare in two processes that never loaded hana; bare against hana in two that
 * run a node each; and bare against bare in those, which shows what a ratio is worth: identical code must come out
 * near 1. The floor beside hana over the floor without it shows what a node that idles costs its process.
 */
import type { Bench, BenchOptions, BenchResult, Row } from "../harness/bench.js";
import { BenchMesh, freePort, randomGroup } from "../harness/network.js";
import { Children } from "../harness/remote.js";
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
/** The same code as the floor on sockets of its own. */
const TWIN = "twin";
const HANA = "hana";

interface Run {
  readonly hana: Comparison;
  readonly self: Comparison;
  /** The floor beside hana, against the floor in processes without it. */
  readonly beside: Comparison;
}

export const hop: Bench = {
  name: "hop",
  what: "one hop: set to callback, two processes, 1,000/s, sealed",
  async run({ runs, say }: BenchOptions): Promise<BenchResult> {
    const done: Run[] = [];
    for (let run = 1; run <= runs; run++) {
      say(`hop: run ${run} of ${runs}`);
      done.push(await runOnce());
    }
    return {
      rows: rowsOf(done),
      latencies: [
        comparisonLatencies(
          "one hop",
          done.map(({ hana }) => hana),
        ),
      ],
    };
  },
};

function rowsOf(runs: readonly Run[]): Row[] {
  return [
    ...comparisonRows(
      "hop",
      "set to callback",
      runs.map(({ hana }) => hana),
    ),
    ...comparisonRows(
      "hop.self",
      "floor against itself",
      runs.map(({ self }) => self),
    ),
    ...comparisonRows(
      "hop.beside",
      "floor beside hana over floor without",
      runs.map(({ beside }) => beside),
    ),
  ];
}

async function runOnce(): Promise<Run> {
  const without = await withoutHana();
  const children = new Children();
  const mesh = await BenchMesh.make();
  try {
    const ends = spawnEnds(children);
    await openFloors(ends);
    await openHana(ends, mesh);
    await warmUp(ends, [FLOOR, TWIN, HANA]);
    const hana = await compare(ends, FLOOR, HANA);
    const self = await compare(ends, FLOOR, TWIN);
    await ends.receiver.close();
    await ends.sender.close();
    return { hana, self, beside: { floor: without.floor, value: hana.floor } };
  } finally {
    await children.end();
    mesh.remove();
  }
}

async function withoutHana(): Promise<Comparison> {
  const children = new Children();
  try {
    const ends = spawnEnds(children);
    await openFloors(ends);
    await warmUp(ends, [FLOOR, TWIN]);
    return await compare(ends, FLOOR, TWIN);
  } finally {
    await children.end();
  }
}

function spawnEnds(children: Children): Ends {
  return { sender: children.spawn<LatencyPeer>(LATENCY_PEER), receiver: children.spawn<LatencyPeer>(LATENCY_PEER) };
}

async function openFloors({ sender, receiver }: Ends): Promise<void> {
  for (const link of [FLOOR, TWIN]) {
    const group = randomGroup();
    const port = await freePort();
    await receiver.receiveBare(link, { group, port });
    await sender.sendBare(link, { address: group, port }, new Uint8Array(BARE_BYTES));
  }
}

async function openHana({ sender, receiver }: Ends, mesh: BenchMesh): Promise<void> {
  const { name, key, meshPort, folder } = mesh;
  const plan = { mesh: name, key, meshPort, folder };
  await sender.startNode({ ...plan, name: "sender", priority: 100 });
  await sender.settled("controller");
  await sender.declareTime(PATH);
  await receiver.startNode({ ...plan, name: "receiver", priority: 50 });
  await receiver.settled("follower");
  await receiver.receiveBySubscription(HANA, PATH);
  await sender.sendBySet(HANA, PATH);
}
