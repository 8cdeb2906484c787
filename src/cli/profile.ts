/**
 * Profile: lists the hardware profiles on this machine, and says everything that is wrong with one. Needs no node.
 */
import { formatComplaint } from "../config/complaint.js";
import type { Profile } from "../config/profile.js";
import { type LibraryEntry, readProfile, readProfiles } from "../edge/profile-library.js";
import { CommandError, ExitCode } from "./command-error.js";
import { printJson, printLine, tableText } from "./output.js";

interface ListOptions {
  readonly json?: boolean;
}

/** @throws CommandError (78) with every complaint, after the profiles that are right have been listed. */
export function listProfiles(options: ListOptions): void {
  const entries = readProfiles();
  const rows = entries.flatMap((entry) => ("profile" in entry.parsed ? [rowOf(entry, entry.parsed.profile)] : []));
  if (options.json) printJson(rows);
  else printLine(tableText([HEADER, ...rows.map(cellsOf)]));
  failWith(entries.flatMap(({ parsed }) => ("complaints" in parsed ? parsed.complaints.map(formatComplaint) : [])));
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly vendor: string;
  readonly transport: string;
  readonly controls: number;
  readonly leds: number;
  readonly verified: boolean;
  readonly file: string;
}

const HEADER = ["profile", "name", "transport", "controls", "verified", "file"];

function rowOf({ id, file }: LibraryEntry, profile: Profile): Row {
  const { vendor, transport, isVerified } = profile;
  return {
    id,
    name: fullName(profile),
    vendor,
    transport,
    controls: profile.controls.size,
    leds: ledCount(profile),
    verified: isVerified,
    file,
  };
}

function cellsOf({ id, name, transport, controls, verified, file }: Row): string[] {
  return [id, name, transport, String(controls), verified ? "yes" : "in part", file];
}

/** Says what each file holds. @throws CommandError (78) with every complaint about all of them. */
export function checkProfiles(files: readonly string[]): void {
  const complaints: string[] = [];
  for (const file of files) {
    const parsed = readProfile(file);
    if ("profile" in parsed) printLine(summaryOf(file, parsed.profile));
    else complaints.push(...parsed.complaints.map(formatComplaint));
  }
  failWith(complaints);
}

function failWith(complaints: readonly string[]): void {
  if (complaints.length > 0) throw new CommandError(complaints, ExitCode.badConfiguration);
}

function summaryOf(file: string, profile: Profile): string {
  const { size } = profile.controls;
  const note = profile.isVerified ? "" : "; not all of it verified";
  return `${file}: ${fullName(profile)}: ${size} control${size === 1 ? "" : "s"}, ${ledCount(profile)} with LEDs${note}`;
}

/** The vendor once: some names begin with it. */
function fullName({ vendor, name }: Profile): string {
  return vendor === "" || name.startsWith(vendor) ? name : `${vendor} ${name}`;
}

/** Rings, too, are LEDs. */
function ledCount({ controls }: Profile): number {
  return [...controls.values()].filter(({ led, ring }) => led !== undefined || ring !== undefined).length;
}
