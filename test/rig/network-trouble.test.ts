/** A network that fails: the node says what is wrong and why that may be, goes on, and recovers by itself. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { record, until } from "../harness/until.js";
import { type Host, type Lan, lanUp, type RigNode } from "./rig.js";

const HOSTS: readonly Host[] = ["h1", "h2", "h3"];
const FIREWALL_IN = "table inet wall { chain in { type filter hook input priority -5; ip daddr 224.0.0.0/4 drop; }; }";
const FIREWALL_OUT =
  "table inet wall { chain out { type filter hook output priority -5; ip daddr 224.0.0.0/4 drop; }; }";

let lan: Lan;
let nodes: Map<Host, RigNode>;

beforeEach(async () => {
  lan = await lanUp(HOSTS.length);
  nodes = new Map();
});

afterEach(async () => {
  for (const node of nodes.values()) await node.stop();
  await lan.down();
});

async function start(host: Host): Promise<RigNode> {
  const node = await lan.startNode(host, { args: ["--priority", host === "h1" ? "200" : "100"] });
  nodes.set(host, node);
  return node;
}

/** h1 controls. */
async function startAll(): Promise<void> {
  await start("h1");
  await lan.inRole("h1", "controller");
  await start("h2");
  await start("h3");
  await lan.inSync(...HOSTS);
}

async function firewall(host: Host, rules: string): Promise<void> {
  const { code, stderr } = await lan.exec(host, "nft", rules);
  expect([code, stderr]).toEqual([0, ""]);
}

async function openFirewall(host: Host): Promise<void> {
  await firewall(host, "delete table inet wall");
}

/** Waits until health names the trouble, and answers what it says. */
async function trouble(host: Host, code: string): Promise<string> {
  const { health } = await until(
    () => lan.status(host),
    (status) => status.health.some((finding) => finding.code === code),
    `${host} to say ${code}`,
  );
  return health.find((finding) => finding.code === code)?.text ?? "";
}

async function allWell(): Promise<void> {
  await lan.inSync(...HOSTS);
  for (const host of HOSTS) {
    await until(
      () => lan.status(host),
      ({ health }) => health.length === 0,
      `${host} to be well`,
    );
  }
}

async function setOn(host: Host, value: string): Promise<void> {
  const { code, stderr } = await lan.cli(host, "set", "/viz/trouble/x", value);
  expect([code, stderr]).toEqual([0, ""]);
}

// A follower sends nothing to the group, so what stops that does it no harm.
describe("a firewall", () => {
  it.each([
    ["incoming", "the controller", FIREWALL_IN, "h1", "multicast"],
    ["incoming", "a follower", FIREWALL_IN, "h2", "stream-by-unicast"],
    ["outgoing", "the controller", FIREWALL_OUT, "h1", "multicast"],
  ] as const)(
    "against %s multicast of %s is named, and forgotten when it opens",
    async (way, _, rules, host, finding) => {
      await startAll();
      await firewall(host, rules);
      expect(await trouble(host, finding)).toMatch(/multicast.*firewall/);
      expect((await lan.cli(host, "status")).stdout).toContain("firewall");
      await openFirewall(host);
      const openedMs = Date.now();
      await allWell();
      record(`a firewall against ${way} multicast of ${host} opens`, { "one mesh after ms": Date.now() - openedMs });
      await setOn("h3", "1");
      for (const other of HOSTS) await lan.hasValue(other, "/viz/trouble/x", "1");
    },
  );
});

it("a node that starts behind a firewall says so", async () => {
  await start("h1");
  await firewall("h2", FIREWALL_IN);
  await start("h2");
  expect(await trouble("h2", "stream-by-unicast")).toMatch(/firewall/);
});

it("a node without a route for multicast starts, or says what is missing", async () => {
  await lan.exec("h1", "ip", "route", "del", "224.0.0.0/4", "dev", "eth0");
  await start("h1");
  await start("h2");
  await lan.inSync("h1", "h2");
});

describe("an interface that goes down", () => {
  it.each(["h1", "h2"] as const)("on %s is named, and all are one mesh again when it is up", async (host) => {
    await startAll();
    await setOn("h1", "1");
    await lan.unplug(host);
    expect(await trouble(host, "socket")).not.toBe("");
    await setOn(host === "h1" ? "h2" : "h1", "2");
    await lan.plug(host);
    const pluggedMs = Date.now();
    await allWell();
    record(`the interface of ${host} is back`, { "one mesh after ms": Date.now() - pluggedMs });
    await setOn("h3", "3");
    for (const other of HOSTS) await lan.hasValue(other, "/viz/trouble/x", "3");
  });
});

/** As a card on USB does that is pulled out and put in again. */
it("a card that is replaced by one with the same address is used again", async () => {
  await startAll();
  const address = await lan.addr("h2");
  await lan.switch("link", "del", "p2");
  await setOn("h1", "1");
  await lan.switch("link", "add", "p2", "type", "veth", "peer", "name", "eth0", "netns", `${lan.id}-h2`);
  await lan.switch("link", "set", "p2", "master", `br-${lan.id}`, "up");
  await lan.exec("h2", "ip", "addr", "add", `${address}/16`, "broadcast", "10.77.255.255", "dev", "eth0");
  await lan.plug("h2");
  const pluggedMs = Date.now();
  await allWell();
  record("a replaced card", { "one mesh after ms": Date.now() - pluggedMs });
  await setOn("h2", "2");
  for (const host of HOSTS) await lan.hasValue(host, "/viz/trouble/x", "2");
});
