/**
 * Learn proposal: the binding that fits a control that was found and the path that it is to move.
 *
 * It says what `hana bind` would be given: the range and the curve come from what the path is declared to be, the rest
 * from the control. Only what differs from a binding's own defaults is given. Pure.
 */
import type { Declaration } from "../state/declaration.js";
import type { LearnFinding } from "./learn.js";
import { pressOf } from "./learn-press.js";

export interface LearnProposal {
  readonly source: string;
  readonly path: string;
  /** Undefined: the path's own. */
  readonly range?: readonly [number, number];
  readonly curve?: "exponential";
  readonly takeover?: "pickup";
  readonly options?: { readonly encoding: string } | { readonly mode: string; readonly value?: string };
}

/** Of a path without a range: seven bits of it. */
const INT_ENDS: readonly [number, number] = [0, 127];
/** A range over so many times its least value is heard and seen by ratios: half of the way belongs to its low end. */
const RATIO_MIN = 50;
const BY_RATIO: readonly string[] = ["hz", "khz"];

/** `declaration`: of the path; undefined when it is not there yet. `isChosen`: what the control does has been said. */
export function proposalOf(
  path: string,
  declaration: Declaration | undefined,
  finding: LearnFinding,
  isChosen = false,
): LearnProposal {
  const { source, control, kind, encoding } = finding;
  const range = rangeOf(declaration);
  const isTold = kind === "encoder" && control?.encoding === undefined && encoding !== undefined;
  const isOnAWay = kind === "fader" || kind === "encoder";
  const { mode, value } = (isChosen ? undefined : pressOf(path, declaration, finding)) ?? {};
  return {
    source,
    path,
    ...(range === undefined ? {} : { range }),
    ...(isOnAWay && isByRatio(declaration) ? { curve: "exponential" } : {}),
    ...(control?.needsPickup === true && kind === "fader" ? { takeover: "pickup" } : {}),
    ...(isTold ? { options: { encoding } } : {}),
    ...(mode === undefined ? {} : { options: value === undefined ? { mode } : { mode, value } }),
  };
}

/** What a person should know about it, a sentence each. */
export function remarksOf(
  path: string,
  declaration: Declaration | undefined,
  finding: LearnFinding,
  isChosen: boolean,
): string[] {
  const { takeover } = proposalOf(path, declaration, finding);
  const press = isChosen ? undefined : pressOf(path, declaration, finding);
  return [
    ...finding.remarks,
    ...(takeover === undefined ? [] : [PICKUP]),
    ...(press === undefined ? [] : [press.remark]),
  ];
}

const PICKUP = "pick-up: it has to find the value before it moves it, for it does not follow when others move it";

function rangeOf(declaration: Declaration | undefined): readonly [number, number] | undefined {
  return declaration?.type === "int" && declaration.range === undefined ? INT_ENDS : undefined;
}

function isByRatio(declaration: Declaration | undefined): boolean {
  if (declaration?.range === undefined) return false;
  const { min, max } = declaration.range;
  if (min >= 0 && BY_RATIO.includes(declaration.unit.toLowerCase())) return true;
  return min > 0 && max / min >= RATIO_MIN;
}
