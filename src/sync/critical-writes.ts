/**
 * CriticalWrites: writes to critical paths that the controller has, until they are not lost with it.
 *
 * Such a write waits until another node has its frame, and all before it, so that this node would say so in an election
 * and no takeover could pass over it; under `hold` until a majority of the electors has. The first in rank are asked, by
 * a heartbeat each, more of them each time while none answers. What waits is this node's own writes, and under `hold`
 * what followers ask about theirs. Under `island` whoever is alone is told so at once, and who waits too long:
 * acknowledged, and not replicated. Under `hold` a write waits for as long as it takes: it may still come through.
 * It knows no path and no socket; told the time. Bounded.
 */
import type { Clock } from "../base/clock.js";
import { type ElectionRules, isNamed, Policy } from "./election.js";
import { type CopiedWrite, PATIENCE_US, type Replicated } from "./own-copies.js";
import type { Peer, Peers } from "./peers.js";
import type { FrameTarget } from "./stream-frames.js";

/** Asked at first; each time that nobody answers, as many more. */
const ASKED_FIRST = 3;
const ASK_FIRST_US = 10_000;
const ASK_MAX_US = 100_000;
/** Followers' questions bring about no more: each asks all electors. */
const ASK_LEAST_US = 2_000;
const WAITING_MAX = 1_024;
/** A follower that asks repeats that every 100 ms. */
const ASKING_US = 1_000_000;

interface Waiting extends CopiedWrite {
  /** The write is out when so many of the publisher's items are; then the frame, 0 before. */
  readonly position: number;
  frame: number;
}

/** A follower that is to hear when enough others have these frames too. */
interface Asking {
  readonly target: FrameTarget;
  /** The first that it has not been told of, and the last that it asked for. */
  readonly frame: number;
  readonly last: number;
  readonly untilUs: number;
}

/** What goes out. */
export interface CriticalPort {
  /** A heartbeat that asks a node up to where it has all. */
  ask(target: FrameTarget): void;
  /** Tells a follower that enough have all up to a frame. */
  tell(frame: number, target: FrameTarget): void;
}

export class CriticalWrites {
  private readonly clock: Clock;
  private readonly peers: Peers;
  private readonly rules: ElectionRules;
  private readonly own: { readonly id: string; readonly name: string };
  private readonly port: CriticalPort;
  private waiting: Waiting[] = [];
  private readonly asking = new Map<string, Asking>();
  /** Up to which frame each node that answered has all. */
  private readonly applied = new Map<string, number>();
  private asked = ASKED_FIRST;
  /** [0] when the next ask is due, [1] the pause after it, [2] up to which frame enough others have all, [3] last ask. */
  private readonly registers = new Float64Array([Number.POSITIVE_INFINITY, ASK_FIRST_US, 0, 0]);
  /** Writes that were acknowledged with another node's word, and without. */
  replicated = 0;
  alone = 0;

  constructor(
    clock: Clock,
    peers: Peers,
    rules: ElectionRules,
    own: { readonly id: string; readonly name: string },
    port: CriticalPort,
  ) {
    this.clock = clock;
    this.peers = peers;
    this.rules = rules;
    this.own = own;
    this.port = port;
  }

  /**
   * Calls back when others have what stands before `position` in the publisher's queue, or it is clear that none has. It
   * became change `sequence` of `term`, by this node's index.
   */
  add(position: number, term: number, sequence: number, done: Replicated): void {
    this.put({ position, frame: 0, term, sequence, sinceUs: this.clock.nowUs, done });
  }

  /** What this node waited for as a follower is in what its term begins with. */
  begin(write: CopiedWrite): void {
    this.put({ ...write, position: 0, frame: FIRST_FRAME });
  }

  private put(write: Waiting): void {
    if (this.waiting.length >= WAITING_MAX) this.finish(this.waiting.shift() as Waiting, false);
    this.waiting.push(write);
    this.askSoon();
  }

  private askSoon(): void {
    this.registers[0] = Math.min(this.registers[0] as number, this.clock.nowUs + ASK_FIRST_US);
  }

  /** Writes that wait. */
  get size(): number {
    return this.waiting.length;
  }

  get dueUs(): number {
    return this.registers[0] as number;
  }

  /** `published` items are in the frames up to `frame`: asks at once for what is out now. */
  settle(published: number, frame: number): void {
    if (this.waiting.length === 0) return;
    let isNew = false;
    for (const waiting of this.waiting) {
      if (waiting.frame !== 0 || waiting.position > published) continue;
      waiting.frame = Math.max(FIRST_FRAME, frame);
      isNew = true;
    }
    if (isNew) this.askAnew();
  }

  private askAnew(): void {
    this.registers[1] = ASK_FIRST_US;
    this.asked = ASKED_FIRST;
    this.askThem();
    this.judge();
  }

  tick(): void {
    if (this.isIdle || this.clock.nowUs < (this.registers[0] as number)) return;
    this.asked += ASKED_FIRST;
    for (const [node, { untilUs }] of this.asking) if (this.clock.nowUs > untilUs) this.asking.delete(node);
    this.askThem();
    this.judge();
  }

  private get isIdle(): boolean {
    return this.waiting.length === 0 && this.asking.size === 0;
  }

  private askThem(): void {
    const { registers } = this;
    registers[3] = this.clock.nowUs;
    registers[0] = this.clock.nowUs + (registers[1] as number);
    registers[1] = Math.min((registers[1] as number) * 1.5, ASK_MAX_US);
    const all = this.rules.policy === Policy.hold ? PEERS_ALL : this.asked;
    for (const { target } of this.candidates().slice(0, all)) this.port.ask(target);
  }

  /** Who is likely to go on if this node dies first; under `hold` the electors. */
  private candidates(): Peer[] {
    const { policy, electors } = this.rules;
    const inSync = [...this.peers.values()].filter(({ isInSync, target }) => isInSync && target.port !== 0);
    if (policy === Policy.hold) {
      return inSync.filter(({ node, name }) => electors.some((elector) => isNamed(elector, node, name)));
    }
    return inSync.sort((left, right) => right.priority - left.priority || (left.node < right.node ? -1 : 1));
  }

  /** A node has all frames up to this one. */
  onApplied(node: string, frame: number): void {
    if (this.isIdle || this.peers.get(node) === undefined) return;
    this.applied.set(node, Math.max(frame, this.applied.get(node) ?? 0));
    this.judge();
  }

  /** A node that has all frames up to this one wants to be told when enough others have, too. */
  onAsked(node: string, frame: number, target: FrameTarget): void {
    const known = this.asking.get(node);
    if (this.peers.get(node) === undefined) return;
    const isNew = known === undefined || frame > known.last;
    const first = known?.frame ?? frame;
    this.asking.set(node, { target, frame: first, last: frame, untilUs: this.clock.nowUs + ASKING_US });
    this.applied.set(node, Math.max(frame, this.applied.get(node) ?? 0));
    this.judge();
    if (!isNew || !this.asking.has(node)) return;
    const soonestUs = (this.registers[3] as number) + ASK_LEAST_US;
    if (this.clock.nowUs >= soonestUs) this.askAnew();
    else this.registers[0] = Math.min(this.registers[0] as number, soonestUs);
  }

  private judge(): void {
    const { nowUs } = this.clock;
    const isHold = this.rules.policy === Policy.hold;
    const isAlone = !isHold && this.candidates().length === 0;
    const through = this.noteThrough();
    const { waiting } = this;
    this.waiting = [];
    for (const write of waiting) {
      const isReplicated = write.frame !== 0 && write.frame <= through;
      const isOver = !isHold && ((write.frame !== 0 && isAlone) || nowUs - write.sinceUs > PATIENCE_US);
      if (isReplicated || isOver) this.finish(write, isReplicated);
      else this.waiting.push(write);
    }
    for (const [node, asking] of this.asking) this.answer(node, asking, through);
    if (!this.isIdle) return;
    this.registers[0] = Number.POSITIVE_INFINITY;
    this.applied.clear();
  }

  private answer(node: string, { target, frame, last, untilUs }: Asking, through: number): void {
    if (frame > through) return;
    const told = Math.min(last, through);
    if (told === last) this.asking.delete(node);
    else this.asking.set(node, { target, frame: told + 1, last, untilUs });
    this.port.tell(told, target);
  }

  /** Up to which frame enough others have all. What they had once in a term they have. */
  private noteThrough(): number {
    const { registers } = this;
    registers[2] = Math.max(registers[2] as number, this.rules.policy === Policy.hold ? this.majority : this.furthest);
    return registers[2] as number;
  }

  /** What one other node has. */
  private get furthest(): number {
    let furthest = 0;
    for (const [node, frame] of this.applied) {
      if (frame > furthest && this.peers.get(node)?.isInSync === true) furthest = frame;
    }
    return furthest;
  }

  /** What a majority of the electors has, this node counted if it is one. */
  private get majority(): number {
    const { electors } = this.rules;
    const frames = electors.map((elector) => this.frameOf(elector)).sort((left, right) => right - left);
    return frames[Math.floor(electors.length / 2)] ?? 0;
  }

  private frameOf(elector: string): number {
    if (isNamed(elector, this.own.id, this.own.name)) return Number.POSITIVE_INFINITY;
    let furthest = 0;
    for (const [node, frame] of this.applied) {
      const peer = this.peers.get(node);
      if (peer?.isInSync === true && isNamed(elector, node, peer.name)) furthest = Math.max(furthest, frame);
    }
    return furthest;
  }

  private finish({ done }: Waiting, isReplicated: boolean): void {
    if (isReplicated) this.replicated++;
    else this.alone++;
    done(isReplicated);
  }

  /** This node goes on in a new term, which begins with all that waits: nobody has said anything in it. */
  restart(): void {
    this.applied.clear();
    this.asking.clear();
    this.registers[2] = 0;
    if (this.waiting.length === 0) return;
    for (const write of this.waiting) write.frame = FIRST_FRAME;
    this.registers[0] = this.clock.nowUs;
  }

  /** The term is over: what waits is for somebody else to follow up. */
  release(): readonly CopiedWrite[] {
    const { waiting } = this;
    this.waiting = [];
    this.applied.clear();
    this.asking.clear();
    this.registers[0] = Number.POSITIVE_INFINITY;
    this.registers[2] = 0;
    return waiting;
  }
}

/** Who has the first frame of a term has what it began with. */
const FIRST_FRAME = 1;
const PEERS_ALL = Number.POSITIVE_INFINITY;
