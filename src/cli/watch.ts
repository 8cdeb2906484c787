/**
 * Watch: prints changes as they happen, one a line, until it is interrupted or its reader has enough.
 */
import { CommandError } from "./command-error.js";
import { printLines } from "./line-stream.js";
import { NodeClient, type NodeOptions } from "./node-client.js";
import { plainText } from "./output.js";

interface WatchOptions extends NodeOptions {
  readonly json?: boolean;
  readonly initial?: boolean;
}

export async function watch(pattern: string, options: WatchOptions): Promise<void> {
  const query = `pattern=${encodeURIComponent(pattern)}${options.initial ? "&initial=1" : ""}`;
  const response = await new NodeClient(options).stream(`/-/watch?${query}`);
  await printLines(response, options.json === true ? undefined : humanLine);
  throw new CommandError("the node has ended the watch");
}

function humanLine(line: string): string {
  const { path, value } = JSON.parse(line) as { path: string; value: unknown };
  return `${`${path} ${plainText(value)}`.trimEnd()}\n`;
}
