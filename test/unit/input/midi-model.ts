/** What the MIDI tests share: a stream with everything behind it, and what it told, as text or as numbers. */
import { Clock } from "../../../src/base/clock.js";
import { MidiControls } from "../../../src/input/midi-controls.js";
import { MidiCounters } from "../../../src/input/midi-counters.js";
import { type MidiEvent, MidiKind, type MidiSink } from "../../../src/input/midi-event.js";
import type { MidiReject } from "../../../src/input/midi-reject.js";
import { type MidiMessageSink, MidiStream } from "../../../src/input/midi-stream.js";

const kindNames = Object.fromEntries(Object.entries(MidiKind).map(([name, kind]) => [kind, name]));

/** `kind channel number value/max`. */
export function eventText({ kind, channel, number, value, max }: MidiEvent): string {
  return `${kindNames[kind]} ${channel} ${number} ${value}/${max}`;
}

export function hex(bytes: Uint8Array, length = bytes.length): string {
  return Array.from(bytes.subarray(0, length), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text.match(/[0-9a-fA-F]{2}/g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** A device's input, from the bytes on. */
export class Listening implements MidiSink {
  readonly clock = new Clock();
  readonly counters = new MidiCounters();
  readonly controls = new MidiControls(this, this.clock, this.counters);
  readonly stream = new MidiStream(new Overheard(this.controls, this), this.counters);
  /** What was told, in order. */
  told: string[] = [];
  /** What clock, time code and machine control came to. */
  system: string[] = [];

  constructor() {
    this.clock.set(1_700_000_000_000_000);
  }

  /** Bytes in hexadecimal, spaces as you like. */
  hear(text: string): this {
    return this.hearBytes(bytesOf(text));
  }

  hearBytes(bytes: Uint8Array): this {
    this.controls.heard[0] = this.clock.nowUs;
    this.stream.push(bytes);
    return this;
  }

  /** Lets time pass, calling what is due when it is due. */
  wait(ms: number): this {
    const endUs = this.clock.nowUs + ms * 1_000;
    while (this.controls.nextDueUs <= endUs) {
      this.clock.set(Math.max(this.clock.nowUs, this.controls.nextDueUs));
      this.controls.pump();
    }
    this.clock.set(endUs);
    return this;
  }

  /** What was told since the last call. */
  take(): string[] {
    const { told } = this;
    this.told = [];
    return told;
  }

  rejects(reject: MidiReject): number {
    return this.counters.rejects[reject];
  }

  control(event: MidiEvent): void {
    const isSystem = event.kind === MidiKind.command || event.kind === MidiKind.measure;
    (isSystem ? this.system : this.told).push(eventText(event));
  }

  sysex(bytes: Uint8Array, length: number): void {
    this.told.push(`sysex ${length > 32 ? `of ${length}` : hex(bytes, length)}`);
  }
}

/** Controls behind a stream, and the system messages that the stream hands them, which they tell nobody as such. */
class Overheard implements MidiMessageSink {
  private readonly controls: MidiControls;
  private readonly listening: Listening;

  constructor(controls: MidiControls, listening: Listening) {
    this.controls = controls;
    this.listening = listening;
  }

  channelMessage(status: number, first: number, second: number): void {
    this.controls.channelMessage(status, first, second);
  }

  sysex(bytes: Uint8Array, length: number): void {
    this.controls.sysex(bytes, length);
  }

  common(status: number, value: number): void {
    this.listening.told.push(`common ${status.toString(16)} ${value}`);
    this.controls.common(status, value);
  }

  realTime(status: number): void {
    this.listening.told.push(`real time ${status.toString(16)}`);
    this.controls.realTime(status);
  }
}
