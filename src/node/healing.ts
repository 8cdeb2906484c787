/**
 * Healing: two sides of a mesh become one. Carries out what `sync/healing.ts` decides and `sync/merge.ts` plans.
 *
 * The side that yields freezes and shows what it holds; the side that stays fetches it, opens a term above both, and
 * commits there what the other had changed. A node whose controller is gone, and whose contents nobody else has, is a
 * side of its own (an orphan). Nothing that was confirmed is dropped without a word: it is in the new term, or in a
 * conflict, or counted as given up.
 */
import { coerce } from "../state/coerce.js";
import { ValueType } from "../state/declaration.js";
import type { Declaration } from "../state/declaration.js";
import { Reject } from "../state/reject.js";
import type { State } from "../state/state.js";
import type { Term } from "../state/change.js";
import { HealAction, HealingSchedule, type SideFigures, YieldState } from "../sync/healing.js";
import { Lineage } from "../sync/lineage.js";
import { type Conflict, type MergePolicies, type MergeStep, planMerge, redeclares } from "../sync/merge.js";
import { Followers } from "../sync/followers.js";
import { Role } from "../sync/roles.js";
import type { FrameTarget } from "../sync/stream-frames.js";
import { FrameType, StreamFlag, type StreamFrameReader } from "../wire/frame.js";
import type { Standing } from "../wire/standing.js";
import { decodeYield, type YieldMessage, YieldStage, yieldFields } from "../wire/yield.js";
import { decodeSnapshot, type Snapshot } from "./adoption.js";
import { recordConflicts } from "./conflicts.js";
import { HealthCode } from "./health.js";
import type { HealingPart, NodeParts } from "./parts.js";
import type { NodePorts } from "./ports.js";

/** What a side holds: a term, and the newest change of it. */
interface Head extends Term {
  readonly sequence: number;
}

/** What another side holds. */
interface Side {
  readonly state: State;
  readonly lineage: Lineage;
  /** Where the writers stand in it. */
  readonly standings: readonly Standing[];
}

/** A side whose contents are on their way here. */
interface Coming {
  readonly from: string;
  readonly target: FrameTarget;
  readonly head: Head;
  readonly begunUs: number;
  /** Once they are here. */
  readonly side: Side | undefined;
}

const FETCH_MAX_US = 1_500_000;
const GIVEN_UP_TEXT =
  "changes that this node had from a controller that is gone could not be handed to the present one and were given up";
const LOST_TEXT = "more conflicts than there is room for: the rest is not listed";

export class Healing implements HealingPart {
  private readonly node: NodeParts;
  private readonly ports: NodePorts;
  private readonly policies: MergePolicies;
  readonly schedule: HealingSchedule;
  readonly followers: Followers;
  private coming: Coming | undefined;
  private steps: readonly MergeStep[] = [];
  private nextStep = 0;
  private conflicts: readonly Conflict[] = [];
  /** The new term is open, and what is to be done in it is known. */
  private isPlanned = false;
  /** This side goes on by itself, as soon as it has a term for that. */
  private isThawing = false;
  /** The head that was merged last, and the one that another side said it has merged of this node's. */
  private merged: Head | undefined;
  private handedOver: Head | undefined;

  constructor(node: NodeParts, ports: NodePorts, policies: MergePolicies) {
    this.node = node;
    this.ports = ports;
    this.policies = policies;
    this.schedule = new HealingSchedule(node.core.clock);
    this.followers = new Followers(node.core.clock);
  }

  /** What this node's contents are: the newest change of the term that they are of. */
  get head(): Head {
    const { core } = this.node;
    return { ...core.terms.at(core.lineage.present), sequence: core.sequence[0] as number };
  }

  /** The term whose contents others may fetch here. */
  get serving(): Term | undefined {
    const { roles, core } = this.node;
    if (roles.role === Role.controlling) return roles.term;
    return this.schedule.state === YieldState.orphan ? core.terms.at(core.lineage.present) : undefined;
  }

  /** Whether a snapshot that comes now is another side's. */
  get isFetching(): boolean {
    return this.node.controller.isOpen && this.coming !== undefined && this.coming.side === undefined;
  }

  private get figures(): SideFigures {
    const { core, controller } = this.node;
    const { id, priority } = core.identity;
    return {
      hasMajority: false,
      nodes: controller.nodes,
      priority,
      sequence: controller.publisher.publishedSequence,
      node: id,
    };
  }

  /** This controller hears another one. True when it is to be followed: it has all that is here. */
  onRival(frame: StreamFrameReader, sender: string, address: string): boolean {
    const { info } = frame;
    const { roles, core } = this.node;
    const term = frame.doubles[0] as number;
    if (info === undefined || sender === core.identity.id) return false;
    roles.highest = Math.max(roles.highest, term);
    const isChild = info.parentNumber === roles.term.number && info.parentNode === roles.term.node;
    if (isChild && term > roles.term.number && info.forkSequence >= (core.sequence[0] as number)) return true;
    const { nodes, priority, sequence, unicastPort: port } = info;
    this.schedule.hear({
      ...{ hasMajority: false, nodes, priority, sequence, node: sender, term },
      target: { address, port },
      isYielding: (frame.flags & StreamFlag.yielding) !== 0,
      heardUs: core.clock.nowUs,
    });
    return false;
  }

  /** Whether a snapshot holds all that is here. */
  isHeldBy({ termNumber, termNode, lineage }: Snapshot): boolean {
    const { number, node, sequence } = this.head;
    if (number === 0 || (termNumber === number && termNode === node)) return true;
    const known = lineage.find((entry) => entry.number === number && entry.node === node);
    return known !== undefined && known.sequence >= sequence;
  }

  /** Whether a snapshot may take the place of what is here: it holds all of that. If not, it is offered first. */
  mayAdopt(snapshot: Snapshot, controller: string): boolean {
    const { core } = this.node;
    if (this.isHeldBy(snapshot) || sameHead(this.handedOver, this.head)) return true;
    const isNew = this.schedule.state !== YieldState.orphan;
    this.schedule.orphan(controller);
    if (isNew) {
      core.counters.orphaned++;
      this.ports.onServing();
    }
    this.tick();
    return false;
  }

  /** The node follows a controller, with all that it had. */
  onInSync(): void {
    this.schedule.end();
    this.handedOver = undefined;
    this.abandon();
  }

  /** Whatever was on its way to be merged here is not any more: its side offers it again. */
  private abandon(): void {
    this.coming = undefined;
    this.isPlanned = false;
    this.isThawing = false;
  }

  tick(): void {
    const { node } = this;
    if (node.controller.isOpen) this.tickController();
    else if (node.roles.role === Role.joining) this.act(this.schedule.tickOrphan());
  }

  private tickController(): void {
    const { coming } = this;
    this.node.controller.nodes = this.followers.sideOf(this.node.roles.term.number);
    if (this.isThawing || (this.isMerging && !this.isPlanned)) this.node.elections.raise();
    else if (this.isPlanned) this.drain();
    else if (coming === undefined) this.act(this.schedule.tickController(this.figures));
    else if (this.node.core.clock.nowUs - coming.begunUs > FETCH_MAX_US) this.coming = undefined;
  }

  private act(action: HealAction): void {
    if (action === HealAction.ask) this.send(YieldStage.ask, this.schedule.rival(this.schedule.to)?.target);
    else if (action === HealAction.offer) this.offer();
    else if (action === HealAction.thaw) this.thaw();
    else if (action === HealAction.giveUp) this.giveUp();
  }

  private offer(): void {
    const { schedule, node } = this;
    const isOrphan = schedule.state === YieldState.orphan;
    // What is not published yet would be taken twice: here, and when its writer sends it again.
    if (!isOrphan && !node.controller.publisher.isIdle) return;
    this.send(YieldStage.frozen, isOrphan ? node.roles.target : schedule.rival(schedule.to)?.target);
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
    this.handedOver = this.head;
    node.core.counters.headsGivenUp++;
    node.setHealth(HealthCode.healing, GIVEN_UP_TEXT);
  }

  private send(stage: YieldStage, target: FrameTarget | undefined, head = this.head, isToAll = false): void {
    if (target === undefined && !isToAll) return;
    const { node } = this;
    const { number, node: holder, sequence } = head;
    const { unicastPort, snapshotPort } = node.controller.reachability;
    const stays = node.roles.term.number;
    const message = { stage, number, node: holder, sequence, stays, unicastPort, snapshotPort };
    node.io.message(FrameType.yield, yieldFields(message), target);
  }

  onMessage(plain: Uint8Array, length: number, from: string, address: string): YieldMessage | undefined {
    const message = decodeYield(plain, length);
    if (message === undefined) {
      this.node.core.counters.messagesMalformed++;
      return undefined;
    }
    const target = { address, port: message.unicastPort };
    if (message.stage === YieldStage.ask) this.onAsk(from, target);
    else if (message.stage === YieldStage.accept) this.onAccept(from);
    else if (message.stage === YieldStage.frozen) this.onFrozen(message, from, target);
    else if (message.stage === YieldStage.merged) return this.onMerged(message, from) ? message : undefined;
    else this.onReleased(message, from);
    return undefined;
  }

  private onAsk(from: string, target: FrameTarget): void {
    const { controller } = this.node;
    if (!controller.takesWrites || this.isMerging) return;
    if (this.schedule.accepts(from, this.figures)) this.send(YieldStage.accept, target);
  }

  private onAccept(from: string): void {
    const { node, schedule } = this;
    if (!node.controller.takesWrites || !schedule.freeze(from)) return;
    node.core.counters.yields++;
    node.controller.freeze();
    node.controller.frames.isYielding = true;
    this.ports.onServing();
    this.tick();
  }

  /** Another side is frozen and shows what it holds. */
  private onFrozen(message: YieldMessage, from: string, target: FrameTarget): void {
    const { node } = this;
    if (!node.controller.takesWrites) return;
    const { number, node: holder, sequence } = message;
    const head = { number, node: holder, sequence };
    const term = node.applier.termIndex(number, holder);
    const isHere = (term > 0 && node.core.lineage.includes(term, sequence)) || sameHead(this.merged, head);
    node.roles.highest = Math.max(node.roles.highest, number);
    if (isHere && !this.isMerging && node.roles.term.number > number) this.send(YieldStage.merged, target, head);
    else if (this.isMerging || this.coming !== undefined || term < 0) return;
    else if (isHere) node.elections.raise();
    else this.fetch({ from, target, head, begunUs: node.core.clock.nowUs, side: undefined }, message.snapshotPort);
  }

  private fetch(coming: Coming, port: number): void {
    this.coming = coming;
    this.ports.fetchSnapshot({ address: coming.target.address, port, minSequence: coming.head.sequence });
  }

  /** The other side's contents are here: what it had changed is committed in a new term. */
  snapshotArrived(snapshot: Snapshot): void {
    const { coming, node } = this;
    if (coming === undefined) return;
    const { head } = coming;
    const isTheirs = snapshot.termNumber === head.number && snapshot.termNode === head.node;
    const state =
      isTheirs && node.controller.takesWrites ? decodeSnapshot(node.core, node.applier, snapshot) : undefined;
    const term = node.applier.termIndex(head.number, head.node);
    if (state === undefined || term < 0) {
      this.coming = undefined;
      return;
    }
    const whole = snapshot.lineage.find((entry) => entry.number === head.number && entry.node === head.node);
    const { standings } = snapshot;
    const lineage = new Lineage(node.core.terms);
    lineage.replace(snapshot.lineage, term, whole?.sequence ?? snapshot.sequence);
    this.coming = { ...coming, head: { ...head, sequence: snapshot.sequence }, side: { state, lineage, standings } };
    node.elections.raise();
  }

  snapshotFailed(): void {
    this.coming = undefined;
  }

  private get isMerging(): boolean {
    return this.coming?.side !== undefined;
  }

  /** This node opened a term: if another side's contents wait for that, they are merged into it. */
  onOpened(): void {
    this.schedule.end();
    this.isThawing = false;
    const side = this.coming?.side;
    const { core } = this.node;
    if (side === undefined) {
      this.coming = undefined;
      return;
    }
    const mine = { state: core.state, includes: core.lineage.includes.bind(core.lineage) };
    const theirs = { state: side.state, includes: side.lineage.includes.bind(side.lineage) };
    const { steps, conflicts } = planMerge(mine, theirs, core, this.policies);
    const isStructure = (step: MergeStep): boolean =>
      step.kind === "remove" || redeclares(core.state, side.state, step);
    this.steps = [...steps.filter(isStructure), ...steps.filter((step) => !isStructure(step))];
    this.nextStep = 0;
    this.conflicts = conflicts;
    this.isPlanned = true;
    this.drain();
  }

  /** Commits what there is room for; the rest follows as it is published. */
  private drain(): void {
    const { controller } = this.node;
    const side = this.coming?.side;
    if (side === undefined) return;
    while (this.nextStep < this.steps.length && controller.publisher.hasEventRoom) {
      this.carryOut(side.state);
      controller.relieve();
    }
    if (this.nextStep >= this.steps.length) this.finish(side);
    this.ports.requestSettle();
  }

  /** The next step, with those that were one write with it. */
  private carryOut(theirs: State): void {
    const { applier, controller } = this.node;
    const first = this.steps[this.nextStep] as MergeStep;
    let end = this.nextStep + 1;
    while (end < this.steps.length && isTogether(first, this.steps[end] as MergeStep)) end++;
    applier.isGrouped = end - this.nextStep > 1;
    for (; this.nextStep < end; this.nextStep++) this.commit(this.steps[this.nextStep] as MergeStep, theirs);
    if (applier.isGrouped) {
      applier.isGrouped = false;
      controller.publisher.pump();
    }
  }

  private commit(step: MergeStep, theirs: State): void {
    const { core, applier } = this.node;
    const { state } = core;
    // Whatever was written here since is the newer.
    const isSame = step.mine < 0 ? state.idOf(step.path) < 0 : state.sequences[step.mine] === step.sequence;
    if (!isSame || (step.mine >= 0 && state.pathOf(step.mine) !== step.path)) return;
    if (step.kind === "remove") {
      applier.commitRemove(step.mine, 0);
      return;
    }
    if (redeclares(state, theirs, step) && !this.declare(step, theirs.declarationOf(step.theirs) as Declaration)) {
      core.counters.mergesRefused++;
      return;
    }
    const id = state.idOf(step.path);
    if (state.types[id] === ValueType.impulse) return;
    stage(core.staging, theirs, step.theirs);
    if (coerce(state, id, core.staging) === Reject.none) applier.commitMerged(id, step.origin, step.timeUs);
    else core.counters.mergesRefused++;
  }

  private declare({ path, origin }: MergeStep, declaration: Declaration): boolean {
    const { applier } = this.node;
    let reject = applier.commitDeclare(path, declaration, origin);
    // The alias leads elsewhere by now, and stays there.
    if (reject === Reject.aliasTaken) reject = applier.commitDeclare(path, { ...declaration, oscAlias: "" }, origin);
    return reject === Reject.none;
  }

  /** All of it is here: said to the followers, put on record, answered. */
  private finish({ lineage: theirs, standings }: Side): void {
    const { node, coming } = this;
    const { core, applier } = node;
    if (coming === undefined) return;
    for (const { number, node: holder, sequence } of theirs.entries()) this.include(number, holder, sequence);
    this.include(coming.head.number, coming.head.node, theirs.through(theirs.present));
    core.counters.merges++;
    core.counters.conflicts += this.conflicts.length;
    const lost = recordConflicts(core, applier, this.conflicts);
    core.counters.conflictsUnlisted += lost;
    if (lost > 0) node.setHealth(HealthCode.healing, LOST_TEXT);
    node.controller.meet(standings);
    this.merged = coming.head;
    this.coming = undefined;
    this.isPlanned = false;
    this.steps = [];
    this.conflicts = [];
    this.send(YieldStage.merged, coming.target, coming.head);
  }

  private include(number: number, holder: string, sequence: number): void {
    const { core, applier } = this.node;
    const term = applier.termIndex(number, holder);
    if (term > 0 && !core.lineage.includes(term, sequence)) applier.commitLineage(term, sequence);
  }

  /** The side that stays has what is here. True when it is to be joined now. */
  private onMerged(message: YieldMessage, from: string): boolean {
    const { schedule, node } = this;
    if (schedule.to !== from || !sameHead(message, this.head)) return false;
    if (schedule.state === YieldState.orphan) {
      this.handedOver = this.head;
      return false;
    }
    if (schedule.state !== YieldState.frozen) return false;
    this.handedOver = this.head;
    schedule.end();
    this.send(YieldStage.released, undefined, this.head, true);
    return node.controller.isOpen;
  }

  /** The controller yielded. */
  private onReleased(message: YieldMessage, from: string): void {
    const { roles } = this.node;
    if (roles.role === Role.following && roles.term.node === from && roles.term.number === message.number) {
      roles.release();
    }
  }
}

function sameHead(one: Head | YieldMessage | undefined, other: Head | YieldMessage): boolean {
  return one?.number === other.number && one.node === other.node && one.sequence === other.sequence;
}

function isTogether(one: MergeStep, other: MergeStep): boolean {
  const areValues = one.kind === "take" && other.kind === "take";
  return areValues && one.mine >= 0 && other.mine >= 0 && one.timeUs === other.timeUs && one.origin === other.origin;
}

/** Puts a value of the other side in hand; an enum's by its name, because its place may be another here. */
function stage(staging: Parameters<State["load"]>[1], theirs: State, id: number): void {
  if (theirs.types[id] === ValueType.enum) staging.string(theirs.valueOf(id) as string);
  else theirs.load(id, staging);
}
