import { describe, expect, it } from "vitest";
import { parseDeclaration } from "../../../src/config/declarations.js";
import { COMPONENTS } from "../../../src/state/component.js";
import { validatePath } from "../../../src/state/path.js";
import {
  ENTITY_KINDS,
  entityOf,
  everyPath,
  FIXED_PATHS,
  fixedDeclaration,
  instantiate,
  isLayer,
  isOptional,
  layerDeclaration,
  templateDeclaration,
} from "../../../src/state/templates.js";

const everything = [...FIXED_PATHS, ...ENTITY_KINDS.flatMap((kind) => everyPath(kind, "one"))];

describe("the templates", () => {
  it("reach every subtree", () => {
    expect(new Set(everything.map(({ path }) => path.split("/")[1]))).toEqual(new Set(COMPONENTS));
  });

  it.each(everything)("say about $path what a declaration may say, and what it is for", ({ path, declaration }) => {
    expect(validatePath(path)).toBe("");
    expect(parseDeclaration(declaration)).toEqual({ declaration });
    expect(declaration.description).not.toBe("");
  });

  it("name every path once, and none both as a value and as what holds others", () => {
    const paths = everything.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths.filter((path) => paths.some((other) => other.startsWith(`${path}/`)))).toEqual([]);
  });

  it("call no parameter type, which makes a table of a show a declaration", () => {
    expect(everything.filter(({ path }) => path.endsWith("/type"))).toEqual([]);
  });

  it("let no scene and no undo touch panic, and save nothing of /system", () => {
    for (const path of ["/global/blackout", "/global/freeze"]) {
      expect(fixedDeclaration(path)).toMatchObject({ type: "bool", undo: false, recall: false, persist: true });
    }
    expect(everything.filter(({ path, declaration }) => path.startsWith("/system") && declaration.persist)).toEqual([]);
  });

  it("have what the display environment is made of", () => {
    const typesOf = (prefix: string): Record<string, string> =>
      Object.fromEntries(
        ENTITY_KINDS.filter((kind) => kind.prefix === prefix).flatMap(({ parameters }) =>
          parameters.map(({ name, declaration }) => [name, declaration.type]),
        ),
      );
    expect(typesOf("/groups")).toMatchObject({ position: "vec3", rotation: "quaternion" });
    expect(typesOf("/displays")).toMatchObject({
      size: "vec2",
      resolution: "vec2",
      position: "vec3",
      rotation: "quaternion",
      peer: "string",
    });
    expect(typesOf("/windows")).toMatchObject({ bounds: "vec4", display: "string", visualization: "string" });
    expect(typesOf("/modulation/routes")).toMatchObject({ source: "string", destination: "string", amount: "float" });
  });
});

describe("an optional parameter", () => {
  const [kind] = ENTITY_KINDS.filter(({ prefix }) => prefix === "/mappings");

  it("is none that an entity begins with, and is known by its name", () => {
    if (kind === undefined) throw new Error("there are mappings");
    const first = instantiate(kind, "a").map(({ path }) => path);
    const rest = everyPath(kind, "a").filter(({ path }) => !first.includes(path));
    expect(rest.map(({ path }) => path)).toContain("/mappings/a/mode");
    expect(rest.every(({ path }) => isOptional(path) && templateDeclaration(path) !== undefined)).toBe(true);
    expect(first.some(isOptional)).toBe(false);
  });
});

describe("a layer", () => {
  it("is on or off by a button, and a number where it is chosen or counted", () => {
    expect([isLayer("/global/layers/shift"), isLayer("/global/master/level")]).toEqual([true, false]);
    expect(["", "momentary", "toggle"].map((mode) => layerDeclaration(mode).type)).toEqual(["bool", "bool", "bool"]);
    expect(layerDeclaration("radio")).toMatchObject({ type: "int", range: { min: 0, max: 127 }, recall: false });
  });
});

describe("a path's place", () => {
  it("is the entity that it lies in, and the parameter", () => {
    expect(entityOf("/displays/left/size")).toMatchObject({ kind: { name: "display" }, id: "left", parameter: "size" });
    expect(entityOf("/displays/left")).toMatchObject({ id: "left", parameter: "" });
    expect(entityOf("/modulation/sources/a/rate")).toMatchObject({ kind: { name: "modulation source" }, id: "a" });
    expect(entityOf("/viz/tunnel/camera/zoom")).toMatchObject({ id: "tunnel", parameter: "camera/zoom" });
  });

  it.each(["/global/tempo", "/displays", "/modulation/sources", "/modulation/other/a", "/system/term"])(
    "of %s is in no entity",
    (path) => {
      expect(entityOf(path)).toBeUndefined();
    },
  );

  it("says what the template says about it", () => {
    expect(templateDeclaration("/displays/left/size")?.type).toBe("vec2");
    expect(templateDeclaration("/displays/left/gamma")).toBeUndefined();
    expect(templateDeclaration("/displays/left")).toBeUndefined();
    expect(templateDeclaration("/global/tempo")).toBeUndefined();
  });
});
