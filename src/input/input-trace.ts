/**
 * Input trace: what became of each message, from the control to the value, with the reason when nothing happened.
 *
 * It stands beside the way of a message and is asked only while somebody traces: `begin` before anybody hears it,
 * `moved` for each path that it concerns, `end` after. It changes nothing; whoever it tells gets plain data.
 */
import type { Clock } from "../base/clock.js";
import type { Value } from "../state/declaration.js";

/**
 * `written`, `fired`: it happened here. `waits`: the control has to find the value first. `nothing`: it was heard, and
 * there was nothing to do. `refused`: by the path, or later by the controller. `unbound`: it concerns nothing.
 */
export type TraceOutcome = "written" | "fired" | "waits" | "nothing" | "refused" | "unbound";

/** What became of a message at one path. */
export interface TracedMove {
  /** The id of the binding; "" for what an OSC message says to a path itself, and for none. */
  readonly binding: string;
  /** "" for none. */
  readonly path: string;
  /** The value that the path shows now; null when there is none. */
  readonly value: Value;
  readonly outcome: TraceOutcome;
  /** Why nothing happened, as a sentence's end; else "". */
  readonly reason: string;
  /** How far the control has to go to find the value, as a part of its way: up when above 0. Else 0. */
  readonly gap: number;
}

/** Why nobody did anything with a message; by which binding and for which path somebody would have. */
export type TraceEnding = Pick<TracedMove, "reason"> & Partial<Pick<TracedMove, "binding" | "path">>;

export interface TracedMessage {
  /** `nano/ch1/cc7`, `osc:/1/fader1`. */
  readonly source: string;
  /** The device's alias, or the host of an OSC message. */
  readonly from: string;
  /** What it says, as a person reads it: `64/127`, `0.5 1`. */
  readonly message: string;
}

export interface TraceLine extends TracedMessage, TracedMove {
  /** Microseconds since 1970, session time. */
  readonly timeUs: number;
}

const NOBODY: TracedMessage = { source: "", from: "", message: "" };

export class InputTrace {
  private readonly clock: Clock;
  private readonly tell: (line: TraceLine) => void;
  private message = NOBODY;
  private lines = 0;

  constructor(clock: Clock, tell: (line: TraceLine) => void) {
    this.clock = clock;
    this.tell = tell;
  }

  begin(message: TracedMessage): void {
    this.message = message;
    this.lines = 0;
  }

  /** Answers the line that was told, for what becomes of it later. */
  moved(move: TracedMove): TraceLine {
    const line = { timeUs: this.clock.sessionUs, ...this.message, ...move };
    this.lines++;
    this.tell(line);
    return line;
  }

  /** Everybody has heard it. `ending`: why nobody did anything with it. */
  end(ending: () => TraceEnding): void {
    if (this.lines > 0) return;
    this.moved({ binding: "", path: "", value: null, outcome: "unbound", gap: 0, ...ending() });
  }

  /** What was written was refused later. */
  refused(line: TraceLine, value: Value, reason: string): void {
    this.tell({ ...line, timeUs: this.clock.sessionUs, value, outcome: "refused", reason });
  }
}

const PERCENT = 100;

/** Where a control has to go: `up by 23 %`. */
export function gapText(gap: number): string {
  const percent = Math.max(1, Math.round(Math.abs(gap) * PERCENT));
  return `${gap > 0 ? "up" : "down"} by ${percent} %`;
}
