/**
 * Small node: a real state and a real change ring with nothing behind them, for tests of what follows the ring.
 *
 * It applies as a lone controller does: coerce, detect the change, version, ring. Nothing is faked but the network.
 */
import type { DeskService, DeskSurfaces } from "../../../src/edge/desk-service.js";
import type { PendingValue } from "../../../src/manage/desk-messages.js";
import type {
  ControlOutcome,
  DeclareEntry,
  DeclareOutcome,
  HealthFinding,
  LogLevel,
  PeerReport,
  StatusReport,
  WriteOptions,
  WriteOutcome,
} from "../../../src/manage/reports.js";
import { ByteWriter } from "../../../src/base/bytes.js";
import { ChangeFlag, EventKind } from "../../../src/state/change.js";
import { coerce } from "../../../src/state/coerce.js";
import { COMPONENTS } from "../../../src/state/component.js";
import { encodeNamed } from "../../../src/state/declaration-bytes.js";
import {
  completeDeclaration,
  type Declaration,
  type DeclarationInput,
  type Value,
  type ValueType,
  type ValueTypeName,
} from "../../../src/state/declaration.js";
import { ImageEncoder } from "../../../src/state/image.js";
import { Reject } from "../../../src/state/reject.js";
import {
  ChangeContext,
  createRingMemory,
  type RingMemory,
  type RingSizes,
  RingWriter,
} from "../../../src/state/ring.js";
import { Staging } from "../../../src/state/staging.js";
import { State } from "../../../src/state/state.js";
import { OriginTable, TermTable } from "../../../src/state/tables.js";
import type { Tombstone } from "../../../src/state/tombstones.js";

export const NODE_ID = "a1b2c3d4e5f60718";
/** A node without devices. */
export const NO_SURFACES: DeskSurfaces = {
  devices: () => Promise.resolve([]),
  adopt: () => Promise.resolve({ problem: "no devices here", devices: [] }),
  forget: () => Promise.resolve({ problem: "no devices here", devices: [] }),
  blink: () => Promise.resolve({ problem: "no devices here", devices: [] }),
  bindings: () => Promise.resolve([]),
  bind: () => Promise.resolve({ problem: "no devices here", outcome: { reject: Reject.none, confirmed: false } }),
  unbind: () => Promise.resolve({ reject: Reject.unknownPath, confirmed: false }),
  replay: () => ({ problem: "no devices here", waiting: 0, played: 0, lost: 0 }),
  feed: () => {},
  learn: () => {
    const outcome = { reject: Reject.none, confirmed: false };
    return Promise.resolve({ problem: "", silence: "no devices here", outcome });
  },
  repaint: () => false,
};
const EMPTY = new Uint8Array(0);

export class SmallNode implements DeskService {
  readonly capacity: number;
  readonly memory: RingMemory;
  readonly state: State;
  readonly terms = new TermTable();
  readonly origins = new OriginTable();
  readonly staging = new Staging();
  readonly context = new ChangeContext();
  readonly ring: RingWriter;
  findings: HealthFinding[] = [];
  shownPending: PendingValue[] = [];
  logLevel: LogLevel = "info";
  /** Called for each OSC packet that came over TCP. */
  onOsc: (connection: number, packet: Uint8Array) => void = () => {};
  readonly oscEvents: string[] = [];
  readonly deskEvents: string[] = [];
  /** Every write waits for this first. */
  confirmation: Promise<void> = Promise.resolve();
  /** The newest change. */
  sequence = 0;
  readonly serving = { number: 1, node: NODE_ID };
  readonly lineage = [];
  readonly removals: Tombstone[] = [];
  readonly frozen = undefined;
  readonly snapshotPorts: number[] = [];

  constructor(sizes?: RingSizes, capacity = 8_192) {
    this.capacity = capacity;
    this.memory = createRingMemory(sizes);
    this.state = new State(capacity);
    this.ring = new RingWriter(this.memory);
    this.openTerm(1);
  }

  openTerm(number: number, controller = NODE_ID): void {
    const index = this.terms.intern(number, controller);
    this.context.term = index;
    const out = new ByteWriter(new Uint8Array(64));
    out.varint(number);
    out.blob(new TextEncoder().encode(controller));
    this.ring.event(EventKind.term, index, out.buffer.slice(0, out.offset), this.context);
  }

  add(path: string, input: DeclarationInput | ValueTypeName): number {
    return this.declarePath(path, completeDeclaration(typeof input === "string" ? { type: input } : input));
  }

  declarePath(path: string, declaration: Declaration): number {
    const known = this.state.idOf(path);
    const id = known >= 0 ? known : this.state.nextId;
    this.state.declare(id, path, declaration);
    this.ring.event(EventKind.declare, id, encodeNamed(path, declaration) ?? EMPTY, this.stamp());
    return id;
  }

  /** Writes as a surface of this node; `flags` as in the ring. */
  put(path: string, value: Value, surface = "", flags = 0): Reject {
    const id = this.state.idOf(path);
    if (id < 0) return Reject.unknownPath;
    this.staging.value(value);
    const reject = coerce(this.state, id, this.staging);
    if (reject !== Reject.none) return reject;
    this.context.origin = this.originOf(surface);
    const context = this.stamp();
    context.flags = flags;
    if ((flags & ChangeFlag.pending) === 0) this.store(id);
    this.ring.value(id, this.state.types[id] as ValueType, this.staging, context);
    context.flags = 0;
    return Reject.none;
  }

  fire(path: string, surface = ""): Reject {
    const id = this.state.idOf(path);
    if (id < 0) return Reject.unknownPath;
    if (this.state.declarationOf(id)?.type !== "impulse") return Reject.wrongType;
    this.context.origin = this.originOf(surface);
    this.ring.event(EventKind.impulse, id, EMPTY, this.stamp());
    return Reject.none;
  }

  private store(id: number): void {
    const { state, context } = this;
    state.store(id, this.staging);
    state.sequences[id] = context.doubles[0] as number;
    state.timesUs[id] = context.doubles[1] as number;
    state.terms[id] = context.term;
    state.origins[id] = context.origin;
  }

  private stamp(): ChangeContext {
    this.sequence++;
    this.context.doubles[0] = this.sequence;
    this.context.doubles[1] = 1_700_000_000_000_000 + this.sequence;
    return this.context;
  }

  private originOf(surface: string): number {
    const before = this.origins.size;
    const index = this.origins.intern(NODE_ID, surface);
    if (this.origins.size === before) return index;
    const out = new ByteWriter(new Uint8Array(128));
    out.blob(new TextEncoder().encode(NODE_ID));
    out.blob(new TextEncoder().encode(surface));
    this.ring.event(EventKind.origin, index, out.buffer.slice(0, out.offset), this.context);
    return index;
  }

  // What follows is DeskService.

  tellStandings(): void {
    this.ring.event(EventKind.standings, 0, new Uint8Array(0), this.context);
  }

  async write(path: string, value: Value, options: WriteOptions): Promise<WriteOutcome> {
    if (options.wait) await this.confirmation;
    if (this.state.idOf(path) < 0 && options.autoType !== undefined) this.add(path, options.autoType);
    return this.outcome(this.put(path, value, options.surface), options);
  }

  async trigger(path: string, options: WriteOptions): Promise<WriteOutcome> {
    return this.outcome(this.fire(path, options.surface), options);
  }

  private outcome(reject: Reject, options: WriteOptions): WriteOutcome {
    if (reject !== Reject.none) return { reject, confirmed: false };
    if (!options.wait) return { reject, confirmed: false };
    return { reject, confirmed: true, version: { term: 1, node: NODE_ID, sequence: this.sequence } };
  }

  async declare(entries: readonly DeclareEntry[]): Promise<DeclareOutcome> {
    for (const { path, declaration, value } of entries) {
      this.declarePath(path, declaration);
      if (value !== undefined) this.put(path, value);
    }
    return { declared: entries.length, refused: [] };
  }

  async rename(path: string, to: string, options: WriteOptions): Promise<WriteOutcome> {
    const id = this.state.idOf(path);
    if (id < 0) return { reject: Reject.unknownPath, confirmed: false };
    this.state.rename(id, to);
    this.ring.event(EventKind.rename, id, encodeNamed(to, undefined) ?? EMPTY, this.stamp());
    return this.outcome(Reject.none, options);
  }

  async remove(path: string, options: WriteOptions): Promise<WriteOutcome> {
    const id = this.state.idOf(path);
    if (id < 0) return { reject: Reject.unknownPath, confirmed: false };
    this.state.remove(id);
    this.ring.event(EventKind.remove, id, EMPTY, this.stamp());
    return this.outcome(Reject.none, options);
  }

  readonly controlled: string[] = [];

  control(to: string): Promise<ControlOutcome> {
    this.controlled.push(to);
    const reason = to === "nobody" ? "no node is called nobody" : "";
    return Promise.resolve({ reason, controller: NODE_ID, term: 7, tookMs: 8 });
  }

  status(): StatusReport {
    const components = Object.fromEntries(COMPONENTS.map((name) => [name, { sequence: 0, digest: "0".repeat(16) }]));
    return {
      node: NODE_ID,
      name: "small",
      mesh: "test",
      version: "0.0.0",
      role: "controller",
      controller: NODE_ID,
      term: { number: 1, node: NODE_ID },
      sequence: this.sequence,
      uptimeMs: 1_000,
      network: {
        interface: "lo",
        address: "127.0.0.1",
        group: "239.77.0.1",
        meetingGroup: "239.77.128.1",
        meshPort: 7701,
        port: 7700,
        unicastPort: 40_001,
        snapshotPort: 40_002,
        redundancy: 3,
        loss: 0,
      },
      state: {
        paths: this.state.pathCount,
        pathsMax: this.capacity,
        pendingWrites: 0,
        components: components as StatusReport["state"]["components"],
      },
      peers: { heard: 0 },
      sameness: {
        version: { term: 1, node: NODE_ID, sequence: this.sequence },
        nodes: 1,
        holding: 1,
        different: [],
      },
      clock: { sessionMs: 1_719_964_800_000, offsetMs: -250, boundMs: 0.1234 },
      memory: { residentBytes: 1, heapBytes: 1 },
      dataDir: "data",
      health: this.findings,
      counters: { "osc.messages": 3 },
    };
  }

  peers(): readonly PeerReport[] {
    return [];
  }

  health(): readonly HealthFinding[] {
    return this.findings;
  }

  snapshotPort(port: number): void {
    this.snapshotPorts.push(port);
  }

  setLogLevel(level: LogLevel): void {
    this.logLevel = level;
  }

  *image(): Generator<Uint8Array> {
    const encoder = new ImageEncoder(this);
    for (let chunk = encoder.next(); chunk !== undefined; chunk = encoder.next()) yield chunk;
  }

  pending(): readonly PendingValue[] {
    return this.shownPending;
  }

  oscOpened(connection: number, remoteAddress: string): void {
    this.oscEvents.push(`opened ${connection} ${remoteAddress}`);
  }

  oscReceived(connection: number, packet: Uint8Array): void {
    this.onOsc(connection, packet);
  }

  oscClosed(connection: number): void {
    this.oscEvents.push(`closed ${connection}`);
  }

  deskHealth(text: string): void {
    this.deskEvents.push(text);
  }
}
