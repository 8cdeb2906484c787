import { describe, expect, it } from "vitest";
import { aliasOf, type MidiNaming, ownNameOf } from "../../../src/input/midi-port.js";

describe("a port", () => {
  it.each<[string, MidiNaming, string]>([
    ["Virtual Raw MIDI 0-0:VirMIDI 0-0 16:0", "alsa", "VirMIDI 0-0"],
    ["Acme Pad:Acme Pad MIDI 1 24:0", "alsa", "Acme Pad MIDI 1"],
    ["Client: with a colon:Port 128:0", "alsa", " with a colon:Port"],
    ["nameless", "alsa", "nameless"],
    ["MIDIIN2 (LPX MIDI) 3", "windows", "MIDIIN2 (LPX MIDI)"],
    ["Launchpad X LPX MIDI Out", "plain", "Launchpad X LPX MIDI Out"],
    ["X-TOUCH COMPACT 2", "plain", "X-TOUCH COMPACT 2"],
  ])("%s (%s) has the own name %s", (name, naming, own) => {
    expect(ownNameOf(name, naming)).toBe(own);
  });

  it.each([
    ["VirMIDI 0-0", "virmidi-0-0"],
    ["Acme Pad MIDI 1", "acme-pad-midi-1"],
    ["nanoKONTROL2", "nanokontrol2"],
    ["  (Größe) ", "gr-e"],
    ["***", "midi"],
    ["", "midi"],
  ])("%s is the alias %s", (own, alias) => {
    expect(aliasOf(own)).toBe(alias);
  });
});
