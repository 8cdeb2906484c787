/**
 * MIDI controls: channel messages to events, one event for each move of a control.
 *
 * Makes one value of two controllers (only of pairs that were named: no number is a pair by itself), one of the messages
 * of an RPN or NRPN, a tempo of the pulses of a clock, and knows which notes are held, so that they are let go when the
 * device goes away. Is told the time; what waits for its other half is told in `pump`, once `nextDueUs` has come.
 * Allocates nothing per message and never throws on what a device sends.
 */
import { assert } from "../base/assert.js";
import type { Clock } from "../base/clock.js";
import { MidiCounter, type MidiCounters } from "./midi-counters.js";
import { MIDI_MAX_7, MIDI_MAX_14, MidiEvent, MidiKind, type MidiSink } from "./midi-event.js";
import { MidiHalves } from "./midi-halves.js";
import {
  choosesParameter,
  DATA_DECREMENT,
  DATA_ENTRY,
  DATA_ENTRY_LOW,
  DATA_INCREMENT,
  MidiParameter,
} from "./midi-parameter.js";
import { MidiReject } from "./midi-reject.js";
import type { MidiMessageSink } from "./midi-stream.js";
import { systemKindOf } from "./system-control.js";
import { SystemMessages } from "./system-messages.js";

/** Two controllers of a channel, 1..16, that are the halves of one value. */
export interface MidiPair {
  readonly channel: number;
  readonly msb: number;
  readonly lsb: number;
}

const CHANNELS = 16;
const NUMBERS = 128;

export class MidiControls implements MidiMessageSink {
  /** [0] when the message in hand was sent, in microseconds of any clock that runs evenly. Written by whoever hears it. */
  readonly heard = new Float64Array(1);
  /** [0] is `nextDueUs`: in an array, it is read for each message without being boxed. */
  readonly dues = new Float64Array([Number.POSITIVE_INFINITY]);
  private readonly sink: MidiSink;
  private readonly clock: Clock;
  private readonly counters: MidiCounters;
  private readonly event = new MidiEvent();
  private pairs: NamedPair[] = [];
  /** By channel and controller: 0, or twice the index of its pair + 1, and one more for the low half. */
  private readonly roles = new Int16Array(CHANNELS * NUMBERS);
  private readonly parameters: readonly MidiParameter[];
  /** By channel and note. */
  private readonly held = new Uint8Array(CHANNELS * NUMBERS);
  private heldCount = 0;
  private readonly system: SystemMessages;

  constructor(sink: MidiSink, clock: Clock, counters: MidiCounters) {
    this.sink = sink;
    this.clock = clock;
    this.counters = counters;
    this.system = new SystemMessages(this.heard, (control, value, max) => {
      this.tell(systemKindOf(control), 0, control, value, max);
    });
    this.parameters = Array.from({ length: CHANNELS }, () => new MidiParameter(clock, this.heard, this.dues, counters));
  }

  /**
   * Makes one control of two: neither is told as `cc` any more. What was named before and is not named again ends; a
   * number can be in one pair only, the first that names it.
   */
  setPairs(pairs: readonly MidiPair[]): void {
    const known = this.pairs;
    this.pairs = [];
    this.roles.fill(0);
    for (const pair of pairs) {
      assert(isPair(pair), "a pair is two controllers of a channel from 1 to 16");
      const high = slot(pair.channel - 1, pair.msb);
      const low = slot(pair.channel - 1, pair.lsb);
      if (this.roles[high] !== 0 || this.roles[low] !== 0) continue;
      this.roles[high] = 2 * (this.pairs.length + 1);
      this.roles[low] = this.roles[high] + 1;
      const same = known.find(({ channel, msb, lsb }) => {
        return channel === pair.channel && msb === pair.msb && lsb === pair.lsb;
      });
      this.pairs.push(same ?? { ...pair, halves: new MidiHalves(this.clock, this.heard, this.dues, this.counters) });
    }
  }

  /** When `pump` has something to do, in own time; infinite while nothing waits. */
  get nextDueUs(): number {
    return this.dues[0];
  }

  /** Tells the halves whose other half has not come in time. */
  pump(): void {
    this.dues[0] = Number.POSITIVE_INFINITY;
    for (const pair of this.pairs) {
      if (pair.halves.expire()) this.tellPair(pair);
    }
    for (let channel = 0; channel < CHANNELS; channel++) {
      const parameter = this.parameters[channel];
      if (parameter.data.expire()) this.tellParameter(channel, parameter);
    }
  }

  /** The device is gone: what it held is let go, and what it had begun is forgotten. What was learned of it stays. */
  release(): void {
    for (const { halves } of this.pairs) halves.reset();
    for (const parameter of this.parameters) parameter.close();
    this.system.forget();
    for (let index = 0; this.heldCount > 0; index++) {
      if (this.held[index] === 0) continue;
      this.counters.count(MidiCounter.notesReleased);
      this.note(MidiKind.noteOff, index >> 7, index & MIDI_MAX_7, 0);
    }
  }

  channelMessage(status: number, first: number, second: number): void {
    const channel = status & 0x0f;
    switch (status & 0xf0) {
      case 0x80:
        this.note(MidiKind.noteOff, channel, first, second);
        return;
      case 0x90:
        this.note(second === 0 ? MidiKind.noteOff : MidiKind.noteOn, channel, first, second);
        return;
      case 0xa0:
        this.tell(MidiKind.poly, channel, first, second, MIDI_MAX_7);
        return;
      case 0xb0:
        this.controller(channel, first, second);
        return;
      case 0xc0:
        this.tell(MidiKind.program, channel, 0, first, MIDI_MAX_7);
        return;
      case 0xd0:
        this.tell(MidiKind.pressure, channel, 0, first, MIDI_MAX_7);
        return;
      default:
        this.tell(MidiKind.bend, channel, 0, first | (second << 7), MIDI_MAX_14);
    }
  }

  sysex(bytes: Uint8Array, length: number): void {
    this.sink.sysex(bytes, length);
    this.system.sysex(bytes, length);
  }

  common(status: number, value: number): void {
    this.system.common(status, value);
  }

  realTime(status: number): void {
    this.system.realTime(status);
  }

  private note(kind: MidiKind, channel: number, note: number, velocity: number): void {
    const index = slot(channel, note);
    const isHeld = kind === MidiKind.noteOn ? 1 : 0;
    this.heldCount += isHeld - this.held[index];
    this.held[index] = isHeld;
    this.tell(kind, channel, note, velocity, MIDI_MAX_7);
  }

  private controller(channel: number, number: number, value: number): void {
    const role = this.roles[slot(channel, number)];
    if (role !== 0) this.half(this.pairs[(role >> 1) - 1], (role & 1) === 1, value);
    else if (!this.isOfParameter(channel, number, value)) this.tell(MidiKind.cc, channel, number, value, MIDI_MAX_7);
  }

  private half(pair: NamedPair, isLow: boolean, value: number): void {
    const isTold = isLow ? pair.halves.takeLow(value) : pair.halves.takeHigh(value);
    if (isTold) this.tellPair(pair);
  }

  /** Whether a controller's message belongs to a parameter, and so is not told as one of its own. */
  private isOfParameter(channel: number, number: number, value: number): boolean {
    const parameter = this.parameters[channel];
    if (choosesParameter(number)) return this.choose(channel, parameter, number, value);
    if (!parameter.isOpen) return false;
    switch (number) {
      case DATA_ENTRY:
        if (parameter.data.takeHigh(value)) this.tellParameter(channel, parameter);
        return true;
      case DATA_ENTRY_LOW:
        if (parameter.data.takeLow(value)) this.tellParameter(channel, parameter);
        return true;
      case DATA_INCREMENT:
        this.step(channel, parameter, 1);
        return true;
      case DATA_DECREMENT:
        this.step(channel, parameter, -1);
        return true;
      default:
        return false;
    }
  }

  private choose(channel: number, parameter: MidiParameter, number: number, value: number): boolean {
    const wasOpen = parameter.isOpen;
    if (parameter.changes(number, value) && parameter.data.flush()) this.tellParameter(channel, parameter);
    return parameter.choose(number, value) || wasOpen;
  }

  private step(channel: number, parameter: MidiParameter, by: number): void {
    if (parameter.data.flush()) this.tellParameter(channel, parameter);
    if (parameter.data.step(by)) this.tellParameter(channel, parameter);
    else this.counters.reject(MidiReject.stepWithoutValue);
  }

  private tellPair({ channel, msb, halves }: NamedPair): void {
    this.tell(MidiKind.cc14, channel - 1, msb, halves.value, halves.max);
  }

  private tellParameter(channel: number, { kind, number, data }: MidiParameter): void {
    this.tell(kind, channel, number, data.value, data.max);
  }

  private tell(kind: MidiKind, channel: number, number: number, value: number, max: number): void {
    const { event } = this;
    event.kind = kind;
    event.channel = channel + 1;
    event.number = number;
    event.value = value;
    event.max = max;
    this.counters.count(MidiCounter.eventsIn);
    this.sink.control(event);
  }
}

interface NamedPair extends MidiPair {
  readonly halves: MidiHalves;
}

function slot(channel: number, number: number): number {
  return channel * NUMBERS + number;
}

function isPair({ channel, msb, lsb }: MidiPair): boolean {
  const isNumber = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < NUMBERS;
  return (
    Number.isInteger(channel) && channel >= 1 && channel <= CHANNELS && isNumber(msb) && isNumber(lsb) && msb !== lsb
  );
}
