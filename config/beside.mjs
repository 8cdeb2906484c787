/**
 * Beside: runs scripts of package.json at the same time, for what only computes beside what mostly waits.
 *
 *   node config/beside.mjs test:sim test:live
 *
 * The last one has the processor whenever it wants it, and its output comes as it is made; the others get what is left,
 * and their output comes when they end. Exit code 1 when one of them failed; all are seen to their end.
 */
import { spawn } from "node:child_process";
import { constants, setPriority } from "node:os";

const names = process.argv.slice(2);
const codes = await Promise.all(names.map((name, place) => run(name, place === names.length - 1)));
process.exitCode = codes.every((code) => code === 0) ? 0 : 1;

function run(name, isFirst) {
  const npm = process.env.npm_execpath ?? "";
  const options = { stdio: ["ignore", isFirst ? "inherit" : "pipe", isFirst ? "inherit" : "pipe"] };
  const script = npm.endsWith("npm-cli.js")
    ? spawn(process.execPath, [npm, "run", name], options)
    : spawn("npm", ["run", name], { ...options, shell: process.platform === "win32" });
  if (!isFirst) yieldProcessor(script.pid);
  const printed = [];
  for (const stream of [script.stdout, script.stderr]) stream?.on("data", (bytes) => printed.push(bytes));
  return new Promise((resolve) => {
    script.on("error", (error) => {
      process.stderr.write(`cannot run ${name}: ${error.message}\n`);
      resolve(1);
    });
    script.on("close", (code) => {
      process.stdout.write(Buffer.concat(printed));
      resolve(code ?? 1);
    });
  });
}

/** What it starts later inherits that. Where it is not allowed, both have their half. */
function yieldProcessor(pid) {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    process.stderr.write("cannot lower a priority\n");
  }
}
