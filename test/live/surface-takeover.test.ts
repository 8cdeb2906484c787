/**
 * One OSC surface that sends to a main node and to its backup, as surfaces do that can: a press counts once, also when
 * the main is killed while a finger is down, and after it came back.
 */
import { createSocket } from "node:dgram";
import { afterAll, beforeAll, expect, it } from "vitest";
import { toBuffer } from "osc-min";
import { setTimeout as pause } from "node:timers/promises";
import type { StatusReport } from "../../src/manage/reports.js";
import { inSync } from "../harness/library-peer.js";
import { until } from "../harness/until.js";
import { type LiveNode, startNode } from "./harness.js";

const LAMP = "/viz/lamp";
const COUNT = "/viz/count";
const FLASH = "/viz/flash";
/** Not 127.0.0.1: every machine has programs there, so nobody can tell that two nodes hear the same one. */
const SURFACE_ADDRESS = "127.0.0.2";
const surface = createSocket("udp4");
let main: LiveNode;
let backup: LiveNode;

async function statusOf(node: LiveNode): Promise<StatusReport> {
  return (await (await fetch(`${node.url}/-/status`)).json()) as StatusReport;
}

async function valueAt(node: LiveNode, path: string): Promise<unknown> {
  const answer = await fetch(`${node.url}/-/get?path=${encodeURIComponent(path)}`);
  return ((await answer.json()) as { value: unknown }).value;
}

function settled(): Promise<StatusReport[]> {
  return inSync([main, backup].map((node) => ({ status: () => statusOf(node) })));
}

/** The button goes down or up; both nodes are told at once, the one first or the other. */
function button(isDown: boolean, ...nodes: readonly LiveNode[]): void {
  const packet = toBuffer({ address: "/1/push1", args: [{ type: "float", value: Number(isDown) }] });
  for (const { port } of nodes) surface.send(packet, port, "127.0.0.1");
}

async function show(node: LiveNode, expected: readonly unknown[]): Promise<void> {
  const look = (): Promise<unknown[]> => Promise.all([LAMP, COUNT, FLASH].map((path) => valueAt(node, path)));
  const wanted = JSON.stringify(expected);
  await until(look, (values) => JSON.stringify(values) === wanted, `lamp, count, flash ${wanted}`);
}

beforeAll(async () => {
  await new Promise<void>((resolve) => surface.bind(0, SURFACE_ADDRESS, resolve));
  main = await startNode({ name: "main", args: ["--priority", "200"] });
  backup = await startNode({ name: "backup", args: ["--priority", "100"] });
  await settled();
  const declarations = {
    [LAMP]: { type: "bool" },
    [COUNT]: { type: "int", range: [0, 1000] },
    [FLASH]: { type: "bool" },
  };
  await fetch(`${main.url}/-/declare`, { method: "POST", body: JSON.stringify({ declarations }) });
  for (const [path, mode, words] of [
    [LAMP, "toggle", []],
    [COUNT, "increment", ["--step", "1"]],
    [FLASH, "momentary", []],
  ] as const) {
    expect(await main.hana("bind", "osc:/1/push1#0", path, "--mode", mode, ...words)).toMatchObject({ code: 0 });
  }
  await settled();
});

afterAll(() => surface.close());

it("presses once for a press that main and backup both hear (toggle executed on both main and backup)", async () => {
  for (let press = 1; press <= 6; press++) {
    const order = press % 2 === 0 ? [main, backup] : [backup, main];
    button(true, ...order);
    for (const node of order) await show(node, [press % 2 === 1, press, true]);
    button(false, ...order);
    for (const node of order) await show(node, [press % 2 === 1, press, false]);
    // Longer than two nodes may need to hear of one press.
    await pause(250);
  }
  for (const { state } of await settled()) expect(state.pendingWrites).toBe(0);
});

it("lets go on the backup what was pressed while the main lived, and presses nothing again (takeover in between)", async () => {
  expect((await statusOf(main)).role).toBe("controller");
  button(true, main, backup);
  for (const node of [main, backup]) await show(node, [true, 7, true]);
  await main.kill();
  await until(
    () => statusOf(backup),
    ({ role }) => role === "controller",
    "the backup in control",
  );
  await show(backup, [true, 7, true]);
  button(false, main, backup);
  await show(backup, [true, 7, false]);
  button(true, main, backup);
  await show(backup, [false, 8, true]);
  button(false, main, backup);
  await show(backup, [false, 8, false]);
});

it("presses once again when the main is back as a follower (failed writer returns)", async () => {
  const { name, port, dataDir } = main;
  main = await startNode({ name, port, dataDir, args: ["--priority", "200"] });
  await settled();
  for (let press = 9; press <= 12; press++) {
    button(true, main, backup);
    for (const node of [main, backup]) await show(node, [press % 2 === 1, press, true]);
    button(false, backup, main);
    for (const node of [main, backup]) await show(node, [press % 2 === 1, press, false]);
    await pause(250);
  }
});
