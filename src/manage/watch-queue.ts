/**
 * Watch queue: the changes that one reader of `/-/watch` has still to get, as lines of JSON.
 *
 * A quick reader gets every change. For one that does not keep up only the newest value per path is kept, in the order
 * in which the paths changed first; impulses are kept one by one, up to a bound. So a reader that stands still costs a
 * list of ids and no more. It never waits and never asks for anything.
 */
import type { OscPattern } from "../input/osc-pattern.js";
import type { LineSource } from "./line-source.js";
import { type ChangeReport, reportChange, reportImpulse } from "./change-report.js";
import type { ImpulseFields, Replica, ReplicaWatcher } from "./replica.js";

/** Text held for a quick reader before it counts as slow. */
const TEXT_LIMIT = 1_048_576;
const IMPULSES_LIMIT = 4_096;
/** Lines made in one go for a slow reader. */
const TAKE_LIMIT = 2_048;

const Match = { unknown: 0, yes: 1, no: 2 } as const;

export class WatchQueue implements ReplicaWatcher, LineSource {
  /** Impulses that found the queue full. */
  lostImpulses = 0;
  /** Set by whoever writes, when the reader does not keep up. */
  isSlow = false;
  private readonly replica: Replica;
  private readonly pattern: OscPattern;
  private readonly matches: Uint8Array;
  private readonly isQueued: Uint8Array;
  private text = "";
  private queue: (number | ChangeReport)[] = [];
  private queueStart = 0;
  private impulses = 0;

  constructor(replica: Replica, pattern: OscPattern) {
    this.replica = replica;
    this.pattern = pattern;
    this.matches = new Uint8Array(replica.state.capacity);
    this.isQueued = new Uint8Array(replica.state.capacity);
  }

  get isEmpty(): boolean {
    return this.text === "" && this.queueStart === this.queue.length;
  }

  /** Queues every path that matches, as if it had just changed. */
  addAll(): void {
    for (const id of this.replica.state.ids()) this.onValue(id);
  }

  onValue(id: number): void {
    if (!this.isWanted(id)) return;
    if (this.mustQueue()) this.enqueue(id);
    else this.text += `${JSON.stringify(reportChange(this.replica, id))}\n`;
  }

  onImpulse(id: number, impulse: ImpulseFields): void {
    if (!this.isWanted(id)) return;
    const report = reportImpulse(this.replica, id, impulse);
    if (!this.mustQueue()) this.text += `${JSON.stringify(report)}\n`;
    else if (this.impulses === IMPULSES_LIMIT) this.lostImpulses++;
    else {
      this.queue.push(report);
      this.impulses++;
    }
  }

  onStructure(id: number): void {
    if (id >= 0) this.matches[id] = Match.unknown;
    else this.matches.fill(Match.unknown);
  }

  /** The next lines to write, "" for none. */
  take(): string {
    let { text } = this;
    this.text = "";
    for (let count = 0; count < TAKE_LIMIT && this.queueStart < this.queue.length; count++) text += this.nextLine();
    if (this.queueStart === this.queue.length) {
      this.queue = [];
      this.queueStart = 0;
    }
    return text;
  }

  private nextLine(): string {
    const entry = this.queue[this.queueStart++] as number | ChangeReport;
    if (typeof entry !== "number") {
      this.impulses--;
      return `${JSON.stringify(entry)}\n`;
    }
    this.isQueued[entry] = 0;
    // Removed, or renamed out of the pattern, since.
    if (!this.replica.state.exists(entry) || !this.isWanted(entry)) return "";
    return `${JSON.stringify(reportChange(this.replica, entry))}\n`;
  }

  /** What was queued goes first, so nothing overtakes it. */
  private mustQueue(): boolean {
    return this.isSlow || this.queueStart < this.queue.length || this.text.length > TEXT_LIMIT;
  }

  private enqueue(id: number): void {
    if (this.isQueued[id] === 1) return;
    this.isQueued[id] = 1;
    this.compact();
    this.queue.push(id);
  }

  /** A reader that is always a little behind never empties the queue; its worked-off part is cut now and then. */
  private compact(): void {
    if (this.queueStart < TAKE_LIMIT || this.queueStart * 2 < this.queue.length) return;
    this.queue = this.queue.slice(this.queueStart);
    this.queueStart = 0;
  }

  private isWanted(id: number): boolean {
    const known = this.matches[id] as number;
    if (known !== Match.unknown) return known === Match.yes;
    const isMatch = this.pattern.matches(this.replica.state.pathOf(id));
    this.matches[id] = isMatch ? Match.yes : Match.no;
    return isMatch;
  }
}
