/**
 * Control moves: what one move of a control makes of a path, by its binding.
 *
 * The walk from a control's way, its turn or its press to a write. Whatever depends on the value that is there (a toggle,
 * a turn, a step) reads it and writes the new one: what is sent is never "the other way round", so that a message that
 * comes twice, or to two nodes, does nothing twice. It allocates nothing per move.
 */
import type { Clock } from "../base/clock.js";
import { Reject } from "../state/reject.js";
import { StagedKind, type Staging } from "../state/staging.js";
import type { State } from "../state/state.js";
import type { OriginTable } from "../state/tables.js";
import { type Binding, BindingEffect } from "./binding.js";
import { BindingMemory, REST_DOUBLES } from "./binding-memory.js";
import { bend } from "./control-curve.js";
import { ControlMode } from "./control-mode.js";
import { skipDeadZone, stepWay } from "./control-shape.js";
import type { Placed } from "./control-tables.js";
import { Easing } from "./easing.js";
import { accelerate, SPEED_DOUBLES } from "./encoder-speed.js";
import { EXPRESSION_INPUTS_MAX, ExpressionInput } from "./expression.js";
import { MERGE_DOUBLES } from "./input-merge.js";
import { MIDI_MAX_7 } from "./midi-event.js";
import { isOneOscSurface, type ShownValues } from "./osc-target.js";
import { detentsOf, RelativeEncoding } from "./relative-encoder.js";
import { gap, isLost, park, stand, take, TAKEOVER_DOUBLES } from "./takeover.js";
import { type Transform, TransformNumber } from "./transform.js";
import type { WriteTarget } from "./write-target.js";

/** Where moves are written: the node, or whoever holds back what a source sends above its rate. */
export interface ControlSink {
  /** Writes what is in hand. */
  write(id: number, surface: number): Reject;
  trigger(id: number, surface: number): Reject;
  /** Puts the value in hand that is held back for a path; false when there is none. Absent: nothing ever is. */
  held?(id: number, staging: Staging): boolean;
}

export interface ControlMovesParts {
  readonly target: WriteTarget;
  readonly shown: ShownValues;
  readonly clock: Clock;
  readonly origins: OriginTable;
}

/** One press that reached two nodes is there on both within this time; a finger does not press twice in it. */
const TWIN_US = 200_000;

export class ControlMoves {
  /**
   * The control in hand: [0] where it stands, 0..1; [1] by how many detents it turned, if it tells that by itself. In an
   * array, as a double that is handed on would be allocated.
   */
  readonly hand = new Float64Array(2);
  /** Moves that became writes, that were refused, that a condition kept away, that another node had made already. */
  readonly counts = { writes: 0, refused: 0, unmet: 0, twins: 0 };
  memory = new BindingMemory(0);
  /** Why a move was refused, the last time. */
  reject: Reject = Reject.none;
  private readonly parts: ControlMovesParts;
  private readonly state: State;
  private readonly staging: Staging;
  /** [0] what becomes of the hand for one binding, [1] where its value stands. */
  private readonly way = new Float64Array(2);
  private readonly turns = new Float64Array(1);
  private readonly inputs = new Float64Array(EXPRESSION_INPUTS_MAX);
  /** Values on their way to where a control put them. */
  readonly easing: Easing;

  constructor(parts: ControlMovesParts) {
    this.parts = parts;
    this.easing = new Easing(parts);
    this.state = parts.target.state;
    this.staging = parts.target.staging;
  }

  /** The control in hand moved. `isDown`: as a button, it is pressed now. */
  move(placed: Placed, isDown: boolean, surface: number, sink: ControlSink): void {
    const { transform } = placed;
    if (transform === undefined) this.direct(placed, isDown, surface, sink);
    else this.transformed(placed, transform, isDown, surface, sink);
  }

  private direct({ binding, place }: Placed, isDown: boolean, surface: number, sink: ControlSink): void {
    const { pressed } = this.memory;
    const wasDown = pressed[place] === 1;
    pressed[place] = isDown ? 1 : 0;
    if (binding.effect === BindingEffect.impulse) {
      if (isDown && !wasDown) this.count(sink.trigger(binding.target, surface));
      return;
    }
    this.way[0] = binding.effect === BindingEffect.truth ? Number(isDown) : (this.hand[0] as number);
    if (binding.effect !== BindingEffect.truth && !this.takes(binding, place)) return;
    binding.toValue(this.way);
    this.write(binding, surface, sink);
  }

  /** Makes the control's way in hand the value's; false when the value is to stay. */
  private takes(binding: Binding, place: number): boolean {
    const { staging, way } = this;
    this.load(binding.target);
    way[1] = staging.numbers[0] as number;
    binding.toWay(way);
    return take(binding.takeover, this.memory.takeovers, place * TAKEOVER_DOUBLES, way, binding.step);
  }

  /** Puts the value in hand that a control compares itself with. */
  private load(id: number): void {
    const { easing, staging } = this;
    if (easing.isAtRest) this.parts.shown.load(id, staging);
    else easing.load(id, staging);
  }

  private write(binding: Binding, surface: number, sink: ControlSink): void {
    this.stage();
    this.count(sink.write(binding.target, surface));
  }

  /** Puts the number in hand; `staging.number` would be given a double. */
  private stage(): void {
    const { staging } = this;
    staging.kind = StagedKind.numbers;
    staging.count = 1;
    staging.numbers[0] = this.way[0] as number;
    staging.text = undefined;
  }

  private count(reject: Reject): void {
    if (reject === Reject.none) this.counts.writes++;
    else this.counts.refused++;
    this.reject = reject;
  }

  /** How far the control of a binding stands from its value: see `gap`. 0 for what does not follow a value. */
  gapOf({ binding, transform, place, isCarried }: Placed): number {
    if (isCarried || !isFollower(binding, transform)) return 0;
    const { staging, way } = this;
    this.load(binding.target);
    way[1] = staging.numbers[0] as number;
    binding.toWay(way);
    return gap(binding.takeover, this.memory.takeovers, place * TAKEOVER_DOUBLES, way[1] as number, binding.step);
  }

  /** The device said where the control in hand stands: that moves nothing, but from there it finds the value. */
  stands({ binding, transform, place }: Placed): void {
    if (!isFollower(binding, transform)) return;
    stand(this.memory.takeovers, place * TAKEOVER_DOUBLES, this.hand[0] as number);
  }

  /** The same for a binding that was not there then, unless it has heard from its control since. */
  recall(placed: Placed): void {
    if (isLost(this.memory.takeovers, placed.place * TAKEOVER_DOUBLES)) this.stands(placed);
  }

  private transformed(
    placed: Placed,
    transform: Transform,
    isPressed: boolean,
    surface: number,
    sink: ControlSink,
  ): void {
    const { binding, place } = placed;
    const { pressed } = this.memory;
    const isDown = isPressed || transform.isPulse;
    const wasDown = pressed[place] === 1 && !transform.isPulse;
    this.shape(transform);
    if (!this.isMet(placed, transform, transform.isHeld && wasDown && !isDown, sink)) return;
    pressed[place] = isDown ? 1 : 0;
    const isPress = isDown && !wasDown;
    if (binding.effect === BindingEffect.impulse) {
      if (isPress) this.count(sink.trigger(binding.target, surface));
    } else if (transform.mode === ControlMode.absolute) this.stand(placed, transform, isDown, surface, sink);
    else if (transform.mode === ControlMode.relative) this.turn(placed, transform, surface, sink);
    else if (transform.mode === ControlMode.momentary) {
      if (isDown !== wasDown) this.hold(placed, transform, isDown, surface, sink);
    } else if (isPress) this.press(placed, transform, surface, sink);
  }

  /** Puts the way of the control in hand, as its dead zone and steps leave it. */
  private shape(transform: Transform): void {
    this.way[0] = this.hand[0] as number;
    skipDeadZone(transform.deadZoneAt, transform.numbers, TransformNumber.deadZone, this.way);
    if (transform.mode === ControlMode.absolute) stepWay(transform.steps, this.way);
  }

  /** Whether the binding's condition lets the move through. A button that it let down, it lets up. */
  private isMet({ binding, place }: Placed, { condition }: Transform, isLetGo: boolean, sink: ControlSink): boolean {
    if (condition === undefined || isLetGo) return true;
    const { inputs, staging, turns } = this;
    this.present(binding, sink);
    inputs[ExpressionInput.x] = this.hand[0] as number;
    inputs[ExpressionInput.value] = this.way[1] as number;
    if (condition.run(this.parts.shown, staging, inputs, turns) && turns[0] !== 0) return true;
    this.counts.unmet++;
    park(this.memory.takeovers, place * TAKEOVER_DOUBLES, this.way);
    return false;
  }

  /** Puts the value that is there into `way[1]`: what waits to be written, else what is shown. */
  private present({ target }: Binding, sink: ControlSink): void {
    const { staging } = this;
    if (sink.held === undefined || !sink.held(target, staging)) this.load(target);
    this.way[1] = staging.numbers[0] as number;
  }

  /** The value stands where the control stands. */
  private stand(placed: Placed, transform: Transform, isDown: boolean, surface: number, sink: ControlSink): void {
    const { binding, place } = placed;
    const { way } = this;
    const isFormula = transform.formula !== undefined;
    if (transform.isNumber) {
      way[0] = Math.round((this.hand[0] as number) * MIDI_MAX_7);
      this.agree(placed, transform, surface, sink);
      return;
    }
    if (binding.effect === BindingEffect.truth && !isFormula) way[0] = Number(isDown);
    else if (!isFormula && transform.inputs === undefined && !this.takes(binding, place)) return;
    this.ask(placed, transform, surface, sink);
  }

  /** A button goes down, or up again. */
  private hold(placed: Placed, transform: Transform, isDown: boolean, surface: number, sink: ControlSink): void {
    const { way } = this;
    way[0] = Number(isDown);
    if (transform.formula !== undefined) {
      this.ask(placed, transform, surface, sink);
      return;
    }
    way[0] = isDown ? (transform.numbers[TransformNumber.own] as number) : placed.binding.low;
    this.agree(placed, transform, surface, sink);
  }

  /** Makes the way in hand the value that the control asks for. */
  private ask(placed: Placed, transform: Transform, surface: number, sink: ControlSink): void {
    const { binding } = placed;
    const { way, inputs } = this;
    if (transform.formula === undefined) binding.toValue(way);
    else {
      bend(binding.curve, way, 0);
      if (binding.isInverted) way[0] = 1 - (way[0] as number);
      inputs[ExpressionInput.x] = way[0] as number;
      if (!this.calculate(binding, transform, sink)) return;
    }
    this.agree(placed, transform, surface, sink);
  }

  /** Puts what the formula makes of `inputs` into the way in hand; false, and counted, when that is no number. */
  private calculate(binding: Binding, { formula }: Transform, sink: ControlSink): boolean {
    const { inputs, way } = this;
    this.present(binding, sink);
    inputs[ExpressionInput.value] = way[1] as number;
    if (formula?.run(this.parts.shown, this.staging, inputs, way) === true) return true;
    this.counts.refused++;
    this.reject = Reject.notANumber;
    return false;
  }

  /** Writes what the control asks for, and what others ask for the same path. */
  private agree({ binding, place }: Placed, transform: Transform, surface: number, sink: ControlSink): void {
    const { inputs } = transform;
    if (inputs !== undefined) inputs.take(place * MERGE_DOUBLES, this.way);
    this.settle(binding, transform, surface, sink);
  }

  /** Makes the way in hand the path's value, at once or in time. */
  private settle(binding: Binding, { isSmooth, numbers }: Transform, surface: number, sink: ControlSink): void {
    if (!isSmooth) {
      this.write(binding, surface, sink);
      return;
    }
    this.stage();
    this.count(this.easing.aim(binding, surface, numbers[TransformNumber.smoothUs] as number));
  }

  private press(placed: Placed, transform: Transform, surface: number, sink: ControlSink): void {
    const { binding } = placed;
    const { way } = this;
    const own = transform.numbers[TransformNumber.own] as number;
    if (transform.mode === ControlMode.latch) {
      this.ask(placed, transform, surface, sink);
      return;
    }
    if (transform.mode === ControlMode.radio) way[0] = own;
    else {
      if (this.isTwin(binding.target, surface, false)) return;
      this.present(binding, sink);
      const value = way[1] as number;
      if (transform.mode === ControlMode.increment) this.goOn(binding, transform);
      else way[0] = Math.abs(value - own) < Math.abs(value - binding.low) ? binding.low : own;
    }
    this.settle(binding, transform, surface, sink);
  }

  /** Puts the value one step after the one that is there into the way in hand. After an enumeration's last comes its first. */
  private goOn(binding: Binding, transform: Transform): void {
    const { way } = this;
    const { least, most } = binding;
    const value = (way[1] as number) + (transform.numbers[TransformNumber.step] as number) * binding.direction;
    if (binding.effect !== BindingEffect.choice) way[0] = Math.min(most, Math.max(least, value));
    else way[0] = value > most ? least : value < least ? most : value;
  }

  /** The value goes as far as the control turned. */
  private turn(placed: Placed, transform: Transform, surface: number, sink: ControlSink): void {
    const { binding, place } = placed;
    const { turns, hand, inputs } = this;
    const { encoding } = transform;
    turns[0] = hand[1] as number;
    if (encoding !== RelativeEncoding.none)
      turns[0] = detentsOf(encoding, Math.round((hand[0] as number) * MIDI_MAX_7));
    if (turns[0] === 0 || this.isTwin(binding.target, surface, true)) return;
    accelerate(turns, this.memory.speeds, place * SPEED_DOUBLES, this.parts.clock.register);
    if (transform.formula === undefined) {
      this.present(binding, sink);
      this.turnBy(binding, transform, place);
    } else {
      inputs[ExpressionInput.x] = binding.isInverted ? -(turns[0] as number) : (turns[0] as number);
      if (!this.calculate(binding, transform, sink)) return;
    }
    this.settle(binding, transform, surface, sink);
  }

  /** Turns the value in `way[1]` by `turns[0]` detents. */
  private turnBy(binding: Binding, transform: Transform, place: number): void {
    const { way, turns } = this;
    const { numbers } = transform;
    const share = numbers[TransformNumber.share] as number;
    if (share === 0) {
      turns[0] = (turns[0] as number) * (numbers[TransformNumber.step] as number) * binding.direction;
      this.addTurn(binding, place);
      return;
    }
    // Along the curve: fine where the curve is.
    binding.toWay(way);
    way[0] = Math.min(1, Math.max(0, (way[1] as number) + (turns[0] as number) * share));
    binding.toValue(way);
  }

  /** Adds `turns[0]` to the value. What a whole number cannot show of it is kept for the next turn. */
  private addTurn(binding: Binding, place: number): void {
    const { way, turns } = this;
    const { rests } = this.memory;
    const at = place * REST_DOUBLES;
    const value = way[1] as number;
    const rest = value === rests[at] ? (rests[at + 1] as number) : 0;
    const wanted = Math.min(binding.most, Math.max(binding.least, value + rest + (turns[0] as number)));
    way[0] = binding.step > 0 ? Math.round(wanted) : wanted;
    rests[at] = way[0] as number;
    rests[at + 1] = wanted - (way[0] as number);
  }

  /**
   * Whether the path is as it is because another node had the same move of the same surface just before: it is plugged
   * into both, or sends to both. Of presses the first counts. Turns are many: there the node with the lower id goes on.
   */
  private isTwin(target: number, surface: number, isTurn: boolean): boolean {
    const { origins, clock } = this.parts;
    const last = origins.at(this.state.origins[target] as number);
    const own = origins.at(surface);
    if (last.node === own.node || last.surface === "") return false;
    if (last.surface !== own.surface && !isOneOscSurface(last.surface, own.surface)) return false;
    if (isTurn && last.node > own.node) return false;
    if (clock.sessionUs - (this.state.timesUs[target] as number) >= TWIN_US) return false;
    this.counts.twins++;
    return true;
  }
}

/** Whether a control's place and its value can be apart, so that the one has to find the other. */
export function isFollower({ effect }: Binding, transform: Transform | undefined): boolean {
  if (effect === BindingEffect.impulse || effect === BindingEffect.truth) return false;
  if (transform === undefined) return true;
  const { mode, formula, inputs, isNumber } = transform;
  return mode === ControlMode.absolute && formula === undefined && inputs === undefined && !isNumber;
}
