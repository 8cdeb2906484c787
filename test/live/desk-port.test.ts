/** The desk as a real worker on a real port: HTTP and OSC on one port, hostile clients, crashes. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parseBlock } from "../../src/config/addresses.js";
import { DeskHost } from "../../src/edge/desk-host.js";
import { SnapshotFetch } from "../../src/edge/snapshot-fetch.js";
import type { DeskStart } from "../../src/manage/desk-messages.js";
import type { Snapshot } from "../../src/node/adoption.js";
import { ImageDecoder } from "../../src/state/image.js";
import type { RingSizes } from "../../src/state/ring.js";
import { State } from "../../src/state/state.js";
import { OriginTable, TermTable } from "../../src/state/tables.js";
import { NO_SURFACES, SmallNode } from "../unit/manage/small-node.js";

const SCRIPT = new URL("../../dist/desk.js", import.meta.url);
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Desk {
  readonly node: SmallNode;
  readonly host: DeskHost;
  readonly port: number;
}

async function openDesk(changes: Partial<DeskStart> = {}, sizes?: RingSizes, capacity?: number): Promise<Desk> {
  const node = new SmallNode(sizes, capacity);
  node.add("/viz/a/zoom", "float");
  node.add("/viz/a/count", "int");
  node.add("/viz/a/title", "string");
  const start: DeskStart = {
    ring: node.memory,
    capacity: node.capacity,
    port: 0,
    httpHost: "127.0.0.1",
    oscAllow: [parseBlock("127.0.0.0/8")!],
    node: "a1b2c3d4e5f60718",
    name: "small",
    mesh: "test",
    version: "0.0.0",
    snapshots: { address: "127.0.0.1", meshKey: new Uint8Array(32) },
    ...changes,
  };
  const host = new DeskHost(start, node, NO_SURFACES, SCRIPT);
  const port = await host.open();
  closers.push(() => host.close());
  return { node, host, port };
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: IncomingMessage["headers"];
}

function call(
  port: number,
  method: string,
  path: string,
  body = "",
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, method, path, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          body: JSON.parse(text) as Record<string, unknown>,
          headers: response.headers,
        }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function open(port: number, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host, allowHalfOpen: true });
  closers.push(() => socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Everything that comes until the other side ends. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("end", () => socket.end());
  await once(socket, "close").catch(() => {});
  return Buffer.concat(chunks);
}

async function closed(socket: Socket): Promise<void> {
  socket.resume();
  socket.on("end", () => socket.end());
  if (!socket.destroyed) await once(socket, "close");
}

function counter(desk: Desk, name: string): Promise<number> {
  return call(desk.port, "GET", "/-/status").then(
    ({ body }) => (body["counters"] as Record<string, number>)[name] ?? 0,
  );
}

/** `/a` with one int, as an OSC packet. */
function oscInt(address: string, value: number): Buffer {
  const text = Buffer.alloc(Math.floor(address.length / 4) * 4 + 4);
  text.write(address);
  const rest = Buffer.from([0x2c, 0x69, 0, 0, 0, 0, 0, 0]);
  rest.writeInt32BE(value, 4);
  return Buffer.concat([text, rest]);
}

function sized(packet: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(packet.length);
  return Buffer.concat([size, packet]);
}

describe("HTTP", () => {
  it("reads what was written, at once", async () => {
    const desk = await openDesk();
    for (let value = 1; value <= 20; value++) {
      const set = await call(desk.port, "POST", "/-/set", JSON.stringify({ path: "/viz/a/zoom", value }));
      expect(set).toMatchObject({ status: 200, body: { confirmed: true } });
      expect((await call(desk.port, "GET", "/-/get?path=/viz/a/zoom")).body.value).toBe(value);
    }
  });

  it("takes requests that come in pieces, several on one connection", async () => {
    const desk = await openDesk();
    const socket = await open(desk.port);
    const wanted = `GET /-/get?path=/viz/a/zoom HTTP/1.1\r\nHost: 127.0.0.1:${desk.port}\r\n`;
    const answer = readAll(socket);
    for (const piece of ["G", "ET", wanted.slice(3), "\r\n", `${wanted}Connection: close\r\n\r\n`]) {
      socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await answer).toString().match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  it("answers a client that has closed its sending side", async () => {
    const desk = await openDesk();
    const socket = await open(desk.port);
    const answer = readAll(socket);
    socket.end(`GET /-/list HTTP/1.1\r\nHost: 127.0.0.1:${desk.port}\r\nConnection: close\r\n\r\n`);
    expect((await answer).toString()).toContain("/viz/a/zoom");
  });

  it("refuses a body above the limit without reading it all", async () => {
    const desk = await openDesk();
    const socket = await open(desk.port);
    const answer = readAll(socket);
    socket.write(`POST /-/set HTTP/1.1\r\nHost: 127.0.0.1:${desk.port}\r\nContent-Length: 50000000\r\n\r\n`);
    const part = Buffer.alloc(65_536, 0x20);
    for (let count = 0; count < 40 && socket.writable; count++) socket.write(part);
    expect((await answer).toString()).toContain("413");
  });

  it("refuses foreign hosts and origins on the wire too", async () => {
    const desk = await openDesk();
    expect((await call(desk.port, "GET", "/-/list", "", { host: `evil.example:${desk.port}` })).status).toBe(403);
    expect((await call(desk.port, "GET", "/-/list", "", { origin: "http://evil.example" })).status).toBe(403);
  });

  it("streams changes as they happen", async () => {
    const desk = await openDesk();
    const lines = await watch(desk.port, "/viz/a/*");
    desk.node.put("/viz/a/zoom", 1.5, "osc");
    desk.node.put("/viz/a/title", "hello");
    await vi.waitFor(() => expect(lines).toHaveLength(2));
    expect(lines[0]).toMatchObject({ path: "/viz/a/zoom", value: 1.5, origin: { surface: "osc" } });
    expect(lines[1]).toMatchObject({ path: "/viz/a/title", value: "hello" });
  });

  it("ends a watch's work when the client goes", async () => {
    const desk = await openDesk();
    const socket = await open(desk.port);
    socket.write(`GET /-/watch HTTP/1.1\r\nHost: 127.0.0.1:${desk.port}\r\n\r\n`);
    await once(socket, "data");
    expect(await counter(desk, "desk.watches")).toBe(1);
    socket.destroy();
    await vi.waitFor(async () => expect(await counter(desk, "desk.watches")).toBe(0));
  });

  it("gives a watcher that does not read the newest value in the end, and stays quick for others", async () => {
    const desk = await openDesk();
    const socket = await open(desk.port);
    socket.write(`GET /-/watch HTTP/1.1\r\nHost: 127.0.0.1:${desk.port}\r\nConnection: close\r\n\r\n`);
    await once(socket, "data");
    socket.pause();
    const total = 200_000;
    for (let value = 1; value <= total; value++) {
      desk.node.put("/viz/a/count", value);
      if (value % 5_000 !== 0) continue;
      expect((await call(desk.port, "GET", "/-/get?path=/viz/a/count")).body.value).toBe(value);
    }
    let received = "";
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString();
    });
    socket.resume();
    await vi.waitFor(() => expect(received).toContain(`"value":${total},`), 10_000);
    const seen = received.match(/"value":/g)?.length ?? 0;
    expect(seen).toBeLessThan(total / 2);
  });
});

async function watch(port: number, pattern: string): Promise<unknown[]> {
  const lines: unknown[] = [];
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path: `/-/watch?pattern=${pattern}` }, resolve);
    sent.on("error", reject);
    sent.end();
    closers.push(() => sent.destroy());
  });
  let text = "";
  response.on("error", () => {});
  response.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    const parts = text.split("\n");
    text = parts.pop() ?? "";
    lines.push(...parts.map((part) => JSON.parse(part) as unknown));
  });
  return lines;
}

describe("OSC over TCP on the same port", () => {
  it.each([
    ["with a size before each packet", (packet: Buffer) => sized(packet)],
    ["in SLIP", (packet: Buffer) => Buffer.concat([Buffer.of(0xc0), packet, Buffer.of(0xc0)])],
  ])("takes packets %s, and answers in the same framing", async (_, frame) => {
    const desk = await openDesk();
    const packets: Buffer[] = [];
    desk.node.onOsc = (connection, packet) => {
      packets.push(Buffer.from(packet));
      desk.host.sendOsc(connection, packet);
    };
    const socket = await open(desk.port);
    const echoed: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => echoed.push(chunk));
    const sent = [oscInt("/viz/a/zoom", 1), oscInt("/viz/a/zoom", 0x00c0db00), oscInt("/b", -1)];
    const stream = Buffer.concat([frame(sent[0]!), slipSafe(frame, sent[1]!), frame(sent[2]!)]);
    for (let at = 0; at < stream.length; at += 7) socket.write(stream.subarray(at, at + 7));
    await vi.waitFor(() => expect(packets).toEqual(sent));
    await vi.waitFor(() => expect(Buffer.concat(echoed)).toEqual(stream));
    expect(desk.node.oscEvents[0]).toMatch(/^opened \d+ 127\.0\.0\.1$/);
    socket.end();
    await vi.waitFor(() => expect(desk.node.oscEvents[1]).toMatch(/^closed/));
  });

  /** SLIP escapes 0xC0 and 0xDB (RFC 1055). */
  function slipSafe(frame: (packet: Buffer) => Buffer, packet: Buffer): Buffer {
    if (frame(packet)[0] !== 0xc0) return frame(packet);
    const escaped = [...packet].flatMap((byte) =>
      byte === 0xc0 ? [0xdb, 0xdc] : byte === 0xdb ? [0xdb, 0xdd] : [byte],
    );
    return frame(Buffer.from(escaped));
  }

  it("takes SLIP without a leading END", async () => {
    const desk = await openDesk();
    const packets: Uint8Array[] = [];
    desk.node.onOsc = (_, packet) => packets.push(packet);
    const socket = await open(desk.port);
    socket.write(Buffer.concat([oscInt("/viz/a/zoom", 5), Buffer.of(0xc0)]));
    await vi.waitFor(() => expect(packets).toHaveLength(1));
  });

  it("loses nothing of a stream faster than the live thread takes it", async () => {
    const desk = await openDesk();
    let count = 0;
    desk.node.onOsc = () => {
      count++;
    };
    const socket = await open(desk.port);
    const packet = sized(oscInt("/viz/a/zoom", 1));
    const block = Buffer.concat(new Array<Buffer>(1_000).fill(packet));
    for (let round = 0; round < 100; round++) {
      if (!socket.write(block)) await once(socket, "drain");
    }
    await vi.waitFor(() => expect(count).toBe(100_000), 10_000);
  });

  it("ends and counts a connection whose framing is broken, and goes on serving", async () => {
    const desk = await openDesk();
    const socket = await open(desk.port);
    socket.write(Buffer.from([0x00, 0xff, 0xff, 0xff]));
    await closed(socket);
    expect(await counter(desk, "tcp.osc.frameTooLong")).toBe(1);
  });

  it("lets a client go that does not read", async () => {
    const desk = await openDesk();
    let connection = -1;
    desk.node.onOsc = (number) => {
      connection = number;
    };
    const socket = await open(desk.port);
    socket.write(sized(oscInt("/hello", 1)));
    await vi.waitFor(() => expect(connection).toBeGreaterThanOrEqual(0));
    socket.pause();
    const packet = new Uint8Array(60_000);
    for (let count = 0; count < 400; count++) desk.host.sendOsc(connection, packet);
    await vi.waitFor(() => expect(desk.node.oscEvents.at(-1)).toBe(`closed ${connection}`), 5_000);
    expect(await counter(desk, "tcp.slowClients")).toBe(1);
    expect(desk.host.sendOsc(connection, packet)).toBe(false);
  });
});

describe("who may connect", () => {
  it("closes a first byte that is neither HTTP nor OSC, and counts it", async () => {
    const desk = await openDesk();
    for (const byte of [0x01, 0x16, 0x30, 0x7f, 0xff]) {
      const socket = await open(desk.port);
      socket.write(Buffer.of(byte, 0, 0, 0));
      await closed(socket);
    }
    expect(await counter(desk, "tcp.unknownProtocols")).toBe(5);
  });

  it("refuses OSC from outside osc.allow, and still serves HTTP there", async () => {
    const desk = await openDesk({ oscAllow: [parseBlock("10.0.0.0/8")!] });
    const socket = await open(desk.port);
    socket.write(sized(oscInt("/viz/a/zoom", 1)));
    await closed(socket);
    expect(await counter(desk, "tcp.refusedOsc")).toBe(1);
    expect(desk.node.oscEvents).toEqual([]);
  });

  it("takes OSC from an IPv6 block, and from this machine by either name", async () => {
    for (const [allowed, host, isTaken] of [
      ["::1", "::1", true],
      ["127.0.0.0/8", "::1", true],
      ["::1", "127.0.0.1", false],
    ] as const) {
      const desk = await openDesk({ oscAllow: [parseBlock(allowed)!] });
      const socket = await open(desk.port, host);
      socket.write(sized(oscInt("/viz/a/zoom", 1)));
      if (isTaken) await vi.waitFor(() => expect(desk.node.oscEvents).toHaveLength(1));
      else await closed(socket);
      expect(await counter(desk, "tcp.refusedOsc")).toBe(isTaken ? 0 : 1);
    }
  });

  it("serves while a million random bytes come in on many connections", async () => {
    const desk = await openDesk();
    let seed = 1;
    const random = () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return seed >>> 24;
    };
    for (let round = 0; round < 100; round++) {
      const socket = await open(desk.port);
      socket.end(Buffer.from(Array.from({ length: 10_000 }, random)));
      await closed(socket);
    }
    expect((await call(desk.port, "GET", "/-/get?path=/viz/a/zoom")).status).toBe(200);
    expect(desk.host.crashes).toBe(0);
  });

  it("keeps within its number of connections and recovers when they go", async () => {
    const desk = await openDesk();
    const sockets = await Promise.all(Array.from({ length: 300 }, () => open(desk.port)));
    await vi.waitFor(() => expect(sockets.filter((socket) => socket.resume().readableEnded).length).toBe(44), 5_000);
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(async () => expect((await call(desk.port, "GET", "/-/list")).status).toBe(200));
  });
});

describe("the worker's life", () => {
  it("says which port is in use", async () => {
    const other = createServer();
    other.listen(0);
    await once(other, "listening");
    closers.push(() => other.close());
    const { port } = other.address() as { port: number };
    await expect(openDesk({ port })).rejects.toMatchObject({
      exitCode: 69,
      message: expect.stringContaining(`${port}`),
    });
  });

  it("comes back on the same port after a crash, with everything", async () => {
    const desk = await openDesk();
    const socket = await open(desk.port);
    socket.write(sized(oscInt("/x", 1)));
    await vi.waitFor(() => expect(desk.node.oscEvents).toHaveLength(1));
    desk.node.put("/viz/a/zoom", 8);
    await crash(desk.host);
    await vi.waitFor(() => expect(desk.node.deskEvents.at(-1)).toBe(""), 5_000);
    expect(desk.node.deskEvents[0]).toContain("control API");
    expect(desk.node.oscEvents[1]).toMatch(/^closed/);
    expect((await call(desk.port, "GET", "/-/get?path=/viz/a/zoom")).body.value).toBe(8);
    const again = await open(desk.port);
    again.write(sized(oscInt("/x", 1)));
    await vi.waitFor(() => expect(desk.node.oscEvents).toHaveLength(3));
    expect(desk.node.oscEvents[2]).not.toBe(desk.node.oscEvents[0]);
  });

  it("gives joiners the removals that the node has from a snapshot", async () => {
    const { node, host, port } = await openDesk();
    const removal = { sequence: 1, timeUs: 5, origin: 0, renamedTo: "", wasTerm: 0, wasSequence: 0 };
    node.removals.push({ ...removal, path: "/viz/a/before", term: node.terms.intern(1, node.serving.node) });
    // The desk has an image, without them.
    expect((await call(port, "GET", "/-/list")).body).toHaveLength(3);
    host.tellServing();
    const snapshot = await fetchFrom(node.snapshotPorts[0] as number);
    const state = new State(node.capacity);
    const decoder = new ImageDecoder({ state, terms: new TermTable(), origins: new OriginTable() });
    expect(snapshot.chunks.map((chunk) => decoder.push(chunk))).not.toContain(false);
    expect([...state.tombstones.values()]).toMatchObject([{ path: "/viz/a/before", sequence: 1 }]);
  });

  it("takes a new image when the ring was too fast", async () => {
    const desk = await openDesk({}, { values: 64, events: 256, arenaBytes: 65_536 });
    expect((await call(desk.port, "GET", "/-/list")).status).toBe(200);
    for (let value = 1; value <= 10_000; value++) desk.node.put("/viz/a/count", value);
    expect((await call(desk.port, "GET", "/-/get?path=/viz/a/count")).body.value).toBe(10_000);
    expect(await counter(desk, "desk.laps")).toBeGreaterThan(0);
  });

  it("holds 100,000 paths", async () => {
    const node = await openDesk({}, { values: 65_536, events: 262_144, arenaBytes: 64 * 1024 * 1024 }, 110_000);
    for (let index = 0; index < 100_000; index++) node.node.add(`/viz/big/group${index % 100}/p${index}`, "float");
    const { body } = await call(node.port, "GET", "/-/list?pattern=/viz/big//");
    expect(body).toHaveLength(100_000);
  });
});

function fetchFrom(port: number): Promise<Snapshot> {
  return new Promise((resolve, reject) => {
    const onFailed = (reason: string): void => reject(new Error(reason));
    const fetch = new SnapshotFetch(new Uint8Array(32), "127.0.0.1", { onArrived: resolve, onFailed });
    closers.push(() => fetch.close());
    fetch.fetch({ address: "127.0.0.1", port, minSequence: 0 });
  });
}

/** The worker dies of an error of its own, as a mistake of ours would make it. */
async function crash(host: DeskHost): Promise<void> {
  const { worker } = host as unknown as { worker: { terminate(): Promise<number> } };
  await worker.terminate();
}
