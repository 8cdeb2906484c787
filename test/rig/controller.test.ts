/** Who orders the writes: they come from any host, through loss, and go on when the controller is gone. */
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { record, until } from "../harness/until.js";
import { type Host, type Lan, lanUp, type RigNode } from "./rig.js";

const HOSTS: readonly Host[] = ["h1", "h2", "h3", "h4"];
const PRIORITIES: Readonly<Record<string, string>> = { h1: "300", h2: "200", h3: "100", h4: "0" };

let lan: Lan;
const nodes = new Map<Host, RigNode>();

beforeAll(async () => {
  lan = await lanUp(HOSTS.length);
});

afterEach(async () => {
  await lan.heal();
  for (const node of nodes.values()) await node.stop();
  nodes.clear();
});

async function start(host: Host): Promise<void> {
  nodes.set(host, await lan.startNode(host, { args: ["--priority", PRIORITIES[host] as string] }));
}

/** h1 controls, the others follow. */
async function startAll(): Promise<void> {
  await start("h1");
  await lan.inRole("h1", "controller");
  await Promise.all(HOSTS.slice(1).map(start));
  await lan.inSync(...HOSTS);
}

async function set(host: Host, path: string, value: string): Promise<number> {
  const beganMs = Date.now();
  const { code, stderr } = await lan.cli(host, "set", path, value);
  expect([code, stderr]).toEqual([0, ""]);
  return Date.now() - beganMs;
}

describe("a write on a follower", () => {
  it("is on every host when `hana set` ends, at no, some and much loss", async () => {
    await startAll();
    for (const percent of [0, 10, 30]) {
      for (const host of HOSTS) await lan.loss(host, percent);
      for (const host of ["h3", "h4"] as const) {
        const path = `/viz/written/on-${host}-${percent}`;
        const tookMs = await set(host, path, "0.5");
        record(`hana set on ${host}`, { "loss %": percent, "confirmed after ms": tookMs });
        expect(await lan.get("h1", path)).toBe("0.5");
        for (const other of HOSTS) await lan.hasValue(other, path, "0.5");
      }
    }
  });

  it("comes back with a reason when nobody can confirm it", async () => {
    await startAll();
    for (const host of HOSTS.slice(1)) await lan.loss(host, 100);
    await lan.loss("h1", 100);
    const path = "/viz/written/nowhere";
    const { code, stdout, stderr } = await lan.cli("h4", "set", path, "1", "--timeout", "0.4");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(path);
  });
});

describe("a controller that goes", () => {
  it("is followed by the next in priority when it is killed, and writes go on", async () => {
    await startAll();
    await set("h3", "/viz/before/x", "1");
    await lan.inSync(...HOSTS);
    await nodes.get("h1")?.kill();
    const killedMs = Date.now();
    const [waitedMs] = await Promise.all([set("h3", "/viz/after/x", "2"), set("h2", "/viz/after/own", "3")]);
    record("takeover after kill -9", { "hana set on a follower confirmed after ms": waitedMs });
    await lan.inSync("h2", "h3", "h4");
    record("takeover after kill -9", { "all in sync after ms": Date.now() - killedMs });
    expect((await lan.status("h2")).role).toBe("controller");
    for (const host of ["h2", "h3", "h4"] as const) {
      expect([await lan.get(host, "/viz/before/x"), await lan.get(host, "/viz/after/x")]).toEqual(["1", "2"]);
      expect(await lan.get(host, "/viz/after/own")).toBe("3");
    }
  });

  it("joins as a follower when it comes back, and gets what it missed", async () => {
    await startAll();
    await nodes.get("h1")?.kill();
    await set("h3", "/viz/missed/x", "3");
    await start("h1");
    await lan.inSync(...HOSTS);
    expect(await lan.get("h1", "/viz/missed/x")).toBe("3");
    expect((await lan.status("h1")).role).toBe("follower");
    await set("h1", "/viz/missed/x", "4");
    await lan.hasValue("h4", "/viz/missed/x", "4");
  });

  it("hands over at once when it is stopped", async () => {
    await startAll();
    // The nodes remember the terms of earlier tests.
    const { number } = (await lan.status("h1")).term;
    await nodes.get("h1")?.stop();
    const stoppedMs = Date.now();
    await until(
      () => lan.status("h3"),
      ({ term, peers }) => term.number > number && peers.heard === 2,
      "the next term",
    );
    record("takeover after SIGTERM", { "followed after ms": Date.now() - stoppedMs });
    expect((await lan.status("h2")).role).toBe("controller");
    await lan.inSync("h2", "h3", "h4");
  });

  it("leaves a node of priority 0 waiting, which goes on when somebody comes", async () => {
    await startAll();
    for (const host of ["h2", "h3", "h1"] as const) await nodes.get(host)?.stop();
    const { code } = await lan.cli("h4", "set", "/viz/waits/x", "5", "--timeout", "1");
    expect(code).toBe(1);
    expect((await lan.status("h4")).role).not.toBe("controller");
    await start("h2");
    await lan.inSync("h2", "h4");
    await lan.hasValue("h2", "/viz/waits/x", "5");
  }, 60_000);

  it("is followed again by all after it was held up for two seconds", async () => {
    await startAll();
    const pid = nodes.get("h1")?.process.pid as number;
    process.kill(pid, "SIGSTOP");
    const waitedMs = await set("h3", "/viz/held/x", "6");
    process.kill(pid, "SIGCONT");
    record("a controller that hangs", { "hana set on a follower confirmed after ms": waitedMs });
    await lan.inSync(...HOSTS);
    expect(await lan.get("h1", "/viz/held/x")).toBe("6");
    const controllers = (await Promise.all(HOSTS.map((host) => lan.status(host)))).map(({ role }) => role);
    expect(controllers.filter((role) => role === "controller")).toHaveLength(1);
  });
});
