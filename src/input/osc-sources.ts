/**
 * OSC sources: the hosts that send, each with its surface, its rate and its share of search work.
 *
 * A datagram's sender is two words on its header that anybody can write, so the table is bounded and forgets the host
 * that was silent longest; a host outside the allow list gets a place in another table, so that strangers push out
 * nobody. Limits go by host and not by port, for a port costs nothing. A host's changes come from one surface, however
 * many ports it sends from, and only a port that is a subscriber's has its own: ephemeral ports would fill the table
 * of origins, which never forgets. So a hand has another name once it subscribes, and lets go of what it moved by the one
 * before: it would be held against itself.
 */
import { LRUCache } from "lru-cache";
import type { Clock } from "../base/clock.js";
import { type AllowList, plainAddress } from "./allow-list.js";
import type { OscSubscriber } from "./osc-subscriber.js";
import { surfaceName } from "./osc-target.js";
import { TokenBucket } from "./token-bucket.js";
import type { WriteTarget } from "./write-target.js";

export const SOURCES_MAX = 1_024;
/** Messages a second that are applied one by one; above it values are conflated. */
export const RATE_LIMIT = 50_000;
/** A burst is what comes in this time. */
export const BURST_MS = 100;
/** Impulses a second that a host above its rate may still fire: what the event lane is made for. */
const RESERVED_IMPULSES = 1_000;
/**
 * Steps of pattern matching a second, and at once. A step is 3 to 5 ns (measured), so one host takes a tenth of a core
 * at most, and a pattern over 100,000 paths (some 10 million steps) still runs.
 */
const SEARCH_STEPS_PER_SECOND = 20_000_000;
const SEARCH_STEPS_AT_ONCE = 32_000_000;
/** As long as a path is held for who moves it, and more: what was moved before that is free. */
const HELD_US = 500_000;
/** Paths that a hand lets go of when its name changes; more are no hand's, and are free when they have rested. */
const LET_GO_MAX = 256;

/** What sources ask of the subscribers; `OscSubscribers` is it. */
export interface OscTies {
  readonly generation: number;
  portsOf(address: string): readonly number[];
  ownersOf(surface: string): readonly OscSubscriber[];
}

export interface OscSourcesOptions {
  readonly clock: Clock;
  readonly target: WriteTarget;
  readonly ties: OscTies;
  readonly allow: AllowList;
  /** Messages a second and host. Default `RATE_LIMIT`. */
  readonly rateLimit?: number | undefined;
}

/** Where changes come from: its name is known to the node once something is written. */
export class OscSurface {
  readonly name: string;
  /** Subscribers to which its changes are not sent back. */
  owners: readonly OscSubscriber[];
  private readonly target: WriteTarget;
  private known = -1;

  constructor(name: string, owners: readonly OscSubscriber[], target: WriteTarget) {
    this.name = name;
    this.owners = owners;
    this.target = target;
  }

  /** The node's index of this surface. */
  get index(): number {
    if (this.known < 0) this.known = this.target.surface(this.name);
    return this.known;
  }

  /** Lets go of what it moved lately: whoever it was writes under another name now. */
  letGo(nowUs: number): void {
    const { target, known } = this;
    const { state } = target;
    const { nextId, origins, timesUs } = state;
    if (known < 0) return;
    for (let id = 0, left = LET_GO_MAX; id < nextId && left > 0; id++) {
      if (origins[id] !== known || nowUs - (timesUs[id] as number) >= HELD_US || !state.exists(id)) continue;
      target.release(id, known);
      left--;
    }
  }
}

export class OscHost {
  /** As IPv4. */
  readonly address: string;
  /** Messages, one token each; a pattern takes one for every path it matches. */
  readonly rate: TokenBucket;
  /** Impulses above the rate, so that a flood of values does not drown them. */
  readonly reserve: TokenBucket;
  /** Steps of pattern matching. */
  readonly search: TokenBucket;
  /** Packets of this host that wait for their time tag. */
  waitingPackets = 0;
  private readonly options: OscSourcesOptions;
  private generation = -1;
  private ports: readonly number[] = [];
  private readonly surfaces = new Map<number, OscSurface>();

  constructor(address: string, options: OscSourcesOptions) {
    const rateLimit = options.rateLimit ?? RATE_LIMIT;
    this.address = address;
    this.options = options;
    this.rate = new TokenBucket(options.clock, rateLimit, Math.max(1, (rateLimit * BURST_MS) / 1_000));
    this.reserve = new TokenBucket(options.clock, RESERVED_IMPULSES, (RESERVED_IMPULSES * BURST_MS) / 1_000);
    this.search = new TokenBucket(options.clock, SEARCH_STEPS_PER_SECOND, SEARCH_STEPS_AT_ONCE);
  }

  /** The surface that changes from this port have. */
  surfaceAt(port: number): OscSurface {
    if (this.generation !== this.options.ties.generation) this.rename();
    const key = this.ports.length > 0 && this.ports.includes(port) ? port : WHOLE_HOST;
    return this.surfaces.get(key) ?? this.newSurface(key);
  }

  /** The subscribers have changed, and with them perhaps the names of this host's ports. */
  private rename(): void {
    const { ties, clock } = this.options;
    const { ports: before, surfaces } = this;
    this.generation = ties.generation;
    this.ports = ties.portsOf(this.address);
    if (this.ports.some((port) => !before.includes(port))) surfaces.get(WHOLE_HOST)?.letGo(clock.sessionUs);
    for (const [port, surface] of surfaces) {
      surface.owners = ties.ownersOf(surface.name);
      if (port === WHOLE_HOST || this.ports.includes(port)) continue;
      surface.letGo(clock.sessionUs);
      surfaces.delete(port);
    }
  }

  private newSurface(key: number): OscSurface {
    const { ties, target } = this.options;
    const name = key === WHOLE_HOST ? surfaceName(this.address) : surfaceName(this.address, key);
    const surface = new OscSurface(name, ties.ownersOf(name), target);
    this.surfaces.set(key, surface);
    return surface;
  }
}

/** No port has this number. */
const WHOLE_HOST = -1;

export class OscSources {
  private readonly options: OscSourcesOptions;
  private readonly hosts = new LRUCache<string, OscHost>({ max: SOURCES_MAX });
  private readonly strangers = new LRUCache<string, true>({ max: SOURCES_MAX });
  private lastAddress = "";
  private lastHost: OscHost | undefined = undefined;

  constructor(options: OscSourcesOptions) {
    this.options = options;
  }

  /** The host with this address, as the socket tells it; undefined when it may not send. */
  host(address: string): OscHost | undefined {
    if (address === this.lastAddress && this.lastHost !== undefined) return this.lastHost;
    const host = this.hosts.get(address) ?? this.admit(address);
    this.lastAddress = address;
    this.lastHost = host;
    return host;
  }

  private admit(address: string): OscHost | undefined {
    if (this.strangers.get(address) !== undefined) return undefined;
    if (!this.options.allow.allows(address)) {
      this.strangers.set(address, true);
      return undefined;
    }
    const host = new OscHost(plainAddress(address), this.options);
    this.hosts.set(address, host);
    return host;
  }
}
