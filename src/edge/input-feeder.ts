/**
 * Input feeder: carries trace and record lines to the desk, a few times a second more than an eye can see.
 *
 * One message of the worker's for many lines: each by itself would cost the live thread more than what it tells of. What
 * comes faster than that can be carried is counted and told as lost; nothing waits for the desk.
 */
import { recordLine } from "../input/input-record.js";
import type { TraceLine } from "../input/input-trace.js";
import type { FeedNews } from "../manage/input-feed.js";

const PAUSE_MS = 20;
/** 50,000 trace lines a second, and 200,000 records: more than 16 faders at 1 kHz. */
const TRACES_MAX = 1_000;
const RECORDS_MAX = 4_000;

export class InputFeeder {
  private readonly post: (news: FeedNews) => void;
  private traces: TraceLine[] = [];
  private lostTraces = 0;
  private records: string[] = [];
  private lostRecords = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(post: (news: FeedNews) => void) {
    this.post = post;
  }

  trace(line: TraceLine): void {
    if (this.traces.length < TRACES_MAX) this.traces.push(line);
    else this.lostTraces++;
    this.arm();
  }

  /** `atUs`: the record's own time, at which what was lost before is told. */
  record(line: string, atUs: number): void {
    if (this.records.length >= RECORDS_MAX) this.lostRecords++;
    else {
      if (this.lostRecords > 0) this.records.push(recordLine({ kind: "lost", atUs, count: this.lostRecords }));
      this.lostRecords = 0;
      this.records.push(line);
    }
    this.arm();
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private arm(): void {
    this.timer ??= setTimeout(() => this.flush(), PAUSE_MS);
  }

  private flush(): void {
    const { traces, lostTraces, records } = this;
    this.timer = undefined;
    this.traces = [];
    this.lostTraces = 0;
    this.records = [];
    this.post({ traces, lostTraces, records });
  }
}
