/**
 * OSC conflation: the newest value of each path that came above its host's rate, until it may be written.
 *
 * A flood costs one stored value a path and no more, and the last value of every path always arrives: when the host's
 * tokens are back, at the latest `HOLD_US` after the first that waits. A value that is written directly in between
 * takes the place of the older one that waits. Impulses have no newest value and never lie here. Memory is taken at
 * the first flood and depends on the number of paths, not on who sends or how much.
 */
import type { Clock } from "../base/clock.js";
import { StagedKind, type Staging } from "../state/staging.js";
import { LANES, type State } from "../state/state.js";
import type { OscHost } from "./osc-sources.js";

/** The longest that a value waits: no source is shut out for longer. */
export const HOLD_US = 100_000;
/** Paths of one host that wait; with more they are written at once. */
const BACKLOG_MAX = 8_192;
const INITIAL_BACKLOG = 64;
const BACKLOGS_MAX = 1_024;
const NOW = 0;
const NOBODY = 0;

/** Who writes what has waited: `staging` holds the value. */
export interface ConflationSink {
  readonly staging: Staging;
  writeConflated(id: number, surface: number): void;
  /** Around values that belong together, because bundles were among them. */
  beginConflatedGroup(): void;
  endConflatedGroup(): void;
}

/** The paths of one host that wait, in the order in which they first came. */
class Backlog {
  readonly host: OscHost;
  readonly number: number;
  readonly endUs: number;
  ids = new Int32Array(INITIAL_BACKLOG);
  count = 0;
  isGrouped = false;

  constructor(host: OscHost, number: number, endUs: number) {
    this.host = host;
    this.number = number;
    this.endUs = endUs;
  }

  add(id: number): void {
    if (this.count === this.ids.length) {
      const larger = new Int32Array(this.ids.length * 2);
      larger.set(this.ids);
      this.ids = larger;
    }
    this.ids[this.count++] = id;
  }
}

export class OscConflation {
  private readonly sink: ConflationSink;
  private readonly time: Float64Array;
  private readonly state: State;
  private readonly backlogs = new Map<OscHost, Backlog>();
  private readonly free: number[] = [];
  private values: HeldValues | undefined = undefined;

  constructor(sink: ConflationSink, clock: Clock, state: State) {
    this.sink = sink;
    this.time = clock.register;
    this.state = state;
    for (let number = BACKLOGS_MAX; number > NOBODY; number--) this.free.push(number);
  }

  get isEmpty(): boolean {
    return this.backlogs.size === 0;
  }

  /** When `flush` has something to do at the latest, in microseconds of own time. */
  get nextDueUs(): number {
    let dueUs = Number.POSITIVE_INFINITY;
    for (const { host, count, endUs } of this.backlogs.values()) {
      dueUs = Math.min(dueUs, endUs, this.time[NOW] + host.rate.waitUs(count));
    }
    return dueUs;
  }

  /** Keeps what is in hand as the newest value of a path. True when it took the place of one that waited. */
  put(host: OscHost, id: number, surface: number, staging: Staging, isGrouped: boolean): boolean {
    const backlog = this.backlogOf(host);
    const values = (this.values ??= new HeldValues(this.state));
    const replaced = values.owners[id] !== NOBODY;
    if (values.owners[id] !== backlog.number) backlog.add(id);
    values.hold(id, backlog.number, surface, staging);
    backlog.isGrouped ||= isGrouped;
    if (backlog.count >= BACKLOG_MAX) this.write(backlog);
    return replaced;
  }

  /** A newer value of the path was written: the one that waits, if there is one, is not. True when there was. */
  forget(id: number): boolean {
    if (this.values === undefined || this.values.owners[id] === NOBODY) return false;
    this.values.owners[id] = NOBODY;
    return true;
  }

  /** Puts the number in hand that waits for a path; false when none does. */
  load(id: number, staging: Staging): boolean {
    return this.values !== undefined && this.values.owners[id] !== NOBODY && this.values.load(id, staging);
  }

  /** Writes what a host has waiting, so that what follows does not come before it. */
  flushHost(host: OscHost): void {
    const backlog = this.backlogs.get(host);
    if (backlog !== undefined) this.write(backlog);
  }

  /** Writes the backlogs whose host has tokens enough, or whose time is over. */
  flush(): void {
    for (const backlog of this.backlogs.values()) {
      if (this.time[NOW] >= backlog.endUs || backlog.host.rate.has(backlog.count)) this.write(backlog);
    }
  }

  private backlogOf(host: OscHost): Backlog {
    const known = this.backlogs.get(host);
    if (known !== undefined) return known;
    if (this.free.length === 0) for (const backlog of this.backlogs.values()) this.write(backlog);
    const backlog = new Backlog(host, this.free.pop() as number, this.time[NOW] + HOLD_US);
    this.backlogs.set(host, backlog);
    return backlog;
  }

  private write(backlog: Backlog): void {
    const { sink } = this;
    const values = this.values as HeldValues;
    this.backlogs.delete(backlog.host);
    this.free.push(backlog.number);
    backlog.host.rate.spend(backlog.count);
    if (backlog.isGrouped) sink.beginConflatedGroup();
    for (let at = 0; at < backlog.count; at++) {
      const id = backlog.ids[at];
      if (values.owners[id] !== backlog.number) continue;
      values.owners[id] = NOBODY;
      values.stage(id, sink.staging);
      sink.writeConflated(values.idNow(id), values.surfaces[id]);
    }
    if (backlog.isGrouped) sink.endConflatedGroup();
  }
}

/** One value a path. */
class HeldValues {
  /** The number of the backlog that will write it, or `NOBODY`. */
  readonly owners: Uint16Array;
  readonly surfaces: Int32Array;
  private readonly kinds: Uint8Array;
  private readonly counts: Uint8Array;
  private readonly numbers: Float64Array;
  private readonly texts: (string | Uint8Array | undefined)[] = [];
  private readonly state: State;
  /** The paths of provisional ids, which may become other paths' ids in between. */
  private readonly paths = new Map<number, string>();

  constructor(state: State) {
    const { capacity } = state;
    this.state = state;
    this.owners = new Uint16Array(capacity);
    this.surfaces = new Int32Array(capacity);
    this.kinds = new Uint8Array(capacity);
    this.counts = new Uint8Array(capacity);
    this.numbers = new Float64Array(capacity * LANES);
  }

  hold(id: number, owner: number, surface: number, staging: Staging): void {
    if (this.state.isProvisional(id)) this.paths.set(id, this.state.pathOf(id));
    this.owners[id] = owner;
    this.surfaces[id] = surface;
    this.kinds[id] = staging.kind;
    this.counts[id] = Math.min(staging.count, LANES + 1);
    for (let lane = 0; lane < LANES; lane++) this.numbers[id * LANES + lane] = staging.numbers[lane];
    if (staging.kind !== StagedKind.numbers) this.texts[id] = staging.text;
  }

  load(id: number, staging: Staging): boolean {
    if (this.kinds[id] !== StagedKind.numbers) return false;
    staging.kind = StagedKind.numbers;
    staging.count = this.counts[id];
    for (let lane = 0; lane < LANES; lane++) staging.numbers[lane] = this.numbers[id * LANES + lane];
    staging.text = undefined;
    return true;
  }

  stage(id: number, staging: Staging): void {
    staging.kind = this.kinds[id] as StagedKind;
    staging.count = this.counts[id];
    for (let lane = 0; lane < LANES; lane++) staging.numbers[lane] = this.numbers[id * LANES + lane];
    staging.text = staging.kind === StagedKind.numbers ? undefined : this.texts[id];
    this.texts[id] = undefined;
  }

  /** The id that the path has now for which a value was held under `id`; -1 when it is gone. */
  idNow(id: number): number {
    const path = this.paths.get(id);
    if (path === undefined) return id;
    this.paths.delete(id);
    return this.state.idOf(path);
  }
}
