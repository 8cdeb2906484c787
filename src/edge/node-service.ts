/**
 * Node service: what the desk, the command line and the library ask of a node. Values in, outcomes out.
 *
 * It stands on the live thread; whatever waits for the controller waits here, with a time limit.
 */
import type { FrozenHeader, PendingValue } from "../manage/desk-messages.js";
import {
  type ControlOutcome,
  type DeclareEntry,
  type DeclareOutcome,
  type HealthFinding,
  type LogLevel,
  type PeerReport,
  refusal,
  type StatusReport,
  type WriteOptions,
  type WriteOutcome,
} from "../manage/reports.js";
import { HealthCode } from "../node/health.js";
import type { HanaNode } from "../node/node.js";
import type { Term } from "../state/change.js";
import type { Value } from "../state/declaration.js";
import { ValueType } from "../state/declaration.js";
import { ImageEncoder } from "../state/image.js";
import { Reject } from "../state/reject.js";
import type { OriginTable, TermTable } from "../state/tables.js";
import type { Tombstone } from "../state/tombstones.js";
import type { LineageEntry } from "../sync/lineage.js";
import { encodeStandings } from "../wire/standing.js";
import type { DeskService } from "./desk-service.js";
import type { LiveLoop } from "./live-loop.js";
import { healthOf, peersOf, pendingOf } from "./node-reports.js";

/** The OSC side of the desk's TCP connections. */
export interface OscConnections {
  opened(connection: number, address: string, port: number): void;
  received(connection: number, packet: Uint8Array): void;
  closed(connection: number): void;
}

export interface NodeServiceParts {
  readonly node: HanaNode;
  readonly loop: LiveLoop;
  readonly osc: OscConnections;
  readonly status: () => StatusReport;
  readonly setLogLevel: (level: LogLevel) => void;
  readonly setSnapshotPort: (port: number) => void;
}

export class NodeService implements DeskService {
  private readonly parts: NodeServiceParts;
  readonly terms: TermTable;
  readonly origins: OriginTable;

  constructor(parts: NodeServiceParts) {
    this.parts = parts;
    this.terms = parts.node.core.terms;
    this.origins = parts.node.core.origins;
  }

  async write(path: string, value: Value, options: WriteOptions): Promise<WriteOutcome> {
    const outcome = await this.perform(options, (surface) => {
      const { writes, core } = this.parts.node;
      const id = this.resolve(path, options, surface);
      if (id < 0) return -id as Reject;
      if (core.state.types[id] === ValueType.impulse) return writes.trigger(id, surface);
      core.staging.value(value);
      const reject = writes.write(id, surface);
      // A request is a write by itself, not a control in somebody's hand.
      writes.endGesture(id, surface);
      return reject;
    });
    const isLost = outcome.reject === Reject.held || outcome.reject === Reject.superseded;
    return isLost ? refusal(outcome.reject, this.writerOf(path)) : outcome;
  }

  /** Whose value a path has now, for a person. */
  private writerOf(path: string): string {
    const { core, peers } = this.parts.node;
    const { node, surface } = core.origins.at(core.state.origins[core.state.idOf(path)] ?? 0);
    const name = node === core.identity.id ? core.identity.name : (peers.get(node)?.name ?? node);
    return surface === "" ? name : `${surface} on ${name}`;
  }

  trigger(path: string, options: WriteOptions): Promise<WriteOutcome> {
    return this.perform(options, (surface) => {
      const id = this.resolve(path, options, surface);
      return id < 0 ? (-id as Reject) : this.parts.node.writes.trigger(id, surface);
    });
  }

  /** The id of a path, declared now if it may be; or a negative reject code. */
  private resolve(path: string, options: WriteOptions, surface: number): number {
    const { core, writes } = this.parts.node;
    const id = core.state.idOf(path);
    if (id >= 0) return id;
    if (options.autoType === undefined) return -Reject.unknownPath;
    return writes.declareAuto(path, options.autoType, surface);
  }

  /** Makes a write and answers what became of it. */
  private perform(options: WriteOptions, act: (surface: number) => Reject): Promise<WriteOutcome> {
    const { node, loop } = this.parts;
    loop.enter();
    const reject = act(node.writes.surface(options.surface));
    loop.requestSettle();
    if (reject !== Reject.none) return Promise.resolve(refusal(reject));
    return options.wait ? this.confirmation(options.timeoutMs) : Promise.resolve({ reject, confirmed: false });
  }

  private confirmation(timeoutMs: number): Promise<WriteOutcome> {
    const { node } = this.parts;
    // What is committed here is of this term, however long another node takes to have it.
    const term = node.controller.takesWrites ? node.roles.term : undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(refusal(Reject.timedOut, this.whyLate)), timeoutMs);
      node.writes.whenDone((reject, sequence, isReplicated) => {
        clearTimeout(timer);
        if (reject !== Reject.none) resolve(refusal(reject));
        else {
          const { number, node: holder } = term ?? node.roles.term;
          const version = { term: number, node: holder, sequence };
          const replicated = isReplicated === undefined ? {} : { replicated: isReplicated };
          resolve({ reject, confirmed: true, version, ...replicated });
        }
      });
    });
  }

  /** What a person should know about a write that nobody confirms. */
  private get whyLate(): string | undefined {
    return this.parts.node.health.list().find(({ code }) => code === HealthCode.noController)?.text;
  }

  async declare(entries: readonly DeclareEntry[], options: WriteOptions): Promise<DeclareOutcome> {
    const { node, loop } = this.parts;
    const refused: DeclareOutcome["refused"][number][] = [];
    let declared = 0;
    loop.enter();
    const surface = node.writes.surface(options.surface);
    for (const entry of entries) {
      const { generation } = node.core.state;
      const reject = this.declareOne(entry, surface);
      if (reject !== Reject.none) refused.push({ path: entry.path, reject });
      else if (node.core.state.generation !== generation) declared++;
    }
    loop.requestSettle();
    if (options.wait && declared > 0) {
      const outcome = await this.confirmation(options.timeoutMs);
      if (outcome.reject !== Reject.none) refused.push({ path: "", reject: outcome.reject });
    }
    return { declared, refused };
  }

  private declareOne(entry: DeclareEntry, surface: number): Reject {
    const { writes, core } = this.parts.node;
    const reject = writes.declare(entry.path, entry.declaration, surface);
    if (reject !== Reject.none || entry.value === undefined || entry.value === null) return reject;
    const id = core.state.idOf(entry.path);
    core.staging.value(entry.value);
    return id < 0 ? Reject.unknownPath : writes.write(id, surface);
  }

  rename(path: string, to: string, options: WriteOptions): Promise<WriteOutcome> {
    return this.perform(options, (surface) => {
      const id = this.parts.node.core.state.idOf(path);
      return id < 0 ? Reject.unknownPath : this.parts.node.writes.rename(id, to, surface);
    });
  }

  remove(path: string, options: WriteOptions): Promise<WriteOutcome> {
    return this.perform(options, (surface) => {
      const id = this.parts.node.core.state.idOf(path);
      return id < 0 ? Reject.unknownPath : this.parts.node.writes.remove(id, surface);
    });
  }

  control(to: string): Promise<ControlOutcome> {
    const { node, loop } = this.parts;
    loop.enter();
    const target = this.nodeNamed(to);
    return new Promise((resolve) => {
      const done = (reason: string, tookUs: number): void => {
        const { term } = node.roles;
        resolve({ reason, controller: term.node, term: term.number, tookMs: tookUs / 1_000 });
      };
      const unknown = `no node, or more than one, is called ${to}: \`hana peers\` shows names and ids`;
      if (target === undefined) done(unknown, 0);
      else node.handover.begin(target, done);
    });
  }

  /** The id of a node by its id or by its name, if only one has it. */
  private nodeNamed(text: string): string | undefined {
    const { core, peers } = this.parts.node;
    const { id, name } = core.identity;
    if (text === "" || text === id) return id;
    if (peers.get(text) !== undefined) return text;
    const named = [...peers.values()].filter((peer) => peer.name === text).map(({ node }) => node);
    if (name === text) named.push(id);
    return named.length === 1 ? named[0] : undefined;
  }

  status(): StatusReport {
    return this.parts.status();
  }

  peers(): readonly PeerReport[] {
    return peersOf(this.parts.node);
  }

  health(): readonly HealthFinding[] {
    return healthOf(this.parts.node.health.list());
  }

  setLogLevel(level: LogLevel): void {
    this.parts.setLogLevel(level);
  }

  *image(): Generator<Uint8Array> {
    const encoder = new ImageEncoder(this.parts.node.core);
    for (let chunk = encoder.next(); chunk !== undefined; chunk = encoder.next()) yield chunk;
  }

  tellStandings(): void {
    this.parts.loop.enter();
    this.parts.node.tellStandings();
  }

  pending(): readonly PendingValue[] {
    return pendingOf(this.parts.node);
  }

  get sequence(): number {
    return this.parts.node.core.sequence[0] as number;
  }

  get serving(): Term | undefined {
    return this.parts.node.serving;
  }

  get frozen(): FrozenHeader | undefined {
    const { core, controller, serving } = this.parts.node;
    if (serving === undefined || controller.takesWrites) return undefined;
    const origins = core.origins.list();
    const { number: termNumber, node: termNode } = serving;
    const standings = encodeStandings(this.parts.node.standings());
    const { sequence, lineage } = this;
    return { termNumber, termNode, sequence, told: sequence, origins, lineage, standings };
  }

  get lineage(): readonly LineageEntry[] {
    return this.parts.node.core.lineage.entries();
  }

  get removals(): readonly Tombstone[] {
    return [...this.parts.node.core.state.tombstones.values()];
  }

  snapshotPort(port: number): void {
    this.parts.setSnapshotPort(port);
  }

  oscOpened(connection: number, remoteAddress: string, remotePort: number): void {
    this.parts.osc.opened(connection, remoteAddress, remotePort);
  }

  oscReceived(connection: number, packet: Uint8Array): void {
    this.parts.osc.received(connection, packet);
  }

  oscClosed(connection: number): void {
    this.parts.osc.closed(connection);
  }

  deskHealth(text: string): void {
    this.parts.node.setHealth(HealthCode.desk, text);
  }
}
