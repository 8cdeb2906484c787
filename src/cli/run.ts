/**
 * Run: a node in the foreground, from settings to a clean stop.
 *
 * It logs `ready` once, stops on SIGTERM and SIGINT, and ends at once on the second signal. What the node does is the
 * composition root's; what a signal, an exit code and a log line mean is decided here.
 */
import type { Settings } from "../config/settings.js";
import { warmDesk } from "../edge/desk-host.js";
import { collectGarbage } from "../edge/memory.js";
import type { EventLog } from "../manage/event-log.js";
import { type ReadyInfo, type RunningNode, StartError } from "../manage/running-node.js";
import { CommandError, ExitCode } from "./command-error.js";
import type { LogOutput } from "./log-output.js";
import { NodeClient } from "./node-client.js";
import { printJson, printLine } from "./output.js";
import type { SettingOptions } from "./settings-loader.js";

/** The composition root: starts a node, or throws an error with an `exitCode` of 1, 69 or 78. */
export type StartNode = (settings: Settings, log: EventLog) => Promise<RunningNode>;

export interface RunOptions extends SettingOptions {
  readonly listInterfaces?: boolean;
  readonly json?: boolean;
}

/** A close that takes longer is given up. */
const CLOSE_LIMIT_MS = 10_000;
/** Shorter than two presses of a key, longer than npm takes to forward one on a loaded machine. */
const SAME_KEY_MS = 150;
/** The path of the example show that the first line to type is about. */
const EXAMPLE_PATH = "/viz/tunnel/camera/zoom";

export async function run(options: RunOptions, start: StartNode): Promise<void> {
  if (options.listInterfaces) return printInterfaces(options.json === true);
  warmDesk.make();
  const { loadSettings } = await import("./settings-loader.js");
  const settings = loadSettings(options);
  const { openLog } = await import("./log-output.js");
  const output = await openLog(settings.logLevel);
  const stop = listenForSignals(output);
  const running = await startLogged(settings, start, output);
  await Promise.race([announce(running.ready, settings, output.log), stop, running.failed]);
  if (settings.show !== undefined) await collectGarbage();
  const reason = await Promise.race([stop, running.failed]);
  await end(running, reason, output);
}

async function printInterfaces(isJson: boolean): Promise<void> {
  const { interfaceTable, listInterfaces } = await import("../edge/interfaces.js");
  const interfaces = listInterfaces();
  if (isJson) printJson(interfaces);
  else printLine(interfaceTable(interfaces));
}

async function startLogged(settings: Settings, start: StartNode, output: LogOutput): Promise<RunningNode> {
  try {
    return await start(settings, output.log);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    output.log.fatal({ event: "failed" }, reason);
    output.flush();
    throw error;
  }
}

/**
 * Resolves at the first signal; a later one ends the process there and then. One Ctrl-C may arrive twice, from the
 * terminal and from npm, which forwards it: what comes within `SAME_KEY_MS` is the same key.
 */
function listenForSignals(output: LogOutput): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        firstMs ??= performance.now();
        resolve(signal);
        if (performance.now() - firstMs < SAME_KEY_MS) return;
        output.flush();
        process.exit(signal === "SIGINT" ? ExitCode.interrupted : ExitCode.terminated);
      });
    }
  });
}

async function announce(ready: ReadyInfo, settings: Settings, log: EventLog): Promise<void> {
  const { port, mesh, node, dataDir } = ready;
  const text = `mesh ${mesh}, port ${port}, interface ${ready.interface} ${ready.address}, data in ${dataDir}`;
  log.info({ event: "ready", ...ready }, `ready: node ${node}, ${text}`);
  const command = await nextCommand(ready, settings);
  log.info({ event: "next", command }, `now type: ${command}`);
}

/** Something to type that does something: the example show's zoom if it is there, else a path of the user's own. */
async function nextCommand({ port }: ReadyInfo, settings: Settings): Promise<string> {
  const node = `http://127.0.0.1:${port}`;
  const isExample = await new NodeClient({ node }).get(`/-/get?path=${EXAMPLE_PATH}`).then(
    () => true,
    () => false,
  );
  const option = port === 7_700 ? "" : ` --node ${node}`;
  if (isExample) return `npx hana set ${EXAMPLE_PATH} 2.5${option}`;
  return settings.declare === "auto" ? `npx hana set /viz/my/knob 0.5${option}` : `npx hana status${option}`;
}

async function end(running: RunningNode, reason: NodeJS.Signals | Error, output: LogOutput): Promise<void> {
  const { log } = output;
  if (reason instanceof Error) log.fatal({ event: "failed" }, reason.message);
  else log.info({ event: "stopping", signal: reason }, `stopping: ${reason}`);
  const isClosed = await withinLimit(running.close());
  if (isClosed) log.info({ event: "stopped" }, "stopped");
  else log.error({ event: "failed" }, "the node did not close in time");
  output.flush();
  // A handle that something left open must not keep a stopped node alive.
  const failure = reason instanceof StartError ? reason.exitCode : ExitCode.failure;
  const code = reason instanceof Error || !isClosed ? failure : ExitCode.success;
  setTimeout(() => process.exit(code), 500).unref();
  if (reason instanceof Error) throw new CommandError(reason.message, failure);
  if (!isClosed) throw new CommandError("the node did not close in time");
}

async function withinLimit(closing: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CLOSE_LIMIT_MS);
  });
  const isClosed = await Promise.race([closing.then(() => true), late]);
  clearTimeout(timer);
  return isClosed;
}
