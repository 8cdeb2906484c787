/** Hardware profiles: what a file makes, and that every kind of mistake in one is told, at once, with its place. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatComplaint } from "../../../src/config/complaint.js";
import { parseProfile } from "../../../src/config/profile-file.js";
import { ANY, type Profile } from "../../../src/config/profile.js";

type Json = Record<string, unknown>;

function fileOf(fields: Json): Json {
  return { format: 1, name: "Test", transport: "midi", verified: true, controls: { play: button(1) }, ...fields };
}

function button(note: unknown): Json {
  return { kind: "button", note };
}

function profileOf(fields: Json): Profile {
  const parsed = parseProfile(JSON.stringify(fileOf(fields)), "test.json");
  if ("complaints" in parsed) throw new Error(parsed.complaints.map(formatComplaint).join("\n"));
  return parsed.profile;
}

function control(fields: Json, name = "x") {
  const found = profileOf(fields).controls.get(name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

function complaintsOf(file: unknown): string[] {
  const parsed = parseProfile(typeof file === "string" ? file : JSON.stringify(file, null, 1), "test.json");
  if ("profile" in parsed) return [];
  return parsed.complaints.map(({ path, message }) => `${path}: ${message}`);
}

describe("controls", () => {
  it("repeat, each with its own numbers", () => {
    const { controls } = profileOf({
      controls: {
        "fader{1..3}": { kind: "fader", channel: "1..3", cc: 7 },
        "knob{1..4}": { kind: "knob", cc: "10,20..22" },
        "{play,stop}": { kind: "button", note: "94,93" },
      },
    });
    expect([...controls.keys()]).toEqual("fader1 fader2 fader3 knob1 knob2 knob3 knob4 play stop".split(" "));
    expect(controls.get("fader3")?.source).toEqual({ kind: "cc", channel: 3, number: 7, lsb: ANY });
    expect(controls.get("knob2")?.source).toEqual({ kind: "cc", channel: 1, number: 20, lsb: ANY });
    expect(controls.get("stop")?.source).toEqual({ kind: "note", channel: 1, number: 93, lsb: ANY });
  });

  it("send every kind of message", () => {
    const kinds = [
      ["note", { note: 5 }, 5],
      ["poly", { poly: 5 }, 5],
      ["cc", { cc: 5 }, 5],
      ["cc14", { cc: 1, lsb: 33 }, 1],
      ["rpn", { rpn: 6 }, 6],
      ["nrpn", { nrpn: 16_383 }, 16_383],
      ["bend", { bend: true }, 0],
      ["pressure", { pressure: true }, 0],
      ["program", { program: true }, 0],
    ] as const;
    for (const [kind, fields, number] of kinds) {
      const { source } = control({ channel: 11, controls: { x: { kind: "strip", ...fields } } });
      expect(source).toEqual({ kind, channel: 11, number, lsb: kind === "cc14" ? 33 : ANY });
    }
  });

  it("are found behind their messages", () => {
    const { inputs } = profileOf({
      controls: {
        "fader{1..2}": { kind: "fader", channel: "1..2", bend: true, touch: { note: "104..105" } },
        slide: { kind: "strip", cc: 1, lsb: 33 },
        strike: { kind: "voice", channel: 5, note: "any" },
        pedal: { kind: "pedal", channel: "any", cc: 64 },
      },
    });
    const found = (...message: Parameters<typeof inputs.midi>) => {
      const input = inputs.midi(...message);
      return input && `${input.control.name} ${input.part}`;
    };
    expect(found("bend", 2, 0)).toBe("fader2 value");
    expect(found("note", 1, 105)).toBe("fader2 touch");
    expect(found("note", 2, 105)).toBeUndefined();
    expect(found("cc14", 1, 1)).toBe("slide value");
    expect(found("cc", 1, 1)).toBe("slide value");
    expect(found("cc", 1, 33)).toBe("slide lsb");
    for (const note of [0, 60, 127]) expect(found("note", 5, note)).toBe("strike value");
    for (const channel of [1, 5, 16]) expect(found("cc", channel, 64)).toBe("pedal value");
    expect(found("cc", 1, 65)).toBeUndefined();
  });

  it("need pick-up where their place can differ from the value", () => {
    const fader = (fields: Json) => control({ controls: { x: { kind: "fader", cc: 1, ...fields } } }).needsPickup;
    expect(fader({})).toBe(true);
    expect(fader({ motor: true })).toBe(false);
    expect(fader({ pickup: false })).toBe(false);
    const knob = { kind: "knob", cc: 1 };
    expect(control({ controls: { x: knob } }).needsPickup).toBe(true);
    expect(control({ controls: { x: { ...knob, ring: { setsValue: true } } } }).needsPickup).toBe(false);
    expect(control({ controls: { x: { ...knob, kind: "encoder", encoding: "absolute" } } }).needsPickup).toBe(false);
    expect(control({ transport: "osc", controls: { x: { kind: "fader", osc: "/x" } } }).needsPickup).toBe(false);
  });

  it("take from the profile what they do not say", () => {
    const controls = { x: { ...button(1), selfEcho: false }, y: { ...button(2), channel: 3 } };
    const { controls: made } = profileOf({ channel: 9, selfEcho: true, localLed: true, controls });
    expect(made.get("x")).toMatchObject({ selfEcho: false, localLed: true, source: { channel: 9 } });
    expect(made.get("y")).toMatchObject({ selfEcho: true, localLed: true, source: { channel: 3 } });
  });
});

describe("LEDs, rings and displays", () => {
  it("are set by the control's own message unless the profile says otherwise", () => {
    const leds = { key: { colours: "values", values: { off: 0, on: 127 } } };
    const led = (fields: Json, type: Json = {}) => {
      const made = control({ leds: { key: { ...leds.key, ...type } }, controls: { x: fields } }).led;
      return made && [made.by, made.channel, made.number];
    };
    expect(led({ ...button(7), channel: 4, led: "key" })).toEqual(["note", 4, 7]);
    expect(led({ kind: "button", cc: 9, led: "key" })).toEqual(["cc", 1, 9]);
    expect(led({ ...button(7), channel: 11, led: { type: "key", number: 3 } }, { channel: 1 })).toEqual(["note", 1, 3]);
    expect(led({ ...button(7), channel: "any", led: "key" })).toEqual(["note", 1, 7]);
    expect(led({ kind: "light", led: { type: "key", number: 3, channel: 2 } }, { by: "cc" })).toEqual(["cc", 2, 3]);
  });

  it("have palettes, and looks by channel", () => {
    const { led } = control({
      palettes: { two: "000000 FF8000" },
      leds: {
        pad: { colours: "palette", palette: "two", channels: ["solid 50%", "one-shot 1/24", "pulse", "blink 1/2"] },
      },
      controls: { x: { ...button(1), led: "pad" } },
    });
    expect([...(led?.type.palette ?? [])]).toEqual([0, 0, 0, 255, 128, 0]);
    expect(led?.type.looks).toEqual([
      { mode: "solid", brightness: 0.5, rate: undefined },
      { mode: "one-shot", brightness: 1, rate: 24 },
      { mode: "pulse", brightness: 1, rate: undefined },
      { mode: "blink", brightness: 1, rate: 2 },
    ]);
  });

  it("may go by SysEx", () => {
    const sysex = {
      frame: "F0 00 {lengthMsb} {lengthLsb} {blocks} F7",
      solid: "03 {index} {red} {green} {blue}",
      most: 8,
    };
    const { led } = control({
      leds: { pad: { colours: "rgb", by: "sysex", sysex } },
      controls: { x: { ...button(11), led: "pad" } },
    });
    expect(led).toMatchObject({ by: "sysex", number: 11 });
    expect(led?.type.sysex).toMatchObject({
      frame: [0xf0, 0, "lengthMsb", "lengthLsb", "blocks", 0xf7],
      solid: [3, "index", "red", "green", "blue"],
      most: 8,
    });
  });

  it("rings have positions, styles and animations", () => {
    const ring = {
      cc: "48..49",
      first: 1,
      last: 11,
      off: 0,
      styles: { dot: 0, wrap: 32 },
      style: "wrap",
      styleCc: "8..9",
      styleChannel: 5,
    };
    const { controls } = profileOf({
      controls: {
        "x{1..2}": { kind: "encoder", cc: "16..17", channel: 3, encoding: "sign-magnitude", ring },
        y: { kind: "encoder", cc: 1, encoding: "absolute", ring: { animation: { channel: 6, strobe: "49..56" } } },
      },
    });
    expect(controls.get("x2")?.ring).toMatchObject({
      cc: 49,
      channel: 3,
      first: 1,
      last: 11,
      style: "wrap",
      styleCc: 9,
      styleChannel: 5,
    });
    expect(controls.get("y")?.ring).toMatchObject({ cc: 1, channel: 1, first: 0, last: 127, styleCc: undefined });
    expect(controls.get("y")?.ring?.animation?.strobe).toEqual([49, 50, 51, 52, 53, 54, 55, 56]);
  });
});

describe("ports", () => {
  it("are found by the plain name as systems write it", () => {
    const { ports } = profileOf({ ports: ["APC40 mkII"] });
    const matches = (system: "windows" | "linux" | "macos", name: string) =>
      ports[system].in.some((one) => one.test(name));
    expect(matches("windows", "APC40 mkII")).toBe(true);
    expect(matches("windows", "APC40 mkII 1")).toBe(true);
    expect(matches("linux", "APC40 mkII MIDI 1")).toBe(true);
    expect(matches("linux", "apc40 mkii 1 MIDI 1")).toBe(true);
    expect(matches("linux", "APC40 mkII [hw:2,0,0]")).toBe(true);
    expect(matches("linux", "APC40 mkII Extended")).toBe(false);
    expect(matches("macos", "My APC40 mkII")).toBe(false);
  });

  it("have patterns for each system and direction", () => {
    const { ports } = profileOf({
      ports: { windows: { in: ["^MIDIIN2"], out: ["^MIDIOUT2"] }, linux: ["2$"], macos: [] },
    });
    expect(ports.windows.in[0]?.test("midiin2 (X)")).toBe(true);
    expect(ports.windows.out[0]?.test("MIDIIN2 (X)")).toBe(false);
    expect(ports.linux.out[0]?.test("X MIDI 2")).toBe(true);
    expect(ports.macos).toEqual({ in: [], out: [] });
  });
});

describe("OSC layouts", () => {
  it("have addresses, arguments, labels and pages", () => {
    const profile = profileOf({
      transport: "osc",
      announcements: { page: { osc: "/{value}", then: ["repaint"] } },
      controls: {
        "fader{1..2}": {
          kind: "fader",
          osc: "/1/fader{n}",
          range: [-1, 1],
          touch: { osc: "/1/fader{n}/z" },
          label: { osc: "/1/label{n}" },
        },
        "xy-{x,y}": { kind: "axis", osc: "/1/{n}" },
      },
    });
    const { controls, inputs, announcements } = profile;
    expect(controls.get("fader2")).toMatchObject({
      source: { address: "/1/fader2", argument: 0 },
      touch: { address: "/1/fader2/z" },
      range: [-1, 1],
      label: { address: "/1/label2", arguments: ["{text}"] },
    });
    expect(inputs.osc("/1/fader1/z", 0)).toMatchObject({ control: { name: "fader1" }, part: "touch" });
    expect(inputs.osc("/1/fader1", 1)).toBeUndefined();
    expect(announcements).toEqual([expect.objectContaining({ osc: "/{value}", repaint: true, rearm: false })]);
  });
});

/** Fields of a file, and what is said about them and nothing else. */
const MISTAKES: readonly (readonly [string, Json, string, string])[] = [
  ["an unknown field", { nmae: "x" }, "nmae", "did you mean name?"],
  [
    "an unknown field far inside",
    { controls: { x: { ...button(1), led: { typ: "a", type: "b" } } } },
    "controls.x.led.typ",
    "did you mean type?",
  ],
  [
    "an unknown field of a control",
    { controls: { x: { ...button(1), chanel: 3 } } },
    "controls.x.chanel",
    "did you mean channel?",
  ],
  ["an unknown quirk", { quirks: { "burst-los": "x" } }, "quirks.burst-los", "did you mean burst-loss?"],
  ["a missing field", { name: undefined }, "name", "is missing"],
  ["a wrong type", { verified: "yes" }, "verified", "must be true or false"],
  ["an unknown transport", { transport: "usb" }, "transport", "must be one of midi, osc"],
  ["another format", { format: 2 }, "format", "must be 1"],
  ["a name that is none", { controls: { Play: button(1) } }, "controls.Play", '"Play" is no name'],
  ["a wrong entry with a name that is none", { controls: { Play: { kind: 5 } } }, "controls.Play", '"Play" is no name'],
  ["no control", { controls: {} }, "controls", "holds no control"],
  [
    "two controls of one name",
    { controls: { "x{1..2}": button("1..2"), x2: button(3) } },
    "controls.x2",
    "second control of that name",
  ],
  [
    "two controls with one message",
    { controls: { "x{1..2}": button("1..2"), y: button(2) } },
    "controls.y",
    "y sends note 2 on channel 1, which is x2's already",
  ],
  [
    "a control with another's touch",
    { controls: { x: { ...button(1), touch: { note: 2 } }, y: button(2) } },
    "controls.y",
    "the touch of x's",
  ],
  [
    "a control with half of another's pair",
    { controls: { x: { kind: "strip", cc: 1, lsb: 33 }, y: { kind: "strip", cc: 33 } } },
    "controls.y",
    "the lsb of x's",
  ],
  [
    "a control on every channel beside one on some",
    { controls: { x: { ...button(1), channel: "any" }, y: { ...button(1), channel: 7 } } },
    "controls.y",
    "which is x's",
  ],
  ["two messages", { controls: { x: { ...button(1), cc: 2 } } }, "controls.x", "sends note and cc"],
  ["no message", { controls: { x: { kind: "button" } } }, "controls.x", "sends nothing"],
  ["lsb alone", { controls: { x: { ...button(1), lsb: 3 } } }, "controls.x.lsb", "needs the cc"],
  [
    "too few numbers",
    { controls: { "x{1..3}": button("1..2") } },
    "controls.x{1..3}.note",
    "gives 2 numbers for 3 names",
  ],
  ["a number out of range", { controls: { x: button(128) } }, "controls.x.note", "0 to 127"],
  [
    "a number of a list out of range",
    { controls: { "x{1..2}": button("127..128") } },
    "controls.x{1..2}.note",
    "128 is not 0 to 127",
  ],
  ["a channel out of range", { controls: { x: { ...button(1), channel: 17 } } }, "controls.x.channel", "1 to 16"],
  ["a list that is none", { controls: { x: button("1-3") } }, "controls.x.note", "a list such as"],
  ["no encoding", { controls: { x: { kind: "encoder", cc: 1 } } }, "controls.x.encoding", "what the encoder sends"],
  [
    "an unknown encoding",
    { controls: { x: { kind: "encoder", cc: 1, encoding: "signed" } } },
    "controls.x.encoding",
    "twos-complement",
  ],
  [
    "an encoding of what does not turn",
    { controls: { x: { ...button(1), encoding: "absolute" } } },
    "controls.x.encoding",
    "is for encoder",
  ],
  [
    "an unknown LED type",
    { leds: { key: { colours: "values", values: {} } }, controls: { x: { ...button(1), led: "keys" } } },
    "controls.x.led",
    "did you mean key?",
  ],
  [
    "an LED without a message",
    { leds: { key: { colours: "values", values: {}, by: "note" } }, controls: { x: { kind: "light", led: "key" } } },
    "controls.x.led",
    'must have "number"',
  ],
  [
    "an LED of unknown message",
    {
      leds: { key: { colours: "values", values: {} } },
      controls: { x: { kind: "light", led: { type: "key", number: 1 } } },
    },
    "controls.x.led.type",
    'must have "by"',
  ],
  [
    "an LED value out of range",
    { leds: { key: { colours: "values", values: { on: 128 } } } },
    "leds.key.values.on",
    "0 to 127",
  ],
  [
    "an unknown way of colours",
    { leds: { key: { colours: "rainbow" } } },
    "leds.key.colours",
    "values, palette, mix, hue, rgb",
  ],
  [
    "an unknown palette",
    { leds: { pad: { colours: "palette", palette: "akia" } }, palettes: { akai: "000000" } },
    "leds.pad.palette",
    "did you mean akai?",
  ],
  ["a colour that is none", { palettes: { p: "000000 12345" } }, "palettes.p", "six hexadecimal digits"],
  ["a palette beyond 127", { palettes: { p: Array(129).fill("000000").join(" ") } }, "palettes.p", "1 to 128 colours"],
  [
    "a look that is none",
    {
      palettes: { p: "000000" },
      leds: { pad: { colours: "palette", palette: "p", channels: ["solid", "solid 101%"] } },
    },
    "leds.pad.channels[2]",
    "solid, pulse",
  ],
  ["RGB without SysEx", { leds: { pad: { colours: "rgb" } } }, "leds.pad", 'must have "sysex"'],
  [
    "SysEx without its message",
    { leds: { pad: { colours: "values", values: {}, by: "sysex" } } },
    "leds.pad.by",
    'must come with "sysex"',
  ],
  [
    "RGB that is not sent",
    { leds: { pad: { colours: "rgb", sysex: { frame: "F0 {blocks} F7", solid: "{index} {colour}" } } } },
    "leds.pad.sysex.solid",
    "{red} {green} {blue}",
  ],
  [
    "LEDs by SysEx without a place",
    { leds: { pad: { colours: "values", values: {}, sysex: { frame: "F0 01 F7", solid: "{index} {colour}" } } } },
    "leds.pad.sysex.frame",
    "must have {blocks}",
  ],
  [
    "an LED that is not named",
    { leds: { pad: { colours: "values", values: {}, sysex: { frame: "F0 {blocks} F7", solid: "{colour}" } } } },
    "leds.pad.sysex.solid",
    "must have {index}",
  ],
  [
    "an unknown field of a message",
    { leds: { pad: { colours: "values", values: {}, sysex: { frame: "F0 {blocks} F7", solid: "{index} {color}" } } } },
    "leds.pad.sysex.solid",
    "{color} is no field",
  ],
  ["SysEx with a high byte", { init: ["F0 01 F7", "F0 80 F7"] }, "init[2]", "80 is no data byte"],
  ["SysEx without its end", { exit: ["F0 01"] }, "exit[1]", "must end with F7"],
  ["a byte out of range", { init: ["F0 100 F7"] }, "init[1]", "no byte"],
  ["a message that is too short", { messages: { layer: "C0" } }, "messages.layer", "followed by 1 byte"],
  [
    "an identity that is no SysEx",
    { identity: { request: "C0 00", reply: "F0 * F7" } },
    "identity.request",
    "must begin with F0",
  ],
  [
    "a pattern that does not compile",
    { ports: { windows: ["("], linux: [], macos: [] } },
    "ports.windows[1]",
    "is no regular expression",
  ],
  [
    "a missing system",
    { ports: { windows: [], linux: [] } },
    "ports.macos",
    "is missing: it must be a list of patterns",
  ],
  ["an LED without its type", { controls: { x: { ...button(1), led: {} } } }, "controls.x.led.type", "is missing"],
  [
    "a system that is none",
    { ports: { windows: [], linux: [], macos: [], windos: [] } },
    "ports.windos",
    "did you mean windows?",
  ],
  [
    "positions of an unknown control",
    { positions: { reply: "F0 {values} F7", controls: ["pley"] } },
    "positions.controls[1]",
    "did you mean play?",
  ],
  [
    "positions without values",
    { positions: { reply: "F0 01 F7", controls: ["play"] } },
    "positions.reply",
    "must have {values}",
  ],
  [
    "a cell of an unknown display",
    { controls: { x: { ...button(1), display: { on: "lcd", cell: 1 } } } },
    "controls.x.display.on",
    "there are none",
  ],
  [
    "a cell that the display has not",
    {
      displays: { lcd: { text: "F0 {position} {text} F7", rows: 2, columns: 56, cells: 8 } },
      controls: { x: { ...button(1), display: { on: "lcd", cell: 9 } } },
    },
    "controls.x.display.cell",
    "9 is not 1 to 8",
  ],
  [
    "cells that do not fit",
    { displays: { lcd: { text: "F0 {position} {text} F7", rows: 2, columns: 56, cells: 9 } } },
    "displays.lcd.cells",
    "equal parts",
  ],
  [
    "a ring without a message",
    { controls: { x: { kind: "knob", nrpn: 1, ring: {} } } },
    "controls.x.ring",
    'must have "cc"',
  ],
  [
    "an unknown style",
    { controls: { x: { kind: "knob", cc: 1, ring: { styles: { dot: 0 }, style: "dott" } } } },
    "controls.x.ring.style",
    "did you mean dot?",
  ],
  [
    "a ring that ends before it begins",
    { controls: { x: { kind: "knob", cc: 1, ring: { first: 5, last: 4 } } } },
    "controls.x.ring.last",
    "must not be below",
  ],
  [
    "an announcement without a message",
    { announcements: { bank: { then: ["repaint"] } } },
    "announcements.bank",
    "exactly one message",
  ],
  [
    "an announcement of nothing",
    { announcements: { bank: { sysex: "F0 01 F7", then: ["repaint"] } } },
    "announcements.bank.sysex",
    "must have {value}",
  ],
  ["OSC in a MIDI profile", { controls: { x: { ...button(1), osc: "/x" } } }, "controls.x.osc", "is for"],
  [
    "MIDI in an OSC layout",
    { transport: "osc", init: [], controls: { x: { kind: "button", osc: "/x" } } },
    "init",
    "is for",
  ],
  [
    "a MIDI control in an OSC layout",
    { transport: "osc", controls: { x: { ...button(1), osc: "/x" } } },
    "controls.x.note",
    "is for",
  ],
  [
    "several controls with one address",
    { transport: "osc", controls: { "x{1..2}": { kind: "button", osc: "/x" } } },
    "controls.x{1..2}.osc",
    "must have {n}",
  ],
  [
    "one address twice",
    { transport: "osc", controls: { x: { kind: "button", osc: "/x" }, y: { kind: "button", osc: "/x" } } },
    "controls.y",
    "which is x's",
  ],
  [
    "an address that is none",
    { transport: "osc", controls: { x: { kind: "button", osc: "/x y" } } },
    "controls.x.osc",
    "must be an OSC address",
  ],
  ["a guess that is not admitted", { controls: { x: { ...button(1), verified: false } } }, "verified", "must be false"],
  ["a guess that is not named", { verified: false }, "quirks.unverified", "is missing"],
  ["a guess that contradicts", { quirks: { unverified: "x" } }, "quirks.unverified", "contradicts"],
];

describe("mistakes", () => {
  it.each(MISTAKES)("%s is told with its place", (_, fields, place, message) => {
    const complaints = complaintsOf(fileOf(fields));
    expect(complaints).toContainEqual(expect.stringContaining(message));
    expect(complaints.find((complaint) => complaint.includes(message))).toMatch(new RegExp(`^${literal(place)}: `));
  });

  it("of every kind are told at once", () => {
    const entries = new Map<string, Json>();
    for (const [index, [, fields]] of MISTAKES.entries()) {
      // Those that are about the whole file exclude each other; those in tables are gathered, under names of their own.
      for (const table of ["leds", "palettes", "displays", "announcements", "messages"]) {
        const more = Object.entries((fields[table] ?? {}) as Json).map(
          ([name, entry]) => [`${name}-${"abcdefghij"[index % 10]}${index}`, entry] as const,
        );
        entries.set(table, { ...entries.get(table), ...Object.fromEntries(more) });
      }
    }
    const file = fileOf({
      ...Object.fromEntries(entries),
      nmae: 1,
      init: ["F0 80 F7", "F0 01"],
      ports: { windows: ["("], linux: [], macos: [] },
      quirks: { "burst-los": "x" },
      controls: {
        "x{1..3}": button("1..2"),
        y: { ...button(1), tuch: 1 },
        z: { kind: "encoder", cc: 300 },
        w: button(2),
      },
    });
    const complaints = complaintsOf(file);
    for (const part of [
      "nmae: ",
      "init[1]: ",
      "init[2]: ",
      "ports.windows[1]: ",
      "quirks.burst-los: ",
      "controls.x{1..3}.note: gives 2",
      "controls.y.tuch: ",
      "controls.z.cc: ",
      "controls.w: w sends note 2",
      "leds.pad-",
      "palettes.p-",
      "displays.lcd-",
      "announcements.bank-",
      "messages.layer-",
    ]) {
      expect(complaints).toContainEqual(expect.stringContaining(part));
    }
    expect(complaints.length).toBeGreaterThan(24);
  });

  it("have the line of the file, in order, one a line", () => {
    const text =
      '{\n"format": 1,\n"controls": {\n"a": {"kind": "button", "note": 1},\n"b": {"kind": "button", "note": 1}\n},\n"transport": "usb"\n}';
    const parsed = parseProfile(text, "my.json");
    expect("complaints" in parsed && parsed.complaints.map(formatComplaint)).toEqual([
      "my.json:1: name: is missing: it must be a text of 1 to 80 characters",
      "my.json:1: verified: is missing: it must be true or false",
      "my.json:5: controls.b: b sends note 1 on channel 1, which is a's already",
      "my.json:7: transport: must be one of midi, osc",
    ]);
  });

  it("of syntax are told with line and column", () => {
    const parsed = parseProfile('{"format": 1,\n}', "my.json");
    expect("complaints" in parsed && parsed.complaints.map(formatComplaint)).toEqual([
      "my.json:2:1: is not JSON: nothing follows the comma before }",
    ]);
  });

  it("in two entries of one key are told, which JSON itself would hide", () => {
    const controls = '"controls": {"x": {"kind": "button", "note": 1},\n"x": {"kind": "button", "note": 2}}';
    expect(complaintsOf(`{"format": 1, "name": "n", "transport": "midi", "verified": true, ${controls}}`)).toEqual([
      "controls.x: stands here a second time",
    ]);
  });

  it("are never more than a person can read, and never make it throw", () => {
    const many = Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`x${index}`, { kind: "button" }]));
    expect(complaintsOf(fileOf({ controls: many }))).toHaveLength(201);
    const field = fc.constantFrom(
      "controls",
      "leds",
      "ports",
      "init",
      "quirks",
      "positions",
      "palettes",
      "channel",
      "identity",
    );
    fc.assert(
      fc.property(field, fc.jsonValue({ maxDepth: 4 }), (name, value) => {
        complaintsOf(fileOf({ [name]: value }));
        complaintsOf(fileOf({ controls: { x: { ...button(1), [name]: value } } }));
      }),
    );
  });
});

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
