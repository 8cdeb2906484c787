import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatComplaint } from "../../../src/config/complaint.js";
import { environmentNameOf, flagOf, SETTING_NAMES } from "../../../src/config/setting-names.js";
import {
  formatSettings,
  resolveSettings,
  type Settings,
  settingsJsonSchema,
  type SettingsSources,
} from "../../../src/config/settings.js";

function settingsOf(sources: SettingsSources): Settings {
  const resolved = resolveSettings(sources);
  if ("complaints" in resolved) throw new Error(resolved.complaints.map(formatComplaint).join("\n"));
  return resolved.settings;
}

function complaintsOf(sources: SettingsSources): string[] {
  const resolved = resolveSettings({ fileName: "hana.toml", ...sources });
  return "complaints" in resolved ? resolved.complaints.map(formatComplaint) : [];
}

function fileOf(name: string): string {
  return readFileSync(new URL(`../../../config/${name}`, import.meta.url), "utf8");
}

const defaults: Settings = {
  name: undefined,
  mesh: "hana",
  keyFile: undefined,
  interface: undefined,
  port: 7700,
  httpHost: "127.0.0.1",
  dataDir: undefined,
  priority: 100,
  show: undefined,
  oscOut: [],
  set: [],
  logLevel: "info",
  declare: "auto",
  declareCap: 10_000,
  redundancy: undefined,
  meshPort: 7701,
  limits: { paths: 100_000 },
  control: { policy: "island", electors: [], conflicts: {} },
  osc: { allow: undefined, rateLimit: 50_000, timetags: "honour", throttleHz: 0 },
  midi: { virtual: [] },
};

/** Every setting with a value that is not its default, as a file, as texts, and as it comes out. */
const every: readonly [path: string, file: string, text: string, value: unknown][] = [
  ["name", '"stage-pc"', "stage-pc", "stage-pc"],
  ["mesh", '"club"', "club", "club"],
  ["keyFile", '"/k"', "/k", "/k"],
  ["interface", '"eth0"', "eth0", "eth0"],
  ["port", "8000", "8000", 8000],
  ["httpHost", '"::1"', "::1", "::1"],
  ["dataDir", '"/d"', "/d", "/d"],
  ["priority", "0", "0", 0],
  ["show", '"a.toml"', "a.toml", "a.toml"],
  ["oscOut", '["a:1,/viz/{a,b}"]', "a:1,/viz/{a,b}", [{ host: "a", port: 1, pattern: "/viz/{a,b}", from: undefined }]],
  ["set", '["/viz/a=1 2, 3"]', "/viz/a=1 2, 3", [{ path: "/viz/a", text: "1 2, 3" }]],
  ["logLevel", '"debug"', "debug", "debug"],
  ["declare", '"strict"', "strict", "strict"],
  ["declareCap", "5", "5", 5],
  ["redundancy", "6", "6", 6],
  ["meshPort", "7800", "7800", 7800],
  ["limits.paths", "1000", "1000", 1000],
  [
    "control.conflicts",
    '{ viz = "manual", transport = "authority" }',
    "viz=manual;transport=authority",
    { viz: "manual", transport: "authority" },
  ],
  [
    "osc.allow",
    '["10.0.0.0/8"]',
    "10.0.0.0/8",
    [{ text: "10.0.0.0/8", bytes: Uint8Array.of(10, 0, 0, 0), prefixBits: 8 }],
  ],
  ["osc.rateLimit", "1000", "1000", 1000],
  ["osc.timetags", '"dropLate"', "dropLate", "dropLate"],
  ["osc.throttleHz", "59.94", "59.94", 59.94],
  ["midi.virtual", '["stage"]', "stage", ["stage"]],
  // The other one cannot stand alone.
  ["control.policy", '"island"', "island", "island"],
  ["control.electors", '["left"]', "left", ["left"]],
];

function at(settings: Settings, path: string): unknown {
  return path.split(".").reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], settings);
}

describe("settings", () => {
  it("are the defaults when nothing is said", () => {
    expect(settingsOf({})).toEqual(defaults);
    expect(settingsOf({ fileText: "", environment: {}, flags: {} })).toEqual(defaults);
  });

  it("are all in the table of names, and no others", () => {
    expect(every.map(([path]) => path)).toEqual(SETTING_NAMES.map(({ path }) => path).sort(byOrderOf(every)));
  });

  it.each(every)("take %s from the file, the environment and a flag", (path, file, text, value) => {
    expect(at(settingsOf({ fileText: `${path} = ${file}` }), path)).toEqual(value);
    expect(at(settingsOf({ environment: { [environmentNameOf(path)]: text } }), path)).toEqual(value);
    expect(at(settingsOf({ flags: { [path]: text } }), path)).toEqual(value);
  });

  it("are called as the documentation says", () => {
    expect(SETTING_NAMES.map(({ path }) => flagOf(path))).toEqual(
      expect.arrayContaining([
        "--key-file",
        "--http-host",
        "--data-dir",
        "--osc-out",
        "--log-level",
        "--osc-rate-limit",
      ]),
    );
    expect(SETTING_NAMES.map(({ path }) => environmentNameOf(path))).toEqual(
      expect.arrayContaining([
        "HANA_PORT",
        "HANA_OSC_OUT",
        "HANA_KEY_FILE",
        "HANA_LIMITS_PATHS",
        "HANA_OSC_THROTTLE_HZ",
      ]),
    );
  });

  it("take flags over the environment over the file over the default, each by itself", () => {
    const settings = settingsOf({
      fileText: "port = 1\npriority = 2\nmeshPort = 3\n[osc]\nrateLimit = 4\ntimetags = 'ignore'\nallow = ['10.0.0.1']",
      environment: { HANA_PORT: "10", HANA_PRIORITY: "20", HANA_OSC_RATE_LIMIT: "40", HANA_OSC_ALLOW: "10.0.0.2" },
      flags: { port: "100", "osc.rateLimit": "400" },
    });
    expect(settings).toMatchObject({
      port: 100,
      priority: 20,
      meshPort: 3,
      osc: { rateLimit: 400, timetags: "ignore" },
    });
    expect(settings.osc.allow?.map(({ text }) => text)).toEqual(["10.0.0.2"]);
  });

  it("take typed values too, as the library gives them", () => {
    const flags = { port: 9, mesh: "club", oscOut: ["a:1", "b:2"], name: undefined };
    expect(settingsOf({ flags })).toMatchObject({ port: 9, mesh: "club", oscOut: [{ host: "a" }, { host: "b" }] });
  });

  it("split lists of the environment", () => {
    const settings = settingsOf({
      environment: {
        HANA_OSC_OUT: "a:1,/viz; b:2 ;",
        HANA_SET: "/viz/a=1, 2;/viz/b=x=y",
        HANA_OSC_ALLOW: "10.0.0.1, 10.0.0.2;10.0.0.3 10.0.0.4",
      },
    });
    expect(settings.oscOut.map(({ host, pattern }) => [host, pattern])).toEqual([
      ["a", "/viz"],
      ["b", undefined],
    ]);
    expect(settings.set).toEqual([
      { path: "/viz/a", text: "1, 2" },
      { path: "/viz/b", text: "x=y" },
    ]);
    expect(settings.osc.allow).toHaveLength(4);
  });

  it("ignore empty and unknown variables", () => {
    expect(settingsOf({ environment: { HANA_PORT: "", HANA_COLOUR: "red", PORT: "1" } })).toEqual(defaults);
  });

  it("never declare more paths by themselves than there may be", () => {
    expect(settingsOf({ flags: { "limits.paths": "500" } }).declareCap).toBe(500);
  });
});

function byOrderOf(rows: typeof every): (left: string, right: string) => number {
  const paths = rows.map(([path]) => path);
  return (left, right) => paths.indexOf(left) - paths.indexOf(right);
}

describe("a complaint about settings", () => {
  it.each<[SettingsSources, string]>([
    [{ fileText: "port = " }, "hana.toml:1:8: invalid value"],
    [{ fileText: "\nport = 'x'" }, "hana.toml:2: port: must be a whole number of 0 to 65535"],
    [{ fileText: "port = 65536" }, "hana.toml:1: port: must be"],
    [{ fileText: "prot = 1" }, "hana.toml:1: prot: is no setting"],
    [{ fileText: "[osc]\nlimit = 1" }, "hana.toml:2: osc.limit: is no setting"],
    [{ fileText: "osc = 1" }, "hana.toml:1: osc: "],
    [{ fileText: "__proto__ = 1" }, "hana.toml:1: __proto__: is no setting"],
    [{ fileText: "[limits.__proto__]\npaths = 1000" }, "limits.__proto__: is no setting"],
    [{ fileText: "name = 1979-05-27" }, "hana.toml:1: name: "],
    [{ fileText: "priority = 9007199254740993" }, "hana.toml:1:12: "],
    [{ fileText: "priority = 1.5" }, "hana.toml:1: priority: must be a whole number"],
    [{ fileText: "oscOut = ['a:1', 'b']" }, 'hana.toml:1: oscOut[2]: "b" is not HOST:PORT'],
    [{ fileText: "oscOut = 'a:1'" }, "hana.toml:1: oscOut: "],
    [{ fileText: `mesh = "${"a".repeat(1024 * 1024)}"` }, "hana.toml: is longer than 1,048,576 bytes"],
    [{ environment: { HANA_PORT: "77x" } }, "HANA_PORT: must be a whole number"],
    [{ environment: { HANA_MESH: "../etc" } }, "HANA_MESH: must be 1 to 63 letters"],
    [{ environment: { HANA_OSC_OUT: "a:1;b" } }, 'HANA_OSC_OUT: "b" is not HOST:PORT'],
    [{ flags: { priority: "1001" } }, "--priority: must be a whole number of 0 to 1000"],
    [{ flags: { port: "-1" } }, "--port: must be"],
    [{ flags: { port: "0x10" } }, "--port: must be"],
    [{ flags: { port: "" } }, "--port: must be"],
    [{ flags: { httpHost: "localhost" } }, "--http-host: must be an IP address"],
    [{ flags: { name: "a b" } }, "--name: must be 1 to 63"],
    [{ flags: { logLevel: "loud" } }, "--log-level: "],
    [{ flags: { declare: "never" } }, "--declare: "],
    [{ flags: { redundancy: "9" } }, "--redundancy: must be a whole number of 0 to 8"],
    [{ flags: { "osc.allow": ["10.0.0.0/8", "all"] } }, '--osc-allow: "all" is no address'],
    [{ flags: { "osc.throttleHz": "fast" } }, "--osc-throttle-hz: "],
    [{ flags: { "control.conflicts": ["viz=first"] } }, "--control-conflicts: "],
    [{ flags: { "control.conflicts": ["viz"] } }, "--control-conflicts: "],
    [{ environment: { HANA_CONTROL_CONFLICTS: "system=lww" } }, "HANA_CONTROL_CONFLICTS: system is no component"],
    [{ fileText: "[control.conflicts]\nviz = 'later'" }, "hana.toml:2: control.conflicts.viz: "],
    [{ flags: { set: ["/viz/a"] } }, '--set: "/viz/a" is not PATH=VALUE'],
    [{ flags: { set: ["/vis/a=1"] } }, "the path begins with none of"],
    [{ flags: { set: ["/system/term=1"] } }, "lies in /system"],
    [{ flags: { colour: "red" } }, "--colour: is no setting"],
    [{ flags: { meshPort: "7700" } }, "--mesh-port: port and meshPort are both 7700"],
    [{ fileText: "meshPort = 8000", environment: { HANA_PORT: "8000" } }, "HANA_PORT: port and meshPort are both 8000"],
    [{ fileText: "\nport = 7701" }, "hana.toml:2: port: port and meshPort are both 7701"],
  ])("%o", (sources, complaint) => {
    expect(complaintsOf(sources).join("\n")).toContain(complaint);
  });

  it("comes with those about all other layers, also where another layer wins", () => {
    const complaints = complaintsOf({
      fileText: "port = -1\nmesh = ''",
      environment: { HANA_PORT: "x", HANA_NAME: "?" },
      flags: { port: "7000", priority: "x", foo: "1" },
    });
    expect(complaints.map((complaint) => complaint.slice(0, complaint.indexOf(": ")))).toEqual([
      "hana.toml:2",
      "hana.toml:1",
      "HANA_NAME",
      "HANA_PORT",
      "--foo",
      "--priority",
    ]);
  });
});

it("hold is nothing without electors, wherever it comes from", () => {
  const sources = [
    { flags: { "control.policy": "hold" } },
    { environment: { HANA_CONTROL_POLICY: "hold" } },
    { fileText: '[control]\npolicy = "hold"' },
  ];
  for (const source of sources) {
    const resolved = resolveSettings(source);
    expect("complaints" in resolved && resolved.complaints.map(formatComplaint)[0]).toContain("control.electors");
    const { control } = settingsOf({ ...source, environment: { ...source.environment, HANA_CONTROL_ELECTORS: "a b" } });
    expect(control).toMatchObject({ policy: "hold", electors: ["a", "b"] });
  }
});

describe("settings as text", () => {
  it("read back as the same settings", () => {
    const settings = settingsOf({ flags: Object.fromEntries(every.map(([path, , text]) => [path, text])) });
    expect(settingsOf({ fileText: formatSettings(settings) })).toEqual(settings);
    expect(settingsOf({ fileText: formatSettings(defaults) })).toEqual(defaults);
  });
});

describe("the schema in config/", () => {
  const schema = settingsJsonSchema();

  it("is that of the settings", () => {
    expect(JSON.parse(fileOf("hana.schema.json"))).toEqual(schema);
  });

  it("describes every setting and requires none", () => {
    for (const { path } of SETTING_NAMES) {
      const property = path.split(".").reduce<unknown>((inner, key) => {
        return (inner as { properties: Record<string, unknown> }).properties[key];
      }, schema);
      expect(property).toHaveProperty("description", expect.stringContaining(environmentNameOf(path)));
    }
    expect(schema).not.toHaveProperty("required");
    expect(schema).toHaveProperty("additionalProperties", false);
  });
});

describe("the example settings", () => {
  const text = fileOf("hana.example.toml");
  const uncommented = text.replaceAll(/^#(?=[a-zA-Z]+ = |\[)/gm, "");

  it("are the defaults as they are", () => {
    expect(settingsOf({ fileText: text })).toEqual(defaults);
  });

  it("show every setting at its default, if it has one", () => {
    const settings = settingsOf({ fileText: uncommented });
    for (const { path } of SETTING_NAMES) {
      expect(uncommented).toMatch(new RegExp(`^${path.split(".").at(-1)} = `, "m"));
      if (at(defaults, path) === undefined) expect(at(settings, path)).toBeDefined();
      else expect(at(settings, path)).toEqual(at(defaults, path));
    }
  });
});
