/**
 * Mesh: nodes as they ship, on one virtual clock and one virtual network. One seed decides everything.
 *
 * It implements `node/ports.ts` and nothing more: no socket, no timer, no real time. Datagrams are copied, lost,
 * doubled and delayed as the faults say; snapshots go through the real server and client, as bytes. A node's loop is
 * that of `edge/live-loop.ts`: whatever arrives is a turn, `settle` ends it, ticks come in whole milliseconds.
 */
import { Random } from "../../../src/base/random.js";
import type { Snapshot } from "../../../src/node/adoption.js";
import { HanaNode } from "../../../src/node/node.js";
import type { SnapshotRequest } from "../../../src/node/ports.js";
import { meshTag } from "../../../src/security/mesh-identity.js";
import { completeDeclaration, type DeclarationInput, type Value } from "../../../src/state/declaration.js";
import { ImageEncoder } from "../../../src/state/image.js";
import type { Reject } from "../../../src/state/reject.js";
import { Role } from "../../../src/sync/roles.js";
import type { MergePolicies } from "../../../src/state/merge-policy.js";
import { type ElectionRules, Policy } from "../../../src/sync/election.js";
import type { TermRecord } from "../../../src/sync/promises.js";
import type { SendLimits } from "../../../src/sync/send-budget.js";
import {
  makeImage,
  SnapshotClient,
  type SnapshotImage,
  SnapshotProgress,
  SnapshotServer,
} from "../../../src/sync/snapshot-transfer.js";
import { encodeStandings, type Standing } from "../../../src/wire/standing.js";
import { EventQueue } from "./event-queue.js";

export interface Faults {
  /** Chances, 0..1, for each receiver of each datagram. */
  readonly loss: number;
  readonly duplicate: number;
  /** A datagram takes a time between these; what is more than the time between two datagrams reorders them. */
  readonly minDelayUs: number;
  readonly maxDelayUs: number;
}

export const CLEAN: Faults = { loss: 0, duplicate: 0, minDelayUs: 100, maxDelayUs: 100 };
/** Session time is far from zero, as an epoch is: 2024-07-03T00:00:00Z. */
const START_US = 1_719_964_800_000_000;
const DISK_US = 300;
const ASK_LOOK_US = 5_000;
const KEY = new Uint8Array(32).fill(7);
const TAG = meshTag("test");

/** By which of a node's sockets a datagram comes. */
export const Way = { stream: "stream", meeting: "meeting", unicast: "unicast" } as const;
export type Way = (typeof Way)[keyof typeof Way];

export interface MeshNodeOptions {
  readonly priority?: number;
  readonly redundancy?: number;
  readonly sendLimits?: SendLimits;
  readonly electionRules?: ElectionRules;
  readonly paths?: number;
  /** How far this node's clock is ahead of the others'. */
  readonly skewUs?: number;
  readonly showsPeers?: boolean;
  readonly mergePolicies?: MergePolicies;
  /** The place of the node whose id this one has too, from a copied folder; it asks first. */
  readonly twinOf?: number;
  /** It asks whether it has a twin before it speaks, as the command does. */
  readonly asks?: boolean;
  /** Boots of this node before this one. */
  readonly boots?: number;
  /** What those left on disk. */
  readonly disk?: MeshDisk;
}

/** The one file that is kept over a crash. */
export interface MeshDisk {
  record: TermRecord | undefined;
}

export class Mesh {
  readonly random: Random;
  readonly nodes: MeshNode[] = [];
  faults: Faults;
  private readonly events = new EventQueue();
  nowUs = START_US;
  /** Called after every turn of every node. */
  onTurn: (node: MeshNode) => void = () => {};
  /** Answers true for a datagram that is to be lost, beside what the faults say. */
  drop: (from: MeshNode, to: MeshNode, datagram: Uint8Array, way: Way) => boolean = () => false;
  /** Whether one node can fetch a snapshot from another. */
  canConnect: (from: MeshNode, to: MeshNode) => boolean = () => true;
  /** Whether nodes give an image that they made again, while it holds what is asked for. */
  keepsImages = false;
  /** How much longer a datagram takes than the faults say. */
  extraDelayUs: (to: MeshNode, way: Way) => number = () => 0;
  datagrams = 0;
  /** Set before the first node is added. */
  rules: ElectionRules = { policy: Policy.island, electors: [] };

  constructor(seed: number, faults: Faults = CLEAN) {
    this.random = new Random(seed);
    this.faults = faults;
  }

  /** Adds a node and starts it. Its id is its place, so a later node is the last in rank. */
  add(options: MeshNodeOptions = {}): MeshNode {
    const node = new MeshNode(this, this.nodes.length + 1, options);
    this.nodes.push(node);
    this.begin(node);
    return node;
  }

  /** Starts a node that crashed anew, with nothing but its id and what it promised about terms. */
  restart(node: MeshNode): MeshNode {
    const place = this.nodes.indexOf(node);
    const again = new MeshNode(this, place + 1, {
      ...node.options,
      boots: (node.options.boots ?? 0) + 1,
      disk: node.disk,
    });
    this.nodes[place] = again;
    this.begin(again);
    return again;
  }

  private begin(node: MeshNode): void {
    const start = (): unknown => node.turn(() => node.hana.start());
    if (node.options.asks !== true) {
      start();
      return;
    }
    node.turn(() => node.hana.ask());
    const look = (): void => {
      if (node.isDead) return;
      if (node.hana.twin.hasAsked) start();
      else this.after(ASK_LOOK_US, () => node.turn(look));
    };
    look();
  }

  get live(): MeshNode[] {
    return this.nodes.filter((node) => !node.isDead);
  }

  at(timeUs: number, action: () => void): void {
    this.events.push(timeUs, action);
  }

  after(delayUs: number, action: () => void): void {
    this.at(this.nowUs + delayUs, action);
  }

  /** Lets this much time pass. */
  run(durationUs: number): void {
    const endUs = this.nowUs + durationUs;
    for (let next = this.events.popUntil(endUs); next !== undefined; next = this.events.popUntil(endUs)) {
      this.nowUs = next.timeUs;
      next.action();
    }
    this.nowUs = endUs;
  }

  /** Runs until something holds. Throws when it does not in time. */
  until(condition: () => boolean, limitUs = 10_000_000): void {
    const endUs = this.nowUs + limitUs;
    while (!condition()) {
      if (this.nowUs >= endUs) throw new Error("it did not come about in time");
      this.run(1_000);
    }
  }

  /** Whether one live node is controller and all others follow it. */
  get isSettled(): boolean {
    const { live } = this;
    const controllers = live.filter((node) => node.hana.roles.role === Role.controlling);
    const [controller] = controllers;
    if (controllers.length !== 1 || controller === undefined) return false;
    const { term } = controller.hana.roles;
    return live.every(
      ({ hana: { roles } }) =>
        roles.term.number === term.number &&
        roles.term.node === term.node &&
        (roles.role === Role.controlling || roles.role === Role.following),
    );
  }

  get controller(): MeshNode {
    const found = this.live.find((node) => node.hana.roles.role === Role.controlling);
    if (found === undefined) throw new Error("nobody is controller");
    return found;
  }

  carry(from: MeshNode, to: MeshNode, datagram: Uint8Array, way: Way): void {
    this.datagrams++;
    const { faults, random } = this;
    if (this.drop(from, to, datagram, way)) return;
    if (from !== to && random.next() < faults.loss) return;
    const copies = random.next() < faults.duplicate ? 2 : 1;
    const extraUs = this.extraDelayUs(to, way);
    for (let copy = 0; copy < copies; copy++) {
      const delay =
        extraUs + faults.minDelayUs + Math.floor(random.next() * (faults.maxDelayUs - faults.minDelayUs + 1));
      const bytes = datagram.slice();
      this.after(delay, () => {
        if (to.hearsStream || way !== Way.stream) to.turn(() => to.hana.receive(bytes, from.address, from.port));
      });
    }
  }
}

export class MeshNode {
  readonly mesh: Mesh;
  /** From 1 on, in the order of `add`. */
  readonly place: number;
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly hana: HanaNode;
  readonly options: MeshNodeOptions;
  readonly disk: MeshDisk;
  isDead = false;
  /** It ended because another node has its id. */
  isRefused = false;
  /** What waits while its loop stands still. */
  private waiting: (() => unknown)[] | undefined;
  /** Whether its snapshots can be fetched. */
  serves = true;
  hearsStream = true;
  private readonly skewUs: number;
  private isSettleDue = false;
  private armedUs = Number.POSITIVE_INFINITY;
  private fetches = 0;
  private images = 0;
  private kept: { readonly term: object; readonly image: SnapshotImage } | undefined;
  private progress = new SnapshotProgress();
  /** Images say where the writers stood at some moment; without, when they are made. */
  private standingsTold: { readonly told: number; readonly standings: readonly Standing[] } | undefined;

  constructor(mesh: Mesh, place: number, options: MeshNodeOptions) {
    this.mesh = mesh;
    this.place = place;
    this.options = options;
    this.disk = options.disk ?? { record: undefined };
    const owner = options.twinOf ?? place;
    this.id = owner.toString(16).padStart(16, "0");
    this.address = `10.0.0.${place}`;
    this.port = 10_000 + place;
    this.skewUs = options.skewUs ?? 0;
    const nodeId = new Uint8Array(8);
    nodeId[7] = owner;
    const boots = options.boots ?? 0;
    this.hana = new HanaNode(
      {
        identity: {
          id: this.id,
          name: `n${place}`,
          mesh: "test",
          priority: options.priority ?? 100,
          session: place + 256 * boots,
        },
        limits: { paths: options.paths ?? 1_000, autoPaths: 500 },
        meshKey: KEY,
        meshTag: TAG,
        nodeId,
        session: new Uint8Array([0, 0, boots, place, 0, 0, boots, place]),
        reachability: { unicastPort: this.port, snapshotPort: this.port },
        declaresAuto: true,
        ...(options.showsPeers === undefined ? {} : { showsPeers: options.showsPeers, interfaceName: "eth7" }),
        termRecord: this.disk.record,
        ...(options.mergePolicies === undefined ? {} : { mergePolicies: options.mergePolicies }),
        ...(options.redundancy === undefined ? {} : { redundancy: options.redundancy }),
        electionRules: options.electionRules ?? mesh.rules,
        ...(options.sendLimits === undefined ? {} : { sendLimits: options.sendLimits }),
      },
      {
        datagrams: {
          multicast: (datagram) => {
            for (const to of mesh.live) mesh.carry(this, to, datagram, Way.stream);
          },
          announce: (datagram) => {
            for (const to of mesh.live) mesh.carry(this, to, datagram, Way.meeting);
          },
          unicast: (datagram, address, port) => {
            const to = mesh.live.find((node) => node.address === address && node.port === port);
            if (to !== undefined) mesh.carry(this, to, datagram, Way.unicast);
          },
        },
        random: mesh.random,
        nowUs: () => this.mesh.nowUs + this.skewUs,
        requestSettle: () => this.requestSettle(),
        hearStream: (isWanted) => {
          this.hearsStream = isWanted;
        },
        fetchSnapshot: (request) => this.fetch(request),
        saveTerm: (record, revision) => this.save(record, revision),
        onRole: () => {},
        onServing: () => {},
        onTwin: () => {
          this.isRefused = true;
          this.crash();
        },
        raiseSession: (above) => {
          mesh.after(DISK_US, () => this.turn(() => this.hana.sessionRaised(above + 1)));
        },
        onHealth: () => {},
      },
    );
  }

  /** One turn of this node's event loop. What it asked to be done at the end follows all that is due by then. */
  turn<T>(action: () => T): T | undefined {
    if (this.isDead) return undefined;
    if (this.waiting !== undefined) {
      this.waiting.push(action);
      return undefined;
    }
    const { clock } = this.hana.core;
    clock.set(this.mesh.nowUs + this.skewUs);
    if (clock.isLate) this.hana.late();
    const result = action();
    this.arm();
    this.mesh.onTurn(this);
    return result;
  }

  private save(record: TermRecord, revision: number): void {
    this.mesh.after(DISK_US, () => {
      if (this.isDead) return;
      this.disk.record = record;
      this.turn(() => this.hana.elections.termSaved(revision));
    });
  }

  private requestSettle(): void {
    if (this.isSettleDue) return;
    this.isSettleDue = true;
    this.mesh.after(0, () => {
      this.isSettleDue = false;
      this.turn(() => this.hana.settle());
    });
  }

  private arm(): void {
    const wait = Math.max(1_000, Math.ceil((this.hana.dueUs() - this.skewUs - this.mesh.nowUs) / 1_000) * 1_000);
    const dueUs = this.mesh.nowUs + wait;
    if (dueUs >= this.armedUs) return;
    this.armedUs = dueUs;
    this.mesh.at(dueUs, () => {
      if (this.armedUs !== dueUs) return;
      this.armedUs = Number.POSITIVE_INFINITY;
      this.turn(() => {
        this.hana.tick();
        this.hana.settle();
      });
    });
  }

  /** Its loop stands still: what comes and what is due waits. */
  pause(): void {
    this.waiting ??= [];
  }

  resume(): void {
    this.wake(() => {});
  }

  /** Its loop goes on, first of all with `action`. */
  wake(action: () => void): void {
    const waiting = this.waiting ?? [];
    this.waiting = undefined;
    for (const missed of [action, ...waiting]) this.turn(missed);
  }

  /** Ends without a word. */
  crash(): void {
    this.isDead = true;
  }

  /** Says goodbye and ends. */
  close(): void {
    this.turn(() => this.hana.close());
    this.isDead = true;
  }

  /** The bytes of the snapshot, server to client, half a round trip late each way. */
  private fetch(request: SnapshotRequest): void {
    const fetch = ++this.fetches;
    const { mesh } = this;
    const delayUs = mesh.faults.maxDelayUs;
    mesh.after(2 * delayUs, () => {
      const server = mesh.live.find((node) => node.address === request.address && node.port === request.port);
      const isThere = server?.serves === true && mesh.canConnect(this, server);
      const snapshot = isThere ? this.transfer(server, request.minSequence) : undefined;
      mesh.after(delayUs, () => {
        if (fetch !== this.fetches) return;
        this.turn(() => {
          if (snapshot === undefined) this.hana.snapshotFailed("the connection was closed");
          else this.hana.snapshotArrived(snapshot);
        });
      });
    });
  }

  private transfer(from: MeshNode, minSequence: number): Snapshot | undefined {
    this.progress = new SnapshotProgress();
    const { progress } = this;
    const server = new SnapshotServer(KEY, nonce(this.mesh.random), () => from.image(minSequence));
    const own = nonce(this.mesh.random);
    const client = new SnapshotClient(KEY, own, minSequence, progress);
    const toServer: Uint8Array[] = [own];
    const toClient: Uint8Array[] = [];
    for (let bytes = toServer.shift(); bytes !== undefined; bytes = toServer.shift()) {
      if (!server.push(bytes, (answer) => toClient.push(answer))) return undefined;
      for (let record = server.pull(); record !== undefined; record = server.pull()) toClient.push(record);
      for (const answer of toClient.splice(0)) client.push(answer, (question) => toServer.push(question));
    }
    return progress.isWhole && progress.header !== undefined
      ? { ...progress.header, chunks: progress.chunks, standings: progress.standings }
      : undefined;
  }

  private image(minSequence: number): SnapshotImage | undefined {
    const { core, serving: term } = this.hana;
    const sequence = core.sequence[0] as number;
    if (term === undefined || sequence < minSequence) return undefined;
    const { kept, mesh } = this;
    if (mesh.keepsImages && kept?.term === term && kept.image.sequence >= minSequence) return kept.image;
    const encoder = new ImageEncoder(core);
    const chunks: Uint8Array[] = [];
    for (let chunk = encoder.next(); chunk !== undefined; chunk = encoder.next()) chunks.push(chunk);
    const origins = core.origins.list();
    const { number: termNumber, node: termNode } = term;
    const lineage = core.lineage.entries();
    const { told, standings } = this.standingsTold ?? { told: sequence, standings: this.hana.standings() };
    const header = { image: ++this.images, termNumber, termNode, sequence, told, origins, lineage };
    const image = makeImage(header, chunks, encodeStandings(standings));
    this.kept = { term, image };
    return image;
  }

  /** Images that are made from now on say where the writers stand now. */
  tellStandings(): void {
    this.standingsTold = { told: this.hana.core.sequence[0] as number, standings: this.hana.standings() };
  }

  /** Declares a path, as an input does. */
  declare(path: string, input: DeclarationInput): Reject | undefined {
    return this.turn(() => this.hana.writes.declare(path, completeDeclaration(input), 0));
  }

  /** Writes a value, as an input does. */
  write(path: string, value: Value, surface = ""): Reject | undefined {
    return this.turn(() => this.put(path, value, surface));
  }

  /** Writes several values that change together. */
  writeGroup(values: readonly (readonly [string, Value])[], surface = ""): void {
    this.turn(() => {
      this.hana.writes.beginGroup();
      for (const [path, value] of values) this.put(path, value, surface);
      this.hana.writes.endGroup();
    });
  }

  private put(path: string, value: Value, surface: string): Reject {
    const { core, writes } = this.hana;
    const index = writes.surface(surface);
    const id = core.state.idOf(path);
    if (value === null) return writes.trigger(id, index);
    core.staging.value(value);
    return writes.write(id, index);
  }

  /** The confirmed value. */
  value(path: string): Value | undefined {
    const { state } = this.hana.core;
    const id = state.idOf(path);
    return id < 0 ? undefined : state.valueOf(id);
  }

  /** What is shown: pending writes over the confirmed value. */
  shown(path: string): Value | undefined {
    const id = this.hana.core.state.idOf(path);
    return id < 0 ? undefined : this.hana.writes.shownValue(id);
  }

  /** A path's version: term number, its controller, sequence. */
  version(id: number): { term: number; node: string; sequence: number } {
    const { state, terms } = this.hana.core;
    const { number: term, node } = terms.at(state.terms[id] as number);
    return { term, node, sequence: state.sequences[id] as number };
  }

  /** Everything that nodes at rest must have in common, by path. */
  contents(): Record<string, unknown> {
    const { state } = this.hana.core;
    const rows: Record<string, unknown> = {};
    for (const id of state.ids()) {
      const { type } = state.declarationOf(id) ?? { type: "" };
      const origin = this.hana.core.origins.at(state.origins[id] as number);
      rows[state.pathOf(id)] = { id, type, value: state.valueOf(id), version: this.version(id), origin };
    }
    return rows;
  }

  /** The digests of all components. */
  digests(): readonly string[] {
    return Array.from({ length: 10 }, (_, component) => this.hana.core.digests.hex(component));
  }
}

function nonce(random: Random): Uint8Array {
  return Uint8Array.from({ length: 16 }, () => Math.floor(random.next() * 256));
}
