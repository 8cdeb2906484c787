/**
 * Health: what is wrong now, one sentence each, until it is well again. A closed set of codes, bounded by it.
 */
export const HealthCode = {
  foreignKey: "foreign-key",
  twin: "twin-node",
  lost: "lost-frames",
  snapshot: "snapshot",
  impulseLate: "impulse-late",
  stepDown: "step-down",
  noController: "no-controller",
  multicast: "multicast",
  buffer: "receive-buffer",
  socket: "socket",
  termFile: "term-file",
  stalled: "stalled",
  desk: "desk",
  show: "show",
  ringLapped: "ring-lapped",
} as const;
export type HealthCode = (typeof HealthCode)[keyof typeof HealthCode];

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

  list(): readonly Finding[] {
    return [...this.findings.values()];
  }
}
