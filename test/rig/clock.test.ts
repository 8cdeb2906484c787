/** Session time on real hosts: what each says of its error is true, also through loss and when the controller dies. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StatusReport } from "../../src/manage/reports.js";
import { record, until } from "../harness/until.js";
import { type Host, type Lan, lanUp, type RigNode } from "./rig.js";

const HOSTS: readonly Host[] = ["h1", "h2", "h3"];

let lan: Lan;
const nodes = new Map<Host, RigNode>();

beforeAll(async () => {
  lan = await lanUp(HOSTS.length);
});

afterAll(async () => {
  for (const node of nodes.values()) await node.stop();
});

/** All hosts of a rig run on one machine's clock, so what a node took itself to be off by is its error. */
async function clocks(...hosts: readonly Host[]): Promise<StatusReport["clock"][]> {
  return (await Promise.all(hosts.map((host) => lan.status(host)))).map(({ clock }) => clock);
}

async function measured(host: Host): Promise<StatusReport["clock"]> {
  const { clock } = await until(
    () => lan.status(host),
    ({ clock: { boundMs } }) => boundMs !== undefined && boundMs < 2,
    `${host} to know the time`,
  );
  return clock;
}

describe("session time", () => {
  it("is known to all within what they say, is the same through loss, and outlives its controller", async () => {
    for (const [place, host] of HOSTS.entries()) {
      nodes.set(host, await lan.startNode(host, { args: ["--priority", String(300 - place * 100)] }));
      if (host === "h1") await lan.inRole("h1", "controller");
    }
    await lan.inSync(...HOSTS);
    for (const percent of [0, 30]) {
      for (const host of HOSTS) await lan.loss(host, percent);
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      for (const host of ["h2", "h3"] as const) {
        const { offsetMs, boundMs = Number.NaN, roundTripMs = Number.NaN } = await measured(host);
        record(`session time on ${host}`, { "loss %": percent, "off ms": offsetMs, "bound ms": boundMs, roundTripMs });
        expect(Math.abs(offsetMs)).toBeLessThanOrEqual(boundMs + GRAIN_MS);
      }
    }
    await lan.heal();
    const before = await clocks("h2", "h3");
    await nodes.get("h1")?.kill();
    nodes.delete("h1");
    await lan.inRole("h2", "controller");
    await lan.inSync("h2", "h3");
    const after = await clocks("h2", "h3");
    for (const [place, { offsetMs }] of after.entries()) {
      expect(Math.abs(offsetMs - (before[place]?.offsetMs ?? Number.NaN))).toBeLessThan(5);
    }
    const { stdout } = await lan.cli("h2", "peers");
    expect(stdout).toMatch(/clock.*\n.*± \d+\.\d\d ms/);
  });
});

/** Each process anchors its own time to the wall clock once, which is read to some microseconds. */
const GRAIN_MS = 1;
