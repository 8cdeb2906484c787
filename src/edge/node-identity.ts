/**
 * Node identity: who this node is, and which boot of it this is. Two small files in its data folder.
 *
 * The node id is random, made once, and stays with the folder. The session number rises with every start, and where
 * another node was taken for this one. It is on disk before it is used: receivers refuse a session that is not above the last one they accepted, so a number used
 * twice would mute the node. Whoever calls this holds the folder's lock.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { NODE_ID_BYTES, SESSION_BYTES } from "../wire/envelope.js";
import { BadUserFile, messageOf, ResourceUnavailable } from "./trouble.js";
import {
  createWholeFile,
  makePrivateFolder,
  readWholeFile,
  replaceWholeFile,
  replaceWholeFileLater,
} from "./whole-file.js";

const NODE_ID_FILE = "node-id";
const SESSION_FILE = "session";
/** Session numbers have 32 bits; a clock gone wild must leave room above it for the starts to come. */
const SESSION_MAX = 0xffff_ffff;
const CLOCK_SESSION_MAX = 0xf000_0000;

/** Whether a node has been here before. */
export function hasNodeId(dataFolder: string): boolean {
  return guarded(dataFolder, () => readWholeFile(join(dataFolder, NODE_ID_FILE)) !== undefined);
}

/** The node's 8 bytes. Throws `BadUserFile` when the file is damaged, `ResourceUnavailable` when it can't be written. */
export function readOrMakeNodeId(dataFolder: string, random = randomBytes): Uint8Array {
  const path = join(dataFolder, NODE_ID_FILE);
  return guarded(dataFolder, () => {
    const present = readWholeFile(path);
    if (present !== undefined) return parseNodeId(path, present);
    const made = Buffer.from(random(NODE_ID_BYTES)).toString("hex");
    createWholeFile(path, `${made}\n`);
    return parseNodeId(path, readWholeFile(path) ?? "");
  });
}

/**
 * The 8 bytes of this boot's session: a number above every earlier one of this folder (4 bytes), and 4 random bytes.
 * A lost or damaged file costs nothing as long as the wall clock is right: the number is at least the epoch's seconds.
 */
export function takeNextSession(dataFolder: string, epochSeconds: number, random = randomBytes): Uint8Array {
  const path = join(dataFolder, SESSION_FILE);
  return guarded(dataFolder, () => {
    const clock = Math.min(Math.max(0, Math.floor(epochSeconds)), CLOCK_SESSION_MAX);
    const number = Math.max(parseSession(readWholeFile(path)) + 1, clock);
    if (number > SESSION_MAX)
      throw new BadUserFile(path, "the session numbers are used up; give the node a new folder");
    replaceWholeFile(path, `${number}\n`);
    const session = new Uint8Array(SESSION_BYTES);
    new DataView(session.buffer).setUint32(0, number);
    session.set(random(4), 4);
    return session;
  });
}

/** Puts the session number of a boot that goes on in a higher one on disk. Rejects with what the disk says. */
export async function keepSession(dataFolder: string, number: number): Promise<void> {
  await replaceWholeFileLater(join(dataFolder, SESSION_FILE), `${number}\n`);
}

function parseNodeId(path: string, text: string): Uint8Array {
  const digits = text.trim();
  const bytes = new Uint8Array(Buffer.from(digits, "hex"));
  if (!/^[0-9a-f]{16}$/i.test(digits) || bytes.every((byte) => byte === 0)) {
    throw new BadUserFile(path, "this is not a node id; delete the file and the node gets a new one");
  }
  return bytes;
}

/** 0 for a file that is missing or damaged. */
function parseSession(text: string | undefined): number {
  const digits = text?.trim() ?? "";
  return /^[0-9]{1,10}$/.test(digits) && Number(digits) <= SESSION_MAX ? Number(digits) : 0;
}

/** Throws what the folder does as what it means to the user. */
export function guarded<Result>(dataFolder: string, act: () => Result): Result {
  try {
    makePrivateFolder(dataFolder);
    return act();
  } catch (error) {
    if (error instanceof BadUserFile) throw error;
    throw new ResourceUnavailable("folder", `the data folder ${dataFolder} cannot be used: ${messageOf(error)}`, error);
  }
}
