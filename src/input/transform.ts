/**
 * Transform: how a binding reads its control, beyond a way that becomes a value: turns, presses, steps, dead zones,
 * conditions, formulas, several inputs to one path. Compiled, so that a move looks nothing up.
 *
 * A binding that asks for none of it has none, and costs nothing for it. It holds what a binding says, and does not move
 * anything: see `ControlMoves`.
 */
import type { ValueType } from "../state/declaration.js";
import type { State } from "../state/state.js";
import { type Binding, BindingEffect } from "./binding.js";
import {
  ControlMode,
  type ControlOrigin,
  named,
  nameOf,
  resolveMode,
  type ResolvedMode,
  type TransformProblem,
} from "./control-mode.js";
import { DeadZoneAt } from "./control-shape.js";
import { parseExpression } from "./expression-parse.js";
import { Formula } from "./formula.js";
import { InputMerge, type MergedInputs } from "./input-merge.js";
import { MidiKind } from "./midi-event.js";
import type { RelativeEncoding } from "./relative-encoder.js";
import { TakeoverMode } from "./takeover.js";
import type { TransformRecord } from "./transform-record.js";

/** Where the doubles of `Transform.numbers` lie. */
export const TransformNumber = {
  deadZone: 0,
  /** What a detent or a press is worth, in the value's units. */
  step: 1,
  /** What a detent is worth as a share of the control's whole way; 0: the step counts instead. */
  share: 2,
  /** What a button sets. */
  own: 3,
  /** The time constant with which the value goes where the control puts it; 0: at once. */
  smoothUs: 4,
} as const;

/** Of the whole way: a turn by one detent, and a press that goes one step further. */
const TURN_SHARE = 0.01;
const PRESS_SHARE = 0.1;
const MS_US = 1_000;

export class Transform {
  readonly mode: ControlMode;
  readonly encoding: RelativeEncoding;
  readonly deadZoneAt: DeadZoneAt;
  /** Places on the way; below 2: no steps. */
  readonly steps: number;
  /** By `TransformNumber`: a double in a field of its own would be allocated when it is handed on. */
  readonly numbers: Float64Array;
  /** Every message is a press: it is one of a kind that tells of no release. */
  readonly isPulse: boolean;
  /** What it let down it lets up, whatever its condition says by then. */
  readonly isHeld: boolean;
  /** The message's number is the value: a program is no share of a way. */
  readonly isNumber: boolean;
  /** The value goes where the control puts it in time. */
  readonly isSmooth: boolean;
  readonly condition: Formula | undefined;
  readonly formula: Formula | undefined;
  readonly merge: InputMerge;
  readonly priority: number;
  /** The controls that the path is shared with; undefined when whoever moved last has it. */
  inputs: MergedInputs | undefined = undefined;

  constructor(parts: TransformParts) {
    const { record, resolved, binding, origin, condition, formula, own } = parts;
    this.mode = resolved.mode;
    this.encoding = resolved.encoding;
    this.deadZoneAt = deadZoneAtOf(record, origin);
    this.steps = record.steps;
    const [step, share] = stepOf(record, resolved.mode, binding);
    this.numbers = Float64Array.of(record.deadZone, step, share, own, record.smooth * MS_US);
    const isProgram = origin.kinds.includes(MidiKind.program);
    this.isPulse =
      isProgram ||
      origin.kinds.includes(MidiKind.command) ||
      (origin.control?.toggles === true && isPressMode(resolved.mode));
    const isKey = binding.effect === BindingEffect.truth || origin.kinds.includes(MidiKind.noteOn);
    this.isHeld = resolved.mode === ControlMode.momentary || (resolved.mode === ControlMode.absolute && isKey);
    this.isNumber = isProgram && parts.isOwnRange && resolved.mode === ControlMode.absolute && binding.step > 0;
    this.isSmooth = record.smooth > 0;
    this.condition = condition;
    this.formula = formula;
    this.merge = mergeOf(record);
    this.priority = record.priority;
  }

  /** What its formulas read that counts as 0, as sentences; "" for nothing. */
  get missing(): string {
    const texts = [this.condition?.missing ?? "", this.formula?.missing ?? ""];
    return texts.filter((text) => text !== "").join("; ");
  }
}

interface TransformParts {
  readonly record: TransformRecord;
  readonly resolved: ResolvedMode;
  readonly binding: Binding;
  readonly origin: ControlOrigin;
  readonly condition: Formula | undefined;
  readonly formula: Formula | undefined;
  readonly own: number;
  /** The binding has no range of its own. */
  readonly isOwnRange: boolean;
}

/** What a binding's transform is: undefined when it asks for none, or why it cannot be. */
export function transformOf(
  binding: Binding,
  origin: ControlOrigin,
  state: State,
): Transform | TransformProblem | undefined {
  const { record } = binding;
  const { transform } = record;
  const type = state.typeOf(binding.target) as ValueType;
  const resolved = resolveMode(transform, origin, type);
  if ("problem" in resolved) return resolved;
  if (isPlain(transform, resolved, origin)) return undefined;
  const problem = misfitOf(binding, resolved.mode);
  if (problem !== "") return { problem };
  const condition = formulaOf("condition", transform.when, state);
  if (condition !== undefined && "problem" in condition) return condition;
  const formula = formulaOf("expression", transform.expression, state);
  if (formula !== undefined && "problem" in formula) return formula;
  const own = ownValueOf(transform.value, state, binding);
  if (Number.isNaN(own))
    return { problem: `has the value ${transform.value}, which is none of ${binding.record.path}` };
  const isOwnRange = record.range[0] === record.range[1];
  return new Transform({ record: transform, resolved, binding, origin, condition, formula, own, isOwnRange });
}

/** Kinds of messages that are a press each, and tell of no release. */
const WITHOUT_RELEASE: readonly MidiKind[] = [MidiKind.program, MidiKind.command];

function isPlain(record: TransformRecord, { mode }: ResolvedMode, { kinds }: ControlOrigin): boolean {
  const { steps, deadZone, smooth, when, expression } = record;
  if (mode !== ControlMode.absolute || kinds.some((kind) => WITHOUT_RELEASE.includes(kind))) return false;
  return steps < 2 && deadZone === 0 && smooth === 0 && when === "" && expression === "" && mergeOf(record) === 0;
}

/** A step in the value's units, and as a share of the way, of which one is 0. */
function stepOf({ step, steps }: TransformRecord, mode: ControlMode, binding: Binding): readonly [number, number] {
  const { isBounded, least, most } = binding;
  const share = mode === ControlMode.increment ? PRESS_SHARE : steps > 1 ? 1 / (steps - 1) : TURN_SHARE;
  if (step !== 0) return [step, 0];
  if (isBounded && steps > 1 && (binding.step > 0 || mode === ControlMode.increment)) {
    return [(most - least) / (steps - 1), 0];
  }
  if (binding.step > 0) return [1, 0];
  if (!isBounded) return [share, 0];
  return mode === ControlMode.increment ? [(most - least) * share, 0] : [0, share];
}

/** What cannot be together, as a sentence's end; "" when everything can. */
function misfitOf({ record, takeover, effect }: Binding, mode: ControlMode): string {
  const { expression, smooth } = record.transform;
  if (smooth > 0 && effect !== BindingEffect.value)
    return `is smooth, and ${record.path} has nothing between two values`;
  const isMerged = mergeOf(record.transform) !== InputMerge.last;
  const standsSomewhere = STANDING.includes(mode);
  if (expression !== "" && !standsSomewhere && mode !== ControlMode.relative) {
    return `has an expression, which ${nameOf(mode)} has no place for`;
  }
  if (isMerged && !standsSomewhere) return `is merged, and ${nameOf(mode)} asks for no value of its own`;
  if (takeover === TakeoverMode.jump || mode !== ControlMode.absolute) return "";
  if (expression !== "") return `has an expression, which has no way back: its takeover must be jump`;
  return isMerged ? "is merged, and others may hold the value: its takeover must be jump" : "";
}

/** Modes in which a control asks for a value by itself, whatever value is there. */
const STANDING: readonly ControlMode[] = [ControlMode.absolute, ControlMode.momentary, ControlMode.latch];

function isPressMode(mode: ControlMode): boolean {
  return mode >= ControlMode.momentary;
}

function formulaOf(what: string, text: string, state: State): Formula | TransformProblem | undefined {
  if (text === "") return undefined;
  const expression = parseExpression(text);
  if ("problem" in expression) return { problem: `has the ${what} ${text}, which ${expression.problem}` };
  return new Formula(expression, state);
}

/** The value that a button sets: a number, a name of the path's values, true or false; NaN for anything else. */
function ownValueOf(text: string, state: State, { target, high }: Binding): number {
  if (text === "") return high;
  const index = state.declarationOf(target)?.values.indexOf(text) ?? -1;
  if (index >= 0) return index;
  if (text === "true" || text === "false") return Number(text === "true");
  return text.trim() === "" || !Number.isFinite(Number(text)) ? Number.NaN : Number(text);
}

/** By default where the control rests: a pitch bend springs back to its centre. */
function deadZoneAtOf({ deadZoneAt }: TransformRecord, { kinds }: ControlOrigin): DeadZoneAt {
  const place = named(DeadZoneAt, deadZoneAt) ?? DeadZoneAt.auto;
  if (place !== DeadZoneAt.auto) return place;
  return kinds.includes(MidiKind.bend) ? DeadZoneAt.centre : DeadZoneAt.ends;
}

function mergeOf({ merge }: TransformRecord): InputMerge {
  return named(InputMerge, merge) ?? InputMerge.last;
}
