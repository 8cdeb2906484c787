/** `hana run` from start to stop: the log, the exit codes, the signals. */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { rootFolder } from "../harness/process.js";
import { folder, freePort, hana, hanaAs, mesh, startHana, startNode, user } from "./harness.js";

function runArgs(port: number, name: string): string[] {
  const place = ["--port", String(port), "--data-dir", join(folder, name), "--name", name];
  return ["run", "--interface", "127.0.0.1", "--mesh", mesh, ...place];
}

describe("the log", () => {
  it("is JSON with an event on every line, and says ready once, with everything in it", async () => {
    const node = await startNode({ name: "logged" });
    await node.process.waitFor("next");
    expect(await node.stop()).toEqual({ code: 0, signal: null });
    expect(node.process.notJson).toEqual([]);
    expect(node.process.stderr).toBe("");
    for (const line of node.process.lines) expect(line.event).toMatch(/^[a-z-]+$/);
    const ready = node.process.lines.filter((line) => line.event === "ready");
    expect(ready).toHaveLength(1);
    expect(ready[0]).toMatchObject({ port: node.port, mesh, address: "127.0.0.1", dataDir: node.dataDir });
    expect(ready[0]?.node).toMatch(/^[0-9a-f]{16}$/);
    expect(ready[0]?.msg).toContain(String(node.port));
    expect(node.process.lines.at(-1)?.event).toBe("stopped");
  });

  it("names a line to type next that works", async () => {
    const node = await startNode({ name: "next" });
    const { command } = await node.process.waitFor("next");
    const words = String(command).split(" ").slice(2);
    expect((await hana(...words)).code).toBe(0);
    expect((await node.hana("get", words[1] as string)).stdout).toBe(`${words[2]}\n`);
    await node.stop();
  });

  it("may be read by nobody any more: the show goes on", async () => {
    const node = await startNode({ name: "unread" });
    node.process.child.stdout?.destroy();
    await node.hana("set", "/viz/a/b", "1");
    expect((await node.hana("get", "/viz/a/b")).stdout).toBe("1\n");
    expect((await node.stop()).code).toBe(0);
    expect(node.process.stderr).toBe("");
  });
});

describe("signals", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("stops cleanly on %s", async (signal) => {
    const node = await startNode({ name: `stops-${signal.toLowerCase()}` });
    expect(await node.stop(signal)).toEqual({ code: 0, signal: null });
    expect(node.process.lines.map((line) => line.event)).toContain("stopping");
  });

  it("frees its port and its folder for the next start", async () => {
    const first = await startNode({ name: "again" });
    await first.stop();
    const second = await startNode({ name: "again", port: first.port, dataDir: first.dataDir });
    expect(second.ready.node).toBe(first.ready.node);
    await second.stop();
  });

  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("ends at once on a second %s when it does not come to an end", async (signal, code) => {
    const stuck = join(folder, "stuck.mjs");
    writeFileSync(
      stuck,
      `import { runCommand } from ${JSON.stringify(pathToFileURL(join(rootFolder, "dist/cli/program.js")).href)};
       const ready = { node: "0".repeat(16), mesh: "m", port: 9, interface: "lo", address: "127.0.0.1", dataDir: "d" };
       const never = new Promise(() => {});
       setInterval(() => {}, 1_000);
       await runCommand(["run"], async () => ({ ready, failed: never, close: () => never }));`,
    );
    const running = spawn(process.execPath, [stuck], { env: user });
    let text = "";
    running.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      // The command to type next comes after ready; then a signal can come.
      if (text.includes('"next"') && !text.includes('"stopping"')) running.kill(signal);
      // One key may arrive twice, from the terminal and from npm: the next press comes later.
      if (text.includes('"stopping"')) setTimeout(() => running.kill(signal), 300);
    });
    expect(await once(running, "close")).toEqual([code, null]);
    expect(text).not.toContain('"stopped"');
  });

  it("stops while somebody watches", async () => {
    const node = await startNode({ name: "watched" });
    const watch = startHana("watch", "--initial", "--node", node.url);
    await watch.when(() => (watch.stdout === "" ? undefined : true), "the first line");
    expect(await node.stop()).toEqual({ code: 0, signal: null });
    await watch.ended;
  });
});

describe("what is not to be had", () => {
  it("exits 69 and names the port when UDP is taken", async () => {
    const port = await freePort();
    const socket = createSocket("udp4");
    await once(socket.bind(port), "listening");
    const { code, stderr } = await hana(...runArgs(port, "udp-taken"));
    socket.close();
    expect([code, stderr]).toEqual([69, expect.stringContaining(String(port))]);
  });

  it("exits 69 and names the port when TCP is taken", async () => {
    const port = await freePort();
    const server = createServer();
    await once(server.listen(port), "listening");
    const { code, stderr, stdout } = await hana(...runArgs(port, "tcp-taken"));
    server.close();
    expect([code, stderr]).toEqual([69, expect.stringContaining(`TCP port ${port}`)]);
    expect(stdout).not.toContain('"ready"');
  });

  it("exits 69 for an interface that is not there, and says which are", async () => {
    const { code, stderr } = await hana(
      "run",
      "--interface",
      "nowhere0",
      "--mesh",
      mesh,
      "--port",
      String(await freePort()),
    );
    expect(code).toBe(69);
    expect(stderr).toContain("127.0.0.1");
  });

  it("exits 78 for a show with mistakes, all of them named", async () => {
    const args = runArgs(await freePort(), "bad-show");
    const { code, stderr } = await hana(...args, "--show", join(folder, "missing-show.toml"));
    expect([code, stderr]).toEqual([78, expect.stringContaining("missing-show.toml")]);
  });

  it.each([
    ["the settings file", '[control]\npolicy = "hold"\n', [], {}, "elect.toml:2"],
    ["a flag", "", ["--control-policy", "hold"], {}, "--control-policy"],
    ["the environment", "", [], { HANA_CONTROL_POLICY: "hold" }, "HANA_CONTROL_POLICY"],
    // The policy is what is wrong, wherever the rest of the table comes from.
    [
      "the settings file, with another setting of the table as a flag",
      '[control]\npolicy = "hold"\n',
      ["--control-conflicts", "viz=manual"],
      {},
      "elect.toml:2",
    ],
  ] as const)("exits 78 for hold without electors in %s, and names it", async (_, text, flags, env, place) => {
    const file = join(folder, "elect.toml");
    writeFileSync(file, text);
    const args = [...runArgs(await freePort(), "no-electors"), "--config", file, ...flags];
    const { code, stdout, stderr } = await hanaAs(env, ...args);
    expect([code, stdout]).toEqual([78, ""]);
    expect(stderr).toContain(place);
    expect(stderr).toContain("control.electors");
    expect((await hanaAs({ ...env, HANA_CONTROL_ELECTORS: " , " }, ...args)).code).toBe(78);
  });

  it("starts under hold with electors, which may be given elsewhere than the policy", async () => {
    const file = join(folder, "hold.toml");
    writeFileSync(file, '[control]\npolicy = "hold"\n');
    const env = { HANA_CONTROL_ELECTORS: "holder" };
    const node = await startNode({ name: "holder", mesh: `${mesh}-hold`, args: ["--config", file], env });
    expect((await node.hana("set", "/viz/held/x", "1")).code).toBe(0);
    expect((await node.stop()).code).toBe(0);
  });
});

it("lists the interfaces and ends", async () => {
  const { code, stdout } = await hana("run", "--list-interfaces");
  expect([code, stdout]).toEqual([0, expect.stringContaining("127.0.0.1")]);
  const listed = JSON.parse((await hana("run", "--list-interfaces", "--json")).stdout);
  expect(listed).toContainEqual(expect.objectContaining({ address: "127.0.0.1" }));
});
