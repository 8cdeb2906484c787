/**
 * OSC schedule: packets that wait for their time tag. A bounded heap of copies, the earliest first.
 *
 * Whoever sends chooses the time tags, so packets and bytes are capped, and what does not fit is refused at once and
 * counted by the caller. It knows no time of its own, reads no packet and applies nothing.
 */
import type { OscHost } from "./osc-sources.js";

export const SCHEDULE_PACKETS = 1_024;
export const SCHEDULE_BYTES = 4 * 1024 * 1024;

/** Of these, one host's: so that no host takes every place. */
export const SCHEDULE_PACKETS_PER_HOST = 512;

/** A packet that waits, with where it came from, so that it is applied as if it came then. */
export interface ScheduledPacket {
  readonly bytes: Uint8Array;
  readonly host: OscHost;
  readonly port: number;
  readonly connection: number;
  /** Those of its messages are meant that have this time, in epoch microseconds of the wall clock. */
  readonly timeUs: number;
  /** Times after this one are beyond the horizon. */
  readonly untilUs: number;
}

interface Waiting {
  readonly dueUs: number;
  /** Packets due at the same time keep the order in which they came. */
  readonly order: number;
  readonly packet: ScheduledPacket;
}

export class OscSchedule {
  private readonly heap: Waiting[] = [];
  private readonly maxPackets: number;
  private readonly maxBytes: number;
  private bytes = 0;
  private order = 0;

  constructor(maxPackets = SCHEDULE_PACKETS, maxBytes = SCHEDULE_BYTES) {
    this.maxPackets = maxPackets;
    this.maxBytes = maxBytes;
  }

  get size(): number {
    return this.heap.length;
  }

  /** When the first packet is due, in microseconds of own time; infinity when none waits. */
  get nextDueUs(): number {
    return this.heap.length === 0 ? Number.POSITIVE_INFINITY : this.heap[0].dueUs;
  }

  /** Keeps a packet until `dueUs`, with bytes that nobody else writes to. False when there is no room for it. */
  add(dueUs: number, packet: ScheduledPacket): boolean {
    const { bytes, host } = packet;
    if (this.heap.length >= this.maxPackets || this.bytes + bytes.length > this.maxBytes) return false;
    if (host.waitingPackets >= SCHEDULE_PACKETS_PER_HOST) return false;
    host.waitingPackets++;
    this.bytes += bytes.length;
    this.heap.push({ dueUs, order: this.order++, packet });
    this.rise(this.heap.length - 1);
    return true;
  }

  /** The first packet that is due, taken out; undefined when none is. */
  takeDue(nowUs: number): ScheduledPacket | undefined {
    const { heap } = this;
    if (heap.length === 0 || heap[0].dueUs > nowUs) return undefined;
    const { packet } = heap[0];
    const last = heap.pop() as Waiting;
    if (heap.length > 0) {
      heap[0] = last;
      this.sink();
    }
    this.bytes -= packet.bytes.length;
    packet.host.waitingPackets--;
    return packet;
  }

  private rise(from: number): void {
    const { heap } = this;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(heap[at], heap[parent])) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private sink(): void {
    const { heap } = this;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let first = at;
      if (left < heap.length && isBefore(heap[left], heap[first])) first = left;
      if (right < heap.length && isBefore(heap[right], heap[first])) first = right;
      if (first === at) return;
      this.swap(at, first);
      at = first;
    }
  }

  private swap(one: number, other: number): void {
    const { heap } = this;
    const waiting = heap[one];
    heap[one] = heap[other];
    heap[other] = waiting;
  }
}

function isBefore(one: Waiting, other: Waiting): boolean {
  return one.dueUs < other.dueUs || (one.dueUs === other.dueUs && one.order < other.order);
}
