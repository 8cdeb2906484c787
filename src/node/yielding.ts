/**
 * Yielding: this node's side gives way to another. It freezes, shows what it holds until that is in a term of the other
 * side's, and leads its followers there. A node whose controller is gone, and whose contents nobody else has, does the
 * same for itself alone (an orphan). What nobody takes in time is counted as given up, and said.
 */
import { HealAction, type HealingSchedule, YieldState } from "../sync/healing.js";
import type { Term } from "../state/change.js";
import { Role } from "../sync/roles.js";
import { type YieldMessage, YieldStage } from "../wire/yield.js";
import type { Snapshot } from "./adoption.js";
import { HealthCode } from "./health.js";
import type { NodeParts } from "./parts.js";
import type { NodePorts } from "./ports.js";
import { type Head, headOf, sameHead } from "./side.js";
import type { YieldPost } from "./yield-post.js";

const TOLD_US = 600_000_000;
const GIVEN_UP_TEXT =
  "changes that this node had from a controller that is gone could not be handed to the present one and were given up";

interface HandedOver {
  readonly head: Head;
  /** The change of the other side's term with which it is merged; undefined when it was given up. */
  readonly to: Head | undefined;
}

export class Yielding {
  private readonly node: NodeParts;
  private readonly ports: NodePorts;
  private readonly schedule: HealingSchedule;
  private readonly post: YieldPost;
  /** This side goes on by itself, as soon as it has a term for that. */
  isThawing = false;
  /** What was given up last, and [0] until when that is told. */
  private givenUp: Head | undefined;
  private readonly toldUntil = new Float64Array(1);
  /** What of this node's is merged elsewhere, or given up. */
  private handedOver: HandedOver | undefined;

  constructor(node: NodeParts, ports: NodePorts, schedule: HealingSchedule, post: YieldPost) {
    this.node = node;
    this.ports = ports;
    this.schedule = schedule;
    this.post = post;
  }

  /** Whether a snapshot holds all that is here. */
  isHeldBy({ termNumber, termNode, lineage }: Snapshot): boolean {
    const { number, node, sequence } = headOf(this.node.core);
    if (number === 0 || (termNumber === number && termNode === node)) return true;
    const known = lineage.find((entry) => entry.number === number && entry.node === node);
    return known !== undefined && known.sequence >= sequence;
  }

  /** Whether a snapshot may take the place of what is here: it holds all of that. If not, it is offered first. */
  mayAdopt(snapshot: Snapshot, controller: string): boolean {
    const { core } = this.node;
    if (this.isHeldBy(snapshot) || this.isHandedOver(snapshot)) return true;
    const isNew = this.schedule.state !== YieldState.orphan;
    this.schedule.orphan(controller);
    if (isNew) {
      core.counters.orphaned++;
      this.ports.onServing();
    }
    return false;
  }

  /**
   * The side that took it over may be gone, and this another one that never heard of it, or one that followed and had not
   * come so far: it holds the term, from before this node's contents were in it.
   */
  private isHandedOver({ termNumber, termNode, sequence, lineage }: Snapshot): boolean {
    const { handedOver, node } = this;
    if (handedOver === undefined || !sameHead(handedOver.head, headOf(node.core))) return false;
    const { to } = handedOver;
    if (to === undefined) return true;
    const held = [...lineage, { number: termNumber, node: termNode, sequence }];
    return held.some((entry) => entry.number === to.number && entry.node === to.node && entry.sequence >= to.sequence);
  }

  /** The change of a term with which that holds what this node handed over; 0 when it handed nothing to it. */
  handedOverAt({ number, node }: Term): number {
    const to = this.handedOver?.to;
    return to?.number === number && to.node === node ? to.sequence : 0;
  }

  /** The node follows a controller, with all that it had. */
  onInSync(): void {
    this.handedOver = undefined;
    this.isThawing = false;
  }

  act(action: HealAction): void {
    if (action === HealAction.ask) this.post.send(YieldStage.ask, this.schedule.rival(this.schedule.to)?.target);
    else if (action === HealAction.offer) this.offer();
    else if (action === HealAction.thaw) this.thaw();
    else if (action === HealAction.giveUp) this.giveUp();
  }

  private offer(): void {
    const { schedule, node } = this;
    const isOrphan = schedule.state === YieldState.orphan;
    // What is not published yet would be taken twice: here, and when its writer sends it again.
    if (!isOrphan && !node.controller.publisher.isIdle) return;
    this.post.send(YieldStage.frozen, isOrphan ? node.roles.target : schedule.rival(schedule.to)?.target);
  }

  private thaw(): void {
    this.schedule.end();
    this.node.core.counters.yieldsGivenUp++;
    this.isThawing = true;
    this.node.elections.raise();
  }

  private giveUp(): void {
    const { node } = this;
    this.schedule.end();
    this.givenUp = headOf(node.core);
    this.handedOver = { head: this.givenUp, to: undefined };
    this.toldUntil[0] = node.core.clock.nowUs + TOLD_US;
    node.core.counters.headsGivenUp++;
    node.setHealth(HealthCode.healing, GIVEN_UP_TEXT);
  }

  /** What was given up may come in by another node that has it; else it is told for a while. */
  tick(): void {
    const { givenUp } = this;
    if (givenUp === undefined) return;
    const { core, applier } = this.node;
    const isTold = core.clock.nowUs < (this.toldUntil[0] as number);
    const isHere = core.lineage.includes(applier.termIndex(givenUp.number, givenUp.node), givenUp.sequence);
    // Until another controller's contents took the place of what was given up, this node has it itself.
    const isReplaced = core.lineage.present !== 0 && !sameHead(givenUp, headOf(core));
    if (isTold && !(isHere && isReplaced)) return;
    this.givenUp = undefined;
    this.node.setHealth(HealthCode.healing, "");
  }

  /** The other side is there: freeze, and show what is here. */
  onAccept(from: string): boolean {
    const { node, schedule } = this;
    if (!node.controller.takesWrites || !schedule.freeze(from)) return false;
    node.core.counters.yields++;
    node.controller.freeze();
    node.controller.frames.isYielding = true;
    this.ports.onServing();
    return true;
  }

  /** The side that stays has what is here. True when it is to be joined now. */
  onMerged(message: YieldMessage, from: string): boolean {
    const { schedule, node } = this;
    const head = headOf(node.core);
    if (schedule.to !== from || !sameHead(head, message)) return false;
    if (schedule.state === YieldState.orphan) {
      this.noteHandedOver(head, message, from);
      return false;
    }
    if (schedule.state !== YieldState.frozen) return false;
    this.noteHandedOver(head, message, from);
    schedule.end();
    this.post.sendToAll(YieldStage.released);
    return node.controller.isOpen;
  }

  /** Said again it names a later change: the first is near enough. */
  private noteHandedOver(head: Head, { stays: number, staysSequence: sequence }: YieldMessage, node: string): void {
    const { handedOver } = this;
    const isKnown = handedOver?.to?.number === number && handedOver.to.node === node && sameHead(handedOver.head, head);
    if (!isKnown) this.handedOver = { head, to: { number, node, sequence } };
  }

  /** The controller yielded. */
  onReleased(message: YieldMessage, from: string): void {
    const { roles } = this.node;
    if (roles.role === Role.following && roles.term.node === from && roles.term.number === message.number) {
      roles.release();
    }
  }
}
