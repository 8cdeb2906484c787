/**
 * CriticalWatch: writes to critical paths that were acknowledged as replicated, until the mesh is at rest. None is lost
 * while anybody lives who had it.
 *
 * It judges twice: when the write is acknowledged somebody else must have it, under `hold` most of the electors, whoever
 * wrote it; and at rest it must be there, or what came after it, or a conflict's record. Only where nobody who had it was left at some moment (they died at once, or nearly)
 * nothing is asked. Told by the oracle, which knows what a node holds.
 */
import type { Version } from "./ledger.js";
import type { Machine } from "./machine.js";
import type { Write } from "./writes.js";

/**
 * What a node that is gone held counts for a write that it answered before it went: an answer takes no longer, but for
 * whoever was paused meanwhile. Pauses end before graves are forgotten.
 */
const GRAVE_US = 1_000_000;
/** Under `hold` a controller waits for a majority for as long as it takes, and counts on who is silent for four seconds. */
const GRAVE_HOLD_US = 5_000_000;
const GRAVES_KEPT_US = 15_000_000;

/** What the oracle knows of a write: changes that it became, or that the same writer made of the path later. */
export interface CriticalEyes {
  nowUs(): number;
  /** What a living machine holds, by path. */
  versionOf(machine: Machine, path: string): Version | undefined;
  commitsOf(write: Write): readonly Version[];
  /** Tells of changes whether a path at `version` holds them, or later ones. */
  reach(path: string, version: Version): (change: Version) => boolean;
  /** Whether a machine has, or has on record, a change of another side. */
  isMergedAt(machine: Machine, change: Version): boolean;
  /** Whether a conflict's record on a machine holds what was written. */
  isOnRecord(machine: Machine, write: Write): boolean;
  /** What a machine that is about to die could say of other sides' changes, kept for when it is gone. */
  legacyOf(machine: Machine): Legacy;
  living(): readonly Machine[];
  /** Under `hold` how many nodes decide: all; 0 under `island`. */
  readonly electors: number;
}

/** `isMergedAt` and `isOnRecord` of a machine that is gone. */
export interface Legacy {
  isMerged(change: Version): boolean;
  isOnRecord(write: Write): boolean;
}

/**
 * What a node held when it died. Not the versions of its paths alone: who took in another side and died before the
 * write's own node had answered held that write as what lost against it, or as a record.
 */
interface Grave extends Legacy {
  readonly machine: Machine;
  readonly atUs: number;
  readonly versions: ReadonlyMap<string, Version>;
}

export class CriticalWatch {
  private readonly eyes: CriticalEyes;
  private readonly paths: readonly string[];
  /** Acknowledged as replicated, and held by somebody who has lived ever since. */
  private kept: Write[] = [];
  /** What held the path when a side with the write was merged into another: it, or what won against it and is on record. */
  private readonly merges = new Map<Write, Version[]>();
  private graves: Grave[] = [];
  replicated = 0;
  /** Acknowledged as not replicated. */
  alone = 0;
  /** Acknowledged as replicated, and all that had it died at once. */
  buried = 0;

  constructor(eyes: CriticalEyes, paths: readonly string[]) {
    this.eyes = eyes;
    this.paths = paths;
  }

  isCritical(path: string): boolean {
    return this.paths.includes(path);
  }

  /** Answers what is wrong, or "". */
  acknowledged(write: Write, isReplicated: boolean | undefined): string {
    if (!this.isCritical(write.path)) return isReplicated === undefined ? "" : `said that ${write.path} is replicated`;
    if (isReplicated === undefined) return `did not say whether ${write.path} is replicated`;
    if (!isReplicated) {
      this.alone++;
      return "";
    }
    this.replicated++;
    const isReused = this.eyes.commitsOf(write).some(({ term }) => term.isReused);
    const { electors } = this.eyes;
    if (isReused || this.isHeldByEnough(write)) {
      if (!isReused) this.keep(write);
      return "";
    }
    const told = electors > 0 ? `most of ${electors} nodes have` : "another node has";
    const holders = new Set(this.holdersOf(write)).size;
    return `said that ${told} write ${write.number} of ${write.path}, which ${holders} have`;
  }

  /** Looks at no more nodes than it takes: of a hundred nearly all have it. */
  private isHeldByEnough(write: Write): boolean {
    const { electors } = this.eyes;
    const found = new Set<Machine>();
    for (const holder of this.holdersOf(write)) {
      found.add(holder);
      if (electors > 0 ? found.size * 2 > electors : holder !== write.machine) return true;
    }
    return false;
  }

  /** Whoever has a write has those before it: they need not be looked for any more, at every death of a long run. */
  private keep(write: Write): void {
    const reaches = this.eyes.commitsOf(write).map((at) => this.eyes.reach(write.path, at));
    const isIn = (older: Version): boolean => reaches.some((reach) => reach(older));
    this.kept = this.kept.filter((older) => older.path !== write.path || !this.eyes.commitsOf(older).some(isIn));
    this.kept.push(write);
    for (const merged of this.merges.keys()) if (!this.kept.includes(merged)) this.merges.delete(merged);
  }

  /** Who has a write, or had it when it died just now. A machine may come twice. */
  private *holdersOf(write: Write): Generator<Machine> {
    const { electors } = this.eyes;
    const { pausedUs, resumedUs } = write.machine;
    const nowUs = this.eyes.nowUs();
    const graveUs = electors > 0 ? GRAVE_HOLD_US : GRAVE_US;
    const sinceUs = (resumedUs >= nowUs - GRAVE_US ? pausedUs : nowUs) - graveUs;
    this.graves = this.graves.filter(({ atUs }) => atUs >= nowUs - GRAVES_KEPT_US);
    for (const machine of this.eyes.living()) if (this.isAt(machine, write)) yield machine;
    for (const grave of this.graves) if (grave.atUs >= sinceUs && this.wasAt(grave, write)) yield grave.machine;
  }

  private has(write: Write, version: Version | undefined): boolean {
    if (version === undefined) return false;
    const stands = this.eyes.reach(write.path, version);
    return this.eyes.commitsOf(write).some(stands) || this.merges.get(write)?.some(stands) === true;
  }

  private isAt(machine: Machine, write: Write): boolean {
    if (this.has(write, this.eyes.versionOf(machine, write.path))) return true;
    if (this.eyes.commitsOf(write).some((commit) => this.eyes.isMergedAt(machine, commit))) return true;
    return this.eyes.isOnRecord(machine, write);
  }

  private wasAt(grave: Grave, write: Write): boolean {
    if (this.has(write, grave.versions.get(write.path))) return true;
    return this.eyes.commitsOf(write).some((commit) => grave.isMerged(commit)) || grave.isOnRecord(write);
  }

  /** A machine is about to die: what it holds will be gone. */
  dies(machine: Machine): void {
    const { eyes } = this;
    const versions = new Map<string, Version>();
    for (const path of this.paths) {
      const version = eyes.versionOf(machine, path);
      if (version !== undefined) versions.set(path, version);
    }
    this.graves.push({ ...eyes.legacyOf(machine), machine, atUs: eyes.nowUs(), versions });
    const others = eyes.living().filter((other) => other !== machine);
    const kept = this.kept.filter((write) => others.some((other) => this.isAt(other, write)));
    this.buried += this.kept.length - kept.length;
    this.kept = kept;
  }

  /** A controller took in another side. Its lineage is cleaned up later, so what it says now is kept here. */
  merged(machine: Machine): void {
    for (const write of this.kept) {
      const version = this.eyes.versionOf(machine, write.path);
      if (version === undefined || this.has(write, version) || !this.isAt(machine, write)) continue;
      const versions = this.merges.get(write) ?? [];
      versions.push(version);
      this.merges.set(write, versions);
    }
  }

  /** At rest: answers a write that is not there, nor on record, and that somebody had all the time. Begins anew. */
  lostAt(controller: Machine, isSpoilt: (path: string) => boolean = () => false): Write | undefined {
    const lost = this.kept.find((write) => !isSpoilt(write.path) && !this.isAt(controller, write));
    this.kept = [];
    this.merges.clear();
    return lost;
  }

  forget(): void {
    this.kept = [];
    this.graves = [];
    this.merges.clear();
  }
}
