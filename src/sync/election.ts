/**
 * Election: one attempt to become controller. It counts answers and says when they are enough. Told the time.
 *
 * `island`: more yes than no among those that are heard, this node counted, and alone if nobody is heard. `hold`: a
 * majority of the configured electors. Voters say no while they hear a controller, so asking costs a healthy mesh
 * nothing: it is pre-vote and vote in one. A voter's newest answer counts: one whose silence is not long enough yet says
 * no to the first ask and yes to the next.
 */
import type { Clock } from "../base/clock.js";
import type { Head, Vote } from "../wire/vote.js";
import type { FrameTarget } from "./stream-frames.js";

/** Answers are waited for this long before those that are there decide. */
const WAIT_US = 60_000;
/** The house is kept every 20 ms: before the next in rank begins to ask, who was not reached is asked again. */
const REPEAT_US = 15_000;
const GIVE_UP_US = 300_000;
/** A loop that was held up this long has not read the answers that came meanwhile; by then it has. */
const LAG_US = 50_000;
const CATCH_UP_US = 20_000;
/** More are not listened to: a mesh has at most 256 nodes. */
const VOTES_MAX = 256;

export const Policy = { island: "island", hold: "hold" } as const;
export type Policy = (typeof Policy)[keyof typeof Policy];

export const Verdict = { open: 0, won: 1, lost: 2 } as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Who decides. */
export interface ElectionRules {
  readonly policy: Policy;
  /** Under `hold`: names or ids of the nodes of which a majority must agree. */
  readonly electors: readonly string[];
}

export interface Voter {
  readonly node: string;
  readonly head: Head;
  /** Where its contents can be fetched. */
  readonly snapshots: FrameTarget;
}

interface Answer extends Voter {
  readonly isYes: boolean;
}

/** How a head compares to another: above 0 when it holds more. A higher term holds more than a lower one. */
export function compareHeads(left: Head, right: Head): number {
  if (left.whole === 0 || right.whole === 0) return left.whole - right.whole;
  if (left.number !== right.number) return left.number - right.number;
  if (left.node !== right.node) return left.node < right.node ? -1 : 1;
  return left.whole - right.whole;
}

/** An elector is named by its id or by its name. */
export function isNamed(elector: string, node: string, name: string): boolean {
  return node === elector || name === elector;
}

/** Whether these nodes are a majority of the electors. */
export function isMajority(
  electors: readonly string[],
  nodes: readonly string[],
  nameOf: (node: string) => string,
): boolean {
  const agreed = electors.filter((elector) => nodes.some((node) => isNamed(elector, node, nameOf(node))));
  return agreed.length * 2 > electors.length;
}

export class Election {
  private readonly clock: Clock;
  private readonly answers = new Map<string, Answer>();
  private expected: ReadonlySet<string> = new Set();
  /** The term that would be opened; 0 while nothing is asked. */
  number = 0;
  nonce = 0;
  /** The highest term number that a voter knew of. */
  known = 0;
  /** [0] when it was asked first, [1] when it is asked again, [2] when it was judged last, [3] from when on silence counts. */
  private readonly registers = new Float64Array(4);
  private wasLate = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get isOpen(): boolean {
    return this.number !== 0;
  }

  /** When the voters were asked first, in microseconds. */
  get askedUs(): number {
    return this.registers[0] as number;
  }

  /** Begins to ask; `expected`: who may answer, as far as is known. */
  begin(number: number, nonce: number, expected: ReadonlySet<string>): void {
    this.number = number;
    this.nonce = nonce;
    this.known = 0;
    this.expected = expected;
    this.answers.clear();
    this.registers.fill(this.clock.nowUs);
    this.wasLate = false;
  }

  /** Whether an answer knew of this number or a higher one: it can only be won with another. */
  get isOutdated(): boolean {
    return this.isOpen && this.known >= this.number && this.clock.nowUs - this.askedUs >= WAIT_US;
  }

  end(): void {
    this.number = 0;
    this.answers.clear();
  }

  /** Whether the voters are to be asked now, the first time or again. */
  takeAsk(): boolean {
    const now = this.clock.nowUs;
    if (!this.isOpen || now < (this.registers[1] as number)) return false;
    this.registers[1] = now + REPEAT_US;
    return true;
  }

  take(node: string, vote: Vote, address: string): void {
    if (!this.isOpen || vote.number !== this.number || vote.nonce !== this.nonce) return;
    if (this.answers.size >= VOTES_MAX && !this.answers.has(node)) return;
    // Who promised this number knows it, and of nobody else's.
    if (!vote.isYes || vote.known > this.number) this.known = Math.max(this.known, vote.known);
    const { isYes, head, snapshotPort: port } = vote;
    this.answers.set(node, { node, isYes, head, snapshots: { address, port } });
  }

  /** Who said yes. */
  get agreed(): string[] {
    return [...this.answers.values()].filter(({ isYes }) => isYes).map(({ node }) => node);
  }

  /** `self`: this node; `nameOf` answers a node's name. */
  verdict(rules: ElectionRules, self: string, nameOf: (node: string) => string): Verdict {
    this.noteLag();
    const waitedUs = this.clock.nowUs - this.askedUs;
    const hasWon = rules.policy === Policy.hold ? this.hasMajority(rules, self, nameOf) : this.hasMore(waitedUs);
    if (hasWon) return Verdict.won;
    return waitedUs >= GIVE_UP_US ? Verdict.lost : Verdict.open;
  }

  /** A loop that is late every time goes on all the same. */
  private noteLag(): void {
    const { registers } = this;
    const { nowUs } = this.clock;
    const isLate = nowUs - (registers[2] as number) > LAG_US;
    if (isLate && !this.wasLate) registers[3] = nowUs + CATCH_UP_US;
    this.wasLate = isLate;
    registers[2] = nowUs;
  }

  private hasMajority({ electors }: ElectionRules, self: string, nameOf: (node: string) => string): boolean {
    return isMajority(electors, [self, ...this.agreed], nameOf);
  }

  private hasMore(waitedUs: number): boolean {
    let yes = 1;
    let unheard = this.expected.size;
    for (const answer of this.answers.values()) {
      if (answer.isYes) yes++;
      if (this.expected.has(answer.node)) unheard--;
    }
    const no = this.answers.size + 1 - yes;
    // Who knows of nobody has all the more reason to listen first.
    if (this.expected.size > 0 && yes > no + unheard) return true;
    return waitedUs >= WAIT_US && this.clock.nowUs >= (this.registers[3] as number) && yes > no;
  }

  /** Voters that said yes and hold more than `own`, the best informed first. */
  betterThan(own: Head): Voter[] {
    const better = [...this.answers.values()].filter(({ isYes, head }) => isYes && compareHeads(head, own) > 0);
    return better.sort((left, right) => compareHeads(right.head, left.head));
  }
}
