/**
 * Policy `hold` on a network that is divided: the side without the majority of the electors keeps its look and waits.
 *
 * Two and three nodes, real processes; the controller is on the smaller side. Nobody confirms a write there, the others
 * go on, and what waited is confirmed or refused with a reason when the network is whole again.
 */
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { inSync, type LibraryPeer } from "../harness/library-peer.js";
import { record, until } from "../harness/until.js";
import { type Host, lanUp } from "./rig.js";

const FEW: readonly Host[] = ["h1", "h2"];
const MANY: readonly Host[] = ["h3", "h4", "h5"];
/** The lease and a new election; ten times that is asserted. */
const TAKEN_OVER_MS = 1_000;
const WHOLE_MS = 2_000;
const [WAITING, BOTH, MEANWHILE] = ["/viz/hold/waiting", "/viz/hold/both", "/viz/hold/meanwhile"] as const;

it("freezes the minority, goes on with the majority, and settles what waited", { timeout: 120_000 }, async () => {
  const lan = await lanUp(FEW.length + MANY.length);
  const settings = { "control.policy": "hold", "control.electors": [...FEW, ...MANY] };
  const peers = new Map<Host, LibraryPeer>();
  for (const host of [...FEW, ...MANY]) {
    // The first to be heard of by a majority is controller: both of the small side go before the rest.
    const priority = FEW.includes(host) ? 200 : 100;
    peers.set(host, await lan.startPeer(host, { priority, settings }));
  }
  const peer = (host: Host): LibraryPeer => peers.get(host) as LibraryPeer;
  const statuses = (hosts: readonly Host[]): Promise<Awaited<ReturnType<LibraryPeer["status"]>>[]> =>
    Promise.all(hosts.map((host) => peer(host).status()));
  const controllersOf = async (hosts: readonly Host[]): Promise<number> =>
    (await statuses(hosts)).filter(({ role }) => role === "controller").length;
  await inSync([...peers.values()]);
  if ((await controllersOf(FEW)) === 0) {
    expect(await lan.cli("h1", "control", "take", "--node", `http://127.0.0.1:${peer("h1").port}`)).toMatchObject({
      code: 0,
    });
  }
  for (const path of [WAITING, BOTH, MEANWHILE]) {
    await peer("h4").declare(path, { type: "int" });
    await peer("h4").write(path, 1);
  }
  await inSync([...peers.values()]);
  expect(await controllersOf(FEW)).toBe(1);

  await lan.partition(FEW, MANY);
  const cutMs = performance.now();
  await until(
    () => controllersOf(MANY),
    (count) => count === 1,
    "a controller of the majority",
    10 * TAKEN_OVER_MS,
  );
  const takenOverMs = performance.now() - cutMs;
  await until(
    () => statuses(FEW),
    (all) => all.every(({ health }) => health.some(({ code, level }) => code === "no-controller" && level === "alarm")),
    "the minority's alarm",
    10_000,
  );
  expect(await controllersOf(FEW)).toBe(0);
  await peer("h2").set(BOTH, 7);
  await peer("h2").set(WAITING, 7);
  await pause(500);
  for (const path of [BOTH, MEANWHILE]) await peer("h4").write(path, 8);
  const refused = await lan.cli(
    "h1",
    ...["set", WAITING, "9", "--timeout", "1", "--node", `http://127.0.0.1:${peer("h1").port}`],
  );
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("no majority of the electors is heard")]);
  const frozen = await statuses(FEW);
  expect(frozen.map(({ state }) => state.pendingWrites)).toEqual([1, 2]);
  // What waits shows where it was written, and nowhere else; the rest of the look is kept.
  expect([await peer("h2").get(WAITING), await peer("h1").get(MEANWHILE), await peer("h5").get(WAITING)]).toEqual([
    7, 1, 1,
  ]);

  await lan.heal();
  const healedMs = performance.now();
  await until(
    () => statuses([...FEW, ...MANY]),
    (all) =>
      all.filter(({ role }) => role === "controller").length === 1 &&
      all.every(({ state }) => state.pendingWrites === 0) &&
      new Set(all.map(({ term, state }) => JSON.stringify([term, state.components]))).size === 1,
    "one mesh that holds the same",
    10 * WHOLE_MS,
  );
  const wholeMs = performance.now() - healedMs;
  record("two of five freeze under hold", {
    "taken over ms": Math.round(takenOverMs),
    "whole again ms": Math.round(wholeMs),
  });
  for (const host of [...FEW, ...MANY]) {
    // The later write stands; one that waited and was older is refused.
    expect([host, await peer(host).get(WAITING)]).toEqual([host, 9]);
    expect([host, await peer(host).get(BOTH)]).toEqual([host, 8]);
    expect([host, await peer(host).get(MEANWHILE)]).toEqual([host, 8]);
  }
  await until(
    () => statuses(FEW),
    (all) => all.every(({ health }) => health.every(({ code }) => code !== "no-controller")),
    "the alarm to end",
  );
  for (const one of peers.values()) await one.close();
});
