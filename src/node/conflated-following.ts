/**
 * ConflatedFollowing: the follower's side of conflated unicast. Puts rounds together, hands them to the follower, and
 * tells the controller where that got it. While rounds come, frames that are missing are not asked for.
 */
import type { Clock } from "../base/clock.js";
import { ConflatedAssembly } from "../sync/conflated-assembly.js";
import { LossMeasure } from "../sync/loss-measure.js";
import { ConflatedReason, readRoundPart, type RoundPart, writeRoundAnswer } from "../wire/conflated.js";
import { FrameType } from "../wire/frame.js";
import { HealthCode } from "./health.js";
import type { NodeParts } from "./parts.js";

/** Three rounds of nothing may be lost, and some. */
export const SERVED_US = 500_000;
const SLOW_TEXT =
  "this node loses much more of the stream than the others, and gets only the newest values by unicast: look at its cable, its switch port or its wireless link";

export class ConflatedFollowing {
  private readonly node: NodeParts;
  private readonly clock: Clock;
  private readonly assembly = new ConflatedAssembly();
  readonly loss: LossMeasure;
  /** The last part, as far as it has not been answered. */
  private unanswered: RoundPart | undefined;
  /** [0] until when rounds are expected, and [1] such as a slow peer gets. */
  private readonly registers = new Float64Array(2);

  constructor(node: NodeParts) {
    this.node = node;
    this.clock = node.core.clock;
    this.loss = new LossMeasure(this.clock);
  }

  /** A part from the followed controller came. */
  onPart(plain: Uint8Array, length: number): void {
    const { node } = this;
    const head = readRoundPart(plain, length);
    if (head === undefined) {
      node.core.counters.messagesMalformed++;
      return;
    }
    if (head.term !== node.roles.term.number) return;
    node.roles.heard();
    const untilUs = this.clock.nowUs + SERVED_US;
    this.registers[0] = untilUs;
    if (head.reason === ConflatedReason.slow) this.registers[1] = untilUs;
    node.follower.servedUntil(untilUs);
    this.unanswered = head;
    const parts = this.assembly.add(head, plain, length);
    if (parts === undefined) return;
    const came = node.follower.takeRound(head, parts);
    if (head.reason === ConflatedReason.cutOff) this.loss.onOtherwise(came);
    else node.core.counters.framesConflated += came;
    this.answer();
  }

  /** Says which parts are here and where this node stands. */
  private answer(): void {
    const { node, unanswered } = this;
    if (unanswered === undefined) return;
    this.unanswered = undefined;
    const { target, term } = node.roles;
    if (target.port === 0 || unanswered.term !== term.number) return;
    const { complete } = node.follower.window;
    const answer = { term: term.number, complete, round: unanswered.round, here: this.assembly.here };
    node.io.unicast(FrameType.conflatedAnswer, writeRoundAnswer(node.io.plain, answer), target);
  }

  /** Frames that did not come by themselves, ever. */
  private get lost(): number {
    const { framesJournaled, framesRepaired, framesConflated } = this.node.core.counters;
    return framesJournaled + framesRepaired + framesConflated;
  }

  /** The share of frames that is lost, in 1/1000. */
  measure(): number {
    return this.loss.measure(this.lost);
  }

  /** Whether this node is treated as one that loses much more than the others. */
  get isSlow(): boolean {
    return this.clock.nowUs < (this.registers[1] as number);
  }

  tick(): void {
    this.answer();
    const isFollowing = !this.node.controller.isOpen;
    this.node.setHealth(HealthCode.slow, isFollowing && this.isSlow ? SLOW_TEXT : "");
  }
}
