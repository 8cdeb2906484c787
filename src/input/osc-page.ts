/**
 * OSC page: a layer that controls of an OSC surface lie in, as the surface is told of it: where it is turned, which page
 * lies open, and which there are.
 *
 * Pages are what conditions of bindings ask (`--when '/global/layers/bank == 2'`): no state of their own, so a surface
 * turns one by sending to the layer's own path, and everything else that shows it follows. Changes nothing.
 */
import type { Declaration } from "../state/declaration.js";
import { Staging } from "../state/staging.js";
import type { State } from "../state/state.js";
import { isLayer } from "../state/templates.js";
import type { Formula } from "./formula.js";
import type { ShownValues } from "./osc-target.js";

/** Pages that are listed one by one; a layer of more is a number. */
export const PAGES_LISTED_MAX = 16;
const SWITCH: readonly string[] = ["off", "on"];

export class OscPage {
  /** Where a surface sends which page it wants. */
  readonly path: string;
  /** In order, from the layer's least value on; none when they are too many. */
  readonly choices: readonly string[];
  private readonly least: number;
  private readonly id: number;
  private readonly shown: ShownValues;
  private readonly staging = new Staging();

  constructor(state: State, shown: ShownValues, id: number) {
    const declaration = state.declarationOf(id);
    this.path = state.pathOf(id);
    this.least = declaration?.type === "int" ? (declaration.range?.min ?? 0) : 0;
    this.choices = choicesOf(declaration);
    this.id = id;
    this.shown = shown;
  }

  /** The page that lies open, by its name. */
  get open(): string {
    this.shown.load(this.id, this.staging);
    const value = this.staging.numbers[0] as number;
    return this.choices[value - this.least] ?? String(value);
  }
}

/** The layers that conditions ask, each once. */
export function pagesOf(conditions: readonly (Formula | undefined)[], state: State, shown: ShownValues): OscPage[] {
  const ids = new Set(conditions.flatMap((condition) => condition?.followed ?? []));
  return [...ids].filter((id) => isLayer(state.pathOf(id))).map((id) => new OscPage(state, shown, id));
}

function choicesOf(declaration: Declaration | undefined): readonly string[] {
  switch (declaration?.type) {
    case "bool":
      return SWITCH;
    case "enum":
      return declaration.values;
    case "int":
      return numbersOf(declaration.range);
    default:
      return [];
  }
}

function numbersOf(range: Declaration["range"]): readonly string[] {
  const count = range === undefined ? 0 : range.max - range.min + 1;
  if (range === undefined || count > PAGES_LISTED_MAX) return [];
  return Array.from({ length: count }, (_, index) => String(range.min + index));
}
