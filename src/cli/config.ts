/**
 * Config: checks and prints settings without starting anything.
 */
import { formatComplaint } from "../config/complaint.js";
import { formatSettings, settingsJsonSchema } from "../config/settings.js";
import { parseShow } from "../config/show.js";
import { CommandError, ExitCode } from "./command-error.js";
import { printLine } from "./output.js";
import { loadSettings, type SettingOptions } from "./settings-loader.js";
import { readInput } from "./show.js";

/** Silent when all is well: nothing is wrong with the settings, nor with the show that they name. */
export function checkConfig(options: SettingOptions): void {
  const settings = loadSettings(options);
  if (settings.show === undefined) return;
  const parsed = parseShow(readInput(settings.show), settings.show, { paths: settings.limits.paths });
  if ("show" in parsed) return;
  throw new CommandError(parsed.complaints.map(formatComplaint), ExitCode.badConfiguration);
}

export function printConfig(options: SettingOptions): void {
  process.stdout.write(formatSettings(loadSettings(options)));
}

export function printSchema(): void {
  printLine(JSON.stringify(settingsJsonSchema(), null, 2));
}
