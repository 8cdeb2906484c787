/** The library, as programs use it: two of them, each with a node, that know nothing of each other but the mesh. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Change, DeclarationInput, Value } from "hana-sync";
import { beforeAll, describe, expect, it } from "vitest";
import { inSync, type LibraryPeer } from "../harness/library-peer.js";
import { record, until } from "../harness/until.js";
import { freePort, startPeer } from "./harness.js";

let controller: LibraryPeer;
let follower: LibraryPeer;

beforeAll(async () => {
  controller = await startPeer({ name: "first" });
  await inRole(controller, "controller");
  follower = await startPeer({ name: "second" });
  await inRole(follower, "follower");
  await inSync([controller, follower]);
});

async function inRole(peer: LibraryPeer, role: string): Promise<void> {
  await until(
    () => peer.status(),
    (status) => status.role === role,
    role,
  );
}

function hasValue(peer: LibraryPeer, path: string, value: Value): Promise<unknown> {
  return until(
    () => peer.get(path),
    (found) => JSON.stringify(found) === JSON.stringify(value),
    `${JSON.stringify(value)} at ${path}`,
  );
}

/** Waits for so many changes, and a moment longer for one too many. */
async function countChanges(changes: () => Change[], count: number, marker: () => Promise<void>): Promise<Change[]> {
  await until(changes, (seen) => seen.length >= count, `${count} changes`);
  await marker();
  return changes();
}

const DECLARED: readonly (readonly [DeclarationInput, Value, Value])[] = [
  [{ type: "float", range: { min: 0, max: 4 } }, 2.5, 2.5],
  [{ type: "float", range: { min: 0, max: 4 } }, 99, 4],
  [{ type: "double" }, 0.1, 0.1],
  [{ type: "int" }, -(2 ** 31), -(2 ** 31)],
  [{ type: "bool" }, true, true],
  [{ type: "string" }, "naïve ☃ 𝄞", "naïve ☃ 𝄞"],
  [{ type: "enum", values: ["add", "screen"] }, "screen", "screen"],
  [{ type: "color" }, [1, 0.5, 0.25, 0.125], [1, 0.5, 0.25, 0.125]],
  [{ type: "vec2" }, [1, -2], [1, -2]],
  [{ type: "vec3" }, [1, -2, 3.5], [1, -2, 3.5]],
  [{ type: "vec4" }, [1, -2, 3.5, 1e6], [1, -2, 3.5, 1e6]],
  [{ type: "quaternion" }, [0, 0.6, 0, 0.8], [0, Math.fround(0.6), 0, Math.fround(0.8)]],
  [{ type: "blob" }, Uint8Array.of(0, 1, 255), Uint8Array.of(0, 1, 255)],
];

describe.each(["controller", "follower"] as const)("the %s's program", (role) => {
  let here: LibraryPeer;
  let there: LibraryPeer;

  beforeAll(() => {
    [here, there] = role === "controller" ? [controller, follower] : [follower, controller];
  });

  it.each(DECLARED)("declares %j, sets %j, and the other program gets %j", async (declaration, value, expected) => {
    const path = `/viz/${role}/${declaration.type}${JSON.stringify(value).length}`;
    await here.declare(path, declaration);
    await here.set(path, value);
    expect(await here.get(path)).toEqual(expected);
    await hasValue(there, path, expected);
    expect(await there.get(path)).toEqual(expected);
  });

  it("tells the other's subscriber of a path that did not exist when it subscribed", async () => {
    const { changes, end } = await there.subscribe(`/viz/${role}-later/*`);
    await here.declare(`/viz/${role}-later/x`, { type: "float" });
    await here.set(`/viz/${role}-later/x`, 0.5);
    const [change] = await until(changes, (seen) => seen.length > 0, "a change");
    expect(change).toEqual({
      path: `/viz/${role}-later/x`,
      value: 0.5,
      version: { term: 1, node: controller.id, sequence: expect.any(Number) },
      origin: { node: here.id, surface: "library" },
      time: expect.any(Number),
    });
    expect(Math.abs((change?.time ?? 0) - Date.now())).toBeLessThan(5_000);
    await end();
    await here.write(`/viz/${role}-later/x`, 0.75);
    await hasValue(there, `/viz/${role}-later/x`, 0.75);
    expect(changes()).toHaveLength(1);
  });

  it("resolves a write when the controller has it", async () => {
    const version = await here.write(`/viz/${role}/written`, 3);
    expect(version).toEqual({ term: 1, node: controller.id, sequence: expect.any(Number) });
    expect(await controller.get(`/viz/${role}/written`)).toBe(3);
    expect((await controller.status()).sequence).toBeGreaterThanOrEqual(version.sequence);
    // The same value again changes nothing, and is confirmed all the same.
    await here.write(`/viz/${role}/written`, 3);
  });

  it("fires two impulses as two, on both sides", async () => {
    const path = `/viz/${role}/flash`;
    await here.declare(path, { type: "impulse" });
    await hasValue(there, path, null);
    const listeners = [await here.subscribe(path), await there.subscribe(path)];
    await here.set(path, null);
    await here.set(path, null);
    const marker = async (): Promise<void> => {
      await here.write(`/viz/${role}/after`, Math.random());
      await inSync([here, there]);
    };
    for (const { changes, end } of listeners) {
      const seen = await countChanges(changes, 2, marker);
      expect(seen.map(({ value }) => value)).toEqual([null, null]);
      expect(new Set(seen.map(({ version }) => version?.sequence)).size).toBe(2);
      await end();
    }
  });

  it("moves a fader for a while, and both sides end at its last value", async () => {
    const path = `/viz/${role}/fader`;
    const { changes, end } = await there.subscribe(path);
    for (let value = 1; value <= 300; value++) await here.set(path, value);
    const endedMs = Date.now();
    await until(changes, (seen) => seen.at(-1)?.value === 300, "the last value");
    record(`a fader on the ${role}`, { "last value at the other after ms": Date.now() - endedMs });
    await inSync([here, there]);
    expect([await here.get(path), await there.get(path)]).toEqual([300, 300]);
    const values = changes().map(({ value }) => Number(value));
    expect(values).toEqual([...values].sort((left, right) => left - right));
    await end();
  });

  it("sets many values in one turn, of which the last holds", async () => {
    const path = `/viz/${role}/sweep`;
    await here.sweep(path, 1, 5_000);
    expect(await here.get(path)).toBe(5_000);
    await hasValue(there, path, 5_000);
  });

  it.each([
    ["/elsewhere/x", 1, "no such path"],
    ["/viz/refusals/mode", "three", "enum's names"],
    ["/viz/refusals/mode", [1, 2], "components"],
    ["/viz/refusals/speed", "fast", "declared type"],
    ["/viz/refusals/speed", Number.NaN, "finite"],
    ["/viz/refusals/speed", Number.POSITIVE_INFINITY, "finite"],
    ["/viz/refusals/place", [0, Number.NaN, 0], "finite"],
  ])("is told why %s does not take %j", async (path, value, reason) => {
    await here.declare("/viz/refusals/mode", { type: "enum", values: ["one", "two"] });
    await here.declare("/viz/refusals/speed", { type: "float" });
    await here.declare("/viz/refusals/place", { type: "vec3" });
    const before = await here.get(path);
    for (const call of ["set", "write"] as const) {
      const refused = here[call](path, value);
      await expect(refused).rejects.toMatchObject({ name: "WriteRefused", message: expect.stringContaining(path) });
      await expect(refused).rejects.toMatchObject({ reason: expect.stringContaining(reason) });
    }
    expect(await here.get(path)).toEqual(before);
  });

  it("is told everything that is wrong with a declaration", async () => {
    const wrong = here.declare("/viz/wrong/x", { type: "float", range: { min: 2, max: 1 }, smoothMs: -1 });
    await expect(wrong).rejects.toMatchObject({ name: "RangeError", message: expect.stringMatching(/range.*smooth/) });
    expect(await here.get("/viz/wrong/x")).toBeUndefined();
  });
});

describe("a program's node", () => {
  it("stands for a surface: what its input is bound to moves, everywhere", async () => {
    for (const [name, text] of [
      ["source", "pedals/left"],
      ["path", "/viz/pedals/depth"],
    ] as const) {
      await follower.declare(`/mappings/pedal/${name}`, { type: "string" });
      await follower.write(`/mappings/pedal/${name}`, text);
    }
    await follower.declare("/viz/pedals/depth", { type: "float", range: { min: 0, max: 8 } });
    await hasValue(follower, "/viz/pedals/depth", 0);
    await follower.input("pedals", "left", 0.5);
    await hasValue(controller, "/viz/pedals/depth", 4);
    await expect(follower.input("pedals", "Left", 0.5)).rejects.toThrow("pedals/Left: is no name of a control");
    await expect(follower.input("pedals", "left", Number.NaN)).rejects.toThrow("the value is not a number");
  });

  it("says goodbye when it closes, lets the program end, and leaves the rest running", async () => {
    const third = await startPeer({ name: "third" });
    await inSync([controller, follower, third]);
    await third.close();
    const closedMs = Date.now();
    await inSync([controller, follower]);
    record("a library node that closes", { "unheard after ms": Date.now() - closedMs });
    third.process.child.stdin?.end();
    expect(await third.process.ended).toEqual({ code: 0, signal: null });
    await follower.write("/viz/goodbye/x", 1);
  });

  it("meets those that were given the same 32 bytes as a key, and no others", async () => {
    const mesh = `test-${randomBytes(4).toString("hex")}`;
    const [key, other] = [new Uint8Array(randomBytes(32)), new Uint8Array(randomBytes(32))];
    const [one, two, stranger] = [
      await startPeer({ mesh, key, name: "one" }),
      await startPeer({ mesh, key, name: "two" }),
      await startPeer({ mesh, key: other, name: "stranger" }),
    ];
    await inSync([one, two]);
    await inRole(stranger, "controller");
    expect((await stranger.status()).peers.heard).toBe(0);
    for (const peer of [one, two, stranger]) await peer.close();
  });

  it("takes the mesh over when its controller closes, with everything in it", async () => {
    const mesh = `test-${randomBytes(4).toString("hex")}`;
    const first = await startPeer({ mesh, name: "goes" });
    await inRole(first, "controller");
    const second = await startPeer({ mesh, name: "stays" });
    await inSync([first, second]);
    await first.write("/viz/handed/over", 7);
    await hasValue(second, "/viz/handed/over", 7);
    await first.close();
    const closedMs = Date.now();
    const version = await second.write("/viz/handed/over", 8);
    record("a controller that closes", { "next write confirmed after ms": Date.now() - closedMs });
    expect(version).toMatchObject({ term: 2, node: second.id });
    await second.close();
  });

  it.each([
    ["mesh", { mesh: "no such/name" }, 78, "mesh"],
    ["priority", { priority: 2_000 }, 78, "priority"],
    ["key", { key: new Uint8Array(31) }, 78, "32 bytes"],
    ["interface", { interface: "nowhere0" }, 69, "nowhere0"],
  ])("does not start with an impossible %s", async (_, options, exitCode, word) => {
    const failed = startPeer(options);
    await expect(failed).rejects.toMatchObject({
      name: "StartError",
      exitCode,
      message: expect.stringContaining(word),
    });
  });

  it("does not start on a port that somebody holds", async () => {
    const port = await freePort();
    const server = createServer();
    await once(server.listen(port), "listening");
    const message = expect.stringContaining(String(port));
    await expect(startPeer({ port })).rejects.toMatchObject({ name: "StartError", exitCode: 69, message });
    server.close();
  });
});
