/**
 * Settings: what a node is told when it starts, from flags, environment and file, or every complaint at once.
 *
 * Flags win over the environment, the environment over the file, the file over the defaults, each setting by itself
 * (a list is replaced, not joined). Every layer is checked whole, so a mistake that another layer would hide is told
 * too. It imports the schema library, which costs some 50 ms: load it lazily. It opens nothing and asks nothing of the
 * system; what depends on the machine is undefined here and found by the edge.
 *
 * The environment has one variable per setting, named at each below; an empty variable counts as unset, an unknown
 * `HANA_*` is ignored. Lists are separated by semicolons (`HANA_OSC_ALLOW`: by commas or spaces too).
 */
import { z } from "zod";
import { type Component, COMPONENTS } from "../state/component.js";
import { MERGE_POLICIES, type MergePolicies, type MergePolicy } from "../state/merge-policy.js";
import { validatePath } from "../state/path.js";
import { type AddressBlock, parseAddress, parseBlock } from "./addresses.js";
import type { Complaint, ComplaintSource } from "./complaint.js";
import { formatOscOut, type OscOut, parseOscOut } from "./osc-out.js";
import { environmentNameOf, flagOf, SETTING_NAMES, type SettingName } from "./setting-names.js";
import { isTable, parseToml, type TomlDocument, tomlPath, tomlString } from "./toml.js";

/** A value set at the start, still as text: its declaration is not known here. */
export interface InitialValue {
  readonly path: string;
  readonly text: string;
}

export interface Settings {
  /** Undefined: the host's name. HANA_NAME */
  readonly name: string | undefined;
  /** HANA_MESH */
  readonly mesh: string;
  /** Undefined: one per mesh name in the user's configuration folder. HANA_KEY_FILE */
  readonly keyFile: string | undefined;
  /** Address or name. Undefined: chosen by the edge. HANA_INTERFACE */
  readonly interface: string | undefined;
  /** UDP and TCP; 0 is a free one that the system chooses. HANA_PORT */
  readonly port: number;
  /** An IP address. HANA_HTTP_HOST */
  readonly httpHost: string;
  /** Undefined: one per mesh, name and port in the user's data folder. HANA_DATA_DIR */
  readonly dataDir: string | undefined;
  /** 0..1000; 0 is never controller. HANA_PRIORITY */
  readonly priority: number;
  /** HANA_SHOW */
  readonly show: string | undefined;
  /** HANA_OSC_OUT */
  readonly oscOut: readonly OscOut[];
  /** HANA_SET */
  readonly set: readonly InitialValue[];
  /** HANA_LOG_LEVEL */
  readonly logLevel: LogLevel;
  /** HANA_DECLARE */
  readonly declare: "auto" | "strict";
  /** Never more than `limits.paths`. HANA_DECLARE_CAP */
  readonly declareCap: number;
  /** k: frames whose deltas each frame repeats, 0..8. Undefined: as the interface needs. HANA_REDUNDANCY */
  readonly redundancy: number | undefined;
  /** HANA_MESH_PORT */
  readonly meshPort: number;
  readonly limits: {
    /** HANA_LIMITS_PATHS */
    readonly paths: number;
  };
  readonly control: {
    /** `hold` needs electors. HANA_CONTROL_POLICY */
    readonly policy: "island" | "hold";
    /** Names or ids of nodes. HANA_CONTROL_ELECTORS */
    readonly electors: readonly string[];
    /** What happens to what both sides of a divided network changed, by component. HANA_CONTROL_CONFLICTS */
    readonly conflicts: MergePolicies;
  };
  readonly osc: {
    /** Undefined: loopback and the chosen interface's own subnet. Empty: nobody. HANA_OSC_ALLOW */
    readonly allow: readonly AddressBlock[] | undefined;
    /** Messages a second and source. HANA_OSC_RATE_LIMIT */
    readonly rateLimit: number;
    /** HANA_OSC_TIMETAGS */
    readonly timetags: TimetagPolicy;
    /** Updates a second to one subscriber; 0 for no limit. HANA_OSC_THROTTLE_HZ */
    readonly throttleHz: number;
  };
  readonly midi: {
    /** Names of ports of the node's own. HANA_MIDI_VIRTUAL */
    readonly virtual: readonly string[];
  };
}

export type LogLevel = (typeof LOG_LEVELS)[number];
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/**
 * What the time tag of an OSC bundle does. `honour`: applied at that time, a late one at once. `dropLate`: applied at
 * that time, a late one dropped and counted. `ignore`: every bundle is applied as it comes.
 */
export type TimetagPolicy = (typeof TIMETAG_POLICIES)[number];
const TIMETAG_POLICIES = ["honour", "dropLate", "ignore"] as const;

type ShowComponent = Exclude<Component, "system">;
type MergePolicyNames = { readonly [Policy in MergePolicy]: Policy };

export interface SettingsSources {
  /** By setting path (`port`, `osc.allow`): texts from the command line, or typed values from the library. */
  readonly flags?: Readonly<Record<string, unknown>> | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  readonly fileText?: string | undefined;
  readonly fileName?: string | undefined;
}

export type ResolvedSettings = { readonly settings: Settings } | { readonly complaints: readonly Complaint[] };

const FILE_MAX_BYTES = 1024 * 1024;
/** Becomes part of folder names and of the mesh's group address. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const MUST_BE_A_NAME =
  "must be 1 to 63 letters, digits, dots, underscores or hyphens, beginning with a letter or digit";

function described(path: string): string {
  const entry = SETTING_NAMES.find((candidate) => candidate.path === path);
  return `${entry?.description} [${flagOf(path)}, ${environmentNameOf(path)}]`;
}

function integer(path: string, minimum: number, maximum: number): z.ZodNumber {
  const message = `must be a whole number of ${minimum} to ${maximum}`;
  return z
    .int(message)
    .min(minimum, message)
    .max(maximum, message)
    .meta({ description: described(path) });
}

function text(path: string): z.ZodString {
  return z
    .string()
    .min(1)
    .max(4_096)
    .meta({ description: described(path) });
}

function nameText(path: string): z.ZodString {
  return z
    .string()
    .regex(NAME, MUST_BE_A_NAME)
    .meta({ description: described(path) });
}

/** A text whose reader answers with what it read, or with a problem. */
function readText<Result>(read: (text: string) => Result | { readonly problem: string }) {
  return z.string().transform((value, context) => {
    const result = read(value);
    if (typeof result !== "object" || result === null || !("problem" in result)) return result as Result;
    context.addIssue({ code: "custom", message: `${JSON.stringify(value)} ${result.problem}` });
    return z.NEVER;
  });
}

function readOscOut(value: string): OscOut | { readonly problem: string } {
  const parsed = parseOscOut(value);
  return "out" in parsed ? parsed.out : parsed;
}

function readBlock(value: string): AddressBlock | { readonly problem: string } {
  return parseBlock(value.trim()) ?? { problem: "is no address and no block such as 10.0.0.0/8" };
}

function readInitialValue(value: string): InitialValue | { readonly problem: string } {
  const equals = value.indexOf("=");
  if (equals < 0) return { problem: "is not PATH=VALUE" };
  const path = value.slice(0, equals).trim();
  const problem = validatePath(path);
  if (problem !== "") return { problem: `is not PATH=VALUE: the path ${problem}` };
  if (path.startsWith("/system/")) return { problem: "lies in /system, which only the node writes" };
  return { path, text: value.slice(equals + 1) };
}

/** A policy for each component of the show. */
function conflictPolicies() {
  const components = COMPONENTS.filter((component) => component !== "system");
  const shape = Object.fromEntries(components.map((component) => [component, z.enum(MERGE_POLICIES).optional()]));
  return z
    .strictObject(shape as Record<ShowComponent, z.ZodOptional<z.ZodEnum<MergePolicyNames>>>)
    .meta({ description: described("control.conflicts") })
    .default({});
}

const schema = z
  .strictObject({
    name: nameText("name").optional(),
    mesh: nameText("mesh").default("hana"),
    keyFile: text("keyFile").optional(),
    interface: text("interface").optional(),
    port: integer("port", 0, 65_535).default(7700),
    httpHost: text("httpHost")
      .refine((value) => parseAddress(value) !== undefined, "must be an IP address")
      .default("127.0.0.1"),
    dataDir: text("dataDir").optional(),
    priority: integer("priority", 0, 1_000).default(100),
    show: text("show").optional(),
    oscOut: z
      .array(readText(readOscOut))
      .max(64)
      .meta({ description: described("oscOut") })
      .default([]),
    set: z
      .array(readText(readInitialValue))
      .max(10_000)
      .meta({ description: described("set") })
      .default([]),
    logLevel: z
      .enum(LOG_LEVELS)
      .meta({ description: described("logLevel") })
      .default("info"),
    declare: z
      .enum(["auto", "strict"])
      .meta({ description: described("declare") })
      .default("auto"),
    declareCap: integer("declareCap", 0, 1_000_000).default(10_000),
    redundancy: integer("redundancy", 0, 8).optional(),
    meshPort: integer("meshPort", 1, 65_535).default(7701),
    limits: z.strictObject({ paths: integer("limits.paths", 100, 1_000_000).default(100_000) }).prefault({}),
    control: z
      .strictObject({
        policy: z
          .enum(["island", "hold"])
          .meta({ description: described("control.policy") })
          .default("island"),
        electors: z
          .array(z.string().regex(NAME, MUST_BE_A_NAME))
          .max(256)
          .meta({ description: described("control.electors") })
          .default([]),
        conflicts: conflictPolicies(),
      })
      .prefault({}),
    osc: z
      .strictObject({
        allow: z
          .array(readText(readBlock))
          .max(256)
          .meta({ description: described("osc.allow") })
          .optional(),
        rateLimit: integer("osc.rateLimit", 1, 10_000_000).default(50_000),
        timetags: z
          .enum(TIMETAG_POLICIES)
          .meta({ description: described("osc.timetags") })
          .default("honour"),
        throttleHz: z
          .number()
          .min(0)
          .max(10_000)
          .meta({ description: described("osc.throttleHz") })
          .default(0),
      })
      .prefault({}),
    midi: z
      .strictObject({
        virtual: z
          .array(nameText("midi.virtual"))
          .max(16)
          .meta({ description: described("midi.virtual") })
          .default([]),
      })
      .prefault({}),
  })
  .meta({ title: "hana-sync node settings" });

/** The JSON Schema (draft 2020-12) of a settings file. */
export function settingsJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: "input" }) as Record<string, unknown>;
}

export function resolveSettings(sources: SettingsSources): ResolvedSettings {
  const layers: Layer[] = [
    fileLayer(sources.fileText, sources.fileName ?? "settings"),
    environmentLayer(sources.environment ?? {}),
    flagLayer(sources.flags ?? {}),
  ];
  const complaints = layers.flatMap((layer) => [...layer.complaints, ...checkLayer(layer)]);
  if (complaints.length > 0) return { complaints };
  const settings = settle(layers);
  const clash = portClash(settings, layers) ?? missingElectors(settings, layers);
  return clash === undefined ? { settings } : { complaints: [clash] };
}

/** One source of settings, and how to say where in it something stands. */
interface Layer {
  /** Nested as in the file. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly complaints: readonly Complaint[];
  place(path: readonly PropertyKey[]): Pick<Complaint, "source" | "name" | "line">;
}

function fileLayer(fileText: string | undefined, name: string): Layer {
  const document = fileText === undefined ? undefined : parseToml(fileText, FILE_MAX_BYTES);
  const isBroken = document !== undefined && "problem" in document;
  const place = { source: "file" as const, name };
  return {
    input: document === undefined || isBroken ? {} : plain(document.table),
    complaints: isBroken
      ? [{ ...place, path: "", message: document.problem, line: document.line, column: document.column }]
      : [],
    place: (path) => ({ ...place, line: isBroken ? undefined : lineIn(document, path) }),
  };
}

function lineIn(document: TomlDocument | undefined, path: readonly PropertyKey[]): number | undefined {
  return document?.lineOf(path.map(String));
}

/** The parser's tables have no prototype, which the schema library does not take for objects of its own kind. */
function plain(table: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(table).map(([key, value]) => [key, isTable(value) ? plain(value) : value]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function environmentLayer(environment: Readonly<Record<string, string | undefined>>): Layer {
  const values = new Map<string, unknown>();
  for (const setting of SETTING_NAMES) {
    const value = environment[environmentNameOf(setting.path)];
    if (value !== undefined && value !== "") values.set(setting.path, fromText(setting, value, setting.separator));
  }
  return namedLayer("environment", values, environmentNameOf, []);
}

function flagLayer(flags: Readonly<Record<string, unknown>>): Layer {
  const values = new Map<string, unknown>();
  const complaints: Complaint[] = [];
  for (const [path, value] of Object.entries(flags)) {
    const setting = SETTING_NAMES.find((candidate) => candidate.path === path);
    if (value === undefined) continue;
    if (setting !== undefined) values.set(path, fromFlag(setting, value));
    else complaints.push(complaintOf({ source: "flag", name: flagOf(path), line: undefined }, path, "is no setting"));
  }
  return namedLayer("flag", values, flagOf, complaints);
}

/** A text, texts of a flag that was repeated, or what the library was given. */
function fromFlag(setting: SettingName, value: unknown): unknown {
  if (typeof value === "string")
    return fromText(setting, value, setting.kind === "table" ? setting.separator : undefined);
  return setting.kind === "table" && Array.isArray(value) ? tableOf(value) : value;
}

function namedLayer(
  source: ComplaintSource,
  values: ReadonlyMap<string, unknown>,
  nameOf: (path: string) => string,
  complaints: readonly Complaint[],
): Layer {
  const input: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const [group, name] = path.split(".") as [string, string | undefined];
    if (name === undefined) input[group] = value;
    else input[group] = { ...(input[group] as Record<string, unknown> | undefined), [name]: value };
  }
  return { input, complaints, place: (path) => ({ source, name: nameOf(settingOf(path)), line: undefined }) };
}

/** The setting that a place in the input belongs to: the second oscOut is an oscOut, and a table's line its table's. */
function settingOf(path: readonly PropertyKey[]): string {
  const names = path.filter((part) => typeof part === "string");
  return names.slice(0, 2).join(".");
}

/** What a flag's or variable's text means; what is no number stays a text, which the schema will refuse. */
function fromText(setting: SettingName, value: string, separator?: RegExp): unknown {
  if (setting.kind === "number") return /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  if (setting.kind === "text") return value;
  const items = separator === undefined ? [value] : value.split(separator);
  const list = items.map((item) => item.trim()).filter((item) => item !== "");
  return setting.kind === "table" ? tableOf(list) : list;
}

/** NAME=VALUE each; what is none stays a list, which the schema will refuse. */
function tableOf(items: readonly unknown[]): unknown {
  const pairs = items.map((item) => /^([^=]+)=(.*)$/.exec(String(item)) ?? []);
  if (pairs.some(({ length }) => length === 0)) return items;
  return Object.fromEntries(pairs.map(([, name = "", value = ""]) => [name.trim(), value.trim()]));
}

function checkLayer(layer: Layer): Complaint[] {
  const result = schema.safeParse(layer.input);
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return [issueComplaint(layer, issue.path, issue.message)];
    const isTableLine = issue.path.length > 1;
    return issue.keys.map((key) =>
      issueComplaint(layer, [...issue.path, key], isTableLine ? `${key} is no component of a show` : "is no setting"),
    );
  });
}

function issueComplaint(layer: Layer, path: readonly PropertyKey[], message: string): Complaint {
  return complaintOf(layer.place(path), pathText(path), message);
}

/** `oscOut[1]`: items are counted from 1, as people do. */
function pathText(path: readonly PropertyKey[]): string {
  const names = tomlPath(path.filter((part) => typeof part === "string"));
  return path.reduce<string>((out, part) => (typeof part === "number" ? `${out}[${part + 1}]` : out), names);
}

function complaintOf(place: Pick<Complaint, "source" | "name" | "line">, path: string, message: string): Complaint {
  return { ...place, path, message, column: undefined };
}

/** The layers have been found right one by one, so what they give together is. */
function settle(layers: readonly Layer[]): Settings {
  const input: Record<string, unknown> = {};
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer.input)) {
      const isGroup = key === "osc" || key === "limits" || key === "control";
      input[key] = isGroup ? { ...(input[key] as object | undefined), ...(value as object) } : value;
    }
  }
  const {
    name,
    keyFile,
    interface: interfaceName,
    dataDir,
    show,
    osc,
    control,
    declareCap,
    redundancy,
    ...rest
  } = schema.parse(input);
  return {
    ...rest,
    name,
    keyFile,
    interface: interfaceName,
    dataDir,
    show,
    redundancy,
    declareCap: Math.min(declareCap, rest.limits.paths),
    // No layer holds a component without a policy.
    control: { ...control, conflicts: control.conflicts as MergePolicies },
    osc: { ...osc, allow: osc.allow },
  };
}

/** On some systems the mesh's socket is bound to every address, as OSC's is. */
function portClash(settings: Settings, layers: readonly Layer[]): Complaint | undefined {
  if (settings.port !== settings.meshPort) return undefined;
  const owner = layers.findLast((layer) => "meshPort" in layer.input || "port" in layer.input);
  const path = owner !== undefined && "meshPort" in owner.input ? "meshPort" : "port";
  const place = owner?.place([path]) ?? { source: "file" as const, name: "defaults", line: undefined };
  return complaintOf(place, path, `port and meshPort are both ${settings.port}; they must differ`);
}

/** Nobody could ever be controller. */
function missingElectors({ control }: Settings, layers: readonly Layer[]): Complaint | undefined {
  if (control.policy !== "hold" || control.electors.length > 0) return undefined;
  const owner = layers.findLast(({ input }) => "policy" in ((input["control"] as object | undefined) ?? {}));
  const place = owner?.place(["control", "policy"]) ?? { source: "file" as const, name: "defaults", line: undefined };
  return complaintOf(place, "control.policy", "hold needs control.electors: the nodes of which a majority decides");
}

/** The settings as a file that gives them again; what is undefined is left to the machine and not written. */
export function formatSettings(settings: Settings): string {
  const { limits, osc, midi, control, oscOut, set, ...plainSettings } = settings;
  const top = Object.entries(plainSettings).flatMap(([key, value]) => (value === undefined ? [] : [line(key, value)]));
  top.push(line("oscOut", oscOut.map(formatOscOut)));
  top.push(
    line(
      "set",
      set.map((entry) => `${entry.path}=${entry.text}`),
    ),
  );
  const allow =
    osc.allow === undefined
      ? []
      : [
          line(
            "allow",
            osc.allow.map((block) => block.text),
          ),
        ];
  return `${[
    ...top,
    "",
    "[limits]",
    line("paths", limits.paths),
    "",
    "[control]",
    line("policy", control.policy),
    line("electors", control.electors),
    `conflicts = { ${Object.entries(control.conflicts)
      .map(([component, policy]) => `${component} = "${policy}"`)
      .join(", ")} }`,
    "",
    "[osc]",
    ...allow,
    line("rateLimit", osc.rateLimit),
    line("timetags", osc.timetags),
    line("throttleHz", osc.throttleHz),
    "",
    "[midi]",
    line("virtual", midi.virtual),
  ].join("\n")}\n`;
}

function line(key: string, value: string | number | readonly string[]): string {
  if (typeof value === "number") return `${key} = ${value}`;
  return `${key} = ${typeof value === "string" ? tomlString(value) : `[${value.map(tomlString).join(", ")}]`}`;
}
