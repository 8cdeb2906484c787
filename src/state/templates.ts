/**
 * Templates: which paths always exist, and which parameters an entity of each kind has.
 *
 * They are data. A show file's line `[displays.left]` declares what the template of displays says, and every node
 * declares `FIXED_PATHS` at its start, so all nodes and pages agree on what a display or a route is. Nothing here
 * says what a visualization's own parameters are: the show, the library or the first OSC message does.
 * No parameter may be called `type`: in a show file that word makes a table a declaration.
 */
import { assert } from "../base/assert.js";
import { completeDeclaration, type Declaration, type DeclarationInput, type ValueTypeName } from "./declaration.js";

/** A path and what it holds. */
export interface DeclaredPath {
  readonly path: string;
  readonly declaration: Declaration;
}

export interface TemplateParameter {
  readonly name: string;
  readonly declaration: Declaration;
  /** It exists once it is named, although its entity is whole without it. */
  readonly isOptional: boolean;
}

/** A kind of entity: everything under `prefix` + id. */
export interface EntityKind {
  readonly name: string;
  /** The path above the ids, such as `/displays`. */
  readonly prefix: string;
  /** True: every parameter that is not optional exists as soon as the entity does. False: each exists once it is named. */
  readonly whole: boolean;
  readonly parameters: readonly TemplateParameter[];
}

/** Where a path lies in an entity: `/displays/left/size` is `size` of `left`. The parameter is "" for the entity. */
export interface EntityPlace {
  readonly kind: EntityKind;
  readonly id: string;
  readonly parameter: string;
}

type Rest = Omit<DeclarationInput, "type" | "description">;

function parameter(name: string, type: ValueTypeName, description: string, rest: Rest = {}): TemplateParameter {
  return { name, declaration: declare(type, description, rest), isOptional: false };
}

function optional(name: string, type: ValueTypeName, description: string, rest: Rest = {}): TemplateParameter {
  return { ...parameter(name, type, description, rest), isOptional: true };
}

function fixed(path: string, type: ValueTypeName, description: string, rest: Rest = {}): DeclaredPath {
  return { path, declaration: declare(type, description, rest) };
}

function declare(type: ValueTypeName, description: string, rest: Rest): Declaration {
  const value = Array.isArray(rest.default) ? rest.default.map(Math.fround) : rest.default;
  return completeDeclaration({ ...rest, type, description, default: value });
}

const UNIT_RANGE = { min: 0, max: 1 };
/** Panic is never part of a look: no scene may lift a blackout, and undo must not either. */
const PANIC: Rest = { undo: false, recall: false };
/** Where the show stands now is not a look and not an edit. */
const RUNNING: Rest = { undo: false, recall: false };
/** Written by the node itself, true only while it runs. */
const VOLATILE: Rest = { persist: false, undo: false, recall: false };

/** The paths that every node has, whatever its show. */
export const FIXED_PATHS: readonly DeclaredPath[] = [
  fixed("/global/tempo", "float", "Beats per minute of the show", {
    range: { min: 1, max: 999 },
    default: 120,
    unit: "bpm",
  }),
  fixed("/global/master/level", "float", "Brightness of everything", { range: UNIT_RANGE, default: 1 }),
  fixed("/global/master/speed", "float", "Factor on the speed of everything", {
    range: { min: 0, max: 8 },
    default: 1,
    unit: "x",
  }),
  fixed("/global/master/audio", "float", "Factor on what is heard, before it drives anything", {
    range: { min: 0, max: 8 },
    default: 1,
    unit: "x",
  }),
  fixed("/global/blackout", "bool", "Panic: every output black", PANIC),
  fixed("/global/freeze", "bool", "Panic: every output holds its last picture", PANIC),

  fixed("/environment/name", "string", "Name of the place"),
  fixed("/environment/size", "vec3", "Size of the room: width, height, depth", {
    range: { min: 0, max: 10_000 },
    clip: "low",
    default: [10, 4, 10],
    unit: "m",
  }),
  fixed("/environment/viewer", "vec3", "Where the audience looks from", { default: [0, 1.7, 5], unit: "m" }),
  fixed("/environment/background", "color", "Colour where nothing is drawn"),
  fixed("/environment/brightness", "float", "Light in the room, as the displays must meet it", {
    range: UNIT_RANGE,
    default: 1,
  }),

  fixed("/transport/play", "impulse", "Starts, or goes on from a pause", RUNNING),
  fixed("/transport/pause", "impulse", "Holds the position", RUNNING),
  fixed("/transport/stop", "impulse", "Stops and returns to the start", RUNNING),
  fixed("/transport/state", "enum", "What the transport does now", {
    ...RUNNING,
    values: ["stopped", "playing", "paused"],
  }),
  fixed("/transport/position", "double", "Position on the show's time line", {
    ...RUNNING,
    range: { min: 0, max: 1e9 },
    clip: "low",
    unit: "s",
  }),
  fixed("/transport/tempo", "float", "Beats per minute of the time line; 0 follows /global/tempo", {
    range: { min: 0, max: 999 },
    unit: "bpm",
  }),
  fixed("/transport/loop", "bool", "Plays from loopStart to loopEnd over and over"),
  fixed("/transport/loopStart", "double", "Start of the loop", { range: { min: 0, max: 1e9 }, clip: "low", unit: "s" }),
  fixed("/transport/loopEnd", "double", "End of the loop; 0 is the end of the time line", {
    range: { min: 0, max: 1e9 },
    clip: "low",
    unit: "s",
  }),

  fixed("/system/controller", "string", "Id of the node that orders writes now", VOLATILE),
  fixed("/system/term", "double", "Number of the controller's term", VOLATILE),
];

const NAME = parameter("name", "string", "What people call it");
const ENABLED = parameter("enabled", "bool", "Off: as if it were not there", { default: true });
const CURVES = ["linear", "exponential", "logarithmic", "smooth"];

function placed(what: string): TemplateParameter[] {
  return [
    parameter("position", "vec3", `Where the centre of the ${what} is`, { unit: "m" }),
    parameter("rotation", "quaternion", `How the ${what} is turned: x, y, z, w`),
  ];
}

const DISPLAYS: EntityKind = {
  name: "display",
  prefix: "/displays",
  whole: true,
  parameters: [
    NAME,
    parameter("group", "string", "Id of the group it moves with, or empty"),
    parameter("peer", "string", "Name of the node whose machine drives it"),
    parameter("size", "vec2", "Physical width and height", {
      range: { min: 0, max: 1_000 },
      clip: "low",
      default: [1.6, 0.9],
      unit: "m",
    }),
    parameter("resolution", "vec2", "Width and height in pixels", {
      range: { min: 1, max: 65_536 },
      default: [1920, 1080],
      unit: "px",
    }),
    ...placed("display"),
  ],
};

const WINDOWS: EntityKind = {
  name: "window",
  prefix: "/windows",
  whole: true,
  parameters: [
    NAME,
    parameter("display", "string", "Id of the display it lies on"),
    parameter("visualization", "string", "Id of the visualization it shows"),
    parameter("bounds", "vec4", "Left, top, width, height on the display", {
      default: [0, 0, 1920, 1080],
      unit: "px",
    }),
    parameter("visible", "bool", "Whether it is drawn", { default: true }),
  ],
};

const VISUALIZATIONS: EntityKind = {
  name: "visualization",
  prefix: "/viz",
  whole: false,
  parameters: [
    parameter("kind", "string", "Which program or patch the renderer loads"),
    parameter("active", "bool", "Whether it runs", { default: true }),
    parameter("opacity", "float", "How much of it is seen", { range: UNIT_RANGE, default: 1 }),
  ],
};

const MODULATION_SOURCES: EntityKind = {
  name: "modulation source",
  prefix: "/modulation/sources",
  whole: true,
  parameters: [
    NAME,
    ENABLED,
    parameter("kind", "enum", "What makes the signal", { values: ["lfo", "envelope", "sequencer", "input"] }),
    parameter("shape", "enum", "Shape of an LFO", { values: ["sine", "triangle", "square", "saw", "random"] }),
    parameter("rate", "float", "Cycles, or steps of a sequencer, per second, while beats is 0", {
      range: { min: 0, max: 1_000 },
      default: 1,
      unit: "Hz",
    }),
    parameter("beats", "float", "Beats per cycle or step; 0: the rate counts instead", {
      range: { min: 0, max: 4_096 },
      unit: "beats",
    }),
    parameter("phase", "float", "Where in its cycle it starts", { range: UNIT_RANGE }),
    parameter("attack", "float", "Envelope: time to full", {
      range: { min: 0, max: 600_000 },
      default: 10,
      unit: "ms",
    }),
    parameter("decay", "float", "Envelope: time from full to sustain", {
      range: { min: 0, max: 600_000 },
      default: 100,
      unit: "ms",
    }),
    parameter("sustain", "float", "Envelope: level while held", { range: UNIT_RANGE, default: 1 }),
    parameter("release", "float", "Envelope: time to nothing", {
      range: { min: 0, max: 600_000 },
      default: 200,
      unit: "ms",
    }),
    parameter("trigger", "impulse", "Starts an envelope, or a cycle anew", RUNNING),
    parameter("steps", "string", "Sequencer: its steps as numbers 0..1, separated by spaces"),
    parameter("input", "string", "Input: the path that it follows"),
  ],
};

const MODULATION_ROUTES: EntityKind = {
  name: "modulation route",
  prefix: "/modulation/routes",
  whole: true,
  parameters: [
    ENABLED,
    parameter("source", "string", "Id of the source"),
    parameter("destination", "string", "Path that it moves"),
    parameter("amount", "float", "How far, as a part of the destination's range", {
      range: { min: -1, max: 1 },
      default: 1,
    }),
    parameter("curve", "enum", "How the signal is bent", { values: CURVES }),
  ],
};

export const MAPPINGS_PREFIX = "/mappings";
const MAPPINGS: EntityKind = {
  name: "mapping",
  prefix: MAPPINGS_PREFIX,
  whole: true,
  parameters: [
    ENABLED,
    parameter("source", "string", "Control: ALIAS/CONTROL, ALIAS/ch1/cc7 or osc:/pattern#0"),
    parameter("path", "string", "Path that it moves, or several with spaces between"),
    parameter("range", "vec2", "Values at the control's two ends; equal: the path's own range"),
    parameter("curve", "enum", "How the control's way is bent", { values: CURVES }),
    parameter("invert", "bool", "Up is down"),
    parameter("takeover", "enum", "What happens when control and value are apart", {
      values: ["jump", "pickup", "scale", "relative"],
    }),
    optional("mode", "enum", "What its moves mean; auto: what control and path suggest", {
      values: ["auto", "absolute", "relative", "momentary", "toggle", "latch", "radio", "increment"],
    }),
    optional("encoding", "enum", "What an endless encoder sends; none: what its profile says", {
      values: ["none", "twos-complement", "offset-binary", "sign-magnitude", "sign-magnitude-reversed"],
    }),
    optional("step", "double", "What a detent or a press is worth; 0: what suits the path"),
    optional("acceleration", "double", "By how much more a fast turn counts than a slow one", {
      range: { min: 0, max: 100 },
    }),
    optional("steps", "int", "Places that its way has; 0: any", { range: { min: 0, max: 16_384 } }),
    optional("smooth", "double", "Time constant with which the value goes where the control is; 0: at once", {
      range: { min: 0, max: 60_000 },
      unit: "ms",
    }),
    optional("deadZone", "double", "Share of its way that says nothing", { range: { min: 0, max: 0.45 } }),
    optional("deadZoneAt", "enum", "Where that lies; auto: at the ends, of a pitch bend around the centre", {
      values: ["auto", "ends", "low", "centre"],
    }),
    optional("value", "string", "What its button sets; empty: the end of the range"),
    optional("when", "string", "Expression: it moves nothing while this is 0"),
    optional("expression", "string", "Expression of x, its way, and value, what is there: what it sets"),
    optional("merge", "enum", "What several controls of a node make of one path", {
      values: ["last", "max", "sum", "priority"],
    }),
    optional("priority", "int", "Of merge priority: the highest that is not at rest has the path", {
      range: { min: -1_000, max: 1_000 },
    }),
    optional("feedback", "enum", "Whether the control shows the value; auto: if its profile says how", {
      values: ["auto", "on", "off"],
    }),
    optional("colour", "color", "Colour of the control's light or display", { default: [1, 1, 1, 1] }),
    optional("look", "enum", "How the control's light shines while it is on", {
      values: ["solid", "blink", "blink-slow", "blink-fast", "pulse", "pulse-slow", "pulse-fast"],
    }),
  ],
};

/** The kinds of entities that a show holds. */
export const ENTITY_KINDS: readonly EntityKind[] = [
  {
    name: "group",
    prefix: "/groups",
    whole: true,
    parameters: [NAME, ...placed("group")],
  },
  DISPLAYS,
  WINDOWS,
  VISUALIZATIONS,
  MODULATION_SOURCES,
  MODULATION_ROUTES,
  MAPPINGS,
  {
    name: "peer",
    prefix: "/system/peers",
    whole: true,
    parameters: [
      parameter("name", "string", "Name of the node", VOLATILE),
      parameter("address", "string", "Address on the mesh", VOLATILE),
      parameter("health", "enum", "How well it is", { ...VOLATILE, values: ["green", "yellow", "red"] }),
    ],
  },
];

const fixedByPath = new Map(FIXED_PATHS.map((entry) => [entry.path, entry.declaration]));
const kindsByPrefix = new Map(ENTITY_KINDS.map((kind) => [kind.prefix, kind]));
const parametersByKind = new Map(
  ENTITY_KINDS.map((kind) => [kind, new Map(kind.parameters.map((entry) => [entry.name, entry]))]),
);

const LAYERS_PREFIX = "/global/layers/";

/** Whether a path is the place of a layer, a bank or a shift key: what conditions of bindings ask. */
export function isLayer(path: string): boolean {
  return path.startsWith(LAYERS_PREFIX);
}

/** A layer that a button holds or switches is on or off; one that is counted or chosen has a number. */
export function layerDeclaration(mode: string): Declaration {
  const hasNumber = ["radio", "increment", "relative", "absolute"].includes(mode);
  const rest: Rest = hasNumber ? { ...RUNNING, range: { min: 0, max: 127 } } : RUNNING;
  return declare(hasNumber ? "int" : "bool", "Layer or bank of surfaces", rest);
}

/** The kind of entity whose ids lie under a prefix such as `/mappings`. */
export function entityKind(prefix: string): EntityKind {
  const kind = kindsByPrefix.get(prefix);
  assert(kind !== undefined, "entities are asked for by a prefix that has some");
  return kind;
}

/** What a path that always exists holds; undefined for any other path. */
export function fixedDeclaration(path: string): Declaration | undefined {
  return fixedByPath.get(path);
}

/** The entity that a path lies in; undefined for a path outside any. */
export function entityOf(path: string): EntityPlace | undefined {
  let end = path.indexOf("/", 1);
  while (end > 0) {
    const kind = kindsByPrefix.get(path.slice(0, end));
    if (kind !== undefined) return placeIn(kind, path, end + 1);
    end = path.indexOf("/", end + 1);
  }
  return undefined;
}

/** The path of the entity that a path is a parameter of, such as `/displays/left`; "" for a path outside any. */
export function containerOf(path: string): string {
  const place = entityOf(path);
  return place === undefined || place.parameter === "" ? "" : `${place.kind.prefix}/${place.id}`;
}

function placeIn(kind: EntityKind, path: string, start: number): EntityPlace {
  const end = path.indexOf("/", start);
  if (end < 0) return { kind, id: path.slice(start), parameter: "" };
  return { kind, id: path.slice(start, end), parameter: path.slice(end + 1) };
}

/** What the template of the entity that `path` lies in says about it; undefined when it says nothing. */
export function templateDeclaration(path: string): Declaration | undefined {
  return parameterOf(path)?.declaration;
}

/** Whether `path` is a parameter that its entity, if it is whole, has only once it is named. */
export function isOptional(path: string): boolean {
  return parameterOf(path)?.isOptional === true;
}

function parameterOf(path: string): TemplateParameter | undefined {
  const place = entityOf(path);
  return place === undefined ? undefined : parametersByKind.get(place.kind)?.get(place.parameter);
}

/** Every path that an entity of this kind has from the first, in the template's order. `id` is one valid segment. */
export function instantiate(kind: EntityKind, id: string): DeclaredPath[] {
  return everyPath(kind, id).filter((_, index) => !kind.parameters[index]?.isOptional);
}

/** Every path that it may have: the optional ones too. */
export function everyPath(kind: EntityKind, id: string): DeclaredPath[] {
  return kind.parameters.map((entry) => ({
    path: `${kind.prefix}/${id}/${entry.name}`,
    declaration: entry.declaration,
  }));
}
