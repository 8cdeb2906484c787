/** Two machines that each made a key of their own: they say so, and a join code makes them one mesh. */
import { beforeAll, describe, expect, it } from "vitest";
import type { StatusReport } from "../../src/manage/reports.js";
import { until } from "../harness/until.js";
import { type Lan, lanUp, type RigNode } from "./rig.js";

let lan: Lan;
let users: { h1: NodeJS.ProcessEnv; h2: NodeJS.ProcessEnv };
let first: RigNode;
let second: RigNode;

beforeAll(async () => {
  lan = await lanUp(2);
  users = { h1: lan.newUser(), h2: lan.newUser() };
  first = await lan.startNode("h1", { env: users.h1 });
  second = await lan.startNode("h2", { env: users.h2 });
});

describe("two keys in one mesh", () => {
  it("are named by both nodes, with the other's address and the remedy", async () => {
    for (const [host, other, node] of [
      ["h1", "h2", first],
      ["h2", "h1", second],
    ] as const) {
      const text = `node at ${await lan.addr(other)} uses another key; run \`hana join\``;
      await until(
        () => lan.status(host),
        ({ health }) => health.some((finding) => finding.code === "foreign-key" && finding.text.includes(text)),
        `${host} to name ${other}`,
      );
      expect((await lan.cli(host, "status")).stdout).toContain(text);
      await node.process.waitFor((line) => line.event === "health" && String(line.msg).includes(text));
    }
  });

  it("keep the nodes apart", async () => {
    await lan.inRole("h1", "controller");
    await lan.inRole("h2", "controller");
    expect((await lan.cli("h1", "set", "/viz/mine/x", "1")).code).toBe(0);
    const { peers, counters } = await lan.status("h2");
    expect(peers.heard).toBe(0);
    expect(counters["seal.wrongKey"]).toBeGreaterThan(0);
    expect(await lan.get("h2", "/viz/mine/x")).toBe("");
  });

  it("become one by the join code of the first", async () => {
    const shown = await lan.cliAs(users.h1, "h1", "key", "show", "--mesh", lan.mesh);
    const code = shown.stdout.trim();
    expect(code).toMatch(/^HANA-/);
    const refused = await lan.cliAs(users.h2, "h2", "join", code);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("--force")]);
    expect(await lan.cliAs(users.h2, "h2", "join", code, "--force")).toMatchObject({ code: 0, stderr: "" });
    await second.stop();
    second = await lan.startNode("h2", { env: users.h2, dataDir: second.dataDir });
    await lan.inSync("h1", "h2");
    await lan.hasValue("h2", "/viz/mine/x", "1");
    expect((await lan.status("h2")).health).toEqual([]);
  });

  it("are forgotten by the first once nobody uses the other one", async () => {
    await until(
      () => lan.status("h1"),
      ({ health }) => health.every(({ code }) => code !== "foreign-key"),
      "h1 to be well",
    );
    await first.process.waitFor((line) => line.event === "health-well" && line.code === "foreign-key");
  });
});

it("a second user of one machine needs the code as well", async () => {
  const stranger = await lan.startNode("h1", { env: lan.newUser(), name: "stranger", args: ["--port", "7710"] });
  const own = await lan.startNode("h1", { env: users.h1, name: "own", args: ["--port", "7720"] });
  const [one, other] = ["http://127.0.0.1:7710", "http://127.0.0.1:7720"];
  const heardBy = async (url: string): Promise<number> =>
    (JSON.parse((await lan.cli("h1", "status", "--json", "--node", url)).stdout) as StatusReport).peers.heard;
  await until(
    () => heardBy(other),
    (heard) => heard === 2,
    "the user's own nodes to meet",
  );
  expect(await heardBy(one)).toBe(0);
  await own.stop();
  await stranger.stop();
});
