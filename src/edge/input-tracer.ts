/**
 * Input tracer: looks on while messages of devices and OSC senders are heard, and tells what became of each.
 *
 * It learns what a binding did from what was counted meanwhile, so nothing on the way of a message knows about it. It is
 * there only while somebody traces.
 */
import { BindingEffect } from "../input/binding.js";
import { type Bindings, BindingStanding, type BindingState, type MoveObserver } from "../input/bindings.js";
import { ControlMode } from "../input/control-mode.js";
import { isFollower } from "../input/control-moves.js";
import { midiAddresses } from "../input/control-address.js";
import { midiSourceText, parseSource } from "../input/control-source.js";
import type { Placed } from "../input/control-tables.js";
import { gapText, InputTrace, type TracedMove, type TraceEnding, type TraceLine } from "../input/input-trace.js";
import { type MidiEvent, MidiKind } from "../input/midi-event.js";
import { OscCounter, type OscCounters } from "../input/osc-counters.js";
import { type OscPacket, OscTag } from "../input/osc-packet.js";
import { compilePattern } from "../input/osc-pattern.js";
import { isRequest, NO_REQUEST, REQUEST_PREFIX } from "../input/osc-requests.js";
import { TakeoverMode } from "../input/takeover.js";
import type { Clock } from "../base/clock.js";
import { Reject, rejectText } from "../state/reject.js";
import type { State } from "../state/state.js";
import type { Value } from "../state/declaration.js";

/** The node, as a tracer sees it. */
export interface TracedWrites {
  readonly state: State;
  /** The value that is shown, as the rim has it. */
  shownValue(id: number): Value;
  /** Calls back when what was written last is confirmed or refused: at once where this node decides. */
  whenDecided(done: (reject: Reject) => void): void;
}

export interface InputTracerParts {
  readonly clock: Clock;
  readonly writes: TracedWrites;
  readonly bindings: Bindings;
  /** Of the OSC input. */
  readonly counters: OscCounters;
  readonly tell: (line: TraceLine) => void;
}

/** Writes whose end is waited for at a time: what comes faster is told once. */
const PENDING_MAX = 64;
const TEXT_MAX = 60;
/** Of a float. */
const DIGITS = 7;
const FIRST_MOVE = "its first message says only where it stands";
const NO_MOVE = "it is a touch, or tells of what was sent to the device";
const OVER_RATE = "its host sends above its rate: its newest value comes when it is below it";

export class InputTracer implements MoveObserver {
  private readonly parts: InputTracerParts;
  private readonly trace: InputTrace;
  private pending = 0;
  /** What was counted before: moves written and refused, OSC writes and refusals, impulses. */
  private readonly before = { writes: 0, refused: 0, unmet: 0, twins: 0, oscWrites: 0, oscRefused: 0, impulses: 0 };
  private readonly rejects: Float64Array;

  constructor(parts: InputTracerParts) {
    this.parts = parts;
    this.trace = new InputTrace(parts.clock, parts.tell);
    this.rejects = parts.counters.writeRejects.slice();
  }

  beginMidi(alias: string, { kind, channel, number, value, max }: MidiEvent): void {
    const isRelease = kind === MidiKind.noteOff;
    const source = midiSourceText(alias, isRelease ? MidiKind.noteOn : kind, channel, number);
    this.trace.begin({ source, from: alias, message: isRelease ? "off" : `${value}/${max}` });
  }

  endMidi(alias: string, { kind, channel, number }: MidiEvent, isMove: boolean): void {
    const control = kind === MidiKind.noteOff ? MidiKind.noteOn : kind;
    this.trace.end(() => {
      if (!isMove) return { reason: NO_MOVE };
      const states = this.parts.bindings.list();
      return idleEnding(states.find((state) => state.alias === alias && isOfMidi(state, control, channel, number)));
    });
  }

  /** A program of this machine says where a control stands. */
  beginInput(alias: string, name: string, value: number): void {
    this.trace.begin({ source: `${alias}/${name}`, from: alias, message: String(Number(value.toPrecision(DIGITS))) });
  }

  endInput(alias: string, name: string): void {
    this.trace.end(() =>
      idleEnding(this.parts.bindings.list().find(({ record }) => record.source === `${alias}/${name}`)),
    );
  }

  /** An OSC message is applied. */
  beginOsc(packet: OscPacket, message: number, host: string): void {
    this.trace.begin({
      source: `osc:${packet.addressText(message)}`,
      from: host,
      message: argumentsText(packet, message),
    });
    this.note();
  }

  /** `id`: of the path that it names; -1 for a pattern, less for none. */
  endOsc(packet: OscPacket, message: number, id: number): void {
    const address = packet.addressText(message);
    if (id >= 0) this.tellPath(id);
    else if (packet.addressPatterns[message] !== 0) this.tellPattern(address);
    this.trace.end(() => this.silence(address));
  }

  private silence(address: string): TraceEnding {
    const state = this.parts.bindings.list().find(({ record }) => {
      const source = parseSource(record.source);
      if ("problem" in source || source.from !== "osc") return false;
      return compilePattern(source.pattern)?.matches(address) === true;
    });
    if (state?.standing === BindingStanding.active) {
      const { id, path } = state.record;
      return { binding: id, path, reason: `the binding ${id} finds no number in it` };
    }
    return state === undefined ? { reason: unboundText(address) } : idleEnding(state);
  }

  private tellPath(id: number): void {
    const { counters, writes } = this.parts;
    const { oscWrites, impulses } = this.before;
    const isFired = (counters.values[OscCounter.impulsesIn] as number) > impulses;
    const isWritten = (counters.values[OscCounter.writes] as number) > oscWrites;
    const reject = this.oscReject();
    const outcome = isFired ? "fired" : isWritten ? "written" : reject === Reject.none ? "nothing" : "refused";
    const reason = reject === Reject.none ? (outcome === "nothing" ? this.quietText(id) : "") : rejectText(reject);
    this.tell({ binding: "", path: writes.state.pathOf(id), value: this.valueOf(id), outcome, reason, gap: 0 }, id);
  }

  private quietText(id: number): string {
    return this.parts.writes.state.declarationOf(id)?.type === "impulse" ? "it is the release of a button" : OVER_RATE;
  }

  private tellPattern(path: string): void {
    const { values } = this.parts.counters;
    const count = (values[OscCounter.writes] as number) + (values[OscCounter.impulsesIn] as number);
    const written = count - this.before.oscWrites - this.before.impulses;
    const reject = this.oscReject();
    const outcome = written > 0 ? "written" : reject === Reject.none ? "nothing" : "refused";
    const reason = written > 0 ? "" : reject === Reject.none ? "no path matches it" : rejectText(reject);
    this.trace.moved({ binding: "", path, value: written > 0 ? `${written} paths` : null, outcome, reason, gap: 0 });
  }

  // What bindings do.

  beforeMove(): void {
    this.note();
  }

  afterMove(placed: Placed): void {
    const { binding } = placed;
    const { target } = binding;
    const path = this.parts.writes.state.pathOf(target);
    const rest = this.outcomeOf(placed);
    const value = this.parts.bindings.aimOf(target) ?? this.valueOf(target);
    this.tell({ binding: binding.record.id, path, value, ...rest }, target);
  }

  private outcomeOf(placed: Placed): Pick<TracedMove, "outcome" | "reason" | "gap"> {
    const { bindings } = this.parts;
    const { binding } = placed;
    const { writes, refused } = bindings.counts;
    const reject = refused > this.before.refused ? bindings.reject : this.oscReject();
    if (reject !== Reject.none) return { outcome: "refused", reason: rejectText(reject), gap: 0 };
    const isImpulse = binding.effect === BindingEffect.impulse;
    if (writes > this.before.writes) return { outcome: isImpulse ? "fired" : "written", reason: "", gap: 0 };
    const quiet = this.quietReason(placed);
    if (quiet !== "") return { outcome: "nothing", reason: quiet, gap: 0 };
    const gap = bindings.gapOf(binding.record);
    const where = gap === 0 ? "" : ` ${gapText(gap)}`;
    return { outcome: "waits", reason: `the control has to go${where} to find the value`, gap };
  }

  /** Why a binding did nothing with a message, if it does not wait for its control. */
  private quietReason({ binding, transform }: Placed): string {
    const { unmet, twins } = this.parts.bindings.counts;
    if (unmet > this.before.unmet) return `its condition is not met: ${binding.record.transform.when}`;
    if (twins > this.before.twins) return "another node has done it already";
    if (transform?.mode === ControlMode.relative) return "it did not turn";
    if (!isFollower(binding, transform)) return "it acts when it is pressed";
    return binding.takeover === TakeoverMode.pickup ? "" : FIRST_MOVE;
  }

  /** Tells a move, and what becomes of it where another node decides. */
  private tell(move: TracedMove, id: number): void {
    const line = this.trace.moved(move);
    const isMade = move.outcome === "written" || move.outcome === "fired";
    if (!isMade || this.pending >= PENDING_MAX) return;
    this.pending++;
    this.parts.writes.whenDecided((reject) => {
      this.pending--;
      if (reject !== Reject.none) this.trace.refused(line, this.valueOf(id), rejectText(reject));
    });
  }

  private valueOf(id: number): Value {
    const { writes } = this.parts;
    return writes.state.exists(id) ? writes.shownValue(id) : null;
  }

  private note(): void {
    const { before } = this;
    const { bindings, counters } = this.parts;
    const { values } = counters;
    const { writes, refused, unmet, twins } = bindings.counts;
    Object.assign(before, { writes, refused, unmet, twins });
    before.oscWrites = values[OscCounter.writes] as number;
    before.oscRefused = values[OscCounter.writesRefused] as number;
    before.impulses = values[OscCounter.impulsesIn] as number;
    this.rejects.set(counters.writeRejects);
  }

  /** Why the OSC input has refused a write since `note`. */
  private oscReject(): Reject {
    const { values, writeRejects } = this.parts.counters;
    if (values[OscCounter.writesRefused] === this.before.oscRefused) return Reject.none;
    return Math.max(
      0,
      writeRejects.findIndex((count, reject) => count > (this.rejects[reject] as number)),
    ) as Reject;
  }
}

function isOfMidi({ record, control }: BindingState, kind: MidiKind, channel: number, number: number): boolean {
  const source = parseSource(record.source);
  if ("problem" in source || source.from === "osc") return false;
  const sends = control?.source;
  const ofProfile = sends === undefined || "address" in sends ? [] : midiAddresses(sends);
  const addresses = source.from === "midi" ? [source.address] : ofProfile;
  return addresses.some((one) => one.kind === kind && one.channel === channel && one.number === number);
}

function unboundText(address: string): string {
  if (address.startsWith("/system/")) return "paths under /system cannot be written";
  if (isRequest(address)) return "it is a request to this node";
  if (address.startsWith(REQUEST_PREFIX)) return NO_REQUEST;
  return "no path has this address, and nothing is bound to it";
}

/** Why a binding did not hear a message. */
function idleEnding(state: BindingState | undefined): TraceEnding {
  if (state === undefined) return { reason: "nothing is bound to it" };
  const { record, standing, reason } = state;
  const text = `the binding ${record.id} is ${standing}${reason === "" ? "" : `: ${reason}`}`;
  return { binding: record.id, path: record.path, reason: text };
}

function argumentsText(packet: OscPacket, message: number): string {
  const first = packet.firstArguments[message] as number;
  const count = packet.argumentCounts[message] as number;
  const words = Array.from({ length: Math.min(count, 8) }, (_, index) => argumentText(packet, first + index));
  if (count > words.length) words.push("...");
  return words.join(" ");
}

function argumentText(packet: OscPacket, argument: number): string {
  const tag = packet.tags[argument] as OscTag;
  if (tag === OscTag.string || tag === OscTag.symbol) return JSON.stringify(packet.text(argument).slice(0, TEXT_MAX));
  if (tag === OscTag.blob) return `(${packet.blob(argument).length} bytes)`;
  if (tag === OscTag.true || tag === OscTag.false || tag === OscTag.nil || tag === OscTag.impulse) {
    return String.fromCharCode(tag);
  }
  const value = packet.values[argument] as number;
  return tag === OscTag.float ? String(Number(value.toPrecision(DIGITS))) : String(value);
}
