/**
 * Surface aliases: the file that says which device of this machine a user meant by an alias.
 *
 * Shows hold aliases; which port that is, is for each machine to know, so it lies in the configuration folder and is
 * shared by all nodes of the user. It is there whole or not at all. A damaged file is never written over: it may be
 * mended.
 */
import { dirname, join } from "node:path";
import type { Adoption } from "../input/surface-profiles.js";
import { messageOf } from "./trouble.js";
import type { UserFolders } from "./user-folders.js";
import { makePrivateFolder, readWholeFile, replaceWholeFile } from "./whole-file.js";

const FILE = "surfaces.json";
const ADOPTIONS_MAX = 256;
const TEXT_MAX = 256;

export interface AliasFileContents {
  readonly adoptions: readonly Adoption[];
  /** What is wrong with the file, as a sentence; "" when nothing is. */
  readonly problem: string;
}

export class SurfaceAliases {
  private readonly path: string;

  constructor({ config }: UserFolders) {
    this.path = join(config, FILE);
  }

  /** No file: nothing was adopted. Never throws. */
  read(): AliasFileContents {
    try {
      const text = readWholeFile(this.path);
      const adoptions = text === undefined ? [] : parse(text);
      if (adoptions !== undefined) return { adoptions, problem: "" };
    } catch (error) {
      return { adoptions: [], problem: `${this.path} cannot be read: ${messageOf(error)}` };
    }
    return { adoptions: [], problem: `${this.path} is damaged: mend it or remove it` };
  }

  /** Throws what the file system throws. */
  write(adoptions: readonly Adoption[]): void {
    const devices = Object.fromEntries(
      adoptions.map(({ alias, own, place, profile }) => [alias, { port: own, place, profile }]),
    );
    makePrivateFolder(dirname(this.path));
    replaceWholeFile(this.path, `${JSON.stringify({ format: 1, devices }, undefined, 2)}\n`);
  }
}

/** Undefined when it is not what `write` wrote. */
function parse(text: string): Adoption[] | undefined {
  const value = jsonOf(text);
  if (!isRecord(value) || value["format"] !== 1 || !isRecord(value["devices"])) return undefined;
  const entries = Object.entries(value["devices"]);
  const adoptions = entries.map(([alias, device]) => adoptionOf(alias, device));
  if (entries.length > ADOPTIONS_MAX) return undefined;
  return adoptions.every((adoption) => adoption !== undefined) ? adoptions : undefined;
}

function adoptionOf(alias: string, device: unknown): Adoption | undefined {
  if (!isRecord(device)) return undefined;
  const { port: own, place, profile } = device;
  return isText(own) && isText(place) && isText(profile) ? { alias, own, place, profile } : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= TEXT_MAX;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
