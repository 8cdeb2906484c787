/**
 * Complaint: one thing that is wrong with what a person wrote, and where.
 *
 * Bad configuration is told all at once, before any socket opens, so that a file is mended in one go. Complaints are
 * data: whoever prints them decides how, and the command decides the exit code (78).
 */

/** Where the mistake was written. */
export type ComplaintSource = "file" | "flag" | "environment";

export interface Complaint {
  readonly source: ComplaintSource;
  /** The file's name, the flag (`--port`) or the variable (`HANA_PORT`). */
  readonly name: string;
  /** The setting or the place in the file, dotted: `osc.rateLimit`, `displays.left.size`. "" is the whole. */
  readonly path: string;
  readonly message: string;
  /** Counted from 1; undefined when there is none. */
  readonly line: number | undefined;
  readonly column: number | undefined;
}

/** One line for a person: `show.toml:12: displays.left.size: is not two numbers`. */
export function formatComplaint(complaint: Complaint): string {
  const { name, path, message, line, column } = complaint;
  const place = line === undefined ? name : column === undefined ? `${name}:${line}` : `${name}:${line}:${column}`;
  // The flag or variable already says which setting is meant.
  const subject = path === "" || complaint.source !== "file" ? "" : `${path}: `;
  return `${place}: ${subject}${message}`;
}

/** More help nobody, and a hostile file could make millions. */
const COMPLAINTS_MAX = 200;

/** Collects the complaints about one file up to a limit, and says when there were more. */
export class FileComplaints {
  private readonly file: string;
  private readonly complaints: Complaint[] = [];
  private hasMore = false;

  constructor(file: string) {
    this.file = file;
  }

  get isEmpty(): boolean {
    return this.complaints.length === 0;
  }

  /** True once a complaint was left out: whoever looks for more may stop. */
  get isFull(): boolean {
    return this.hasMore;
  }

  /** `lineOf` is asked only for complaints that are kept: finding a line reads the file again. */
  add(path: string, message: string, lineOf?: () => number | undefined, column?: number): void {
    if (this.complaints.length < COMPLAINTS_MAX) {
      this.complaints.push({ source: "file", name: this.file, path, message, line: lineOf?.(), column });
    } else this.hasMore = true;
  }

  list(): Complaint[] {
    if (!this.hasMore) return this.complaints;
    const message = `and more: these are the first ${COMPLAINTS_MAX} complaints`;
    return [
      ...this.complaints,
      { source: "file", name: this.file, path: "", message, line: undefined, column: undefined },
    ];
  }
}
