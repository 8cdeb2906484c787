/**
 * Surface: what surfaces show.
 */
import { NodeClient, type NodeOptions } from "./node-client.js";
import { printLine } from "./output.js";

interface SurfaceOptions extends NodeOptions {
  readonly json?: boolean;
}

/** Sends a device again everything that it shows. */
export async function repaint(alias: string, options: SurfaceOptions): Promise<void> {
  const text = await new NodeClient(options).post("/-/surface/repaint", { alias });
  if (options.json === true) printLine(text.trimEnd());
}
