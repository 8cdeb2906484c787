/**
 * Input monitor: who listens in on what devices and OSC senders say, beside the bindings. Nobody does, mostly.
 *
 * While somebody teaches, all devices are wanted and every message passes here first; what it moves, it moves all the
 * same. While somebody traces, the devices that he named are, and every message passes here before and after. While
 * nobody listens, that costs a branch or two for each message.
 */
import type { Clock } from "../base/clock.js";
import type { Profile } from "../config/profile.js";
import type { MoveObserver } from "../input/bindings.js";
import type { InputRecorder } from "../input/input-recorder.js";
import type { LearnFinding } from "../input/learn.js";
import type { LayoutInput } from "../input/surface-profiles.js";
import type { MidiEvent } from "../input/midi-event.js";
import type { OscObserver, OscTap } from "../input/osc-input.js";
import type { OscPacket } from "../input/osc-packet.js";
import { numberOf } from "../input/osc-values.js";
import { type FeedWish, NO_WISH } from "../manage/input-feed.js";
import type { InputTracer } from "./input-tracer.js";
import type { MidiWanted } from "./midi-hub.js";
import { LearnSession } from "./learn-session.js";

/** A device at its ports. */
export interface HeardDevice {
  readonly alias: string;
  /** The input port's name; "" when it is not plugged in, or has none. */
  readonly input: string;
  /** Why it cannot be heard, as a sentence's end; else "". */
  readonly reason: string;
}

export interface InputMonitorParts {
  readonly clock: Clock;
  /** Tells the clock the time. */
  readonly enter: () => void;
  /** Every device that is plugged in or wanted, as of now. */
  readonly devices: () => readonly HeardDevice[];
  /** Others are wanted now: see `complete`. */
  readonly onWanted: () => void;
  /** Every OSC message is to be told to the observer, or none any more. */
  readonly observeOsc: (observer: OscObserver | undefined) => void;
  readonly profileOf: (alias: string) => Profile | undefined;
  /** The one layout that knows an OSC message. */
  readonly layoutOf: (address: string, argument: number) => LayoutInput | undefined;
  /** Somebody begins to trace. */
  readonly startTracer: () => InputTracer;
  /** Somebody begins to record. */
  readonly startRecorder: () => InputRecorder;
  /** Every OSC packet is to be told, or none any more. */
  readonly observePackets: (observer: OscTap | undefined) => void;
  /** Every move of a binding is to be told to the observer, or none any more. */
  readonly observeMoves: (observer: MoveObserver | undefined) => void;
}

/** Why learning ended without a control. */
export const LearnEnd = { silence: "silence", superseded: "superseded" } as const;
export type LearnEnd = (typeof LearnEnd)[keyof typeof LearnEnd];

export class InputMonitor implements OscObserver {
  /** Aliases of devices that are to be heard although nothing may be bound to them. */
  private extraAliases: readonly string[] = [];
  private hearsSysex = false;
  /** Of all that are wanted, by their places. */
  private aliases: readonly string[] = [];
  private readonly parts: InputMonitorParts;
  private session: LearnSession | undefined;
  private tracer: InputTracer | undefined;
  /** Somebody records. */
  recorder: InputRecorder | undefined;
  private wish = NO_WISH;

  constructor(parts: InputMonitorParts) {
    this.parts = parts;
  }

  /** Whether anybody listens. */
  get isOn(): boolean {
    return this.session !== undefined || this.tracer !== undefined;
  }

  /**
   * Adds the devices that are to be heard to those that are wanted anyway, which keep their places. Who learns hears
   * their SysEx too: the buttons of machine control say nothing else.
   */
  complete(wanted: readonly MidiWanted[]): readonly MidiWanted[] {
    const known = wanted.map(({ alias }) => alias);
    const more = this.extraAliases.filter((alias) => !known.includes(alias));
    this.aliases = [...known, ...more];
    const needsSysex = this.hearsSysex;
    const heard = needsSysex ? wanted.map((one) => ({ ...one, needsSysex })) : wanted;
    return [...heard, ...more.map((alias) => ({ alias, pairs: [], needsOutput: false, needsSysex }))];
  }

  /** A control of a device, by its place in `complete`, moved: before anybody else hears it. */
  midi(device: number, event: MidiEvent): void {
    const alias = this.aliases[device] ?? "";
    this.session?.onMidi(alias, event);
    this.tracer?.beginMidi(alias, event);
  }

  /** Everybody has heard it. `isMove`: the bindings too, for it is the move of a control. */
  midiDone(device: number, event: MidiEvent, isMove: boolean): void {
    this.tracer?.endMidi(this.aliases[device] ?? "", event, isMove);
  }

  /** A program of this machine says where a control stands: before anybody else hears it. */
  input(alias: string, name: string, value: number): void {
    this.session?.onInput(alias, name, value);
    this.tracer?.beginInput(alias, name, value);
  }

  inputDone(alias: string, name: string): void {
    this.tracer?.endInput(alias, name);
  }

  /** Begins or ends to trace and to record. */
  feed(wish: FeedWish): void {
    this.wish = wish;
    if (!wish.isTraced) this.tracer = undefined;
    else this.tracer ??= this.parts.startTracer();
    this.parts.observeMoves(this.tracer);
    if (!wish.isRecorded) this.recorder = undefined;
    else this.recorder ??= this.parts.startRecorder();
    const { recorder } = this;
    this.parts.observePackets(recorder && ((bytes, address, port) => recorder.packet(bytes, address, port)));
    this.listen();
  }

  /** What an OSC message says to a path that is there is for that path; what is unknown may be a control. */
  osc(packet: OscPacket, message: number, id: number, host: string, isApplied: boolean): void {
    const { session, tracer } = this;
    if (!isApplied) {
      tracer?.beginOsc(packet, message, host);
      tracer?.endOsc(packet, message, id);
    }
    if (session === undefined || id >= 0 || packet.addressPatterns[message] !== 0) return;
    const address = packet.addressText(message);
    const count = packet.argumentCounts[message] as number;
    if (count === 0) session.onOsc(address, 0, undefined);
    for (let argument = 0; argument < Math.min(count, ARGUMENTS_MAX); argument++) {
      const value = numberOf(packet, message, argument);
      if (!Number.isNaN(value)) session.onOsc(address, argument, value);
    }
  }

  begin(packet: OscPacket, message: number, host: string): void {
    this.tracer?.beginOsc(packet, message, host);
  }

  end(packet: OscPacket, message: number, id: number): void {
    this.tracer?.endOsc(packet, message, id);
  }

  /** The control that is moved next. Whoever was learning is superseded: one person has two hands. */
  learn(limitMs: number): Promise<LearnFinding | LearnEnd> {
    const before = this.session;
    this.session = undefined;
    before?.end();
    const { clock, enter, profileOf, layoutOf } = this.parts;
    return new Promise((resolve) => {
      const lookForDevices = (): void => this.listen();
      const session = new LearnSession({ clock, enter, profileOf, layoutOf, lookForDevices }, limitMs, (finding) => {
        const isOwn = this.session === session;
        if (isOwn) this.stop();
        resolve(finding ?? (isOwn ? LearnEnd.silence : LearnEnd.superseded));
      });
      this.session = session;
      this.listen();
    });
  }

  close(): void {
    this.session?.end();
    this.feed(NO_WISH);
  }

  private stop(): void {
    this.session = undefined;
    this.listen();
  }

  /** Hears what those who listen want to hear: to learn, everything that is plugged in. */
  private listen(): void {
    this.parts.observeOsc(this.isOn ? this : undefined);
    const named = this.wish.aliases.filter((alias) => ALIAS.test(alias));
    const plugged = this.session === undefined ? [] : this.parts.devices().filter(({ input }) => input !== "");
    this.want([...new Set([...named, ...plugged.map(({ alias }) => alias)])], this.session !== undefined);
  }

  private want(aliases: readonly string[], hearsSysex: boolean): void {
    if (aliases.join() === this.extraAliases.join() && hearsSysex === this.hearsSysex) return;
    this.extraAliases = aliases;
    this.hearsSysex = hearsSysex;
    this.parts.onWanted();
  }
}

const ARGUMENTS_MAX = 16;
/** A trace may be of an OSC sender's host, too. */
const ALIAS = /^[a-z0-9]+(-[a-z0-9]+)*$/;
