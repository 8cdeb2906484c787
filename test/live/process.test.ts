/** The harness itself, on scripts that stand in for a node: a harness that hides a failure makes every live test void. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Sandbox } from "../harness/process.js";

const sandbox = new Sandbox();
const user = sandbox.newHome();
afterAll(() => sandbox.close());
let scripts = 0;

function script(source: string): string[] {
  const file = join(sandbox.folder, `fake${++scripts}.mjs`);
  writeFileSync(file, source);
  return [file];
}

const log = `const log = (line) => console.log(JSON.stringify(line));`;
const ready = `${log} log({ event: "start" }); log({ event: "ready", port: 7 }); setInterval(() => {}, 1000);`;

describe("a started process", () => {
  it("is ready when it says so, and its line is at hand", async () => {
    const [running, line] = await sandbox.startReady(process.execPath, script(ready));
    expect(line.port).toBe(7);
    expect(running.lines.map((one) => one.event)).toEqual(["start", "ready"]);
    expect(await running.stop()).toEqual({ code: null, signal: "SIGTERM" });
  });

  it("that ends before it is ready rejects with its exit code and what it printed", async () => {
    const failing = script(`${log} log({ event: "start" }); console.error("port in use"); process.exitCode = 69;`);
    const started = sandbox.startReady(process.execPath, failing);
    await expect(started).rejects.toThrow(/the process ended.*"ready"[^]*ended with 69[^]*port in use/);
  });

  it("that cannot be started rejects", async () => {
    await expect(sandbox.startReady(join(sandbox.folder, "missing"), [])).rejects.toThrow("ENOENT");
  });

  it("that stays silent rejects when the time has passed", async () => {
    const running = sandbox.start(process.execPath, script("setInterval(() => {}, 1000);"));
    await expect(running.waitFor("ready", 300)).rejects.toThrow("300 ms passed");
    await running.stop();
  });

  it("keeps a line that is not JSON apart, and puts lines together that came in pieces", async () => {
    const pieces = `process.stdout.write('{"event":'); setTimeout(() => process.stdout.write('"late"}\\noops\\n'), 50);`;
    const running = sandbox.start(process.execPath, script(pieces));
    await running.waitFor("late");
    await running.ended;
    expect(running.notJson).toEqual(["oops"]);
  });

  it("stops with its own exit code after a signal", async () => {
    const graceful = `process.on("SIGTERM", () => { log({ event: "stop" }); process.exit(0); }); ${ready}`;
    const [running] = await sandbox.startReady(process.execPath, script(graceful));
    expect(await running.stop()).toEqual({ code: 0, signal: null });
    expect(running.lines.at(-1)?.event).toBe("stop");
  });

  it("that ignores the signal is killed and reported", async () => {
    const stubborn = `process.on("SIGTERM", () => {}); ${ready}`;
    const [running] = await sandbox.startReady(process.execPath, script(stubborn));
    await expect(running.stop("SIGTERM", 300)).rejects.toThrow("still running 300 ms after SIGTERM");
    expect(running.exit).toEqual({ code: null, signal: "SIGKILL" });
  });
});

it("a process that leaves another behind, with its output, still counts as ended", async () => {
  const parent = script(`
    import { spawn } from "node:child_process";
    const left = spawn("sleep", ["5"], { stdio: "inherit" });
    left.unref();
  `);
  const { code, stderr } = await sandbox.run(process.execPath, parent, { timeoutMs: 4_000 });
  expect(code).toBe(0);
  expect(stderr).toContain("left a process behind");
});

describe("a command", () => {
  it("gives its output and its exit code", async () => {
    const command = script(`console.log("out"); console.error("err"); process.exitCode = 78;`);
    const finished = await sandbox.run(process.execPath, command);
    expect(finished).toEqual({ code: 78, signal: null, stdout: "out\n", stderr: "err\n" });
  });

  it("that outlasts its time is killed and reported", async () => {
    const endless = script("setInterval(() => {}, 1000);");
    await expect(sandbox.run(process.execPath, endless, { timeoutMs: 300 })).rejects.toThrow("not done after 300 ms");
  });

  it("runs as a user with an empty home and none of the caller's HANA_ settings", async () => {
    process.env.HANA_PORT = "1";
    const env = sandbox.newHome();
    delete process.env.HANA_PORT;
    const show = script("console.log(JSON.stringify(process.env));");
    const { stdout } = await sandbox.run(process.execPath, show, { env });
    const seen = JSON.parse(stdout);
    expect(seen.HANA_PORT).toBeUndefined();
    for (const name of ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"]) expect(seen[name]).toContain(sandbox.folder);
    expect(seen.HOME).not.toBe(user.HOME);
  });
});

it("a closed sandbox leaves no process and no folder", async () => {
  const own = new Sandbox();
  const [running] = await own.startReady(process.execPath, script(ready));
  const { pid } = running;
  await own.close();
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  expect(existsSync(own.folder)).toBe(false);
});
