/** Learning by the command line: an OSC control is moved, and the node says how to bind it, or binds it. */
import { toBuffer } from "osc-min";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { Finished } from "../harness/process.js";
import { sendTo } from "../harness/osc-bundles.js";
import { type LiveNode, startNode } from "./harness.js";

let node: LiveNode;

beforeAll(async () => {
  node = await startNode();
});

/** A move of a fader on a surface. */
async function move(address: string): Promise<void> {
  for (let step = 1; step <= 10; step++) {
    const view = toBuffer({ address, args: [{ type: "float", value: step / 10 }] });
    await sendTo(node.port, [Buffer.from(view.buffer, view.byteOffset, view.byteLength)]);
    await pause(10);
  }
}

/** A button that goes down and up. */
async function press(address: string): Promise<void> {
  for (const value of [1, 0]) {
    const view = toBuffer({ address, args: [{ type: "float", value }] });
    await sendTo(node.port, [Buffer.from(view.buffer, view.byteOffset, view.byteLength)]);
    await pause(50);
  }
}

/** Moves a control now and then until the command has seen it: a control that moved before it was asked for is not meant. */
async function teach(address: string, args: readonly string[], play = move): Promise<Finished> {
  const asked = node.hana("learn", ...args);
  const isDone = asked.then(() => true);
  for (;;) {
    await play(address);
    if (await Promise.race([isDone, pause(1_200, false)])) return asked;
  }
}

describe("learn", () => {
  it("says how to bind the control that was moved, and binds nothing", async () => {
    await node.hana("set", "/global/tempo", "100");
    const { code, stdout, stderr } = await teach("/1/fader1", ["/global/tempo"]);
    expect([code, stdout]).toEqual([
      0,
      "touchosc/fader1: fader or knob\nhana bind touchosc/fader1 /global/tempo --curve exponential\n",
    ]);
    expect(stderr).toContain("move the control that is to move /global/tempo; waiting 30 s");
    expect((await node.hana("bindings")).stdout).toBe("no bindings\n");
  });

  it("binds it when it is to, and it works", async () => {
    const { code, stdout } = await teach("/stage/fader2", ["/viz/learned", "--accept", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      proposal: { source: "osc:/stage/fader2#0", path: "/viz/learned" },
      kind: "fader",
      encoding: null,
      remarks: [],
      binding: { source: "osc:/stage/fader2#0", standing: "active" },
    });
    await move("/stage/fader2");
    await expect.poll(async () => (await node.hana("get", "/viz/learned")).stdout).toBe("1\n");
  });

  it("proposes that a button toggles a path of two values, and does what it is asked instead", async () => {
    const declarations = { "/viz/lamp": { type: "bool" } };
    await fetch(`${node.url}/-/declare`, { method: "POST", body: JSON.stringify({ declarations }) });
    const { stdout } = await teach("/1/push1", ["/viz/lamp"], press);
    expect(stdout).toContain("with --mode momentary it is on while it is down\n");
    expect(stdout).toContain("hana bind touchosc/push1 /viz/lamp --mode toggle\n");
    const made = await teach("/1/push1", ["/viz/lamp", "--accept", "--mode", "momentary", "--json"], press);
    expect(JSON.parse(made.stdout)).toMatchObject({ remarks: [], binding: { options: { mode: "momentary" } } });
  });

  it("says that nothing was moved", async () => {
    const { code, stdout, stderr } = await node.hana("learn", "/viz/learned", "--timeout", "0.3");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("nothing was moved in 0.3 s");
  });

  it.each([
    ["nowhere", "does not begin with /"],
    ["/environment/name", "holds a text"],
  ])("refuses %s", async (path, text) => {
    const { code, stderr } = await node.hana("learn", path);
    expect([code, stderr]).toEqual([1, expect.stringContaining(text)]);
  });
});
