/**
 * Trouble: the two ends that a device, a disk or a network can come to.
 *
 * Before the node is ready, trouble ends the start with an error that names its exit code; afterwards it becomes a
 * `NetworkTrouble` in the node's health and the show goes on. Nothing here is for our own mistakes or foreign bytes.
 */

/** sysexits.h: a service is unavailable. */
export const EXIT_UNAVAILABLE = 69;
/** sysexits.h: configuration error. */
export const EXIT_BAD_CONFIGURATION = 78;

/** A port, interface or folder cannot be had. The message says which, why, and what to do. Exit code 69. */
export class ResourceUnavailable extends Error {
  override name = "ResourceUnavailable";
  readonly exitCode = EXIT_UNAVAILABLE;
  readonly resource: "port" | "interface" | "folder";

  constructor(resource: "port" | "interface" | "folder", message: string, cause?: unknown) {
    super(message, { cause });
    this.resource = resource;
  }
}

/** A file of the user's holds something it must not. The message names the file and the remedy. Exit code 78. */
export class BadUserFile extends Error {
  override name = "BadUserFile";
  readonly exitCode = EXIT_BAD_CONFIGURATION;
  readonly path: string;

  constructor(path: string, complaint: string) {
    super(`${path}: ${complaint}`);
    this.path = path;
  }
}

export const NetworkEvent = {
  sendFailed: "send-failed",
  sendRecovered: "send-recovered",
  receiveFailed: "receive-failed",
  joinFailed: "multicast-join-failed",
  smallReceiveBuffer: "small-receive-buffer",
} as const;
export type NetworkEvent = (typeof NetworkEvent)[keyof typeof NetworkEvent];

/** Something for the node's health, and for the log where it is news. */
export interface NetworkTrouble {
  readonly event: NetworkEvent;
  /** Which socket: `multicast`, `meeting`, `unicast` or `osc`. */
  readonly socket: string;
  /** The system's code such as `ENETUNREACH`, or "". */
  readonly code: string;
  readonly message: string;
  /** Not told in the last seconds. */
  readonly isNews: boolean;
}

/** The system's code of an error, or "". */
export function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
