/**
 * BucketRepair: a follower whose digests differ from its controller's gets what differs, without a snapshot.
 *
 * For each component that differs it sends its bucket digests, and makes its state equal to the ranges that come back.
 * It asks again while it makes progress or has tries left; then only the whole state helps. What was repaired, and what
 * that says of the cause, is a finding that stays for a while, and a counter. Told the time; while nothing differs it
 * does nothing.
 */
import { COMPONENTS } from "../state/component.js";
import { BUCKETS } from "../state/digest.js";
import type { PendingWrites } from "../sync/pending-writes.js";
import { RangeAssembly } from "../sync/range-assembly.js";
import type { Roles } from "../sync/roles.js";
import { readRangePart, writeBucketAsk } from "../wire/bucket-message.js";
import { FrameType } from "../wire/frame.js";
import type { Applier } from "./applier.js";
import type { NodeCore } from "./core.js";
import { type Follower, FollowState } from "./follower.js";
import type { FrameIo } from "./frame-io.js";
import { HealthCode } from "./health.js";
import { Difference, RangeAdoption } from "./range-adoption.js";

const ASK_AGAIN_US = 80_000;
const TRIES_MAX = 16;
const TRIES_KEPT = 4;
/** protocol.md: repaired within two seconds; after that the whole state is fetched. */
const PATIENCE_US = 2_000_000;
/** How long what was repaired can be read. */
const SHOWN_US = 600_000_000;
/** A range takes some 0.1 ms with ten thousand paths. */
const RANGES_PER_TICK = 16;
const NAMED_MAX = 3;
const NEVER = Number.POSITIVE_INFINITY;

export interface BucketRepairParts {
  readonly core: NodeCore;
  readonly applier: Applier;
  readonly pending: PendingWrites;
  readonly roles: Roles;
  readonly io: FrameIo;
  readonly follower: Follower;
  setHealth(code: HealthCode, text: string): void;
}

const CAUSES: Readonly<Record<Difference, string>> = {
  [Difference.value]: "had another value at the same version (its memory changed by itself)",
  [Difference.version]: "had another version (a change was missed)",
  [Difference.missing]: "was missing (a declaration was missed)",
  [Difference.extra]: "was too much (a removal was missed)",
  [Difference.declaration]: "had another declaration (a new one was missed)",
};

export class BucketRepair {
  private readonly node: BucketRepairParts;
  private readonly ranges = new RangeAssembly();
  private readonly adoption: RangeAdoption;
  private readonly digests = new Int32Array(BUCKETS * 2);
  /** [0] since when something differs, Infinity while nothing does; [1] last ask; [2] when the finding ends. */
  private readonly registers = new Float64Array([NEVER, 0, NEVER]);
  private tries = 0;
  /** Components that differ, one bit each, all that did since it began. */
  private differed = 0;
  private readonly counts = new Map<Difference, number>();
  private readonly paths: string[] = [];
  private repaired = 0;

  constructor(node: BucketRepairParts) {
    this.node = node;
    this.adoption = new RangeAdoption(node.core, node.applier, node.pending, (path, difference) => {
      this.note(path, difference);
    });
  }

  /**
   * The digests were compared: one bit per component that differs. Answers false when this cannot be repaired so: the
   * whole state is needed.
   */
  compared(differs: number): boolean {
    const { registers, node } = this;
    const now = node.core.clock.nowUs;
    if (differs === 0) {
      if (registers[0] !== NEVER) this.finish(now);
      return true;
    }
    if (registers[0] === NEVER) this.begin(now);
    this.differed |= differs;
    if (now - (registers[1] as number) < ASK_AGAIN_US) return true;
    if (this.tries >= TRIES_MAX || now - (registers[0] as number) > PATIENCE_US) {
      this.abandon();
      return false;
    }
    // Parts whose others were lost only take room.
    if (this.tries++ % TRIES_KEPT === 0) this.ranges.clear();
    registers[1] = now;
    for (let component = 0; component < COMPONENTS.length; component++) {
      if ((differs & (1 << component)) !== 0) this.ask(component);
    }
    return true;
  }

  private begin(now: number): void {
    this.registers[0] = now;
    this.registers[1] = Number.NEGATIVE_INFINITY;
    this.tries = 0;
    this.differed = 0;
    this.repaired = 0;
    this.counts.clear();
    this.paths.length = 0;
  }

  private ask(component: number): void {
    const { core, io, roles } = this.node;
    core.digests.buckets(component, this.digests);
    const length = writeBucketAsk(io.plain, { term: roles.term.number, component, digests: this.digests });
    core.counters.bucketAsks++;
    io.unicast(FrameType.bucketAsk, length, roles.target);
  }

  /** A part of a range has come. */
  onRange(plain: Uint8Array, length: number, from: string): void {
    const { core, roles, follower } = this.node;
    const part = readRangePart(plain, length);
    if (part === undefined) {
      core.counters.messagesMalformed++;
      return;
    }
    const isMeant = this.registers[0] !== NEVER && follower.state === FollowState.inSync;
    if (!isMeant || from !== roles.term.node || part.term !== roles.term.number) return;
    this.ranges.add(part);
  }

  /** Uses the ranges that the stream has come up to. */
  tick(): void {
    const { registers, node } = this;
    const { follower, core } = node;
    if (registers[0] === NEVER) {
      if (core.clock.nowUs >= (registers[2] as number)) this.end();
      return;
    }
    if (follower.state !== FollowState.inSync) {
      this.abandon();
      return;
    }
    if (this.ranges.isEmpty || follower.window.hasGap) return;
    for (let count = 0; count < RANGES_PER_TICK; count++) {
      const range = this.ranges.take(follower.window.complete);
      if (range === undefined) return;
      // What was removed or renamed since would come back: it is asked for again.
      if ((core.removedSequence[0] as number) > range.sequence) continue;
      if (!this.adoption.adopt(range)) core.counters.messagesMalformed++;
    }
  }

  private note(path: string, difference: Difference): void {
    this.counts.set(difference, (this.counts.get(difference) ?? 0) + 1);
    if (this.paths.length < NAMED_MAX) this.paths.push(path);
    this.repaired++;
    this.node.core.counters.pathsRepaired++;
  }

  /** All is the same again. */
  private finish(now: number): void {
    const { registers, node, repaired } = this;
    const tookMs = Math.round((now - (registers[0] as number)) / 1_000);
    registers[0] = NEVER;
    this.ranges.clear();
    // The stream itself may have made it equal.
    if (repaired === 0) return;
    node.core.counters.bucketRepairs++;
    registers[2] = now + SHOWN_US;
    node.setHealth(HealthCode.repaired, this.sentence(tookMs));
  }

  /** Component, what was repaired, cause. */
  private sentence(tookMs: number): string {
    const components = COMPONENTS.filter((_, component) => (this.differed & (1 << component)) !== 0);
    const where = components.map((name) => `/${name}`).join(", ");
    const rest = this.repaired > this.paths.length ? ` and ${this.repaired - this.paths.length} more` : "";
    const causes = [...this.counts].map(([difference, count]) => `${count} ${CAUSES[difference]}`).join(", ");
    const what = `${this.paths.join(", ")}${rest}`;
    return `${where} was not as the controller has it and was repaired in ${tookMs} ms: ${what}; ${causes}`;
  }

  private abandon(): void {
    this.registers[0] = NEVER;
    this.ranges.clear();
  }

  private end(): void {
    this.registers[2] = NEVER;
    this.node.setHealth(HealthCode.repaired, "");
  }
}
