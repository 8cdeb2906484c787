/** The replica shows what the node shows: from the ring, from an image, and from an image with the ring behind it. */
import { describe, expect, it } from "vitest";
import { reportChange } from "../../../src/manage/change-report.js";
import { type ImpulseFields, Replica, type ReplicaWatcher } from "../../../src/manage/replica.js";
import { ChangeFlag } from "../../../src/state/change.js";
import { NODE_ID, SmallNode } from "./small-node.js";

const SMALL_RING = { values: 16, events: 64, arenaBytes: 4_096 };

function loadImage(node: SmallNode, replica: Replica): void {
  replica.prepareForImage();
  sendImage(node, replica);
}

function sendImage(node: SmallNode, replica: Replica): void {
  replica.beginImage(node.terms.list(), node.origins.list(), node.sequence);
  for (const chunk of node.image()) replica.pushImage(chunk);
  replica.endImage(node.pending());
}

function follow(node: SmallNode): Replica {
  const replica = new Replica(node.memory, node.capacity);
  loadImage(node, replica);
  return replica;
}

function shown(replica: Replica): Record<string, unknown> {
  replica.pump();
  return Object.fromEntries(
    [...replica.state.ids()].map((id) => [replica.state.pathOf(id), replica.state.valueOf(id)]),
  );
}

class Recorder implements ReplicaWatcher {
  readonly seen: string[] = [];
  private readonly replica: Replica;

  constructor(replica: Replica) {
    this.replica = replica;
    replica.addWatcher(this);
  }

  onValue(id: number): void {
    this.seen.push(`${this.replica.state.pathOf(id)}=${String(this.replica.state.valueOf(id))}`);
  }

  onImpulse(id: number, impulse: ImpulseFields): void {
    this.seen.push(`${this.replica.state.pathOf(id)}! ${impulse.sequence}`);
  }

  onStructure(): void {}
}

describe("a replica that follows the ring", () => {
  it("knows of paths that are gone by what the node says of those that a snapshot brought", () => {
    const node = new SmallNode();
    const replica = follow(node);
    for (const path of ["/viz/a/here", "/viz/a/gone"]) node.add(path, "int");
    void node.remove("/viz/a/gone", { surface: "t", wait: true, timeoutMs: 0 });
    const told = { term: 1, sequence: 1, timeUs: 5, origin: 0, renamedTo: "", wasTerm: 0, wasSequence: 0 };
    replica.pump();
    replica.noteRemovals(["/viz/a/here", "/viz/a/gone", "/viz/a/before"].map((path) => ({ ...told, path })));
    const { tombstones } = replica.state;
    expect([...tombstones.values()].map(({ path }) => path)).toEqual(["/viz/a/gone", "/viz/a/before"]);
    expect(tombstones.of("/viz/a/gone")?.sequence).toBeGreaterThan(told.sequence);
    expect(tombstones.of("/viz/a/before")).toEqual({ ...told, path: "/viz/a/before" });
    node.add("/viz/a/before", "int");
    replica.pump();
    expect(tombstones.of("/viz/a/before")).toBeUndefined();
  });

  it("holds declarations, values of every kind, renames and removals", () => {
    const node = new SmallNode();
    const replica = follow(node);
    node.add("/viz/a/zoom", "double");
    node.add("/viz/a/color", "color");
    node.add("/viz/a/title", "string");
    node.add("/viz/a/data", "blob");
    node.add("/viz/a/mode", { type: "enum", values: ["one", "two"] });
    node.add("/viz/a/gone", "int");
    node.put("/viz/a/zoom", 2.5);
    node.put("/viz/a/color", [1, 0.5, 0, 1]);
    node.put("/viz/a/title", "grüße");
    node.put("/viz/a/data", Uint8Array.of(1, 2, 3));
    node.put("/viz/a/mode", "two");
    void node.rename("/viz/a/zoom", "/viz/b/zoom", { surface: "t", wait: true, timeoutMs: 0 });
    void node.remove("/viz/a/gone", { surface: "t", wait: true, timeoutMs: 0 });
    expect(shown(replica)).toEqual({
      "/viz/b/zoom": 2.5,
      "/viz/a/color": [1, 0.5, 0, 1],
      "/viz/a/title": "grüße",
      "/viz/a/data": Uint8Array.of(1, 2, 3),
      "/viz/a/mode": "two",
    });
  });

  it("names version, origin and time of a change", () => {
    const node = new SmallNode();
    const replica = follow(node);
    node.add("/viz/a/zoom", "float");
    node.put("/viz/a/zoom", 0.1, "osc:10.0.0.2");
    replica.pump();
    const report = reportChange(replica, replica.state.idOf("/viz/a/zoom"));
    expect(report).toEqual({
      path: "/viz/a/zoom",
      value: 0.1,
      version: { term: 1, node: NODE_ID, sequence: 2 },
      origin: { node: NODE_ID, surface: "osc:10.0.0.2" },
      time: 1_700_000_000_000.002,
    });
  });

  it("shows a pending write, and its confirmation as no second change", () => {
    const node = new SmallNode();
    node.add("/viz/a/zoom", "float");
    const replica = follow(node);
    const recorder = new Recorder(replica);
    node.put("/viz/a/zoom", 2, "", ChangeFlag.pending);
    replica.pump();
    const id = replica.state.idOf("/viz/a/zoom");
    expect(reportChange(replica, id)).toMatchObject({ value: 2, version: null, pending: true });
    node.put("/viz/a/zoom", 2);
    replica.pump();
    expect(reportChange(replica, id)).toMatchObject({ value: 2, version: { term: 1, sequence: 3 } });
    expect(reportChange(replica, id)).not.toHaveProperty("pending");
    expect(recorder.seen).toEqual(["/viz/a/zoom=2"]);
  });

  it("shows the confirmed value again after a roll-back", () => {
    const node = new SmallNode();
    node.add("/viz/a/zoom", "float");
    node.put("/viz/a/zoom", 1);
    const replica = follow(node);
    const recorder = new Recorder(replica);
    node.put("/viz/a/zoom", 2, "", ChangeFlag.pending);
    node.put("/viz/a/zoom", 1, "", ChangeFlag.rolledBack);
    replica.pump();
    expect(recorder.seen).toEqual(["/viz/a/zoom=2", "/viz/a/zoom=1"]);
    expect(replica.pending[0]).toBe(0);
  });

  it("tells every impulse, the same one twice", () => {
    const node = new SmallNode();
    node.add("/viz/a/flash", "impulse");
    const replica = follow(node);
    const recorder = new Recorder(replica);
    node.fire("/viz/a/flash");
    node.fire("/viz/a/flash");
    replica.pump();
    expect(recorder.seen).toEqual(["/viz/a/flash! 2", "/viz/a/flash! 3"]);
  });
});

/** Who starts over joins any term of the number that it lost, be it a lower node's. */
it("takes what comes in another term of the same number", () => {
  const node = new SmallNode();
  node.add("/viz/a/zoom", "int");
  const replica = follow(node);
  for (const [value, controller] of ["0000000000000009", "0000000000000002"].entries()) {
    node.openTerm(7, controller);
    node.put("/viz/a/zoom", value + 1);
    expect(shown(replica)).toEqual({ "/viz/a/zoom": value + 1 });
  }
});

/** Joiners get it from here: with one that is too high they would pass over what the controller says next. */
it("counts what is new, and not the version of what is told anew", () => {
  const node = new SmallNode();
  node.add("/viz/a/zoom", "int");
  const replica = follow(node);
  node.put("/viz/a/zoom", 1);
  replica.pump();
  const before = replica.sequence;
  expect(before).toBe(node.sequence);
  for (const flag of [ChangeFlag.rolledBack, ChangeFlag.resync, ChangeFlag.pending]) {
    node.put("/viz/a/zoom", 2 + flag, "", flag);
    replica.pump();
    expect([replica.state.valueOf(0), replica.sequence]).toEqual([2 + flag, before]);
  }
  node.put("/viz/a/zoom", 1);
  replica.pump();
  expect(replica.sequence).toBe(node.sequence);
});

describe("a replica and its image", () => {
  it("takes everything from the image, with pending writes over it", () => {
    const node = new SmallNode();
    node.openTerm(7);
    for (let index = 0; index < 300; index++) {
      node.add(`/viz/a/p${index}`, "float");
      node.put(`/viz/a/p${index}`, index, `surface${index % 3}`);
    }
    node.shownPending = [{ id: node.state.idOf("/viz/a/p5"), value: -1 }];
    const replica = follow(node);
    const id = replica.state.idOf("/viz/a/p299");
    expect(replica.state.pathCount).toBe(300);
    expect(reportChange(replica, id)).toMatchObject({
      value: 299,
      version: { term: 7, sequence: 600 },
      origin: { node: NODE_ID, surface: "surface2" },
    });
    expect(reportChange(replica, replica.state.idOf("/viz/a/p5"))).toMatchObject({ value: -1, pending: true });
  });

  it("is stale when the ring lapped it, and right again after an image", () => {
    const node = new SmallNode(SMALL_RING);
    node.add("/viz/a/zoom", "int");
    node.add("/viz/a/still", "int");
    const replica = follow(node);
    const recorder = new Recorder(replica);
    for (let count = 1; count <= 100; count++) node.put("/viz/a/zoom", count);
    replica.pump();
    expect(replica.phase).toBe("stale");
    loadImage(node, replica);
    expect(replica.phase).toBe("current");
    expect(shown(replica)).toEqual({ "/viz/a/zoom": 100, "/viz/a/still": 0 });
    expect(recorder.seen).toEqual(["/viz/a/zoom=100"]);
  });

  it("does not step back when the ring repeats what the image had", () => {
    const node = new SmallNode();
    node.add("/viz/a/zoom", "int");
    const replica = follow(node);
    const recorder = new Recorder(replica);
    replica.prepareForImage();
    node.put("/viz/a/zoom", 1);
    node.put("/viz/a/zoom", 2);
    sendImage(node, replica);
    node.put("/viz/a/zoom", 3);
    replica.pump();
    expect(recorder.seen).toEqual(["/viz/a/zoom=2", "/viz/a/zoom=3"]);
  });

  it("comes out right when structure changes while the image is taken", () => {
    const node = new SmallNode();
    const options = { surface: "t", wait: true, timeoutMs: 0 };
    node.add("/viz/a/one", "int");
    node.add("/viz/a/two", "int");
    const replica = new Replica(node.memory, node.capacity);
    replica.prepareForImage();
    node.put("/viz/a/one", 1);
    void node.remove("/viz/a/two", options);
    node.add("/viz/a/three", "string");
    node.put("/viz/a/three", "x");
    void node.rename("/viz/a/one", "/viz/a/four", options);
    node.add("/viz/a/one", "bool");
    node.put("/viz/a/one", true);
    sendImage(node, replica);
    node.put("/viz/a/four", 9);
    expect(shown(replica)).toEqual({ "/viz/a/four": 9, "/viz/a/three": "x", "/viz/a/one": true });
  });

  it("asks for another when a text is gone from the arena", () => {
    const node = new SmallNode({ values: 64, events: 64, arenaBytes: 2_048 });
    node.add("/viz/a/title", "string");
    const replica = follow(node);
    for (let count = 0; count < 10; count++) node.put("/viz/a/title", `${count}`.repeat(500));
    replica.pump();
    expect(replica.phase).toBe("stale");
  });

  it("refuses an image that gives a path twice, and stays stale", () => {
    const node = new SmallNode();
    node.add("/viz/a/zoom", "int");
    const replica = new Replica(node.memory, node.capacity);
    replica.prepareForImage();
    replica.beginImage(node.terms.list(), node.origins.list(), node.sequence);
    const [chunk] = [...node.image()] as [Uint8Array];
    replica.pushImage(chunk);
    replica.pushImage(chunk);
    replica.endImage([]);
    expect(replica.phase).toBe("stale");
  });
});
