/**
 * ConflatedLanes: which followers get conflated rounds, and what is sent to each when. Told the time and the answers.
 *
 * Each lane has one round under way: its missing parts are sent again until all are there, then the next one begins
 * where the follower stands by then. So a lossy follower costs a few datagrams every round, whatever the stream does, and
 * nobody waits for it. All lanes together have a budget of their own: a hundred followers that multicast does not reach
 * share it, each in its turn. Bounded to as many lanes as a mesh has nodes.
 */
import type { Clock } from "../base/clock.js";
import { ConflatedReason, type RoundAnswer, type RoundPart } from "../wire/conflated.js";
import type { Stretch } from "./conflation.js";
import type { FrameTarget } from "./stream-frames.js";

export const LANES_MAX = 256;
/** A follower's next round begins this long after the one before, if there is anything to send. */
const ROUND_US = 40_000;
const RESEND_US = 40_000;
/** A round of nothing says that the controller lives, and asks where the follower stands. */
const QUIET_US = 100_000;
/** Datagrams a second in all lanes together: a tenth of the send budget. */
export const LANE_PACKETS_PER_SECOND = 2_000;
const PACKETS_BURST = 200;
/** Frames that may be read at one tick for rounds, all lanes together. */
const FRAMES_PER_TICK = 4_096;
/** A round of several parts is given up when nothing of it was heard of after so many. */
const TRIES_MAX = 8;
const NOTHING: readonly Uint8Array[] = [new Uint8Array(0)];

/** Where rounds come from and go. */
export interface LanePort {
  /** Of the stream so far. */
  newest(): number;
  term(): number;
  stretch(since: number): Stretch | undefined;
  send(head: RoundPart, entries: Uint8Array, target: FrameTarget): void;
}

interface Lane {
  readonly node: string;
  target: FrameTarget;
  reason: ConflatedReason;
  untilUs: number;
  /** Where the follower said that it stands. */
  complete: number;
  round: number;
  since: number;
  /** The round under way; undefined when all of it is there. */
  stretch: Stretch | undefined;
  here: number;
  /** How often it was sent without an answer. */
  tries: number;
  begunUs: number;
  sentUs: number;
}

export class ConflatedLanes {
  private readonly clock: Clock;
  private readonly port: LanePort;
  private readonly lanes = new Map<string, Lane>();
  /** [0] tokens, [1] when they were counted. */
  private readonly registers = new Float64Array(2);
  private framesLeft = 0;
  /** Whose frames the rounds are of. */
  private term = 0;
  /** Rounds that were begun in this tick: followers at one place share one. */
  private readonly begun = new Map<number, Stretch>();
  rounds = 0;
  packets = 0;

  constructor(clock: Clock, port: LanePort) {
    this.clock = clock;
    this.port = port;
  }

  get size(): number {
    return this.lanes.size;
  }

  /** Opens a lane, or keeps it open for so long. A slow follower's stays one until its time is over. */
  lease(node: string, target: FrameTarget, reason: ConflatedReason, forUs: number): void {
    const { nowUs } = this.clock;
    const lane = this.lanes.get(node) ?? this.open(node, target, reason);
    if (lane === undefined) return;
    lane.target = target;
    lane.reason = reason;
    lane.untilUs = nowUs + forUs;
  }

  private open(node: string, target: FrameTarget, reason: ConflatedReason): Lane | undefined {
    if (this.lanes.size >= LANES_MAX) return undefined;
    if (this.lanes.size === 0) this.term = this.port.term();
    const complete = this.port.newest();
    const times = { untilUs: 0, begunUs: Number.NEGATIVE_INFINITY, sentUs: Number.NEGATIVE_INFINITY };
    const lane = {
      node,
      target,
      reason,
      complete,
      round: 0,
      since: 0,
      stretch: undefined,
      here: 0,
      tries: 0,
      ...times,
    };
    this.lanes.set(node, lane);
    return lane;
  }

  /** Whom the groups do not reach. */
  *cutOff(): Generator<FrameTarget> {
    for (const { reason, target } of this.lanes.values()) if (reason === ConflatedReason.cutOff) yield target;
  }

  end(node: string): void {
    this.lanes.delete(node);
  }

  clear(): void {
    this.lanes.clear();
  }

  /** A follower says what it has. */
  answer(node: string, answer: RoundAnswer): void {
    const lane = this.lanes.get(node);
    if (lane === undefined || answer.term !== this.port.term() || answer.complete > this.port.newest()) return;
    lane.complete = answer.complete;
    const { stretch } = lane;
    if (stretch === undefined) return;
    if (answer.round === lane.round) lane.here |= answer.here;
    const all = 2 ** stretch.parts.length - 1;
    if ((lane.here & all) === all || lane.complete >= stretch.through) lane.stretch = undefined;
  }

  tick(): void {
    if (this.lanes.size === 0) return;
    if (this.port.term() !== this.term) this.restart();
    this.fill();
    this.framesLeft = FRAMES_PER_TICK;
    this.begun.clear();
    const { nowUs } = this.clock;
    for (const lane of [...this.lanes.values()]) {
      if (nowUs >= lane.untilUs) this.lanes.delete(lane.node);
      else if (!this.serve(lane, nowUs)) break;
    }
  }

  /**
   * A controller that raises its term counts its frames from 1 again: a round of the old ones would be taken for those of
   * the new term. Where a follower stands in that, its answer to the first round says.
   */
  private restart(): void {
    this.term = this.port.term();
    for (const lane of this.lanes.values()) {
      lane.complete = 0;
      lane.stretch = undefined;
      lane.begunUs = Number.NEGATIVE_INFINITY;
    }
  }

  private fill(): void {
    const { registers, clock } = this;
    const passedUs = Math.max(0, clock.nowUs - (registers[1] as number));
    registers[1] = clock.nowUs;
    registers[0] = Math.min(PACKETS_BURST, (registers[0] as number) + (passedUs * LANE_PACKETS_PER_SECOND) / 1e6);
  }

  /** False when nothing more may be sent now. Who was served is the last in turn. */
  private serve(lane: Lane, nowUs: number): boolean {
    const isOver = lane.stretch === undefined;
    const isDue = isOver
      ? nowUs - lane.begunUs >= (this.port.newest() > lane.complete ? ROUND_US : QUIET_US)
      : nowUs - lane.sentUs >= RESEND_US;
    if (!isDue) return true;
    if ((this.registers[0] as number) < 1 || this.framesLeft <= 0) return false;
    // Where nothing has arrived, what is newer may go in its place.
    const mayReplace = lane.here === 0 && (lane.stretch?.parts.length === 1 || lane.tries >= TRIES_MAX);
    if (isOver || mayReplace) this.begin(lane, nowUs);
    this.send(lane, nowUs);
    this.lanes.delete(lane.node);
    this.lanes.set(lane.node, lane);
    return true;
  }

  private begin(lane: Lane, nowUs: number): void {
    const { begun, port } = this;
    const newest = port.newest();
    lane.begunUs = nowUs;
    lane.round = (lane.round + 1) & 0xffff;
    lane.here = 0;
    lane.tries = 0;
    const known = begun.get(lane.complete) ?? port.stretch(lane.complete);
    // It is too far behind to be helped so, and hears it by a round that lies too far ahead.
    const stretch = known ?? { through: newest, parts: NOTHING };
    lane.since = known === undefined ? newest : lane.complete;
    if (known !== undefined && !begun.has(lane.since)) {
      this.framesLeft -= known.through - lane.since;
      begun.set(lane.since, known);
    }
    lane.stretch = stretch;
    this.rounds++;
  }

  private send(lane: Lane, nowUs: number): void {
    const { stretch, since, round, reason, target, here } = lane;
    if (stretch === undefined) return;
    lane.sentUs = nowUs;
    lane.tries++;
    const { through, parts } = stretch;
    const term = this.port.term();
    for (let part = 0; part < parts.length; part++) {
      if ((here & (1 << part)) !== 0) continue;
      if ((this.registers[0] as number) < 1) return;
      this.registers[0] = (this.registers[0] as number) - 1;
      this.packets++;
      const head = { term, since, through, round, parts: parts.length, part, reason };
      this.port.send(head, parts[part] as Uint8Array, target);
    }
  }
}
