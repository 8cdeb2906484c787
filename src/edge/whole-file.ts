/**
 * Whole file: small files that are there completely or not at all, whoever looks at whatever moment.
 *
 * A file is written under a name of its own, synced, and then given its place in one step: by `link`, which fails when
 * the place is taken, or by `rename`, which replaces. A crash can leave a temporary file behind, never half a key.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf } from "./trouble.js";

/** Owner only. */
export const PRIVATE_FILE_MODE = 0o600;
const PRIVATE_FOLDER_MODE = 0o700;
const NEW_FILE_MODE = 0o666;

/** Creates a file that does not exist yet; false when it does, and then it is left alone. */
export function createWholeFile(path: string, text: string): boolean {
  const temporary = writeTemporary(path, text);
  try {
    fs.linkSync(temporary, path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    if (!NO_LINKS.has(codeOf(error))) throw error;
    return createWithoutLink(path, text);
  } finally {
    fs.unlinkSync(temporary);
  }
  syncFolder(dirname(path));
  return true;
}

/** Creates or replaces a file that only its owner may read. */
export function replaceWholeFile(path: string, text: string): void {
  replace(path, text, PRIVATE_FILE_MODE);
}

/**
 * Creates or replaces a file that the user named: where a link leads to, and readable by whom it was readable, or by
 * whom new files are. What is no file (a pipe, a terminal) is written into.
 */
export function replaceUserFile(path: string, text: string): void {
  const found = fs.statSync(path, { throwIfNoEntry: false });
  if (found === undefined) replace(path, text, NEW_FILE_MODE);
  else if (!found.isFile()) fs.writeFileSync(path, text);
  else replace(fs.realpathSync(path), text, NEW_FILE_MODE, found.mode & 0o777);
}

/** `mode` is that of a new file, of which the system takes away what the user wants; `exactMode` stays as it is. */
function replace(path: string, text: string, mode: number, exactMode?: number): void {
  const temporary = temporaryName(path);
  writeSynced(temporary, text, mode);
  try {
    if (exactMode !== undefined) fs.chmodSync(temporary, exactMode);
    fs.renameSync(temporary, path);
  } catch (error) {
    fs.unlinkSync(temporary);
    throw error;
  }
  syncFolder(dirname(path));
}

/** The same without holding up whoever calls, whatever the disk does. */
export async function replaceWholeFileLater(path: string, text: string): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await writeSyncedLater(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncFolderLater(dirname(path));
}

/** The text of a file, or undefined when there is none. */
export function readWholeFile(path: string): string | undefined {
  try {
    return fs.readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** With all folders above it. One at a time: asked for all at once, Node tries for ever where none can be made (`/proc`). */
export function makePrivateFolder(path: string): void {
  if (!fs.existsSync(dirname(path))) makePrivateFolder(dirname(path));
  try {
    fs.mkdirSync(path, PRIVATE_FOLDER_MODE);
  } catch (error) {
    // It was there, or another node of this user was faster.
    if (codeOf(error) !== "EEXIST" || !fs.statSync(path).isDirectory()) throw error;
  }
}

/** What file systems without hard links (FAT, some network shares) answer. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV"]);

/** The best there is without links: exclusive, one write. A reader may for a moment find it empty. */
function createWithoutLink(path: string, text: string): boolean {
  try {
    writeSynced(path, text);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
  syncFolder(dirname(path));
  return true;
}

function writeTemporary(path: string, text: string): string {
  const temporary = temporaryName(path);
  writeSynced(temporary, text);
  return temporary;
}

function temporaryName(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.tmp`;
}

function writeSynced(path: string, text: string, mode = PRIVATE_FILE_MODE): void {
  const file = fs.openSync(path, "wx", mode);
  try {
    fs.writeFileSync(file, text);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

/** Makes the name last too. Windows cannot open a folder, and keeps names by itself. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = fs.openSync(path, "r");
  try {
    fs.fsyncSync(folder);
  } catch (error) {
    // Some file systems do not sync folders and say so; the file itself is synced.
    if (codeOf(error) !== "EINVAL" && codeOf(error) !== "ENOTSUP") throw error;
  } finally {
    fs.closeSync(folder);
  }
}

async function writeSyncedLater(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", PRIVATE_FILE_MODE);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** As `syncFolder`. */
async function syncFolderLater(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
