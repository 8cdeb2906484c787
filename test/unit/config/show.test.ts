import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatComplaint } from "../../../src/config/complaint.js";
import { comparePaths, parseShow, SHOW_MAX_BYTES, type Show } from "../../../src/config/show.js";
import type { Value } from "../../../src/state/declaration.js";
import { ENTITY_KINDS } from "../../../src/state/templates.js";
import { declared } from "./arbitraries.js";

function showOf(...lines: string[]): Show {
  const parsed = parseShow(lines.join("\n"), "show.toml");
  if ("complaints" in parsed) throw new Error(parsed.complaints.map(formatComplaint).join("\n"));
  return parsed.show;
}

function complaintsOf(...lines: string[]): string[] {
  const parsed = parseShow(lines.join("\n"), "show.toml");
  return "complaints" in parsed ? parsed.complaints.map(formatComplaint) : [];
}

function pathsOf(show: Show): string[] {
  return show.declarations.map(({ path }) => path);
}

function valuesOf(show: Show): Record<string, Value> {
  return Object.fromEntries(show.values.map(({ path, value }) => [path, value]));
}

describe("a table is a part of the tree", () => {
  it("and a table with a type declares a path", () => {
    const show = showOf(
      "[viz.tunnel.camera]",
      'zoom = { type = "float", range = [0.1, 10], default = 1, smooth = 80 }',
    );
    expect(show.declarations).toEqual([
      {
        path: "/viz/tunnel/camera/zoom",
        declaration: declared({ type: "float", range: { min: 0.1, max: 10 }, default: 1, smoothMs: 80 }),
      },
    ]);
  });

  it("however TOML nests it", () => {
    const expected = ["/viz/tunnel/camera/zoom"];
    expect(pathsOf(showOf("[viz.tunnel.camera.zoom]", 'type = "float"'))).toEqual(expected);
    expect(pathsOf(showOf('viz.tunnel.camera.zoom = { type = "float" }'))).toEqual(expected);
    expect(pathsOf(showOf('viz = { tunnel = { camera = { zoom.type = "float" } } }'))).toEqual(expected);
  });

  it("and a table inside a declaration is a path below it", () => {
    const show = showOf("[viz.a.b]", 'type = "float"', 'c = { type = "int" }', 'unit = { type = "bool" }');
    expect(pathsOf(show)).toEqual(["/viz/a/b", "/viz/a/b/c", "/viz/a/b/unit"]);
  });

  it("so a parameter may be called type", () => {
    expect(pathsOf(showOf("[viz.a]", 'type = { type = "float" }'))).toEqual(["/viz/a/type"]);
  });

  it("and a key may be quoted", () => {
    expect(pathsOf(showOf('[viz."a.b"]', `'c"d' = { type = "float" }`))).toEqual(['/viz/a.b/c"d']);
  });
});

describe("a value is given", () => {
  it("to what always exists, under its table", () => {
    const show = showOf("[global]", "tempo = 126", "blackout = true", "[global.master]", "level = 0.5");
    expect(valuesOf(show)).toEqual({ "/global/tempo": 126, "/global/blackout": true, "/global/master/level": 0.5 });
    expect(show.declarations).toEqual([]);
  });

  it("to a declared path, in [values]", () => {
    const show = showOf("[values]", '"/viz/a/b" = 2.5', '"/global/tempo" = 90', "[viz.a]", 'b = { type = "float" }');
    expect(valuesOf(show)).toEqual({ "/viz/a/b": 2.5, "/global/tempo": 90 });
  });

  it("of every type", () => {
    const show = showOf(
      "[viz.a]",
      'float = { type = "float" }',
      'double = { type = "double" }',
      'int = { type = "int" }',
      'bool = { type = "bool" }',
      'string = { type = "string" }',
      'enum = { type = "enum", values = ["a", "b"] }',
      'color = { type = "color" }',
      'rgb = { type = "color" }',
      'vec2 = { type = "vec2" }',
      'vec3 = { type = "vec3" }',
      'vec4 = { type = "vec4" }',
      'quaternion = { type = "quaternion" }',
      'blob = { type = "blob" }',
      'impulse = { type = "impulse" }',
      "[values]",
      '"/viz/a/float" = 0.1',
      '"/viz/a/double" = 0.1',
      '"/viz/a/int" = 7',
      '"/viz/a/bool" = true',
      `"/viz/a/string" = 'x'`,
      '"/viz/a/enum" = "b"',
      '"/viz/a/color" = "#FF000000"',
      '"/viz/a/rgb" = [0, 0.5, 1]',
      '"/viz/a/vec2" = [1, 2]',
      '"/viz/a/vec3" = [1, 2, 3]',
      '"/viz/a/vec4" = [1, 2, 3, 4]',
      '"/viz/a/quaternion" = [0, 0, 0, 1]',
      '"/viz/a/blob" = "aGk="',
    );
    expect(valuesOf(show)).toEqual({
      "/viz/a/float": Math.fround(0.1),
      "/viz/a/double": 0.1,
      "/viz/a/int": 7,
      "/viz/a/bool": true,
      "/viz/a/string": "x",
      "/viz/a/enum": "b",
      "/viz/a/color": [1, 0, 0, 0],
      "/viz/a/rgb": [0, 0.5, 1, 1],
      "/viz/a/vec2": [1, 2],
      "/viz/a/vec3": [1, 2, 3],
      "/viz/a/vec4": [1, 2, 3, 4],
      "/viz/a/quaternion": [0, 0, 0, 1],
      "/viz/a/blob": Uint8Array.of(104, 105),
    });
  });
});

describe("an entity's table", () => {
  it.each(ENTITY_KINDS.filter(({ whole, prefix }) => whole && prefix !== "/system/peers"))(
    "declares all that the template of $prefix says",
    (kind) => {
      const show = showOf(`[${kind.prefix.slice(1).replaceAll("/", ".")}.one]`);
      const whole = kind.parameters.filter(({ isOptional }) => !isOptional);
      const expected = whole.map(({ name }) => `${kind.prefix}/one/${name}`).sort();
      expect(pathsOf(show)).toEqual(expected);
    },
  );

  it("declares optional parameters that it names", () => {
    const show = showOf("[mappings.one]", 'mode = "toggle"');
    expect(pathsOf(show)).toContain("/mappings/one/mode");
    expect(pathsOf(show)).not.toContain("/mappings/one/when");
    expect(valuesOf(show)).toEqual({ "/mappings/one/mode": "toggle" });
  });

  it("gives values to its parameters", () => {
    const show = showOf("[displays.left]", "size = [4, 2.25]", 'peer = "left-pc"');
    expect(valuesOf(show)).toEqual({ "/displays/left/peer": "left-pc", "/displays/left/size": [4, 2.25] });
  });

  it("may declare more, and declare a parameter otherwise", () => {
    const show = showOf(
      "[displays.left]",
      'gamma = { type = "float", default = 2.2 }',
      'size = { type = "vec2", default = [4, 3] }',
    );
    expect(pathsOf(show)).toContain("/displays/left/gamma");
    expect(show.declarations.find(({ path }) => path === "/displays/left/size")?.declaration.default).toEqual([4, 3]);
  });

  it("of a visualization declares only the parameters it names", () => {
    const show = showOf("[viz.tunnel]", "opacity = 0.5");
    expect(pathsOf(show)).toEqual(["/viz/tunnel/opacity"]);
    expect(show.declarations[0]?.declaration.range).toEqual({ min: 0, max: 1 });
    expect(pathsOf(showOf("[viz.tunnel]"))).toEqual([]);
  });

  it("is not needed: [declare] declares a path by itself", () => {
    expect(pathsOf(showOf("[declare]", '"/displays/left/size" = { type = "vec2" }'))).toEqual(["/displays/left/size"]);
  });
});

it("a show may change what always exists", () => {
  const show = showOf("[global]", 'tempo = { type = "float", range = [60, 200], default = 128 }');
  expect(show.declarations).toEqual([
    {
      path: "/global/tempo",
      declaration: declared({ type: "float", range: { min: 60, max: 200 }, default: 128 }),
    },
  ]);
});

it("a show is sorted by what stands on what, then by path", () => {
  const show = showOf('viz.b.x.type = "int"', "displays.a = {}", 'viz.a.x.type = "int"', "environment.name = 'x'");
  expect(pathsOf(show).map((path) => path.split("/")[1])).toEqual([...Array<string>(7).fill("displays"), "viz", "viz"]);
  expect(show.declarations).toEqual([...show.declarations].sort(comparePaths));
});

describe("a complaint", () => {
  it.each<[string, string[], string]>([
    ["syntax, with line and column", ["[viz]", "a = ="], "show.toml:2:5: invalid value"],
    ["an unknown top table", ["[vis.tunnel]"], "show.toml:1: vis: is none of format"],
    ["a top value", ["viz = 1"], "show.toml:1: viz: is not a table"],
    ["an unknown format", ["format = 2"], "show.toml:1: format: is not 1"],
    ["/system", ["[system]", "term = 1"], "show.toml:1: system: is written by the node itself"],
    [
      "a value nowhere declared",
      ["[viz.a]", "", "fov = 60"],
      'show.toml:3: viz.a.fov: is not declared; declare it as { type = "float"',
    ],
    ["a vector nowhere declared", ["[viz.a]", "at = [1, 2]"], '{ type = "vec2"'],
    [
      "a parameter that a display has not",
      ["[displays.left]", "siez = [1, 2]"],
      "show.toml:2: displays.left.siez: is not declared; a display has name, group",
    ],
    ["a value for a display itself", ["[displays]", "left = 5"], "displays.left: is not declared"],
    ["an unknown path in [values]", ["[values]", '"/viz/a/b" = 1'], 'show.toml:2: values."/viz/a/b": is not declared'],
    ["no path in [values]", ["[values]", '"viz/a" = 1'], "is no path: it does not begin with /"],
    ["a template's parameter named only in [values]", ["[values]", '"/viz/a/opacity" = 1'], "is not declared"],
    ["a wrong value", ["[displays.left]", "size = [4]"], "show.toml:2: displays.left.size: is not 2 numbers"],
    ["a value outside its range", ["[global]", "tempo = 5000"], "global.tempo: is outside the range 1..999"],
    ["a date", ["[global]", "tempo = 1979-05-27"], "global.tempo: is not a number"],
    ["infinity", ["[global]", "tempo = inf"], "global.tempo: is not a finite number"],
    ["not a number", ["[global]", "tempo = nan"], "global.tempo: is not a finite number"],
    ["an integer above 2^53", ["[global]", "tempo = 9007199254740993"], "show.toml:2:9: "],
    ["a value for an impulse", ["[transport]", "play = true"], "transport.play: an impulse has no value"],
    [
      "a wrong declaration",
      ["[viz.a]", 'b = { type = "float", range = [1, 0] }'],
      "show.toml:2: viz.a.b.range: has a minimum",
    ],
    [
      "a wrong field on its own line",
      ["[viz.a.b]", 'type = "float"', 'smooth = "x"'],
      "show.toml:3: viz.a.b.smooth: is not a time",
    ],
    [
      "a range as the library writes it",
      ["[viz.a]", 'b = { type = "float", range = { min = 0, max = 1 } }'],
      "viz.a.b.range: is written [min, max]",
    ],
    [
      "a wrong [declare]",
      ["[declare]", '"/viz/a b" = { type = "float" }', '"/viz/c" = 1'],
      'declare."/viz/a b": is no path',
    ],
    ["a declaration that is no table", ["[declare]", '"/viz/c" = 1'], "is not a table of fields"],
    ["/system in [declare]", ["[declare]", '"/system/x" = { type = "float" }'], "lies in /system"],
    [
      "a path declared twice",
      ["[viz.a]", 'b = { type = "float" }', "[declare]", '"/viz/a/b" = { type = "float" }'],
      "declares /viz/a/b a second time",
    ],
    [
      "a value given twice",
      ["[global]", "tempo = 1", "[values]", '"/global/tempo" = 2'],
      "gives /global/tempo a second value",
    ],
    [
      "another type for what exists always",
      ["[global]", 'tempo = { type = "int" }'],
      "global.tempo.type: must be float",
    ],
    [
      "another type for a template's parameter",
      ["[viz.a]", 'opacity = { type = "int" }'],
      "viz.a.opacity.type: must be float",
    ],
    ["a name OSC cannot carry", ['[viz."a b"]', 'c = { type = "float" }'], 'viz."a b": is no part of a path'],
    ["an empty name", ['[viz.""]'], 'viz."": is no part of a path'],
    ["__proto__", ["[viz.__proto__]", 'c = { type = "float" }'], "viz.__proto__: is no part of a path"],
    ["__proto__ at the top", ["[__proto__]", "x = 1"], "__proto__: is none of"],
    ["__proto__ as a field", ["[viz.a.b]", 'type = "float"', "__proto__ = 1"], "viz.a.b.__proto__: is no field"],
    ["a path too deep", [`[viz.${"a.".repeat(20)}a]`, 'type = "float"'], "is no path: it has more than 16 segments"],
    ["a path too long", [`[viz.${"a".repeat(300)}]`, 'type = "float"'], "longer than 255"],
    [
      "an alias twice",
      ["[viz.a]", 'b = { type = "float", alias = "/1" }', 'c = { type = "float", alias = "/1" }'],
      "show.toml:3: viz.a.c: has the alias /1, which is /viz/a/b's",
    ],
    [
      "an alias that is a path",
      ["[viz.a]", 'b = { type = "float", alias = "/global/tempo" }'],
      "has the alias /global/tempo",
    ],
  ])("names %s", (_, lines, complaint) => {
    expect(complaintsOf(...lines).join("\n")).toContain(complaint);
  });

  it("comes with all the others", () => {
    const complaints = complaintsOf("[vis]", "[global]", "tempo = 'x'", "tmepo = 1", "[viz.a]", 'b = { type = "?" }');
    expect(complaints.map((complaint) => complaint.split(":")[1])).toEqual(["1", "6", "3", "4"]);
  });

  it("is not followed by complaints about what hangs on it", () => {
    const complaints = complaintsOf("[viz.a]", 'b = { type = "flaot" }', "[values]", '"/viz/a/b" = 1');
    expect(complaints).toHaveLength(1);
  });

  it("of thousands is told as the first two hundred", () => {
    const complaints = complaintsOf("[values]", ...Array.from({ length: 1_000 }, (_, index) => `"/viz/${index}" = 1`));
    expect(complaints).toHaveLength(201);
    expect(complaints[200]).toBe("show.toml: and more: these are the first 200 complaints");
  });
});

describe("a hostile show", () => {
  it("of more than 16 MB is refused", () => {
    const parsed = parseShow(" ".repeat(SHOW_MAX_BYTES + 1), "show.toml");
    expect(parsed).toMatchObject({ complaints: [{ message: "is longer than 16,777,216 bytes" }] });
  });

  it("of more paths than the node holds is refused", () => {
    const text = Array.from({ length: 11 }, (_, index) => `viz.a.p${index}.type = "float"`).join("\n");
    expect(parseShow(text, "show.toml", { paths: 10 })).toMatchObject({
      complaints: [{ message: "declares more than 10 paths" }],
    });
    expect(parseShow(text, "show.toml", { paths: 11 })).toHaveProperty("show");
  });

  it("never makes it throw", () => {
    const word = fc.constantFrom(
      ...[
        "[",
        "]",
        "viz",
        "global",
        "values",
        "declare",
        "displays",
        "a",
        ".",
        "=",
        "type",
        '"float"',
        "'",
        '"""',
        "{",
      ],
      ...["}", ",", "\n", "1", "-0.0", "inf", "nan", "1979-05-27", "07:32:00", "__proto__", "constructor", "#", "\\"],
      ...['"/viz/a"', "range", "default", "true", "[0, 1]", "\0", "\ud800", "9007199254740993", "0x1F", " "],
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        parseShow(words.join(""), "show.toml");
        parseShow(words.join(" "), "show.toml");
      }),
      { numRuns: 3_000 },
    );
  });

  it("never makes it throw as a tree of anything", () => {
    const key = fc.constantFrom(
      "viz",
      "global",
      "displays",
      "left",
      "type",
      "range",
      "values",
      "__proto__",
      "a",
      "size",
    );
    const leaf = fc.constantFrom("1", "inf", '"x"', '"float"', "[1, [2]]", "1979-05-27", "true", "[{}, 1]", "[]");
    const line = fc.tuple(fc.array(key, { minLength: 1, maxLength: 5 }), leaf);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        parseShow(lines.map(([keys, value]) => `${keys.join(".")} = ${value}`).join("\n"), "show.toml");
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("the example show", () => {
  const show = showOf(readFileSync(new URL("../../../config/show.example.toml", import.meta.url), "utf8"));
  const types = new Set(show.declarations.map(({ declaration }) => declaration.type));

  it("uses every type", () => {
    expect(types.size).toBe(13);
  });

  it("has two visualizations, three displays and windows that name them", () => {
    const idsUnder = (top: string): string[] => [
      ...new Set(pathsOf(show).flatMap((path) => (path.startsWith(`/${top}/`) ? [path.split("/")[2] as string] : []))),
    ];
    expect(idsUnder("viz")).toEqual(["particles", "tunnel"]);
    expect(idsUnder("displays")).toHaveLength(3);
    const values = valuesOf(show);
    for (const window of idsUnder("windows")) {
      expect(idsUnder("displays")).toContain(values[`/windows/${window}/display`]);
      expect(idsUnder("viz")).toContain(values[`/windows/${window}/visualization`]);
    }
    for (const display of idsUnder("displays")) {
      expect(idsUnder("groups")).toContain(values[`/displays/${display}/group`]);
    }
  });

  it("has a route from a source that exists to a path that exists", () => {
    const values = valuesOf(show);
    expect(pathsOf(show)).toContain(
      `/modulation/sources/${String(values["/modulation/routes/breath-glow/source"])}/rate`,
    );
    expect(pathsOf(show)).toContain(values["/modulation/routes/breath-glow/destination"]);
  });
});
