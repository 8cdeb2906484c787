/** Multicast that does not arrive while unicast does: the stream comes by unicast, the cause is named, and it goes back. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { record, until } from "../harness/until.js";
import { type Host, type Lan, lanUp, type RigNode } from "./rig.js";

const HOSTS: readonly Host[] = ["h1", "h2", "h3"];
const CODE = "stream-by-unicast";

let lan: Lan;
let nodes: Map<Host, RigNode>;

beforeEach(async () => {
  lan = await lanUp(HOSTS.length);
  nodes = new Map();
  for (const [place, host] of HOSTS.entries()) {
    nodes.set(host, await lan.startNode(host, { args: ["--priority", String(300 - place * 100)] }));
    if (host === "h1") await lan.inRole("h1", "controller");
  }
  await lan.inSync(...HOSTS);
});

afterEach(async () => {
  for (const node of nodes.values()) await node.stop();
  await lan.down();
});

/** Drops what others send to the groups, as a switch does that has pruned this port; a host still hears itself. */
async function prune(host: Host, groups: string): Promise<void> {
  const own = await lan.addr(host);
  const rule = `ip daddr ${groups} ip saddr != ${own} drop`;
  const rules = `table inet pruned { chain in { type filter hook input priority -5; ${rule}; }; }`;
  const { code, stderr } = await lan.exec(host, "nft", rules);
  expect([code, stderr]).toEqual([0, ""]);
}

async function unprune(host: Host): Promise<void> {
  await lan.exec(host, "nft", "delete table inet pruned");
}

async function set(host: Host, value: string): Promise<void> {
  const { code, stderr } = await lan.cli(host, "set", "/viz/trouble/x", value);
  expect([code, stderr]).toEqual([0, ""]);
}

async function finding(host: Host): Promise<string> {
  const { health } = await until(
    () => lan.status(host),
    (status) => status.health.some(({ code }) => code === CODE),
    `${host} to say ${CODE}`,
  );
  return health.find(({ code }) => code === CODE)?.text ?? "";
}

async function well(...hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    await until(
      () => lan.status(host),
      ({ health }) => health.length === 0,
      `${host} to be well`,
    );
  }
}

async function snapshots(host: Host): Promise<number> {
  return (await lan.status(host)).counters["node.snapshotsTaken"] ?? 0;
}

describe("a follower that multicast does not reach", () => {
  it.each([
    ["only the stream's group", false],
    ["both groups", true],
  ] as const)("when %s is pruned has the data within 5 s, says why, and goes back", async (_, isAll) => {
    const { group } = (await lan.status("h1")).network;
    const before = await snapshots("h2");
    await set("h1", "1");
    await prune("h2", isAll ? "224.0.0.0/4" : group);
    const prunedMs = Date.now();
    await set("h1", "2");
    await lan.hasValue("h2", "/viz/trouble/x", "2");
    const backMs = Date.now() - prunedMs;
    expect(await finding("h2")).toMatch(/unicast.*IGMP.*firewall/);
    await set("h3", "3");
    for (const host of HOSTS) await lan.hasValue(host, "/viz/trouble/x", "3");
    record(`multicast pruned: ${isAll ? "both groups" : "the stream's"}`, { "data back after ms": backMs });
    expect(backMs).toBeLessThan(5_000);
    expect((await lan.status("h1")).role).toBe("controller");
    expect(await snapshots("h2")).toBe(before);
    await unprune("h2");
    await well(...HOSTS);
    await set("h1", "4");
    for (const host of HOSTS) await lan.hasValue(host, "/viz/trouble/x", "4");
  });
});

it("a network that loses all multicast keeps its controller, and everybody has the data", async () => {
  for (const host of HOSTS) await prune(host, "224.0.0.0/4");
  await set("h1", "1");
  for (const host of ["h2", "h3"] as const) await finding(host);
  await set("h2", "2");
  for (const host of HOSTS) await lan.hasValue(host, "/viz/trouble/x", "2");
  const roles = await Promise.all(HOSTS.map(async (host) => (await lan.status(host)).role));
  expect(roles).toEqual(["controller", "follower", "follower"]);
  for (const host of HOSTS) await unprune(host);
  await well(...HOSTS);
});
