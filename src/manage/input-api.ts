/**
 * Input API: the requests that look on while inputs are heard, keep what they say, and say it again.
 *
 *   GET  /-/trace[?source=ALIAS][&path=PATTERN]  TraceLine, one a line, without end: what became of each message; and
 *                                                { lost } where there were too many. A device that is named is opened.
 *   GET  /-/record                               a recording, as `input-record.ts` says, until it is closed
 *   POST /-/replay { header?, speed?, lines }    plays lines of a recording, some seconds of it at a time; `header`, its
 *                                                first line, begins; answers { waiting, played, lost }
 *
 * Pure, like the rest of the control API.
 */
import { type InputRecord, parseHeader, parseRecord } from "../input/input-record.js";
import { compilePattern } from "../input/osc-pattern.js";
import type { ApiBackend } from "./api-backend.js";
import { type ApiAnswer, ApiError, type Fields, jsonAnswer } from "./api-exchange.js";
import type { FeedQueue, InputFeed } from "./input-feed.js";
import type { ReplayPart } from "./replay-reports.js";

/** An answer without end: whoever sends it takes lines until the reader has enough, then closes it. */
export interface FeedStream {
  readonly lines: FeedQueue;
  readonly close: () => void;
}

const TRACES_MAX = 16;
const LINES_MAX = 10_000;
const SPEED_MAX = 100;

export class InputApi {
  private readonly backend: ApiBackend;
  private readonly feed: InputFeed;

  constructor(backend: ApiBackend) {
    this.backend = backend;
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

  record(): FeedStream {
    if (this.feed.isRecorded) throw new ApiError(409, "refused", "somebody records already");
    return this.stream(this.feed.openRecording());
  }

  async replay(fields: Fields): Promise<ApiAnswer> {
    const part = replayPart(fields);
    const { problem, ...report } = await this.backend.command({ kind: "replay", part });
    if (problem !== "") throw new ApiError(409, "refused", problem);
    return jsonAnswer(200, report);
  }

  private stream(lines: FeedQueue): FeedStream {
    return { lines, close: () => this.feed.close(lines) };
  }
}

function replayPart({ header, speed = 1, lines = [] }: Fields): ReplayPart {
  if (typeof speed !== "number" || !(speed > 0 && speed <= SPEED_MAX)) {
    throw new ApiError(400, "request", `speed is not a number above 0, at most ${SPEED_MAX}`);
  }
  if (!Array.isArray(lines) || lines.length > LINES_MAX || !lines.every((line) => typeof line === "string")) {
    throw new ApiError(400, "request", `lines is not a list of at most ${LINES_MAX} strings`);
  }
  const records = readRecords(lines);
  if (header === undefined) return { records };
  const begin = typeof header === "string" ? parseHeader(header) : { problem: "is no string" };
  if ("problem" in begin) throw new ApiError(422, "badRecording", `header ${begin.problem}`);
  return { begin: { wallUs: begin.wallUs, speed }, records };
}

function readRecords(lines: readonly string[]): InputRecord[] {
  let afterUs = 0;
  return lines.map((line, index) => {
    const record = parseRecord(line, afterUs);
    if ("problem" in record) throw new ApiError(422, "badRecording", `line ${index + 1} ${record.problem}`);
    afterUs = record.atUs;
    return record;
  });
}
