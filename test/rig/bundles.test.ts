/** A bundle that takes more than one frame, on a network that loses frames: still one change on every host. */
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import { inSync, type LibraryPeer } from "../harness/library-peer.js";
import { nestedBundle } from "../harness/osc-bundles.js";
import { record, until } from "../harness/until.js";
import { type Host, type Lan, lanUp } from "./rig.js";

const HOSTS: readonly Host[] = ["h1", "h2", "h3"];
const PATHS = Array.from({ length: 300 }, (_, index) => `/viz/bundle/${index}`);
const ROUNDS = 20;

/** Sends what it is given as base64 to the node of its host, one datagram each 20 ms. */
const SENDER = `
  const socket = require("node:dgram").createSocket("udp4");
  const datagrams = process.argv.slice(1).map((text) => Buffer.from(text, "base64"));
  const timer = setInterval(() => {
    const next = datagrams.shift();
    if (next) socket.send(next, 7700, "127.0.0.1");
    else { clearInterval(timer); socket.close(); }
  }, 20);
`;

let lan: Lan;
let peers: LibraryPeer[];
let round = 0;

async function send(host: Host, values: readonly number[]): Promise<void> {
  const words = values.map((value) => nestedBundle(PATHS, value).toString("base64"));
  const { code, stderr } = await lan.exec(host, process.execPath, "-e", SENDER, ...words);
  expect([code, stderr]).toEqual([0, ""]);
}

function last(path: string): Promise<unknown[]> {
  return Promise.all(peers.map((peer) => peer.get(path)));
}

/** What one host moves is held against the others until 400 ms later: they would be refused, and go back. */
function lastHandRests(): Promise<void> {
  return pause(600);
}

beforeAll(async () => {
  lan = await lanUp(HOSTS.length);
  const first = await lan.startPeer("h1");
  await until(
    () => first.status(),
    ({ role }) => role === "controller",
    "a controller",
  );
  peers = [first, await lan.startPeer("h2"), await lan.startPeer("h3")];
  await inSync(peers);
  await send("h1", [0]);
  await inSync(peers);
});

it.each([
  ["the controller", "h1", 10],
  ["a follower", "h2", 10],
  ["the controller", "h1", 30],
  ["a follower", "h2", 30],
] as const)("into %s (%s), at %s percent loss on all hosts", async (_, host, percent) => {
  await lastHandRests();
  const reads = await Promise.all(peers.map((peer) => peer.observe("/viz/bundle/*0", PATHS)));
  for (const one of HOSTS) await lan.loss(one, percent);
  const values = Array.from({ length: ROUNDS }, () => ++round);
  await send(host, values);
  const endedMs = Date.now();
  await until(
    () => last("/viz/bundle/299"),
    (found) => found.every((value) => value === round),
    `${round} on every host`,
  );
  record(`${ROUNDS} bundles of 300 values`, {
    "loss %": percent,
    "the last everywhere after ms": Date.now() - endedMs,
  });
  await lan.heal();
  for (const [index, read] of reads.entries()) {
    const { torn, example, values: seen } = await read();
    expect([HOSTS[index], torn, example.slice(0, 3)]).toEqual([HOSTS[index], 0, []]);
    expect(seen).toEqual([...seen].sort((left, right) => Number(left) - Number(right)));
  }
  await inSync(peers);
});
