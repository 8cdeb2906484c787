/**
 * OSC subscriber: one receiver of changes, and which paths it has to be told about.
 *
 * It keeps ids and never values: what is sent is the newest shown value at the moment of sending, so values conflate
 * by themselves, while impulses stand in the queue one by one. The queue is bounded; values that do not fit are found
 * again by a walk over the flags (a sweep), which is also how a whole state is sent. Allocates nothing after it is
 * made. It neither sends nor encodes: `OscSubscribers` does.
 */
import type { Clock } from "../base/clock.js";
import type { State } from "../state/state.js";
import { ORIGINS_MAX, type OriginTable } from "../state/tables.js";
import type { OscPattern } from "./osc-pattern.js";
import { type OscTarget, surfaceName } from "./osc-target.js";
import { TokenBucket } from "./token-bucket.js";

/** Values and impulses that wait in order; a power of two. */
export const QUEUE_ENTRIES = 4_096;
/**
 * Datagrams at once: a receiver's default buffer (212,992 bytes) holds about 90 of 1,200 bytes, and what it does not
 * hold is lost. Then a speed at which a receiver that works still follows, and values conflate meanwhile.
 */
export const DATAGRAM_BURST = 64;
const DATAGRAMS_PER_SECOND = 20_000;
/** For a sweep, which nobody waits for: a program that prints every message still follows. */
const SWEEP_PER_SECOND = 4_000;

/** What `flags` says of a path. */
export const PathFlag = {
  /** The pattern matches it. */
  matches: 1,
  /** Its value has changed since it was sent. */
  changed: 2,
  /** It stands in the queue, or did and need not be sent any more. */
  queued: 4,
  /** The value that this subscriber wrote was clipped. */
  clipped: 8,
} as const;

/** What `echoes` says of an origin. */
const Echo = { unknown: 0, no: 1, yes: 2 } as const;

const NOW = 0;
const NEXT_FLUSH_US = 0;
const INTERVAL_US = 1;
const LEASE_END_US = 2;
const NO_SWEEP = -1;
const QUEUE_MASK = QUEUE_ENTRIES - 1;
const SECOND_US = 1_000_000;

export interface SubscriberOptions {
  readonly target: OscTarget;
  readonly pattern: OscPattern;
  /** Most flushes a second, 0 for no limit. */
  readonly throttleHz: number;
  /** Where its own changes come from, which are not sent back to it. */
  readonly ties: readonly OscTie[];
}

/** One port of a host, or without `port` all of them. */
export interface OscTie {
  readonly address: string;
  readonly port?: number | undefined;
}

export class OscSubscriber {
  readonly target: OscTarget;
  readonly pattern: OscPattern;
  ties: readonly OscTie[] = [];
  /** Bits of `PathFlag`, by id. */
  readonly flags: Uint8Array;
  /** Datagrams that it may be sent. */
  readonly bucket: TokenBucket;
  /** Those of them that a sweep may fill. */
  readonly sweepBucket: TokenBucket;
  /** Impulses in the queue. */
  impulses = 0;
  private isFlushing = false;
  private readonly state: State;
  private readonly time: Float64Array;
  private readonly times = new Float64Array(3);
  private readonly echoes = new Uint8Array(ORIGINS_MAX);
  private readonly queue = new Int32Array(QUEUE_ENTRIES);
  private head = 0;
  private count = 0;
  private sweepId = NO_SWEEP;

  /** Its lease never ends until one is set. */
  constructor(options: SubscriberOptions, state: State, clock: Clock) {
    this.state = state;
    this.time = clock.register;
    this.target = options.target;
    this.pattern = options.pattern;
    this.tie(options.ties);
    this.flags = new Uint8Array(state.capacity);
    this.bucket = new TokenBucket(clock, DATAGRAMS_PER_SECOND, DATAGRAM_BURST);
    this.sweepBucket = new TokenBucket(clock, SWEEP_PER_SECOND, DATAGRAM_BURST);
    this.throttle(options.throttleHz);
    this.times[LEASE_END_US] = Number.POSITIVE_INFINITY;
  }

  get leaseEndUs(): number {
    return this.times[LEASE_END_US];
  }

  set leaseEndUs(atUs: number) {
    this.times[LEASE_END_US] = atUs;
  }

  /** Its own changes come from there from now on. */
  tie(ties: readonly OscTie[]): void {
    this.ties = ties;
    this.echoes.fill(Echo.unknown);
  }

  /** At most so many flushes a second; 0 for no limit. */
  throttle(hz: number): void {
    this.times[INTERVAL_US] = hz > 0 ? SECOND_US / hz : 0;
  }

  /** When values may be sent again. */
  get nextFlushUs(): number {
    return this.times[NEXT_FLUSH_US];
  }

  /** Whether values may be sent now: the last flush is long enough ago, or not complete, or an impulse waits. */
  get isDue(): boolean {
    return this.impulses > 0 || this.isFlushing || this.time[NOW] >= this.times[NEXT_FLUSH_US];
  }

  /** What could be sent was sent. With work left, the flush goes on. */
  flushed(): void {
    this.isFlushing = this.hasWork;
    if (!this.isFlushing) this.times[NEXT_FLUSH_US] = this.time[NOW] + this.times[INTERVAL_US];
  }

  /** Whether a surface of this node is this subscriber, so that what it wrote is not sent back to it. */
  owns(surface: string): boolean {
    return this.ties.some(({ address, port }) => {
      const name = surfaceName(address, port);
      return surface === name || (port === undefined && surface.startsWith(`${name}:`));
    });
  }

  /** Whether an origin is this subscriber; asked of the table once for each origin, since a table only grows. */
  isEcho(origin: number, origins: OriginTable, ownNode: string): boolean {
    const echo = this.echoes[origin];
    if (echo !== Echo.unknown) return echo === Echo.yes;
    const { node, surface } = origins.at(origin);
    const isOwn = node === ownNode && this.owns(surface);
    if (origin < origins.size) this.echoes[origin] = isOwn ? Echo.yes : Echo.no;
    return isOwn;
  }

  get hasWork(): boolean {
    return this.count > 0 || this.sweepId !== NO_SWEEP;
  }

  /** How long until it may be sent what is left, in microseconds. */
  get waitUs(): number {
    const waitUs = this.bucket.waitUs(1);
    return this.count > 0 ? waitUs : Math.max(waitUs, this.sweepBucket.waitUs(1));
  }

  get queueLength(): number {
    return this.count;
  }

  get isSweeping(): boolean {
    return this.sweepId !== NO_SWEEP;
  }

  /** Takes in what every path is called now. */
  rematchAll(): void {
    const { state } = this;
    for (let id = 0; id < state.capacity; id = afterId(state, id)) this.rematch(id);
  }

  /** Takes in what the path of an id is called now, or that there is none. */
  rematch(id: number): void {
    const path = this.state.pathOf(id);
    const kept = this.flags[id] & PathFlag.queued;
    this.flags[id] = path !== "" && this.pattern.matches(path) ? kept | PathFlag.matches : kept;
  }

  /** A value changed. False when the queue is full and the value waits for a sweep. */
  change(id: number): boolean {
    const flags = this.flags[id];
    if ((flags & PathFlag.matches) === 0) return true;
    if ((flags & PathFlag.queued) !== 0) {
      this.flags[id] = flags | PathFlag.changed;
      return true;
    }
    if (this.count === QUEUE_ENTRIES) {
      this.flags[id] = flags | PathFlag.changed;
      this.sweepFrom(id);
      return false;
    }
    this.flags[id] = flags | PathFlag.changed | PathFlag.queued;
    this.push(id);
    return true;
  }

  /** The subscriber knows the newest value: it need not be sent. */
  forget(id: number): void {
    this.flags[id] &= ~PathFlag.changed;
  }

  /** An impulse fired. False when the queue holds nothing but impulses and this one is lost. */
  fire(id: number): boolean {
    if ((this.flags[id] & PathFlag.matches) === 0) return true;
    if (this.count === QUEUE_ENTRIES) this.moveValuesToSweep();
    if (this.count === QUEUE_ENTRIES) return false;
    this.push(~id);
    this.impulses++;
    return true;
  }

  /** Everything that matches is to be sent, but for what `skip` says. */
  changeAll(skip?: (id: number) => boolean): void {
    const { state } = this;
    for (let id = 0; id < state.capacity; id = afterId(state, id)) {
      if ((this.flags[id] & PathFlag.matches) !== 0 && skip?.(id) !== true) this.flags[id] |= PathFlag.changed;
    }
    this.sweepFrom(0);
  }

  /** The next entry of the queue, taken out: an id, or an impulse's id inverted (`~id`). The queue is not empty. */
  take(): number {
    const entry = this.queue[this.head];
    this.head = (this.head + 1) & QUEUE_MASK;
    this.count--;
    if (entry < 0) this.impulses--;
    else this.flags[entry] &= ~PathFlag.queued;
    return entry;
  }

  /** The next changed id of the sweep, or -1 and the sweep is over. It stays the next until it is forgotten. */
  nextOfSweep(): number {
    const { state } = this;
    for (let id = this.sweepId; id < state.capacity; id = afterId(state, id)) {
      if ((this.flags[id] & PathFlag.changed) === 0) continue;
      this.sweepId = id;
      return id;
    }
    this.sweepId = NO_SWEEP;
    return -1;
  }

  /** A change that a sweep took was not sent. */
  putBack(id: number): void {
    this.flags[id] |= PathFlag.changed;
    this.sweepFrom(id);
  }

  private sweepFrom(id: number): void {
    if (this.sweepId === NO_SWEEP || id < this.sweepId) this.sweepId = id;
  }

  private push(entry: number): void {
    this.queue[(this.head + this.count) & QUEUE_MASK] = entry;
    this.count++;
  }

  /** Makes room for impulses, which have no other place. */
  private moveValuesToSweep(): void {
    const { queue } = this;
    const count = this.count;
    this.count = 0;
    for (let at = 0; at < count; at++) {
      const entry = queue[(this.head + at) & QUEUE_MASK];
      if (entry < 0) this.push(entry);
      else {
        this.flags[entry] &= ~PathFlag.queued;
        if ((this.flags[entry] & PathFlag.changed) !== 0) this.sweepFrom(entry);
      }
    }
  }
}

/** The id after this one, over those that nobody was given yet. */
function afterId(state: State, id: number): number {
  const next = id + 1;
  return next >= state.nextId && next < state.firstProvisional ? state.firstProvisional : next;
}
