/**
 * Clock watch: holds every node's session time against the virtual truth, which no node knows.
 *
 * Session time goes on at the pace of the machine's crystal and what is corrected of it; only a joiner's may jump, or one
 * that is far off. What a node says of its error is never less than the true one, by which its session time is off
 * its controller's at one moment. (Until the
 * exchanges from before are gone that is not asked of who has a crystal that changed its rate.)
 * No hybrid time lies more than 500 ms ahead of session time, and a change that is made now is stamped with that.
 */
import { HYBRID_AHEAD_LIMIT_US } from "../../src/base/clock.js";
import { Role } from "../../src/sync/roles.js";
import type { Machine } from "./machine.js";
import type { Timeline } from "./timeline.js";

/** Crystals 1 % off on both sides, a mesh that goes on as its first controller's went, and 500 ppm. */
const PACE_MAX = 0.05;
/** Who joins may step while it has not had more than this; later nobody does who is not far off. */
const JOINING_EXCHANGES = 8;
const STEP_MIN_US = 200_000;
/** Virtual time has whole microseconds, and own time rounds them. */
const GRAIN_US = 3;

/** Places in a clock's register. */
const OWN = 0;
const HYBRID = 1;
const SESSION = 3;

/** A node's clock at the end of its last turn; one object a machine, for turns are many. */
class Seen {
  boot = 0;
  steps = 0;
  exchanges = 0;
  /** [0] own time, [1] session time. */
  readonly timesUs = new Float64Array(2);
}

export class ClockWatch {
  /** The largest error that a node was found with, of those that it could tell; in microseconds. */
  worstUs = 0;
  compared = 0;
  /** By the machine's index. */
  private readonly seen: Seen[] = [];
  private readonly timeline: Timeline;
  private readonly fail: (machine: Machine, text: string) => void;

  constructor(timeline: Timeline, fail: (machine: Machine, text: string) => void) {
    this.timeline = timeline;
    this.fail = fail;
  }

  /** A machine's turn is over. */
  turned(machine: Machine): void {
    const { hana, boot, index } = machine;
    if (hana === undefined) return;
    const { clock } = hana.core;
    const { register } = clock;
    const { steps, exchanges } = hana.sessionClock.sync;
    this.seen[index] ??= new Seen();
    const before = this.seen[index];
    const { timesUs } = before;
    const ownUs = (register[OWN] as number) - (timesUs[0] as number);
    const jumpUs = Math.abs((register[SESSION] as number) - (timesUs[1] as number) - ownUs);
    const isSameBoot = before.boot === boot;
    const hasStepped = before.steps !== steps;
    const isJoining = before.exchanges < JOINING_EXCHANGES;
    timesUs[0] = register[OWN] as number;
    timesUs[1] = register[SESSION] as number;
    before.boot = boot;
    before.steps = steps;
    before.exchanges = exchanges;
    if ((register[HYBRID] as number) > (register[SESSION] as number) + HYBRID_AHEAD_LIMIT_US + GRAIN_US) {
      this.fail(machine, "its hybrid time is more than 500 ms ahead of session time");
    }
    if (!isSameBoot) return;
    const mayStep = hasStepped && (isJoining || jumpUs > STEP_MIN_US);
    if (!mayStep && jumpUs > ownUs * PACE_MAX + GRAIN_US) {
      this.fail(machine, `its session time jumped by ${Math.round(jumpUs)} us in ${Math.round(ownUs)} us`);
    }
  }

  /** A controller stamps what it commits with session time or, where it has heard later, with that. */
  committed(machine: Machine, timeUs: number): void {
    const clock = machine.hana?.core.clock;
    if (clock === undefined || timeUs >= clock.sessionUs - GRAIN_US) return;
    this.fail(machine, `stamped a change ${Math.round(clock.sessionUs - timeUs)} us before session time`);
  }

  /** What a node says of its error is true. */
  compare(machine: Machine, controller: Machine): void {
    const own = machine.hana;
    const other = controller.hana;
    if (own === undefined || other === undefined || own === other) return;
    if (own.roles.role !== Role.following || own.roles.term.node !== controller.id) return;
    // In a later term it may go by another side's time, and this node has not heard of it.
    if (own.roles.term.number !== other.roles.term.number) return;
    const boundUs = this.boundOf(machine, controller);
    const offUs = Math.abs(this.sessionOf(machine) - this.sessionOf(controller));
    if (!Number.isFinite(boundUs)) return;
    this.compared++;
    this.worstUs = Math.max(this.worstUs, offUs);
    if (offUs <= boundUs + GRAIN_US) return;
    this.fail(machine, `its session time is ${Math.round(offUs)} us off and it says ${Math.round(boundUs)} at most`);
  }

  /** Infinite where nothing is promised. */
  private boundOf(machine: Machine, controller: Machine): number {
    const { hana } = machine;
    if (hana === undefined) return Number.POSITIVE_INFINITY;
    const { sync } = hana.sessionClock;
    const changedUs = Math.max(machine.rateSinceUs, controller.rateSinceUs, controller.bootedUs);
    const oldestUs = this.timeline.nowUs - (machine.localUs - sync.oldestUs) / (1 - PACE_MAX);
    if (oldestUs <= changedUs) return Number.POSITIVE_INFINITY;
    // It was told the time when its last turn began.
    return sync.boundUs + (machine.localUs - hana.core.clock.nowUs) * PACE_MAX;
  }

  private sessionOf(machine: Machine): number {
    return machine.hana === undefined ? Number.NaN : machine.hana.core.clock.sessionAt(machine.localUs);
  }
}
