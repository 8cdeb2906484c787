/**
 * Shown binding: how the value that a binding moves looks on its control.
 *
 * The binding read backwards: from the value that the node shows to the way at which the control would give it, by the
 * same range, curve and mode. A binding whose condition is not met shows nothing, so of several for one control the one
 * that is at work is seen. It reads and never writes.
 */
import { StagedKind, Staging } from "../state/staging.js";
import type { State } from "../state/state.js";
import { type Binding, BindingEffect } from "./binding.js";
import { ControlMode } from "./control-mode.js";
import { EXPRESSION_INPUTS_MAX, ExpressionInput } from "./expression.js";
import { InputMerge } from "./input-merge.js";
import type { ShownValues } from "./osc-target.js";
import { paint, shine, type SurfaceLook } from "./surface-look.js";
import { type Transform, TransformNumber } from "./transform.js";

/** A button is lit when the value is the one that it sets, up to the rounding of the value's type. */
const SAME = 1e-6;

export interface ShownBindingParts {
  readonly binding: Binding;
  readonly transform: Transform | undefined;
  readonly state: State;
  readonly shown: ShownValues;
  /** How far its control stands from the value that it has to find: see `Bindings.gapOf`. */
  readonly gap: () => number;
}

export class ShownBinding {
  /** Paths on which it depends: its own first. */
  readonly paths: readonly number[];
  /** Its control says on or off: a light, not a place. */
  readonly isSwitch: boolean;
  /** Where the control stands says what the value is, so it can be put where the value is. */
  readonly isPlace: boolean;
  /** It says how far it turned, and stands nowhere. */
  readonly isTurned: boolean;
  /** Its control has to find the value first, and is shown whether it has. */
  readonly seeks: boolean;
  /** The least way that the value tells apart. */
  readonly step: number;
  private readonly parts: ShownBindingParts;
  private readonly staging = new Staging();
  /** [0] a formula's result, [1] the value, and then its way. */
  private readonly ways = new Float64Array(2);
  private readonly inputs = new Float64Array(EXPRESSION_INPUTS_MAX);

  constructor(parts: ShownBindingParts) {
    const { binding, transform } = parts;
    const mode = transform?.mode ?? ControlMode.absolute;
    const { steps = 0 } = transform ?? {};
    this.parts = parts;
    this.paths = [binding.target, ...(transform?.condition?.followed ?? [])];
    this.isSwitch = binding.effect !== BindingEffect.value || mode >= ControlMode.momentary;
    this.seeks = binding.record.takeover === "pickup";
    this.isTurned = mode === ControlMode.relative;
    this.isPlace = transform?.formula === undefined && (transform?.merge ?? InputMerge.last) === InputMerge.last;
    const zone = transform?.numbers[TransformNumber.deadZone] ?? 0;
    this.step = Math.max(binding.step, steps > 1 ? 1 / (steps - 1) : 0, zone * 2);
  }

  /** Puts it in hand; false when it shows nothing now. */
  load(look: SurfaceLook): boolean {
    const { binding, state, shown } = this.parts;
    const { target, record } = binding;
    if (!state.exists(target) || binding.effect === BindingEffect.impulse) return false;
    shown.load(target, this.staging);
    if (this.staging.kind !== StagedKind.numbers) return false;
    const value = this.staging.numbers[0] as number;
    if (!this.isMet(value)) return false;
    look.isShown = true;
    look.way = this.wayOf(value);
    paint(look, record.colour);
    shine(look, record.look, this.seeks ? this.parts.gap() : 0);
    look.name = record.path.slice(record.path.lastIndexOf("/") + 1);
    look.value = valueText(state, target, value);
    return true;
  }

  private isMet(value: number): boolean {
    const { transform, shown } = this.parts;
    if (transform?.condition === undefined) return true;
    this.inputs[ExpressionInput.x] = 0;
    this.inputs[ExpressionInput.value] = value;
    return transform.condition.run(shown, this.staging, this.inputs, this.ways) && this.ways[0] !== 0;
  }

  private wayOf(value: number): number {
    const { binding, transform } = this.parts;
    const { value: own = "" } = binding.record.transform;
    if (transform !== undefined && (transform.mode === ControlMode.radio || own !== "")) {
      const wanted = transform.numbers[TransformNumber.own] as number;
      return Math.abs(value - wanted) <= Math.max(SAME, Math.abs(wanted) * SAME) ? 1 : 0;
    }
    this.ways[1] = value;
    binding.toWay(this.ways);
    return this.ways[1];
  }
}

function valueText(state: State, target: number, value: number): string {
  const declaration = state.declarationOf(target);
  if (declaration?.type === "enum") return declaration.values[value] ?? "";
  if (declaration?.type === "bool") return value === 0 ? "off" : "on";
  return numberText(value);
}

/** Four digits at most, as a display's cell has room for. */
function numberText(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const whole = Math.abs(value) >= 1 ? Math.floor(Math.log10(Math.abs(value))) + 1 : 1;
  return value.toFixed(Math.max(0, 4 - whole));
}
