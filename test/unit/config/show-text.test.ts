import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { comparePaths, parseShow, type Show, type ShowValue } from "../../../src/config/show.js";
import { collectShow, formatShow, tomlDeclaration } from "../../../src/config/show-text.js";
import type { Declaration } from "../../../src/state/declaration.js";
import {
  type DeclaredPath,
  ENTITY_KINDS,
  FIXED_PATHS,
  everyPath,
  fixedDeclaration,
  instantiate,
  isOptional,
  templateDeclaration,
} from "../../../src/state/templates.js";
import { anyDeclaration, anyDeclarationOf, anyPath, anyValue, declared } from "./arbitraries.js";

function reread(show: Show): unknown {
  const parsed = parseShow(formatShow(show), "show.toml");
  return "show" in parsed ? parsed.show : parsed.complaints;
}

function sorted(declarations: readonly DeclaredPath[], values: readonly ShowValue[]): Show {
  return { declarations: [...declarations].sort(comparePaths), values: [...values].sort(comparePaths) };
}

const freeDeclarations = fc.array(
  anyPath.chain((path) => {
    const known = fixedDeclaration(path) ?? templateDeclaration(path);
    const declaration = known === undefined ? anyDeclaration : anyDeclarationOf(known.type);
    return declaration.map((declaration) => ({ path, declaration }));
  }),
  { maxLength: 12 },
);

/** Entities as nodes hold them: whole, with some parameters removed, or with some declared otherwise. */
const entityDeclarations = fc.array(
  fc
    .tuple(
      fc.constantFrom(...ENTITY_KINDS.filter(({ prefix }) => !prefix.startsWith("/system"))),
      fc.constantFrom("left", "right", "type", "a.b"),
      fc.constantFrom(0, 0, 0, 1, 2),
    )
    .chain(([kind, id, removed]) => {
      const first = instantiate(kind, id);
      const all = everyPath(kind, id);
      const more = all.filter(({ path }) => isOptional(path));
      const kept = removed === 0 ? fc.subarray(more).map((some) => [...first, ...some]) : fc.subarray(all);
      return kept.chain((entries) => fc.tuple(...entries.map(perhapsOtherwise)));
    }),
  { maxLength: 3 },
);

function perhapsOtherwise({ path, declaration }: DeclaredPath): fc.Arbitrary<DeclaredPath> {
  return fc.oneof(
    { weight: 9, arbitrary: fc.constant({ path, declaration }) },
    { weight: 1, arbitrary: anyDeclarationOf(declaration.type).map((other) => ({ path, declaration: other })) },
  );
}

const fixedDeclarations = fc.subarray([...FIXED_PATHS]).chain((entries) => {
  const mine = entries.filter(({ path }) => !path.startsWith("/system"));
  return fc.tuple(
    ...mine.map(({ path, declaration }) =>
      anyDeclarationOf(declaration.type).map((other) => ({ path, declaration: other })),
    ),
  );
});

/** One declaration a path, one path an alias; nothing that every node has anyway. */
function normal(declarations: readonly DeclaredPath[]): DeclaredPath[] {
  const byPath = new Map<string, Declaration>();
  const aliases = new Set<string>();
  for (const { path, declaration } of declarations) {
    if (byPath.has(path) || aliases.has(declaration.oscAlias)) continue;
    if (declaration.oscAlias !== "") aliases.add(declaration.oscAlias);
    byPath.set(path, declaration);
  }
  return [...byPath].map(([path, declaration]) => ({ path, declaration }));
}

const anyShow: fc.Arbitrary<Show> = fc
  .tuple(freeDeclarations, entityDeclarations, fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fixedDeclarations))
  .map(([free, entities, fixed]) => normal([...free, ...entities.flat(), ...fixed]))
  .chain((declarations) => {
    const known = new Map([...FIXED_PATHS, ...declarations].map((entry) => [entry.path, entry]));
    const valued = [...known.values()].filter(
      ({ path, declaration }) => declaration.type !== "impulse" && !path.startsWith("/system"),
    );
    return fc
      .subarray(valued)
      .chain((entries) =>
        fc.tuple(...entries.map(({ path, declaration }) => anyValue(declaration).map((value) => ({ path, value })))),
      )
      .map((values) => sorted(declarations, values));
  });

describe("a show as text", () => {
  it("reads back as the same show, whatever it declares and holds", () => {
    fc.assert(
      fc.property(anyShow, (show) => {
        expect(reread(show)).toEqual(show);
      }),
      { numRuns: 150 },
    );
  });

  it("is the same text for the same show in any order", () => {
    fc.assert(
      fc.property(anyShow, (show) => {
        const turned = { declarations: [...show.declarations].reverse(), values: [...show.values].reverse() };
        expect(formatShow(turned)).toBe(formatShow(show));
      }),
      { numRuns: 30 },
    );
  });

  it("of the example reads back as the example", () => {
    const text = readFileSync(new URL("../../../config/show.example.toml", import.meta.url), "utf8");
    const parsed = parseShow(text, "show.example.toml");
    expect("show" in parsed && reread(parsed.show)).toEqual("show" in parsed && parsed.show);
  });

  it("is what a person would write", () => {
    const show = parseShow(
      [
        '"viz"."tunnel"."camera" = { "zoom" = { default = 1.0, type = "float", range = [1e-1, 10.0] } }',
        'displays.left.size = [4.0, 2.25]\nglobal.tempo = 128.0\nviz.tunnel.kind = "tunnel"',
        'viz.a = { type = "color", default = [1, 0, 0] }',
        'viz.a.b = { type = "bool" }',
        '[values]\n"/viz/tunnel/camera/zoom" = 2.50',
      ].join("\n"),
      "show.toml",
    );
    expect("complaints" in show ? show.complaints : []).toMatchObject([
      { message: expect.stringContaining("redefine") },
    ]);
    const fixed = parseShow(
      [
        '"viz"."tunnel"."camera" = { "zoom" = { default = 1.0, type = "float", range = [1e-1, 10.0] } }',
        'displays.left.size = [4.0, 2.25]\nglobal.tempo = 128.0\nviz.tunnel.kind = "tunnel"',
        'viz.a = { type = "color", default = [1, 0, 0], b = { type = "bool" } }',
        '[values]\n"/viz/tunnel/camera/zoom" = 2.50',
      ].join("\n"),
      "show.toml",
    );
    expect("show" in fixed && formatShow(fixed.show)).toBe(`format = 1

[displays.left]
size = [4, 2.25]

[viz.a]
b = { type = "bool" }

[viz.tunnel]
kind = "tunnel"

[viz.tunnel.camera]
zoom = { type = "float", range = [0.1, 10], default = 1 }

[global]
tempo = 128

[declare]
"/viz/a" = { type = "color", default = "#ff0000" }

[values]
"/viz/tunnel/camera/zoom" = 2.5
`);
  });

  it("says of an optional parameter what it holds, and nothing of the others", () => {
    const kind = ENTITY_KINDS.find(({ prefix }) => prefix === "/mappings");
    const mode = "/mappings/a/mode";
    const all = kind === undefined ? [] : everyPath(kind, "a");
    const declarations = all.filter(({ path }) => !isOptional(path) || path === mode);
    const text = formatShow(sorted(declarations, [{ path: mode, value: "toggle" }]));
    expect(text).toBe('format = 1\n\n[mappings.a]\nmode = "toggle"\n');
  });

  it("of an entity that lacks a parameter does not bring it back", () => {
    const kind = ENTITY_KINDS.find(({ prefix }) => prefix === "/groups");
    const [, ...rest] = kind === undefined ? [] : instantiate(kind, "a");
    expect(rest.length).toBeGreaterThan(0);
    expect(reread(sorted(rest, []))).toEqual(sorted(rest, []));
  });
});

describe("a declaration as text", () => {
  it("holds its type and nothing that it would be anyway", () => {
    expect(tomlDeclaration(declared({ type: "float" }))).toBe('{ type = "float" }');
    expect(tomlDeclaration(declared({ type: "float", range: { min: 2, max: 3 }, default: 2, clip: "both" }))).toBe(
      '{ type = "float", range = [2, 3] }',
    );
    expect(tomlDeclaration(declared({ type: "enum", values: ["a", "b"], default: "a" }))).toBe(
      '{ type = "enum", values = ["a", "b"] }',
    );
  });

  it("holds every field that says something", () => {
    const text = tomlDeclaration(
      declared({
        type: "vec2",
        range: { min: -1, max: 0.1 },
        clip: "low",
        default: [0, 0.1],
        unit: "m",
        description: 'a "b"',
        group: "g",
        smoothMs: 1.5,
        easing: "linear",
        oscAlias: "/1/xy",
        persist: false,
        undo: false,
        recall: false,
        critical: true,
      }),
    );
    expect(text).toBe(
      '{ type = "vec2", range = [-1, 0.1], clip = "low", default = [0, 0.1], unit = "m", description = "a \\"b\\"", ' +
        'group = "g", smooth = 1.5, easing = "linear", alias = "/1/xy", persist = false, undo = false, ' +
        "recall = false, critical = true }",
    );
  });

  it("writes a color in hexadecimal only where that is exact", () => {
    expect(tomlDeclaration(declared({ type: "color", default: [1, 0, 0, 1] }))).toContain('"#ff0000"');
    expect(tomlDeclaration(declared({ type: "color", default: [1, 0, 0, 0] }))).toContain('"#ff000000"');
    expect(tomlDeclaration(declared({ type: "color", default: [0.5, 0, 0, 1] }))).toContain("[0.5, 0, 0, 1]");
  });
});

describe("what is collected from a running node", () => {
  const float = declared({ type: "float", default: 1 });

  it("is what differs from what a new node has", () => {
    const show = collectShow([
      { path: "/viz/a/moved", declaration: float, value: 2 },
      { path: "/viz/a/still", declaration: float, value: 1 },
      { path: "/viz/a/fleeting", declaration: declared({ type: "float", persist: false }), value: 2 },
      { path: "/viz/a/kick", declaration: declared({ type: "impulse" }), value: null },
      { path: "/system/term", declaration: fixedDeclaration("/system/term") as Declaration, value: 3 },
      { path: "/global/tempo", declaration: fixedDeclaration("/global/tempo") as Declaration, value: 128 },
      { path: "/global/blackout", declaration: fixedDeclaration("/global/blackout") as Declaration, value: false },
    ]);
    expect(show.declarations.map(({ path }) => path)).toEqual([
      "/viz/a/fleeting",
      "/viz/a/kick",
      "/viz/a/moved",
      "/viz/a/still",
    ]);
    expect(show.values).toEqual([
      { path: "/viz/a/moved", value: 2 },
      { path: "/global/tempo", value: 128 },
    ]);
    expect(reread(show)).toEqual(show);
  });

  it("holds a path that always exists only if it was declared otherwise", () => {
    const declaration = declared({ type: "float", range: { min: 60, max: 200 }, default: 120 });
    const show = collectShow([{ path: "/global/tempo", declaration, value: 120 }]);
    expect(show).toEqual({ declarations: [{ path: "/global/tempo", declaration }], values: [] });
  });
});
