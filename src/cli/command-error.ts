/**
 * Command error: why a command ends, as a person reads it and as its caller's exit code.
 *
 * The closed set of exit codes lives here. Errors go to stderr and data to stdout, so that a pipe gets only data.
 */
export const ExitCode = {
  success: 0,
  failure: 1,
  usage: 2,
  /** sysexits.h EX_UNAVAILABLE: a port, interface or device is not to be had. */
  unavailable: 69,
  /** sysexits.h EX_CONFIG. */
  badConfiguration: 78,
  /** 128 plus the signal's number: a second signal forced the end. */
  interrupted: 130,
  terminated: 143,
} as const;

export class CommandError extends Error {
  override name = "CommandError";
  readonly exitCode: number;
  /** At least one. */
  readonly lines: readonly string[];

  constructor(lines: string | readonly string[], exitCode: number = ExitCode.failure) {
    const list = typeof lines === "string" ? [lines] : lines;
    super(list.join("\n"));
    this.lines = list;
    this.exitCode = exitCode;
  }
}

/** Says on stderr why an error ended the command; answers the exit code. A stack is shown for our own mistakes only. */
export function reportError(error: unknown): number {
  if (error instanceof CommandError) {
    for (const line of error.lines) process.stderr.write(`hana: ${line}\n`);
    return error.exitCode;
  }
  if (error instanceof Error && "exitCode" in error && typeof error.exitCode === "number") {
    for (const line of error.message.split("\n")) process.stderr.write(`hana: ${line}\n`);
    return error.exitCode;
  }
  process.stderr.write(`hana: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return ExitCode.failure;
}
