/** The hardware profiles that are shipped: each is right, says what its source says, and is in the README. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseProfile } from "../../../src/config/profile-file.js";
import type { Profile } from "../../../src/config/profile.js";
import { profileJsonSchema } from "../../../src/config/profile-schema.js";

const folder = new URL("../../../hardware-profiles/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".json") && name !== "profile.schema.json");

function textOf(name: string): string {
  return readFileSync(new URL(name, folder), "utf8");
}

function profileOf(id: string): Profile {
  const parsed = parseProfile(textOf(`${id}.json`), `${id}.json`);
  expect(parsed).not.toHaveProperty("complaints");
  if ("complaints" in parsed) throw new Error("it is wrong");
  return parsed.profile;
}

const ids = names.map((name) => name.slice(0, -".json".length)).sort();
const profiles = ids.map((id) => [id, profileOf(id)] as const);

/** `kind channel number` of what a control sends. */
function sent(id: string, name: string): string {
  const { source } = profileOf(id).controls.get(name) ?? {};
  if (source === undefined || "address" in source) return source?.address ?? "nothing";
  return `${source.kind} ${source.channel} ${source.number}`;
}

describe("the profiles", () => {
  it("are those of every device, some generic ones and OSC layouts", () => {
    expect(profiles.map(([id]) => id)).toEqual([
      "akai-apc-mini-mk1",
      "akai-apc-mini-mk2",
      "akai-apc40-mk2",
      "akai-midimix",
      "arturia-beatstep",
      "behringer-bcf2000",
      "behringer-bcr2000",
      "behringer-x-touch",
      "behringer-x-touch-compact",
      "behringer-x-touch-extender",
      "behringer-x-touch-extender-midi",
      "behringer-x-touch-mini",
      "behringer-x-touch-mini-mc",
      "djtt-midi-fighter-twister",
      "djtt-midi-fighter-twister-native",
      "faderfox-ec4",
      "generic-faders",
      "generic-keyboard",
      "generic-mpe",
      "generic-pads",
      "korg-nanokontrol2",
      "novation-launch-control-xl",
      "novation-launch-control-xl-mk3",
      "novation-launchpad-mini-mk3",
      "novation-launchpad-mk1",
      "novation-launchpad-mk2",
      "novation-launchpad-pro-mk3",
      "novation-launchpad-x",
      "open-stage-control",
      "touchosc",
    ]);
  });

  it.each(profiles)("%s finds every control behind what it sends", (_, profile) => {
    for (const control of profile.controls.values()) {
      for (const [part, source] of [
        ["value", control.source],
        ["touch", control.touch],
      ] as const) {
        if (source === undefined) continue;
        if ("address" in source) {
          expect(profile.inputs.osc(source.address, source.argument)).toEqual({ control, part });
        } else {
          const found = profile.inputs.midi(source.kind, Math.max(1, source.channel), Math.max(0, source.number));
          expect(found).toEqual({ control, part });
        }
      }
    }
  });

  it("take no port from each other, so that a name finds one of them", () => {
    const ports = [
      "APC MINI",
      "APC mini mk2",
      "APC40 mkII",
      "Launchpad",
      "Launchpad S",
      "Launchpad Mini",
      "Launchpad MK2",
    ];
    ports.push(
      "X-Touch",
      "X-Touch-Ext",
      "X-TOUCH MINI",
      "Launch Control XL",
      "BCR2000",
      "BCF2000",
      "nanoKONTROL2",
      "MIDI Mix",
    );
    const more = [
      "Launchpad Mini MK3 MIDI 2",
      "Launchpad Mini MK3 LPMiniMK3 MI",
      "Launchpad X MIDI 2",
      "Launchpad X LPX MIDI In",
    ];
    more.push("Launchpad Pro MK3 MIDI 1", "Launch Control XL Launch Contro", "LCXL3 1 DAW In", "Faderfox EC4 MIDI 1");
    for (const port of [...ports, ...ports.map((name) => `${name} MIDI 1`), ...more, "Midi Fighter Twister MIDI 1"]) {
      const owners = profiles.filter(
        ([
          ,
          {
            ports: { linux },
          },
        ]) => linux.in.some((pattern) => pattern.test(port)),
      );
      expect([port, owners.length]).toEqual([port, 1]);
    }
    const others = [
      "Launchpad Mini MK3 MIDI 1",
      "Launchpad Mini MK3 LPMiniMK3 DA",
      "LCXL3 1 MIDI In",
      "Midi Through Port-0",
    ];
    for (const port of others) {
      expect(profiles.filter(([, profile]) => profile.ports.linux.in.some((pattern) => pattern.test(port)))).toEqual(
        [],
      );
    }
  });

  it("are found by the names that Windows and macOS give", () => {
    const { ports } = profileOf("novation-launchpad-x");
    const hits = (patterns: readonly RegExp[], name: string) => patterns.some((pattern) => pattern.test(name));
    expect(hits(ports.windows.in, "MIDIIN2 (LPX MIDI)")).toBe(true);
    expect(hits(ports.windows.in, "MIDIIN2 (2- LPX MIDI)")).toBe(true);
    expect(hits(ports.windows.out, "MIDIOUT2 (LPX MIDI)")).toBe(true);
    expect(hits(ports.windows.in, "LPX MIDI")).toBe(false);
    expect(hits(ports.macos.in, "Launchpad X LPX MIDI Out")).toBe(true);
    expect(hits(ports.macos.in, "Launchpad X LPX MIDI In")).toBe(false);
  });

  it.each([
    ["akai-apc40-mk2", "pad40", "note 1 39"],
    ["akai-apc40-mk2", "fader8", "cc 8 7"],
    ["akai-apc40-mk2", "ab3", "note 3 66"],
    ["akai-apc40-mk2", "nudge-plus", "note 1 101"],
    ["akai-apc-mini-mk2", "scene8", "note 1 119"],
    ["akai-apc-mini-mk1", "master", "cc 1 56"],
    ["akai-midimix", "knob4", "cc 1 28"],
    ["akai-midimix", "knob5", "cc 1 46"],
    ["akai-midimix", "knob24", "cc 1 60"],
    ["akai-midimix", "fader8", "cc 1 61"],
    ["akai-midimix", "rec8", "note 1 24"],
    ["novation-launchpad-mini-mk3", "pad1", "note 1 11"],
    ["novation-launchpad-mini-mk3", "pad64", "note 1 88"],
    ["novation-launchpad-mini-mk3", "right1", "cc 1 89"],
    ["novation-launchpad-pro-mk3", "delete", "cc 1 60"],
    ["novation-launchpad-mk1", "pad1", "note 1 112"],
    ["novation-launchpad-mk1", "right8", "note 1 120"],
    ["novation-launch-control-xl", "knob24", "cc 9 56"],
    ["novation-launch-control-xl", "focus5", "note 9 57"],
    ["novation-launch-control-xl-mk3", "button16", "cc -1 52"],
    ["korg-nanokontrol2", "record", "cc 1 45"],
    ["behringer-x-touch", "fader8", "bend 8 0"],
    ["behringer-x-touch", "master", "bend 9 0"],
    ["behringer-x-touch", "user-b", "note 1 103"],
    ["behringer-x-touch-extender-midi", "select8", "note 1 39"],
    ["behringer-x-touch-compact", "play", "note -1 54"],
    ["behringer-x-touch-compact", "button1-b", "note -1 71"],
    ["behringer-x-touch-mini", "button16-b", "note 11 47"],
    ["behringer-x-touch-mini-mc", "button2", "note 1 90"],
    ["behringer-bcr2000", "encoder56", "cc 1 104"],
    ["behringer-bcf2000", "fader1", "cc 1 81"],
    ["djtt-midi-fighter-twister", "encoder64", "cc 1 63"],
    ["djtt-midi-fighter-twister", "side24", "cc 4 31"],
    ["faderfox-ec4", "push16", "cc 16 45"],
    ["arturia-beatstep", "encoder9", "cc 1 30"],
    ["generic-mpe", "glide15", "bend 16 0"],
    ["touchosc", "fader3", "/1/fader3"],
    ["open-stage-control", "xy2-y", "/xy_2"],
  ])("%s: %s sends %s", (id, name, message) => {
    expect(sent(id, name)).toBe(message);
  });

  it.each([
    ["akai-apc40-mk2", "tempo", "twos-complement"],
    ["behringer-x-touch", "encoder1", "sign-magnitude"],
    ["behringer-x-touch", "jog", "sign-magnitude"],
    ["djtt-midi-fighter-twister-native", "encoder1", "offset-binary"],
  ])("%s: %s turns by %s", (id, name, encoding) => {
    expect(profileOf(id).controls.get(name)?.encoding).toBe(encoding);
  });

  it("show on what the devices listen to", () => {
    const led = (id: string, name: string) => {
      const { by, channel, number } = profileOf(id).controls.get(name)?.led ?? {};
      return [by, channel, number];
    };
    expect(led("akai-apc40-mk2", "rec5")).toEqual(["note", 5, 48]);
    expect(led("behringer-x-touch-mini", "button16-b")).toEqual(["note", 1, 15]);
    expect(led("djtt-midi-fighter-twister", "push64")).toEqual(["cc", 2, 63]);
    expect(led("novation-launch-control-xl", "control8")).toEqual(["sysex", 9, 39]);
    expect(led("novation-launchpad-x", "logo")).toEqual(["sysex", 1, 99]);
    const knob = profileOf("akai-apc40-mk2").controls.get("knob8");
    expect(knob?.ring).toMatchObject({ channel: 1, cc: 55, styleCc: 63, setsValue: true });
    const strip = profileOf("behringer-x-touch").controls.get("encoder8");
    expect(strip?.ring).toMatchObject({ cc: 55, first: 1, last: 11, styles: { spread: 48 } });
    expect(profileOf("akai-apc-mini-mk2").controls.get("pad1")?.led?.type.palette?.length).toBe(384);
  });

  it("need pick-up where a hand can leave a control elsewhere", () => {
    const needs = (id: string) =>
      [...profileOf(id).controls.values()].filter(({ needsPickup }) => needsPickup).map(({ name }) => name);
    expect(needs("behringer-x-touch")).toEqual([]);
    expect(needs("novation-launch-control-xl")).toHaveLength(32);
    expect(needs("behringer-x-touch-mini")).toEqual(["fader", "fader-b"]);
    expect(needs("korg-nanokontrol2")).toHaveLength(16);
  });

  it("say what is no fact about a device that they do not vouch for", () => {
    for (const [id, { isVerified, quirks }] of profiles) {
      expect([id, isVerified]).toEqual([id, quirks.unverified === undefined]);
    }
  });
});

describe("the schema beside them", () => {
  it("is that of the reader", () => {
    expect(JSON.parse(textOf("profile.schema.json"))).toEqual(profileJsonSchema());
  });

  it("is named by every profile, for editors", () => {
    for (const name of names) expect(JSON.parse(textOf(name)).$schema).toBe("./profile.schema.json");
    expect(existsSync(new URL("profile.schema.json", folder))).toBe(true);
  });

  it("describes every field of a profile and of a control", () => {
    const schema = profileJsonSchema() as {
      properties: Record<string, { description?: string; additionalProperties?: unknown }>;
    };
    const control = schema.properties["controls"]?.additionalProperties as { properties: Record<string, object> };
    for (const properties of [schema.properties, control.properties]) {
      for (const [name, property] of Object.entries(properties)) {
        expect([name, property]).toEqual([name, expect.objectContaining({ description: expect.any(String) })]);
      }
    }
  });
});

describe("the README", () => {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");

  it("lists them all with their controls and LEDs", () => {
    const rows = profiles.map(([id, { name, vendor, transport, controls, isVerified }]) => {
      const lit = [...controls.values()].filter(({ led, ring }) => led !== undefined || ring !== undefined).length;
      const cells = [
        `\`${id}\``,
        `${vendor} ${name}`.trim(),
        transport.toUpperCase(),
        controls.size,
        lit,
        isVerified ? "yes" : "in part",
      ];
      return `| ${cells.join(" | ")} |`;
    });
    const table = readme.split("\n").filter((line) => /^\| `[a-z0-9-]+` \|.*\| (yes|in part) \|$/.test(line));
    expect(table).toEqual(rows);
  });

  it("shows a profile that is right", () => {
    const [, example = ""] = /```json\n(\{\n {2}"\$schema": "[^"]*profile\.schema\.json"[^]*?)```/.exec(readme) ?? [];
    expect(parseProfile(example, "README.md")).toHaveProperty("profile");
  });
});
