/** What the feedback tests share: real profiles, a node, and devices that keep what they are sent, and when. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseProfile } from "../../../src/config/profile-file.js";
import type { Profile } from "../../../src/config/profile.js";
import { Feedback, type FeedbackBinding } from "../../../src/input/feedback.js";
import { MIDI_MAX_7, MIDI_MAX_14, MidiEvent, MidiKind } from "../../../src/input/midi-event.js";
import { MidiOutbox } from "../../../src/input/midi-outbox.js";
import type { BindingRecord } from "../../../src/input/binding-records.js";
import { Binding } from "../../../src/input/binding.js";
import { transformOf } from "../../../src/input/transform.js";
import { transformRecord } from "../../../src/input/transform-record.js";
import type { DeclarationInput, Value } from "../../../src/state/declaration.js";
import { hex } from "./midi-model.js";
import { TestNode } from "./osc-node.js";

const FOLDER = join(import.meta.dirname, "../../../hardware-profiles");

export function profileOf(id: string): Profile {
  const parsed = parseProfile(readFileSync(join(FOLDER, `${id}.json`), "utf8"), `${id}.json`);
  if ("profile" in parsed) return parsed.profile;
  throw new Error(JSON.stringify(parsed.complaints));
}

export interface Sent {
  readonly atUs: number;
  readonly text: string;
}

const DEVICE = "device";

/** A device of a profile, its bindings, and what it is sent. */
export class FeedbackRig {
  readonly node = new TestNode();
  readonly feedback: Feedback;
  readonly profile: Profile | undefined;
  readonly sent: Sent[] = [];
  rearmed = 0;
  /** How far the control of a path stands from its value. */
  readonly gaps = new Map<string, number>();
  /** Where the device said that controls stand: channel, number, value. */
  readonly positions: [number, number, number][] = [];
  /** Set: nothing leaves. */
  isBlocked = false;
  private readonly event = new MidiEvent();
  private bindings: FeedbackBinding[] = [];
  private readonly outbox: MidiOutbox;

  constructor(profile?: string) {
    const { node } = this;
    this.profile = profile === undefined ? undefined : profileOf(profile);
    this.feedback = new Feedback({
      clock: node.clock,
      state: node.state,
      shown: { load: (id, staging) => node.state.load(id, staging) },
      memory: node.memory,
      sink: { send: (_alias, message) => this.send(message), waiting: () => this.outbox.length },
      sender: { send: () => {} },
      profileOf: () => this.profile,
      onRearm: () => this.rearmed++,
      onPosition: (_alias, { channel, number, value }) => this.positions.push([channel, number, value]),
      gapOf: ({ path }) => this.gaps.get(path) ?? 0,
    });
    this.feedback.compile([], [DEVICE]);
    this.outbox = new MidiOutbox(node.clock, this.feedback.wishOf(DEVICE).pacing);
  }

  private send(message: Uint8Array): boolean {
    const isTaken = !this.isBlocked && this.outbox.put(message);
    this.drain();
    return isTaken;
  }

  private drain(): void {
    for (let message = this.outbox.take(); message !== undefined; message = this.outbox.take()) {
      this.sent.push({ atUs: this.node.clock.nowUs, text: hex(message) });
    }
  }

  /** Binds a control of the profile by its name, or a message `ch1/cc7`, to a path that is declared with it. */
  bind(
    control: string,
    path: string,
    declaration: DeclarationInput,
    fields: Partial<BindingRecord> = {},
    words: Readonly<Record<string, Value>> = {},
  ): this {
    if (this.node.state.idOf(path) < 0) this.node.declare(path, declaration);
    const record: BindingRecord = {
      id: `${this.bindings.length}`,
      isEnabled: true,
      source: `${DEVICE}/${control}`,
      path,
      range: [0, 0],
      curve: "linear",
      isInverted: false,
      takeover: "jump",
      feedback: "auto",
      colour: [],
      look: "solid",
      transform: transformRecord(new Map(Object.entries(words))),
      ...fields,
    };
    const found = this.profile?.controls.get(control);
    const target = this.node.state.idOf(path);
    const binding = new Binding(record, this.node.state, target);
    const transform = transformOf(binding, { kinds: [], control: found }, this.node.state);
    if (transform !== undefined && "problem" in transform) throw new Error(transform.problem);
    this.bindings.push({ record, standing: "active", alias: DEVICE, control: found, transform });
    this.compile();
    return this;
  }

  unbind(): void {
    this.bindings = [];
    this.compile();
  }

  private compile(): void {
    this.feedback.compile(this.bindings, [DEVICE]);
  }

  /** The device is there; what it is sent then is taken away. */
  open(): this {
    this.feedback.opened(0);
    this.run(2_000_000);
    this.sent.length = 0;
    return this;
  }

  /** Somebody else sets a path. */
  set(path: string, value: Value): void {
    this.node.set(path, value);
    this.pump();
  }

  /** Lets time pass, in steps of a millisecond as a timer's. */
  run(us: number): this {
    const endUs = this.node.clock.nowUs + us;
    this.pump();
    while (this.node.clock.nowUs < endUs) {
      this.node.advance(1_000);
      this.pump();
    }
    return this;
  }

  pump(): void {
    this.drain();
    this.feedback.pump();
  }

  /** The device says something. Answers whether it is a move. */
  hear(kind: MidiKind, number: number, value: number, channel = 1): boolean {
    const max = kind === MidiKind.bend || kind === MidiKind.cc14 ? MIDI_MAX_14 : MIDI_MAX_7;
    Object.assign(this.event, { kind, channel, number, value, max });
    const isMove = this.feedback.hear(0, this.event);
    this.pump();
    return isMove;
  }

  /** What was sent since the last call. */
  take(): string[] {
    return this.sent.splice(0).map(({ text }) => text);
  }

  get(path: string): Value {
    return this.node.state.valueOf(this.node.state.idOf(path));
  }
}
