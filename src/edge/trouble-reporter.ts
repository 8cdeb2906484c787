/**
 * Trouble reporter: tells a socket's trouble, and whether that is news. A broken socket can fail thousands of times a
 * second: the log wants to hear that it began, and that it still lasts. Health must hear all of it: a cable that is pulled
 * twice within seconds is well again twice.
 */
import { codeOf, messageOf, type NetworkEvent, type NetworkTrouble } from "./trouble.js";

/** The same trouble is news again after this long at the earliest. */
const REPEAT_AFTER_MS = 5_000;
/** Different troubles remembered; there are few kinds, the bound is for messages with numbers in them. */
const REMEMBERED = 64;

export class TroubleReporter {
  private readonly onTrouble: (trouble: NetworkTrouble) => void;
  private readonly toldMs = new Map<string, number>();
  private isClosed = false;

  constructor(onTrouble: (trouble: NetworkTrouble) => void) {
    this.onTrouble = onTrouble;
  }

  /** `error`: what was thrown or emitted, or a sentence. */
  tell(event: NetworkEvent, socket: string, error: unknown): void {
    if (this.isClosed) return;
    const message = messageOf(error);
    const isNews = !this.wasJustTold(`${event} ${socket} ${message}`);
    this.onTrouble({ event, socket, code: codeOf(error), message, isNews });
  }

  /** What a socket says while it closes is of no interest. */
  close(): void {
    this.isClosed = true;
  }

  private wasJustTold(text: string): boolean {
    const nowMs = performance.now();
    if (nowMs - (this.toldMs.get(text) ?? Number.NEGATIVE_INFINITY) < REPEAT_AFTER_MS) return true;
    if (this.toldMs.size >= REMEMBERED) this.toldMs.clear();
    this.toldMs.set(text, nowMs);
    return false;
  }
}
