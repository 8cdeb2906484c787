/**
 * Folder lock: one running node for each data folder. Two nodes with one id would drop each other's frames as their
 * own, and neither would say a word.
 *
 * The lock is a file with the holder's process id, when that process started, and a nonce. A lock whose process is
 * gone is stale and taken over; the start time tells a process from a later one with the same id. Taking over is
 * itself guarded by a file, and what is removed is looked at again under that guard, so that two starts that find the
 * same stale lock cannot remove each other's fresh one.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { uptime } from "node:os";
import { join } from "node:path";
import { codeOf, messageOf, ResourceUnavailable } from "./trouble.js";
import { createWholeFile, makePrivateFolder, readWholeFile } from "./whole-file.js";

const LOCK_FILE = "lock";
const GUARD_FILE = "lock.takeover";
/** A takeover lasts milliseconds; a guard this old was left by a crash in the middle of one. */
const GUARD_STALE_MS = 10_000;
const TRIES = 200;
const PAUSE_MS = 10;

interface Holder {
  readonly processId: number;
  /** The kernel's start time of the process (Linux), else "". */
  readonly startedAt: string;
  readonly lockedAtMs: number;
}

export class FolderLock {
  private readonly path: string;
  private readonly text: string;

  private constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  /** Throws `ResourceUnavailable` when another process runs with this folder, or the folder cannot be written. */
  static take(dataFolder: string): FolderLock {
    const path = join(dataFolder, LOCK_FILE);
    const text = ownText();
    try {
      makePrivateFolder(dataFolder);
      for (let tries = 0; tries < TRIES; tries++) {
        if (createWholeFile(path, text)) return new FolderLock(path, text);
        const found = readWholeFile(path);
        if (found === undefined) continue;
        if (isAlive(found)) throw heldBy(dataFolder, found);
        // Empty: on a file system without hard links, another start is just writing it.
        if (found === "" || !removeStale(dataFolder)) pause();
      }
    } catch (error) {
      if (error instanceof ResourceUnavailable) throw error;
      throw new ResourceUnavailable(
        "folder",
        `the data folder ${dataFolder} cannot be used: ${messageOf(error)}`,
        error,
      );
    }
    throw new ResourceUnavailable("folder", `the lock ${path} cannot be taken over; delete it if no node runs`);
  }

  /** May be called twice. A lock that is no longer ours is left alone. */
  release(): void {
    try {
      if (readWholeFile(this.path) === this.text) fs.unlinkSync(this.path);
    } catch {
      // The folder is gone or read-only: the lock is stale as soon as this process ends.
    }
  }
}

function ownText(): string {
  const nonce = randomBytes(8).toString("hex");
  return `${process.pid} ${processStart(process.pid) ?? "-"} ${Date.now()} ${nonce}\n`;
}

function parseHolder(text: string): Holder | undefined {
  const match = /^(\d+) (\S+) (\d+) [0-9a-f]{16}\n$/.exec(text);
  if (match === null) return undefined;
  const [, processId, startedAt, lockedAtMs] = match;
  return {
    processId: Number(processId),
    startedAt: startedAt === "-" ? "" : (startedAt ?? ""),
    lockedAtMs: Number(lockedAtMs),
  };
}

/** A damaged lock is nobody's: locks appear complete or not at all. */
function isAlive(text: string): boolean {
  const holder = parseHolder(text);
  if (holder === undefined || !processExists(holder.processId)) return false;
  const startedAt = processStart(holder.processId);
  if (startedAt !== undefined && holder.startedAt !== "") return startedAt === holder.startedAt;
  // Without start times, a lock from before the machine's own start is a dead process's at least.
  return holder.lockedAtMs >= Date.now() - uptime() * 1_000 - BOOT_SLACK_MS;
}

/** Wall clocks are set after boot; a lock is not called dead for a few seconds' difference. */
const BOOT_SLACK_MS = 60_000;

function processExists(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/**
 * proc(5): which boot of the machine, and the process's start in clock ticks since (field 22 of stat, behind the name
 * in parentheses, which may itself hold spaces and parentheses). Undefined where there is no /proc.
 */
function processStart(processId: number): string | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const stat = fs.readFileSync(`/proc/${processId}/stat`, "utf8");
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    const boot = fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}:${ticks ?? ""}`;
  } catch {
    return undefined;
  }
}

/** True when the way is free to try again at once; false when another start is at it. */
function removeStale(dataFolder: string): boolean {
  const guard = join(dataFolder, GUARD_FILE);
  if (!takeGuard(guard)) return false;
  try {
    const found = readWholeFile(join(dataFolder, LOCK_FILE));
    if (found !== undefined && !isAlive(found)) fs.unlinkSync(join(dataFolder, LOCK_FILE));
    return true;
  } finally {
    fs.rmSync(guard, { force: true });
  }
}

function takeGuard(guard: string): boolean {
  try {
    fs.closeSync(fs.openSync(guard, "wx"));
    return true;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    const madeMs = fs.statSync(guard, { throwIfNoEntry: false })?.mtimeMs;
    if (madeMs !== undefined && Math.abs(Date.now() - madeMs) > GUARD_STALE_MS) fs.rmSync(guard, { force: true });
    return false;
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}

function heldBy(dataFolder: string, text: string): ResourceUnavailable {
  const processId = parseHolder(text)?.processId ?? 0;
  const remedy = "choose another --name, --port or --data-dir, or stop it";
  return new ResourceUnavailable("folder", `a node already runs with ${dataFolder} (process ${processId}); ${remedy}`);
}
