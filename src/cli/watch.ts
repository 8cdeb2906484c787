/**
 * Watch: prints changes as they happen, one a line, until it is interrupted or its reader has enough.
 */
import { once } from "node:events";
import { CommandError } from "./command-error.js";
import { NodeClient, type NodeOptions } from "./node-client.js";
import { plainText } from "./output.js";

interface WatchOptions extends NodeOptions {
  readonly json?: boolean;
  readonly initial?: boolean;
}

export async function watch(pattern: string, options: WatchOptions): Promise<void> {
  const query = `pattern=${encodeURIComponent(pattern)}${options.initial ? "&initial=1" : ""}`;
  const response = await new NodeClient(options).stream(`/-/watch?${query}`);
  response.setEncoding("utf8");
  let partial = "";
  try {
    for await (const chunk of response) {
      const end = (chunk as string).lastIndexOf("\n") + 1;
      if (end > 0) await print(partial + (chunk as string).slice(0, end), options.json === true);
      partial = end > 0 ? (chunk as string).slice(end) : partial + (chunk as string);
    }
  } catch {
    // A node that dies and one that closes end the watch alike.
  }
  throw new CommandError("the node has ended the watch");
}

/** `lines` are whole. Waits for a reader that is slower than the show, which makes the node conflate. */
async function print(lines: string, isJson: boolean): Promise<void> {
  const text = isJson ? lines : lines.trimEnd().split("\n").map(humanLine).join("");
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

function humanLine(line: string): string {
  const { path, value } = JSON.parse(line) as { path: string; value: unknown };
  return `${`${path} ${plainText(value)}`.trimEnd()}\n`;
}
