/**
 * Input API: the request that looks on while inputs are heard.
 *
 *   GET  /-/trace[?source=ALIAS][&path=PATTERN]  TraceLine, one a line, without end: what became of each message; and
 *                                                { lost } where there were too many. A device that is named is opened.
 *
 * Pure, like the rest of the control API.
 */
import { compilePattern } from "../input/osc-pattern.js";
import type { ApiBackend } from "./api-backend.js";
import { ApiError } from "./api-exchange.js";
import type { FeedQueue, InputFeed } from "./input-feed.js";

/** An answer without end: whoever sends it takes lines until the reader has enough, then closes it. */
export interface FeedStream {
  readonly lines: FeedQueue;
  readonly close: () => void;
}

const TRACES_MAX = 16;

export class InputApi {
  private readonly feed: InputFeed;

  constructor(backend: ApiBackend) {
    this.feed = backend.feed;
  }

  trace(query: URLSearchParams): FeedStream {
    const text = query.get("path");
    const path = text === null ? undefined : compilePattern(text);
    if (path === null) throw new ApiError(400, "badPattern", `${text ?? ""}: is not an OSC address pattern`);
    if (this.feed.traceCount >= TRACES_MAX) {
      throw new ApiError(503, "tooMany", `there are ${TRACES_MAX} traces, the most at a time`);
    }
    return this.stream(this.feed.openTrace({ source: query.get("source") ?? undefined, path }));
  }

  private stream(lines: FeedQueue): FeedStream {
    return { lines, close: () => this.feed.close(lines) };
  }
}
