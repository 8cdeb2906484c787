/** A node that is stopped amid writes, on a network that loses frames: what it had taken is with the others. */
import { beforeAll, it } from "vitest";
import { inSync, type LibraryPeer } from "../harness/library-peer.js";
import { record, until } from "../harness/until.js";
import { type Host, type Lan, lanUp } from "./rig.js";

const HOSTS: readonly Host[] = ["h1", "h2", "h3"];
const LOSS_PERCENT = 30;
const ROUNDS = { controller: 2, follower: 3 };
const PATH = "/viz/parting/fader";

let lan: Lan;
const peers = new Map<Host, LibraryPeer>();

const all = (): LibraryPeer[] => [...peers.values()];

async function hostOf(role: "controller" | "follower"): Promise<Host> {
  for (const [host, peer] of peers) if ((await peer.status()).role === role) return host;
  throw new Error(`nobody is ${role}`);
}

/** Stops the node of a host right after a burst; the others come to have all of that. Answers how long it took to stop. */
async function stopAmidWrites(host: Host, last: number): Promise<number> {
  const peer = peers.get(host) as LibraryPeer;
  for (const one of HOSTS) await lan.loss(one, LOSS_PERCENT);
  const begunMs = Date.now();
  await Promise.all([peer.sweep(PATH, last - 9, last), peer.close()]);
  const tookMs = Date.now() - begunMs;
  peers.delete(host);
  await until(
    () => Promise.all(all().map((other) => other.status())),
    (statuses) => statuses.some(({ role }) => role === "controller"),
    "a controller",
  );
  await lan.heal();
  await until(
    () => Promise.all(all().map((other) => other.get(PATH))),
    (values) => values.every((value) => value === last),
    `${last} on those that stay`,
  );
  peer.process.child.stdin?.end();
  peers.set(host, await lan.startPeer(host));
  await inSync(all());
  return tookMs;
}

beforeAll(async () => {
  lan = await lanUp(HOSTS.length);
  for (const host of HOSTS) {
    const peer = await lan.startPeer(host);
    peers.set(host, peer);
    if (peers.size > 1) continue;
    await until(
      () => peer.status(),
      ({ role }) => role === "controller",
      "a controller",
    );
  }
  await inSync(all());
  await (peers.get("h1") as LibraryPeer).declare(PATH, { type: "int" });
  await inSync(all());
});

it.each(["controller", "follower"] as const)("a %s takes nothing with it", async (role) => {
  for (let round = 1; round <= ROUNDS[role]; round++) {
    const last = (role === "controller" ? 1_000 : 2_000) + round * 10;
    const tookMs = await stopAmidWrites(await hostOf(role), last);
    record(`a ${role} stops`, { round, "loss %": LOSS_PERCENT, "took ms": tookMs });
  }
});
