/**
 * Record: writes what devices and OSC senders say into a file, until it is interrupted or the node ends it.
 */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { Writable } from "node:stream";
import { CommandError } from "./command-error.js";
import { NodeClient, type NodeOptions } from "./node-client.js";
import { printWarning } from "./output.js";

const STDOUT = "-";

interface RecordOptions extends NodeOptions {
  /** End after so long. */
  readonly seconds?: number;
}

export async function record(file: string, options: RecordOptions): Promise<void> {
  const response = await new NodeClient(options).stream("/-/record");
  const output: Writable = file === STDOUT ? process.stdout : createWriteStream(file);
  let isStopped = false;
  const stop = (): void => {
    isStopped = true;
    response.destroy();
  };
  // What is wrong with the file is told at the end.
  output.on("error", stop);
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const timer = options.seconds === undefined ? undefined : setTimeout(stop, options.seconds * 1_000);
  printWarning(`recording into ${file === STDOUT ? "stdout" : file}; Ctrl-C ends it`);
  let lines = 0;
  response.setEncoding("utf8");
  try {
    for await (const chunk of response) {
      lines += (chunk as string).split("\n").length - 1;
      if (!output.write(chunk)) await once(output, "drain");
    }
  } catch {
    // Ended by whoever recorded, by the node, or by the file: what came before is in it.
  }
  clearTimeout(timer);
  await new Promise<void>((resolve) => {
    if (file === STDOUT) output.write("", () => resolve());
    else output.end(() => resolve());
  });
  if (output.errored !== null) throw new CommandError(`${file}: ${output.errored.message}`);
  // The first line is the recording's own.
  printWarning(`${Math.max(0, lines - 1)} messages recorded`);
  // Whoever believes that it still records would miss the rest of the show.
  if (!isStopped) throw new CommandError("the node has ended the recording");
}
