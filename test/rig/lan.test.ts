/** The rig itself: a rig whose faults do nothing would make every fault test pass. */
import { beforeAll, describe, expect, it } from "vitest";
import { type Host, type Lan, lanUp } from "./rig.js";

const GROUP = "239.77.1.1";
const PORT = 7999;
const COUNT = 200;

/** Receives datagrams on every interface named, prints "listening", then how many came once told to end. */
const receiver = `
  const socket = require("node:dgram").createSocket({ type: "udp4", reuseAddr: true });
  let count = 0;
  socket.on("message", () => count++);
  socket.bind(${PORT}, () => {
    for (const address of process.argv.slice(1)) socket.addMembership("${GROUP}", address);
    console.log(JSON.stringify({ event: "ready" }));
  });
  process.on("SIGTERM", () => { console.log(JSON.stringify({ event: "count", count })); process.exit(); });
`;

/** Sends from one interface to the group or to one address, a datagram each millisecond. */
const sender = `
  const [from, to] = process.argv.slice(1);
  const socket = require("node:dgram").createSocket("udp4");
  socket.bind(0, from, () => {
    socket.setMulticastInterface(from);
    let left = ${COUNT};
    const timer = setInterval(() => {
      socket.send("x", ${PORT}, to);
      if (--left === 0) { clearInterval(timer); setTimeout(() => socket.close(), 50); }
    }, 1);
  });
`;

let lan: Lan;
beforeAll(async () => {
  lan = await lanUp(3);
});

/** How many of COUNT datagrams from h1 each of the hosts received. */
async function deliver(hosts: readonly Host[], to = GROUP): Promise<number[]> {
  const receivers = await Promise.all(hosts.map(async (host) => listen(host, await lan.addr(host))));
  await send("h1", await lan.addr("h1"), to);
  return Promise.all(receivers.map(async (receiver) => receiver.finish()));
}

async function listen(host: Host, ...addresses: string[]) {
  const running = lan.spawn(host, process.execPath, "-e", receiver, ...addresses);
  await running.waitFor("ready");
  const finish = async (): Promise<number> => {
    await running.stop();
    return Number(running.lines.at(-1)?.count);
  };
  return { finish };
}

async function send(host: Host, from: string, to: string): Promise<void> {
  const { code, stderr } = await lan.exec(host, process.execPath, "-e", sender, from, to);
  expect(stderr).toBe("");
  expect(code).toBe(0);
}

describe("the rig", () => {
  it("carries multicast to every host and unicast to one", async () => {
    expect(await deliver(["h2", "h3"])).toEqual([COUNT, COUNT]);
    expect(await deliver(["h2", "h3"], await lan.addr("h3"))).toEqual([0, COUNT]);
  });

  it("loses about the asked share at the asked host only", async () => {
    await lan.loss("h2", 30);
    const [lossy = 0, clean] = await deliver(["h2", "h3"]);
    await lan.heal();
    expect(clean).toBe(COUNT);
    expect(lossy / COUNT).toBeGreaterThan(0.5);
    expect(lossy / COUNT).toBeLessThan(0.9);
  });

  it("spares a host's own loopback from its loss", async () => {
    await lan.loss("h1", 100);
    const local = await listen("h1", "127.0.0.1");
    await send("h1", "127.0.0.1", "127.0.0.1");
    await lan.heal();
    expect(await local.finish()).toBe(COUNT);
  });

  it("cuts one way, partitions both ways, and heals", async () => {
    await lan.cut("h1", "h2");
    expect(await deliver(["h2", "h3"])).toEqual([0, COUNT]);
    await lan.heal();
    await lan.cut("h2", "h1");
    expect(await deliver(["h2", "h3"])).toEqual([COUNT, COUNT]);
    await lan.heal();
    await lan.partition(["h1", "h2"], ["h3"]);
    expect(await deliver(["h2", "h3"])).toEqual([COUNT, 0]);
    await lan.heal();
    expect(await deliver(["h2", "h3"])).toEqual([COUNT, COUNT]);
  });

  it("unplugs a host and plugs it in again", async () => {
    await lan.unplug("h2");
    expect(await deliver(["h2", "h3"])).toEqual([0, COUNT]);
    await lan.plug("h2");
    expect(await deliver(["h2", "h3"])).toEqual([COUNT, COUNT]);
  });

  it("keeps a second interface apart from the first", async () => {
    const [second1, second2] = [await lan.second("h1"), await lan.second("h2")];
    const [first, second] = [await listen("h2", await lan.addr("h2")), await listen("h3", await lan.addr("h3"))];
    await send("h1", second1, GROUP);
    expect([await first.finish(), await second.finish()]).toEqual([0, 0]);
    const joined = await listen("h2", second2);
    await send("h1", second1, GROUP);
    expect(await joined.finish()).toBe(COUNT);
  });
});
