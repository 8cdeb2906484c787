/** Bindings at a node, and a device whose controls a test moves. */
import { parseProfile } from "../../../src/config/profile-file.js";
import { Bindings } from "../../../src/input/bindings.js";
import { MIDI_MAX_7, MidiEvent, MidiKind } from "../../../src/input/midi-event.js";
import { SurfaceProfiles } from "../../../src/input/surface-profiles.js";
import type { DeclarationInput, Value } from "../../../src/state/declaration.js";
import { entityKind, instantiate, templateDeclaration } from "../../../src/state/templates.js";
import { TestNode } from "./osc-node.js";

export class BindingRig {
  readonly node = new TestNode();
  readonly profiles = new SurfaceProfiles("linux");
  changes = 0;
  channel = 1;
  readonly bindings: Bindings;
  private readonly event = new MidiEvent();

  constructor() {
    const { node } = this;
    this.bindings = new Bindings({
      target: node,
      shown: { load: (id, staging) => node.state.load(id, staging) },
      memory: node.memory,
      clock: node.clock,
      origins: node.origins,
      profileOf: (alias) => this.profiles.of(alias),
      onChanged: () => this.changes++,
    });
  }

  /** A profile, and with it an alias. */
  profile(id: string, fields: object): void {
    const file = { format: 1, name: id, transport: "midi", verified: true, sources: ["this test"], ...fields };
    const parsed = parseProfile(JSON.stringify(file), id);
    if (!("profile" in parsed)) throw new Error(JSON.stringify(parsed.complaints));
    this.profiles.set([{ id, profile: parsed.profile }]);
  }

  path(path: string, declaration: DeclarationInput): void {
    this.node.declare(path, declaration);
  }

  bind(id: string, values: Readonly<Record<string, Value>>): void {
    for (const { path, declaration } of instantiate(entityKind("/mappings"), id)) {
      if (this.node.state.idOf(path) < 0) this.node.declare(path, declaration);
    }
    for (const [name, value] of Object.entries(values)) {
      const path = `/mappings/${id}/${name}`;
      if (this.node.state.idOf(path) < 0) this.node.declare(path, templateDeclaration(path) as DeclarationInput);
      this.node.set(path, value);
    }
    this.bindings.pump();
  }

  send(kind: MidiKind, number: number, value: number, max = MIDI_MAX_7, device = 0): void {
    Object.assign(this.event, { kind, channel: this.channel, number, value, max });
    this.bindings.onMidi(device, this.event);
  }

  cc(number: number, value: number): void {
    this.send(MidiKind.cc, number, value);
  }

  /** The device says where a control stands. */
  stands(number: number, value: number): void {
    Object.assign(this.event, { kind: MidiKind.cc, channel: this.channel, number, value, max: MIDI_MAX_7 });
    this.bindings.onPosition("nano", this.event);
  }

  get(path: string): Value {
    return this.node.state.valueOf(this.node.state.idOf(path));
  }

  standing(id: string): readonly [string, string] {
    const state = this.bindings.list().find(({ record }) => record.id === id);
    return [state?.standing ?? "", state?.reason ?? ""];
  }
}
