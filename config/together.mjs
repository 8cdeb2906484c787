/**
 * Together: runs scripts of package.json, two at a time, in the order in which they are named.
 *
 *   node config/together.mjs check:lint check:types check:package
 *
 * For what computes on one core each. What a script prints comes when it has ended, so nothing is mixed. All are seen to
 * their end; the exit code is 1 when one of them failed.
 */
import { spawn } from "node:child_process";

const AT_ONCE = 2;
const waiting = process.argv.slice(2);

async function work() {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if ((await run(name)) !== 0) process.exitCode = 1;
  }
}

function run(name) {
  const npm = process.env.npm_execpath ?? "";
  const options = { stdio: ["ignore", "pipe", "pipe"] };
  const script = npm.endsWith("npm-cli.js")
    ? spawn(process.execPath, [npm, "run", name], options)
    : spawn("npm", ["run", name], { ...options, shell: process.platform === "win32" });
  const printed = [];
  for (const stream of [script.stdout, script.stderr]) stream.on("data", (bytes) => printed.push(bytes));
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

await Promise.all(Array.from({ length: AT_ONCE }, work));
