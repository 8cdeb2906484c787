/**
 * Setting names: what every setting is called in the file, as a flag and in the environment.
 *
 * A table beside the schema, because the command's `--help` needs the names and must not load the schema library
 * (some 50 ms) for them. A test holds the two together.
 */

/** How the text of a flag or variable becomes what the schema expects. */
export type SettingKind = "text" | "number" | "list" | "table";

export interface SettingName {
  /** Dotted, as in the file. */
  readonly path: string;
  readonly kind: SettingKind;
  /** What stands for the value in `--help`. */
  readonly placeholder: string;
  readonly description: string;
  /** What separates the items of a list in an environment variable; flags are repeated instead. */
  readonly separator?: RegExp;
}

/** Items that may hold commas and spaces themselves. */
const SEMICOLONS = /;/;
const COMMAS = /[;,\s]/;

export const SETTING_NAMES: readonly SettingName[] = [
  { path: "name", kind: "text", placeholder: "NAME", description: "name of this node; default: the host's name" },
  { path: "mesh", kind: "text", placeholder: "NAME", description: "name of the mesh (hana)" },
  {
    path: "keyFile",
    kind: "text",
    placeholder: "FILE",
    description: "the mesh key's file; default: in the user's configuration folder, made on first run",
  },
  {
    path: "interface",
    kind: "text",
    placeholder: "ADDR|NAME",
    description: "network interface of the mesh; default: that of the default route, else the only one, else loopback",
  },
  { path: "port", kind: "number", placeholder: "N", description: "UDP port of OSC, TCP port of OSC and HTTP (7700)" },
  {
    path: "httpHost",
    kind: "text",
    placeholder: "ADDR",
    description: "address whose connections may use HTTP (127.0.0.1)",
  },
  {
    path: "dataDir",
    kind: "text",
    placeholder: "DIR",
    description: "data folder; default: one per mesh, name and port",
  },
  {
    path: "priority",
    kind: "number",
    placeholder: "N",
    description: "the highest becomes controller; 0 never does (100)",
  },
  { path: "show", kind: "text", placeholder: "FILE", description: "show file" },
  {
    path: "oscOut",
    kind: "list",
    placeholder: "HOST:PORT[,PATTERN][,from=HOST[:PORT]]",
    description: "tells a renderer or surface of every change; may be repeated",
    separator: SEMICOLONS,
  },
  {
    path: "set",
    kind: "list",
    placeholder: "PATH=VALUE",
    description: "value set at the start; may be repeated",
    separator: SEMICOLONS,
  },
  {
    path: "logLevel",
    kind: "text",
    placeholder: "LEVEL",
    description: "trace, debug, info, warn, error, fatal, silent",
  },
  {
    path: "declare",
    kind: "text",
    placeholder: "auto|strict",
    description: "whether the first write to an unknown address under /viz declares it (auto)",
  },
  { path: "declareCap", kind: "number", placeholder: "N", description: "most paths declared that way (10000)" },
  {
    path: "redundancy",
    kind: "number",
    placeholder: "K",
    description: "frames whose deltas each frame repeats (3 on cable, 6 on wireless)",
  },
  { path: "meshPort", kind: "number", placeholder: "N", description: "UDP port of the mesh's multicast (7701)" },
  { path: "limits.paths", kind: "number", placeholder: "N", description: "most paths that this node holds (100000)" },
  {
    path: "control.policy",
    kind: "text",
    placeholder: "island|hold",
    description: "whether each side of a divided network writes, or only the one with most of the electors (island)",
  },
  {
    path: "control.electors",
    kind: "list",
    placeholder: "NODE",
    description: "name or id of a node of which hold wants a majority; may be repeated",
    separator: COMMAS,
  },
  {
    path: "control.conflicts",
    kind: "table",
    placeholder: "COMPONENT=POLICY",
    description:
      "what both sides of a divided network changed: lww (the later, default), authority (the side that stays), manual; may be repeated",
    separator: SEMICOLONS,
  },
  {
    path: "osc.allow",
    kind: "list",
    placeholder: "ADDR[/BITS]",
    description: "who may send OSC (IPv6: over TCP); default: loopback and the interface's own subnet; may be repeated",
    separator: COMMAS,
  },
  {
    path: "osc.rateLimit",
    kind: "number",
    placeholder: "N",
    description: "OSC messages a second and source above which values are conflated (50000)",
  },
  {
    path: "osc.timetags",
    kind: "text",
    placeholder: "honour|dropLate|ignore",
    description: "what a bundle's time does: applied then and late ones at once; late ones dropped; always at once",
  },
  {
    path: "osc.throttleHz",
    kind: "number",
    placeholder: "HZ",
    description: "most updates a second to one subscriber, newest value winning; 0: as they come (0)",
  },
  {
    path: "midi.virtual",
    kind: "list",
    placeholder: "NAME",
    description: "a MIDI port of the node's own, to which other programs connect (not on Windows); may be repeated",
    separator: COMMAS,
  },
];

/** `osc.rateLimit` is `--osc-rate-limit`. */
export function flagOf(path: string): string {
  return `--${wordsOf(path).join("-")}`;
}

/** `osc.rateLimit` is `HANA_OSC_RATE_LIMIT`. */
export function environmentNameOf(path: string): string {
  return `HANA_${wordsOf(path).join("_").toUpperCase()}`;
}

function wordsOf(path: string): string[] {
  return path.split(/\.|(?=[A-Z])/).map((word) => word.toLowerCase());
}
