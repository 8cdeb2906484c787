/**
 * Global setup of the live and rig tests: the built node is never older than its sources.
 *
 * A build with type errors still emits, and `npm test` has refused it before it comes here; when a single file is run
 * by hand, the errors are printed and the tests go on.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mainFile, rootFolder } from "./process.js";

export function setup(): void {
  const { status } = spawnSync(process.execPath, ["config/setup.mjs"], { cwd: rootFolder, stdio: ["ignore", 2, 2] });
  if (status !== 0 && !existsSync(mainFile)) throw new Error("the build failed and left no dist/main.js");
}
