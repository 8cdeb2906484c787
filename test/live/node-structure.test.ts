/** Paths that come, change and go while nodes run, and what is refused however it is asked for. */
import { beforeAll, describe, expect, it } from "vitest";
import type { StatusReport } from "../../src/manage/reports.js";
import { inSync } from "../harness/library-peer.js";
import { nestedBundle, sendTo } from "../harness/osc-bundles.js";
import { until } from "../harness/until.js";
import { type LiveNode, startNode } from "./harness.js";

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

let controller: LiveNode;
let follower: LiveNode;

async function ask(node: LiveNode, route: string, body?: object): Promise<Answer> {
  const post = { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(`${node.url}/-/${route}`, body === undefined ? {} : post);
  return { status: answer.status, body: (await answer.json()) as Answer["body"] };
}

async function statusOf(node: LiveNode): Promise<StatusReport> {
  return (await ask(node, "status")).body as unknown as StatusReport;
}

function settled(...nodes: LiveNode[]): Promise<unknown> {
  return inSync(nodes.map((node) => ({ status: () => statusOf(node) })));
}

function pathReport(node: LiveNode, path: string): Promise<Answer> {
  return ask(node, `get?path=${encodeURIComponent(path)}`);
}

async function hasValue(node: LiveNode, path: string, value: unknown): Promise<void> {
  await until(
    () => pathReport(node, path),
    ({ body }) => JSON.stringify(body.value) === JSON.stringify(value),
    `${JSON.stringify(value)} at ${path}`,
  );
}

async function isGone(node: LiveNode, path: string): Promise<void> {
  await until(
    () => pathReport(node, path),
    ({ status }) => status === 404,
    `${path} to be gone`,
  );
}

async function counter(node: LiveNode, name: string): Promise<number> {
  return (await statusOf(node)).counters[name] ?? 0;
}

/** Asks for all at once, as far as a node has places for connections. */
async function forAll(paths: readonly string[], request: (path: string) => Promise<Answer>): Promise<void> {
  for (let from = 0; from < paths.length; from += 100) {
    const answers = await Promise.all(paths.slice(from, from + 100).map(request));
    expect(answers.map(({ status }) => status).filter((status) => status !== 200)).toEqual([]);
  }
}

/** An OSC message with one argument of four bytes. */
function message(address: string, tag: string, argument: Buffer): Buffer {
  const padded = Buffer.alloc(Math.ceil((address.length + 1) / 4) * 4);
  padded.write(address);
  return Buffer.concat([padded, Buffer.from(`,${tag}\0\0`), argument]);
}

const NAN = Buffer.from([0x7f, 0xc0, 0, 0]);
const HALF = Buffer.from([0x3f, 0, 0, 0]);
const ONE = Buffer.from([0x3f, 0x80, 0, 0]);

beforeAll(async () => {
  controller = await startNode({ name: "controls" });
  await until(
    () => statusOf(controller),
    ({ role }) => role === "controller",
    "a controller",
  );
  follower = await startNode({ name: "follows" });
  await settled(controller, follower);
});

describe.each(["controller", "follower"] as const)("asked of the %s", (role) => {
  let here: LiveNode;
  let there: LiveNode;
  const base = `/viz/structure-${role}`;

  beforeAll(() => {
    [here, there] = role === "controller" ? [controller, follower] : [follower, controller];
  });

  it("a declaration is on both, complete", async () => {
    const declaration = { type: "float", range: [0, 4], default: 1, unit: "m", alias: `/1/${role}`, critical: true };
    const answer = await ask(here, "declare", { declarations: { [`${base}/x`]: declaration } });
    expect(answer).toMatchObject({ status: 200, body: { declared: 1, refused: [] } });
    await hasValue(there, `${base}/x`, 1);
    const [mine, theirs] = [await pathReport(here, `${base}/x`), await pathReport(there, `${base}/x`)];
    expect(theirs.body.declaration).toEqual(mine.body.declaration);
    await sendTo(there.port, [message(`/1/${role}`, "f", HALF)]);
    for (const node of [here, there]) await hasValue(node, `${base}/x`, 0.5);
  });

  it("another declaration changes the path and keeps a value that fits", async () => {
    await ask(here, "set", { path: `${base}/x`, value: 3 });
    await ask(here, "declare", { declarations: { [`${base}/x`]: { type: "float", range: [0, 2] } } });
    for (const node of [here, there]) await hasValue(node, `${base}/x`, 2);
    await ask(here, "declare", { declarations: { [`${base}/x`]: { type: "string", default: "new" } } });
    for (const node of [here, there]) await hasValue(node, `${base}/x`, "new");
    await settled(controller, follower);
  });

  it("a rename moves the value, on both, and frees the old name", async () => {
    await ask(here, "set", { path: `${base}/before`, value: 0.5 });
    expect((await ask(here, "rename", { path: `${base}/before`, to: `${base}/after` })).status).toBe(200);
    for (const node of [here, there]) {
      await hasValue(node, `${base}/after`, 0.5);
      await isGone(node, `${base}/before`);
    }
    await ask(there, "set", { path: `${base}/before`, value: 0.25 });
    await hasValue(here, `${base}/before`, 0.25);
    await hasValue(here, `${base}/after`, 0.5);
    const taken = await ask(here, "rename", { path: `${base}/before`, to: `${base}/after` });
    expect(taken).toMatchObject({ status: 409, body: { error: "pathTaken" } });
    await settled(controller, follower);
  });

  it("a removed path is gone on both, and a new one of that name begins anew", async () => {
    await ask(here, "set", { path: `${base}/gone`, value: 7 });
    await hasValue(there, `${base}/gone`, 7);
    expect((await ask(here, "remove", { path: `${base}/gone` })).status).toBe(200);
    for (const node of [here, there]) await isGone(node, `${base}/gone`);
    expect((await ask(here, "remove", { path: `${base}/gone` })).status).toBe(404);
    await ask(there, "declare", { declarations: { [`${base}/gone`]: { type: "bool" } } });
    await hasValue(here, `${base}/gone`, false);
    await settled(controller, follower);
  });

  it("three hundred paths come, are renamed and go again", async () => {
    const paths = Array.from({ length: 300 }, (_, index) => `${base}/many/${index}`);
    await sendTo(here.port, [nestedBundle(paths, 1)]);
    for (const node of [here, there]) await hasValue(node, paths.at(-1) as string, 1);
    await settled(controller, follower);
    await forAll(paths, (path) => ask(here, "rename", { path, to: path.replace("many", "moved") }));
    await settled(controller, follower);
    expect((await pathReport(there, `${base}/moved/299`)).body.value).toBe(1);
    await forAll(paths, (path) => ask(here, "remove", { path: path.replace("many", "moved") }));
    await settled(controller, follower);
    const left = (await ask(there, "list?pattern=//*")).body as unknown as { path: string }[];
    expect(left.filter(({ path }) => path.startsWith(`${base}/m`) && /many|moved/.test(path))).toEqual([]);
    expect(left.some(({ path }) => path.startsWith(base))).toBe(true);
  });

  it("a value is clipped before it is compared: what changes nothing is no change", async () => {
    const path = `${base}/clipped`;
    await ask(here, "declare", { declarations: { [path]: { type: "float", range: [0, 10] } } });
    await ask(here, "set", { path, value: 10 });
    const { version } = (await pathReport(here, path)).body;
    expect(await ask(here, "set", { path, value: 99 })).toMatchObject({ status: 200, body: { confirmed: true } });
    await settled(controller, follower);
    for (const node of [here, there]) expect((await pathReport(node, path)).body).toMatchObject({ value: 10, version });
  });

  it.each([
    [{ path: `${base}/nan`, words: ["NaN"] }, 422],
    [{ path: `${base}/nan`, words: ["Infinity"] }, 422],
    [{ path: `${base}/mode`, value: "three" }, 422],
    [{ path: `${base}/mode`, value: 2 }, 422],
    [{ path: `${base}/place`, value: [1, 2] }, 422],
    [{ path: "/elsewhere/x", value: 1 }, 422],
    [{ path: "/global/nothing", value: 1 }, 404],
    [{ path: "/viz//x", value: 1 }, 422],
    [{ path: "/viz/a b", value: 1 }, 422],
  ])("%j is refused", async (body, status) => {
    const declarations = {
      [`${base}/nan`]: { type: "float" },
      [`${base}/mode`]: { type: "enum", values: ["one", "two"] },
      [`${base}/place`]: { type: "vec3" },
    };
    await ask(here, "declare", { declarations });
    expect((await ask(here, "set", body)).status).toBe(status);
  });

  it("NaN in OSC is refused and counted, for a known path and for a new one", async () => {
    await ask(here, "set", { path: `${base}/osc-nan`, value: 0.5 });
    const before = [await counter(here, "osc.writesRefused"), await counter(here, "osc.declarationsRefused")];
    await sendTo(here.port, [message(`${base}/osc-nan`, "f", NAN), message(`${base}/osc-new-nan`, "f", NAN)]);
    await until(
      async () => [await counter(here, "osc.writesRefused"), await counter(here, "osc.declarationsRefused")],
      (after) => JSON.stringify(after) === JSON.stringify(before.map((count) => count + 1)),
      "both to be counted",
    );
    expect((await pathReport(here, `${base}/osc-nan`)).body.value).toBe(0.5);
    expect((await pathReport(here, `${base}/osc-new-nan`)).status).toBe(404);
  });

  it("/system is not written by OSC, by address or by pattern", async () => {
    const before = await counter(here, "osc.systemWrites");
    const [system] = (await ask(here, "list?pattern=/system//")).body as unknown as { path: string; value: unknown }[];
    expect(system).toBeDefined();
    const { path = "", value } = system ?? {};
    await sendTo(here.port, [
      message(path, "s", Buffer.from("me\0\0")),
      message("/system/new", "f", ONE),
      message("/s*/**", "s", Buffer.from("me\0\0")),
    ]);
    await until(
      () => counter(here, "osc.systemWrites"),
      (count) => count >= before + 3,
      "the refusals",
    );
    expect((await pathReport(here, path)).body.value).toEqual(value);
    expect((await pathReport(here, "/system/new")).status).toBe(404);
  });
});

describe("a node that is strict", () => {
  it("declares nothing by itself, and counts it", async () => {
    const strict = await startNode({ name: "strict", mesh: "strict-mesh", args: ["--declare", "strict"] });
    await sendTo(strict.port, [message("/viz/new/x", "f", ONE), message("/viz/new/y", "f", ONE)]);
    await until(
      () => counter(strict, "osc.declarationsRefused"),
      (count) => count === 2,
      "two refusals",
    );
    expect(await ask(strict, "set", { path: "/viz/new/x", value: 1 })).toMatchObject({
      status: 403,
      body: { error: "strict", reason: expect.stringContaining("/viz/new/x") },
    });
    expect((await strict.hana("set", "/viz/new/x", "1")).code).toBe(1);
    expect((await statusOf(strict)).counters["node.pathsRefused"]).toBe(4);
    expect((await ask(strict, "declare", { declarations: { "/viz/new/x": { type: "float" } } })).status).toBe(200);
    expect((await ask(strict, "set", { path: "/viz/new/x", value: 1 })).status).toBe(200);
    await strict.stop();
  });

  it("caps what declares itself", async () => {
    const capped = await startNode({ name: "capped", mesh: "capped-mesh", args: ["--declare-cap", "3"] });
    const paths = ["a", "b", "c", "d", "e"].map((name) => `/viz/capped/${name}`);
    await sendTo(
      capped.port,
      paths.map((path) => message(path, "f", ONE)),
    );
    await until(
      () => counter(capped, "osc.declarationsRefused"),
      (count) => count === 2,
      "two refusals",
    );
    for (const path of paths.slice(0, 3)) await hasValue(capped, path, 1);
    expect(await ask(capped, "set", { path: "/viz/capped/f", value: 1 })).toMatchObject({
      status: 507,
      body: { error: "autoFull" },
    });
    await capped.stop();
  });
});
