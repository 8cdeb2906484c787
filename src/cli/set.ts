/**
 * Set: writes a value or fires an impulse, and ends when the controller has confirmed it.
 *
 * Success is silent, but for a critical path that no other node has: that is said on stderr. Refused or unconfirmed: the
 * reason on stderr, exit code 1.
 */
import { NodeClient, type NodeOptions } from "./node-client.js";
import { printLine, printWarning } from "./output.js";

interface WriteOptions extends NodeOptions {
  readonly json?: boolean;
  readonly wait?: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

export async function set(path: string, words: readonly string[], options: WriteOptions): Promise<void> {
  await write("/-/set", path, { words }, options);
}

export async function trigger(path: string, options: WriteOptions): Promise<void> {
  await write("/-/trigger", path, {}, options);
}

async function write(route: string, path: string, more: object, options: WriteOptions): Promise<void> {
  const { wait = true, timeout = 5 } = options;
  const timeoutMs = timeout * 1_000;
  const text = await new NodeClient(options).post(route, { path, ...more, wait, timeoutMs, surface: "cli" }, timeoutMs);
  if (options.json) printLine(text.trimEnd());
  const { replicated } = JSON.parse(text) as { readonly replicated?: boolean };
  if (replicated === false) printWarning(`${path}: not replicated: no other node is known to have it`);
}
