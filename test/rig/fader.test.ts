/** The main job on five hosts: a fader that moves on one is the same on all, whatever the network loses. */
import { beforeAll, describe, expect, it } from "vitest";
import type { RunningProcess } from "../harness/process.js";
import { record } from "../harness/until.js";
import { type Host, type Lan, lanUp } from "./rig.js";

const HOSTS: readonly Host[] = ["h1", "h2", "h3", "h4", "h5"];
const OTHERS = HOSTS.slice(1);
const LOSSES = [0, 10, 30];
const MESSAGES = 300;
/** Asked are 100 ms; the machine that runs the test may be ten times as slow as any show's. */
const BOUND_MS = 1_000;

/** Moves a fader by one oscsend after the other, as fast as they go; prints when it began and when it ended. */
const STREAM = `
  date +%s%3N
  for value in $(seq "$2" "$3"); do oscsend 127.0.0.1 7700 "$1" f "$value"; done
  date +%s%3N
`;

interface Stream {
  readonly beganMs: number;
  readonly endedMs: number;
}

let lan: Lan;
let firstValue = 0;

async function stream(path: string, from: number, to: number): Promise<Stream> {
  const words = [path, from, to].map(String);
  const { code, stdout, stderr } = await lan.exec("h1", "sh", "-c", STREAM, "sh", ...words);
  expect([code, stderr]).toEqual([0, ""]);
  const [beganMs = 0, endedMs = 0] = stdout.split("\n").map(Number);
  return { beganMs, endedMs };
}

/** Begins to follow a path on a host, and answers a way to wait for a value: when it was there, in wall-clock ms. */
async function follow(host: Host, path: string): Promise<(value: number) => Promise<number>> {
  const watch = lan.watch(host, path);
  await watch.waitFor((line) => line.path === path);
  return async (value) => {
    await watch.waitFor((line) => line.value === value, 20_000);
    const heardMs = Date.now();
    await watch.stop("SIGINT");
    return heardMs;
  };
}

/** Streams into h1 and answers how long after the last message the slowest of the others had its value. */
async function measureFader(path: string): Promise<number> {
  firstValue += MESSAGES;
  const last = firstValue + MESSAGES - 1;
  const followers = await Promise.all(OTHERS.map((host) => follow(host, path)));
  const heard = followers.map((wait) => wait(last));
  const { beganMs, endedMs } = await stream(path, firstValue, last);
  const lateMs = Math.max(...(await Promise.all(heard))) - endedMs;
  for (const host of HOSTS) expect([host, await lan.get(host, path)]).toEqual([host, String(last)]);
  const perSecond = Math.round((1_000 * MESSAGES) / (endedMs - beganMs));
  record(`fader at ${path}`, { "messages/s": perSecond, "last value everywhere after ms": lateMs });
  return lateMs;
}

describe.each([
  ["the controller", "h1"],
  ["a follower", "h2"],
] as const)("a fader into %s", (_, first) => {
  const processes = new Map<Host, RunningProcess>();

  beforeAll(async () => {
    lan = await lanUp(HOSTS.length);
    const start = async (host: Host): Promise<void> => {
      processes.set(host, (await lan.startNode(host)).process);
    };
    await start(first);
    await lan.inRole(first, "controller");
    await Promise.all(HOSTS.filter((host) => host !== first).map(start));
    await lan.inSync(...HOSTS);
    return async () => {
      for (const running of processes.values()) await running.stop();
      await lan.down();
    };
  });

  it.each(LOSSES)("is the same on all other hosts at %s percent loss everywhere", async (percent) => {
    const path = `/viz/rig/loss${percent}`;
    expect((await lan.cli("h1", "set", path, "0")).code).toBe(0);
    await lan.inSync(...HOSTS);
    for (const host of HOSTS) await lan.loss(host, percent);
    expect(await measureFader(path)).toBeLessThan(BOUND_MS);
    await lan.heal();
    await lan.inSync(...HOSTS);
  });

  it("is known to a node that starts later, with everything else", async () => {
    await processes.get("h5")?.stop();
    expect((await lan.cli("h1", "set", "/viz/rig/word", "while you were away")).code).toBe(0);
    await lan.exec("h1", "oscsend", "127.0.0.1", "7700", "/viz/rig/loss0", "f", "0.25");
    processes.set("h5", (await lan.startNode("h5", { name: "late" })).process);
    await lan.inSync(...HOSTS);
    expect(await lan.get("h5", "/viz/rig/word")).toBe("while you were away");
    expect(await lan.get("h5", "/viz/rig/loss0")).toBe("0.25");
  });
});
