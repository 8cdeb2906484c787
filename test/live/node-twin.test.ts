/**
 * Two starts of one node: a copy of a data folder is refused with 69, be it before it is ready or after, and the node
 * that was there goes on and is heard; a quick restart is no second start.
 */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { StatusReport } from "../../src/manage/reports.js";
import { inSync } from "../harness/library-peer.js";
import { until } from "../harness/until.js";
import { folder, hana, type LiveNode, startNode, startPeer } from "./harness.js";

const PATH = "/viz/twin/x";
const REFUSED = /another node with this node's id is running at 127\.0\.0\.1: its data folder was copied/;

async function statusOf(node: LiveNode): Promise<StatusReport> {
  return (await (await fetch(`${node.url}/-/status`)).json()) as StatusReport;
}

function settled(...nodes: readonly LiveNode[]): Promise<StatusReport[]> {
  return inSync(nodes.map((node) => ({ status: () => statusOf(node) })));
}

/** As on another machine: the lock says nothing there. */
function copyOf(node: LiveNode, name: string): string {
  const copy = join(folder, name);
  cpSync(node.dataDir, copy, { recursive: true });
  rmSync(join(copy, "lock"), { recursive: true, force: true });
  return copy;
}

/** What one node writes is on the other, within a second. */
async function isHeard(node: LiveNode, by: LiveNode, value: number): Promise<void> {
  expect(await hana("set", PATH, String(value), "--node", node.url)).toMatchObject({ code: 0, stderr: "" });
  const look = (): Promise<string> => hana("get", PATH, "--node", by.url).then(({ stdout }) => stdout.trim());
  await until(look, (text) => text === String(value), `${value} on the other node`, 1_000);
}

it("a copy of the controller's or a follower's folder ends with 69, and both go on", async () => {
  const mesh = `twin-${process.pid}`;
  const first = await startNode({ mesh, name: `${mesh}-first` });
  const second = await startNode({ mesh, name: `${mesh}-second` });
  const [before] = await settled(first, second);
  for (const [place, node] of [first, second].entries()) {
    // Mostly before it is ready.
    const started = startNode({ mesh, name: `copy${place}`, dataDir: copyOf(node, `copy-${place}`) });
    const reason = await started.then(
      ({ process }) => process.ended.then(() => process.describe()),
      (error: unknown) => String(error),
    );
    expect(reason).toMatch(/ended with 69/);
    expect(reason).toMatch(REFUSED);
    expect((await statusOf(node)).health.map(({ code }) => code)).toContain("twin-node");
  }
  await isHeard(first, second, 1);
  await isHeard(second, first, 2);
  const [after] = await settled(first, second);
  expect(after?.term).toEqual(before?.term);
});

it("a copy that was ready, because the node was held up, ends with 69 when that goes on, which is heard again", async () => {
  const mesh = `late-${process.pid}`;
  const first = await startNode({ mesh, name: `${mesh}-first` });
  const other = await startNode({ mesh, name: `${mesh}-other` });
  await settled(first, other);
  await isHeard(first, other, 1);
  for (const [round, node] of [first, other].entries()) {
    const dataDir = copyOf(node, `late-copy-${round}`);
    node.process.child.kill("SIGSTOP");
    const copy = await startNode({ mesh, name: `late-copy-${round}`, dataDir }).finally(() => {
      node.process.child.kill("SIGCONT");
    });
    expect(await copy.process.ended).toMatchObject({ code: 69 });
    expect(copy.process.stderr).toMatch(REFUSED);
    await settled(first, other);
    await isHeard(first, other, 10 + round);
    await isHeard(other, first, 20 + round);
  }
  // What the others took for the copy's is above what it began with: the next start must not be mute.
  await other.process.kill();
  const { name, port, dataDir } = other;
  const again = await startNode({ mesh, name, port, dataDir });
  await settled(first, again);
  await isHeard(again, first, 30);
});

it("a node that is killed and started again at once is not taken for a copy of itself", async () => {
  const mesh = `again-${process.pid}`;
  let node = await startNode({ mesh, name: "again" });
  for (let run = 0; run < 3; run++) {
    await node.process.kill();
    const { name, port, dataDir } = node;
    node = await startNode({ mesh, name, port, dataDir });
  }
  expect((await statusOf(node)).health.map(({ code }) => code)).not.toContain("twin-node");
});

it("of two that start at the same time one goes on", async () => {
  const mesh = `both-${process.pid}`;
  const before = await startNode({ mesh, name: "both" });
  await before.process.stop();
  const copy = copyOf(before, "both-copy");
  const starts = await Promise.allSettled([
    startNode({ mesh, name: "both", dataDir: before.dataDir }),
    startNode({ mesh, name: "both2", dataDir: copy }),
  ]);
  const running = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const look = async (): Promise<number> => running.filter(({ process }) => process.exit === undefined).length;
  expect(await until(look, (count) => count <= 1, "one of them alone", 3_000)).toBe(1);
});

it("the library rejects a copy's start with 69, or closes it", async () => {
  const mesh = `library-${process.pid}`;
  const first = await startNode({ mesh, name: `${mesh}-first` });
  const opened = startPeer({ mesh, dataDir: copyOf(first, "library-copy") });
  const error = await opened.then(
    async (peer) => {
      // Its sockets are closed a moment later.
      await until(
        () =>
          fetch(`http://127.0.0.1:${peer.port}/-/status`).then(
            () => "open",
            () => "closed",
          ),
        (answer) => answer === "closed",
        "a closed copy",
      );
      return { exitCode: 69 };
    },
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ exitCode: 69 });
});
