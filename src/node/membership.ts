/**
 * Membership: what nodes say of themselves. Hello, report, peers, leave; and what a joiner offers to the mesh.
 *
 * Only the controller multicasts at rest; the others report to it by unicast and learn of each other from its list, so
 * traffic is linear in nodes.
 */
import type { Declaration, Value } from "../state/declaration.js";
import { Reject } from "../state/reject.js";
import { Role } from "../sync/roles.js";
import { FrameType } from "../wire/frame.js";
import {
  decodeHello,
  decodePeers,
  decodeReport,
  helloFields,
  type NodeNotice,
  type PeerRow,
  peersFields,
  reportFields,
} from "../wire/messages.js";
import type { NodeOptions } from "./options.js";
import type { NodeParts } from "./parts.js";

const REPORT_US = 1_000_000;
const REPORT_LOSSY_US = 200_000;
const PEERS_US = 1_000_000;
const PEERS_CHANGED_US = 20_000;
/** A row is at most 320 bytes: names of 64 characters, three bytes each. */
const ROWS_PER_FRAME = 3;
const OFFERS_PER_TICK = 512;

/** A path that this node brought along, from its show. */
export interface Offer {
  readonly path: string;
  readonly declaration: Declaration;
  readonly value: Value;
}

export class Membership {
  private readonly node: NodeParts;
  private readonly options: NodeOptions;
  /** [0] next report, [1] next list of peers, [2] frames heard and [3] missed at the last report. */
  private readonly registers = new Float64Array(4);
  private generation = -1;
  private nonce = 0;
  private offers: Offer[] = [];
  private lossPermille = 0;

  constructor(node: NodeParts, options: NodeOptions) {
    this.node = node;
    this.options = options;
  }

  /** Share of frames that did not come by themselves lately, 0..1. */
  get loss(): number {
    return this.lossPermille / 1_000;
  }

  private notice(): NodeNotice {
    const { identity } = this.options;
    const { role, term } = this.node.roles;
    return {
      name: identity.name.slice(0, 64),
      priority: identity.priority,
      unicastPort: this.options.reachability.unicastPort,
      snapshotPort: this.options.reachability.snapshotPort,
      term: term.number,
      isInSync: role === Role.following || role === Role.controlling,
    };
  }

  sendHello(): void {
    this.nonce = (this.nonce + 1) >>> 0 || 1;
    const notice = this.notice();
    // A controller with a lower term rises above what it hears: not for a node that has a controller to join.
    const term = this.node.roles.role === Role.joining ? 0 : notice.term;
    this.node.io.message(FrameType.hello, helloFields({ ...notice, term, nonce: this.nonce }), undefined);
  }

  sendLeave(): void {
    this.node.io.message(FrameType.leave, [], undefined);
  }

  onMessage(type: FrameType, plain: Uint8Array, length: number, node: string, address: string): void {
    if (type === FrameType.hello) this.onHello(plain, length, node, address);
    else if (type === FrameType.report) this.onReport(plain, length, node, address);
    else if (type === FrameType.peers) this.onPeers(plain, length, node, address);
    else if (type === FrameType.leave) this.onLeave(node);
  }

  private onHello(plain: Uint8Array, length: number, from: string, address: string): void {
    const { node } = this;
    const hello = decodeHello(plain, length);
    if (hello === undefined) {
      node.core.counters.messagesMalformed++;
      return;
    }
    node.roles.highest = Math.max(node.roles.highest, Math.min(hello.term, node.roles.highest + 1_000));
    node.peers.notice(from, address, hello, node.core.clock.nowUs);
    if (!hello.isInSync && node.roles.isOutranked(hello.term)) node.takeControl();
    if (node.controller.isOpen) node.controller.welcome(hello.nonce, { address, port: hello.unicastPort });
  }

  private onReport(plain: Uint8Array, length: number, from: string, address: string): void {
    const { node } = this;
    const report = decodeReport(plain, length);
    if (report === undefined) {
      node.core.counters.messagesMalformed++;
      return;
    }
    const peer = node.peers.notice(from, address, report, node.core.clock.nowUs);
    if (peer === undefined) return;
    peer.lossPermille = report.lossPermille;
    peer.sequence = report.sequence;
    peer.clockOffsetUs = report.clockOffsetUs;
    peer.clockErrorUs = report.clockErrorUs;
    peer.roundTripUs = report.roundTripUs;
  }

  private onPeers(plain: Uint8Array, length: number, from: string, address: string): void {
    const { node } = this;
    if (from !== node.roles.term.node) return;
    const rows = decodePeers(plain, length);
    if (rows === undefined) {
      node.core.counters.messagesMalformed++;
      return;
    }
    for (const row of rows) {
      if (row.node === node.core.identity.id) continue;
      // The controller does not know the address that it is heard from.
      node.peers.row(row.node === from ? { ...row, address } : row, node.core.clock.nowUs);
    }
  }

  private onLeave(from: string): void {
    const { node } = this;
    node.peers.remove(from);
    if (from === node.roles.term.node) node.roles.controllerLeft();
  }

  /** The node became controller. */
  onRole(): void {
    this.offers = [];
    this.registers[1] = 0;
  }

  /** The node found a controller: what it holds of its own is to be offered, if it never was in a mesh. */
  onJoin(): void {
    const { core, writes } = this.node;
    if (core.term !== 0 || this.offers.length > 0) return;
    for (const id of core.state.ids()) {
      const declaration = core.state.declarationOf(id);
      if (declaration === undefined) continue;
      this.offers.push({ path: core.state.pathOf(id), declaration, value: writes.shownValue(id) });
    }
  }

  takeOffers(): Offer[] {
    const { offers } = this;
    this.offers = [];
    return offers;
  }

  /** Offers what the mesh does not have yet; what it has stays as the mesh has it. */
  offer(offers: readonly Offer[]): void {
    this.offers = offers.filter((offer) => this.node.core.state.idOf(offer.path) < 0);
    this.drainOffers();
  }

  private drainOffers(): void {
    const { node } = this;
    if (this.offers.length === 0 || node.roles.role !== Role.following) return;
    for (let count = 0; count < OFFERS_PER_TICK && this.offers.length > 0; count++) {
      const offer = this.offers[this.offers.length - 1] as Offer;
      if (node.core.state.idOf(offer.path) < 0 && !this.tryOffer(offer)) return;
      this.offers.pop();
    }
  }

  private tryOffer(offer: Offer): boolean {
    const { writes, core } = this.node;
    let reject = writes.declare(offer.path, offer.declaration, 0);
    // The mesh's alias stays where it is; the path comes along without.
    if (reject === Reject.aliasTaken) reject = writes.declare(offer.path, { ...offer.declaration, oscAlias: "" }, 0);
    if (reject === Reject.queueFull) return false;
    if (offer.value === null) return true;
    core.staging.value(offer.value);
    const id = core.state.idOf(offer.path);
    return id < 0 || writes.write(id, 0) !== Reject.queueFull;
  }

  onInSync(): void {
    this.registers[0] = 0;
  }

  tick(): void {
    const { node } = this;
    const now = node.core.clock.nowUs;
    node.peers.prune(now);
    this.drainOffers();
    if (node.controller.isOpen) this.tickPeers(now);
    else if (node.roles.role !== Role.starting && now >= (this.registers[0] as number)) this.report(now);
  }

  private report(now: number): void {
    const { node } = this;
    const { follower, core, roles } = node;
    if (roles.target.port === 0) return;
    this.measureLoss();
    this.registers[0] = now + (this.lossPermille > 0 ? REPORT_LOSSY_US : REPORT_US);
    const fields = reportFields({
      ...this.notice(),
      ...node.sessionClock.state,
      complete: follower.window.complete,
      sequence: core.sequence[0] as number,
      lossPermille: this.lossPermille,
      naks: follower.naks.asked,
    });
    node.io.message(FrameType.report, fields, roles.target);
  }

  /** Frames that came by journal or repair were lost on their first way. */
  private measureLoss(): void {
    const { counters } = this.node.core;
    const lost = counters.framesJournaled + counters.framesRepaired;
    const heard = counters.framesReceived;
    const newLost = lost - (this.registers[3] as number);
    const newHeard = heard - (this.registers[2] as number);
    this.registers[2] = heard;
    this.registers[3] = lost;
    this.lossPermille =
      newHeard + newLost === 0 ? 0 : Math.min(1_000, Math.round((1_000 * newLost) / (newHeard + newLost)));
  }

  private tickPeers(now: number): void {
    const { peers } = this.node;
    const isDue = now >= (this.registers[1] as number);
    const isChanged =
      peers.generation !== this.generation && now >= (this.registers[1] as number) - PEERS_US + PEERS_CHANGED_US;
    if (!isDue && !isChanged) return;
    this.generation = peers.generation;
    this.registers[1] = now + PEERS_US;
    this.sendPeers();
  }

  private sendPeers(): void {
    const rows = [this.ownRow(), ...[...this.node.peers.values()].map(rowOf)];
    for (let from = 0; from < rows.length; from += ROWS_PER_FRAME) {
      this.node.io.message(FrameType.peers, peersFields(rows.slice(from, from + ROWS_PER_FRAME)), undefined);
    }
  }

  private ownRow(): PeerRow {
    const { core } = this.node;
    const notice = this.notice();
    return {
      node: core.identity.id,
      name: notice.name,
      address: "",
      unicastPort: notice.unicastPort,
      snapshotPort: notice.snapshotPort,
      priority: notice.priority,
      isInSync: true,
      lossPermille: 0,
      sequence: core.sequence[0] as number,
      ...this.node.sessionClock.state,
    };
  }
}

function rowOf(peer: PeerRow): PeerRow {
  const { node, name, address, unicastPort, snapshotPort, priority, isInSync, lossPermille, sequence } = peer;
  const { clockOffsetUs, clockErrorUs, roundTripUs } = peer;
  const clock = { clockOffsetUs, clockErrorUs, roundTripUs };
  return { node, name, address, unicastPort, snapshotPort, priority, isInSync, lossPermille, sequence, ...clock };
}
