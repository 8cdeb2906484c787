/** A host with two networks: everything goes over the one that was chosen, and nothing over the other. */
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Host, type Lan, lanUp, type RigNode, type RigNodeOptions } from "./rig.js";

let lan: Lan;
let running: RigNode[] = [];

/** Counts the IPv4 packets that a host sends and gets over each interface. */
const COUNTERS = `
  table inet count {
    chain out {
      type filter hook output priority 0
      meta nfproto ipv4 oifname "eth0" counter
      meta nfproto ipv4 oifname "eth1" counter
    }
    chain in {
      type filter hook input priority -10
      meta nfproto ipv4 iifname "eth0" counter
      meta nfproto ipv4 iifname "eth1" counter
    }
  }
`;

beforeAll(async () => {
  lan = await lanUp(3);
  for (const host of ["h1", "h2"] as const) await lan.second(host);
});

afterEach(async () => {
  for (const node of running) await node.stop();
  running = [];
});

async function start(host: Host, options: RigNodeOptions = {}): Promise<RigNode> {
  const node = await lan.startNode(host, options);
  running.push(node);
  return node;
}

async function startCounting(host: Host): Promise<void> {
  const { code, stderr } = await lan.exec(host, "sh", "-c", 'printf %s "$1" | nft -f -', "sh", COUNTERS);
  expect([code, stderr]).toEqual([0, ""]);
}

/** Packets by interface, both ways together. */
async function packets(host: Host): Promise<{ eth0: number; eth1: number }> {
  const { stdout } = await lan.exec(host, "nft", "list", "table", "inet", "count");
  const count = (name: string): number =>
    [...stdout.matchAll(new RegExp(`"${name}".* packets (\\d+)`, "g"))].reduce(
      (sum, [, text]) => sum + Number(text),
      0,
    );
  return { eth0: count("eth0"), eth1: count("eth1") };
}

describe("the interface that was chosen", () => {
  it("is the only one that anything goes over, by address or by name", async () => {
    for (const host of ["h1", "h2"] as const) await startCounting(host);
    const address = (await lan.addr("h1")).replace("10.77.", "10.78.");
    const first = await start("h1", { args: ["--interface", address] });
    const second = await start("h2", { args: ["--interface", "eth1"] });
    const third = await start("h3");
    expect(first.ready).toMatchObject({ interface: "eth1", address });
    expect(second.ready).toMatchObject({ interface: "eth1" });
    expect(third.ready).toMatchObject({ interface: "eth0", address: await lan.addr("h3") });
    await lan.inSync("h1", "h2");
    expect((await lan.cli("h2", "set", "/viz/two/networks", "1")).code).toBe(0);
    expect(await lan.get("h1", "/viz/two/networks")).toBe("1");
    await lan.inRole("h3", "controller");
    expect((await lan.status("h3")).peers.heard).toBe(0);
    for (const host of ["h1", "h2"] as const) {
      const { eth0, eth1 } = await packets(host);
      expect(eth1).toBeGreaterThan(20);
      expect(eth0).toBe(0);
    }
  });

  it("is the only one whose network may send OSC", async () => {
    await start("h1", { args: ["--interface", "eth1"] });
    await lan.inRole("h1", "controller");
    const [first, second] = [await lan.addr("h1"), (await lan.addr("h1")).replace("10.77.", "10.78.")];
    await lan.exec("h3", "oscsend", first, "7700", "/viz/from/outside", "f", "1");
    await lan.exec("h2", "oscsend", second, "7700", "/viz/from/inside", "f", "1");
    await lan.hasValue("h1", "/viz/from/inside", "1");
    expect(await lan.get("h1", "/viz/from/outside")).toBe("");
    expect((await lan.status("h1")).counters["osc.packetsNotAllowed"]).toBe(1);
  });

  it("does not open the control API to the network", async () => {
    await start("h1", { args: ["--interface", "eth1"] });
    const address = (await lan.addr("h1")).replace("10.77.", "10.78.");
    const { code, stdout } = await lan.cli("h2", "status", "--node", `http://${address}:7700`);
    expect([code, stdout]).toEqual([1, ""]);
    expect((await lan.status("h1")).counters["tcp.refusedHttp"]).toBeGreaterThan(0);
  });
});

describe("the default interface", () => {
  it("is the only one beside loopback", async () => {
    expect((await start("h3")).ready).toMatchObject({ interface: "eth0" });
  });

  it("is loopback when two could be meant", async () => {
    expect((await start("h1")).ready).toMatchObject({ interface: "lo", address: "127.0.0.1" });
  });

  it("is that of the default route", async () => {
    const { code, stderr } = await lan.exec("h1", "ip", "route", "add", "default", "via", "10.78.0.3", "dev", "eth1");
    expect([code, stderr]).toEqual([0, ""]);
    expect((await start("h1")).ready).toMatchObject({ interface: "eth1" });
    await lan.exec("h1", "ip", "route", "del", "default");
  });
});
