/**
 * RepairDesk: the controller's answers to NAKs. Merges requests, bounds what repair may cost, told the time.
 *
 * A frame asked for again within 5 ms is on its way already; two or more that ask get one multicast. Repairs use at most
 * a quarter of the packets, so a lossy follower cannot take the stream's budget. What cannot be sent now waits for
 * the next tick, oldest frame first; the follower asks again if it must. One request may name sixteen times the whole
 * ring: only so many frames are looked at for it, the lowest first.
 */
import type { Clock } from "../base/clock.js";
import type { FrameTarget } from "./stream-frames.js";
import { SENT_FRAMES, type SentRing } from "./sent-ring.js";

const MERGE_US = 1_000;
const REPEAT_US = 5_000;
const REPAIRS_PER_SECOND = 5_000;
const BURST = 100;
const WAITING_MAX = 1_024;
/** Frames that one request may name; it asks again for the rest. */
export const FRAMES_PER_ASK = 256;

export class RepairDesk {
  private readonly clock: Clock;
  private readonly sent: SentRing;
  /** When a frame was last repaired, by its slot. */
  private readonly repairedUs = new Float64Array(SENT_FRAMES);
  private readonly waiting = new Map<number, FrameTarget | undefined>();
  /** [0] due in microseconds, [1] tokens, [2] when they were counted. */
  private readonly registers = new Float64Array([Number.POSITIVE_INFINITY, BURST, 0]);
  repairs = 0;
  /** Requests for frames that the ring no longer holds. */
  tooOld = 0;

  constructor(clock: Clock, sent: SentRing) {
    this.clock = clock;
    this.sent = sent;
  }

  get dueUs(): number {
    return this.registers[0] as number;
  }

  /** Takes in a request: first and last frame, in pairs. */
  ask(ranges: readonly number[], from: FrameTarget): void {
    let left = FRAMES_PER_ASK;
    for (let index = 0; index + 1 < ranges.length && left > 0; index += 2) {
      left -= this.askRange(ranges[index] as number, ranges[index + 1] as number, left, from);
    }
  }

  /** Answers how many frames were looked at; a range of which the beginning is gone counts as one. */
  private askRange(first: number, last: number, most: number, from: FrameTarget): number {
    if (!this.sent.has(first)) {
      this.tooOld++;
      return 1;
    }
    const end = Math.min(last, this.sent.newest, first + most - 1);
    // What finds no room is asked for again: a request costs no more than what it can bring.
    for (let sequence = first; sequence <= end && this.waiting.size < WAITING_MAX; sequence++) {
      this.askOne(sequence, from);
    }
    return Math.max(1, end - first + 1);
  }

  private askOne(sequence: number, from: FrameTarget): void {
    const now = this.clock.nowUs;
    if (now - (this.repairedUs[sequence % SENT_FRAMES] as number) < REPEAT_US) return;
    if (this.waiting.has(sequence)) {
      const first = this.waiting.get(sequence);
      if (first?.address !== from.address || first.port !== from.port) this.waiting.set(sequence, undefined);
      return;
    }
    if (this.waiting.size >= WAITING_MAX) return;
    this.waiting.set(sequence, from);
    if (this.registers[0] === Number.POSITIVE_INFINITY) this.registers[0] = now + MERGE_US;
  }

  /** Sends what is due through `send`; a target of undefined is everybody. */
  tick(send: (sequence: number, target: FrameTarget | undefined) => void): void {
    const now = this.clock.nowUs;
    const { registers } = this;
    if (now < (registers[0] as number)) return;
    const filled = (registers[1] as number) + ((now - (registers[2] as number)) * REPAIRS_PER_SECOND) / 1e6;
    registers[1] = Math.min(filled, BURST);
    registers[2] = now;
    for (const [sequence, target] of this.waiting) {
      if ((registers[1] as number) < 1) break;
      this.waiting.delete(sequence);
      if (!this.sent.has(sequence)) continue;
      registers[1] = (registers[1] as number) - 1;
      this.repairedUs[sequence % SENT_FRAMES] = now;
      this.repairs++;
      send(sequence, target);
    }
    registers[0] = this.waiting.size === 0 ? Number.POSITIVE_INFINITY : now + MERGE_US;
  }

  clear(): void {
    this.waiting.clear();
    this.repairedUs.fill(0);
    this.registers[0] = Number.POSITIVE_INFINITY;
  }
}
