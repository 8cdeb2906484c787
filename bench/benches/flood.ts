/**
 * Flood: what a change of the controller's needs to a follower's callback while others throw datagrams at both: 100,000
 * OSC messages a second at the controller, or 50,000 datagrams a second at the group in which nodes meet that look like
 * the mesh's own. Real processes, 30 s each.
 */
import { setTimeout as delay } from "node:timers/promises";
import { meshTag } from "../../src/security/mesh-identity.js";
import { HEADER_BYTES, writeSenderHeader } from "../../src/wire/envelope.js";
import type { FloodPeer, FloodPlan } from "../flood-peer.js";
import type { Bench, BenchOptions, BenchResult, Row } from "../harness/bench.js";
import { BenchMesh, LOOPBACK } from "../harness/network.js";
import { Children, type Remote } from "../harness/remote.js";
import { Distribution } from "../harness/samples.js";
import type { LatencyPeer } from "../latency-peer.js";
import { LATENCY_PEER } from "./comparison.js";

const FLOOD_PEER = new URL("../flood-peer.js", import.meta.url);
const PATH = "/viz/bench/time";
const HANA = "hana";
const SECONDS = 30;
const PAUSE_MS = 10;
const WARM_CHANGES = 300;
const DRAIN_MS = 1_000;
const RATES = { osc: 100_000, garbage: 50_000 } as const;

interface Mesh {
  readonly sender: Remote<LatencyPeer>;
  readonly receiver: Remote<LatencyPeer>;
  readonly flooder: Remote<FloodPeer>;
  readonly oscPort: number;
}

export const flood: Bench = {
  name: "flood",
  what: "a change's way while OSC or garbage comes in floods",
  async run({ say }: BenchOptions): Promise<BenchResult> {
    const children = new Children();
    const mesh = await BenchMesh.make();
    try {
      const sender = children.spawn<LatencyPeer>(LATENCY_PEER);
      const receiver = children.spawn<LatencyPeer>(LATENCY_PEER);
      const flooder = children.spawn<FloodPeer>(FLOOD_PEER);
      const nodes = { sender, receiver, flooder, oscPort: await open(sender, receiver, mesh) };
      const floor = await measure(nodes, undefined);
      const rows: Row[] = [];
      for (const kind of ["osc", "garbage"] as const) {
        say(`flood: ${RATES[kind]} a second of ${kind} for ${SECONDS} s`);
        rows.push(...(await floodRows(nodes, mesh, kind, floor)));
      }
      for (const peer of [receiver, sender]) await peer.close();
      return { rows };
    } finally {
      await children.end();
      mesh.remove();
    }
  },
};

async function open(
  sender: Remote<LatencyPeer>,
  receiver: Remote<LatencyPeer>,
  { name, key, meshPort, folder }: BenchMesh,
): Promise<number> {
  const plan = { mesh: name, key, meshPort, folder };
  const oscPort = await sender.startNode({ ...plan, name: "sender", priority: 100 });
  await sender.settled("controller");
  await sender.declareTime(PATH);
  await receiver.startNode({ ...plan, name: "receiver", priority: 50 });
  await receiver.settled("follower");
  await receiver.receiveBySubscription(HANA, PATH);
  await sender.sendBySet(HANA, PATH);
  return oscPort;
}

async function floodRows(
  nodes: Mesh,
  { name, meshPort }: BenchMesh,
  kind: FloodPlan["kind"],
  floor: Distribution,
): Promise<Row[]> {
  const { meetingGroup } = (await nodes.sender.status()).network;
  const header = new Uint8Array(HEADER_BYTES);
  writeSenderHeader(header, meshTag(name), new Uint8Array(8), new Uint8Array(8));
  const target =
    kind === "osc" ? { address: LOOPBACK, port: nodes.oscPort } : { address: meetingGroup, port: meshPort };
  const before = await takeovers(nodes);
  const flooding = nodes.flooder.flood({ kind, ...target, perSecond: RATES[kind], seconds: SECONDS, header });
  const under = await measure(nodes, SECONDS);
  const sent = await flooding;
  const failovers = (await takeovers(nodes)) - before;
  const rate = `${Math.round(sent / SECONDS)} datagrams/s`;
  const what = kind === "osc" ? "OSC at the controller" : "garbage at all nodes";
  return [
    {
      id: `flood.${kind}.p99`,
      what: `set to callback under ${what}, p99 (floor: no flood)`,
      unit: "ms",
      value: under.at(0.99) / 1_000,
      floor: floor.at(0.99) / 1_000,
      note: `${rate}; p50 ${(under.at(0.5) / 1_000).toFixed(2)} ms; ${under.superseded} came with the next one`,
    },
    { id: `flood.${kind}.failovers`, what: `changes of controller under ${what}`, unit: "", value: failovers },
  ];
}

/** Isolated changes, for a while or a few. */
async function measure({ sender, receiver }: Mesh, seconds: number | undefined): Promise<Distribution> {
  const messages = seconds === undefined ? WARM_CHANGES : Math.floor((seconds * 1_000) / PAUSE_MS / 1.5);
  await sender.takeSent(HANA);
  await receiver.takeArrivals(HANA);
  await sender.pace({ links: [HANA], blocks: 1, messagesPerBlock: messages, perTick: 1, pauseMs: PAUSE_MS });
  await delay(DRAIN_MS);
  return Distribution.of(await sender.takeSent(HANA), await receiver.takeArrivals(HANA));
}

async function takeovers({ sender, receiver }: Mesh): Promise<number> {
  const reports = await Promise.all([sender.status(), receiver.status()]);
  return reports.reduce((sum, { counters }) => sum + (counters.takeovers ?? 0), 0);
}
