/**
 * Term file: what this node promised about terms, so that no restart opens a number twice or votes twice in one.
 *
 * It is there whole or not at all: written under a name of its own, synced, given its place, and the folder synced. It
 * never blocks the live thread, whatever the disk does; promises that come meanwhile are written together. A file that
 * is missing or damaged stops no show: the node begins with what the mesh says, and says so.
 */
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { NO_TERM_RECORD, type TermRecord } from "../sync/promises.js";
import { messageOf } from "./trouble.js";
import { readWholeFile, replaceWholeFile, replaceWholeFileLater } from "./whole-file.js";

const TERM_FILE = "term";
const LINE = /^([0-9]{1,10}) ([0-9]{1,10}) ([0-9a-f]{16}|-) ([0-9a-f]{8})\n$/;

export interface TermFileOutcome {
  /** Everything up to this revision is on disk. */
  onSaved(revision: number): void;
  onFailed(revision: number, reason: string): void;
}

export interface TermFileContents {
  /** Undefined when the file says nothing. */
  readonly record: TermRecord | undefined;
  /** What is wrong with the file, or "". */
  readonly problem: string;
}

/** Reads the file; a folder that is new gets one that promises nothing. May throw what the file system throws. */
export function readTermFile(dataFolder: string, isNewFolder: boolean): TermFileContents {
  const path = join(dataFolder, TERM_FILE);
  const text = readWholeFile(path);
  if (text === undefined && isNewFolder) replaceWholeFile(path, formatRecord(NO_TERM_RECORD));
  const record = parseRecord(text ?? formatRecord(NO_TERM_RECORD));
  if (record === undefined) return { record, problem: `${path} is damaged: terms begin with what the mesh says` };
  const isLost = text === undefined && !isNewFolder;
  return { record, problem: isLost ? `${path} is gone: terms begin with what the mesh says` : "" };
}

export class TermFile {
  private readonly path: string;
  private readonly outcome: TermFileOutcome;
  private waiting: { readonly record: TermRecord; readonly revision: number } | undefined;
  private writing: Promise<void> | undefined;

  constructor(dataFolder: string, outcome: TermFileOutcome) {
    this.path = join(dataFolder, TERM_FILE);
    this.outcome = outcome;
  }

  /** Answered by `onSaved` or `onFailed`, for this revision or a later one. */
  save(record: TermRecord, revision: number): void {
    this.waiting = { record, revision };
    this.writing ??= this.writeAll();
  }

  /** Resolves when everything has been written, or has failed. */
  async close(): Promise<void> {
    await this.writing;
  }

  private async writeAll(): Promise<void> {
    for (let next = this.take(); next !== undefined; next = this.take()) {
      const { record, revision } = next;
      try {
        await replaceWholeFileLater(this.path, formatRecord(record));
        this.outcome.onSaved(revision);
      } catch (error) {
        this.outcome.onFailed(revision, messageOf(error));
      }
    }
    this.writing = undefined;
  }

  private take(): { readonly record: TermRecord; readonly revision: number } | undefined {
    const { waiting } = this;
    this.waiting = undefined;
    return waiting;
  }
}

function formatRecord({ known, granted, grantee }: TermRecord): string {
  const fields = `${known} ${granted} ${grantee === "" ? "-" : grantee}`;
  return `${fields} ${checksum(fields)}\n`;
}

function parseRecord(text: string): TermRecord | undefined {
  const match = LINE.exec(text);
  if (match === null) return undefined;
  const [, known = "", granted = "", grantee = "", sum] = match;
  if (checksum(`${known} ${granted} ${grantee}`) !== sum) return undefined;
  return { known: Number(known), granted: Number(granted), grantee: grantee === "-" ? "" : grantee };
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
