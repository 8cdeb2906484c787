/** The lock file: what a fresh clone on another machine and another system installs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../../..");

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(root, file), "utf8"));
}

const { packages } = readJson("package-lock.json") as { packages: Readonly<Record<string, LockedPackage>> };
const locked = Object.entries(packages).filter(([path]) => path !== "");

it("names no registry, so that each machine installs from its own", () => {
  expect(locked.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});

it("lists the optional packages of every system, without which `npm ci` refuses it there", () => {
  const names = new Set(locked.map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)));
  const optional = locked.flatMap(([, { optionalDependencies = {} }]) => Object.keys(optionalDependencies));
  expect(optional.length).toBeGreaterThan(50);
  expect(optional.filter((name) => !names.has(name))).toEqual([]);
});

it("holds exactly the versions that package.json pins", () => {
  const { dependencies, devDependencies } = readJson("package.json") as Manifest;
  const pinned = { ...dependencies, ...devDependencies };
  const installed = Object.keys(pinned).map((name) => [name, packages[`node_modules/${name}`]?.version]);
  expect(Object.fromEntries(installed)).toEqual(pinned);
});
