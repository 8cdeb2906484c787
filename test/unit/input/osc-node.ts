/**
 * A node as OSC input and output see it: the real state, coercion, ring and tables behind a `WriteTarget`, a clock that
 * a test moves, and a sender that keeps what is sent.
 */
import { Clock } from "../../../src/base/clock.js";
import { type AddressBlock, parseBlock } from "../../../src/config/addresses.js";
import { AllowList } from "../../../src/input/allow-list.js";
import { OscCounters } from "../../../src/input/osc-counters.js";
import { OscInput, type OscInputOptions } from "../../../src/input/osc-input.js";
import { OscPacket, OscTag } from "../../../src/input/osc-packet.js";
import { OscSubscribers } from "../../../src/input/osc-subscribers.js";
import type { OscSender, OscTarget } from "../../../src/input/osc-target.js";
import { OscWriter } from "../../../src/input/osc-writer.js";
import type { WriteTarget } from "../../../src/input/write-target.js";
import { ChangeFlag, EventKind } from "../../../src/state/change.js";
import { coerce } from "../../../src/state/coerce.js";
import {
  completeDeclaration,
  type DeclarationInput,
  type Value,
  type ValueTypeName,
} from "../../../src/state/declaration.js";
import { encodeNamed } from "../../../src/state/declaration-bytes.js";
import { validatePath } from "../../../src/state/path.js";
import { Reject } from "../../../src/state/reject.js";
import { ChangeContext, createRingMemory, type RingMemory, RingWriter } from "../../../src/state/ring.js";
import { Staging } from "../../../src/state/staging.js";
import { State } from "../../../src/state/state.js";
import { OriginTable } from "../../../src/state/tables.js";

export const OWN_NODE = "00112233445566aa";
export const OTHER_NODE = "8899aabbccddeeff";
/** A start far from zero, as session time is: 2024-07-03T00:00:00Z. */
export const START_US = 1_719_964_800_000_000;
export const HOST = "127.0.0.1";

/** What a write or a group did, in order. */
export type Step = { readonly kind: "begin" | "end" } | { readonly kind: "write" | "trigger"; readonly path: string };

/** A block as it stands in settings. */
export function block(text: string): AddressBlock {
  return parseBlock(text) as AddressBlock;
}

/** A node that is its own controller. */
export class TestNode implements WriteTarget {
  readonly state: State;
  readonly staging = new Staging();
  readonly origins = new OriginTable();
  readonly memory: RingMemory;
  readonly clock = new Clock();
  readonly steps: Step[] = [];
  readonly fired = new Map<string, number>();
  /** Declarations of unknown paths that are still allowed. */
  autoLeft = 1_000;
  isGrouped = false;
  /** Set: writes are shown as pending. */
  isFollower = false;
  private readonly ring: RingWriter;
  private readonly context = new ChangeContext();
  private sequence = 0;

  constructor(capacity = 8_192, sizes = { values: 1_024, events: 1_024, arenaBytes: 1 << 20 }) {
    this.state = new State(capacity);
    this.memory = createRingMemory(sizes);
    this.ring = new RingWriter(this.memory);
    this.clock.set(START_US);
    this.origins.intern(OWN_NODE, "");
  }

  advance(us: number): void {
    this.clock.set(this.clock.nowUs + us);
  }

  surface(name: string): number {
    return this.origins.intern(OWN_NODE, name);
  }

  write(id: number, surface: number): Reject {
    if (!this.state.exists(id)) return Reject.unknownPath;
    this.steps.push({ kind: "write", path: this.state.pathOf(id) });
    const reject = coerce(this.state, id, this.staging);
    if (reject !== Reject.none) return reject;
    if (!this.state.differs(id, this.staging)) return Reject.none;
    this.state.store(id, this.staging);
    this.stamp(surface, this.isFollower ? ChangeFlag.pending : 0);
    this.state.origins[id] = surface;
    this.ring.value(id, this.state.types[id] as 1, this.staging, this.context);
    return Reject.none;
  }

  readonly released: (readonly [string, number])[] = [];

  release(id: number, surface: number): Reject {
    this.released.push([this.state.pathOf(id), surface]);
    return Reject.none;
  }

  trigger(id: number, surface: number): Reject {
    const path = this.state.pathOf(id);
    this.steps.push({ kind: "trigger", path });
    this.fired.set(path, (this.fired.get(path) ?? 0) + 1);
    this.stamp(surface, 0);
    this.ring.event(EventKind.impulse, id, new Uint8Array(0), this.context);
    return Reject.none;
  }

  declareAuto(path: string, type: ValueTypeName, surface: number): number {
    if (this.isGrouped) throw new Error("declared inside a group");
    if (validatePath(path) !== "") return -Reject.badPath;
    if (this.autoLeft === 0) return -Reject.autoFull;
    this.autoLeft--;
    return this.declare(path, { type }, surface);
  }

  beginGroup(): void {
    if (this.isGrouped) throw new Error("nested group");
    this.isGrouped = true;
    this.steps.push({ kind: "begin" });
  }

  endGroup(): void {
    if (!this.isGrouped) throw new Error("no group");
    this.isGrouped = false;
    this.steps.push({ kind: "end" });
  }

  declare(path: string, declaration: DeclarationInput, surface = 0): number {
    const id = this.state.nextId;
    const complete = completeDeclaration(declaration);
    this.state.declare(id, path, complete);
    this.stamp(surface, 0);
    this.ring.event(EventKind.declare, id, encodeNamed(path, complete) as Uint8Array, this.context);
    return id;
  }

  rename(from: string, to: string): void {
    const id = this.state.idOf(from);
    this.state.rename(id, to);
    this.stamp(0, 0);
    this.ring.event(EventKind.rename, id, encodeNamed(to, undefined) as Uint8Array, this.context);
  }

  remove(path: string): void {
    const id = this.state.idOf(path);
    this.state.remove(id);
    this.stamp(0, 0);
    this.ring.event(EventKind.remove, id, new Uint8Array(0), this.context);
  }

  /** A change from elsewhere: another node, or another surface of this one. */
  set(path: string, value: Value, origin = this.origins.intern(OTHER_NODE, "")): Reject {
    this.staging.value(value);
    return this.write(this.state.idOf(path), origin);
  }

  /** What is shown comes again in the ring: confirmed, or taken back. */
  show(path: string, origin: number, flags: number): void {
    const id = this.state.idOf(path);
    this.state.load(id, this.staging);
    this.stamp(origin, flags);
    this.ring.value(id, this.state.types[id] as 1, this.staging, this.context);
  }

  value(path: string): Value {
    return this.state.valueOf(this.state.idOf(path));
  }

  /** The shown values: this node has no pending ones that differ. */
  load(id: number, staging: Staging): void {
    this.state.load(id, staging);
  }

  private stamp(origin: number, flags: number): void {
    this.sequence++;
    this.context.doubles[0] = this.sequence;
    this.context.doubles[1] = this.clock.nowUs;
    this.context.origin = origin;
    this.context.flags = flags;
  }
}

/** One message that was sent: `/a f 0.5` is ["/a", "f", 0.5]. */
export type Sent = readonly [string, string, ...(number | string | readonly number[])[]];

interface SentPacket {
  readonly target: OscTarget;
  readonly length: number;
  readonly isBundle: boolean;
  readonly messages: readonly Sent[];
}

/** Keeps what is sent, by `address:port` of its target, decoded. */
export class TestSender implements OscSender {
  readonly packets: SentPacket[] = [];

  send(target: OscTarget, bytes: Uint8Array, length: number): void {
    const isBundle = bytes[0] === 0x23;
    this.packets.push({ target, length, isBundle, messages: decode(bytes.slice(0, length)) });
  }

  /** Every message since the last call, to one port or to all. */
  take(port?: number): Sent[] {
    const taken = this.packets.filter(({ target }) => port === undefined || target.port === port);
    const kept = this.packets.filter((packet) => !taken.includes(packet));
    this.packets.splice(0, this.packets.length, ...kept);
    return taken.flatMap(({ messages }) => messages);
  }
}

export function decode(bytes: Uint8Array): Sent[] {
  const packet = new OscPacket();
  const reject = packet.parse(bytes, 0, bytes.length);
  if (reject !== 0) throw new Error(`sent a malformed packet: ${reject}`);
  return Array.from({ length: packet.messageCount }, (_, message) => decodeMessage(packet, message));
}

function decodeMessage(packet: OscPacket, message: number): Sent {
  const first = packet.firstArguments[message];
  const values: (number | string | readonly number[])[] = [];
  let tags = "";
  for (let argument = first; argument < first + packet.argumentCounts[message]; argument++) {
    const tag = packet.tags[argument];
    tags += String.fromCharCode(tag);
    if (tag === OscTag.string) values.push(packet.text(argument));
    else if (tag === OscTag.blob) values.push([...packet.blob(argument)]);
    else if (tag !== OscTag.true && tag !== OscTag.false && tag !== OscTag.impulse)
      values.push(packet.values[argument]);
  }
  return [packet.addressText(message), tags, ...values];
}

/** A node with OSC in and out, as the edge puts it together. */
export class OscRig {
  readonly node: TestNode;
  readonly sender = new TestSender();
  readonly counters = new OscCounters();
  readonly subscribers: OscSubscribers;
  readonly input: OscInput;

  /** The index of the term whose impulses are sent. */
  outputTerm = 0;

  constructor(node = new TestNode(), options: Partial<OscInputOptions> = {}) {
    const { clock, memory, state, origins } = node;
    const { sender, counters } = this;
    this.node = node;
    this.subscribers = new OscSubscribers({
      clock,
      memory,
      state,
      origins,
      ownNode: OWN_NODE,
      shown: node,
      outputTerm: () => this.outputTerm,
      sender,
      counters,
    });
    const { subscribers } = this;
    const allow = new AllowList([block("127.0.0.0/8")]);
    this.input = new OscInput({
      clock,
      target: node,
      subscribers,
      sender,
      counters,
      allow,
      nodeName: "here",
      seed: 1,
      ...options,
    });
  }

  receive(bytes: Uint8Array, port = 50_000, address = HOST): void {
    this.input.receive(bytes, 0, bytes.length, address, port);
  }

  /** One message: its tags and arguments. */
  message(address: string, tags = "", values: readonly Argument[] = [], port = 50_000): void {
    this.receive(message(address, tags, values), port);
  }

  /** The end of a turn. */
  turn(): void {
    this.input.pump();
    this.subscribers.pump();
  }

  count(name: keyof ReturnType<OscCounters["report"]>): number {
    return this.counters.report()[name];
  }
}

export type Argument = number | string | Uint8Array;

const scratch = new Uint8Array(70_000);

export function message(address: string, tags = "", values: readonly Argument[] = []): Uint8Array {
  const writer = new OscWriter(scratch);
  writer.reset();
  writeMessage(writer, address, tags, values);
  return writer.packet();
}

export type Content = readonly [address: string, tags?: string, values?: readonly Argument[]] | Bundle;
export interface Bundle {
  /** NTP seconds and fraction; 0, 1 is immediately. */
  readonly time: readonly [number, number];
  readonly content: readonly Content[];
}

export function bundle(content: readonly Content[], time: readonly [number, number] = [0, 1]): Uint8Array {
  const writer = new OscWriter(scratch);
  writer.reset();
  writeContent(writer, { time, content });
  return writer.packet();
}

function writeContent(writer: OscWriter, content: Content): void {
  if (!("time" in content)) {
    writeMessage(writer, ...content);
    return;
  }
  writer.bundleBegin(...content.time);
  for (const one of content.content) writeContent(writer, one);
  writer.bundleEnd();
}

function writeMessage(writer: OscWriter, address: string, tags = "", values: readonly Argument[] = []): void {
  const rest = [...values];
  const number = (): number => rest.shift() as number;
  writer.begin(address, tags);
  for (const tag of tags) {
    if (tag === "i") writer.int(number());
    else if (tag === "f") writer.float(number());
    else if (tag === "d") writer.double(number());
    else if (tag === "h") writeLong(writer, number());
    else if (tag === "t") writer.timetag(number(), 0);
    else if (tag === "c") writer.char(number());
    else if (tag === "r") writer.rgba(number());
    else if (tag === "m") writer.midi(number());
    else if (tag === "s") writer.string(rest.shift() as string);
    else if (tag === "S") writer.symbol(rest.shift() as string);
    else if (tag === "b") writer.blob(rest.shift() as Uint8Array);
    else if (tag === "T") writer.true();
    else if (tag === "F") writer.false();
    else if (tag === "N") writer.nil();
    else if (tag === "I") writer.impulse();
    else if (tag === "[") writer.arrayBegin();
    else writer.arrayEnd();
  }
  writer.end();
}

function writeLong(writer: OscWriter, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  writer.long(high, value - high * 0x1_0000_0000);
}
