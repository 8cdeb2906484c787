/**
 * Late join: a fresh process joins a mesh of 10,000 paths. From its hello, as it is handed to the system, until
 * every path has its value there; then its digests must be the controller's. The joiner looks every millisecond.
 *
 * The time from the start of the process is told too: it is what a person waits.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Bench, BenchOptions, BenchResult, Row } from "../harness/bench.js";
import { monotonicUs } from "../harness/clock.js";
import { BenchMesh } from "../harness/network.js";
import { Children, type Remote } from "../harness/remote.js";
import { median } from "../harness/samples.js";
import type { JoinPeer } from "../join-peer.js";
import type { LoadPeer } from "../load-peer.js";

const LOAD_PEER = new URL("../load-peer.js", import.meta.url);
const JOIN_PEER = new URL("../join-peer.js", import.meta.url);
const PATHS = 10_000;
const JOINS_MIN = 7;
const FILL_SECONDS = 1;
const PAUSE_MS = 300;
const LOOKS = 10;

interface Join {
  readonly fromHelloMs: number;
  readonly fromCallMs: number;
  readonly fromStartMs: number;
  readonly isEqual: boolean;
}

export const lateJoin: Bench = {
  name: "late-join",
  what: "a fresh node gets 10,000 paths",
  async run({ runs, say }: BenchOptions): Promise<BenchResult> {
    const children = new Children();
    const mesh = await BenchMesh.make();
    try {
      const controller = children.spawn<LoadPeer>(LOAD_PEER);
      await openController(controller, mesh);
      const joins: Join[] = [];
      const count = Math.max(runs, JOINS_MIN);
      for (let index = 1; index <= count; index++) {
        say(`late-join: ${index} of ${count}`);
        joins.push(await joinOnce(controller, mesh, index));
        await delay(PAUSE_MS);
      }
      await controller.close();
      return { rows: rowsOf(joins) };
    } finally {
      await children.end();
      mesh.remove();
    }
  },
};

async function openController(controller: Remote<LoadPeer>, { name, key, meshPort, folder }: BenchMesh): Promise<void> {
  await controller.startNode({ mesh: name, key, meshPort, folder, name: "controller", priority: 100 });
  await controller.settled("controller");
  await controller.declarePaths(PATHS);
  await controller.drive({ paths: PATHS, rate: PATHS * 2, seconds: FILL_SECONDS });
}

async function joinOnce(controller: Remote<LoadPeer>, mesh: BenchMesh, index: number): Promise<Join> {
  const lastValue = await controller.writeLast(PATHS, index);
  const children = new Children();
  try {
    const startedUs = monotonicUs();
    const joiner = children.spawn<JoinPeer>(JOIN_PEER);
    const { name, key, meshPort, folder } = mesh;
    const plan = { mesh: name, key, meshPort, folder, name: `joiner-${index}`, priority: 1 };
    const times = await joiner.join(plan, PATHS, lastValue);
    const isEqual = await areEqual(controller, joiner);
    await joiner.close();
    return {
      fromHelloMs: (times.equalUs - times.helloUs) / 1_000,
      fromCallMs: (times.equalUs - times.calledUs) / 1_000,
      fromStartMs: (times.equalUs - startedUs) / 1_000,
      isEqual,
    };
  } finally {
    await children.end();
  }
}

/** Who joins is a peer in the state itself, so the digests of before are no measure. */
async function areEqual(controller: Remote<LoadPeer>, joiner: Remote<JoinPeer>): Promise<boolean> {
  for (let look = 0; look < LOOKS; look++) {
    const { digests } = await controller.contents(PATHS);
    if (digests === (await joiner.digests())) return true;
    await delay(PAUSE_MS / LOOKS);
  }
  return false;
}

function rowsOf(joins: readonly Join[]): Row[] {
  const fromHello = joins.map(({ fromHelloMs }) => fromHelloMs);
  return [
    {
      id: "late-join.p50",
      what: "hello to equal contents, p50",
      unit: "ms",
      value: median(fromHello),
      note: `${joins.length} joins, worst ${Math.max(...fromHello).toFixed(0)} ms`,
    },
    {
      id: "late-join.call",
      what: "createNode to equal contents, p50",
      unit: "ms",
      value: median(joins.map(({ fromCallMs }) => fromCallMs)),
    },
    {
      id: "late-join.start",
      what: "start of the process to equal contents, p50",
      unit: "ms",
      value: median(joins.map(({ fromStartMs }) => fromStartMs)),
    },
    {
      id: "late-join.equal",
      what: "share of joins that ended with equal digests",
      unit: "",
      value: joins.filter(({ isEqual }) => isEqual).length / joins.length,
    },
  ];
}
