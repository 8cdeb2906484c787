/**
 * Input replay: hears a recording again, each message when it came, through the same parsers as a device's own.
 *
 * It is told the time by a clock and asked when something is due. What the parsers measure is the recording's own time,
 * to the quarter of a microsecond, so that they decide as they did, however late a message is heard here. What it makes of a device's bytes goes where that
 * device's controls go, whether or not the device is there; packets go where a socket's go. Bounded: whoever gives the
 * records gives a few seconds of them at a time. It never throws on what a recording holds.
 */
import { Clock } from "../base/clock.js";
import type { InputRecord, MidiRecord, OscRecord, PortRecord } from "./input-record.js";
import { MidiControls, type MidiPair } from "./midi-controls.js";
import { MidiCounters } from "./midi-counters.js";
import type { MidiEvent } from "./midi-event.js";
import { MidiStream } from "./midi-stream.js";
import { OscPacket } from "./osc-packet.js";
import { OscReject } from "./osc-reject.js";
import { shiftTimes } from "./osc-time-shift.js";

/** Where what is heard again goes. */
export interface ReplayTarget {
  /** The pairs of controllers that are one control, of a device that something is bound to. */
  pairsOf(alias: string): readonly MidiPair[];
  control(alias: string, event: MidiEvent): void;
  /** A whole SysEx, by which a device may say where its controls stand, or that they are others now. */
  sysex(alias: string, bytes: Uint8Array, length: number): void;
  /** A device came back. */
  opened(alias: string): void;
  closed(alias: string): void;
  packet(bytes: Uint8Array, address: string, port: number): void;
}

export interface ReplayParts {
  readonly clock: Clock;
  readonly target: ReplayTarget;
  /** How many times as fast as it was; 1 for the same. */
  readonly speed: number;
  /** The wall clock at the beginning of the recording, and now: time tags are moved by the difference. */
  readonly recordedWallUs: number;
  readonly wallUs: number;
}

/** Records that wait: some seconds of 16 faders at 1 kHz. */
export const REPLAY_WAITING_MAX = 65_536;

const STARTED = 0;
const DUE = 1;

export class InputReplay {
  /** Records that have been heard, and messages that were lost when it was recorded. */
  played = 0;
  lost = 0;
  private readonly parts: ReplayParts;
  private waiting: InputRecord[] = [];
  private next = 0;
  private readonly devices = new Map<string, ReplayedDevice>();
  private readonly packet = new OscPacket();
  /** The time of the recording. */
  private readonly recorded = new Clock();
  private readonly times = new Float64Array(2);

  constructor(parts: ReplayParts) {
    this.parts = parts;
    this.times[STARTED] = parts.clock.nowUs;
    this.times[DUE] = Number.POSITIVE_INFINITY;
  }

  /** Records that are still to be heard. */
  get waitingCount(): number {
    return this.waiting.length - this.next;
  }

  /** When `pump` has something to do, in own time; infinite when nothing is left. */
  get dueUs(): number {
    return this.times[DUE] as number;
  }

  /** Takes records, in order. False when there is no room for all of them: then it took none. */
  add(records: readonly InputRecord[]): boolean {
    if (this.waitingCount + records.length > REPLAY_WAITING_MAX) return false;
    this.waiting = [...this.waiting.slice(this.next), ...records];
    this.next = 0;
    this.schedule();
    return true;
  }

  /** Hears what is due. */
  pump(): void {
    const { clock } = this.parts;
    while (clock.nowUs >= (this.times[DUE] as number)) {
      const record = this.waiting[this.next++] as InputRecord;
      this.play(record);
      this.played++;
      this.schedule();
    }
  }

  private schedule(): void {
    const record = this.waiting[this.next];
    const { speed } = this.parts;
    this.times[DUE] = record === undefined ? Number.POSITIVE_INFINITY : this.times[STARTED] + record.atUs / speed;
  }

  private play(record: InputRecord): void {
    this.recorded.set(record.atUs);
    if (record.kind === "lost") this.lost += record.count;
    else if (record.kind === "osc") this.playPacket(record);
    else if (record.kind === "midi") this.playBytes(record);
    else if (record.kind === "due") this.device(record.alias).controls.pump();
    else this.playPort(record);
  }

  private playBytes({ alias, bytes, sentUs }: MidiRecord): void {
    const { controls, stream } = this.device(alias);
    // What is bound may have changed since the last message.
    controls.setPairs(this.parts.target.pairsOf(alias));
    controls.heard[0] = sentUs;
    stream.push(bytes);
  }

  private playPort({ alias, isOpen }: PortRecord): void {
    const { controls, stream } = this.device(alias);
    stream.reset();
    controls.release();
    if (isOpen) this.parts.target.opened(alias);
    else this.parts.target.closed(alias);
  }

  private playPacket({ bytes, address, port }: OscRecord): void {
    const { target, speed, recordedWallUs, wallUs } = this.parts;
    const { packet } = this;
    if (packet.parse(bytes, 0, bytes.length) === OscReject.none) {
      shiftTimes(bytes, { fromUs: recordedWallUs, toUs: wallUs, speed });
    }
    target.packet(bytes, address, port);
  }

  private device(alias: string): ReplayedDevice {
    let device = this.devices.get(alias);
    if (device === undefined) {
      device = new ReplayedDevice(alias, this.parts.target, this.recorded);
      this.devices.set(alias, device);
    }
    return device;
  }
}

class ReplayedDevice {
  readonly controls: MidiControls;
  readonly stream: MidiStream;

  constructor(alias: string, target: ReplayTarget, clock: Clock) {
    const counters = new MidiCounters();
    const sink = {
      control: (event: MidiEvent) => target.control(alias, event),
      sysex: (bytes: Uint8Array, length: number) => target.sysex(alias, bytes, length),
    };
    this.controls = new MidiControls(sink, clock, counters);
    this.stream = new MidiStream(this.controls, counters);
  }
}
