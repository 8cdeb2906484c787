/**
 * Profile schema: what a hardware profile file may hold, in the form in which it is written.
 *
 * It judges the form of each field by itself; what fields mean together (numbers that repeat, messages that clash) is
 * judged where they are expanded. `hardware-profiles/profile.schema.json` is made from it, for editors. It imports the
 * schema library, which costs some 50 ms: load it lazily.
 */
import { z } from "zod";
import { NUMBER_LIST } from "./profile-notation.js";

export const PROFILE_FORMAT = 1;

/** What a hand does with a control, or what it shows. `light` and `meter` only show. */
const CONTROL_KINDS = [
  "fader",
  "knob",
  "encoder",
  "jog",
  "wheel",
  "strip",
  "axis",
  "pedal",
  "button",
  "pad",
  "key",
  "voice",
  "program",
  "light",
  "meter",
] as const;
export type ControlKind = (typeof CONTROL_KINDS)[number];

/** What an endless encoder sends; `absolute`: its place, which the host can set. */
const ENCODINGS = [
  "absolute",
  "twos-complement",
  "offset-binary",
  "sign-magnitude",
  "sign-magnitude-reversed",
] as const;
export type EncoderEncoding = (typeof ENCODINGS)[number];

/** What is odd about a device, as words that programs can ask for. */
const QUIRKS = [
  "banked-knobs",
  "burst-loss",
  "cut-port-names",
  "dim-levels",
  "display",
  "forgets-leds",
  "hidden-presets",
  "led-mode",
  "local-led",
  "other-palette",
  "pickup-after-template",
  "programmable",
  "pulse-follows-clock",
  "reversed-keys",
  "ring-moves-value",
  "second-port",
  "single-ticks",
  "no-touch",
  "unverified",
  "velocity-zero-off",
] as const;
export type Quirk = (typeof QUIRKS)[number];

/** What to do when the device says that it shows something else now. */
const REACTIONS = ["repaint", "rearm"] as const;

/** The complaint about an unknown field holds the known ones, for whoever looks for the nearest. */
function fields<Shape extends z.core.$ZodLooseShape>(shape: Shape, what = "a table of fields") {
  const known = Object.keys(shape).join(" ");
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? known : `must be ${what}, {...}`),
  });
}

function whole(minimum: number, maximum: number, description: string) {
  const message = `must be a whole number, ${minimum} to ${maximum}`;
  return z.int(message).min(minimum, message).max(maximum, message).meta({ description });
}

function text(description: string, maximum = 400) {
  const message = `must be a text of 1 to ${maximum} characters`;
  return z.string(message).min(1, message).max(maximum, message).meta({ description });
}

function word<const Words extends readonly [string, ...string[]]>(values: Words, description: string) {
  return z.enum(values, `must be one of ${values.join(", ")}`).meta({ description });
}

function flag(description: string) {
  return z.boolean("must be true or false").meta({ description });
}

function list<Item extends z.ZodType>(item: Item, maximum: number, description: string) {
  const message = `must be a list of at most ${maximum}, [...]`;
  return z.array(item, message).max(maximum, message).meta({ description });
}

/** One number for all, or a list with one for each name: `7`, `"48..55"`. */
function numbers(minimum: number, maximum: number, description: string) {
  const message = `must be a whole number, ${minimum} to ${maximum}, or a list with one for each name: "48..55", "1,4,7", "16..28/4"`;
  return z
    .union(
      [z.int(message).min(minimum, message).max(maximum, message), z.string(message).regex(NUMBER_LIST, message)],
      {
        error: message,
      },
    )
    .meta({ description });
}

/** The same, or every one there is. */
function numbersOrAny(minimum: number, maximum: number, description: string) {
  const message = `must be a whole number, ${minimum} to ${maximum}, a list such as "1..8", or "any"`;
  const form = new RegExp(`${NUMBER_LIST.source}|^any$`);
  return z
    .union([z.int(message).min(minimum, message).max(maximum, message), z.string(message).regex(form, message)], {
      error: message,
    })
    .meta({ description });
}

function message(description: string) {
  return text(`${description} Hexadecimal: F0 7E 7F 06 01 F7.`, 600);
}

const SHORT = "must be a lower-case name of up to 40 letters, digits, hyphens and spaces";
const shortName = z.string(SHORT).regex(/^[a-z][a-z0-9 -]{0,39}$/, SHORT);
const ON_OFF_VALUES = `Value of each look: "off", "on", "blink", or a colour and how ("green", "green blink").`;

function named<Value extends z.ZodType>(value: Value, maximum: number, description: string) {
  const form = "must be a table of names, {...}";
  return z
    .record(shortName, value, form)
    .refine((table) => Object.keys(table).length <= maximum, `must have at most ${maximum} entries`)
    .meta({ description });
}

const dataByte = (description: string) => whole(0, 127, description);
const midiChannel = (description: string) => whole(1, 16, description);

/** What a control sends: exactly one of these, beside the channel. */
const midiMessage = {
  channel: numbersOrAny(1, 16, "MIDI channel, 1 to 16; else the profile's.").optional(),
  note: numbersOrAny(0, 127, "Note: on and off, the velocity is the value.").optional(),
  poly: numbersOrAny(0, 127, "Pressure of one note.").optional(),
  cc: numbers(0, 127, "Control change.").optional(),
  lsb: numbers(0, 127, "The control change that carries the lower 7 bits of `cc`: 14 bits.").optional(),
  rpn: numbers(0, 16_383, "Registered parameter.").optional(),
  nrpn: numbers(0, 16_383, "Non-registered parameter.").optional(),
  bend: z.literal(true, "must be true, or left out").meta({ description: "Pitch bend, 14 bits." }).optional(),
  pressure: z.literal(true, "must be true, or left out").meta({ description: "Channel pressure." }).optional(),
  program: z
    .literal(true, "must be true, or left out")
    .meta({ description: "Program change; its number is the value." })
    .optional(),
};

const OSC_ADDRESS = /^\/[^\s#*,?[\]]{1,255}$/;
function oscAddress(description: string) {
  const form = "must be an OSC address such as /1/fader{n}; {n} is what the braces of the name stand for";
  return z.string(form).regex(OSC_ADDRESS, form).meta({ description });
}

const oscMessage = {
  osc: oscAddress("OSC address that it sends and, for feedback, takes.").optional(),
  argument: whole(0, 15, "Which argument of the message, from 0.").optional(),
};

const oscText = fields({
  osc: oscAddress("Address."),
  arguments: list(
    text("{text} and {colour} (#rrggbb) are replaced, {n} too."),
    8,
    'Arguments; else ["{text}"] or ["{colour}"].',
  ).optional(),
}).meta({ description: "OSC message that sets a label or a colour." });

const animation = fields({
  channel: midiChannel("Channel on which the control's number starts an animation."),
  off: dataByte("Value that ends it.").optional(),
  strobe: numbers(0, 127, "Values, slowest first.").optional(),
  pulse: numbers(0, 127, "Values, slowest first.").optional(),
  brightness: numbers(0, 127, "Values, darkest first.").optional(),
  rainbow: dataByte("Value.").optional(),
}).meta({ description: "Looks that go to a channel of their own." });

const blockFields = "{index} {colour} {red} {green} {blue}, and {redMsb} {redLsb} ... for 8 bits.";
export type AnimationFile = z.output<typeof animation>;

const ledSysex = fields({
  frame: message("The message around the blocks: {blocks}, {lengthMsb}, {lengthLsb}."),
  solid: text(`Bytes for one LED that shines: ${blockFields}`),
  palette: text("The same with a palette's {colour}, where `solid` has none.").optional(),
  flash: text("The same, flashing between {colour} and {other}.").optional(),
  pulse: text("The same, pulsing.").optional(),
  most: whole(1, 512, "Most blocks in one message; 1 if left out.").optional(),
}).meta({ description: "LEDs by SysEx." });

const ledCommon = {
  by: word(["note", "cc", "sysex"], "What sets it; else the message that the control sends.").optional(),
  channel: midiChannel("Channel of that message; else the control's.").optional(),
  sysex: ledSysex.optional(),
  verified: flag("false: not seen on the device.").optional(),
};

const ledType = z.discriminatedUnion(
  "colours",
  [
    fields({
      colours: z.literal("values"),
      values: named(dataByte("Value."), 64, ON_OFF_VALUES),
      colour: shortName.meta({ description: "What colour it has when it is on." }).optional(),
      ...ledCommon,
    }),
    fields({
      colours: z.literal("palette"),
      palette: shortName.meta({ description: "One of the profile's palettes; the value is the colour's index." }),
      channels: list(
        text("solid, pulse, blink or one-shot, then a brightness (50%) or a rate (1/8)."),
        16,
        "What each channel from 1 on says.",
      ).optional(),
      ...ledCommon,
    }),
    fields({
      colours: z.literal("mix"),
      red: whole(0, 64, "The value of one step of red.").optional(),
      green: whole(0, 64, "The value of one step of green.").optional(),
      blue: whole(0, 64, "The value of one step of blue.").optional(),
      steps: whole(1, 127, "Brightest step; 0 is dark."),
      add: named(dataByte("Added value."), 8, "What is added to the value for each look: solid, blink."),
      ...ledCommon,
    }),
    fields({
      colours: z.literal("hue"),
      off: dataByte("Dark, or the colour that is set in the device for off."),
      on: dataByte("The colour that is set in the device for on.").optional(),
      first: dataByte("Value of the first hue."),
      last: dataByte("Value of the last hue."),
      from: whole(-360, 360, "Hue of `first` in degrees (0 red, 120 green, 240 blue)."),
      to: whole(-360, 360, "Hue of `last` in degrees; between them it is linear."),
      animation: animation.optional(),
      ...ledCommon,
    }),
    fields({ colours: z.literal("rgb"), ...ledCommon }),
  ],
  { error: 'must have "colours", one of values, palette, mix, hue, rgb' },
);
export type LedTypeFile = z.output<typeof ledType>;

const ledOfControl = z
  .union(
    [
      shortName,
      fields({
        type: shortName.meta({ description: "One of the profile's LED types." }),
        number: numbers(0, 127, "Note, control change or index; else the control's own.").optional(),
        channel: numbers(1, 16, "Channel; else the type's, else the control's.").optional(),
      }),
    ],
    { error: 'must be the name of one of "leds", or {"type": ..., "number": ..., "channel": ...}' },
  )
  .meta({ description: "Its LED." });

const ring = fields({
  cc: numbers(0, 127, "Control change that sets it; else the control's own.").optional(),
  channel: midiChannel("Channel; else the control's.").optional(),
  first: dataByte("Value of the lowest position; 0 if left out.").optional(),
  last: dataByte("Value of the highest position; 127 if left out.").optional(),
  off: dataByte("Value for dark.").optional(),
  blink: dataByte("Value of the lowest position when it blinks.").optional(),
  all: dataByte("Value for everything on.").optional(),
  styles: named(
    dataByte("Value."),
    16,
    "What is added to the position for each style, or sent by `styleCc`.",
  ).optional(),
  styleCc: numbers(0, 127, "Control change that sets the style by itself.").optional(),
  styleChannel: midiChannel("Channel of `styleCc`; else the ring's.").optional(),
  style: shortName.meta({ description: "Style to begin with." }).optional(),
  setsValue: flag("Setting the ring also sets the place from which the encoder goes on.").optional(),
  animation: animation.optional(),
}).meta({ description: "LED ring around an encoder or knob." });

const control = fields({
  kind: word(CONTROL_KINDS, "What it is."),
  ...midiMessage,
  ...oscMessage,
  range: z
    .tuple([z.number("must be a number"), z.number("must be a number")], "must be [lowest, highest]")
    .meta({ description: "Lowest and highest number by OSC; 0 and 1 if left out." })
    .optional(),
  encoding: word(ENCODINGS, "What an encoder sends.").optional(),
  toggles: flag("The device itself switches between on and off at each press.").optional(),
  touch: fields({ ...midiMessage, ...oscMessage })
    .meta({ description: "What it sends while it is touched." })
    .optional(),
  motor: flag("A motor moves it to what the message that it sends says.").optional(),
  led: ledOfControl.optional(),
  ring: ring.optional(),
  meter: fields({
    add: numbers(0, 127, "What is added to the level."),
    last: dataByte("Highest level."),
  })
    .meta({ description: "Level meter, set by channel pressure." })
    .optional(),
  display: fields({
    on: shortName.meta({ description: "One of the profile's displays." }),
    cell: numbers(1, 64, "Which cell of it, from 1."),
  })
    .meta({ description: "Where its name and value are shown." })
    .optional(),
  label: oscText.optional(),
  colour: oscText.optional(),
  pickup: flag("Whether its place can differ from the value; else true for faders and knobs without motor.").optional(),
  selfEcho: flag("It must be sent back what it sent, after release.").optional(),
  localLed: flag("The device changes its LED by itself when it is let go: send it again.").optional(),
  verified: flag("false: not seen on the device.").optional(),
}).meta({ description: "A control, or several that differ in their numbers only." });
export type ControlFile = z.output<typeof control>;

const display = fields({
  text: message("Sets text at {position} (from 0, row by row), or at {cell} and {row}; {text} is ASCII."),
  rows: whole(1, 16, "Rows."),
  columns: whole(1, 256, "Characters in a row."),
  cells: whole(1, 64, "Parts of equal width, one for each control."),
  colours: message("Sets the cells' {colours}, one byte each.").optional(),
  bits: fields({ red: dataByte("Bit."), green: dataByte("Bit."), blue: dataByte("Bit.") })
    .meta({ description: "What a colour's byte is made of." })
    .optional(),
}).meta({ description: "Text display." });

const announcement = fields({
  sysex: message("With {value} where the number is.").optional(),
  ...midiMessage,
  osc: z
    .string("must be an OSC address")
    .regex(OSC_ADDRESS, "must be an OSC address")
    .meta({ description: "With {value} where the name is." })
    .optional(),
  on: dataByte("Only messages with this value count.").optional(),
  home: whole(0, 127, "The number for which this profile is made.").optional(),
  then: list(word(REACTIONS, "Reaction."), 2, "repaint: send all LEDs again; rearm: pick-up anew."),
}).meta({ description: "What the device sends when its user switches template, bank or page." });

const portPatterns = list(text("Regular expression; case does not count."), 16, "Patterns.");
const portSides = z.union([portPatterns, fields({ in: portPatterns, out: portPatterns })], {
  error: 'must be a list of patterns, or {"in": [...], "out": [...]}',
});
const ports = z
  .union(
    [
      list(text("Name."), 16, "Names as the device has them on every system."),
      fields({ windows: portSides, linux: portSides, macos: portSides }),
    ],
    { error: 'must be a list of names, or {"windows": [...], "linux": [...], "macos": [...]} with patterns' },
  )
  .meta({
    description: "Names of its ports: without ALSA's `Client:` before and ` 16:0` after, without Windows's `2- `.",
  });

/** A field for each quirk, so that a word that is none is told with the nearest one. */
const quirks = fields(
  Object.fromEntries(QUIRKS.map((quirk) => [quirk, text("What it means here.", 600).optional()])) as {
    [Word in Quirk]: z.ZodOptional<z.ZodString>;
  },
).meta({ description: "What is odd about it." });

export const profileSchema = fields({
  $schema: text("For editors.").optional(),
  format: z.literal(PROFILE_FORMAT, `must be ${PROFILE_FORMAT}`).meta({ description: "Version of this format." }),
  name: text("As it is printed on the device.", 80),
  vendor: text("Who makes it.", 80).optional(),
  transport: word(["midi", "osc"], "How it is spoken to."),
  verified: flag('false: something in it is a guess; the quirk "unverified" says what.'),
  sources: list(text("Source."), 16, "Where the numbers come from.").optional(),
  quirks: quirks.optional(),
  ports: ports.optional(),
  usb: z
    .string("must be vendor:product, such as 1397:00b3")
    .regex(/^[0-9a-f]{4}:[0-9a-f]{4}$/, "must be vendor:product in lower-case hexadecimal, such as 1397:00b3")
    .meta({ description: "USB vendor and product." })
    .optional(),
  identity: fields({
    request: message("What to ask."),
    reply: message("What it answers; ? is any byte, * any number of bytes."),
  })
    .meta({ description: "SysEx identity." })
    .optional(),
  init: list(message("Message."), 32, "Sent in this order when its port is opened.").optional(),
  exit: list(message("Message."), 32, "Sent before its port is closed.").optional(),
  messages: named(message("Message."), 64, "Further messages, by name.").optional(),
  positions: fields({
    reply: message("With {values} where the places are, one byte for each control."),
    controls: list(text("Name; fader{1..8} for several."), 64, "The controls in the order of the bytes."),
  })
    .meta({ description: "What the device sends about where its controls stand." })
    .optional(),
  announcements: named(announcement, 16, "What the device sends about itself.").optional(),
  pacing: fields({
    hz: z
      .number("must be a number, 1 to 200")
      .min(1, "must be 1 to 200")
      .max(200, "must be 1 to 200")
      .meta({ description: "Most updates a second; 30 if left out." })
      .optional(),
    gapMs: z
      .number("must be a number, 0 to 1000")
      .min(0, "must be 0 to 1000")
      .max(1000, "must be 0 to 1000")
      .meta({ description: "Least time between two messages; 0 if left out." })
      .optional(),
    bytesPerSecond: whole(100, 10_000_000, "Most bytes a second; no limit if left out.").optional(),
  })
    .meta({ description: "How fast it may be written to." })
    .optional(),
  channel: numbersOrAny(1, 16, "MIDI channel of all controls that name none; 1 if left out.").optional(),
  selfEcho: flag("As in a control, for all.").optional(),
  localLed: flag("As in a control, for all.").optional(),
  mpe: fields({
    zone: word(["lower", "upper"], "Channel 1 or 16 is the zone's own."),
    members: whole(1, 15, "Member channels."),
    bendSemitones: whole(0, 96, "Pitch bend range of a member channel."),
  })
    .meta({ description: "MPE zone to begin with; RPN 6 of the device changes it." })
    .optional(),
  palettes: named(
    text("Colours from index 0 on, six hexadecimal digits each, spaces between.", 4_096),
    8,
    "Colours by index.",
  ).optional(),
  leds: named(ledType, 32, "LED types: how LEDs are set.").optional(),
  displays: named(display, 8, "Displays.").optional(),
  controls: z
    .record(
      z.string().max(200, "must be at most 200 characters"),
      control,
      'must be a table of controls, {"fader{1..8}": {...}}',
    )
    .meta({ description: "Controls by name: play, fader{1..8}, {play,stop,record}." }),
}).meta({ title: "hana-sync hardware profile" });
export type ProfileFile = z.output<typeof profileSchema>;

/** The JSON Schema (draft 2020-12) of a profile file. */
export function profileJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(profileSchema, { io: "input" }) as Record<string, unknown>;
}
