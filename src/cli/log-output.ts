/**
 * Log output: JSON lines on stdout, or readable ones on a terminal.
 *
 * Writing is asynchronous, because a log reader that stalls must not stop the show, and bounded, because it must not
 * fill the memory either: what does not fit is dropped. So everything that ends the process calls `flush` before.
 */
import { type DestinationStream, pino } from "pino";
import type { EventLog } from "../manage/event-log.js";

/** Held for a reader that stalls. */
const WAITING_LIMIT_BYTES = 1_048_576;

export interface LogOutput {
  readonly log: EventLog;
  /** Writes out what waits, at once. Never throws. */
  flush(): void;
}

export async function openLog(level: string): Promise<LogOutput> {
  const isTerminal = process.stdout.isTTY;
  const destination = isTerminal
    ? await prettyDestination()
    : pino.destination({ dest: 1, sync: false, maxLength: WAITING_LIMIT_BYTES });
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Every line has an event, also one that forgot it.
      mixin: (fields) => ("event" in fields ? {} : { event: "note" }),
    },
    destination,
  );
  return { log, flush: () => flushQuietly(destination) };
}

async function prettyDestination(): Promise<DestinationStream> {
  const { PinoPretty } = await import("pino-pretty");
  return PinoPretty({
    sync: true,
    colorize: process.stdout.hasColors() && (process.env["NO_COLOR"] ?? "") === "",
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
    // The message says it all to a person; the fields are for programs.
    hideObject: true,
    ignore: "name",
  });
}

function flushQuietly(destination: DestinationStream): void {
  if (!("flushSync" in destination) || typeof destination.flushSync !== "function") return;
  try {
    (destination as { flushSync(): void }).flushSync();
  } catch {
    // Nothing can be said about a log that cannot be written.
  }
}
