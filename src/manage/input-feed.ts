/**
 * Input feed: what the live thread tells of its inputs, to those who asked for it.
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
}

export const NO_WISH: FeedWish = { isTraced: false, aliases: [] };

/** What it tells. */
export interface FeedNews {
  readonly traces: readonly TraceLine[];
  /** Messages that were not traced because there were too many. */
  readonly lostTraces: number;
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

  /** `tell` is called whenever somebody comes or goes. */
  constructor(tell: (wish: FeedWish) => void) {
    this.tell = tell;
  }

  get traceCount(): number {
    return this.traces.size;
  }

  openTrace(filter: TraceFilter): FeedQueue {
    const queue = new FeedQueue();
    this.traces.set(queue, filter);
    this.tellWish();
    return queue;
  }

  close(queue: FeedQueue): void {
    this.traces.delete(queue);
    this.tellWish();
  }

  take({ traces, lostTraces }: FeedNews): void {
    for (const [queue, filter] of this.traces) {
      queue.lost += lostTraces;
      for (const line of traces) if (isWanted(line, filter)) queue.add(JSON.stringify(line));
    }
  }

  private tellWish(): void {
    const aliases = [...this.traces.values()].flatMap(({ source }) => (source === undefined ? [] : [source]));
    this.tell({ isTraced: this.traces.size > 0, aliases });
  }
}

/** The lines of one reader. */
export class FeedQueue implements LineSource {
  isSlow = false;
  /** Lines that it did not get and was not told of yet. */
  lost = 0;
  private text = "";

  get isEmpty(): boolean {
    return this.text === "";
  }

  add(line: string): void {
    if (this.text.length > TEXT_LIMIT) {
      this.lost++;
      return;
    }
    if (this.lost > 0) this.text += `${JSON.stringify({ lost: this.lost })}\n`;
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
