/**
 * Show: saves what runs as a show file, and declares what a show file says.
 */
import { readFileSync } from "node:fs";
import { formatComplaint } from "../config/complaint.js";
import { parseShow } from "../config/show.js";
import { replaceUserFile } from "../edge/whole-file.js";
import { CommandError, ExitCode } from "./command-error.js";
import { NodeClient, type NodeOptions } from "./node-client.js";
import { printLine } from "./output.js";

interface ShowOptions extends NodeOptions {
  readonly json?: boolean;
}

/** Replaces a file that is there, whole or not at all. */
export async function saveShow(file: string, options: ShowOptions): Promise<void> {
  const text = await new NodeClient(options).get("/-/show");
  if (file === "-") {
    process.stdout.write(text);
    return;
  }
  try {
    replaceUserFile(file, text);
  } catch (error) {
    throw new CommandError(`${file}: cannot be written: ${(error as Error).message}`);
  }
}

export async function declareShow(file: string, options: ShowOptions): Promise<void> {
  const text = readInput(file);
  // Checked here first, so that complaints name the file and nothing is sent that would be refused.
  const parsed = parseShow(text, file === "-" ? "stdin" : file);
  if ("complaints" in parsed) {
    throw new CommandError(parsed.complaints.map(formatComplaint), ExitCode.badConfiguration);
  }
  const answer = await new NodeClient(options).postText("/-/declare", text, "application/toml");
  if (options.json) printLine(answer.trimEnd());
}

/** The text of a file, or of stdin for `-`. */
export function readInput(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new CommandError(`${file}: cannot be read: ${(error as Error).message}`);
  }
}
