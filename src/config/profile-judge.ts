/**
 * Profile judge: the small judgements that every part of a profile's expansion needs, each with its complaint.
 */
import { nearestName } from "./nearest-name.js";
import { ANY } from "./profile.js";
import { expandNumbers, type MessagePart, type Place, parseMessage, type Report } from "./profile-notation.js";

/** Names that stand in the file, whether what they name is right or not: using them is no second mistake. */
export interface FileNames {
  readonly leds: readonly string[];
  readonly palettes: readonly string[];
  readonly displays: readonly string[];
  readonly controls: readonly string[];
}

/** How many numbers are asked for, and from where to where they go. */
interface NumberForm {
  /** Left out: as many as there are. */
  readonly count?: number;
  readonly minimum: number;
  readonly maximum: number;
}

export const DATA = { minimum: 0, maximum: 127 };
export const CHANNELS = { minimum: 1, maximum: 16 };

/** As many numbers as names, or one for all; for `pick`. After a complaint there may be fewer. */
export function numbersAt(place: Place, given: number | string, form: NumberForm, report: Report): readonly number[] {
  if (given === "any") return [ANY];
  const numbers = typeof given === "number" ? [given] : expandNumbers(given);
  if ("problem" in numbers) {
    report(place, numbers.problem);
    return [];
  }
  const { count, minimum, maximum } = form;
  const wrong = numbers.find((number) => number < minimum || number > maximum);
  if (wrong !== undefined) report(place, `${wrong} is not ${minimum} to ${maximum}`);
  if (count !== undefined && numbers.length !== 1 && numbers.length !== count) {
    report(place, `gives ${numbers.length} numbers for ${count === 1 ? "1 name" : `${count} names`}`);
  }
  return numbers;
}

/** One number for all, or each its own. */
export function pick(numbers: readonly number[], index: number): number {
  return (numbers.length === 1 ? numbers[0] : numbers[index]) ?? 0;
}

/** Whether a name is one of those that the file has; `where` is what they are. */
export function isKnown(place: Place, name: string, names: readonly string[], where: string, report: Report): boolean {
  if (names.includes(name)) return true;
  report(place, `${JSON.stringify(name)} is none of ${where}; ${adviceOn(name, names)}`);
  return false;
}

/** What would have been right in place of a wrong name. */
export function adviceOn(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  if (nearest !== undefined) return `did you mean ${nearest}?`;
  return names.length === 0
    ? "there are none"
    : `known: ${names.slice(0, 30).join(", ")}${names.length > 30 ? " ..." : ""}`;
}

/** The parts of a message; none after a complaint. */
export function messageAt(
  place: Place,
  text: string,
  form: Parameters<typeof parseMessage>[1],
  report: Report,
): readonly MessagePart[] {
  const parts = parseMessage(text, form);
  if (!("problem" in parts)) return parts;
  report(place, parts.problem);
  return [];
}
