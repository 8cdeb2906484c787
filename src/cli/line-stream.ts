/**
 * Line stream: prints an endless answer, one line after the other, until it ends or its reader has enough.
 */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";

/** Resolves when the node has ended it. `format`: of each line, with its end; default: as it came. */
export async function printLines(response: IncomingMessage, format?: (line: string) => string): Promise<void> {
  response.setEncoding("utf8");
  let partial = "";
  try {
    for await (const chunk of response) {
      const end = (chunk as string).lastIndexOf("\n") + 1;
      if (end > 0) await print(partial + (chunk as string).slice(0, end), format);
      partial = end > 0 ? (chunk as string).slice(end) : partial + (chunk as string);
    }
  } catch {
    // A node that dies and one that closes end the answer alike.
  }
}

/** `lines` are whole. Waits for a reader that is slower than the show, so that the node holds back. */
async function print(lines: string, format: ((line: string) => string) | undefined): Promise<void> {
  const text = format === undefined ? lines : lines.trimEnd().split("\n").map(format).join("");
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}
