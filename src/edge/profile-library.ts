/**
 * Profile library: the hardware profiles on this machine: those of the package, and the user's own.
 *
 * A profile's id is its file's name without `.json`. The user's own lie in `hardware-profiles` of the configuration
 * folder and win over the package's of the same id, so a number can be mended without touching the installation.
 * Loads the schema library: load it lazily.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ParsedProfile, parseProfile } from "../config/profile-file.js";
import { type Environment, userFolders } from "./user-folders.js";

export interface LibraryEntry {
  readonly id: string;
  readonly file: string;
  readonly parsed: ParsedProfile;
}

const FOLDER = "hardware-profiles";
const SCHEMA = "profile.schema.json";

/** Every profile, by id; the package's own, and those of the user. */
export function readProfiles(environment: Environment = process.env): LibraryEntry[] {
  return profileFiles(environment).map(({ id, file }) => ({ id, file, parsed: readProfile(file) }));
}

/** Where they are. */
export function profileFiles(environment: Environment = process.env): Omit<LibraryEntry, "parsed">[] {
  const files = new Map<string, string>();
  for (const folder of [packageFolder(), join(userFolders(environment).config, FOLDER)]) {
    for (const name of profileNames(folder)) files.set(name.slice(0, -".json".length), join(folder, name));
  }
  return [...files].map(([id, file]) => ({ id, file })).sort((left, right) => (left.id < right.id ? -1 : 1));
}

/** A file that cannot be read is a complaint like any other. */
export function readProfile(file: string): ParsedProfile {
  try {
    return parseProfile(readFileSync(file, "utf8"), file);
  } catch (error) {
    const message = `cannot be read: ${(error as Error).message}`;
    return { complaints: [{ source: "file", name: file, path: "", message, line: undefined, column: undefined }] };
  }
}

function packageFolder(): string {
  return fileURLToPath(new URL(`../../${FOLDER}/`, import.meta.url));
}

/** Most often the user has no folder of that name. */
function profileNames(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".json") && name !== SCHEMA);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
