/** A twin against the other side: what it sends is what bindings of the same profile hear, of every profile there is. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Clock } from "../../../src/base/clock.js";
import { parseProfile } from "../../../src/config/profile-file.js";
import type { ProfileControl } from "../../../src/config/profile.js";
import { midiAddresses } from "../../../src/input/control-address.js";
import { outputsOf } from "../../../src/input/control-outputs.js";
import { ledFrame } from "../../../src/input/led-code.js";
import { MidiControls } from "../../../src/input/midi-controls.js";
import { MidiCounters } from "../../../src/input/midi-counters.js";
import { type MidiEvent, MidiKind } from "../../../src/input/midi-event.js";
import { MidiStream } from "../../../src/input/midi-stream.js";
import { detentsOf, RelativeEncoding } from "../../../src/input/relative-encoder.js";
import { SurfaceLook } from "../../../src/input/surface-look.js";
import { parseMotion, SurfaceTwin } from "../../../src/input/surface-twin.js";
import type { KnownProfile } from "../../../src/input/surface-profiles.js";

const folder = new URL("../../../hardware-profiles/", import.meta.url);
const MIDI: readonly KnownProfile[] = readdirSync(folder)
  .filter((name) => name.endsWith(".json") && name !== "profile.schema.json")
  .flatMap((name) => {
    const parsed = parseProfile(readFileSync(new URL(name, folder), "utf8"), name);
    if (!("profile" in parsed)) throw new Error(name);
    return parsed.profile.transport === "midi" ? [{ id: name.replace(".json", ""), profile: parsed.profile }] : [];
  });

function knownOf(id: string): KnownProfile {
  const known = MIDI.find((one) => one.id === id);
  if (known === undefined) throw new Error(id);
  return known;
}

interface Heard {
  readonly kind: MidiKind;
  readonly channel: number;
  readonly number: number;
  readonly value: number;
  readonly max: number;
}

/** What a node's parser makes of messages. */
function heard({ source }: ProfileControl, messages: readonly Uint8Array[]): Heard[] {
  const events: Heard[] = [];
  const control = ({ kind, channel, number, value, max }: MidiEvent): void => {
    events.push({ kind, channel, number, value, max });
  };
  const counters = new MidiCounters();
  const clock = new Clock();
  clock.set(1);
  const controls = new MidiControls({ control, sysex: () => {} }, clock, counters);
  const [address] = source === undefined || "address" in source ? [] : midiAddresses(source);
  if (address !== undefined && address.low >= 0) {
    controls.setPairs([{ channel: address.channel, msb: address.number, lsb: address.low }]);
  }
  const stream = new MidiStream(controls, counters);
  for (const message of messages) stream.push(message);
  return events;
}

function moved(id: string, control: ProfileControl, text: string): Heard[] {
  const motion = parseMotion(text);
  if (motion === undefined) throw new Error(text);
  const messages = new SurfaceTwin(knownOf(id).profile).move(control.name, motion);
  if ("problem" in messages) throw new Error(`${control.name}: ${messages.problem}`);
  return heard(control, messages);
}

describe.each(MIDI)("the twin of $id", ({ id, profile }) => {
  const sending = [...profile.controls.values()].filter(({ source }) => source !== undefined);

  it("sends, for every control, what a binding to it hears", () => {
    for (const control of sending) {
      const { source, encoding } = control;
      if (source === undefined || "address" in source) throw new Error(control.name);
      const isEndless = encoding !== undefined && encoding !== "absolute";
      const events = moved(id, control, isEndless ? "-5" : "1");
      const keys = midiAddresses(source).map(({ kind, channel, number }) => `${kind} ${channel} ${number}`);
      const last = events.at(-1);
      expect(keys, control.name).toContain(`${last?.kind} ${last?.channel} ${last?.number}`);
      if (isEndless) expect(detentsOf(RelativeEncoding[encoding], last?.value ?? 0), control.name).toBe(-5);
      else expect(last?.value, control.name).toBe(last?.max);
    }
  });

  it("names what every light, ring, motor and meter is told", () => {
    const twin = new SurfaceTwin(profile);
    const look = new SurfaceLook();
    look.way = 1;
    for (const control of profile.controls.values()) {
      for (const output of outputsOf(control, profile)) {
        const code = output.codeOf(look);
        const block = output.batch?.block(code);
        const frames = output.batch === undefined || block === undefined ? [] : [ledFrame(output.batch.sysex, [block])];
        const messages = block === undefined ? output.messages(code, false) : frames;
        const words = messages.map((message) => twin.hear(message));
        expect(
          words.filter((word) => /^(unknown|sysex)/.test(word)),
          `${control.name} ${output.key}`,
        ).toEqual([]);
        expect(words.length, output.key).toBeGreaterThan(0);
      }
    }
  });
});

describe("a twin", () => {
  it("presses, lets go, turns far, feels touch and says who it is", () => {
    const apc = knownOf("akai-apc-mini-mk2").profile;
    const pad = apc.controls.get("pad1") as ProfileControl;
    expect(moved("akai-apc-mini-mk2", pad, "down")).toMatchObject([{ kind: MidiKind.noteOn, number: 0, value: 127 }]);
    expect(moved("akai-apc-mini-mk2", pad, "up")).toMatchObject([{ kind: MidiKind.noteOff, number: 0 }]);
    const knob = knownOf("behringer-x-touch").profile.controls.get("encoder1") as ProfileControl;
    const signed = RelativeEncoding["sign-magnitude"];
    const turns = moved("behringer-x-touch", knob, "+100").map(({ value }) => detentsOf(signed, value));
    expect([turns.length, turns.reduce((sum, turn) => sum + turn, 0)]).toEqual([2, 100]);
    const fader = new SurfaceTwin(knownOf("behringer-x-touch").profile).move("fader1", { does: "touch", isDown: true });
    expect(fader).toHaveLength(1);
    const request = Uint8Array.of(0xf0, 0x7e, 0x7f, 0x06, 0x01, 0xf7);
    expect(new SurfaceTwin(apc).answer(request)?.slice(0, 7)).toEqual(
      Uint8Array.of(0xf0, 0x7e, 0, 0x06, 0x02, 0x47, 0x4f),
    );
  });

  it("says how a light shines, and in which colours", () => {
    const apc = new SurfaceTwin(knownOf("akai-apc-mini-mk2").profile);
    expect(apc.hear(Uint8Array.of(0x90, 3, 5))).toBe("pad4 light (solid 10%) 5");
    expect(apc.hear(Uint8Array.of(0x96, 3, 5))).toBe("pad4 light 5");
    expect(apc.hear(Uint8Array.of(0x99, 3, 5))).toBe("pad4 light (pulse 1/4) 5");
    const rgb = [0xf0, 0x47, 0x7f, 0x4f, 0x24, 0, 16, 0, 0, 1, 127, 0, 64, 0, 0, 1, 1, 0, 1, 0, 2, 0, 3, 0xf7];
    expect(apc.hear(Uint8Array.from(rgb))).toBe("pad1 light #ff4000, pad2 light #010203");
    const none = rgb.with(7, 99);
    expect(apc.hear(Uint8Array.from(none))).toMatch(/^sysex F0 47 7F 4F 24/);
    const touch = new SurfaceTwin(knownOf("behringer-x-touch").profile);
    const colours = [0xf0, 0, 0, 0x66, 0x14, 0x72, 1, 2, 3, 4, 5, 6, 7, 0, 0xf7];
    expect(touch.hear(Uint8Array.from(colours))).toBe("display lcd colours 1 2 3 4 5 6 7 0");
  });

  it("says where its faders stand once it is spoken to, as the device does", () => {
    const twin = new SurfaceTwin(knownOf("akai-apc40-mk2").profile);
    twin.move("fader2", parseMotion("1") ?? never());
    twin.move("master", parseMotion("0.5") ?? never());
    const init = Uint8Array.of(0xf0, 0x47, 0x7f, 0x29, 0x60, 0, 4, 0x41, 0, 0, 0, 0xf7);
    const reply = [0xf0, 0x47, 0, 0x29, 0x61, 0, 9, 0, 127, 0, 0, 0, 0, 0, 0, 64, 0xf7];
    expect(twin.answer(init)).toEqual(Uint8Array.from(reply));
    expect(new SurfaceTwin(knownOf("akai-apc-mini-mk1").profile).answer(init)).toBeUndefined();
  });

  it.each([
    ["fadr1", "0.5", "did you mean fader1?"],
    ["fader1", "+1", "has a place"],
    ["fader1", "touch", "feels no touch"],
  ])("says why %s %s cannot be done", (control, text, words) => {
    const moves = new SurfaceTwin(knownOf("akai-apc-mini-mk2").profile).move(control, parseMotion(text) ?? never());
    expect(moves).toEqual({ problem: expect.stringContaining(words) });
  });

  it.each(["", "1.5", "-0.5", "x", "+", "0.5.5", "+99999"])("knows no motion %j", (text) => {
    expect(parseMotion(text)).toBeUndefined();
  });
});

function never(): never {
  throw new Error("no motion");
}
