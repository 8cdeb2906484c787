/**
 * Membership: what nodes say of themselves. Hello, report, peers, leave.
 *
 * Only the controller multicasts at rest; the others report to it by unicast and learn of each other from its list, so
 * traffic is linear in nodes.
 */
import { ByteWriter } from "../base/bytes.js";
import { Role } from "../sync/roles.js";
import { PeerWatch } from "../sync/peer-watch.js";
import { type Fitness, INTERFACE_NAME_LIMIT } from "../wire/fitness.js";
import { FrameType } from "../wire/frame.js";
import { decodeHello, helloFields, type NodeNotice } from "../wire/messages.js";
import { PeerListReader, type PeerRow, writePeerRow } from "../wire/peer-list.js";
import { ReportReader, writeReport } from "../wire/report.js";
import { HealthCode } from "./health.js";
import { Offers } from "./offers.js";
import type { NodeOptions } from "./options.js";
import type { NodeParts } from "./parts.js";

const REPORT_US = 1_000_000;
const REPORT_LOSSY_US = 200_000;
/** From this loss on reports come more often. */
const LOSSY_PERMILLE = 5;
const PEERS_US = 1_000_000;
/** After a change the list waits this long for others, and the longer the more rows it has. */
const PEERS_CHANGED_US = 20_000;
const PEERS_CHANGED_PER_ROW_US = 1_000;
/** What of a row does not move is told again every so many lists, for whoever missed it. */
const WHOLE_EVERY = 4;

export class Membership {
  private readonly node: NodeParts;
  private readonly options: NodeOptions;
  /** [0] next report, [1] next list of peers. */
  private readonly registers = new Float64Array(2);
  private generation = -1;
  private nonce = 0;
  private lossPermille = 0;
  private lists = 0;
  private isForListeners = false;
  private readonly rows = new PeerListReader();
  private readonly reported = new ReportReader();
  private readonly list: ByteWriter;
  readonly watch: PeerWatch;
  readonly offers: Offers;

  constructor(node: NodeParts, options: NodeOptions) {
    this.node = node;
    this.options = options;
    this.watch = new PeerWatch(node.peers);
    this.offers = new Offers(node);
    this.list = new ByteWriter(node.io.plain);
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
    node.roles.hearOf(hello.term);
    node.peers.notice(from, address, hello, node.core.clock.nowUs);
    if (!hello.isInSync && node.roles.isOutranked(hello.term)) node.elections.raise();
    if (node.controller.isOpen) node.controller.welcome(hello.nonce, { address, port: hello.unicastPort });
  }

  private onReport(plain: Uint8Array, length: number, from: string, address: string): void {
    const { node, reported: report } = this;
    if (!report.read(plain, length)) {
      node.core.counters.messagesMalformed++;
      return;
    }
    const peer = node.peers.notice(from, address, report, node.core.clock.nowUs);
    if (peer === undefined) return;
    peer.sequence = report.sequence;
    peer.interfaceName = report.interfaceName;
    node.healing.followers.report(from, report.term, report.isInSync);
    peer.fares(report);
    node.conflated.onReport(from, report.lossPermille);
    // A report that was sent before this term began proves nothing in it.
    if (report.term !== node.roles.term.number) peer.provenSequence = 0;
  }

  private onPeers(plain: Uint8Array, length: number, from: string, address: string): void {
    const { node } = this;
    if (from !== node.roles.term.node) return;
    const { rows } = this;
    rows.begin(plain, length);
    while (rows.next()) {
      if (rows.node === node.core.identity.id) continue;
      if (rows.node === from) node.roles.versions.told(rows.sequence);
      // The controller does not know the address that it is heard from.
      node.peers.row(rows, rows.node === from ? address : "", node.core.clock.nowUs);
    }
    if (rows.failed) node.core.counters.messagesMalformed++;
    else node.peers.listed(node.core.clock.nowUs);
  }

  private onLeave(from: string): void {
    const { node } = this;
    this.watch.left(from);
    node.healing.followers.remove(from);
    if (from === node.roles.term.node) node.roles.controllerLeft();
  }

  /** The node became controller. */
  onRole(): void {
    this.offers.onRole();
    this.registers[1] = 0;
  }

  onInSync(): void {
    this.registers[0] = 0;
  }

  tick(): void {
    const { node } = this;
    const now = node.core.clock.nowUs;
    const { role } = node.roles;
    if (node.controller.isOpen) node.peers.listed(now);
    this.watch.tick(now, role === Role.following || role === Role.controlling);
    node.setHealth(HealthCode.peers, this.watch.finding);
    this.offers.drain();
    if (node.controller.isOpen) this.tickPeers(now);
    else if (node.roles.role !== Role.starting && now >= (this.registers[0] as number)) this.report(now);
  }

  private report(now: number): void {
    const { node } = this;
    const { core, roles, io } = node;
    if (roles.target.port === 0) return;
    this.lossPermille = node.conflatedFollowing.measure();
    this.registers[0] = now + (this.lossPermille >= LOSSY_PERMILLE ? REPORT_LOSSY_US : REPORT_US);
    const sequence = core.sequence[0] as number;
    const length = writeReport(io.plain, { ...this.notice(), ...this.fitness(), sequence });
    io.unicast(FrameType.report, length, roles.target);
  }

  /** How this node fares. */
  private fitness(): Fitness {
    const { follower, sameness, health, sessionClock } = this.node;
    const { link } = sessionClock;
    return {
      lossPermille: this.lossPermille,
      naks: follower.naks.asked,
      provenSequence: sameness.provenSequence,
      differs: sameness.differs,
      level: health.level,
      interfaceName: (this.options.interfaceName ?? "").slice(0, INTERFACE_NAME_LIMIT),
      roundTripUs: link.roundTripUs,
      clockOffsetUs: link.clockOffsetUs,
      clockBoundUs: link.clockBoundUs,
    };
  }

  private tickPeers(now: number): void {
    const { peers } = this.node;
    const sinceLast = now - (this.registers[1] as number) + PEERS_US;
    const isDue = sinceLast >= PEERS_US;
    const isChanged =
      peers.generation !== this.generation && sinceLast >= PEERS_CHANGED_US + peers.size * PEERS_CHANGED_PER_ROW_US;
    if (!isDue && !isChanged) return;
    this.sendPeers(now, peers.generation !== this.generation, isDue);
    this.generation = peers.generation;
    this.registers[1] = now + PEERS_US;
  }

  /** `isDue`: not only because something changed. Those that multicast does not reach hear no other. */
  private sendPeers(now: number, isWhole: boolean, isDue: boolean): void {
    this.lists++;
    this.isForListeners = isDue;
    this.list.reset(0, this.node.io.plain.length);
    this.addRow(this.ownRow(), isWhole || this.isTold(0));
    let place = 0;
    for (const peer of this.node.peers.values()) {
      peer.silentMs = Math.round((now - peer.heardUs) / 1_000);
      this.addRow(peer, isWhole || this.isTold(++place));
    }
    this.sendList();
  }

  /** Whether a row's turn has come to be told as a whole. */
  private isTold(place: number): boolean {
    return (this.lists + place) % WHOLE_EVERY === 0;
  }

  private addRow(row: PeerRow, isWhole: boolean): void {
    const { list } = this;
    const { offset } = list;
    writePeerRow(list, row, isWhole);
    if (!list.overflow) return;
    list.offset = offset;
    this.sendList();
    writePeerRow(list, row, isWhole);
  }

  private sendList(): void {
    const { list } = this;
    const { io } = this.node;
    if (list.offset > 0) {
      io.announce(FrameType.peers, list.offset);
      if (this.isForListeners)
        for (const target of this.node.conflated.listeners()) io.unicast(FrameType.peers, list.offset, target);
    }
    list.reset(0, this.node.io.plain.length);
  }

  private ownRow(): PeerRow {
    const { core } = this.node;
    const { name, unicastPort, snapshotPort, priority } = this.notice();
    return {
      ...this.fitness(),
      node: core.identity.id,
      name,
      address: "",
      unicastPort,
      snapshotPort,
      priority,
      lossPermille: 0,
      isInSync: true,
      isConflated: false,
      sequence: core.sequence[0] as number,
      silentMs: 0,
    };
  }
}
