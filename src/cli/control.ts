/**
 * Control: passes control to another node while all are well, and ends when that is done.
 *
 * Success is one line, or JSON. Refused: the reason on stderr, exit code 1, and everything is as it was.
 */
import { NodeClient, type NodeOptions } from "./node-client.js";
import { printLine } from "./output.js";

interface ControlOptions extends NodeOptions {
  readonly json?: boolean;
}

/** The node that is asked becomes controller. */
export async function takeControl(options: ControlOptions): Promise<void> {
  await change({ action: "take" }, options);
}

/** `node`: name or id. */
export async function giveControl(node: string, options: ControlOptions): Promise<void> {
  await change({ action: "give", node }, options);
}

async function change(body: object, options: ControlOptions): Promise<void> {
  const text = await new NodeClient(options).post("/-/control", body);
  const { controller, term } = JSON.parse(text) as { controller: string; term: number };
  printLine(options.json === true ? text.trimEnd() : `controller is ${controller}, term ${term}`);
}
