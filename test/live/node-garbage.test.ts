/**
 * Random bytes at every port of a running node: each is counted, nothing changes, and the node goes on.
 *
 * The nodes are in the same mesh throughout, so the real frames between them are there to be replayed and altered.
 */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import type { StatusReport } from "../../src/manage/reports.js";
import { inSync } from "../harness/library-peer.js";
import { record, until } from "../harness/until.js";
import { type LiveNode, startNode } from "./harness.js";

const DATAGRAMS = 100_000;
const CONNECTIONS = 1_000;
/** A socket's buffer holds them all, so that what is sent is what must be counted. */
const BURST = 500;
/** What a flood keeps alive is bounded far below this; the rest is what the collector has not come to yet. */
const GROWTH_LIMIT_BYTES = 96 * 1024 * 1024;
const SEED = 20_261_122;

let controller: LiveNode;
let follower: LiveNode;
let before: readonly StatusReport[];
let network: StatusReport["network"];
const random = new Random(SEED);

async function statusOf(node: LiveNode): Promise<StatusReport> {
  return (await (await fetch(`${node.url}/-/status`)).json()) as StatusReport;
}

function bothInSync(): Promise<StatusReport[]> {
  return inSync([controller, follower].map((node) => ({ status: () => statusOf(node) })));
}

beforeAll(async () => {
  const meshPort = ["--mesh-port", "7911"];
  controller = await startNode({ name: "controls", args: meshPort });
  await until(
    () => statusOf(controller),
    ({ role }) => role === "controller",
    "a controller",
  );
  follower = await startNode({ name: "follows", args: meshPort });
  await controller.hana("set", "/viz/garbage/x", "0");
  before = await bothInSync();
  network = (await statusOf(controller)).network;
});

/** After each flood: the same contents and roles as before, little more memory, and still at work. */
afterEach(async () => {
  const after = (await bothInSync()) as [StatusReport, StatusReport];
  for (const [index, { role, term, state, memory }] of after.entries()) {
    const was = before[index] as StatusReport;
    // How the peers fare is state too, and moves with the flood.
    expect({ ...state.components, system: undefined }).toEqual({ ...was.state.components, system: undefined });
    expect([role, term]).toEqual([was.role, was.term]);
    const grown = memory.residentBytes - was.memory.residentBytes;
    record(`${role} after a flood`, { "resident grew by MiB": (grown / 1_048_576).toFixed(1) });
    expect(grown).toBeLessThan(GROWTH_LIMIT_BYTES);
  }
  const value = String(Math.round(random.next() * 1_000_000));
  expect((await follower.hana("set", "/viz/garbage/x", value)).code).toBe(0);
  expect((await controller.hana("get", "/viz/garbage/x")).stdout).toBe(`${value}\n`);
  before = await bothInSync();
});

function noise(maxBytes: number): Buffer {
  const bytes = Buffer.alloc(Math.floor(random.next() * (maxBytes + 1)));
  for (let at = 0; at < bytes.length; at++) bytes[at] = random.next() * 256;
  return bytes;
}

/** Sends in bursts until the node has counted them all. */
async function flood(
  make: (index: number) => Buffer,
  port: number,
  address: string,
  counted: () => Promise<number>,
): Promise<void> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  socket.setMulticastInterface("127.0.0.1");
  const first = await counted();
  const beganMs = Date.now();
  for (let sent = 0; sent < DATAGRAMS; ) {
    const end = Math.min(DATAGRAMS, sent + BURST);
    const sends: Promise<void>[] = [];
    for (; sent < end; sent++) sends.push(send(socket, make(sent), port, address));
    await Promise.all(sends);
    await until(counted, (count) => count - first >= sent, `${sent} to be counted`);
  }
  socket.close();
  record(`${DATAGRAMS} datagrams at ${address}:${port}`, { "counted a second": perSecond(DATAGRAMS, beganMs) });
}

function perSecond(count: number, beganMs: number): number {
  return Math.round((1_000 * count) / (Date.now() - beganMs));
}

function send(socket: UdpSocket, bytes: Buffer, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(bytes, port, address, (error) => (error === null ? resolve() : reject(error)));
  });
}

function sumOf(counters: StatusReport["counters"], prefix: string): number {
  return Object.entries(counters)
    .filter(([name]) => name.startsWith(prefix))
    .reduce((sum, [, count]) => sum + count, 0);
}

/** How many datagrams of the mesh the follower has judged, however it did. It is the controller's frames that go about. */
async function sealed(): Promise<number> {
  return sumOf((await statusOf(follower)).counters, "seal.");
}

/** Real frames of the mesh, as anybody on the network can pick them up. */
async function capture(count: number): Promise<Buffer[]> {
  const { group, meshPort } = network;
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.bind(meshPort, group);
  await once(socket, "listening");
  socket.addMembership(group, "127.0.0.1");
  const frames: Buffer[] = [];
  socket.on("message", (bytes) => frames.push(bytes));
  await until(
    () => follower.hana("set", "/viz/garbage/x", String(frames.length)),
    () => frames.length >= count,
    "frames to pick up",
  );
  socket.close();
  before = await bothInSync();
  return frames;
}

/** A frame as it was, with a bit turned, with a piece cut off, or with noise behind its header. */
function altered(frames: readonly Buffer[], index: number): Buffer {
  const frame = Buffer.from(frames[index % frames.length] as Buffer);
  if (index % 4 === 0) return frame;
  if (index % 4 === 1) return frame.subarray(0, random.next() * frame.length);
  if (index % 4 === 2) return Buffer.concat([frame.subarray(0, 30), noise(1_170)]);
  const at = Math.floor(random.next() * frame.length);
  frame[at] = (frame[at] as number) ^ (1 << Math.floor(random.next() * 8));
  return frame;
}

describe("UDP", () => {
  it("the OSC port takes noise", async () => {
    const { port } = network;
    const counted = async (): Promise<number> => (await statusOf(controller)).counters["osc.packetsIn"] ?? 0;
    await flood(() => noise(1_500), port, "127.0.0.1", counted);
    const { counters } = await statusOf(controller);
    expect(counters["osc.packetsMalformed"]).toBeGreaterThan(0.99 * DATAGRAMS);
    expect(sumOf(counters, "osc.reject.")).toBe(counters["osc.packetsMalformed"]);
    expect(counters["osc.reject.notAPacket"]).toBeGreaterThan(0);
  });

  it("what is refused is told by its reason", async () => {
    const socket = createSocket("udp4");
    await send(socket, Buffer.from("/viz/garbage/x\0\0,s\0\0text\0\0\0\0", "latin1"), network.port, "127.0.0.1");
    await until(
      () => statusOf(controller),
      ({ counters }) => counters["osc.refused.wrongType"] === 1,
      "a reason",
    );
    const { counters } = await statusOf(controller);
    expect(sumOf(counters, "osc.refused.")).toBe(counters["osc.writesRefused"]);
    socket.close();
  });

  it("the OSC port takes messages that begin well", async () => {
    const { port } = network;
    const counted = async (): Promise<number> => (await statusOf(controller)).counters["osc.packetsIn"] ?? 0;
    const make = (index: number): Buffer => {
      const [head, tail] = index % 2 === 0 ? ["/system/xyz\0,", 60] : ["#bundle\0\0\0\0\0\0\0\0\x01\0\0\0", 300];
      return Buffer.concat([Buffer.from(head, "latin1"), noise(tail)]);
    };
    await flood(make, port, "127.0.0.1", counted);
  });

  it.each(["group", "meetingGroup"] as const)(
    "the mesh's %s takes noise, and frames that were altered or come again",
    async (which) => {
      const frames = await capture(20);
      const make = (index: number): Buffer => (index % 2 === 0 ? noise(1_400) : altered(frames, index >> 1));
      await flood(make, network.meshPort, network[which], sealed);
      const { counters } = await statusOf(follower);
      for (const name of ["tooShort", "badVersion", "otherMesh", "forged", "replayed"]) {
        expect([name, (counters[`seal.${name}`] ?? 0) > 100]).toEqual([name, true]);
      }
    },
  );

  it("the mesh's unicast port takes the same", async () => {
    const frames = await capture(20);
    const make = (index: number): Buffer => (index % 2 === 0 ? noise(1_400) : altered(frames, index >> 1));
    await flood(make, (await statusOf(follower)).network.unicastPort, "127.0.0.1", sealed);
  });
});

/** Opens a connection, says all of it, and waits until the node closes; answers how many bytes it sent back. */
async function speak(port: number, bytes: Buffer): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  let answered = 0;
  socket.on("data", (chunk) => (answered += chunk.length));
  socket.on("error", () => {});
  socket.on("connect", () => socket.end(bytes));
  await once(socket, "close");
  return answered;
}

async function speakOften(port: number, make: (index: number) => Buffer): Promise<void> {
  const beganMs = Date.now();
  for (let from = 0; from < CONNECTIONS; from += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => speak(port, make(from + index))));
  }
  record(`${CONNECTIONS} connections at TCP ${port}`, { "closed a second": perSecond(CONNECTIONS, beganMs) });
}

describe("TCP", () => {
  it("the port of OSC and HTTP takes noise of every beginning", async () => {
    const starts = ["\0\0\0\x20", "\xc0", "/", "#bundle", "GET /-/", "POST ", "\x16\x03", "\0\xff\xff\xff", ""];
    await speakOften(network.port, (index) =>
      Buffer.concat([Buffer.from(starts[index % starts.length] as string, "latin1"), noise(4_000)]),
    );
    const { counters } = await statusOf(controller);
    expect(counters["tcp.unknownProtocols"]).toBeGreaterThan(100);
  });

  it("the snapshot port takes noise and says nothing of the show", async () => {
    await speakOften(network.snapshotPort, () => noise(4_000));
    const answered = await Promise.all(Array.from({ length: 20 }, () => speak(network.snapshotPort, noise(500))));
    expect(Math.max(...answered)).toBeLessThan(100);
  });

  it("connections that stay silent keep nobody out", async () => {
    const idle: Socket[] = [];
    for (const port of [network.snapshotPort, network.port]) {
      for (let count = 0; count < 300; count++) {
        const socket = connect(port, "127.0.0.1");
        socket.on("error", () => {});
        idle.push(socket);
      }
    }
    const late = await startNode({ name: "late", args: ["--mesh-port", "7911"] });
    const beganMs = Date.now();
    await inSync([controller, follower, late].map((node) => ({ status: () => statusOf(node) })));
    record("a joiner beside 600 silent connections", { "in sync after ms": Date.now() - beganMs });
    for (const socket of idle) socket.destroy();
    await late.stop();
  });
});
