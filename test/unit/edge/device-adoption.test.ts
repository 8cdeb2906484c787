import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adoptDevice, type AdoptingDevices, forgetDevice } from "../../../src/edge/device-adoption.js";
import { SurfaceCatalog } from "../../../src/edge/surface-catalog.js";
import type { Adoption } from "../../../src/input/surface-profiles.js";

const PADS = [
  { alias: "pads", input: "Pad 20:0", state: "open", own: "Pad", place: "A@1" },
  { alias: "pads-2", input: "Pad 24:0", state: "unused", own: "Pad", place: "B@2" },
];
const identities: Record<string, { profile: string; problem: string }> = {
  "pads-2": { profile: "akai-apc-mini-mk2", problem: "" },
};
let folder: string;
let catalog: SurfaceCatalog;
let problems: string[];
let adopted: readonly Adoption[];

function machine(plugged = PADS): AdoptingDevices {
  return {
    list: () => plugged,
    unitOf: (alias) => {
      const unit = plugged.find((one) => one.alias === alias);
      return unit && { own: unit.own, place: unit.place };
    },
    identify: (alias) => Promise.resolve(identities[alias] ?? { profile: "", problem: "did not answer who it is" }),
    adopt: (adoptions) => {
      adopted = adoptions;
    },
  };
}

function newCatalog(): SurfaceCatalog {
  problems = [];
  return new SurfaceCatalog({
    onProblem: (sentences) => problems.push(...sentences),
    onLoaded: () => {},
    environment: { XDG_CONFIG_HOME: folder, APPDATA: folder, HOME: folder },
  });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "hana-"));
  adopted = [];
  catalog = newCatalog();
  await catalog.load();
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("adopting", () => {
  it("gives the only device that nothing is bound to the alias, and keeps that", async () => {
    expect(await adoptDevice({ alias: "left" }, catalog, machine())).toBe("");
    expect(adopted).toEqual([{ alias: "left", own: "Pad", place: "B@2", profile: "" }]);
    const next = newCatalog();
    await next.load();
    expect(next.adoptions).toEqual(adopted);
  });

  it("swaps two devices, with the profiles that were chosen for them", async () => {
    await adoptDevice({ alias: "pads", device: "pads", profile: "generic-pads" }, catalog, machine());
    expect(await adoptDevice({ alias: "pads", device: "Pad 24:0" }, catalog, machine())).toBe("");
    expect(adopted).toEqual([
      { alias: "pads", own: "Pad", place: "B@2", profile: "" },
      { alias: "pads-2", own: "Pad", place: "A@1", profile: "generic-pads" },
    ]);
  });

  it.each([
    [{ alias: "Left" }, "is no alias"],
    [{ alias: "left", profile: "none" }, "there is no such profile"],
    [{ alias: "left", device: "keys" }, "no such device is plugged in; plugged in: pads, pads-2"],
  ])("refuses %j and says why", async (request, text) => {
    expect(await adoptDevice(request, catalog, machine())).toContain(text);
    expect(adopted).toEqual([]);
  });

  it("asks which one is meant where several could be, or none", async () => {
    const free = PADS.map((one) => ({ ...one, state: "unused" }));
    expect(await adoptDevice({ alias: "left" }, catalog, machine(free))).toContain(
      "which device it is to be: pads, pads-2",
    );
    expect(await adoptDevice({ alias: "left" }, catalog, machine([]))).toContain("none is plugged in");
  });

  it("says that two cannot be swapped where the system does not tell them apart", async () => {
    const equal = PADS.map((one) => ({ ...one, place: "" }));
    expect(await adoptDevice({ alias: "pads", device: "pads-2" }, catalog, machine(equal))).toContain(
      "only their cables",
    );
  });

  it("asks the device who it is, if that is wanted, and takes the profile that knows it", async () => {
    expect(await adoptDevice({ alias: "left", identify: true }, catalog, machine())).toBe("");
    expect(adopted).toMatchObject([{ alias: "left", profile: "akai-apc-mini-mk2" }]);
    const problem = await adoptDevice({ alias: "right", device: "pads", identify: true }, catalog, machine());
    expect([problem, adopted.length]).toEqual(["pads: did not answer who it is", 1]);
  });

  it("is ended by forgetting", async () => {
    await adoptDevice({ alias: "left" }, catalog, machine());
    expect(forgetDevice("right", catalog, machine())).toContain("was not adopted");
    expect(forgetDevice("left", catalog, machine())).toBe("");
    expect([adopted, catalog.adoptions]).toEqual([[], []]);
  });
});

describe("the file of aliases", () => {
  it.each(["", "{", "[]", '{"format":2,"devices":{}}', '{"format":1,"devices":{"a":{"port":1}}}'])(
    "is left alone and told when it is %j",
    async (text) => {
      const file = join(folder, "hana", "surfaces.json");
      await adoptDevice({ alias: "left" }, catalog, machine());
      writeFileSync(file, text);
      const next = newCatalog();
      await next.load();
      expect([next.adoptions, problems]).toEqual([[], [expect.stringContaining("is damaged")]]);
      expect(await adoptDevice({ alias: "right" }, next, machine())).toContain("is damaged");
      expect(readFileSync(file, "utf8")).toBe(text);
    },
  );
});

describe("a profile of the user with mistakes", () => {
  it("is told and left out, and the others serve", async () => {
    const own = join(folder, "hana", "hardware-profiles");
    await adoptDevice({ alias: "left" }, catalog, machine());
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, "mine.json"), "{}");
    const next = newCatalog();
    await next.load();
    expect(problems.join()).toContain("mine.json");
    expect([next.profiles.has("mine"), next.profiles.has("akai-apc-mini-mk2")]).toEqual([false, true]);
  });
});
