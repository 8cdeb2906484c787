/**
 * Learn press: what a button that was found is to do to its path, and why, as far as button and path tell.
 *
 * A button that is let go sets a path back, which is right for a flash and wrong for a lamp; that a path has two values
 * does not say which it is. A lamp is what more people want, so that is proposed, unless the path's own name says that it
 * lasts as long as the finger. A transport's stop sets the value at rest: every press of a command is one, so it would
 * set the other by itself. The person is told either way, and how to have the other. Pure.
 */
import type { Declaration } from "../state/declaration.js";
import { isLayer } from "../state/templates.js";
import type { LearnFinding } from "./learn.js";
import { SystemControl } from "./system-control.js";

export interface LearnedPress {
  /** As `hana bind --mode` takes it; undefined: what a binding does anyway. */
  readonly mode: "toggle" | "radio" | undefined;
  /** As `--value` takes it; undefined where the mode needs none. */
  readonly value?: string;
  /** What is proposed, why, and what else there is. */
  readonly remark: string;
}

/** A part of a path's last name that says so. A layer is on while its key is held without that. */
const WHILE_HELD = /(^|[-_])(flash|bump|shift|momentary)($|[-_])/i;

/** Commands after which something is over. A pause may be what is on. */
const ENDINGS: readonly SystemControl[] = [
  SystemControl.stop,
  SystemControl["mmc-stop"],
  SystemControl["mmc-record-exit"],
];
/** Names of values that say that nothing goes on. */
const AT_REST = /^(off|stop(ped)?|pause(d)?|idle|halt(ed)?)$/i;

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
  { kind, command }: LearnFinding,
): LearnedPress | undefined {
  if (!hasTwoValues(declaration)) return undefined;
  // Play and stop are two buttons: neither undoes itself.
  if (command !== undefined) return commandOf(declaration, command);
  if (kind === "trigger") return NEVER_LETS_GO;
  if (kind !== "momentary") return undefined;
  const [name = ""] = path.split("/").slice(-1);
  return isLayer(path) || WHILE_HELD.test(name) ? IS_HELD : LASTS;
}

/** A press sets the upper one of two values: what is to set the lower one has to say so. */
function commandOf(declaration: Declaration, command: SystemControl): LearnedPress | undefined {
  const [rest, other] = restOf(declaration);
  const value = ENDINGS.includes(command) ? rest : other;
  if (value.isUpper) return undefined;
  const remark = `it sets ${value.text}, as its command says; with --value it sets another`;
  return { mode: "radio", value: value.text, remark };
}

interface EndValue {
  readonly text: string;
  readonly isUpper: boolean;
}

/** The value at rest and the other one: by their names where these say so, else the lower one rests. */
function restOf({ type, values, range }: Declaration): readonly [EndValue, EndValue] {
  const texts = type === "enum" ? values : type === "int" ? [`${range?.min}`, `${range?.max}`] : ["false", "true"];
  const [lower, upper] = texts.map((text, index) => ({ text, isUpper: index === 1 })) as [EndValue, EndValue];
  const isTurned = AT_REST.test(upper.text) && !AT_REST.test(lower.text);
  return isTurned ? [upper, lower] : [lower, upper];
}

function hasTwoValues(declaration: Declaration | undefined): declaration is Declaration {
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
