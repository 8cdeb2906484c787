/**
 * Running node: what the composition root gives to whoever starts a node, the command line or the library.
 *
 * It lies here, below both, so that the command can run a node without importing the composition root.
 */

/** What the `ready` line names: OSC, control API and mesh sockets are open. */
export interface ReadyInfo {
  /** 16 hex digits. */
  readonly node: string;
  readonly name: string;
  readonly mesh: string;
  /** OSC (UDP) and control API (TCP). */
  readonly port: number;
  readonly meshPort: number;
  readonly group: string;
  /** The chosen interface: its name and address. */
  readonly interface: string;
  readonly address: string;
  readonly dataDir: string;
}

export interface RunningNode {
  readonly ready: ReadyInfo;
  /** Resolves when the node cannot go on; it never rejects and, while all is well, never resolves. */
  readonly failed: Promise<Error>;
  /** Announces the leave, flushes, closes every socket. May be called twice. */
  close(): Promise<void>;
}

/** Why a node did not start. 69: a port, interface or device is unavailable; 78: the configuration is bad. */
export class StartError extends Error {
  override name = "StartError";
  readonly exitCode: 1 | 69 | 78;
  /** Every complaint, one line each; at least one. */
  readonly complaints: readonly string[];

  constructor(exitCode: 1 | 69 | 78, complaints: readonly string[]) {
    super(complaints.join("\n"));
    this.exitCode = exitCode;
    this.complaints = complaints;
  }
}
