#!/usr/bin/env node
/**
 * Main: the `hana` command. Hands the composition root to the command line, which loads it only for `hana run`.
 */
import { runCommand } from "./cli/program.js";

process.exitCode = await runCommand(process.argv.slice(2), async (settings, log) => {
  const { startNode } = await import("./compose.js");
  return startNode(settings, log);
});
