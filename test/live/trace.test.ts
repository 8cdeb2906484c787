/** Tracing by the command line: a line for each message, with the reason when nothing happens. */
import { toBuffer } from "osc-min";
import { beforeAll, describe, expect, it } from "vitest";
import { sendTo } from "../harness/osc-bundles.js";
import type { RunningProcess } from "../harness/process.js";
import { type LiveNode, startHana, startNode } from "./harness.js";

let node: LiveNode;

beforeAll(async () => {
  node = await startNode();
  await node.hana("bind", "osc:/1/fader1", "/viz/zoom", "--range", "0..10", "--id", "zoom", "--takeover", "pickup");
  await node.hana("set", "/viz/zoom", "5");
});

async function send(address: string, value: number): Promise<void> {
  const view = toBuffer({ address, args: [{ type: "float", value }] });
  await sendTo(node.port, [Buffer.from(view.buffer, view.byteOffset, view.byteLength)]);
}

/** Starts a trace and waits until it tells what is sent. */
async function trace(...args: string[]): Promise<RunningProcess> {
  const tracing = startHana("trace", ...args, "--node", node.url);
  const isTold = async (): Promise<string> => {
    await send("/viz/zoom", 5);
    return tracing.stdout;
  };
  await expect.poll(isTold, { timeout: 10_000, interval: 100 }).toContain("/viz/zoom");
  return tracing;
}

describe("trace", () => {
  it("tells control, binding, path and value, and how far the control is from the value", async () => {
    const tracing = await trace("--json");
    await send("/1/fader1", 0.2);
    const waiting = await tracing.waitFor((line) => line["outcome"] === "waits");
    expect(waiting).toMatchObject({
      source: "osc:/1/fader1",
      from: "127.0.0.1",
      message: "0.2",
      binding: "zoom",
      path: "/viz/zoom",
      value: 5,
    });
    expect(waiting["gap"]).toBeCloseTo(0.3, 5);
    expect((await node.hana("bindings")).stdout).toContain("the control has to go up by 30 % to find the value");
    await send("/1/fader1", 0.8);
    const written = await tracing.waitFor((line) => line["binding"] === "zoom" && line["outcome"] === "written");
    expect(written).toMatchObject({ value: 8, reason: "", gap: 0 });
    expect((await node.hana("bindings")).stdout).not.toContain("has to go");
    await tracing.kill();
  });

  it("is read by people, and says why nothing happened", async () => {
    const tracing = await trace();
    await send("/1/fader1", 0.5);
    await send("/nobody", 1);
    const line = /^\d\d:\d\d:\d\d\.\d{3} osc:\/nobody 1: unbound: no path has this address/m;
    await expect.poll(() => tracing.stdout).toMatch(line);
    expect(tracing.stdout).toMatch(/osc:\/1\/fader1 0\.5 -> zoom -> \/viz\/zoom/);
    await tracing.kill();
  });

  it("tells only what reaches the paths that are named", async () => {
    const tracing = await trace("--path", "/viz/*");
    await send("/nobody", 1);
    await send("/viz/zoom", 6);
    await expect.poll(() => tracing.stdout).toContain("/viz/zoom 6");
    expect(tracing.stdout).not.toContain("nobody");
    await tracing.kill();
  });

  it("refuses what is no pattern", async () => {
    const { code, stderr } = await node.hana("trace", "--path", "[");
    expect([code, stderr]).toEqual([1, expect.stringContaining("is not an OSC address pattern")]);
  });
});
