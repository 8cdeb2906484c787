/** Conflation: of values that one node writes to one path only the newest travels, before sending and before a retry. */
import { beforeEach, describe, expect, test } from "vitest";
import { Reject } from "../../../src/state/reject.js";
import { FrameType } from "../../../src/wire/frame.js";
import { WriteFrameReader, WriteKind } from "../../../src/wire/write-frame.js";
import { Mesh, type MeshNode } from "./mesh.js";

const PATHS = ["/viz/a", "/viz/b", "/viz/c"];

let mesh: Mesh;
let first: MeshNode;
let second: MeshNode;
/** What the follower's write frames held: path and value, or what else it was. */
let frames: string[][];

beforeEach(() => {
  mesh = new Mesh(1);
  [first, second] = [mesh.add(), mesh.add()];
  mesh.until(() => mesh.isSettled);
  for (const path of PATHS) first.declare(path, { type: "float" });
  first.declare("/viz/go", { type: "impulse" });
  mesh.run(100_000);
  frames = [];
  const { io, core } = second.hana;
  const unicast = io.unicast.bind(io);
  io.unicast = (type, length, target) => {
    if (type === FrameType.write) frames.push(writesOf(io.plain, length, (id) => core.state.pathOf(id)));
    return unicast(type, length, target);
  };
});

function writesOf(plain: Uint8Array, length: number, pathOf: (id: number) => string): string[] {
  const writes: string[] = [];
  new WriteFrameReader().read(plain.slice(0, length), length, {
    onWriteFrame: () => true,
    onWrite: ({ kind, id, numbers }) => {
      if (kind === WriteKind.value) writes.push(`${pathOf(id)} ${numbers[0] ?? ""}`);
      else writes.push(kind === WriteKind.trigger ? pathOf(id) : `kind ${kind}`);
    },
  });
  return writes;
}

function put(path: string, value: number): void {
  const { core, writes } = second.hana;
  core.staging.value(value);
  if (writes.write(core.state.idOf(path), writes.surface("")) !== Reject.none) throw new Error("refused");
}

function fire(): void {
  const { core, writes } = second.hana;
  writes.trigger(core.state.idOf("/viz/go"), writes.surface(""));
}

describe("values of one node", () => {
  test("leave as the newest of each path that was written in a turn", () => {
    second.turn(() => {
      for (let value = 1; value <= 50; value++) for (const path of PATHS) put(path, value);
    });
    mesh.run(1_000);
    expect(frames[0]).toEqual(PATHS.map((path) => `${path} 50`));
    expect(second.hana.pending.conflated).toBe(3 * 49);
  });

  test("go out again as the newest of each path, and the controller commits no more than that", () => {
    mesh.drop = (from) => from === second;
    const [fader, still] = PATHS as [string, string];
    second.write(still, 7);
    for (let value = 1; value <= 200; value++) {
      second.turn(() => put(fader, value));
      mesh.run(1_000);
    }
    expect([second.hana.pending.size, second.hana.pending.retries > 3]).toEqual([2, true]);
    for (const writes of frames) expect(writes.length).toBeLessThanOrEqual(2);
    const before = first.hana.core.sequence[0] as number;
    mesh.drop = () => false;
    frames.length = 0;
    mesh.run(200_000);
    expect(frames[0]).toEqual([`${still} 7`, `${fader} 200`]);
    expect([first.value(still), first.value(fader), second.hana.pending.size]).toEqual([7, 200, 0]);
    expect((first.hana.core.sequence[0] as number) - before).toBe(2);
  });

  test("are answered, each of them, though only the newest travels", () => {
    mesh.drop = (from) => from === second;
    const told: Reject[] = [];
    for (let value = 1; value <= 20; value++) {
      second.turn(() => {
        put("/viz/a", value);
        second.hana.writes.whenDone((reject) => told.push(reject));
      });
      mesh.run(3_000);
    }
    expect(told).toEqual([]);
    mesh.drop = () => false;
    mesh.run(300_000);
    expect(told).toEqual(new Array<Reject>(20).fill(Reject.none));
  });

  test("stay where something was triggered after them: it finds what was set before", () => {
    mesh.drop = (from) => from === second;
    const seen: unknown[] = [];
    const { applier } = first.hana;
    const commit = applier.commitImpulse.bind(applier);
    applier.commitImpulse = (id, origin, gesture) => {
      seen.push(first.value("/viz/a"));
      commit(id, origin, gesture);
    };
    second.turn(() => {
      put("/viz/a", 1);
      fire();
      put("/viz/a", 2);
      put("/viz/a", 3);
      fire();
      put("/viz/a", 4);
    });
    mesh.run(1_000);
    expect(frames[0]).toEqual(["/viz/a 1", "/viz/go", "/viz/a 3", "/viz/go", "/viz/a 4"]);
    mesh.drop = () => false;
    mesh.run(300_000);
    expect([seen, first.value("/viz/a"), second.value("/viz/a"), second.hana.pending.size]).toEqual([[1, 3], 4, 4, 0]);
  });
});
