/**
 * Learn press: what a button that was found is to do to its path, and why, as far as button and path tell.
 *
 * A button that is let go sets a path back, which is right for a flash and wrong for a lamp; that a path has two values
 * does not say which it is. A lamp is what more people want, so that is proposed, unless the path's own name says that it
 * lasts as long as the finger. The person is told either way, and how to have the other. Pure.
 */
import type { Declaration } from "../state/declaration.js";
import { isLayer } from "../state/templates.js";
import type { LearnFinding } from "./learn.js";

export interface LearnedPress {
  /** As `hana bind --mode` takes it; undefined: what a binding does anyway. */
  readonly mode: "toggle" | undefined;
  /** What is proposed, why, and what else there is. */
  readonly remark: string;
}

/** A part of a path's last name that says so. A layer is on while its key is held without that. */
const WHILE_HELD = /(^|[-_])(flash|bump|shift|momentary)($|[-_])/i;

const NEVER_LETS_GO: LearnedPress = {
  mode: "toggle",
  remark:
    "toggle: each press goes to the other of its path's two values, for the button never says that it is let go; " +
    "with --mode momentary each press sets the same one",
};
const LASTS: LearnedPress = {
  mode: "toggle",
  remark:
    "toggle: each press goes to the other of its path's two values, which mostly are to last; " +
    "with --mode momentary it is on while it is down",
};
const IS_HELD: LearnedPress = {
  mode: undefined,
  remark: "on while it is down, as the path's name says; with --mode toggle each press goes to the other value",
};

/** `declaration`: of the path; undefined when it is not there yet. Answers undefined when there is nothing to choose. */
export function pressOf(
  path: string,
  declaration: Declaration | undefined,
  { kind, isCommand }: LearnFinding,
): LearnedPress | undefined {
  // Play and stop are two buttons: neither undoes itself.
  if (isCommand || !hasTwoValues(declaration)) return undefined;
  if (kind === "trigger") return NEVER_LETS_GO;
  if (kind !== "momentary") return undefined;
  const [name = ""] = path.split("/").slice(-1);
  return isLayer(path) || WHILE_HELD.test(name) ? IS_HELD : LASTS;
}

function hasTwoValues(declaration: Declaration | undefined): boolean {
  switch (declaration?.type) {
    case "bool":
      return true;
    case "enum":
      return declaration.values.length === 2;
    case "int":
      return declaration.range !== undefined && declaration.range.max - declaration.range.min === 1;
    default:
      return false;
  }
}
