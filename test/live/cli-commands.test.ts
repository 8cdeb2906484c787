/** The command line against a running node, as a person types it: output, exit codes, pipes. */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { mainFile, rootFolder } from "../harness/process.js";
import { folder, freePort, hana, hanaAs, type LiveNode, newUser, startHana, startNode, user } from "./harness.js";

const SHOW = `
[viz.a]
zoom = { type = "float", range = [0, 10], default = 1 }
mode = { type = "enum", values = ["one", "two"] }
flash = { type = "impulse" }
tint = { type = "color" }
title = { type = "string" }
on = { type = "bool" }
`;
let node: LiveNode;

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

beforeAll(async () => {
  node = await startNode({ args: ["--show", file("show.toml", SHOW)] });
});

describe("get and set", () => {
  it.each([
    ["/viz/a/zoom", ["2.5"], "2.5"],
    ["/viz/a/zoom", ["99"], "10"],
    ["/viz/a/mode", ["two"], "two"],
    ["/viz/a/tint", ["1", "0.5", "0"], "1 0.5 0 1"],
    ["/viz/a/title", ["two words", "and ☃"], "two words and ☃"],
    ["/viz/a/on", ["yes"], "true"],
    ["/viz/new/low", ["-0.25"], "-0.25"],
    ["/viz/new/place", ["-1", "0", "1e3"], "-1 0 1000"],
  ])("sets %s to %j and reads %j", async (path, words, text) => {
    expect(await node.hana("set", path, ...words)).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
    expect(await node.hana("get", path)).toEqual({ code: 0, signal: null, stdout: `${text}\n`, stderr: "" });
  });

  it("prints JSON on request, with who wrote it", async () => {
    const { stdout } = await node.hana("set", "/viz/a/zoom", "3", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ path: "/viz/a/zoom", confirmed: true });
    const got = JSON.parse((await node.hana("get", "/viz/a/zoom", "--json")).stdout);
    expect(got).toMatchObject({ path: "/viz/a/zoom", value: 3, type: "float", origin: { surface: "cli" } });
    expect(Math.abs(Date.now() - got.time)).toBeLessThan(60_000);
  });

  it("does not wait when told so", async () => {
    const { code, stdout } = await node.hana("set", "/viz/a/zoom", "4", "--no-wait", "--json");
    expect([code, JSON.parse(stdout).confirmed]).toEqual([0, false]);
  });

  it("says on stderr what was refused, and exits 1", async () => {
    for (const args of [
      ["get", "/viz/nothing"],
      ["set", "/viz/a/zoom", "fast"],
      ["set", "/elsewhere/x", "1"],
    ]) {
      const { code, stdout, stderr } = await node.hana(...args);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain(args[1]);
    }
  });

  it("says when no node answers, and exits 1", async () => {
    const { code, stderr } = await hana("get", "/viz/a/zoom", "--node", `http://127.0.0.1:${await freePort()}`);
    expect([code, stderr]).toEqual([1, expect.stringContaining("hana run")]);
  });

  it("takes --node before the command as well as after it, and not for commands that ask no node", async () => {
    for (const args of [
      ["--node", node.url, "get", "/viz/a/mode"],
      ["get", "--node", node.url, "/viz/a/mode"],
      ["--node", "ftp://nowhere", "get", "/viz/a/mode", "--node", node.url],
    ]) {
      expect(await hana(...args)).toEqual({ code: 0, signal: null, stdout: "two\n", stderr: "" });
    }
    const { code, stderr } = await hana("--node", node.url, "key", "show");
    expect([code, stderr]).toEqual([2, expect.stringContaining("--node")]);
  });

  it("takes the node from HANA_NODE", async () => {
    const { stdout } = await hanaAs({ HANA_NODE: node.url }, "get", "/viz/a/mode");
    expect(stdout).toBe("two\n");
  });

  it.each([
    [["get"]],
    [["get", "/viz/a/zoom", "--bogus"]],
    [["bogus"]],
    [[]],
    [["set", "/viz/a/zoom", "1", "--timeout", "soon"]],
    [["get", "/x", "--node", "ftp://127.0.0.1"]],
    [["osc", "send", "nowhere", "/a"]],
    [["key"]],
  ])("exits 2 for the wrong use %j", async (args) => {
    const { code, stdout, stderr } = await hana(...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).not.toBe("");
  });

  it("prints help on stdout when asked, and exits 0", async () => {
    const { code, stdout } = await hana("run", "--help");
    expect(code).toBe(0);
    for (const flag of ["--config", "--http-host", "--osc-out", "--list-interfaces", "--key-file"]) {
      expect(stdout).toContain(flag);
    }
  });
});

describe("watch", () => {
  it("prints changes as they happen", async () => {
    const watch = startHana("watch", "/viz/a/*", "--node", node.url);
    const json = startHana("watch", "/viz/a/zoom", "--json", "--initial", "--node", node.url);
    await json.waitFor((line) => line.path === "/viz/a/zoom");
    await until(() => watchCount(2));
    await node.hana("set", "/viz/a/zoom", "7");
    await node.hana("trigger", "/viz/a/flash");
    await watch.when(() => (watch.stdout.includes("/viz/a/flash\n") ? true : undefined), "the impulse");
    expect(watch.stdout).toBe("/viz/a/zoom 7\n/viz/a/flash\n");
    const line = await json.waitFor((candidate) => candidate.value === 7);
    expect(Object.keys(line)).toEqual(["path", "value", "version", "origin", "time"]);
    await watch.stop("SIGINT");
    await json.stop("SIGINT");
  });

  it("ends quietly when its reader has enough", async () => {
    const watch = spawn(
      "sh",
      ["-c", `"${process.execPath}" "${mainFile}" watch --initial --node ${node.url} | head -1`],
      {
        env: user,
      },
    );
    let text = "";
    watch.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    watch.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const writes = setInterval(() => void node.hana("set", "/viz/a/zoom", String(Math.random())), 500);
    const [code] = (await once(watch, "close")) as [number];
    clearInterval(writes);
    expect([code, text.split("\n").length]).toEqual([0, 2]);
    expect(text.startsWith("/")).toBe(true);
  });

  it("says so and exits 1 when the node goes", async () => {
    const other = await startNode({ name: "short" });
    const watch = startHana("watch", "--initial", "--node", other.url);
    await watch.when(() => (watch.stdout === "" ? undefined : true), "the first line");
    await other.stop();
    expect(await watch.ended).toEqual({ code: 1, signal: null });
    expect(watch.stderr).toContain("ended");
  });

  async function watchCount(wanted: number): Promise<boolean> {
    const status = JSON.parse((await node.hana("status", "--json")).stdout);
    return status.counters["desk.watches"] === wanted;
  }
});

async function until(check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 50; tries++) if (await check()) return;
  throw new Error("it never came true");
}

describe("shows", () => {
  it("saves a show that gives the same again", async () => {
    const path = join(folder, "saved.toml");
    await node.hana("set", "/viz/a/title", "saved");
    expect((await node.hana("show", "save", path)).code).toBe(0);
    const text = readFileSync(path, "utf8");
    expect((await node.hana("show", "save", "-")).stdout).toBe(text);
    const again = await startNode({ name: "again", mesh: "another-mesh", args: ["--show", path] });
    expect((await again.hana("get", "/viz/a/title")).stdout).toBe("saved\n");
    expect((await again.hana("show", "save", "-")).stdout).toBe(text);
    await again.stop();
  });

  it("declares what a file says, with its values", async () => {
    const path = file("more.toml", '[viz.more]\ncount = { type = "int" }\n[values]\n"/viz/more/count" = 4\n');
    expect((await node.hana("declare", path, "--json")).stdout).toBe('{"declared":1,"refused":[]}\n');
    expect((await node.hana("get", "/viz/more/count")).stdout).toBe("4\n");
  });

  it("names file, line and path of every mistake, and exits 78", async () => {
    const path = file("bad.toml", '[viz.bad]\nx = { type = "flaot" }\ny = { type = "int", range = [2, 1] }\n');
    const { code, stderr } = await node.hana("declare", path);
    expect(code).toBe(78);
    expect(stderr.trim().split("\n")).toHaveLength(2);
    expect(stderr).toContain("bad.toml:2");
  });
});

describe("status and peers", () => {
  it("tells a person and a program the same", async () => {
    const status = JSON.parse((await node.hana("status", "--json")).stdout);
    expect(status).toMatchObject({ name: node.name, mesh: node.mesh, role: "controller" });
    const { stdout } = await node.hana("status");
    expect(stdout).toContain(`${status.name} (${status.node})`);
    expect(stdout).toContain(status.state.components.viz.digest);
    expect(JSON.parse((await node.hana("peers", "--json")).stdout)).toEqual([]);
  });
});

describe("osc", () => {
  it("sends a message that the node takes", async () => {
    expect(await hana("osc", "send", `127.0.0.1:${node.port}`, "/viz/a/zoom", "6")).toMatchObject({
      code: 0,
      stdout: "",
    });
    await until(async () => (await node.hana("get", "/viz/a/zoom")).stdout === "6\n");
    const got = JSON.parse((await node.hana("get", "/viz/a/zoom", "--json")).stdout);
    expect(got.origin.surface).toContain("127.0.0.1");
  });

  it("prints what arrives, of every type, and ends after a count", async () => {
    const port = await freePort();
    const listen = startHana("osc", "listen", String(port), "--count", "2");
    const socket = createSocket("udp4");
    const color = Buffer.from("/viz/a/tint\0,r\0\0\x11\x22\x33\xff", "latin1");
    const array = Buffer.from("/a\0\0,[if]sTN\0\0\0\0\0\0\0\x07\x3d\xcc\xcc\xcdx\0\0\0", "latin1");
    const sending = setInterval(() => {
      socket.send("rubbish", port, "127.0.0.1");
      socket.send(color, port, "127.0.0.1");
      socket.send(array, port, "127.0.0.1");
    }, 100);
    const exit = await listen.ended;
    clearInterval(sending);
    socket.close();
    expect(exit.code).toBe(0);
    expect(listen.stdout).toBe('/viz/a/tint r "#112233ff"\n/a [if]sTN 7 0.1 "x"\n');
    expect(listen.stderr).toContain("notAPacket");
  });

  it("exits 69 when the port is taken", async () => {
    const { code, stderr } = await hana("osc", "listen", String(node.port));
    expect([code, stderr]).toEqual([69, expect.stringContaining(String(node.port))]);
  });
});

describe("keys", () => {
  it("makes one, shows it, and installs it for another user", async () => {
    const env = newUser();
    const made = await hanaAs(env, "key", "new", "--mesh", "club", "--json");
    const { file: path } = JSON.parse(made.stdout) as { file: string };
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const { stdout: code } = await hanaAs(env, "key", "show", "--mesh", "club");
    expect(code).toMatch(/^HANA-[0-9A-Z-]+\n$/);

    const other = newUser();
    const joined = await hanaAs(other, "join", ...code.toLowerCase().trim().split("-"));
    expect(joined).toMatchObject({ code: 0, stdout: expect.stringContaining("club") });
    expect((await hanaAs(other, "key", "show", "--mesh", "club")).stdout).toBe(code);
    expect((await hanaAs(other, "join", code.trim())).code).toBe(0);
  });

  it("replaces a key only when forced", async () => {
    const env = newUser();
    await hanaAs(env, "key", "new");
    const { stdout: first } = await hanaAs(env, "key", "show");
    const again = await hanaAs(env, "key", "new");
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("--force")]);
    expect((await hanaAs(env, "key", "show")).stdout).toBe(first);
    expect((await hanaAs(env, "key", "new", "--force")).code).toBe(0);
    expect((await hanaAs(env, "key", "show")).stdout).not.toBe(first);
    expect((await hanaAs(env, "join", first.trim())).code).toBe(1);
  });

  it("refuses what is no join code, and a key that is not there", async () => {
    expect(await hana("join", "HANA-12345")).toMatchObject({ code: 1, stderr: expect.stringContaining("join code") });
    expect((await hanaAs(newUser(), "key", "show", "--mesh", "nobody")).code).not.toBe(0);
  });
});

describe("config", () => {
  it("prints settings that give themselves again", async () => {
    const { stdout } = await hana("config", "print", "--port", "8000", "--osc-out", "127.0.0.1:9,/viz//");
    const path = file("printed.toml", stdout);
    expect((await hana("config", "print", "--config", path)).stdout).toBe(stdout);
    expect(stdout).toContain("port = 8000");
  });

  it("lets flags win over the environment, and that over the file", async () => {
    const path = file("layers.toml", 'port = 8001\nname = "file"\nmesh = "file"\n');
    const env = { HANA_NAME: "environment", HANA_MESH: "environment", HANA_UNKNOWN: "x" };
    const { stdout } = await hanaAs(env, "config", "print", "--config", path, "--mesh", "flag");
    expect(stdout).toContain("port = 8001");
    expect(stdout).toContain('name = "environment"');
    expect(stdout).toContain('mesh = "flag"');
  });

  it("says everything that is wrong at once, and exits 78", async () => {
    const path = file("wrong.toml", "port = 99999\nprot = 1\n");
    const args = ["--config", path, "--priority", "many", "--log-level", "loud"];
    const { code, stdout, stderr } = await hana("config", "check", ...args);
    expect([code, stdout]).toEqual([78, ""]);
    for (const part of ["wrong.toml:1", "wrong.toml:2", "--priority", "--log-level"]) expect(stderr).toContain(part);
    expect((await hana("run", ...args)).stderr).toBe(stderr);
  });

  it("checks the show that the settings name", async () => {
    const show = file("broken-show.toml", "[viz.a]\nx = 1\n");
    expect(await hana("config", "check", "--show", show)).toMatchObject({ code: 78, stdout: "" });
    expect((await hana("config", "check", "--show", join(rootFolder, "config/show.example.toml"))).code).toBe(0);
    expect((await hana("config", "check", "--config", join(folder, "missing.toml"))).code).toBe(78);
  });

  it("prints the schema that is in the package", async () => {
    const schema = JSON.parse((await hana("config", "schema")).stdout);
    expect(schema).toEqual(JSON.parse(readFileSync(join(rootFolder, "config/hana.schema.json"), "utf8")));
  });
});

describe("demo", () => {
  it("moves parameters for as long as it was told", async () => {
    const watch = startHana("watch", "/viz/demo/*", "--json", "--node", node.url);
    const demo = await node.hana("demo", "--seconds", "1.5", "--rate", "10");
    expect(demo).toMatchObject({ code: 0, stdout: expect.stringContaining("hana watch") });
    for (const name of ["wave", "orbit", "tint", "bar", "beat"]) {
      await watch.waitFor((line) => line.path === `/viz/demo/${name}`);
    }
    expect(watch.lines.filter((line) => line.path === "/viz/demo/wave").length).toBeGreaterThan(5);
    await watch.stop("SIGINT");
  });
});
