/**
 * Settings loader: the command's flags, the environment and the settings file to settings, or every complaint.
 */
import { readFileSync } from "node:fs";
import { formatComplaint } from "../config/complaint.js";
import { flagOf, SETTING_NAMES } from "../config/setting-names.js";
import { resolveSettings, type Settings } from "../config/settings.js";
import { CommandError, ExitCode } from "./command-error.js";

/** What the parser gives: `--config`, and each setting by its flag in camel case (`oscRateLimit`). */
export interface SettingOptions {
  readonly config?: string;
  readonly [flag: string]: unknown;
}

/** @throws CommandError (78) with every complaint. */
export function loadSettings(options: SettingOptions): Settings {
  const fileName = options.config ?? process.env["HANA_CONFIG"];
  const hasFile = fileName !== undefined && fileName !== "";
  const resolved = resolveSettings({
    flags: flagsOf(options),
    environment: process.env,
    ...(hasFile ? { fileText: readSettingsFile(fileName), fileName } : {}),
  });
  if ("settings" in resolved) return resolved.settings;
  throw new CommandError(resolved.complaints.map(formatComplaint), ExitCode.badConfiguration);
}

function readSettingsFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CommandError(`${file}: cannot be read: ${(error as Error).message}`, ExitCode.badConfiguration);
  }
}

function flagsOf(options: SettingOptions): Record<string, unknown> {
  const flags: Record<string, unknown> = {};
  for (const { path } of SETTING_NAMES) {
    const value = options[attributeOf(flagOf(path))];
    if (value !== undefined) flags[path] = value;
  }
  return flags;
}

/** `--osc-rate-limit` is `oscRateLimit` to the parser. */
function attributeOf(flag: string): string {
  return flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
