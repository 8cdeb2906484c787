/**
 * Health: what is wrong now, one sentence each, until it is well again. A closed set of codes, bounded by it.
 */
import { FitnessLevel } from "../wire/fitness.js";

export const HealthCode = {
  foreignKey: "foreign-key",
  twin: "twin-node",
  lost: "lost-frames",
  snapshot: "snapshot",
  impulseLate: "impulse-late",
  stepDown: "step-down",
  healing: "healing",
  conflict: "conflicts",
  conflictOpen: "conflicts-open",
  conflictUnlisted: "conflicts-unlisted",
  mergeRefused: "merge-refused",
  noController: "no-controller",
  multicast: "multicast",
  unicast: "stream-by-unicast",
  buffer: "receive-buffer",
  socket: "socket",
  termFile: "term-file",
  stalled: "stalled",
  desk: "desk",
  show: "show",
  ringLapped: "ring-lapped",
  peers: "peers-silent",
  repaired: "repaired",
  slowPeer: "slow-peer",
  slow: "slow",
  wireless: "wireless",
  memory: "memory",
  midi: "midi",
} as const;
export type HealthCode = (typeof HealthCode)[keyof typeof HealthCode];

/** How bad a finding is: `notice` needs nobody, `warning` needs somebody before the show, `alarm` now. */
export type HealthLevel = "notice" | "warning" | "alarm";

const LEVELS: Partial<Record<HealthCode, HealthLevel>> = {
  [HealthCode.multicast]: "alarm",
  [HealthCode.socket]: "alarm",
  [HealthCode.noController]: "alarm",
  [HealthCode.memory]: "alarm",
  [HealthCode.conflictOpen]: "alarm",
  [HealthCode.lost]: "notice",
  [HealthCode.snapshot]: "notice",
  [HealthCode.wireless]: "notice",
  // It is the other's trouble, who says so itself.
  [HealthCode.slowPeer]: "notice",
};

export function levelOf(code: HealthCode): HealthLevel {
  return LEVELS[code] ?? "warning";
}

export interface Finding {
  readonly code: HealthCode;
  readonly text: string;
  readonly sinceUs: number;
}

export class Health {
  private readonly findings = new Map<HealthCode, Finding>();

  /** Sets or, with an empty text, ends a finding. Answers whether anything changed. */
  set(code: HealthCode, text: string, nowUs: number): boolean {
    const known = this.findings.get(code);
    if (text === "") return this.findings.delete(code);
    if (known?.text === text) return false;
    this.findings.set(code, { code, text, sinceUs: known?.sinceUs ?? nowUs });
    return true;
  }

  /** The worst of what is wrong now, as a peer hears of it. */
  get level(): FitnessLevel {
    let worst: FitnessLevel = FitnessLevel.green;
    for (const code of this.findings.keys()) {
      // That others are silent is nothing of this node's: else all would turn yellow with one.
      if (code === HealthCode.peers) continue;
      const level = levelOf(code);
      if (level === "alarm") return FitnessLevel.red;
      if (level === "warning") worst = FitnessLevel.yellow;
    }
    return worst;
  }

  list(): readonly Finding[] {
    return [...this.findings.values()];
  }
}
