/**
 * Device adoption: a user says which device of this machine an alias means. Two equal ones are swapped with it.
 *
 * It answers with a sentence about what is wrong, and then nothing was changed; "" when it was done and kept.
 */
import type { AdoptRequest } from "../manage/surface-reports.js";
import type { Adoption, KnownProfile } from "../input/surface-profiles.js";
import type { Identity } from "./identity-ask.js";
import type { SurfaceCatalog } from "./surface-catalog.js";
import { messageOf } from "./trouble.js";

/** What adoption needs of the devices that are plugged in. */
export interface AdoptingDevices {
  list(): readonly { readonly alias: string; readonly input: string; readonly state: string }[];
  /** The port's own name of the device that has this alias now, and what tells it apart from its equals. */
  unitOf(alias: string): { readonly own: string; readonly place: string } | undefined;
  adopt(adoptions: readonly Adoption[]): void;
  /** Asks a device who it is. */
  identify(alias: string, known: readonly KnownProfile[]): Promise<Identity>;
}

const KNOWN: Identity = { profile: "", problem: "" };
const ALIAS = /^[a-z0-9]+(-[a-z0-9]+)*$/;

export async function adoptDevice(
  request: AdoptRequest,
  catalog: SurfaceCatalog,
  devices: AdoptingDevices,
): Promise<string> {
  const { alias, profile, identify = false } = request;
  if (!ALIAS.test(alias)) return `${alias}: is no alias: lower case letters and digits, with hyphens between`;
  if (profile !== undefined && !catalog.profiles.has(profile)) return `${profile}: there is no such profile`;
  const found = deviceOf(request, devices);
  if ("problem" in found) return found.problem;
  const unit = devices.unitOf(found.alias);
  if (unit === undefined) return `${found.alias}: is not plugged in`;
  const other = found.alias === alias ? undefined : devices.unitOf(alias);
  if (other !== undefined && other.own === unit.own && other.place === unit.place) {
    return `${alias} and ${found.alias}: this system does not tell them apart, so only their cables can be swapped`;
  }
  const identity = identify ? await devices.identify(found.alias, catalog.profiles.all) : KNOWN;
  if (identity.problem !== "") return `${found.alias}: ${identity.problem}`;
  const asked = identity.profile === "" ? profile : identity.profile;
  const chosen = (name: string): string => catalog.adoptions.find((one) => one.alias === name)?.profile ?? "";
  const kept = catalog.adoptions.filter((one) => one.alias !== alias && one.alias !== found.alias);
  const adoptions = [...kept, { alias, ...unit, profile: asked ?? chosen(found.alias) }];
  if (other !== undefined) adoptions.push({ alias: found.alias, ...other, profile: chosen(alias) });
  return keep(adoptions, catalog, devices);
}

/** Ends what a user said about an alias. */
export function forgetDevice(alias: string, catalog: SurfaceCatalog, devices: AdoptingDevices): string {
  const left = catalog.adoptions.filter((one) => one.alias !== alias);
  if (left.length === catalog.adoptions.length) return `${alias}: was not adopted on this machine`;
  return keep(left, catalog, devices);
}

function keep(adoptions: readonly Adoption[], catalog: SurfaceCatalog, devices: AdoptingDevices): string {
  try {
    catalog.adopt(adoptions);
  } catch (error) {
    return messageOf(error);
  }
  devices.adopt(adoptions);
  return "";
}

/** The device that is meant: the one that is named, or the only one that nothing is bound to. */
function deviceOf(
  { alias, device }: AdoptRequest,
  devices: AdoptingDevices,
): { readonly alias: string } | { readonly problem: string } {
  const plugged = devices.list().filter(({ input }) => input !== "");
  if (device !== undefined) {
    const named = plugged.find((one) => one.alias === device || one.input === device);
    return named ?? { problem: `${device}: no such device is plugged in; plugged in: ${names(plugged)}` };
  }
  const own = plugged.find((one) => one.alias === alias);
  const free = own === undefined ? plugged.filter(({ state }) => state === "unused") : [own];
  const [only] = free;
  if (only !== undefined && free.length === 1) return only;
  return { problem: `${alias}: say which device it is to be: ${names(free)}` };
}

function names(devices: readonly { readonly alias: string }[]): string {
  return devices.length === 0 ? "none is plugged in" : devices.map(({ alias }) => alias).join(", ");
}
