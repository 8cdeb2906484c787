/**
 * Desk follower: drives the replica. Says when it pumps, when it asks for an image, and who is told afterwards.
 *
 * The ring wakes nobody, so the desk looks at it: often while somebody watches, seldom otherwise, and always before a
 * request is answered. A replica that cannot keep up asks for images with a pause between, because each costs the live
 * thread time.
 */
import type { LiveToDesk } from "../manage/desk-messages.js";
import type { Replica } from "../manage/replica.js";

/** 65,536 values are 130 ms at 500,000 a second; a look costs 2 µs when nothing is there. */
const IDLE_PAUSE_MS = 25;
const WATCHED_PAUSE_MS = 4;
const IMAGE_PAUSE_MS = 500;

export class DeskFollower {
  readonly replica: Replica;
  /** Called after every pump, for those who write out what it brought. */
  readonly afterPump = new Set<() => void>();
  private readonly askForImage: () => void;
  private readonly waiters: (() => void)[] = [];
  private askedMs = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;

  /** `askForImage` sends `imagePlease`; the answer comes through `take`. */
  constructor(replica: Replica, askForImage: () => void) {
    this.replica = replica;
    this.askForImage = askForImage;
  }

  start(): void {
    this.pump();
    const pauseMs = this.replica.watcherCount > 0 ? WATCHED_PAUSE_MS : IDLE_PAUSE_MS;
    this.timer = setTimeout(() => this.start(), pauseMs);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** The replica, holding everything that was in the ring before. */
  async current(): Promise<Replica> {
    this.pump();
    if (this.replica.phase !== "current") await new Promise<void>((resolve) => this.waiters.push(resolve));
    return this.replica;
  }

  /** The same at once; undefined while there is no whole replica. */
  currentNow(): Replica | undefined {
    this.pump();
    return this.replica.phase === "current" ? this.replica : undefined;
  }

  /** The image's messages; others are not taken (false). */
  take(message: LiveToDesk): boolean {
    if (message.kind === "imageBegin") this.replica.beginImage(message.terms, message.origins, message.sequence);
    else if (message.kind === "imageChunk") this.replica.pushImage(message.bytes);
    else if (message.kind === "imageEnd") this.endImage(message);
    else return false;
    return true;
  }

  private endImage(message: Extract<LiveToDesk, { kind: "imageEnd" }>): void {
    this.replica.endImage(message.pending);
    this.pump();
    // Even if the ring was too fast again: an answer that is half a second old is better than none.
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  private pump(): void {
    while (this.replica.pump());
    if (this.replica.phase === "stale") this.resync();
    for (const flush of this.afterPump) flush();
  }

  private resync(): void {
    const nowMs = performance.now();
    if (nowMs - this.askedMs < IMAGE_PAUSE_MS) return;
    this.askedMs = nowMs;
    this.replica.prepareForImage();
    this.askForImage();
  }
}
