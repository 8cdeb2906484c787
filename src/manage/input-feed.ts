/**
 * Input feed: what the live thread tells of its inputs, to those who asked for it: traces and a recording.
 *
 * The live thread is told when the first one asks and when the last one leaves; before and after it tells nothing, and
 * nothing costs anything. A reader that does not keep up loses lines, and is told how many. It opens nothing.
 */
import type { TraceLine } from "../input/input-trace.js";
import type { OscPattern } from "../input/osc-pattern.js";
import type { LineSource } from "./line-source.js";

/** What the live thread is to tell. */
export interface FeedWish {
  readonly isTraced: boolean;
  /** Devices that are to be open although nothing is bound to them. */
  readonly aliases: readonly string[];
  readonly isRecorded: boolean;
}

export const NO_WISH: FeedWish = { isTraced: false, aliases: [], isRecorded: false };

/** What it tells: trace lines, and lines as `headerLine` and `recordLine` make them. */
export interface FeedNews {
  readonly traces: readonly TraceLine[];
  /** Messages that were not traced because there were too many. */
  readonly lostTraces: number;
  readonly records: readonly string[];
}

export interface TraceFilter {
  /** The alias of a device, or an OSC sender's host; undefined for everything. */
  readonly source: string | undefined;
  readonly path: OscPattern | undefined;
}

/** Text held for a reader: some seconds of 16 faders at 1 kHz. */
const TEXT_LIMIT = 4 * 1_048_576;

export class InputFeed {
  private readonly tell: (wish: FeedWish) => void;
  private readonly traces = new Map<FeedQueue, TraceFilter>();
  private recording: FeedQueue | undefined;

  /** `tell` is called whenever somebody comes or goes. */
  constructor(tell: (wish: FeedWish) => void) {
    this.tell = tell;
  }

  get isRecorded(): boolean {
    return this.recording !== undefined;
  }

  get traceCount(): number {
    return this.traces.size;
  }

  openTrace(filter: TraceFilter): FeedQueue {
    const queue = new FeedQueue((lost) => JSON.stringify({ lost }));
    this.traces.set(queue, filter);
    this.tellWish();
    return queue;
  }

  /** There is one recording at a time, for its times begin with it. */
  openRecording(): FeedQueue {
    this.recording = new FeedQueue((lost, next) => JSON.stringify({ us: timeOf(next), lost }));
    this.tellWish();
    return this.recording;
  }

  close(queue: FeedQueue): void {
    this.traces.delete(queue);
    if (this.recording === queue) this.recording = undefined;
    this.tellWish();
  }

  take({ traces, lostTraces, records }: FeedNews): void {
    for (const [queue, filter] of this.traces) {
      queue.lost += lostTraces;
      for (const line of traces) if (isWanted(line, filter)) queue.add(JSON.stringify(line));
    }
    for (const line of records) this.recording?.add(line);
  }

  private tellWish(): void {
    const aliases = [...this.traces.values()].flatMap(({ source }) => (source === undefined ? [] : [source]));
    this.tell({ isTraced: this.traces.size > 0, aliases, isRecorded: this.isRecorded });
  }
}

/** The lines of one reader. */
export class FeedQueue implements LineSource {
  isSlow = false;
  /** Lines that it did not get and was not told of yet. */
  lost = 0;
  private text = "";
  private readonly lostLine: (count: number, next: string) => string;

  constructor(lostLine: (count: number, next: string) => string) {
    this.lostLine = lostLine;
  }

  get isEmpty(): boolean {
    return this.text === "";
  }

  add(line: string): void {
    if (this.text.length > TEXT_LIMIT) {
      this.lost++;
      return;
    }
    if (this.lost > 0) this.text += `${this.lostLine(this.lost, line)}\n`;
    this.lost = 0;
    this.text += `${line}\n`;
  }

  take(): string {
    const { text } = this;
    this.text = "";
    return text;
  }
}

/** Of a refused or dormant binding too: its path is known. */
function isWanted({ from, path }: TraceLine, filter: TraceFilter): boolean {
  if (filter.source !== undefined && filter.source !== from) return false;
  return filter.path === undefined || (path !== "" && filter.path.matches(path));
}

function timeOf(line: string): number {
  return (JSON.parse(line) as { readonly us?: number }).us ?? 0;
}
