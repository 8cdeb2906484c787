/**
 * Hop: `set` in one process to the subscriber's callback in another, sealed, over loopback multicast.
 *
 * Two processes run a node each, two others never load hana. Blocks of 100 ms take turns: the floor beside hana, hana,
 * the floor's code once more on sockets of its own, and the floor in the processes without. Hana over the floor is what
 * a hop costs; the floor over itself shows what a ratio is worth, for identical code must come out near 1; the floor
 * beside hana over the floor without it shows what a node that idles costs its process.
 */
import { MESSAGES_PER_BLOCK } from "../floor/pacer.js";
import type { Bench, BenchOptions, BenchResult, Row } from "../harness/bench.js";
import { BenchMesh } from "../harness/network.js";
import { Children } from "../harness/remote.js";
import type { LatencyPeer } from "../latency-peer.js";
import {
  BLOCKS,
  type Comparison,
  comparisonLatencies,
  comparisonRows,
  drained,
  type Ends,
  LATENCY_PEER,
  openFloors,
  take,
  warmUp,
} from "./comparison.js";

const PATH = "/viz/bench/time";
const FLOOR = "floor";
/** The same code as the floor on sockets of its own. */
const TWIN = "twin";
const HANA = "hana";
const LINKS = [FLOOR, HANA, TWIN];

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
  const children = new Children();
  const mesh = await BenchMesh.make();
  try {
    const without = spawnEnds(children);
    const ends = spawnEnds(children);
    await openFloors(without, [FLOOR]);
    await openFloors(ends, [FLOOR, TWIN]);
    await openHana(ends, mesh);
    await warmUp(without, [FLOOR]);
    await warmUp(ends, LINKS);
    const run = await measure(ends, without);
    await ends.receiver.close();
    await ends.sender.close();
    return run;
  } finally {
    await children.end();
    mesh.remove();
  }
}

/** Each cycle has a block of each kind, in an order that goes round, so that none always follows the same other one. */
async function measure(ends: Ends, without: Ends): Promise<Run> {
  const block = { blocks: 1, messagesPerBlock: MESSAGES_PER_BLOCK, perTick: 1 };
  for (const link of LINKS) await take(ends, link);
  await take(without, FLOOR);
  for (let cycle = 0; cycle < BLOCKS; cycle++) {
    const first = cycle % LINKS.length;
    await ends.sender.pace({ ...block, links: [...LINKS.slice(first), ...LINKS.slice(0, first)] });
    await without.sender.pace({ ...block, links: [FLOOR] });
  }
  await drained();
  const [floor, hana, twin] = [await take(ends, FLOOR), await take(ends, HANA), await take(ends, TWIN)];
  return {
    hana: { floor, value: hana },
    self: { floor, value: twin },
    beside: { floor: await take(without, FLOOR), value: floor },
  };
}

function spawnEnds(children: Children): Ends {
  return { sender: children.spawn<LatencyPeer>(LATENCY_PEER), receiver: children.spawn<LatencyPeer>(LATENCY_PEER) };
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
