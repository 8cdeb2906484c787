/**
 * OSC input: the receive walk. One packet from a socket to writes on the node, in the order of its messages.
 *
 * A packet is validated whole, then its addresses become ids, then its values are written, the outermost bundle as one
 * group. A message to a path that exists costs no allocation. It is told the time and the bytes; what is for later
 * (time tags, values above the rate) waits in bounded places until `pump`. It never throws on bytes from outside, never
 * writes under /system, and counts everything that it refuses: what is malformed costs its own packet and nothing else.
 */
import { assert } from "../base/assert.js";
import type { Clock } from "../base/clock.js";
import { coerce } from "../state/coerce.js";
import { COMPONENTS } from "../state/component.js";
import { ValueType } from "../state/declaration.js";
import { Reject } from "../state/reject.js";
import { StagedKind, type Staging } from "../state/staging.js";
import type { State } from "../state/state.js";
import type { OscWay } from "./bindings.js";
import type { OscOrigin } from "./osc-feedback.js";
import { AddressTable } from "./address-table.js";
import type { AllowList } from "./allow-list.js";
import type { ControlSink } from "./control-moves.js";
import { hasTimes, OscBundleTimes } from "./osc-bundle-times.js";
import { type ConflationSink, OscConflation } from "./osc-conflation.js";
import { OscCounter, type OscCounters } from "./osc-counters.js";
import { MatchOutcome, OscMatches } from "./osc-matches.js";
import { OSC_MESSAGE_LIMIT, OscPacket } from "./osc-packet.js";
import { OscReject } from "./osc-reject.js";
import { OscRequests, type OscSurfaces, REQUEST_PREFIX } from "./osc-requests.js";
import { OscSchedule, type ScheduledPacket } from "./osc-schedule.js";
import { type OscHost, OscSources, type OscSurface } from "./osc-sources.js";
import type { OscSubscribers } from "./osc-subscribers.js";
import { NO_CONNECTION, type OscSender } from "./osc-target.js";
import { declaredTypeOf, Press, pressOf, stageArguments, wayOf } from "./osc-values.js";
import type { WriteTarget } from "./write-target.js";

/** What happens to a message whose time tag is past: it is applied now, or dropped beyond a tolerance. */
export const LatePolicy = { apply: "apply", drop: "drop" } as const;
export type LatePolicy = (typeof LatePolicy)[keyof typeof LatePolicy];

/** What time tags are to this node: times to keep, or nothing. */
export const TimetagPolicy = { honour: "honour", ignore: "ignore" } as const;
export type TimetagPolicy = (typeof TimetagPolicy)[keyof typeof TimetagPolicy];

/** How far ahead a time tag may lie: one hour. */
export const HORIZON_US = 3_600_000_000;
/** Paths that the patterns of one packet reach in all. */
const PACKET_MATCHES_MAX = 4_096;

const NOW = 0;
const LANES = 4;
const SYSTEM = COMPONENTS.indexOf("system");
const DECLARABLE_PREFIX = "/viz/";
const SYSTEM_PREFIX = "/system/";
/** In `ids`: the message is a pattern, or there is nothing to write. */
const PATTERN = -1;
const NOTHING = -2;

/** The bindings, as OSC messages meet them. */
export interface OscControls {
  /** Whether a binding listens to OSC at all. */
  readonly listensToOsc: boolean;
  /** Whether one listens to messages with this address. */
  hearsOsc(address: string): boolean;
  onOsc(address: string, wayOf: OscWay, surface: number, sink: ControlSink, origin: OscOrigin): void;
}

/** Who looks on while messages are applied. `id`: of the path that an address names; negative for a pattern, or none. */
export interface OscObserver {
  /** A message came. `isApplied`: `begin` and `end` follow. */
  osc(packet: OscPacket, message: number, id: number, host: string, isApplied: boolean): void;
  begin(packet: OscPacket, message: number, host: string): void;
  end(packet: OscPacket, message: number, id: number): void;
}

/** Who is told every packet of those that may send, whatever is in it. The bytes are valid during the call. */
export type OscTap = (bytes: Uint8Array, address: string, port: number) => void;

export interface OscInputOptions {
  readonly clock: Clock;
  readonly target: WriteTarget;
  /** Default: nothing is bound. */
  readonly controls?: OscControls | undefined;
  /** Who is asked to show a surface everything. */
  readonly surfaces?: OscSurfaces | undefined;
  readonly subscribers: OscSubscribers;
  readonly sender: OscSender;
  readonly counters: OscCounters;
  readonly allow: AllowList;
  /** What a ping is answered with. */
  readonly nodeName: string;
  /** Messages a second and host above which values are conflated. Default 50,000. */
  readonly rateLimit?: number | undefined;
  /** Paths that one message with a pattern reaches. Default 1,024. */
  readonly maxMatches?: number | undefined;
  /** Default `honour`. */
  readonly timetags?: TimetagPolicy | undefined;
  /** Default `apply`. */
  readonly late?: LatePolicy | undefined;
  /** How late is not late yet, under `drop`. Default 0. */
  readonly lateToleranceUs?: number | undefined;
  /** The throttle of a subscription that asks for none, 0 for none. Default 0. */
  readonly throttleHz?: number | undefined;
  /** 32 bits of chance, against addresses that are chosen to collide. */
  readonly seed: number;
}

export class OscInput implements ConflationSink {
  /** Wall clock less own time, in microseconds: time tags are wall-clock times. The edge keeps it. */
  wallOffsetUs = 0;
  /** Somebody records. */
  tap: OscTap | undefined = undefined;
  /** Somebody listens in. */
  observer: OscObserver | undefined = undefined;
  readonly sources: OscSources;
  readonly staging: Staging;
  private readonly options: OscInputOptions;
  private readonly target: WriteTarget;
  private readonly state: State;
  private readonly counters: OscCounters;
  private readonly time: Float64Array;
  private readonly packet = new OscPacket();
  private readonly times = new OscBundleTimes(this.packet);
  private readonly addresses: AddressTable;
  private readonly matches: OscMatches;
  private readonly conflation: OscConflation;
  private readonly schedule = new OscSchedule();
  private readonly requests: OscRequests;
  /** The messages of the packet that are applied now, and what each of them writes to. */
  private readonly chosen = new Int32Array(OSC_MESSAGE_LIMIT);
  private readonly ids = new Int32Array(OSC_MESSAGE_LIMIT);
  /** 1 for a chosen message that a binding listens to. */
  private readonly bound = new Uint8Array(OSC_MESSAGE_LIMIT);
  private readonly boundSink: ControlSink;
  private chosenCount = 0;
  private readonly sent = new Float64Array(LANES);

  /** Where the packet in hand came from, and whether it is above its host's rate. */
  private host: OscHost | undefined = undefined;
  private surface: OscSurface | undefined = undefined;
  private port = 0;
  private connection = NO_CONNECTION;
  private isOverRate = false;
  private isGroup = false;
  private matchesLeft = 0;

  constructor(options: OscInputOptions) {
    const { clock, target, subscribers, sender, counters, allow, nodeName, throttleHz = 0, surfaces } = options;
    const { state } = target;
    this.options = options;
    this.boundSink = {
      write: (id) => this.writeBound(id),
      trigger: (id, surface) => this.fireBound(id, surface),
      held: (id, staging) => this.conflation.load(id, staging),
    };
    this.target = target;
    this.state = state;
    this.staging = target.staging;
    this.counters = counters;
    this.time = clock.register;
    this.addresses = new AddressTable(state, options.seed);
    this.matches = new OscMatches(state, options.maxMatches);
    this.conflation = new OscConflation(this, clock, state);
    this.sources = new OscSources({ clock, target, ties: subscribers, allow, rateLimit: options.rateLimit });
    this.requests = new OscRequests({ state, subscribers, sender, counters, target, nodeName, throttleHz, surfaces });
  }

  /** When to pump although nothing came in, in microseconds of own time. */
  get nextDueUs(): number {
    return Math.min(this.schedule.nextDueUs, this.conflation.nextDueUs);
  }

  /** Whether values wait for their source to be below its rate again: then every turn is to pump. */
  get isHolding(): boolean {
    return !this.conflation.isEmpty;
  }

  /** Packets that wait for their time. */
  get waitingPackets(): number {
    return this.schedule.size;
  }

  /**
   * Takes one packet, which lies in `bytes` from `start` to, without, `end`, from a host's port: a datagram, or with
   * `connection` a frame of that TCP connection.
   */
  receive(
    bytes: Uint8Array,
    start: number,
    end: number,
    address: string,
    port: number,
    connection: number = NO_CONNECTION,
  ): void {
    const { counters, packet } = this;
    counters.values[OscCounter.packetsIn]++;
    const host = this.sources.host(address);
    if (host === undefined) {
      counters.values[OscCounter.packetsNotAllowed]++;
      return;
    }
    if (this.tap !== undefined) this.tap(bytes.subarray(start, end), address, port);
    const reject = packet.parse(bytes, start, end);
    if (reject !== OscReject.none) {
      counters.values[OscCounter.packetsMalformed]++;
      counters.packetRejects[reject]++;
      return;
    }
    counters.values[OscCounter.messagesIn] += packet.messageCount;
    this.comeFrom(host, port, connection);
    if (this.options.timetags !== TimetagPolicy.ignore && hasTimes(packet)) this.applyByTime(bytes, start, end);
    else {
      this.chooseAll();
      this.apply();
    }
  }

  /** Applies what has waited long enough. To be called at `nextDueUs`, and once a turn while `isHolding`. */
  pump(): void {
    for (;;) {
      const waited = this.schedule.takeDue(this.time[NOW]);
      if (waited === undefined) break;
      this.applyWaited(waited);
    }
    if (!this.conflation.isEmpty) this.conflation.flush();
  }

  private comeFrom(host: OscHost, port: number, connection: number): void {
    this.host = host;
    this.port = port;
    this.connection = connection;
    this.surface = host.surfaceAt(port);
  }

  // Which messages, and when.

  private chooseAll(): void {
    const { messageCount } = this.packet;
    for (let message = 0; message < messageCount; message++) this.chosen[message] = message;
    this.chosenCount = messageCount;
  }

  /** Chooses the messages whose time lies from `fromUs` through `throughUs`. */
  private chooseBetween(fromUs: number, throughUs: number): void {
    const { packet, times, chosen } = this;
    let count = 0;
    for (let message = 0; message < packet.messageCount; message++) {
      const timeUs = times.of(packet, message);
      if (timeUs >= fromUs && timeUs <= throughUs) chosen[count++] = message;
    }
    this.chosenCount = count;
  }

  /** Applies what is due of a packet with time tags; for the rest a copy of it waits. */
  private applyByTime(bytes: Uint8Array, start: number, end: number): void {
    const { counters } = this;
    // Time tags are read in whole microseconds.
    const nowUs = Math.floor(this.time[NOW] + this.wallOffsetUs);
    const untilUs = nowUs + HORIZON_US;
    const { late, lateToleranceUs = 0 } = this.options;
    const dropsLate = late === LatePolicy.drop;
    this.times.read(this.packet, nowUs);
    const oldestUs = dropsLate ? Math.floor(nowUs - lateToleranceUs) : Number.NEGATIVE_INFINITY;
    if (dropsLate) {
      this.chooseBetween(Number.NEGATIVE_INFINITY, oldestUs - 1);
      counters.values[OscCounter.messagesLate] += this.chosenCount;
    }
    this.chooseBetween(untilUs + 1, Number.POSITIVE_INFINITY);
    counters.values[OscCounter.messagesTooFar] += this.chosenCount;
    this.chooseBetween(oldestUs, nowUs);
    const nextUs = this.times.next(this.packet, nowUs);
    if (nextUs <= untilUs) {
      const copy = Uint8Array.prototype.slice.call(bytes, start, end);
      const isKept = this.letWait(copy, nextUs, untilUs);
      counters.count(isKept ? OscCounter.packetsScheduled : OscCounter.scheduleFull);
    }
    this.apply();
  }

  /** Lets a packet that nobody else writes to wait. False when there is no room. */
  private letWait(bytes: Uint8Array, timeUs: number, untilUs: number): boolean {
    const { port, connection } = this;
    const host = this.host as OscHost;
    return this.schedule.add(timeUs - this.wallOffsetUs, { bytes, host, port, connection, timeUs, untilUs });
  }

  /** A packet's time has come for some of its messages. The time tags are what they were, whatever the clock did. */
  private applyWaited(waited: ScheduledPacket): void {
    const { packet, times } = this;
    const { bytes, timeUs, untilUs } = waited;
    const reject = packet.parse(bytes, 0, bytes.length);
    assert(reject === OscReject.none, "a packet that waited was valid when it came");
    this.comeFrom(waited.host, waited.port, waited.connection);
    times.read(packet, Number.NEGATIVE_INFINITY);
    const nextUs = times.next(packet, timeUs);
    if (nextUs <= untilUs) this.letWait(bytes, nextUs, untilUs);
    this.chooseBetween(timeUs, timeUs);
    this.apply();
  }

  // What each message writes to.

  /** Applies the chosen messages as one: all of them now, or, above the rate, all of them conflated. */
  private apply(): void {
    const { ids, chosenCount, chosen, counters, state } = this;
    const host = this.host as OscHost;
    this.isOverRate = !host.rate.take(chosenCount);
    if (this.isOverRate) counters.values[OscCounter.messagesOverRate] += chosenCount;
    this.matchesLeft = PACKET_MATCHES_MAX;
    let writes = 0;
    let mayFire = false;
    // Structure changes before the group begins, for a group is of values and impulses.
    for (let at = 0; at < chosenCount; at++) {
      const isBound = this.isBound(chosen[at]);
      const id = this.resolve(chosen[at], isBound);
      ids[at] = id;
      this.observer?.osc(this.packet, chosen[at], id, host.address, isBound || id !== NOTHING);
      this.bound[at] = isBound ? 1 : 0;
      if (isBound) writes += 2;
      mayFire ||= isBound;
      if (id === NOTHING) continue;
      writes += id === PATTERN ? 2 : 1;
      mayFire ||= id === PATTERN || state.types[id] === ValueType.impulse;
    }
    if (writes === 0) return;
    // An impulse must not overtake the values that came before it.
    if (mayFire && !this.isOverRate && !this.conflation.isEmpty) this.conflation.flushHost(host);
    this.isGroup = writes > 1;
    if (this.isGroup && !this.isOverRate) this.target.beginGroup();
    for (let at = 0; at < chosenCount; at++) {
      const id = ids[at];
      this.observer?.begin(this.packet, chosen[at], host.address);
      if (id >= 0) this.put(chosen[at], id);
      else if (id === PATTERN) this.putAll(chosen[at]);
      if (this.bound[at] === 1) this.play(chosen[at]);
      this.observer?.end(this.packet, chosen[at], id);
    }
    if (this.isGroup && !this.isOverRate) this.target.endGroup();
  }

  /** Whether a binding listens to a message. What a pattern names is a path and no control, nor is a request one. */
  private isBound(message: number): boolean {
    const { controls } = this.options;
    if (controls === undefined || !controls.listensToOsc) return false;
    if (this.packet.addressPatterns[message] !== 0) return false;
    const address = this.packet.addressText(message);
    return !address.startsWith(REQUEST_PREFIX) && controls.hearsOsc(address);
  }

  /** The id that a message writes to, or PATTERN or NOTHING. A control's message declares nothing. */
  private resolve(message: number, isBound: boolean): number {
    const { packet } = this;
    if (packet.addressPatterns[message] !== 0) return PATTERN;
    const id = this.addresses.lookup(packet.bytes, packet.addressOffsets[message], packet.addressLengths[message]);
    if (id < 0) return isBound ? NOTHING : this.resolveUnknown(message);
    if (this.state.components[id] !== SYSTEM) return id;
    this.counters.count(OscCounter.systemWrites);
    return NOTHING;
  }

  private resolveUnknown(message: number): number {
    const address = this.packet.addressText(message);
    if (address.startsWith(DECLARABLE_PREFIX)) return this.declare(address, message);
    if (address.startsWith(REQUEST_PREFIX) && this.request(address, message)) return NOTHING;
    const isSystem = address.startsWith(SYSTEM_PREFIX);
    this.counters.count(isSystem ? OscCounter.systemWrites : OscCounter.unknownAddresses);
    return NOTHING;
  }

  /** The first write to an address under /viz declares it. */
  private declare(address: string, message: number): number {
    const type = declaredTypeOf(this.packet, message);
    const id = type === null ? -1 : this.target.declareAuto(address, type, this.surfaceIndex);
    this.counters.count(id >= 0 ? OscCounter.declared : OscCounter.declarationsRefused);
    return id >= 0 ? id : NOTHING;
  }

  /** A request is answered at once, unless its host asks above its rate. */
  private request(address: string, message: number): boolean {
    if (this.isOverRate) return true;
    const { port, connection } = this;
    return this.requests.handle(address, this.packet, message, { host: this.host as OscHost, port, connection });
  }

  // Values.

  private get surfaceIndex(): number {
    return (this.surface as OscSurface).index;
  }

  /** Writes to every path that a pattern names. */
  private putAll(message: number): void {
    const { counters } = this;
    const host = this.host as OscHost;
    const { outcome, ids, isCapped, hasSystem } = this.matches.find(this.packet.addressText(message), host.search);
    if (outcome === MatchOutcome.malformed) counters.count(OscCounter.patternsMalformed);
    else if (outcome === MatchOutcome.tooDear) counters.count(OscCounter.patternsRefused);
    else if (hasSystem) counters.count(OscCounter.systemWrites);
    else if (ids.length === 0) counters.count(OscCounter.patternsUnmatched);
    const count = Math.min(ids.length, this.matchesLeft);
    if (isCapped || count < ids.length) counters.count(OscCounter.patternsCapped);
    this.matchesLeft -= count;
    if (count > 1) host.rate.spend(count - 1);
    for (let at = 0; at < count; at++) this.put(message, ids[at]);
  }

  private put(message: number, id: number): void {
    const { packet, staging, state } = this;
    const type = state.types[id] as ValueType;
    if (type === ValueType.impulse) {
      this.fire(message, id);
      return;
    }
    const reject = stageArguments(packet, message, type, staging);
    if (reject !== Reject.none) this.countWrite(reject);
    else if (this.isOverRate) this.hold(id);
    else this.write(id);
  }

  /** A control moved: its bindings write what they make of it. */
  private play(message: number): void {
    const { packet } = this;
    const way: OscWay = (argument, low, high) => wayOf(packet, message, argument, low, high);
    this.options.controls?.onOsc(packet.addressText(message), way, this.surfaceIndex, this.boundSink, this.origin);
  }

  /** Who sent the message in hand. */
  private get origin(): OscOrigin {
    const { address } = this.host as OscHost;
    const [owner] = (this.surface as OscSurface).owners;
    return { target: { address, port: this.port, connection: this.connection }, subscribed: owner?.target };
  }

  private writeBound(id: number): Reject {
    if (this.isOverRate) this.hold(id);
    else this.write(id);
    return Reject.none;
  }

  private fireBound(id: number, surface: number): Reject {
    if (!this.isOverRate || this.isReserved()) return this.target.trigger(id, surface);
    this.counters.values[OscCounter.impulsesOverRate]++;
    return Reject.queueFull;
  }

  /** A value that the path would refuse must not take the place of one that it takes. */
  private hold(id: number): void {
    const reject = coerce(this.state, id, this.staging);
    if (reject !== Reject.none) {
      this.countWrite(reject);
      return;
    }
    const isReplaced = this.conflation.put(this.host as OscHost, id, this.surfaceIndex, this.staging, this.isGroup);
    if (isReplaced) this.counters.values[OscCounter.valuesConflated]++;
  }

  private write(id: number): void {
    const { staging, sent } = this;
    const { owners } = this.surface as OscSurface;
    // A subscriber that writes is told when its value was clipped: see `noteWrite`.
    const isNoted = owners.length > 0 && staging.kind === StagedKind.numbers;
    if (isNoted) sent.set(staging.numbers);
    const reject = this.target.write(id, this.surfaceIndex);
    this.countWrite(reject);
    if (reject !== Reject.none) return;
    if (!this.conflation.isEmpty && this.conflation.forget(id)) this.counters.values[OscCounter.valuesConflated]++;
    if (isNoted) this.options.subscribers.noteWrite(owners, id, sent);
  }

  private fire(message: number, id: number): void {
    const { counters } = this;
    const press = pressOf(this.packet, message);
    if (press === Press.refused) this.countWrite(Reject.wrongType);
    if (press !== Press.fire) return;
    if (this.isOverRate && !this.isReserved()) {
      counters.values[OscCounter.impulsesOverRate]++;
      return;
    }
    const reject = this.target.trigger(id, this.surfaceIndex);
    if (reject === Reject.none) counters.values[OscCounter.impulsesIn]++;
    else this.countWrite(reject);
  }

  /** Above the rate an impulse has a lane of its own, so that a flood of values drowns no cue. */
  private isReserved(): boolean {
    const host = this.host as OscHost;
    if (!host.reserve.take(1)) return false;
    this.conflation.flushHost(host);
    return true;
  }

  private countWrite(reject: Reject): void {
    const { values, writeRejects } = this.counters;
    if (reject === Reject.none) values[OscCounter.writes]++;
    else {
      values[OscCounter.writesRefused]++;
      writeRejects[reject]++;
    }
  }

  // What the conflation asks for.

  writeConflated(id: number, surface: number): void {
    this.countWrite(id < 0 ? Reject.unknownPath : this.target.write(id, surface));
  }

  beginConflatedGroup(): void {
    this.target.beginGroup();
  }

  endConflatedGroup(): void {
    this.target.endGroup();
  }
}
