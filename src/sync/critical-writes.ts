/**
 * CriticalWrites: the controller's own writes to critical paths, which are acknowledged when they are not lost with it.
 *
 * Such a write waits until another node has its frame, and all before it, so that this node would say so in an election
 * and no takeover could pass over it; under `hold` until a majority of the electors has. The first in rank are asked, by
 * a heartbeat each, more of them each time while none answers. Whoever is alone is told so at once, and who waits too
 * long: acknowledged, and not replicated. It knows no path and no socket; told the time. Bounded.
 */
import type { Clock } from "../base/clock.js";
import { type ElectionRules, isMajority, isNamed, Policy } from "./election.js";
import type { Peer, Peers } from "./peers.js";
import type { FrameTarget } from "./stream-frames.js";

/** Asked at first; each time that nobody answers, as many more. */
const ASKED_FIRST = 3;
const ASK_FIRST_US = 10_000;
const ASK_MAX_US = 100_000;
/** Who asked to be told is told by then, come what may. */
export const PATIENCE_US = 2_000_000;
const WAITING_MAX = 1_024;

/** Told whether others have the write. */
export type Replicated = (isReplicated: boolean) => void;

interface Waiting {
  /** The write is out when so many of the publisher's items are; then the frame, 0 before. */
  readonly position: number;
  frame: number;
  readonly sinceUs: number;
  readonly done: Replicated;
}

export class CriticalWrites {
  private readonly clock: Clock;
  private readonly peers: Peers;
  private readonly rules: ElectionRules;
  private readonly own: { readonly id: string; readonly name: string };
  private readonly ask: (target: FrameTarget) => void;
  private waiting: Waiting[] = [];
  /** Up to which frame each node that answered has all. */
  private readonly applied = new Map<string, number>();
  private asked = ASKED_FIRST;
  /** [0] when the next ask is due, [1] the pause after it. */
  private readonly registers = new Float64Array([Number.POSITIVE_INFINITY, ASK_FIRST_US]);
  /** Writes that were acknowledged with another node's word, and without. */
  replicated = 0;
  alone = 0;

  constructor(
    clock: Clock,
    peers: Peers,
    rules: ElectionRules,
    own: { readonly id: string; readonly name: string },
    ask: (target: FrameTarget) => void,
  ) {
    this.clock = clock;
    this.peers = peers;
    this.rules = rules;
    this.own = own;
    this.ask = ask;
  }

  /** Calls back when others have what stands before `position` in the publisher's queue, or it is clear that none has. */
  add(position: number, done: Replicated): void {
    if (this.waiting.length >= WAITING_MAX) this.finish(this.waiting.shift() as Waiting, false);
    this.waiting.push({ position, frame: 0, sinceUs: this.clock.nowUs, done });
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
    if (!isNew) return;
    this.registers[1] = ASK_FIRST_US;
    this.asked = ASKED_FIRST;
    this.askThem();
    this.judge();
  }

  tick(): void {
    if (this.waiting.length === 0 || this.clock.nowUs < (this.registers[0] as number)) return;
    this.asked += ASKED_FIRST;
    this.askThem();
    this.judge();
  }

  private askThem(): void {
    const { registers } = this;
    registers[0] = this.clock.nowUs + (registers[1] as number);
    registers[1] = Math.min((registers[1] as number) * 1.5, ASK_MAX_US);
    const all = this.rules.policy === Policy.hold ? PEERS_ALL : this.asked;
    for (const { target } of this.candidates().slice(0, all)) this.ask(target);
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
    if (this.waiting.length === 0 || this.peers.get(node) === undefined) return;
    this.applied.set(node, Math.max(frame, this.applied.get(node) ?? 0));
    this.judge();
  }

  private judge(): void {
    const isAlone = this.candidates().length === 0;
    const { nowUs } = this.clock;
    const { waiting } = this;
    this.waiting = [];
    for (const write of waiting) {
      const isReplicated = write.frame !== 0 && this.hasEnough(write.frame);
      const isOver = (write.frame !== 0 && isAlone) || nowUs - write.sinceUs > PATIENCE_US;
      if (isReplicated || isOver) this.finish(write, isReplicated);
      else this.waiting.push(write);
    }
    if (this.waiting.length > 0) return;
    this.registers[0] = Number.POSITIVE_INFINITY;
    this.applied.clear();
  }

  private hasEnough(frame: number): boolean {
    const nodes = [...this.applied].filter(([node, applied]) => applied >= frame && this.peers.get(node)?.isInSync);
    if (this.rules.policy === Policy.island) return nodes.length > 0;
    const nameOf = (node: string): string =>
      node === this.own.id ? this.own.name : (this.peers.get(node)?.name ?? "");
    return isMajority(this.rules.electors, [this.own.id, ...nodes.map(([node]) => node)], nameOf);
  }

  private finish({ done }: Waiting, isReplicated: boolean): void {
    if (isReplicated) this.replicated++;
    else this.alone++;
    done(isReplicated);
  }

  /** This node goes on in a new term, which begins with all that waits: nobody has said anything in it. */
  restart(): void {
    this.applied.clear();
    if (this.waiting.length === 0) return;
    for (const write of this.waiting) write.frame = FIRST_FRAME;
    this.registers[0] = this.clock.nowUs;
  }

  /** The term is over: who waits is told that nobody is known to have it. */
  clear(): void {
    const { waiting } = this;
    this.waiting = [];
    this.applied.clear();
    this.registers[0] = Number.POSITIVE_INFINITY;
    for (const write of waiting) this.finish(write, false);
  }
}

/** Who has the first frame of a term has what it began with. */
const FIRST_FRAME = 1;
const PEERS_ALL = Number.POSITIVE_INFINITY;
