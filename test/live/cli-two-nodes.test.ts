/** Commands on several nodes: what is set on one is confirmed by the controller and read on the others. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { folder, type LiveNode, startHana, startNode } from "./harness.js";

interface Peer {
  readonly name: string;
  readonly inSync: boolean;
}

async function json<Shape>(node: LiveNode, ...args: string[]): Promise<Shape> {
  return JSON.parse((await node.hana(...args, "--json")).stdout) as Shape;
}

async function until(check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 60; tries++) if (await check()) return;
  throw new Error("it never came true");
}

describe("a controller and a follower", () => {
  let first: LiveNode;
  let second: LiveNode;

  beforeAll(async () => {
    first = await startNode({ name: "first", args: ["--priority", "200"] });
    await until(async () => (await json<{ role: string }>(first, "status")).role === "controller");
    second = await startNode({ name: "second" });
    await until(async () => (await json<{ role: string }>(second, "status")).role === "follower");
  });

  it("know each other and hold the same", async () => {
    await until(async () => {
      const peers = await json<Peer[]>(first, "peers");
      return peers.length === 1 && peers[0]?.name === "second" && peers[0].inSync;
    });
    const { stdout } = await second.hana("peers");
    expect(stdout).toContain("first");
    expect(stdout).toContain("controller");
  });

  it("say that both hold exactly the same version", async () => {
    await until(async () => (await second.hana("status")).stdout.includes("2 of 2 nodes hold exactly version 1/"));
    await until(async () => (await first.hana("status")).stdout.includes("2 of 2 nodes hold exactly version 1/"));
  });

  it("show how the other one fares, again and again", async () => {
    await until(async () => {
      const [peer] = await json<{ health: string; interface: string }[]>(first, "peers");
      return peer?.health === "green" && peer.interface !== "";
    });
    const watch = startHana("peers", "--watch", "--node", first.url);
    await watch.when(() => (watch.stdout.split("NAKs").length > 2 ? true : undefined), "a second table");
    expect(watch.stdout).toContain("  green  ");
    await watch.stop("SIGINT");
  });

  it("confirm what is set on the follower, with a version", async () => {
    const written = await json<{ version: object }>(second, "set", "/viz/two/knob", "0.25");
    const { node } = await json<{ node: string }>(first, "status");
    expect(written).toMatchObject({ confirmed: true, version: { node } });
    expect((await first.hana("get", "/viz/two/knob")).stdout).toBe("0.25\n");
    const got = await json<{ origin: object }>(first, "get", "/viz/two/knob");
    expect(got.origin).toMatchObject({ surface: "cli" });
  });

  it("confirm a write to a critical path when both have it, on either of them", async () => {
    expect((await first.hana("declare", criticalFile())).code).toBe(0);
    for (const [node, word] of [
      [first, "1"],
      [second, "2"],
    ] as const) {
      const { code, stdout, stderr } = await node.hana("set", "/viz/cue/now", word, "--json");
      expect([code, JSON.parse(stdout), stderr]).toMatchObject([0, { confirmed: true, replicated: true }, ""]);
    }
    expect(await json<object>(first, "set", "/viz/two/knob", "0.25")).not.toHaveProperty("replicated");
  });

  it("show a change of one in a watch on the other, once", async () => {
    const watch = startHana("watch", "/viz/two/*", "--json", "--initial", "--node", second.url);
    await watch.waitFor((line) => line.path === "/viz/two/knob");
    for (const value of ["1", "2", "3"]) await second.hana("set", "/viz/two/knob", value);
    await first.hana("set", "/viz/two/knob", "4");
    await watch.waitFor((line) => line.value === 4);
    expect(watch.lines.map((line) => line.value)).toEqual([0.25, 1, 2, 3, 4]);
    await watch.stop("SIGINT");
  });

  it("pass control to each other, and say why not", async () => {
    const taken = await second.hana("control", "take");
    expect([taken.code, taken.stdout]).toEqual([0, `controller is ${second.ready["node"] as string}, term 2\n`]);
    expect((await second.hana("set", "/viz/two/knob", "5")).code).toBe(0);
    const given = await json<{ controller: string; term: number; tookMs: number }>(second, "control", "give", "first");
    expect(given).toMatchObject({ controller: first.ready["node"], term: 3 });
    expect(given.tookMs).toBeLessThan(500);
    expect((await first.hana("get", "/viz/two/knob")).stdout).toBe("5\n");
    const refused = await first.hana("control", "give", "nobody");
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain("nobody");
  });

  it("save the same show", async () => {
    await until(async () => {
      const [one, other] = await Promise.all([first.hana("show", "save", "-"), second.hana("show", "save", "-")]);
      return one.stdout !== "" && one.stdout === other.stdout;
    });
  });

  it("declare on the follower for both", async () => {
    const watch = startHana("watch", "/viz/flash/*", "--node", first.url);
    await until(async () => {
      const { counters } = await json<{ counters: Record<string, number> }>(first, "status");
      return counters["desk.watches"] === 1;
    });
    expect((await second.hana("set", "/viz/flash/level", "1")).code).toBe(0);
    await watch.when(() => (watch.stdout.includes("/viz/flash/level 1\n") ? true : undefined), "the first value");
    await watch.stop("SIGINT");
  });
});

function criticalFile(): string {
  const path = join(folder, "critical.toml");
  writeFileSync(path, '[viz.cue]\nnow = { type = "int", critical = true }\n');
  return path;
}

describe("a node that is alone", () => {
  it("says of a write to a critical path that nobody else has it", async () => {
    const alone = await startNode({ name: "only", mesh: "test-only" });
    await until(async () => (await json<{ role: string }>(alone, "status")).role === "controller");
    await alone.hana("declare", criticalFile());
    const { code, stdout, stderr } = await alone.hana("set", "/viz/cue/now", "1", "--json");
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { confirmed: true, replicated: false }]);
    expect(stderr).toContain("/viz/cue/now: not replicated");
    expect((await alone.hana("set", "/viz/free/knob", "1")).stderr).toBe("");
  });
});

describe("a node without a controller", () => {
  it("shows a write as pending and says that it is not confirmed", async () => {
    const alone = await startNode({ name: "alone", mesh: "test-alone", args: ["--priority", "0"] });
    const refused = await alone.hana("set", "/viz/a/b", "5", "--timeout", "0.3");
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain("not confirmed in time");
    const got = await json<object>(alone, "get", "/viz/a/b");
    expect(got).toMatchObject({ value: 5, pending: true, version: null });
    expect((await alone.hana("set", "/viz/a/b", "6", "--no-wait")).code).toBe(0);
    expect((await alone.hana("get", "/viz/a/b")).stdout).toBe("6\n");
  });
});
