/**
 * Profile file: a hardware profile's text to a profile that can be asked, or every complaint at once.
 *
 * A part that is wrong is put aside and the rest is judged all the same, so that one mistake hides no other. It never
 * throws on a text, however hostile. It imports the schema library: load it lazily.
 */
import type { z } from "zod";
import { type Complaint, FileComplaints } from "./complaint.js";
import { type JsonDocument, parseJson } from "./json-text.js";
import type { Profile } from "./profile.js";
import { expandProfile, type PartialProfileFile } from "./profile-expand.js";
import { adviceOn, type FileNames } from "./profile-judge.js";
import { expandName, type Place, type Report } from "./profile-notation.js";
import { profileSchema } from "./profile-schema.js";

export type ParsedProfile = { readonly profile: Profile } | { readonly complaints: readonly Complaint[] };

const FILE_MAX_BYTES = 1024 * 1024;
/** Tables of names, of which a wrong entry is put aside by itself. */
const TABLES: readonly PropertyKey[] = ["controls", "leds", "palettes", "displays", "messages", "announcements"];

export function parseProfile(text: string, fileName: string): ParsedProfile {
  const complaints = new FileComplaints(fileName);
  const document = parseJson(text, FILE_MAX_BYTES);
  if ("problem" in document) {
    complaints.add("", document.problem, () => document.line, document.column);
    return { complaints: complaints.list() };
  }
  const report: Report = (place, message) => {
    complaints.add(placeText(place), message, () => document.lineOf(place.map(String)));
  };
  for (const { place, line } of document.repeated) {
    complaints.add(placeText(place), "stands here a second time", () => line);
  }
  const file = judgeForm(document, report);
  const profile = file && expandProfile(file, namesOf(document.value, file, report), report);
  if (profile !== undefined && complaints.isEmpty) return { profile };
  return { complaints: complaints.list().sort((left, right) => lineOf(left) - lineOf(right)) };
}

/** That there are more is said last. */
function lineOf(complaint: Complaint): number {
  return complaint.line ?? Number.POSITIVE_INFINITY;
}

/** What the schema finds right; undefined when that is nothing. */
function judgeForm(document: JsonDocument, report: Report): PartialProfileFile | undefined {
  const whole = profileSchema.safeParse(document.value);
  if (whole.success) return whole.data;
  const issues = whole.error.issues.flatMap((issue) => flatten(issue, []));
  for (const { issue, place } of issues) complain(document.value, issue, place, report);
  if (!isObject(document.value)) return undefined;
  const kept = without(
    document.value,
    issues.map(({ place }) => place),
  );
  const parts = Object.entries(profileSchema.shape).flatMap(([field, schema]) => {
    const part = schema.safeParse(kept[field]);
    return part.success ? [[field, part.data] as const] : [];
  });
  return Object.fromEntries(parts) as PartialProfileFile;
}

interface PlacedIssue {
  readonly issue: z.core.$ZodIssue;
  readonly place: Place;
}

/** Of alternatives, only the one that was meant is complained about: the one whose outermost form fits. */
function flatten(issue: z.core.$ZodIssue, above: Place): PlacedIssue[] {
  const place = [...above, ...(issue.path as (string | number)[])];
  if (issue.code !== "invalid_union") return [{ issue, place }];
  const meant = issue.errors.filter(
    (branch) => !branch.some(({ code, path }) => code === "invalid_type" && path.length === 0),
  );
  return meant.length === 1 ? (meant[0] ?? []).flatMap((inner) => flatten(inner, place)) : [{ issue, place }];
}

function complain(input: unknown, issue: z.core.$ZodIssue, place: Place, report: Report): void {
  if (issue.code === "unrecognized_keys") {
    const known = issue.message.split(" ");
    for (const key of issue.keys) report([...place, key], `is no field here; ${adviceOn(key, known)}`);
  } else if (issue.code === "invalid_key") {
    report(place, issue.issues[0]?.message ?? issue.message);
  } else {
    const isMissing = place.length > 0 && valueAt(input, place) === undefined;
    report(place, isMissing ? `is missing: it ${issue.message}` : `${issue.message}`);
  }
}

function valueAt(input: unknown, place: Place): unknown {
  return place.reduce<unknown>(
    (inner, key) => (isObject(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined),
    input,
  );
}

/** A copy without what is at these places, or without the whole entry or field around it. */
function without(input: Readonly<Record<string, unknown>>, places: readonly Place[]): Record<string, unknown> {
  const kept: Record<string, unknown> = { ...input };
  for (const [field, name] of places) {
    if (field === undefined) continue;
    const table = kept[field];
    if (name === undefined || !TABLES.includes(field) || !isObject(table)) delete kept[field];
    else kept[field] = Object.fromEntries(Object.entries(table).filter(([key]) => key !== name));
  }
  return kept;
}

/** Of entries that were put aside, the names are judged here. */
function namesOf(input: unknown, file: PartialProfileFile, report: Report): FileNames {
  const keys = (field: string) => {
    const table = valueAt(input, [field]);
    return isObject(table) ? Object.keys(table) : [];
  };
  const controls = keys("controls").flatMap((key) => {
    const names = expandName(key);
    if (!("problem" in names)) return names.map(({ name }) => name);
    if (!Object.hasOwn(file.controls ?? {}, key)) report(["controls", key], names.problem);
    return [];
  });
  return { leds: keys("leds"), palettes: keys("palettes"), displays: keys("displays"), controls };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** `init[1]`: items are counted from 1, as people do. */
function placeText(place: Place): string {
  return place.reduce<string>((out, part) => {
    if (typeof part === "number") return `${out}[${part + 1}]`;
    return out === "" ? part : `${out}.${part}`;
  }, "");
}
