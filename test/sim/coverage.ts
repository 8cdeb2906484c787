/**
 * Coverage: how often what went wrong in a run, so that a green run can show that it was put to the test.
 */
import { type FaultKind, KINDS } from "./faults.js";

/** What happened to single datagrams and connections. */
export type Effect =
  | "lost"
  | "cut"
  | "blackhole"
  | "held"
  | "corrupted"
  | "doubled"
  | "reordered"
  | "overflowed"
  | "replayed"
  | "missed while paused"
  | "connection failed"
  | "connection slow"
  | "copy spoke";

export class Coverage {
  readonly episodes = new Map<FaultKind, number>();
  readonly effects = new Map<Effect, number>();

  episode(kind: FaultKind): void {
    this.episodes.set(kind, (this.episodes.get(kind) ?? 0) + 1);
  }

  count(effect: Effect): void {
    this.effects.set(effect, (this.effects.get(effect) ?? 0) + 1);
  }

  add(other: Coverage): void {
    for (const [kind, count] of other.episodes) this.episodes.set(kind, (this.episodes.get(kind) ?? 0) + count);
    for (const [effect, count] of other.effects) this.effects.set(effect, (this.effects.get(effect) ?? 0) + count);
  }

  /** One line: every kind that happened, then what it did to datagrams. */
  line(): string {
    const kinds = KINDS.filter((kind) => this.episodes.has(kind));
    const episodes = kinds.map((kind) => `${kind} ${this.episodes.get(kind) ?? 0}`).join(", ");
    const effects = [...this.effects].map(([effect, count]) => `${effect} ${count}`).sort();
    return `faults: ${episodes === "" ? "none" : episodes}; datagrams: ${effects.length === 0 ? "all well" : effects.join(", ")}`;
  }
}
