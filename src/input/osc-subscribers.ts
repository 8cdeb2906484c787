/**
 * OSC subscribers: a follower of the change ring that tells renderers and surfaces what changed.
 *
 * It reads the ring with a cursor of its own, marks what each subscriber has to be told, and sends the newest shown
 * values: the whole state at once on a subscription, then changes, never back to the surface they came from. One
 * pending message is sent plain, more of them as bundles of at most `BUNDLE_BYTES`. It is told the time and answers by
 * calling the sender; a change to one subscriber costs about a microsecond and allocates nothing.
 *
 * It never writes to the state. What it sends is bounded: subscribers in all and by host, datagrams by pump, and the
 * speed of a whole state, so that a subscription from a forged address is a trickle to its victim.
 */
import { assert } from "../base/assert.js";
import type { Clock } from "../base/clock.js";
import { ChangeFlag, EventKind } from "../state/change.js";
import { isText, lanesOf, ValueType } from "../state/declaration.js";
import { Found, type RingMemory, RingReader } from "../state/ring.js";
import { Staging } from "../state/staging.js";
import type { State } from "../state/state.js";
import type { OriginTable } from "../state/tables.js";
import { OscCounter, type OscCounters } from "./osc-counters.js";
import { compilePattern, type OscPattern } from "./osc-pattern.js";
import { OscSubscriber, type OscTie, PathFlag } from "./osc-subscriber.js";
import { EVERYTHING, NO_CONNECTION, type OscSender, type OscTarget, type ShownValues } from "./osc-target.js";
import { OSC_IMMEDIATE_HIGH, OSC_IMMEDIATE_LOW } from "./osc-timetag.js";
import { writeValue } from "./osc-values.js";
import { encodeOscAddress, OscWriter } from "./osc-writer.js";

export const SUBSCRIBERS_MAX = 256;
/** So that one host cannot take every place. */
export const SUBSCRIBERS_PER_HOST_MAX = 64;
/** A datagram that no common link fragments. */
export const BUNDLE_BYTES = 1_200;
/** The longest UDP payload over IPv4: 65,535 less the headers of IP and UDP. */
const DATAGRAM_BYTES = 65_507;
const BUNDLE_OVERHEAD_BYTES = 20;
/** Datagrams in one pump; what is left goes with the next, conflated. 1,024 take about 6 ms. */
const PUMP_DATAGRAMS = 1_024;
/** Encoded addresses that are kept: some 4 MB. */
const ADDRESSES_MAX = 16_384;
/** Clipped values that wait to be told to who wrote them. */
const CLIPPED_MAX = 256;

const NOW = 0;
const NEXT_DUE_US = 0;
const NEXT_LEASE_US = 1;

export interface OscSubscribersOptions {
  readonly clock: Clock;
  readonly memory: RingMemory;
  readonly state: State;
  readonly origins: OriginTable;
  /** The id of this node, as it stands in the table of origins. */
  readonly ownNode: string;
  readonly shown: ShownValues;
  /** The index of the term whose impulses are sent; all others are counted and dropped. */
  readonly outputTerm: () => number;
  readonly sender: OscSender;
  readonly counters: OscCounters;
}

/** A target without a lease, from `--osc-out`. */
export interface OscOutput {
  readonly address: string;
  readonly port: number;
  /** Which paths: an address or a pattern. Without it, all. */
  readonly pattern?: string | undefined;
  /** Most flushes a second, 0 for no limit. */
  readonly throttleHz: number;
  /** Where its own changes come from; without it, exactly from `address` and `port`. */
  readonly from?: OscTie | undefined;
}

/** What a `/hana/subscribe` asks for. */
export interface Subscription {
  readonly target: OscTarget;
  readonly pattern: OscPattern;
  readonly ties: readonly OscTie[];
  readonly leaseUs: number;
  readonly throttleHz: number;
}

export class OscSubscribers {
  /** Rises whenever the subscribers change, so that who keeps `portsOf` or `ownersOf` asks again. */
  generation = 0;
  private readonly options: OscSubscribersOptions;
  private readonly state: State;
  private readonly counters: OscCounters;
  private readonly time: Float64Array;
  private readonly reader: RingReader;
  private readonly subscribers: OscSubscriber[] = [];
  private readonly staging = new Staging();
  private readonly writer = new OscWriter(new Uint8Array(DATAGRAM_BYTES));
  /** The encoded addresses of paths that changed lately, by id. */
  private readonly addresses = new Map<number, Uint8Array>();

  private readonly clippedIds = new Int32Array(CLIPPED_MAX);
  private readonly clippedOwners: (OscSubscriber | undefined)[] = [];
  private clippedCount = 0;

  /** [0] when to pump again, [1] when the first lease ends, in microseconds. */
  private readonly due = new Float64Array(2).fill(Number.POSITIVE_INFINITY);
  /** The packet being filled: for whom, its messages, and its first one again for the change from plain to bundle. */
  private receiver: OscSubscriber | undefined = undefined;
  private messages = 0;
  private firstEntry = 0;
  private isSweep = false;
  private datagramsLeft = 0;
  private firstTurn = 0;

  constructor(options: OscSubscribersOptions) {
    this.options = options;
    this.state = options.state;
    this.counters = options.counters;
    this.time = options.clock.register;
    this.reader = new RingReader(options.memory);
  }

  get count(): number {
    return this.subscribers.length;
  }

  /** When to pump again although nothing changes, in microseconds of own time; now or earlier: at once. */
  get nextDueUs(): number {
    return this.due[NEXT_DUE_US];
  }

  /** Adds a target without a lease. Answers what is wrong with it, or "". */
  addOutput(output: OscOutput): string {
    const text = output.pattern ?? EVERYTHING;
    const pattern = compilePattern(text);
    if (pattern === null) return `malformed pattern ${text}`;
    if (this.count >= SUBSCRIBERS_MAX) return `more than ${SUBSCRIBERS_MAX} subscribers`;
    const { address, port, throttleHz } = output;
    const target = { address, port, connection: NO_CONNECTION };
    const ties = [output.from ?? { address, port }];
    this.add(new OscSubscriber({ target, pattern, throttleHz, ties }, this.state, this.options.clock));
    return "";
  }

  /**
   * Makes or renews a leased subscription: one of the same target and pattern goes on with the new lease, and its state
   * is sent again, because who asks again may have restarted. Answers what is wrong, or "".
   */
  subscribe(wish: Subscription): string {
    const known = this.subscribers.find((one) => isLeased(one) && isOf(one, wish.target, wish.pattern.text));
    if (known === undefined) {
      if (this.count >= SUBSCRIBERS_MAX) return "too many subscribers";
      if (this.countOf(wish.target.address) >= SUBSCRIBERS_PER_HOST_MAX) return "too many subscriptions of this host";
    }
    const subscriber = known ?? new OscSubscriber(wish, this.state, this.options.clock);
    subscriber.leaseEndUs = this.time[NOW] + wish.leaseUs;
    subscriber.throttle(wish.throttleHz);
    if (known === undefined) this.add(subscriber);
    else this.repeat(known, wish.ties);
    this.findNextLease();
    return "";
  }

  private repeat(subscriber: OscSubscriber, ties: readonly OscTie[]): void {
    subscriber.tie(ties);
    subscriber.changeAll();
    this.generation++;
    this.due[NEXT_DUE_US] = this.time[NOW];
  }

  /** Renews the leases of a target, all of them or those of one pattern. Answers the patterns that were renewed. */
  renew(target: OscTarget, pattern: string | undefined, leaseUs: number): string[] {
    const renewed = this.leasedBy(target, pattern);
    for (const subscriber of renewed) subscriber.leaseEndUs = this.time[NOW] + leaseUs;
    this.findNextLease();
    return renewed.map((subscriber) => subscriber.pattern.text);
  }

  /** Ends subscriptions of a target, all of them or that of one pattern. Answers how many. */
  unsubscribe(target: OscTarget, pattern: string | undefined): number {
    return this.drop(this.leasedBy(target, pattern));
  }

  /** A TCP connection is closed: its subscriptions end, for its number may be given again. */
  closeConnection(connection: number): void {
    assert(connection !== NO_CONNECTION, "only a connection can be closed");
    this.drop(this.subscribers.filter((one) => one.target.connection === connection));
  }

  /** How many subscriptions there are to a host. */
  countOf(address: string): number {
    return this.subscribers.filter((one) => one.target.address === address).length;
  }

  /** The ports of a host that are a subscriber's: their changes get a surface of their own. */
  portsOf(address: string): readonly number[] {
    const ports = this.subscribers
      .flatMap((one) => one.ties)
      .flatMap((tie) => (tie.address === address && tie.port !== undefined ? [tie.port] : []));
    return [...new Set(ports)];
  }

  /** The subscribers to which changes of a surface are not sent back. */
  ownersOf(surface: string): readonly OscSubscriber[] {
    return this.subscribers.filter((one) => one.owns(surface));
  }

  /**
   * A surface of these subscribers wrote `sent` (before coercion) to a path. When it was clipped, they are told the
   * value that is shown instead: the one case in which a change goes back to where it came from.
   */
  noteWrite(owners: readonly OscSubscriber[], id: number, sent: Float64Array): void {
    const isClipped = this.isClipped(id, sent);
    for (const owner of owners) {
      const flags = owner.flags[id];
      if (!isClipped) owner.flags[id] = flags & ~PathFlag.clipped;
      else if ((flags & PathFlag.clipped) === 0 && this.clippedCount < CLIPPED_MAX) {
        owner.flags[id] = flags | PathFlag.clipped;
        this.clippedIds[this.clippedCount] = id;
        this.clippedOwners[this.clippedCount++] = owner;
      }
    }
  }

  /** Whether the shown value differs from what was sent by more than the precision of its type. */
  private isClipped(id: number, sent: Float64Array): boolean {
    const type = this.state.typeOf(id);
    if (type === 0 || type === ValueType.bool || type === ValueType.enum || isText(type)) return false;
    this.options.shown.load(id, this.staging);
    const { numbers } = this.staging;
    if (type === ValueType.double) return numbers[0] !== sent[0];
    if (type === ValueType.int) return numbers[0] !== Math.round(sent[0]) + 0;
    const lanes = type === ValueType.color ? 3 : lanesOf(type);
    for (let lane = 0; lane < lanes; lane++) if (numbers[lane] !== Math.fround(sent[lane])) return true;
    return false;
  }

  /** Reads what changed and sends what is due. To be called once a turn, and at `nextDueUs`. */
  pump(): void {
    if (this.subscribers.length === 0) {
      this.due[NEXT_DUE_US] = Number.POSITIVE_INFINITY;
      return;
    }
    this.drain();
    if (this.clippedCount > 0) this.returnClipped();
    if (this.time[NOW] >= this.due[NEXT_LEASE_US]) this.endLeases();
    this.due[NEXT_DUE_US] = this.due[NEXT_LEASE_US];
    this.datagramsLeft = PUMP_DATAGRAMS;
    const { subscribers } = this;
    const count = subscribers.length;
    for (let turn = 0; turn < count; turn++) {
      const subscriber = subscribers[(this.firstTurn + turn) % count];
      if (subscriber.hasWork) this.flush(subscriber);
    }
    this.firstTurn = count > 0 ? (this.firstTurn + 1) % count : 0;
  }

  // What changed.

  private drain(): void {
    const { reader } = this;
    for (;;) {
      const found = reader.next();
      if (found === Found.value) this.onValue();
      else if (found === Found.event) this.onEvent();
      else if (found === Found.lapped) this.onLapped();
      else return;
    }
  }

  /** With nobody to tell, nothing of the stream matters; whoever comes begins with the whole state. */
  private skip(): void {
    this.reader.skip();
    this.addresses.clear();
  }

  private onValue(): void {
    const { subscribers, reader } = this;
    if ((reader.flags & ChangeFlag.confirmed) !== 0) return;
    // A rollback takes back what the surface believes it has set, so that surface above all must hear of it.
    const isRollback = (reader.flags & ChangeFlag.rolledBack) !== 0;
    for (let at = 0; at < subscribers.length; at++) this.mark(subscribers[at], reader.id, isRollback);
  }

  private mark(subscriber: OscSubscriber, id: number, isForAll: boolean): void {
    if ((subscriber.flags[id] & PathFlag.matches) === 0) return;
    if (!isForAll && this.isEcho(subscriber, this.reader.origin)) subscriber.forget(id);
    else if (!subscriber.change(id)) this.counters.count(OscCounter.queueOverflows);
  }

  private isEcho(subscriber: OscSubscriber, origin: number): boolean {
    return subscriber.isEcho(origin, this.options.origins, this.options.ownNode);
  }

  private onEvent(): void {
    const { reader, subscribers } = this;
    switch (reader.kind) {
      case EventKind.impulse:
        // What a controller had done before it lost its term must not fire when it is late: others may have done it.
        if (reader.term !== this.options.outputTerm()) this.counters.count(OscCounter.impulsesFenced);
        else for (const subscriber of subscribers) this.fire(subscriber, reader.id);
        break;
      case EventKind.declare:
      case EventKind.rename:
      case EventKind.remove:
        this.onStructure(reader.id);
        break;
      default:
    }
  }

  private fire(subscriber: OscSubscriber, id: number): void {
    if (this.isEcho(subscriber, this.reader.origin)) return;
    if (!subscriber.fire(id)) this.counters.count(OscCounter.impulsesLost);
  }

  /** A path came, went or has another name. Its value is a change too: with it, what was sent stays the whole state. */
  private onStructure(id: number): void {
    this.addresses.delete(id);
    for (const subscriber of this.subscribers) {
      subscriber.rematch(id);
      this.mark(subscriber, id, false);
    }
  }

  /** The ring has overtaken this reader: everything may have changed, names too. Impulses in between are gone. */
  private onLapped(): void {
    const { state } = this;
    this.counters.count(OscCounter.resyncs);
    this.addresses.clear();
    for (const subscriber of this.subscribers) {
      subscriber.rematchAll();
      subscriber.changeAll((id) => this.isEcho(subscriber, state.origins[id]));
    }
  }

  private returnClipped(): void {
    for (let at = 0; at < this.clippedCount; at++) {
      const owner = this.clippedOwners[at];
      const id = this.clippedIds[at];
      this.clippedOwners[at] = undefined;
      if (owner === undefined || (owner.flags[id] & PathFlag.clipped) === 0) continue;
      owner.flags[id] &= ~PathFlag.clipped;
      if (!owner.change(id)) this.counters.count(OscCounter.queueOverflows);
    }
    this.clippedCount = 0;
  }

  // Who is subscribed.

  private add(subscriber: OscSubscriber): void {
    // What lies in the ring still is part of the state that the newcomer gets; it must not come as a change again.
    if (this.subscribers.length === 0) this.skip();
    else this.drain();
    subscriber.rematchAll();
    subscriber.changeAll();
    this.subscribers.push(subscriber);
    this.generation++;
    this.due[NEXT_DUE_US] = this.time[NOW];
  }

  private leasedBy(target: OscTarget, pattern: string | undefined): OscSubscriber[] {
    return this.subscribers.filter((one) => isLeased(one) && isOf(one, target, pattern));
  }

  private drop(dropped: readonly OscSubscriber[]): number {
    for (const subscriber of dropped) this.subscribers.splice(this.subscribers.indexOf(subscriber), 1);
    if (dropped.length > 0) this.generation++;
    this.findNextLease();
    return dropped.length;
  }

  private endLeases(): void {
    const nowUs = this.time[NOW];
    const ended = this.drop(this.subscribers.filter((one) => one.leaseEndUs <= nowUs));
    this.counters.values[OscCounter.leasesExpired] += ended;
  }

  private findNextLease(): void {
    const first = this.subscribers.reduce((at, one) => Math.min(at, one.leaseEndUs), Number.POSITIVE_INFINITY);
    this.due[NEXT_LEASE_US] = first;
    this.due[NEXT_DUE_US] = Math.min(this.due[NEXT_DUE_US], first);
  }

  // What is sent.

  private flush(subscriber: OscSubscriber): void {
    if (!subscriber.isDue) {
      this.wakeAt(subscriber.nextFlushUs);
      return;
    }
    this.receiver = subscriber;
    this.isSweep = false;
    while (subscriber.queueLength > 0 && this.maySend(subscriber)) this.append(subscriber.take());
    this.isSweep = true;
    if (subscriber.isSweeping) this.sweep(subscriber);
    this.emit();
    subscriber.flushed();
    if (!subscriber.hasWork) return;
    this.wakeAt(this.time[NOW] + (this.datagramsLeft > 0 ? subscriber.waitUs : 0));
  }

  private maySend(subscriber: OscSubscriber): boolean {
    return this.datagramsLeft > 0 && subscriber.bucket.has(1);
  }

  private wakeAt(atUs: number): void {
    if (atUs < this.due[NEXT_DUE_US]) this.due[NEXT_DUE_US] = atUs;
  }

  private sweep(subscriber: OscSubscriber): void {
    const { sweepBucket } = subscriber;
    while (this.maySend(subscriber) && sweepBucket.has(1)) {
      const id = subscriber.nextOfSweep();
      if (id < 0) return;
      this.append(id);
      // The datagram before is gone, and the one that this message began is for later.
      const isSpent = !this.maySend(subscriber) || !sweepBucket.has(1);
      const isLater = isSpent && this.messages === 1 && this.firstEntry === id;
      if (!isLater) continue;
      this.messages = 0;
      subscriber.putBack(id);
    }
  }

  /** Adds what an entry of a queue stands for to the packet, if it is still there and still news. */
  private append(entry: number): void {
    const receiver = this.receiver as OscSubscriber;
    const id = entry < 0 ? ~entry : entry;
    const isImpulse = this.state.typeOf(id) === ValueType.impulse;
    if (entry >= 0) {
      if ((receiver.flags[id] & PathFlag.changed) === 0) return;
      receiver.forget(id);
    }
    if (!this.state.exists(id) || isImpulse !== entry < 0) return;
    if (this.messages === 0) this.beginPlain(entry);
    else if (this.isAlone(entry) || this.isAlone(this.firstEntry)) this.startOver(entry);
    else if (this.messages === 1 && !this.beginBundle()) this.startOver(entry);
    else this.addToBundle(entry);
  }

  /**
   * A color goes in a packet of its own: liblo, and whatever is built on it, has no type tag `r` and drops the rest of a
   * bundle that holds one.
   */
  private isAlone(entry: number): boolean {
    return entry >= 0 && this.state.types[entry] === ValueType.color;
  }

  /** The first message is written as a packet of its own, of any length. */
  private beginPlain(entry: number): void {
    this.writer.reset();
    this.write(entry);
    this.firstEntry = entry;
    this.messages = 1;
  }

  /** Writes the first message again, in a bundle. False when it is too long to share a datagram. */
  private beginBundle(): boolean {
    const { writer } = this;
    if (writer.length + BUNDLE_OVERHEAD_BYTES > BUNDLE_BYTES) return false;
    writer.reset(BUNDLE_BYTES);
    writer.bundleBegin(OSC_IMMEDIATE_HIGH, OSC_IMMEDIATE_LOW);
    this.write(this.firstEntry);
    return true;
  }

  private addToBundle(entry: number): void {
    const { writer } = this;
    const mark = writer.mark();
    this.write(entry);
    if (!writer.overflow) {
      this.messages++;
      return;
    }
    writer.rewind(mark);
    // Alone in its bundle after all: a packet of its own again.
    if (this.messages === 1) this.beginPlain(this.firstEntry);
    this.startOver(entry);
  }

  private startOver(entry: number): void {
    this.emit();
    this.beginPlain(entry);
  }

  private write(entry: number): void {
    const { state, staging } = this;
    const id = entry < 0 ? ~entry : entry;
    if (entry >= 0) this.options.shown.load(id, staging);
    // A sweep comes by every path once, so keeping its addresses would gain nothing.
    const address = this.isSweep ? state.pathOf(id) : (this.addresses.get(id) ?? this.encode(id));
    writeValue(this.writer, address, state.types[id] as ValueType, state.declarations[id], staging);
  }

  private encode(id: number): Uint8Array {
    if (this.addresses.size >= ADDRESSES_MAX) this.addresses.clear();
    const address = encodeOscAddress(this.state.pathOf(id));
    this.addresses.set(id, address);
    return address;
  }

  /** Sends the packet, if there is one. */
  private emit(): void {
    if (this.messages === 0) return;
    const { writer, counters } = this;
    const receiver = this.receiver as OscSubscriber;
    if (this.messages > 1) writer.bundleEnd();
    counters.values[OscCounter.packetsOut]++;
    counters.values[OscCounter.messagesOut] += this.messages;
    this.messages = 0;
    this.datagramsLeft--;
    receiver.bucket.spend(1);
    if (this.isSweep) receiver.sweepBucket.spend(1);
    this.options.sender.send(receiver.target, writer.buffer, writer.length);
  }
}

function isLeased(subscriber: OscSubscriber): boolean {
  return subscriber.leaseEndUs !== Number.POSITIVE_INFINITY;
}

function isOf(subscriber: OscSubscriber, target: OscTarget, pattern: string | undefined): boolean {
  const own = subscriber.target;
  const isSame = own.address === target.address && own.port === target.port && own.connection === target.connection;
  return isSame && (pattern === undefined || subscriber.pattern.text === pattern);
}
