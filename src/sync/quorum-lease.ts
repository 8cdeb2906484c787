/**
 * Quorum lease: until when a controller under `hold` may write. Told the time and what the electors echo.
 *
 * Electors echo the controller's announcements. The lease runs 400 ms from the sending of the newest one that a majority
 * has echoed; who grants another node a vote has heard nothing for 500 ms and echoes nothing for as long after, so the
 * lease has run out before another controller can open its term. An announcement is known by its packet counter.
 */
import type { Clock } from "../base/clock.js";
import { type ElectionRules, isNamed } from "./election.js";

export const LEASE_US = 400_000;
const SENT_KEPT = 16;

export class QuorumLease {
  private readonly clock: Clock;
  private readonly rules: ElectionRules;
  private readonly self: string;
  private readonly nameOf: (node: string) => string;
  /** Announcements sent lately: packet counter and time, in pairs. */
  private readonly sent = new Float64Array(SENT_KEPT * 2);
  private sentNext = 0;
  /** When what each node echoed last was sent. */
  private readonly echoes = new Map<string, number>();
  /** [0] until when the lease runs whatever is echoed: it was handed over. */
  private readonly registers = new Float64Array(1);

  constructor(clock: Clock, rules: ElectionRules, self: string, nameOf: (node: string) => string) {
    this.clock = clock;
    this.rules = rules;
    this.self = self;
    this.nameOf = nameOf;
  }

  isElector(node: string): boolean {
    return this.rules.electors.some((elector) => isNamed(elector, node, this.nameOf(node)));
  }

  /** A term begins: these nodes agreed to a question that was asked then. */
  begin(voters: readonly string[], askedUs: number): void {
    this.echoes.clear();
    for (const node of voters) this.echoes.set(node, askedUs);
  }

  /** A term is handed over with what was left of its controller's lease. */
  takeOver(untilUs: number): void {
    this.echoes.clear();
    this.registers[0] = untilUs;
  }

  announced(counter: number): void {
    this.sent[this.sentNext * 2] = counter;
    this.sent[this.sentNext * 2 + 1] = this.clock.nowUs;
    this.sentNext = (this.sentNext + 1) % SENT_KEPT;
  }

  /** A node has heard everything up to this packet. */
  echoed(node: string, counter: number): void {
    let newestUs = this.echoes.get(node) ?? 0;
    for (let at = 0; at < this.sent.length; at += 2) {
      const isHeard = (this.sent[at] as number) > 0 && (this.sent[at] as number) <= counter;
      if (isHeard) newestUs = Math.max(newestUs, this.sent[at + 1] as number);
    }
    if (newestUs > 0 && this.isElector(node)) this.echoes.set(node, newestUs);
  }

  /** Until when this node may write. */
  get untilUs(): number {
    const { electors } = this.rules;
    const times = electors.map((elector) => this.heardUs(elector)).sort((left, right) => right - left);
    const majority = Math.floor(electors.length / 2);
    return Math.max(this.registers[0] as number, (times[majority] ?? 0) + LEASE_US);
  }

  private heardUs(elector: string): number {
    if (isNamed(elector, this.self, this.nameOf(this.self))) return this.clock.nowUs;
    let newestUs = 0;
    for (const [node, timeUs] of this.echoes) {
      if (isNamed(elector, node, this.nameOf(node))) newestUs = Math.max(newestUs, timeUs);
    }
    return newestUs;
  }
}
