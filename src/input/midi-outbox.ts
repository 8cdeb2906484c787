/**
 * MIDI outbox: what is to be sent to one device, no faster than it can take it.
 *
 * A device that gets more than it can take loses the rest without a word (the kernel's buffer of a raw port holds 4 KiB,
 * and pads drop whole bursts), so messages wait here instead. The queue is bounded: what does not fit is refused. It
 * sends nothing itself and reads the time from a clock.
 */
import type { Clock } from "../base/clock.js";
import { TokenBucket } from "./token-bucket.js";

export interface MidiPacing {
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
  /** Least time between two messages; none if left out. */
  readonly gapUs?: number | undefined;
}

/** For a device of which nothing is known: six times a DIN cable's rate, which all USB devices take. */
export const MIDI_PACING: MidiPacing = { bytesPerSecond: 20_000, burstBytes: 1_024 };

/** A full repaint of the largest surface is below 10 KiB. */
export const MIDI_OUTBOX_BYTES = 65_536;
export const MIDI_OUTBOX_MESSAGES = 4_096;

export class MidiOutbox {
  private readonly clock: Clock;
  private readonly bucket: TokenBucket;
  private readonly messages: Uint8Array[] = [];
  /** The first of them that was not sent. */
  private next = 0;
  private bytes = 0;
  private readonly gapUs: number;
  /** [0] before when nothing is sent. */
  private readonly times = new Float64Array(1);

  constructor(clock: Clock, { bytesPerSecond, burstBytes, gapUs = 0 }: MidiPacing = MIDI_PACING) {
    this.clock = clock;
    this.gapUs = gapUs;
    this.bucket = new TokenBucket(clock, bytesPerSecond, burstBytes);
  }

  /** Messages that wait. */
  get length(): number {
    return this.messages.length - this.next;
  }

  /** When `take` has something, in own time; infinite while nothing waits. */
  get dueUs(): number {
    if (this.length === 0) return Number.POSITIVE_INFINITY;
    return Math.max(this.clock.nowUs + this.bucket.waitUs(1), this.times[0] as number);
  }

  /** Adds a copy of a message. False when there is no room for it. */
  put(message: Uint8Array): boolean {
    if (this.length >= MIDI_OUTBOX_MESSAGES || this.bytes + message.length > MIDI_OUTBOX_BYTES) return false;
    this.messages.push(message.slice());
    this.bytes += message.length;
    return true;
  }

  /** The next message that may be sent now. */
  take(): Uint8Array | undefined {
    if (this.length === 0 || !this.bucket.has(1) || this.clock.nowUs < (this.times[0] as number)) return undefined;
    this.times[0] = this.clock.nowUs + this.gapUs;
    const message = this.messages[this.next++] as Uint8Array;
    this.bucket.spend(message.length);
    this.bytes -= message.length;
    if (this.length === 0) this.clear();
    return message;
  }

  /** Everything that waits, whatever the pace: the port is about to close. */
  takeAll(): readonly Uint8Array[] {
    const waiting = this.messages.slice(this.next);
    this.clear();
    return waiting;
  }

  private clear(): void {
    this.messages.length = 0;
    this.next = 0;
    this.bytes = 0;
  }
}

/** Whether these bytes are one message and nothing else: native code prints a line for each that is not. */
export function isOneMessage(bytes: Uint8Array): boolean {
  const [status = 0] = bytes;
  if (status < 0x80) return false;
  if (status === 0xf0) return bytes.length >= 2 && bytes.at(-1) === 0xf7 && areData(bytes, 1, bytes.length - 1);
  const dataBytes = DATA_BYTES[status >> 4] ?? SYSTEM_DATA_BYTES[status & 0x0f] ?? 0;
  return dataBytes >= 0 && bytes.length === dataBytes + 1 && areData(bytes, 1, bytes.length);
}

/** By the status' upper half; none for 0xF0. */
const DATA_BYTES: Readonly<Record<number, number>> = { 8: 2, 9: 2, 10: 2, 11: 2, 12: 1, 13: 1, 14: 2 };
/** By the lower half of a system status; -1 for what cannot be sent. */
const SYSTEM_DATA_BYTES: Readonly<Record<number, number>> = { 1: 1, 2: 2, 3: 1, 4: -1, 5: -1, 7: -1, 9: -1, 13: -1 };

function areData(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if ((bytes[index] as number) >= 0x80) return false;
  return true;
}
