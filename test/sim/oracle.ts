/**
 * Oracle: knows what was written and confirmed, watches every node after each of its turns, and says what must not be.
 *
 * Its eyes are what any reader has: the ring, the state, the roles. It changes nothing. The first thing that is wrong
 * ends the run. What the present build is known not to hold (see README.md) is counted instead.
 */
import { ByteReader } from "../../src/base/bytes.js";
import type { HealthCode } from "../../src/node/health.js";
import { FollowState } from "../../src/node/follower.js";
import { ChangeFlag, EventKind, type Term } from "../../src/state/change.js";
import { isText, lanesOf, ValueType } from "../../src/state/declaration.js";
import { Reject, rejectText } from "../../src/state/reject.js";
import { Found } from "../../src/state/ring.js";
import { LANES } from "../../src/state/state.js";
import { PEERS_MAX } from "../../src/sync/peers.js";
import { HOLD_IDLE_US } from "../../src/sync/precedence.js";
import { PENDING_MAX } from "../../src/sync/pending-writes.js";
import { EVENTS_WAITING_MAX } from "../../src/sync/publisher.js";
import { Role } from "../../src/sync/roles.js";
import { readCounter, TYPE_OFFSET } from "../../src/wire/envelope.js";
import { FrameType } from "../../src/wire/frame.js";
import { BOUND_UNKNOWN_US } from "../../src/wire/write-frame.js";
import { broughtBy, isCommitOnRecord, isOnRecord, legacyOf, saysItHas } from "./claims.js";
import { CriticalWatch } from "./critical-watch.js";
import { ImpulseWatch } from "./impulse-watch.js";
import { beginnings, type Entry, Ledger, type MergedSide, type TermRecord, type Version } from "./ledger.js";
import type { Machine } from "./machine.js";
import { judgeMerge, listedConflicts, recordPrefix } from "./merges.js";
import { Pokes } from "./pokes.js";
import { LEVEL, LEVEL_RANGE, numberOf, PAIR, type ShownPath } from "./show.js";
import { Tally } from "./tally.js";
import type { Timeline } from "./timeline.js";
import { hasLetGo, mayWrite, type Move, View } from "./view.js";
import { Outcome, type Write, Writes } from "./writes.js";

/** What must not be, was. */
export class Violation extends Error {
  override name = "Violation";
}

const CONFIRMED_MASK = ChangeFlag.pending | ChangeFlag.rolledBack | ChangeFlag.resync | ChangeFlag.confirmed;
/** What the clock of a turn may differ. */
const SLACK_US = 2_000;
/** An election takes 60 ms, and what was held before has come by then. */
const LINKS_STEADY_US = 200_000;
/** Who heard its controller this lately has heard it all the time while it was asked. */
const HEARS_US = 300_000;

/** What is known of the network. */
export interface Links {
  /** When a link changed last. */
  reshapedUs(): number;
  /** Whether everything passes between two nodes, both ways and in time. */
  areWell(one: number, other: number): boolean;
}

export class Oracle {
  readonly ledger = new Ledger();
  readonly tally = new Tally();
  readonly pokes = new Pokes();
  readonly critical: CriticalWatch;
  /** Paths of which an error of memory may have been merged. */
  readonly unsure = new Set<string>();
  /** How the ids of records begin that came of merges that were judged. */
  readonly judged = new Set<string>();
  readonly impulses: ImpulseWatch;
  readonly writes = new Writes();
  /** By the machine's index. */
  private readonly views: (View | undefined)[] = [];
  /** The most by which a node's session time was off. */
  private clocksOffUs = 0;
  private readonly timeline: Timeline;
  private readonly links: Links;
  private readonly isHold: boolean;
  /** A boot that is over found no room for conflicts. */
  private isListCut = false;
  private readonly shown = new Map<string, ShownPath>();
  private base: ReadonlyMap<string, Version> = new Map();
  /** Sides that a node brings into a term that it opens, beside what it held without a gap. */
  private brought: readonly MergedSide[] = [];
  private readonly counterRegister = new Float64Array(1);
  /** A controller committed a value, stamped with a hybrid time. */
  onCommit: (machine: Machine, timeUs: number) => void = () => {};
  /** What was wrong first. */
  violation: Violation | undefined;

  /** `electors`: how many nodes decide under `hold`; 0 under `island`. */
  constructor(timeline: Timeline, links: Links, show: readonly ShownPath[], electors: number) {
    this.isHold = electors > 0;
    this.timeline = timeline;
    this.links = links;
    for (const shown of show) this.shown.set(shown.path, shown);
    this.impulses = new ImpulseWatch(this.ledger, this.tally, (machine, text) => this.fail(machine, text));
    const critical = show.filter(({ declaration }) => declaration.critical).map(({ path }) => path);
    this.critical = new CriticalWatch(
      {
        nowUs: () => timeline.nowUs,
        versionOf: (machine, path) => this.versionOf(machine, path),
        commitsOf: (write) => this.writes.from(write).flatMap(({ commits }) => commits),
        reach: (path, version) => this.ledger.reach(path, version),
        isMergedAt: saysItHas,
        isOnRecord,
        legacyOf,
        living: () => this.living,
        electors,
      },
      critical,
    );
  }

  fail(machine: Machine | undefined, text: string): void {
    const who = machine === undefined ? "" : `${machine.id.slice(-3)}: `;
    this.violation ??= new Violation(`${who}${text}`);
  }

  booted(machine: Machine): void {
    const before = this.views[machine.index];
    if (before !== undefined) this.retire(before);
    if (machine.hana !== undefined) this.views[machine.index] = new View(machine, machine.hana);
  }

  /** A boot is over: what was pending died with it. */
  retire(view: View): void {
    const { counters } = view.hana.core;
    this.tally.takeovers += counters.takeovers;
    this.tally.stepDowns += counters.stepDowns;
    this.tally.snapshots += counters.snapshotsTaken;
    this.tally.digestMismatches += counters.digestMismatches;
    this.tally.impulsesLate += counters.impulsesLate;
    if (counters.conflictsUnlisted > 0) this.isListCut = true;
  }

  retireAll(): void {
    for (const view of this.views) if (view !== undefined) this.retire(view);
    this.views.length = 0;
    for (const write of this.writes) {
      if (write.outcome === Outcome.pending) write.outcome = Outcome.dead;
      if (write.outcome === Outcome.dead) this.tally.died++;
    }
  }

  /** Drops everything that it noted: the run is over. */
  forget(): void {
    this.ledger.forget();
    this.base = new Map();
    this.critical.forget();
    this.writes.forget();
    this.impulses.forget();
    for (const noted of Object.values(this) as unknown[]) {
      if (noted instanceof Map || noted instanceof Set) noted.clear();
      else if (Array.isArray(noted)) noted.length = 0;
    }
  }

  private get living(): Machine[] {
    return this.views.flatMap((view) => (view !== undefined && view.machine.hana === view.hana ? [view.machine] : []));
  }

  private viewOf(machine: Machine): View {
    return this.views[machine.index] as View;
  }

  versionOf(machine: Machine, path: string): Version | undefined {
    const view = this.viewOf(machine);
    const { state } = view.hana.core;
    const id = state.idOf(path);
    if (id < 0) return undefined;
    return view.versionOf(id, this.ledger);
  }

  // Terms

  opens(machine: Machine): void {
    this.judgeElection(machine);
    this.watchHeld(this.viewOf(machine), true);
    const base = new Map<string, Version>();
    this.pokes.passedOn(machine);
    for (const path of this.shown.keys()) {
      const version = this.versionOf(machine, path);
      if (version !== undefined) base.set(path, version);
    }
    this.base = base;
    this.brought = broughtBy(this.viewOf(machine), this.ledger);
    this.viewOf(machine).isOpening = true;
  }

  opened(machine: Machine): void {
    this.noteOpened(this.viewOf(machine));
  }

  /**
   * Nobody opens a term against the will of most of those it hears. Judged where links have been well for long enough:
   * each node that hears its controller would have said no.
   */
  private judgeElection(machine: Machine): void {
    const { roles } = this.viewOf(machine).hana;
    if (roles.role === Role.controlling || this.timeline.nowUs - this.links.reshapedUs() < LINKS_STEADY_US) return;
    if (this.views.some((view) => view?.machine.id === roles.term.node && hasLetGo(view))) return;
    let yes = 1;
    let no = 0;
    for (const view of this.views) {
      if (view === undefined) continue;
      const { machine: other, hana } = view;
      const isThere = other !== machine && other.isUp && !other.isPaused && other.hana === hana;
      if (!isThere || !this.links.areWell(machine.index, other.index)) continue;
      const hears = this.isServed(hana.roles.term.node) && hana.roles.silenceUs < HEARS_US;
      const isSafe = hana.roles.role === Role.controlling || hears;
      if (isSafe && hana.roles.role !== Role.starting && !hana.roles.controllerHasLeft) no++;
      else yes++;
    }
    if (no > yes) this.fail(machine, `took control although ${no} of ${no + yes} that it hears have a controller`);
  }

  /** Whether a controller is there at all. One that left may have told its leave to the candidate alone. */
  private isServed(controller: string): boolean {
    return this.views.some((view) => view?.machine.id === controller && view.machine.hana === view.hana);
  }

  /** What was pending is committed and confirmed while a term is being opened: whoever asks first notes it. */
  private noteOpened(view: View): void {
    const { machine } = view;
    const { term } = view.hana.roles;
    if (!view.isOpening || term === view.term) return;
    view.isOpening = false;
    view.sentNewest = 0;
    view.unpublished = [];
    view.moves.clear();
    if (view.term !== undefined && term.number <= view.term.number) {
      this.fail(machine, `opened term ${term.number} while it knew term ${view.term.number}`);
    }
    view.term = term;
    const record = this.ledger.open(term, machine.boot, this.base, view.held);
    for (const merged of this.brought) record.merge({ ...merged, at: 0 });
    const { isReused } = record;
    // Of its conflicts nobody knows any more who has them.
    if (isReused) this.judged.delete(recordPrefix(record));
    if (isReused && !machine.disk.hasFailed) this.fail(machine, `opened term ${term.number} a second time`);
  }

  /** Up to where it holds which term, as far as it has shown. */
  private watchHeld(view: View, isOpening = false): void {
    const { core, follower, roles, controller } = view.hana;
    const isFollowing = roles.role === Role.following && follower.state === FollowState.inSync && follower.isWhole;
    const { snapshotsTaken } = core.counters;
    if (controller.isOpen || isFollowing) {
      const term = view.recordNow(this.ledger);
      const sequence = core.sequence[0] as number;
      const isSame = view.held?.term === term && view.held.sequence === sequence;
      // Nearly every turn; a new object for each of a hundred nodes' is a tenth of a run.
      if (isSame && view.heldSnapshots === snapshotsTaken) return;
      const held = { term, sequence };
      if (view.held !== undefined && view.held.term !== held.term) this.judgeChange(view, view.held, held);
      view.held = held;
      view.heldSnapshots = snapshotsTaken;
    } else if (isOpening && snapshotsTaken !== view.heldSnapshots) {
      // It fetched what a better informed voter has; only it knows what that was.
      const { present } = core.lineage;
      view.held = { term: view.recordAt(present, this.ledger), sequence: core.lineage.through(present) };
      view.heldSnapshots = snapshotsTaken;
    }
  }

  /**
   * No node goes over to contents that lack what it holds, unless another one made that part of its term, or it says
   * that nobody could take it.
   */
  private judgeChange(view: View, before: Version, after: Version): void {
    const { headsGivenUp } = view.hana.core.counters;
    const isGivenUp = headsGivenUp > view.headsGivenUp;
    view.headsGivenUp = headsGivenUp;
    if (isGivenUp || before.term.isReused || after.term.isReused) return;
    if (beginnings(before).some((held) => after.term.includes(held, after.sequence))) return;
    if (this.ledger.isMerged(before)) return;
    const [lost, now] = [before, after].map(({ term, sequence }) => `${term.number}/${sequence}`);
    this.fail(view.machine, `went over to ${now}, which is not made of what it held: ${lost}`);
  }

  private watchRoles(view: View): void {
    const { roles } = view.hana;
    if (roles.term !== view.term) this.onTerm(view, roles.term);
    if (roles.role === view.role) return;
    if (roles.role === Role.joining) view.heard.length = 0;
    if (roles.role === Role.starting) view.hasStartedOver = true;
    if (roles.role === Role.following) this.onFollowing(view);
    view.role = roles.role;
  }

  private onTerm(view: View, term: Term): void {
    const before = view.term;
    view.term = term;
    view.heard.length = 0;
    if (before === undefined || term.number > before.number) {
      view.hasStartedOver = false;
      return;
    }
    const isEqual = term.number === before.number;
    // A node that starts over may join any term of the number that it lost.
    if (isEqual && (term.node >= before.node || view.hasStartedOver || view.role === Role.starting)) return;
    this.fail(view.machine, `went from term ${before.number} of ${before.node} to ${term.number} of ${term.node}`);
  }

  /** Without a snapshot it must hold exactly what the term began with. */
  private onFollowing(view: View): void {
    const { snapshotsTaken } = view.hana.core.counters;
    const isDirect = snapshotsTaken === view.snapshots;
    view.snapshots = snapshotsTaken;
    if (!isDirect) return;
    const record = this.ledger.record(view.hana.roles.term);
    if (record.isReused) return;
    for (const [path, base] of record.base) {
      const version = this.versionOf(view.machine, path);
      const isSame = version?.term === base.term && version.sequence === base.sequence;
      if (isSame || version?.term === record || base.term.isReused || this.pokes.covers(view.machine, path)) continue;
      this.fail(view.machine, `follows term ${record.number} without holding what it began with: ${path}`);
    }
  }

  // What is sent and heard

  sends(machine: Machine, datagram: Uint8Array): void {
    const view = this.viewOf(machine);
    readCounter(datagram, this.counterRegister, 0);
    const counter = this.counterRegister[0] as number;
    if (counter <= view.counter) this.fail(machine, `used packet counter ${counter} a second time`);
    view.counter = counter;
    const type = datagram[TYPE_OFFSET];
    if (type === FrameType.nak) view.naksSent++;
    if (type !== FrameType.stream) return;
    const { roles, controller } = view.hana;
    const isOwn = roles.role === Role.controlling && roles.term.node === machine.id;
    if (!isOwn || controller.frames.term !== roles.term.number) {
      this.fail(machine, `sends stream frames of term ${controller.frames.term} and is ${roles.role}`);
    }
  }

  health(machine: Machine, code: HealthCode, text: string): void {
    const view = this.viewOf(machine);
    // Only followers are poked.
    if (code === "memory" && text !== "") this.fail(machine, `says that ${text}`);
    if (code !== "lost-frames" || !text.startsWith("missing frames did not come back")) return;
    if (view.naksSent === 0) this.fail(machine, "gave up frames that it never asked for");
  }

  fooled(machine: Machine, from: number): void {
    this.fail(machine, `took a datagram that was changed or brought again, said to be from ${from + 1}`);
  }

  // Turns

  /** A controller was held up for longer than its lease: its term may be over. */
  late(machine: Machine): void {
    const view = this.viewOf(machine);
    if (view.hana.controller.isOpen) view.lostTerm = this.ledger.record(view.hana.roles.term);
  }

  turned(machine: Machine): void {
    const view = this.views[machine.index];
    if (view === undefined || machine.hana !== view.hana) return;
    this.watchRoles(view);
    this.watchClock(view);
    if (view.hana.sessionClock.boundUs === BOUND_UNKNOWN_US) view.clockUnknownUs = this.timeline.nowUs;
    view.hear();
    if (view.reader.behind > 0) this.drain(view);
    this.watchHeld(view);
    const { pending, controller, core } = view.hana;
    if (core.counters.merges !== view.merges) {
      view.merges = core.counters.merges;
      this.critical.merged(machine);
    }
    if (pending.size > PENDING_MAX) this.fail(machine, `a queue is over its cap: ${pending.size} pending`);
    if (!controller.isOpen) return;
    this.impulses.notePublished(view);
    const waiting = controller.publisher.itemsTaken - controller.publisher.itemsPublished;
    if (waiting > EVENTS_WAITING_MAX * 2) this.fail(machine, `a queue is over its cap: ${waiting} to publish`);
  }

  private drain(view: View): void {
    const { reader, machine } = view;
    this.noteOpened(view);
    for (let found = reader.next(); found !== Found.nothing; found = reader.next()) {
      if (found === Found.lapped) this.fail(machine, "the ring lapped within one turn");
      else if (found === Found.value) this.onValue(view);
      else if (reader.kind === EventKind.impulse) this.impulses.on(view);
      else if (reader.kind === EventKind.lineage) this.onLineage(view);
    }
    this.endMerge(view);
  }

  // Sides that become one

  /** Another side's changes, up to one of them, are part of this controller's term from now on. */
  private onLineage(view: View): void {
    const { reader, machine } = view;
    const record = view.recordAt(reader.term, this.ledger);
    const payload = reader.payload();
    if (record.node !== machine.id || record.boot !== view.boot || payload === undefined) return;
    const input = new ByteReader(payload);
    const number = input.varint();
    const node = new TextDecoder().decode(input.blob(16));
    const sequence = input.varint();
    const side = { term: this.ledger.record({ number, node }), sequence };
    if (view.merging !== undefined) record.merge({ ...view.merging, conflicts: [], by: record });
    view.merging = { side, at: reader.doubles[0] as number };
  }

  /** The last that it said is the side itself, all before it what that was made of. */
  private endMerge(view: View): void {
    const { merging, machine } = view;
    if (merging === undefined) return;
    view.merging = undefined;
    const record = this.ledger.record(view.hana.roles.term);
    const conflicts = judgeMerge(this, machine, record, merging);
    record.merge({ ...merging, conflicts, by: record });
    this.tally.merges++;
    this.tally.conflicts += conflicts.length;
  }

  /** Whether it can be said whether a path of the show is in conflict. */
  isSure(path: string): boolean {
    return this.shown.has(path) && !this.unsure.has(path);
  }

  /** Whether nothing can be said about a path of a machine. */
  isPoked(machine: Machine, path: string): boolean {
    return this.pokes.covers(machine, path) || this.pokes.isSpread(path);
  }

  get shownPaths(): IterableIterator<ShownPath> {
    return this.shown.values();
  }

  private onValue(view: View): void {
    const { reader } = view;
    const { flags, id } = reader;
    if ((flags & ChangeFlag.pending) !== 0 || reader.term === 0 || reader.type === ValueType.impulse) return;
    const path = view.hana.core.state.pathOf(id);
    const record = view.recordAt(reader.term, this.ledger);
    if (!this.shown.has(path)) return;
    const text = reader.type === ValueType.string ? reader.text() : undefined;
    const value = numberOf(reader.type, reader.numbers[0] as number, text);
    const isCommit = (flags & CONFIRMED_MASK) === 0 && record.node === view.machine.id && record.boot === view.boot;
    const sequence = reader.doubles[0] as number;
    // Writes of the level that change nothing are seen by nobody, and move it all the same.
    if (isCommit && path !== LEVEL) {
      if (!this.isMerged(view, record, path, value)) this.judgeMove(view, path, value);
      // Its writer tells of it again, which changes nothing: no change shows who moved the path last.
      else view.moves.delete(path);
    }
    // What was written earlier, elsewhere or before this node controlled, is stamped with that.
    const isMadeNow = isCommit && path !== LEVEL && this.writes.at(value)?.atUs === this.timeline.nowUs;
    if (isMadeNow) this.onCommit(view.machine, reader.doubles[1] as number);
    if (isCommit)
      this.commit(view, record, {
        path,
        sequence,
        value,
        timeUs: reader.doubles[1] as number,
        isImpulse: false,
        firstFrame: 0,
        lastFrame: 0,
      });
    else if (!this.pokes.covers(view.machine, path)) this.compare(view, record, path, sequence, value);
  }

  /** Whether a commit is of what another side had committed before: it is as old as it was there. */
  private isMerged(view: View, record: TermRecord, path: string, value: number): boolean {
    if (view.hana.core.counters.merges === 0) return false;
    const write = path === LEVEL ? undefined : this.writes.at(value);
    return write === undefined || write.commits.some(({ term }) => term !== record);
  }

  /** What one learned of the other's time over a slow way is a little off. */
  private watchClock({ machine, hana }: View): void {
    const { clock } = hana.core;
    if (machine.hasTrueClock) this.clocksOffUs = Math.max(this.clocksOffUs, Math.abs(clock.sessionUs - clock.nowUs));
  }

  /** Nobody writes what another moves, and nothing takes the place of what was written after it. */
  private judgeMove(view: View, path: string, value: number): void {
    const { origin, gesture } = view.reader;
    const { nowUs } = view.hana.core.clock;
    const before = view.moves.get(path);
    const write = this.writes.at(value);
    const isOther = before !== undefined && before.origin !== origin;
    if (isOther && before.count > 1 && nowUs - before.atUs < HOLD_IDLE_US && this.isInMove(before)) {
      this.fail(view.machine, `took a write to ${path}, which another node moves`);
    }
    const newer = isOther && this.areClocksTrue ? before.write : undefined;
    if (newer !== undefined && write !== undefined && this.isCertainlyOlder(write, newer)) {
      this.fail(view.machine, `put write ${write.number} of ${path} over write ${newer.number}, which is newer`);
    }
    const isMove = before?.origin === origin && before.gesture === gesture;
    view.moves.set(path, { origin, gesture, count: isMove ? before.count + 1 : 1, atUs: nowUs, write });
  }

  /**
   * Whether a move goes on that was seen last with a change. Moves that waited for a controller are over when they are
   * taken in; and what came next from there changed nothing, perhaps, so no change says that it was another gesture.
   */
  private isInMove({ write }: Move): boolean {
    return write !== undefined && this.timeline.nowUs - write.atUs < HOLD_IDLE_US;
  }

  /** Of a write that was long on its way nobody knows which of a stretch of time it was made in. */
  private isCertainlyOlder(write: Write, newer: Write): boolean {
    return write.atUs + this.doubtUs(write) < newer.atUs - this.doubtUs(newer) - SLACK_US;
  }

  /**
   * By how much newer than it is a write may count: as far as its writer's clock may be off. Where that is not known, what
   * was long on its way is as new as can be.
   */
  private doubtUs({ machine, boot, atUs, boundUs }: Write): number {
    const view = this.views[machine.index];
    if (view === undefined || view.boot !== boot || view.clockUnknownUs >= atUs) return Number.POSITIVE_INFINITY;
    return 2 * Math.max(boundUs, view.hana.sessionClock.boundUs, this.clocksOffUs);
  }

  /** Whether all nodes have the same time, or almost. */
  private get areClocksTrue(): boolean {
    return this.views.every((view) => view === undefined || view.machine.hasTrueClock);
  }

  /** Under `hold` nobody writes while another still may, by its own clock. */
  private judgeAlone({ machine }: View, { path }: Entry): void {
    const other = this.views.find((view) => view !== undefined && view.machine !== machine && mayWrite(view));
    if (other !== undefined) this.fail(machine, `wrote ${path} while ${other.machine.id.slice(-3)} might write too`);
  }

  private commit(view: View, record: TermRecord, entry: Entry): void {
    if (this.isHold) this.judgeAlone(view, entry);
    if (record === view.lostTerm) this.fail(view.machine, `wrote ${entry.path} after having been held up`);
    const known = record.isReused ? undefined : record.add(entry);
    if (known !== undefined && (known.path !== entry.path || known.value !== entry.value)) {
      this.fail(view.machine, `gave ${entry.path} and ${known.path} one version, ${entry.sequence}`);
    }
    if (entry.path === LEVEL) return;
    const write = this.writes.at(entry.value);
    if (entry.value === 0) return;
    if (write === undefined || write.path !== entry.path) {
      // A side whose memory was wrong when it was merged.
      if (this.pokes.isSpread(entry.path)) return;
      this.fail(view.machine, `committed ${entry.path} = ${entry.value}, which nobody wrote there`);
    } else {
      write.committedUs = this.timeline.nowUs;
      write.stampedUs = view.reader.doubles[1] as number;
      for (const from of write.commits) if (from.term !== record) record.take(entry.path, entry.sequence, from);
      write.commits.push({ term: record, sequence: entry.sequence });
    }
  }

  private compare(view: View, record: TermRecord, path: string, sequence: number, value: number): void {
    if (record.isReused || record.boot === 0) return;
    const entry = record.at(sequence);
    if (entry?.path === path && entry.value === value) return;
    const said = entry === undefined ? "nothing" : `${entry.path} = ${entry.value}`;
    this.fail(
      view.machine,
      `has ${path} = ${value} at ${record.number}/${sequence}, where its controller wrote ${said}`,
    );
  }

  // Writes

  wrote(machine: Machine, path: string, pair = 0): Write {
    this.tally.writes++;
    return this.writes.add(machine, path, this.timeline.nowUs, pair);
  }

  /** The node told what became of a write; `isReplicated`: of one to a critical path, whether another node has it. */
  answered(write: Write, reject: Reject, isReplicated?: boolean): void {
    if (write.outcome !== Outcome.pending) {
      this.fail(write.machine, `answered write ${write.number} twice`);
      return;
    }
    if (reject !== Reject.none) {
      write.outcome = Outcome.refused;
      this.tally.refused++;
      if (reject === Reject.held || reject === Reject.superseded) this.judgeLoss(write, reject);
      else if (reject !== Reject.queueFull) this.fail(write.machine, `refused ${write.path}: ${rejectText(reject)}`);
      return;
    }
    write.outcome = Outcome.confirmed;
    this.tally.confirmed++;
    // The ring tells of what was committed just now.
    const view = this.viewOf(write.machine);
    if (write.boot === view.boot && view.reader.behind > 0) this.drain(view);
    const isLeftBehind = isReplicated === false && this.isWithout(write);
    if (write.path !== LEVEL && !isLeftBehind) this.judgeConfirmed(write);
    const wrong = this.critical.acknowledged(write, isReplicated);
    if (wrong !== "") this.fail(write.machine, wrong);
  }

  /** Who lost to another must have had one: who moved the path lately, or wrote later. */
  private judgeLoss(write: Write, reject: Reject): void {
    if (reject === Reject.held) this.tally.held++;
    else this.tally.superseded++;
    if (write.path === LEVEL || !this.areClocksTrue) return;
    if (reject === Reject.superseded) this.judgeOlder(write);
    const isExplained = this.writes.some((other) => {
      if (other.path !== write.path || other.machine === write.machine) return false;
      const isHolder = other.committedUs >= write.atUs - HOLD_IDLE_US - SLACK_US;
      const isNewer = other.committedUs > 0 && other.atUs >= write.atUs - SLACK_US - 2 * this.clocksOffUs;
      return reject === Reject.held ? isHolder : isNewer;
    });
    if (!isExplained) this.fail(write.machine, `refused ${write.path} for nobody's sake: ${rejectText(reject)}`);
  }

  /**
   * Who is superseded wrote earlier than what is there was stamped: by its controller's time, and however far off the
   * writer's own is.
   */
  private judgeOlder(write: Write): void {
    const { node } = this.viewOf(write.machine).hana.roles.term;
    const controller = this.views.find((view) => view?.machine.id === node && view.hana.roles.term.node === node);
    if (controller === undefined) return;
    const { sessionUs, nowUs } = controller.hana.core.clock;
    const madeUs = write.atUs + sessionUs - nowUs;
    const isOlder = this.writes.some((other) => {
      return other.path === write.path && other.machine !== write.machine && other.stampedUs >= madeUs - SLACK_US;
    });
    if (!isOlder) this.fail(write.machine, `refused ${write.path} as superseded by what was written earlier`);
  }

  /** Confirmed means: it, or what the same node wrote there later, is in this node's confirmed state. */
  private judgeConfirmed(write: Write): void {
    if (this.pokes.covers(write.machine, write.path)) return;
    const version = this.versionOf(write.machine, write.path);
    if (version?.term.isReused === true) return;
    for (const later of this.writes.from(write)) {
      for (const commit of later.commits) {
        if (commit.term.isReused) return;
        if (version !== undefined && this.ledger.supersedes(write.path, version, commit)) return;
        if (this.isMergedInto(write.machine, commit) || isCommitOnRecord(write, commit)) return;
      }
    }
    if (this.hasListOverflown) return;
    const where = write.commits.map(({ term, sequence }) => `${term.number}/${sequence}`).join(", ");
    const have = version === undefined ? "nothing" : `${version.term.number}/${version.sequence}`;
    this.fail(
      write.machine,
      `write ${write.number} of ${write.path} is confirmed, and the state here has ${have}, not ${where || "what no controller took"}`,
    );
  }

  /**
   * Whether a node says that it holds another side's contents, without a write that a controller had taken, or what took
   * its place. It had no claim to it, for a gap, or gave that up: its writer is told that nobody is known to have it.
   */
  private isWithout(write: Write): boolean {
    const commits = this.writes.from(write).flatMap((later) => later.commits);
    return commits.length > 0 && !commits.some((commit) => saysItHas(write.machine, commit));
  }

  // Now and then

  /** Looks at everything that a node holds. */
  sweep(machine: Machine): void {
    const view = this.views[machine.index];
    if (view === undefined || machine.hana !== view.hana) return;
    // What a node that changes terms or is joining holds is of no term yet.
    const record = this.ledger.record(view.hana.roles.term);
    if (machine.isInSync && view.versionsOf !== record) {
      view.versions.clear();
      view.versionsOf = record;
    }
    if (view.hana.peers.size > PEERS_MAX) this.fail(machine, `knows ${view.hana.peers.size} peers`);
    for (const path of this.shown.keys()) this.sweepPath(view, path);
    if (machine.isInSync) this.checkPair(view);
  }

  private checkPair(view: View): void {
    if (PAIR.some((path) => this.pokes.covers(view.machine, path))) return;
    const { state } = view.hana.core;
    const [one, two] = PAIR.map((path) => state.numbers[state.idOf(path) * LANES]);
    const numbers = [one, two].map((number) => this.writes.at(number ?? 0));
    if (numbers[0]?.pair !== numbers[1]?.pair)
      this.fail(view.machine, `holds half a group: ${one ?? 0} and ${two ?? 0}`);
  }

  private sweepPath(view: View, path: string): void {
    const { state } = view.hana.core;
    const id = state.idOf(path);
    if (id < 0) {
      this.fail(view.machine, `${path} is gone`);
      return;
    }
    if (this.pokes.covers(view.machine, path)) {
      view.versions.delete(path);
      return;
    }
    const type = state.types[id] as ValueType;
    this.checkNumbers(view, path, id, type);
    const version = view.versionOf(id, this.ledger);
    const before = view.machine.isInSync ? view.versions.get(path) : undefined;
    if (view.machine.isInSync) view.versions.set(path, version);
    if (version.term.isReused || version.term.boot === 0) return;
    if (before?.term === version.term && version.sequence < before.sequence) {
      this.fail(view.machine, `${path} went back from ${before.sequence} to ${version.sequence} in a term`);
    }
    if (type === ValueType.impulse) return;
    const value = numberOf(type, state.numbers[id * LANES] as number, state.texts[id]);
    this.compare(view, version.term, path, version.sequence, value);
  }

  private checkNumbers(view: View, path: string, id: number, type: ValueType): void {
    if (isText(type)) return;
    const { numbers } = view.hana.core.state;
    for (let lane = 0; lane < lanesOf(type); lane++) {
      const value = numbers[id * LANES + lane] as number;
      const isOutside = path === LEVEL && (value < LEVEL_RANGE.min || value > LEVEL_RANGE.max);
      if (!Number.isFinite(value) || isOutside) this.fail(view.machine, `${path} holds ${value}`);
    }
  }

  /** Who is in sync at the same place of the stream as its controller holds the same. */
  compareWithController(machine: Machine, controller: Machine): void {
    const { hana } = machine;
    const { hana: other } = controller;
    if (hana === undefined || other === undefined || hana === other) return;
    const { follower, roles } = hana;
    const isFollowing = roles.role === Role.following && follower.state === FollowState.inSync;
    const isSameTerm = roles.term.number === other.roles.term.number && roles.term.node === other.roles.term.node;
    if (!isFollowing || !isSameTerm || !other.controller.publisher.isIdle) return;
    if (follower.window.hasGap || follower.window.complete !== other.controller.sent.newest) return;
    if (this.ledger.record(roles.term).isReused) return;
    for (const path of this.shown.keys()) {
      const own = this.versionOf(machine, path);
      const theirs = this.versionOf(controller, path);
      if (own?.term === theirs?.term && own?.sequence === theirs?.sequence) continue;
      if (this.pokes.covers(machine, path)) continue;
      const have = `${own?.term.number ?? 0}/${own?.sequence ?? 0}`;
      this.fail(
        machine,
        `is in sync and holds ${path} at ${have}, not ${theirs?.term.number ?? 0}/${theirs?.sequence ?? 0}`,
      );
    }
  }

  /** Whether a change is of another side that became part of what a machine holds. */
  private isMergedInto(machine: Machine, commit: Version): boolean {
    const view = this.viewOf(machine);
    const { roles, core } = view.hana;
    // A write is confirmed as soon as a snapshot that holds it is here.
    const joined = { term: this.ledger.record(roles.term), sequence: core.sequence[0] as number };
    return [view.held, joined].some((at) => at?.term.includes(commit, at.sequence) === true);
  }

  /** Some node found no room for a conflict: then what lost is in no record, which the node said. */
  private get hasListOverflown(): boolean {
    return this.isListCut || this.views.some((view) => (view?.hana.core.counters.conflictsUnlisted ?? 0) > 0);
  }

  /** The list of conflicts is exactly the paths that two sides had changed when they became one. */
  judgeList(controller: Machine): void {
    const { held, hana } = this.viewOf(controller);
    if (held === undefined || this.hasListOverflown) return;
    const merged = [...held.term.mergedThrough(held.sequence)];
    // Who left a term with a gap brought a merge of it along; it may come with the term itself too, and is one.
    const lists = new Set(merged.filter(({ by }) => !by.isReused).map(({ conflicts }) => conflicts));
    const expected = [...lists]
      .flat()
      .filter((path) => this.isSure(path))
      .sort();
    const listed = listedConflicts(hana.core.state, "", this).sort();
    if (listed.join() !== expected.join()) {
      this.fail(controller, `lists conflicts of ${listed.join(", ")}; both sides changed ${expected.join(", ")}`);
    }
  }
}
