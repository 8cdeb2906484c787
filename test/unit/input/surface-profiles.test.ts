import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseProfile } from "../../../src/config/profile-file.js";
import { type KnownProfile, SurfaceProfiles } from "../../../src/input/surface-profiles.js";
import { aliasOf } from "../../../src/input/midi-port.js";

const folder = new URL("../../../hardware-profiles/", import.meta.url);

/** Every profile of the package. */
const SHIPPED: readonly KnownProfile[] = readdirSync(folder)
  .filter((name) => name.endsWith(".json") && name !== "profile.schema.json")
  .map((name) => {
    const parsed = parseProfile(readFileSync(new URL(name, folder), "utf8"), name);
    if (!("profile" in parsed)) throw new Error(name);
    return { id: name.replace(".json", ""), profile: parsed.profile };
  });

function profiles(system: "linux" | "windows" | "macos"): SurfaceProfiles {
  const made = new SurfaceProfiles(system);
  made.set(SHIPPED);
  return made;
}

describe("the alias of a port", () => {
  it.each([
    ["linux", "Launchpad X MIDI 2", "novation-launchpad-x"],
    ["linux", "Launchpad X LPX MIDI In", "novation-launchpad-x"],
    ["linux", "nanoKONTROL2 nanoKONTROL2 _ CTR", "korg-nanokontrol2"],
    ["linux", "Launch Control XL Launch Contro", "novation-launch-control-xl"],
    ["linux", "nanoKONTROL2 Studio", "nanokontrol2-studio"],
    ["windows", "MIDIIN2 (LPX MIDI)", "novation-launchpad-x"],
    ["windows", "2- APC mini mk2", "akai-apc-mini-mk2"],
    ["linux", "APC mini mk2 MIDI 1", "akai-apc-mini-mk2"],
    ["macos", "Launch Control XL", "novation-launch-control-xl"],
  ] as const)("on %s, %s is that of its profile: %s", (system, own, alias) => {
    expect(profiles(system).aliasOfPort(own, true)).toBe(alias);
  });

  it("is its own name where no profile knows it, and before profiles are read", () => {
    expect(profiles("linux").aliasOfPort("VirMIDI 0-0", true)).toBe("virmidi-0-0");
    expect(new SurfaceProfiles("linux").aliasOfPort("APC mini mk2 MIDI 1", true)).toBe("apc-mini-mk2-midi-1");
  });

  it("can be written in a source, for every profile", () => {
    for (const { id } of SHIPPED) expect(aliasOf(id)).toBe(id);
  });
});

describe("the profile of an alias", () => {
  it("is known without the device: of the first one, and of others of its kind", () => {
    expect(profiles("linux").of("korg-nanokontrol2")?.id).toBe("korg-nanokontrol2");
    expect(profiles("linux").of("akai-apc-mini-mk2-2")?.id).toBe("akai-apc-mini-mk2");
    expect(profiles("linux").of("virmidi-0-0")).toBeUndefined();
  });

  it("is that of the port which was adopted, or the one that was chosen", () => {
    const known = profiles("linux");
    const pads = { alias: "pads", own: "Launchpad X MIDI 2", place: "", profile: "" };
    const keys = { alias: "keys", own: "VirMIDI 0-0", place: "", profile: "generic-keyboard" };
    known.adopt([pads, keys, { ...pads, alias: "akai-apc-mini-mk2" }]);
    expect(known.of("pads")?.id).toBe("novation-launchpad-x");
    expect(known.of("keys")?.id).toBe("generic-keyboard");
    expect(known.of("akai-apc-mini-mk2")?.id).toBe("novation-launchpad-x");
    known.adopt([{ ...keys, profile: "gone" }]);
    expect(known.of("keys")).toBeUndefined();
    expect(known.of("pads")).toBeUndefined();
  });
});
