/**
 * MIDI hop: a message of a knob, where the port's callback hands its bytes to the parser, to the subscriber's callback in
 * another process. The floor is a bare datagram between the same two processes.
 *
 * A pitch bend has 14 bits: not a time, but a number that tells when it was sent.
 */
import type { Bench, BenchOptions, BenchResult } from "../harness/bench.js";
import { BenchMesh } from "../harness/network.js";
import { Children } from "../harness/remote.js";
import { Distribution } from "../harness/samples.js";
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
import { MESSAGES_PER_BLOCK } from "../floor/pacer.js";

const PATH = "/viz/bench/bend";
const FLOOR = "floor";
const HANA = "hana";

export const midiHop: Bench = {
  name: "midi-hop",
  what: "one hop: a MIDI message at the parser to callback, two processes, 1,000/s, sealed",
  async run({ runs, say }: BenchOptions): Promise<BenchResult> {
    const done: Comparison[] = [];
    for (let run = 1; run <= runs; run++) {
      say(`midi-hop: run ${run} of ${runs}`);
      done.push(await runOnce());
    }
    return {
      rows: comparisonRows("midi-hop", "MIDI message to callback", done),
      latencies: [comparisonLatencies("one hop from a MIDI message", done)],
    };
  },
};

async function runOnce(): Promise<Comparison> {
  const children = new Children();
  const mesh = await BenchMesh.make();
  try {
    const sender = children.spawn<LatencyPeer>(LATENCY_PEER);
    const receiver = children.spawn<LatencyPeer>(LATENCY_PEER);
    const ends = { sender, receiver };
    await openFloors(ends, [FLOOR]);
    await openHana(ends, mesh);
    await warmUp(ends, [FLOOR, HANA]);
    const comparison = await compare(ends);
    await receiver.close();
    await sender.close();
    return comparison;
  } finally {
    await children.end();
    mesh.remove();
  }
}

async function compare(ends: Ends): Promise<Comparison> {
  await take(ends, FLOOR);
  await takeBends(ends);
  const plan = { links: [FLOOR, HANA], blocks: BLOCKS, messagesPerBlock: MESSAGES_PER_BLOCK, perTick: 1 };
  await ends.sender.pace(plan);
  await drained();
  return { floor: await take(ends, FLOOR), value: await takeBends(ends) };
}

/** What arrived are numbers; each stands for the time when it was sent. */
async function takeBends({ sender, receiver }: Ends): Promise<Distribution> {
  const { sentUs, numbers } = await sender.takeBends(HANA);
  const timeOf = new Map(Array.from(numbers, (number, index) => [number, sentUs[index] ?? 0]));
  const { sentUs: arrived, cameUs } = await receiver.takeArrivals(HANA);
  return Distribution.of(sentUs, { sentUs: arrived.map((number) => timeOf.get(Math.round(number)) ?? 0), cameUs });
}

async function openHana({ sender, receiver }: Ends, { name, key, meshPort, folder }: BenchMesh): Promise<void> {
  const plan = { mesh: name, key, meshPort, folder };
  await sender.startMidiNode({ ...plan, name: "sender", priority: 100 });
  await receiver.startNode({ ...plan, name: "receiver", priority: 50 });
  await receiver.settled("follower");
  await receiver.declareTime(PATH);
  await receiver.receiveBySubscription(HANA, PATH);
  await sender.sendByMidi(HANA, PATH);
}
