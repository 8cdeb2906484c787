/** How a node begins and ends: what is written before anybody is controller, what a joiner brings along, how it leaves. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { StatusReport } from "../../src/manage/reports.js";
import { NODE_ID_BYTES, NODE_ID_OFFSET, TYPE_OFFSET } from "../../src/wire/envelope.js";
import { FrameType } from "../../src/wire/frame.js";
import { inSync, type LibraryPeer } from "../harness/library-peer.js";
import { nestedBundle, sendTo } from "../harness/osc-bundles.js";
import { record, until } from "../harness/until.js";
import { folder, type LiveNode, startNode, startPeer } from "./harness.js";

let meshes = 0;

/** Each test has a mesh of its own. */
function newMesh(): string {
  return `start-${process.pid}-${++meshes}`;
}

async function statusOf(node: LiveNode): Promise<StatusReport> {
  return (await (await fetch(`${node.url}/-/status`)).json()) as StatusReport;
}

function settled(...nodes: readonly LiveNode[]): Promise<StatusReport[]> {
  return inSync(nodes.map((node) => ({ status: () => statusOf(node) })));
}

async function valueOf(node: LiveNode, path: string): Promise<unknown> {
  const answer = await fetch(`${node.url}/-/get?path=${encodeURIComponent(path)}`);
  return answer.ok ? ((await answer.json()) as { value: unknown }).value : undefined;
}

async function controls(node: LiveNode | LibraryPeer): Promise<void> {
  await until(
    () => ("url" in node ? statusOf(node) : node.status()),
    ({ role }) => role === "controller",
    "a controller",
  );
}

/** What a node shows of its own writes proves nothing yet: a node that joins now gets only what is in the show. */
async function startWitness(node: LiveNode): Promise<LiveNode> {
  const witness = await startNode({ mesh: node.mesh, name: `${node.name}-witness` });
  await settled(node, witness);
  return witness;
}

/** Collects, from the clear headers in the group where the nodes meet, who says that it leaves. */
async function listenForLeaves(node: LiveNode): Promise<{ stop: () => Promise<string[]> }> {
  const { meetingGroup, meshPort } = (await statusOf(node)).network;
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.bind(meshPort, meetingGroup);
  await once(socket, "listening");
  socket.addMembership(meetingGroup, "127.0.0.1");
  const leaving = new Set<string>();
  socket.on("message", (bytes) => {
    if (bytes[TYPE_OFFSET] !== FrameType.leave) return;
    leaving.add(bytes.subarray(NODE_ID_OFFSET, NODE_ID_OFFSET + NODE_ID_BYTES).toString("hex"));
  });
  const stop = async (): Promise<string[]> => {
    await until(
      () => leaving.size,
      (count) => count === 3,
      "three goodbyes",
    );
    socket.close();
    return [...leaving];
  };
  return { stop };
}

function showFile(name: string, text: string): string {
  const path = join(folder, `${name}.toml`);
  writeFileSync(path, text);
  return path;
}

describe("what is written before there is a controller", () => {
  it("by OSC, is in the show afterwards, the newest value of each path", async () => {
    const node = await startNode({ mesh: newMesh(), name: "early-osc" });
    const paths = Array.from({ length: 200 }, (_, index) => `/viz/early/${index}`);
    await sendTo(node.port, [nestedBundle(paths, 1), nestedBundle(paths, 2), nestedBundle(paths.slice(1), 3)]);
    const { role, state } = await statusOf(node);
    record("before there is a controller", { role, pending: state.pendingWrites });
    await controls(node);
    expect((await statusOf(node)).state.pendingWrites).toBe(0);
    const witness = await startWitness(node);
    for (const one of [node, witness]) {
      expect([await valueOf(one, "/viz/early/0"), await valueOf(one, "/viz/early/199")]).toEqual([2, 3]);
    }
    await witness.stop();
    await node.stop();
  });

  it("by the library, is confirmed when there is one, and each impulse fires", async () => {
    const peer = await startPeer({ mesh: newMesh(), name: "early-library" });
    await peer.declare("/viz/early/flash", { type: "impulse" });
    const { changes } = await peer.subscribe("/viz/early/*");
    await peer.set("/viz/early/x", 1);
    await peer.set("/viz/early/flash", null);
    await peer.set("/viz/early/flash", null);
    const { role } = await peer.status();
    const version = await peer.write("/viz/early/x", 2);
    record("a write before there is a controller", { role });
    expect(version).toMatchObject({ term: 1, node: peer.id });
    expect(version.sequence).toBeGreaterThan(0);
    expect(await peer.get("/viz/early/x")).toBe(2);
    const fired = await until(
      () => changes().filter(({ path }) => path === "/viz/early/flash"),
      ({ length }) => length >= 2,
      "two impulses",
    );
    await peer.write("/viz/early/x", 3);
    expect(fired.map(({ version: given }) => given?.term)).toEqual([1, 1]);
    expect(changes().filter(({ path }) => path === "/viz/early/flash")).toHaveLength(2);
    await peer.close();
  });

  it("by --set, with values of the show and of paths that are new", async () => {
    const show = showFile("set", '[viz.set]\nx = { type = "float", range = [0, 1] }\nname = { type = "string" }\n');
    const set = ["/viz/set/x=0.5", "/viz/set/name=two words", "/viz/set/new=1 2 3", "/global/tempo=130"];
    const args = ["--show", show, ...set.flatMap((text) => ["--set", text])];
    const node = await startNode({ mesh: newMesh(), name: "early-set", args });
    await controls(node);
    const witness = await startWitness(node);
    for (const one of [node, witness]) {
      expect(await valueOf(one, "/viz/set/x")).toBe(0.5);
      expect(await valueOf(one, "/viz/set/name")).toBe("two words");
      expect(await valueOf(one, "/viz/set/new")).toEqual([1, 2, 3]);
      expect(await valueOf(one, "/global/tempo")).toBe(130);
    }
    await witness.stop();
    await node.stop();
  });

  it("by a joiner, goes to the mesh that it finds, --set values too", async () => {
    const mesh = newMesh();
    const first = await startNode({ mesh, name: "was-there" });
    await controls(first);
    await first.hana("set", "/viz/both/x", "1");
    const second = await startNode({ mesh, name: "joins", args: ["--set", "/viz/both/x=2", "--set", "/viz/mine/y=3"] });
    await sendTo(second.port, [nestedBundle(["/viz/mine/z"], 4)]);
    await settled(first, second);
    for (const node of [first, second]) {
      await until(
        async () => [await valueOf(node, "/viz/both/x"), await valueOf(node, "/viz/mine/y")],
        (values) => JSON.stringify(values) === "[2,3]",
        "what the joiner set",
      );
      expect(await valueOf(node, "/viz/mine/z")).toBe(4);
    }
    await second.stop();
    await first.stop();
  });
});

describe("a node that brings a show along", () => {
  const OLD = `
[viz.shared]
x = { type = "float", range = [0, 2] }
word = { type = "string", default = "old" }
[values]
"/viz/shared/x" = 1
"/global/tempo" = 90
`;
  const NEW = `
[viz.shared]
x = { type = "int", range = [0, 100], default = 50 }
[viz.extra]
y = { type = "float" }
mode = { type = "enum", values = ["one", "two"] }
text = { type = "string" }
kick = { type = "impulse" }
[viz.many]
${Array.from({ length: 2_000 }, (_, index) => `p${index} = { type = "float", default = ${index} }`).join("\n")}
[values]
"/viz/extra/y" = 7
"/viz/extra/mode" = "two"
"/viz/extra/text" = "${"long ".repeat(1_000)}"
"/global/tempo" = 150
`;

  it("takes over the values and declarations of the mesh, and offers what the mesh does not have", async () => {
    const mesh = newMesh();
    const first = await startNode({ mesh, name: "has-show", args: ["--show", showFile("old", OLD)] });
    await controls(first);
    const second = await startNode({ mesh, name: "brings-show", args: ["--show", showFile("new", NEW)] });
    const joinedMs = Date.now();
    await until(
      () => statusOf(first),
      ({ state }) => state.paths > 2_000,
      "what is offered",
    );
    await settled(first, second);
    record("a joiner offers 2,004 paths", { "in sync after ms": Date.now() - joinedMs });
    for (const node of [first, second]) {
      expect(await valueOf(node, "/viz/shared/x")).toBe(1);
      expect(await valueOf(node, "/viz/shared/word")).toBe("old");
      expect(await valueOf(node, "/global/tempo")).toBe(90);
      expect(await valueOf(node, "/viz/extra/y")).toBe(7);
      expect(await valueOf(node, "/viz/extra/mode")).toBe("two");
      expect(await valueOf(node, "/viz/extra/text")).toBe("long ".repeat(1_000));
      expect(await valueOf(node, "/viz/extra/kick")).toBeNull();
      expect(await valueOf(node, "/viz/many/p1999")).toBe(1_999);
    }
    expect((await first.hana("set", "/viz/shared/x", "99")).code).toBe(0);
    expect(await valueOf(first, "/viz/shared/x")).toBe(2);
    await second.stop();
    await first.stop();
  });

  it("that had been controller of nothing but itself joins all the same when it starts anew", async () => {
    const mesh = newMesh();
    const show = ["--show", showFile("again", NEW)];
    const alone = await startNode({ mesh, name: "alone", args: show });
    await controls(alone);
    await alone.hana("set", "/viz/extra/y", "8");
    await alone.stop();
    const other = await startNode({ mesh, name: "other" });
    await controls(other);
    const again = await startNode({ mesh, name: "alone", dataDir: alone.dataDir, args: show });
    await until(
      () => valueOf(other, "/viz/extra/y"),
      (value) => value === 7,
      "what is offered",
    );
    await settled(other, again);
    expect((await statusOf(again)).role).toBe("follower");
    await again.stop();
    await other.stop();
  });
});

describe("a node that stops", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "on %s says goodbye to the others, follower or controller",
    async (signal) => {
      const mesh = newMesh();
      const nodes = [await startNode({ mesh, name: `first-${signal}` })] as LiveNode[];
      await controls(nodes[0] as LiveNode);
      for (const name of ["second", "third"]) nodes.push(await startNode({ mesh, name: `${name}-${signal}` }));
      const [first, second, third] = nodes as [LiveNode, LiveNode, LiveNode];
      await settled(first, second, third);
      const heard = await listenForLeaves(first);
      expect(await third.stop(signal)).toEqual({ code: 0, signal: null });
      const followerMs = Date.now();
      await settled(first, second);
      record("a follower leaves", { "unheard after ms": Date.now() - followerMs });
      expect(await first.stop(signal)).toEqual({ code: 0, signal: null });
      const controllerMs = Date.now();
      await controls(second);
      record("a controller leaves", { "followed after ms": Date.now() - controllerMs });
      await second.hana("set", "/viz/left/x", "1");
      expect(await valueOf(second, "/viz/left/x")).toBe(1);
      await second.stop(signal);
      expect(await heard.stop()).toEqual([third, first, second].map(({ ready }) => ready.node));
    },
  );

  it("sends what was written just before", async () => {
    const mesh = newMesh();
    const first = await startNode({ mesh, name: "stays" });
    await controls(first);
    const second = await startNode({ mesh, name: "writes-and-goes" });
    await settled(first, second);
    await second.hana("set", "/viz/last/words", "1");
    await sendTo(second.port, [nestedBundle(["/viz/last/words"], 2)]);
    await second.hana("get", "/viz/last/words");
    await second.stop();
    expect(await valueOf(first, "/viz/last/words")).toBe(2);
    await first.stop();
  });
});
