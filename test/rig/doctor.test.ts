/** `hana doctor` on hosts with real trouble: the right finding, and no other. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Check } from "../../src/manage/doctor.js";
import { until } from "../harness/until.js";
import { type Host, type Lan, lanUp, type RigNode } from "./rig.js";

let lan: Lan;
const nodes: RigNode[] = [];

beforeEach(async () => {
  lan = await lanUp(2);
});

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  await lan.down();
});

interface Visit {
  readonly code: number | null;
  readonly wrong: readonly Check[];
  readonly names: readonly string[];
}

async function doctor(host: Host): Promise<Visit> {
  const { code, stdout, stderr } = await lan.cli(host, "doctor", "--mesh", lan.mesh, "--json", "--interface", "eth0");
  if (stdout === "") throw new Error(stderr);
  const { checks } = JSON.parse(stdout) as { checks: Check[] };
  const wrong = checks.filter(({ result }) => result === "wrong");
  return { code, wrong, names: wrong.map(({ name }) => name) };
}

async function drop(host: Host, rule: string): Promise<void> {
  const rules = `table inet trouble { chain in { type filter hook input priority -5; ${rule}; }; }`;
  const { code, stderr } = await lan.exec(host, "nft", rules);
  expect([code, stderr]).toEqual([0, ""]);
}

describe("on a host without a node", () => {
  it("finds nothing wrong where nothing is", async () => {
    expect(await doctor("h1")).toMatchObject({ code: 0, names: [] });
  });

  it("finds a route that is missing", async () => {
    await lan.exec("h1", "ip", "route", "del", "224.0.0.0/4");
    const { code, names, wrong } = await doctor("h1");
    expect([code, names]).toEqual([1, ["route"]]);
    expect(wrong[0]?.fix).toContain("ip route add 224.0.0.0/4 dev eth0");
  });

  it("finds a firewall that drops the groups, and quotes its rule", async () => {
    await drop("h1", "ip daddr 239.77.0.0/16 drop");
    const { code, names, wrong } = await doctor("h1");
    expect([code, names]).toEqual([1, ["firewall"]]);
    expect(wrong[0]?.text).toContain("ip daddr 239.77.0.0/16 drop");
  });

  it("finds multicast that does not come back where no rule says why", async () => {
    await drop("h1", "udp length 24 drop");
    expect(await doctor("h1")).toMatchObject({ code: 1, names: ["multicast"] });
  });

  it("finds the mesh's port in another program's hands", async () => {
    const script = `require("dgram").createSocket("udp4").bind(7701, () => console.log('{"event":"bound"}'))`;
    const stranger = lan.spawn("h1", process.execPath, "-e", script);
    try {
      const visit = await until(
        () => doctor("h1"),
        ({ names }) => names.length > 0,
        "the port to be taken",
      );
      expect(visit).toMatchObject({ code: 1, names: ["ports"] });
      expect(visit.wrong[0]?.text).toContain("7701");
    } finally {
      await stranger.kill();
    }
  });

  it("finds an interface that is down", async () => {
    await lan.unplug("h1");
    await lan.exec("h1", "ip", "addr", "flush", "dev", "eth0");
    const { code, names } = await doctor("h1");
    expect([code, names]).toEqual([1, ["interface"]]);
  });
});

describe("on a host with a node", () => {
  beforeEach(async () => {
    nodes.push(await lan.startNode("h1", { args: ["--priority", "300"] }));
    await lan.inRole("h1", "controller");
    nodes.push(await lan.startNode("h2"));
    await lan.inSync("h1", "h2");
  });

  it("finds nothing wrong where nothing is", async () => {
    for (const host of ["h1", "h2"] as const) {
      const visit = await until(
        () => doctor(host),
        ({ names }) => names.length === 0,
        `nothing to be wrong on ${host}`,
      );
      expect(visit.code).toBe(0);
    }
  });

  it("says of a group that is pruned what the node found, as one finding", async () => {
    const own = await lan.addr("h2");
    // A switch is no rule of this host: it looks like one to it, so the rule says nothing of groups.
    const { group } = (await lan.status("h2")).network;
    const last = group.split(".").map(Number);
    const word = `0x${last.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
    await drop("h2", `ip saddr != ${own} @nh,128,32 ${word} drop`);
    const visit = await until(
      () => doctor("h2"),
      ({ names }) => names.includes("multicast") || names.includes("firewall"),
      "the doctor to find it",
    );
    expect(visit.code).toBe(1);
    expect(visit.names).toHaveLength(1);
    expect(visit.wrong[0]?.text).toMatch(/unicast|drops the mesh's multicast/);
  });
});
