/**
 * Trace: prints what becomes of each message of a device or OSC sender, until it is interrupted.
 */
import type { TraceLine } from "../input/input-trace.js";
import { CommandError } from "./command-error.js";
import { printLines } from "./line-stream.js";
import { NodeClient, type NodeOptions } from "./node-client.js";
import { plainText } from "./output.js";

interface TraceOptions extends NodeOptions {
  readonly json?: boolean;
  readonly source?: string;
  readonly path?: string;
}

export async function trace(options: TraceOptions): Promise<void> {
  const { source, path } = options;
  const query = new URLSearchParams();
  if (source !== undefined) query.set("source", source);
  if (path !== undefined) query.set("path", path);
  const response = await new NodeClient(options).stream(`/-/trace?${query.toString()}`);
  await printLines(
    response,
    options.json === true ? undefined : (line) => `${traceText(JSON.parse(line) as TraceLine)}\n`,
  );
  throw new CommandError("the node has ended the trace");
}

/** `12:30:01.250 nano/ch1/cc7 64/127 -> zoom -> /viz/a 2.5`, or why nothing happened. */
export function traceText(line: TraceLine | { readonly lost: number }): string {
  if ("lost" in line) return `(${line.lost} messages came faster than they can be shown)`;
  const { timeUs, source, message, binding, path, value, outcome, reason } = line;
  const time = new Date(timeUs / 1_000).toISOString().slice("2026-01-01T".length, -1);
  const parts = [`${time} ${source} ${message}`.trimEnd()];
  if (binding !== "") parts.push(binding);
  const shown = outcome === "fired" ? "fires" : plainText(value);
  if (path !== "") parts.push(`${path} ${outcome === "written" || outcome === "fired" ? shown : ""}`.trimEnd());
  const end = reason === "" ? "" : `: ${reason}`;
  return outcome === "written" || outcome === "fired" ? parts.join(" -> ") : `${parts.join(" -> ")}: ${outcome}${end}`;
}
