/**
 * Easing: values on their way to where controls put them, for bindings that ask for a smooth one.
 *
 * Each goes there exponentially with its binding's time constant, and ends exactly there. The control is not eased: what
 * compares itself with the value (pick-up, turns, toggles, feedback) is shown where that is going. It is told the time,
 * has nothing to do at rest, and lets go of a path as soon as somebody else writes there.
 */
import type { Clock } from "../base/clock.js";
import { coerce } from "../state/coerce.js";
import { Reject } from "../state/reject.js";
import { StagedKind, type Staging } from "../state/staging.js";
import type { Binding } from "./binding.js";
import type { ShownValues } from "./osc-target.js";
import type { WriteTarget } from "./write-target.js";

/** Between two writes of a path that moves. */
export const EASING_STEP_US = 10_000;
/** Paths that move at a time; more are put where they belong at once. */
export const EASINGS_MAX = 4_096;
/** Nearer than this share of its whole way a value is there. */
const NEAR_SHARE = 1 / 1_000;

export interface EasingParts {
  readonly target: WriteTarget;
  /** What the node shows. */
  readonly shown: ShownValues;
  readonly clock: Clock;
}

/** What it has to know of a binding. */
export type EasedBinding = Pick<Binding, "target" | "isBounded" | "low" | "high">;

/** One path on its way. */
interface Eased {
  readonly id: number;
  readonly path: string;
  surface: number;
  /** Where it is going, and how soon. */
  aim: number;
  constantUs: number;
  near: number;
  /** Where it is, before the path's type rounds it, and what the path showed of that. */
  value: number;
  shown: number;
  atUs: number;
}

export class Easing implements ShownValues {
  /** Writes on the way that the path refused. */
  refused = 0;
  private readonly parts: EasingParts;
  private readonly eased = new Map<number, Eased>();
  /** Nothing moves: what the node shows is where everything is going. */
  isAtRest = true;
  private nextUs = Number.POSITIVE_INFINITY;

  constructor(parts: EasingParts) {
    this.parts = parts;
  }

  /** When `pump` has something to do, in own time. */
  get dueUs(): number {
    return this.nextUs;
  }

  /** Puts the value in hand to which a path is going, or the shown one of a path that stands. */
  load(id: number, staging: Staging): void {
    this.parts.shown.load(id, staging);
    const eased = this.eased.get(id);
    if (eased !== undefined && this.isOwn(eased, staging)) staging.numbers[0] = eased.aim;
  }

  /** Where a path is going; undefined when it stands. */
  aimOf(id: number): number | undefined {
    const eased = this.eased.get(id);
    const { staging } = this.parts.target;
    if (eased === undefined) return undefined;
    this.parts.shown.load(id, staging);
    return this.isOwn(eased, staging) ? eased.aim : undefined;
  }

  /** A control wants the value that is in hand: the path goes there from where it is. */
  aim(binding: EasedBinding, surface: number, constantUs: number): Reject {
    const { parts, eased } = this;
    const { target, clock } = parts;
    const { staging, state } = target;
    const { target: id } = binding;
    const reject = coerce(state, id, staging);
    if (reject !== Reject.none) return reject;
    const aim = staging.numbers[0] as number;
    parts.shown.load(id, staging);
    const shown = staging.numbers[0] as number;
    const known = eased.get(id);
    const isOn = known !== undefined && this.isOwn(known, staging);
    const value = isOn ? known.value : shown;
    const wholeWay = binding.isBounded ? binding.high - binding.low : aim - value;
    const near = Math.abs(wholeWay) * NEAR_SHARE;
    if (Math.abs(aim - value) <= near || (known === undefined && eased.size >= EASINGS_MAX)) {
      eased.delete(id);
      return this.write(id, surface, aim);
    }
    if (isOn) {
      known.surface = surface;
      known.aim = aim;
      known.constantUs = constantUs;
      known.near = near;
    } else {
      const path = state.pathOf(id);
      eased.set(id, { id, path, surface, aim, constantUs, near, value, shown, atUs: clock.nowUs });
    }
    this.isAtRest = false;
    this.nextUs = Math.min(this.nextUs, clock.nowUs + EASING_STEP_US);
    return Reject.none;
  }

  /** Moves what is on its way; inside a turn. */
  pump(): void {
    const { nowUs } = this.parts.clock;
    if (nowUs < this.nextUs) return;
    for (const eased of this.eased.values()) {
      if (!this.move(eased, nowUs)) this.eased.delete(eased.id);
    }
    this.isAtRest = this.eased.size === 0;
    this.nextUs = this.isAtRest ? Number.POSITIVE_INFINITY : nowUs + EASING_STEP_US;
  }

  /** Puts everything at once where it is going; inside a turn. */
  arrive(): void {
    for (const eased of this.eased.values()) {
      eased.value = eased.aim;
      this.move(eased, eased.atUs);
    }
    this.eased.clear();
    this.isAtRest = true;
    this.nextUs = Number.POSITIVE_INFINITY;
  }

  /** False when the path is there, or somebody else's. */
  private move(eased: Eased, nowUs: number): boolean {
    const { target, shown } = this.parts;
    const { staging, state } = target;
    const { id, aim, constantUs } = eased;
    if (!state.exists(id) || state.pathOf(id) !== eased.path) return false;
    shown.load(id, staging);
    if (!this.isOwn(eased, staging)) return false;
    eased.value = aim + (eased.value - aim) * Math.exp((eased.atUs - nowUs) / constantUs);
    eased.atUs = nowUs;
    const isThere = Math.abs(aim - eased.value) <= eased.near;
    if (this.write(id, eased.surface, isThere ? aim : eased.value) !== Reject.none) {
      this.refused++;
      return false;
    }
    shown.load(id, staging);
    eased.shown = staging.numbers[0] as number;
    return !isThere;
  }

  /** Whether a path shows what was written last on its way: the shown value is in hand. */
  private isOwn(eased: Eased, { kind, numbers }: Staging): boolean {
    return kind === StagedKind.numbers && numbers[0] === eased.shown;
  }

  private write(id: number, surface: number, value: number): Reject {
    const { target } = this.parts;
    const { staging } = target;
    staging.kind = StagedKind.numbers;
    staging.count = 1;
    staging.numbers[0] = value;
    staging.text = undefined;
    return target.write(id, surface);
  }
}
