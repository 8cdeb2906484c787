/**
 * Input feeder: carries trace lines to the desk, a few times a second more than an eye can see.
 *
 * One message of the worker's for many lines: each by itself would cost the live thread more than what it tells of. What
 * comes faster than that can be carried is counted and told as lost; nothing waits for the desk.
 */
import type { TraceLine } from "../input/input-trace.js";
import type { FeedNews } from "../manage/input-feed.js";

const PAUSE_MS = 20;
/** 50,000 lines a second: more than 16 faders at 1 kHz. */
const TRACES_MAX = 1_000;

export class InputFeeder {
  private readonly post: (news: FeedNews) => void;
  private traces: TraceLine[] = [];
  private lostTraces = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(post: (news: FeedNews) => void) {
    this.post = post;
  }

  trace(line: TraceLine): void {
    if (this.traces.length < TRACES_MAX) this.traces.push(line);
    else this.lostTraces++;
    this.arm();
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private arm(): void {
    this.timer ??= setTimeout(() => this.flush(), PAUSE_MS);
  }

  private flush(): void {
    const { traces, lostTraces } = this;
    this.timer = undefined;
    this.traces = [];
    this.lostTraces = 0;
    this.post({ traces, lostTraces });
  }
}
