/**
 * Binding: one control's rule, compiled: which path it moves, and how its way becomes a value of the path's type.
 *
 * Made anew whenever a binding or its path changes, so that a move looks nothing up but numbers. It writes nothing.
 */
import { ValueType } from "../state/declaration.js";
import type { State } from "../state/state.js";
import type { BindingRecord } from "./binding-records.js";
import { bend, ControlCurve, unbend } from "./control-curve.js";
import { TakeoverMode } from "./takeover.js";

/** What a move of the control does to the path. */
export const BindingEffect = { value: 0, truth: 1, choice: 2, impulse: 3 } as const;
export type BindingEffect = (typeof BindingEffect)[keyof typeof BindingEffect];

/** Half of a control's way: above it a button counts as pressed. */
export const PRESSED = 0.5;

/** What a control's whole way is for a path without a range. */
const WAY: readonly [number, number] = [0, 1];

export class Binding {
  readonly record: BindingRecord;
  /** The path's id. */
  readonly target: number;
  readonly effect: BindingEffect;
  readonly takeover: TakeoverMode;
  readonly curve: ControlCurve;
  /** Values at the control's two ends; `high` may be the smaller one. */
  readonly low: number;
  readonly high: number;
  readonly isInverted: boolean;
  /** Whether low and high are bounds of the value: of a path without a range they are only what a whole way is. */
  readonly isBounded: boolean;
  /** Bounds of the value; infinite where it has none. */
  readonly least: number;
  readonly most: number;
  /** 1, or -1 where more of the control is less of the value. */
  readonly direction: number;
  /** The least way that the path's type tells apart; 0 for numbers without steps. */
  readonly step: number;

  constructor(record: BindingRecord, state: State, target: number) {
    const type = state.types[target] as ValueType;
    const choices = state.declarationOf(target)?.values.length ?? 0;
    const ends = endsOf(record, state, target, choices);
    const [low, high] = ends ?? WAY;
    this.record = record;
    this.target = target;
    this.effect = effectOf(type);
    this.takeover = namedOf(TakeoverMode, record.takeover, TakeoverMode.jump);
    this.curve = namedOf(ControlCurve, record.curve, ControlCurve.linear);
    this.low = record.isInverted ? high : low;
    this.high = record.isInverted ? low : high;
    this.isInverted = record.isInverted;
    this.isBounded = ends !== undefined || type === ValueType.bool;
    this.least = this.isBounded ? Math.min(low, high) : Number.NEGATIVE_INFINITY;
    this.most = this.isBounded ? Math.max(low, high) : Number.POSITIVE_INFINITY;
    this.direction = this.low <= this.high ? 1 : -1;
    const hasSteps = type === ValueType.int || type === ValueType.enum || type === ValueType.bool;
    this.step = hasSteps && low !== high ? 1 / Math.abs(high - low) : 0;
  }

  /** Makes the way in `ways[0]`, 0..1, the value there. */
  toValue(ways: Float64Array): void {
    bend(this.curve, ways, 0);
    const value = this.low + (this.high - this.low) * (ways[0] as number);
    ways[0] = this.effect === BindingEffect.choice ? Math.round(value) : value;
  }

  /** Makes the value in `ways[1]` the way of 0..1 at which the control would give it. */
  toWay(ways: Float64Array): void {
    const { low, high } = this;
    const way = low === high ? 0 : ((ways[1] as number) - low) / (high - low);
    ways[1] = Math.min(1, Math.max(0, way));
    unbend(this.curve, ways, 1);
  }
}

/** Why no control can move a path of this type, as a sentence's end; "" when one can. */
export function unmovable(type: ValueType | 0): string {
  switch (type) {
    case ValueType.float:
    case ValueType.double:
    case ValueType.int:
    case ValueType.bool:
    case ValueType.enum:
    case ValueType.impulse:
      return "";
    case ValueType.string:
    case ValueType.blob:
      return "holds a text or bytes, which no control can move";
    default:
      return "holds several numbers, and a control moves one";
  }
}

function effectOf(type: ValueType): BindingEffect {
  if (type === ValueType.impulse) return BindingEffect.impulse;
  if (type === ValueType.bool) return BindingEffect.truth;
  return type === ValueType.enum ? BindingEffect.choice : BindingEffect.value;
}

/** The binding's own range, else the path's; undefined where there is none. */
function endsOf(
  { range }: BindingRecord,
  state: State,
  target: number,
  choices: number,
): readonly [number, number] | undefined {
  if (range[0] !== range[1]) return range;
  if (choices > 0) return [0, choices - 1];
  const declared = state.declarationOf(target)?.range;
  return declared === undefined ? undefined : [declared.min, declared.max];
}

function namedOf<T extends number>(set: Readonly<Record<string, T>>, name: string, otherwise: T): T {
  return Object.hasOwn(set, name) ? (set[name] as T) : otherwise;
}
