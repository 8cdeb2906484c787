/**
 * Healing: which of two sides of a mesh stays, and what this node does about it now. Told the time and what was heard.
 *
 * Each controller hears what the other announces, and both come to the same answer from the same figures. The one that
 * is to yield asks first, so that nobody freezes for a side that does not hear it; it freezes when the other accepts,
 * and goes on by itself when nothing comes of it. It decides; `node/healing.ts` carries out.
 */
import type { Clock } from "../base/clock.js";
import type { FrameTarget } from "./stream-frames.js";

/** What a side's controller says of it. */
export interface SideFigures {
  /** Under `hold`: whether it is the side that may write. */
  readonly hasMajority: boolean;
  /** Nodes in sync on it. */
  readonly nodes: number;
  readonly priority: number;
  readonly sequence: number;
  /** Id of its controller. */
  readonly node: string;
}

/** Whether `one` stays and `other` yields: the same answer on both sides. */
export function stays(one: SideFigures, other: SideFigures): boolean {
  if (one.hasMajority !== other.hasMajority) return one.hasMajority;
  if (one.nodes !== other.nodes) return one.nodes > other.nodes;
  if (one.priority !== other.priority) return one.priority > other.priority;
  if (one.sequence !== other.sequence) return one.sequence > other.sequence;
  return one.node < other.node;
}

/** Another side's controller. */
export interface Rival extends SideFigures {
  readonly term: number;
  readonly target: FrameTarget;
  readonly isYielding: boolean;
  readonly heardUs: number;
}

/** What this node does: nothing; it asked to yield; it is frozen; it is frozen because its controller is gone. */
export const YieldState = { none: "none", asking: "asking", frozen: "frozen", orphan: "orphan" } as const;
export type YieldState = (typeof YieldState)[keyof typeof YieldState];

/** What a tick asks the node to do. */
export const HealAction = { none: 0, ask: 1, offer: 2, thaw: 3, giveUp: 4 } as const;
export type HealAction = (typeof HealAction)[keyof typeof HealAction];

const RIVALS_MAX = 32;
/** protocol.md: announcements come every 100 ms, every 200 ms under load. */
const RIVAL_SILENCE_US = 500_000;
const REPEAT_US = 40_000;
/** A side that yields goes on by itself after this long. */
const FROZEN_MAX_US = 2_000_000;
/** What an orphan holds is given up when nobody could take it for this long. */
const ORPHAN_MAX_US = 10_000_000;
/** Who accepted another side fetches from nobody else for this long. */
const ACCEPTED_US = 1_000_000;

export class HealingSchedule {
  private readonly clock: Clock;
  private readonly rivals = new Map<string, Rival>();
  state: YieldState = YieldState.none;
  /** Who this node yields to. */
  to = "";
  /** [0] when the state began, [1] when the next message is due, [2] until when another side is being waited for. */
  private readonly registers = new Float64Array(3);
  /** Whose side was accepted. */
  private accepted = "";

  constructor(clock: Clock) {
    this.clock = clock;
  }

  hear(rival: Rival): void {
    if (this.rivals.size >= RIVALS_MAX && !this.rivals.has(rival.node)) return;
    this.rivals.set(rival.node, rival);
  }

  rival(node: string): Rival | undefined {
    const rival = this.rivals.get(node);
    if (rival === undefined || this.clock.nowUs - rival.heardUs <= RIVAL_SILENCE_US) return rival;
    this.rivals.delete(node);
    return undefined;
  }

  /** How many other sides are heard. */
  get rivalCount(): number {
    return [...this.rivals.keys()].filter((node) => this.rival(node) !== undefined).length;
  }

  /** The side that this one is to yield to: the first of all, if it is not this one. */
  private strongest(own: SideFigures): Rival | undefined {
    let first: Rival | undefined;
    for (const node of [...this.rivals.keys()]) {
      const rival = this.rival(node);
      if (rival === undefined || rival.isYielding) continue;
      if (stays(rival, first ?? own)) first = rival;
    }
    return first;
  }

  /** Whether this controller takes the side of `node`, which asks for that. */
  accepts(node: string, own: SideFigures): boolean {
    const { nowUs } = this.clock;
    const rival = this.rival(node);
    const isBusy = this.accepted !== "" && this.accepted !== node && nowUs < (this.registers[2] as number);
    if (this.state === YieldState.frozen || rival === undefined || isBusy) return false;
    if (this.strongest(own) !== undefined || !stays(own, rival)) return false;
    this.accepted = node;
    this.registers[2] = nowUs + ACCEPTED_US;
    return true;
  }

  /** Whether another side is on its way here. */
  get isAccepting(): boolean {
    return this.accepted !== "" && this.clock.nowUs < (this.registers[2] as number);
  }

  /** The other side accepted: freeze. False when this node has not asked it. */
  freeze(node: string): boolean {
    if (this.state !== YieldState.asking || this.to !== node) return false;
    this.enter(YieldState.frozen, node);
    return true;
  }

  orphan(to: string): void {
    if (this.state === YieldState.orphan && this.to === to) return;
    const begunUs = this.registers[0] as number;
    const isOrphan = this.state === YieldState.orphan;
    this.enter(YieldState.orphan, to);
    if (isOrphan) this.registers[0] = begunUs;
  }

  private enter(state: YieldState, to: string): void {
    this.state = state;
    this.to = to;
    this.registers[0] = this.clock.nowUs;
    this.registers[1] = this.clock.nowUs;
  }

  /** Nothing of it any more: this node follows, or controls alone. */
  end(): void {
    this.state = YieldState.none;
    this.to = "";
    this.accepted = "";
  }

  /** What a controller does now. */
  tickController(own: SideFigures): HealAction {
    if (this.state === YieldState.frozen) return this.tickFrozen();
    const rival = this.isAccepting ? undefined : this.strongest(own);
    if (rival === undefined) {
      this.state = YieldState.none;
      return HealAction.none;
    }
    if (this.state !== YieldState.asking || this.to !== rival.node) this.enter(YieldState.asking, rival.node);
    return this.takeRepeat() ? HealAction.ask : HealAction.none;
  }

  private tickFrozen(): HealAction {
    const isOver = this.clock.nowUs - (this.registers[0] as number) > FROZEN_MAX_US;
    if (isOver || this.rival(this.to) === undefined) return HealAction.thaw;
    return this.takeRepeat() ? HealAction.offer : HealAction.none;
  }

  /** What a node does now that holds what its controller's side has not got. */
  tickOrphan(): HealAction {
    if (this.state !== YieldState.orphan) return HealAction.none;
    if (this.clock.nowUs - (this.registers[0] as number) > ORPHAN_MAX_US) return HealAction.giveUp;
    return this.takeRepeat() ? HealAction.offer : HealAction.none;
  }

  private takeRepeat(): boolean {
    if (this.clock.nowUs < (this.registers[1] as number)) return false;
    this.registers[1] = this.clock.nowUs + REPEAT_US;
    return true;
  }
}
