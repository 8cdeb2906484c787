/** `npm start` is what the README says first: what it prints, what it forwards, how it ends. */
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { rootFolder, Sandbox } from "../harness/process.js";
import { freePort, mesh } from "./harness.js";

const sandbox = new Sandbox();
const options = { cwd: rootFolder, env: sandbox.newHome() };
afterAll(() => sandbox.close());

async function argumentsOfStart(): Promise<string[]> {
  const dataDir = join(sandbox.folder, "data");
  const flags = ["--mesh", mesh, "--interface", "127.0.0.1", "--port", String(await freePort()), "--data-dir", dataDir];
  return ["start", "--", ...flags];
}

it("logs nothing but JSON, hands its arguments on, and ends cleanly on SIGTERM", async () => {
  const args = await argumentsOfStart();
  const [running, ready] = await sandbox.startReady("npm", args, options);
  expect(ready.mesh).toBe(mesh);
  expect(await running.stop()).toEqual({ code: 0, signal: null });
  expect(running.notJson).toEqual([]);
  expect(running.lines.every(({ event }) => typeof event === "string")).toBe(true);
});

it("ends cleanly when Ctrl-C reaches it twice, from the terminal and from npm", async () => {
  const [running] = await sandbox.startReady("npm", await argumentsOfStart(), options);
  running.child.kill("SIGINT");
  await new Promise((resolve) => setTimeout(resolve, 5)); // Two signals at once would arrive as one.
  running.child.kill("SIGINT");
  expect((await running.ended).code).toBe(0);
});

it("passes the exit code of a usage error on", async () => {
  const { code, stderr } = await sandbox.run("npm", ["start", "--", "--no-such-flag"], options);
  expect(code).toBe(2);
  expect(stderr).toContain("--no-such-flag");
});
