/**
 * Setup: makes a fresh clone ready, so that `npm start` and `npm test` are each one command.
 *
 *   node config/setup.mjs               install what is missing, build what is stale
 *   node config/setup.mjs start ARGS…   the same, then become `hana ARGS…` in this very process
 *
 * It has no dependency, because it runs before there are any, and it does nothing when nothing changed. It must never
 * write to stdout: after `start`, that belongs to the node's log.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = resolve(fileURLToPath(import.meta.url), "../..");
const source = join(root, "src");
const output = join(root, "dist");
const main = join(output, "main.js");

installIfStale();
buildIfStale();
if (process.argv[2] === "start") await start(process.argv.slice(3));

/** npm writes its hidden lock file last, so a broken install never looks complete. */
function installIfStale() {
  const installedMs = modifiedMs(join(root, "node_modules/.package-lock.json"));
  if (installedMs >= modifiedMs(join(root, "package-lock.json"))) return;
  say("installing (npm ci)");
  const npm = process.env.npm_execpath ?? "";
  const options = ["ci", "--no-json", "--loglevel=error"];
  if (npm.endsWith("npm-cli.js")) run(process.execPath, [npm, ...options]);
  else run("npm", options, { shell: process.platform === "win32" });
}

/** The stamp carries the time the build began: a file saved while the compiler ran counts as newer. */
function buildIfStale() {
  const stamp = join(output, ".built");
  const inputs = [source, join(root, "tsconfig.json"), join(root, "package-lock.json")];
  if (modifiedMs(stamp) >= Math.max(...inputs.map(newestMs))) return;
  say("building (tsc)");
  const began = new Date();
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", root]);
  removeOrphans();
  chmodSync(main, 0o755);
  writeFileSync(stamp, "");
  utimesSync(stamp, began, began);
}

/** A module whose source was renamed or removed must not stay importable, nor be packed. */
function removeOrphans() {
  for (const file of readdirSync(output, { recursive: true, encoding: "utf8" })) {
    const module = /^(.*?)(\.d\.ts|\.js|\.js\.map)$/.exec(file)?.[1];
    if (module && !existsSync(join(source, `${module}.ts`))) rmSync(join(output, file));
  }
}

/** In this process, not in a child: signals and the exit code then need no forwarding. */
async function start(args) {
  process.argv.splice(1, process.argv.length, main, ...args);
  await import(pathToFileURL(main).href);
}

/** Our own lines and the tools' go to stderr (2). A tool that fails ends the setup with its exit code. */
function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], ...options });
  if (error) say(`cannot run ${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function say(text) {
  process.stderr.write(`hana-sync: ${text}\n`);
}

/** A missing file is older than everything. */
function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Folders count too: their time moves when a file in them is removed. */
function newestMs(path) {
  if (!statSync(path).isDirectory()) return modifiedMs(path);
  const below = readdirSync(path, { recursive: true, encoding: "utf8" });
  return below.reduce((newest, file) => Math.max(newest, modifiedMs(join(path, file))), modifiedMs(path));
}
