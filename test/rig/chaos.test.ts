/**
 * Chaos: real nodes amid everything that a night brings, drawn by one seed: loss, cuts, divided networks, cables that are
 * pulled, kills, stops, processes that are held up. All the while every host is written to.
 *
 * When it is over and all cables are in, one mesh holds the same everywhere, has what each host wrote last, and no
 * alarm is left; warnings are recorded. HANA_CHAOS_SECONDS sets how long (12), HANA_CHAOS_SEED which night. What happens
 * is the seed's; when it meets which datagram is not, so a failure may not come again: it prints what led to it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import type { RunningProcess } from "../harness/process.js";
import { record, until } from "../harness/until.js";
import { type Host, type Lan, lanUp, type RigNode } from "./rig.js";

const SECONDS = Number(process.env["HANA_CHAOS_SECONDS"] ?? 12);
const SEED = Number(process.env["HANA_CHAOS_SEED"] ?? 1);
const HOSTS: readonly Host[] = ["h1", "h2", "h3", "h4", "h5"];
const FADER_MS = 5;
const SET_MS = 400;
/** When all is well again everything has come to rest by then. */
const RESTED_MS = 30_000;

/** Moves a fader of the host, by OSC, until it is told to end; then sends its last value again and again for a second. */
const FADER = `
  const socket = require("node:dgram").createSocket("udp4");
  const path = process.argv[1];
  const padded = Math.floor(path.length / 4) * 4 + 4;
  const message = Buffer.alloc(padded + 8);
  message.write(path);
  message.write(",f", padded);
  let value = 0;
  const send = () => {
    message.writeFloatBE(value, padded + 4);
    socket.send(message, 7700, "127.0.0.1", () => {});
  };
  const timer = setInterval(() => { value = (value + 1) % 1000; send(); }, ${FADER_MS});
  process.on("SIGTERM", () => {
    clearInterval(timer);
    value = 5000;
    setInterval(send, 50);
    setTimeout(() => process.exit(0), 1000);
  });
`;

const random = new Random(SEED);
const below = (count: number): number => Math.floor(random.next() * count);
const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
/** What happened, and when, in milliseconds since 1970 as in the nodes' logs. */
const told: { readonly atMs: number; readonly text: string }[] = [];
const logs: { readonly host: Host; readonly log: RunningProcess }[] = [];

let lan: Lan;
const nodes = new Map<Host, RigNode>();
/** Whose process is being dealt with. */
const busy = new Set<Host>();

function tell(text: string): void {
  told.push({ atMs: Date.now(), text });
}

/** What was done to the mesh and what the nodes said to it, in the order of their times. */
function story(): string {
  const said = logs.flatMap(({ host, log }) =>
    log.lines.map((line) => ({ atMs: Date.parse(String(line["time"])), text: `    ${host} ${String(line["msg"])}` })),
  );
  const all = [...told, ...said].sort((one, other) => one.atMs - other.atMs);
  return all.map(({ atMs, text }) => `${new Date(atMs).toISOString().slice(14, 23)} ${text}`).join("\n");
}

/** A process that is held up does not end either. */
afterAll(() => {
  for (const host of busy) nodes.get(host)?.process.child.kill("SIGCONT");
});

async function start(host: Host): Promise<void> {
  const node = await lan.startNode(host);
  nodes.set(host, node);
  logs.push({ host, log: node.process });
}

/** What may happen to the mesh; each answers when it is over. */
const TROUBLES: Readonly<Record<string, () => Promise<void>>> = {
  async loss() {
    const [host, percent] = [pick(HOSTS), 5 + below(40)];
    tell(`${host} loses ${percent} %`);
    await lan.loss(host, percent);
    await pause(500 + below(3_000));
    await lan.loss(host, 0);
  },
  async cut() {
    const [from, to] = [pick(HOSTS), pick(HOSTS)];
    if (from === to) return;
    tell(`nothing passes from ${from} to ${to}`);
    await lan.cut(from, to);
    await pause(500 + below(3_000));
    tell("healed");
    await lan.heal();
  },
  async divide() {
    const count = 1 + below(HOSTS.length - 1);
    const from = below(HOSTS.length);
    const turned = HOSTS.map((_, index) => HOSTS[(index + from) % HOSTS.length] as Host);
    const [one, other] = [turned.slice(0, count), turned.slice(count)];
    tell(`${one.join(" ")} apart from ${other.join(" ")}`);
    await lan.partition(one, other);
    await pause(1_000 + below(4_000));
    tell("healed");
    await lan.heal();
  },
  async unplug() {
    const host = pick(HOSTS);
    tell(`${host} is unplugged`);
    await lan.unplug(host);
    await pause(500 + below(4_000));
    tell(`${host} is plugged`);
    await lan.plug(host);
  },
  async kill() {
    const host = pick(HOSTS);
    if (busy.has(host)) return;
    busy.add(host);
    tell(`${host} is killed`);
    await nodes.get(host)?.kill();
    await pause(below(3_000));
    await start(host);
    busy.delete(host);
    tell(`${host} is started again`);
  },
  async stop() {
    const host = pick(HOSTS);
    if (busy.has(host)) return;
    busy.add(host);
    tell(`${host} is stopped`);
    expect(await nodes.get(host)?.stop()).toMatchObject({ code: 0 });
    await pause(below(2_000));
    await start(host);
    busy.delete(host);
    tell(`${host} is started again`);
  },
  async hold() {
    const host = pick(HOSTS);
    if (busy.has(host)) return;
    busy.add(host);
    const { child } = (nodes.get(host) as RigNode).process;
    tell(`${host} is held up`);
    child.kill("SIGSTOP");
    await pause(100 + below(3_000));
    child.kill("SIGCONT");
    busy.delete(host);
    tell(`${host} goes on`);
  },
};

/** Writes a rising number now and then, and answers the last one that was confirmed. */
async function keepSetting(host: Host, isOver: () => boolean): Promise<number> {
  let confirmed = 0;
  for (let value = 1; !isOver(); value++) {
    const { code } = await lan.cli(host, "set", `/viz/chaos/${host}/set`, String(value), "--timeout", "3");
    if (code === 0) confirmed = value;
    await pause(SET_MS);
  }
  return confirmed;
}

it("ends a night of everything with one mesh that has it all", { timeout: SECONDS * 1_000 + 180_000 }, async () => {
  lan = await lanUp(HOSTS.length);
  for (const host of HOSTS) await start(host);
  await lan.inSync(...HOSTS);
  for (const host of HOSTS) {
    for (const what of ["fader", "set"]) await lan.cli(host, "set", `/viz/chaos/${host}/${what}`, "0");
  }
  const memoryMb = async (): Promise<number[]> =>
    Promise.all(HOSTS.map(async (host) => Math.round((await lan.status(host)).memory.residentBytes / 1e6)));
  const beforeMb = await memoryMb();
  const faders: RunningProcess[] = HOSTS.map((host) =>
    lan.spawn(host, process.execPath, "-e", FADER, `/viz/chaos/${host}/fader`),
  );
  let isOver = false;
  const setting = HOSTS.map((host) => keepSetting(host, () => isOver));
  const endMs = performance.now() + SECONDS * 1_000;
  try {
    const trouble = async (): Promise<void> => {
      while (performance.now() < endMs) {
        await pause(below(1_500));
        await (TROUBLES[pick(Object.keys(TROUBLES))] as () => Promise<void>)();
      }
    };
    // Two things at a time, as they never come alone.
    await Promise.all([trouble(), trouble()]);
    await lan.heal();
    for (const host of HOSTS) await lan.plug(host);
    tell("all is well again");
    const wellMs = performance.now();
    isOver = true;
    const confirmed = await Promise.all(setting);
    await Promise.all(faders.map((fader) => fader.stop("SIGTERM")));
    const statuses = await until(
      () => Promise.all(HOSTS.map((host) => lan.status(host))),
      (all) => new Set(all.map(({ term, state }) => JSON.stringify([term, state.components]))).size === 1,
      "nodes that hold the same",
      RESTED_MS,
    );
    record("chaos", {
      seed: SEED,
      seconds: SECONDS,
      "same after s": ((performance.now() - wellMs) / 1_000).toFixed(1),
    });
    expect(statuses.filter(({ role }) => role === "controller")).toHaveLength(1);
    for (const host of HOSTS) {
      for (const [index, other] of HOSTS.entries()) {
        expect([other, await lan.get(host, `/viz/chaos/${other}/fader`)]).toEqual([other, "5000"]);
        const last = Number(await lan.get(host, `/viz/chaos/${other}/set`));
        expect(last, `${other}'s last confirmed write on ${host}`).toBeGreaterThanOrEqual(confirmed[index] as number);
      }
      expect(nodes.get(host)?.process.child.exitCode).toBeNull();
    }
    record("chaos", { "resident MB before": beforeMb.join(" "), after: (await memoryMb()).join(" ") });
    const health = await until(
      () => Promise.all(HOSTS.map(async (host) => (await lan.status(host)).health)),
      (all) => all.flat().every(({ code, level }) => level !== "alarm" || code === "conflicts"),
      "no alarm but conflicts",
      RESTED_MS,
    );
    const warned = health.flat().filter(({ code }) => code !== "conflicts");
    record("chaos", { "warnings at the end": warned.map(({ code, text }) => `${code} (${text})`).join("; ") });
  } catch (error) {
    console.info(story());
    for (const host of HOSTS) console.info(host, (await lan.cli(host, "peers", "--json")).stdout);
    throw error;
  }
});
