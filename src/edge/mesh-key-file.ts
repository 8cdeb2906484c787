/**
 * Mesh key file: the 32 bytes that make a node a member of its mesh.
 *
 * A text file, 64 hexadecimal digits behind lines of comment, readable by its owner only. On first start it is made
 * exclusively, so that of two first starts at once one makes the key and the other takes it. The key is never logged,
 * and a file that others may read is refused: whoever can read it can run the show.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { dirname } from "node:path";
import { MESH_KEY_BYTES } from "../security/mesh-identity.js";
import { BadUserFile, codeOf, messageOf, ResourceUnavailable } from "./trouble.js";
import { createWholeFile, makePrivateFolder, replaceWholeFile } from "./whole-file.js";

export interface MeshKey {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** Whether this call made it. */
  readonly isNew: boolean;
}

/** What became of a key that was to be installed. */
export const KeyInstall = { installed: "installed", unchanged: "unchanged", refused: "refused" } as const;
export type KeyInstall = (typeof KeyInstall)[keyof typeof KeyInstall];

/** A longer file is no key file; it is not read to its end. */
const FILE_MAX_BYTES = 4_096;
const OTHERS_MODE = 0o077;

/** The key at `path`, made now if there is none. Throws `BadUserFile` or `ResourceUnavailable`. */
export function readOrMakeMeshKey(path: string, mesh: string, random = randomBytes): MeshKey {
  const present = readIfPresent(path);
  if (present !== undefined) return { key: present, isNew: false };
  const key = new Uint8Array(random(MESH_KEY_BYTES));
  const isNew = writing(path, () => createWholeFile(path, keyText(mesh, key)));
  return isNew ? { key, isNew } : { key: readMeshKey(path), isNew };
}

/** The key at `path`. Throws `BadUserFile` when there is none, it is damaged, or others may read it. */
export function readMeshKey(path: string): Uint8Array {
  const key = readIfPresent(path);
  if (key === undefined) throw new BadUserFile(path, "there is no such key file");
  return key;
}

/**
 * Puts `key` at `path`. Another key that is there stays, and the answer is `refused`, unless `isForced`; with it the
 * old key is gone for good.
 */
export function installMeshKey(path: string, mesh: string, key: Uint8Array, isForced: boolean): KeyInstall {
  const text = keyText(mesh, key);
  if (writing(path, () => createWholeFile(path, text))) return KeyInstall.installed;
  if (!isForced) return isSameKey(readMeshKey(path), key) ? KeyInstall.unchanged : KeyInstall.refused;
  writing(path, () => replaceWholeFile(path, text));
  return KeyInstall.installed;
}

function isSameKey(left: Uint8Array, right: Uint8Array): boolean {
  return left.every((byte, index) => byte === right[index]);
}

function keyText(mesh: string, key: Uint8Array): string {
  const name = JSON.stringify(mesh);
  return [
    `# The key of the hana mesh ${name}. Whoever has it can read and change everything in the mesh.`,
    "# `hana key show` prints it as a join code, `hana join CODE` installs it on another machine.",
    Buffer.from(key).toString("hex"),
    "",
  ].join("\n");
}

function parseKeyText(text: string): Uint8Array | undefined {
  const lines = text.split("\n").map((line) => line.trim());
  const content = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const [digits] = content;
  if (content.length !== 1 || digits === undefined || !/^[0-9a-f]{64}$/i.test(digits)) return undefined;
  return new Uint8Array(Buffer.from(digits, "hex"));
}

/** Where there are no hard links a file just made can be empty for a moment; after this long it is damaged. */
const COMPLETION_TRIES = 50;
const COMPLETION_PAUSE_MS = 10;

function readIfPresent(path: string): Uint8Array | undefined {
  for (let tries = 0; ; tries++) {
    const text = readPrivately(path);
    if (text === undefined) return undefined;
    const key = parseKeyText(text);
    if (key !== undefined) return key;
    if (text !== "" || tries >= COMPLETION_TRIES) break;
    pause(COMPLETION_PAUSE_MS);
  }
  throw new BadUserFile(path, "this is not a key file: one line of 64 hexadecimal digits is expected");
}

/** Only ever while starting, and only on file systems without hard links. */
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function readPrivately(path: string): string | undefined {
  let file: number;
  try {
    file = fs.openSync(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new BadUserFile(path, `the key cannot be read: ${messageOf(error)}`);
  }
  try {
    // The open file is asked, not its name, which could by now be another's.
    refuseOthers(path, fs.fstatSync(file));
    const bytes = Buffer.alloc(FILE_MAX_BYTES);
    return bytes.toString("utf8", 0, fs.readSync(file, bytes, 0, FILE_MAX_BYTES, 0));
  } finally {
    fs.closeSync(file);
  }
}

function refuseOthers(path: string, status: fs.Stats): void {
  if (!status.isFile()) throw new BadUserFile(path, "this is not a file");
  if (process.platform === "win32" || (status.mode & OTHERS_MODE) === 0) return;
  const mode = (status.mode & 0o777).toString(8).padStart(4, "0");
  throw new BadUserFile(path, `other users may read this key (mode ${mode}); run: chmod 600 '${path}'`);
}

function writing<Result>(path: string, write: () => Result): Result {
  try {
    makePrivateFolder(dirname(path));
    return write();
  } catch (error) {
    throw new ResourceUnavailable("folder", `the key ${path} cannot be written: ${messageOf(error)}`, error);
  }
}
