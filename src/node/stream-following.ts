/**
 * StreamFollowing: which controller's stream is followed, and how this node comes to be in sync with it.
 *
 * It stands between the frames that are heard and the `Follower` that reads them: fences lower terms, joins higher
 * ones, fetches snapshots, compares digests.
 */
import { decodeSnapshot, type Snapshot, takeSnapshot } from "./adoption.js";
import { BucketRepair } from "./bucket-repair.js";
import type { FollowerPort } from "./follower.js";
import { FollowState } from "./follower.js";
import { HealthCode } from "./health.js";
import type { Membership } from "./membership.js";
import type { NodeParts } from "./parts.js";
import type { NodePorts } from "./ports.js";
import { Role } from "../sync/roles.js";
import { appliedFields } from "../wire/applied.js";
import { FrameType, StreamFlag, type StreamFrameReader, type StreamInfo } from "../wire/frame.js";
import { decodeWriteResult, nakFields } from "../wire/messages.js";
import { decodeReplicated } from "../wire/replicated.js";

/** A snapshot that is not here by then is asked for again. */
const SNAPSHOT_PATIENCE_US = 5_000_000;
const SNAPSHOT_RETRY_US = 100_000;
/** A controller at rest is heard every 100 ms. */
const QUIET_US = 150_000;
/** What this node holds is offered first; then it asks again for what the controller has. */
const OFFER_PATIENCE_US = 2_000_000;
const TERMS_TEXT = "more changes of controller were heard than a node can tell apart: start this one anew";

const DIFFERS_TEXT = "this node's state differed from the controller's, and not only in parts";

export class StreamFollowing implements FollowerPort {
  private readonly node: NodeParts;
  private readonly membership: Membership;
  private readonly ports: NodePorts;
  /**
   * [0] when the snapshot that is being fetched is given up; Infinity when none is. [1] the newest change of the term that
   * was here when missing frames were given up on, else 0.
   */
  private readonly registers = new Float64Array([Number.POSITIVE_INFINITY, 0]);
  readonly repair: BucketRepair;
  private info: StreamInfo | undefined;
  private controllerAddress = "";
  /** Which boot of the controller is followed. */
  private session = 0;
  /** It was followed before in the same term: nothing that it had then is to be missing again. */
  private isAgain = false;
  /** The controller says that it hears nobody. */
  private isDeaf = false;

  constructor(node: NodeParts, membership: Membership, ports: NodePorts) {
    this.node = node;
    this.membership = membership;
    this.ports = ports;
    this.repair = new BucketRepair(node);
  }

  onFrame(frame: StreamFrameReader, buffer: Uint8Array, sender: string, session: number, address: string): void {
    const { node } = this;
    const { roles, follower } = node;
    const order = roles.compare(frame.doubles[0] as number, sender);
    if (order < 0) node.core.counters.framesOfLowerTerm++;
    if (roles.role === Role.controlling) {
      if (!node.healing.onRival(frame, sender, address)) return;
      this.switchTo(frame.doubles[0] as number, sender, session, address);
    } else if (order < 0) return;
    else if (order > 0 && !roles.mayFollow(sender) && !this.isHandedOver(frame)) {
      node.core.counters.termsForeign++;
      return;
    } else if (order > 0) this.switchTo(frame.doubles[0] as number, sender, session, address);
    else if (session !== this.session) {
      // It was started anew with nothing, and its term has the number that it had: this is another stream.
      follower.forget();
      this.switchTo(frame.doubles[0] as number, sender, session, address);
    }
    if (frame.info !== undefined) this.isDeaf = frame.info.isDeaf;
    // What it is told goes nowhere: it is as good as gone, though its frames are read until another one is there.
    if (!this.isDeaf) roles.heard();
    node.relief.onFrame(frame);
    if (frame.info !== undefined) this.onInfo(frame.info, frame, address);
    follower.receive(frame, buffer);
    if (frame.info !== undefined) follower.published(frame.info.sequence, frame.doubles[1] as number);
    if ((frame.flags & StreamFlag.critical) !== 0) this.answerApplied();
    if (frame.info !== undefined && roles.role === Role.following) this.compareDigests(frame.info, frame);
    // The end of a turn sets the timer: a gap's NAK is due in milliseconds.
    if (node.pending.size > 0 || follower.window.hasGap) this.ports.requestSettle();
  }

  /** Up to where this node has all: what it would say in an election, not what came past a gap. */
  private answerApplied(): void {
    const { follower, roles, io } = this.node;
    if (roles.role !== Role.following || follower.state !== FollowState.inSync) return;
    follower.noteWhole();
    const frame = follower.wholeFrame[0] as number;
    io.message(FrameType.applied, appliedFields({ term: roles.term.number, frame, isAsking: false }), roles.target);
  }

  askReplicated(frame: number): void {
    const { roles, io } = this.node;
    if (roles.role !== Role.following || roles.target.port === 0) return;
    io.message(FrameType.applied, appliedFields({ term: roles.term.number, frame, isAsking: true }), roles.target);
  }

  /** Enough nodes have all frames up to one. */
  onReplicated(plain: Uint8Array, length: number, sender: string, session: number): void {
    const { node } = this;
    const notice = decodeReplicated(plain, length);
    if (notice === undefined) node.core.counters.messagesMalformed++;
    else if (this.follows(sender, session) && notice.term === node.roles.term.number) {
      node.follower.copies.onReplicated(notice.frame);
    }
  }

  /** Whether this boot of a node is the controller that is followed. */
  follows(node: string, session: number): boolean {
    const { roles } = this.node;
    return roles.role !== Role.controlling && node === roles.term.node && session === this.session;
  }

  /** Whether the controller that is followed gave its term to this one. */
  private isHandedOver({ flags, info }: StreamFrameReader): boolean {
    if ((flags & StreamFlag.handedOver) === 0 || info === undefined) return false;
    const { number, node } = this.node.roles.term;
    return info.parentNumber === number && info.parentNode === node;
  }

  /** Goes over to another term, as one that joins it. */
  switchTo(number: number, sender: string, session: number, address: string): void {
    const { node } = this;
    const { term } = node.roles;
    this.isAgain = session === this.session && number === term.number && sender === term.node;
    this.session = session;
    this.registers[1] = 0;
    this.info = undefined;
    this.isDeaf = false;
    if (node.roles.role === Role.controlling) node.stepDown();
    node.follower.stop();
    node.roles.join({ number, node: sender });
    node.pending.resend();
    this.membership.offers.onJoin();
    node.twin.meet();
    this.controllerAddress = address;
    this.registers[0] = Number.POSITIVE_INFINITY;
    this.membership.sendHello();
  }

  /** The controller said where it is and what it holds: follow it, directly if this node holds the same. */
  private onInfo(info: StreamInfo, frame: StreamFrameReader, address: string): void {
    const { node } = this;
    // One that was long on its way says less: a snapshot must hold what the frames that are held begin with.
    if (this.info === undefined || info.sequence >= this.info.sequence) this.info = info;
    node.sessionClock.hint(info.timeUs);
    node.roles.reachAt(address, info.unicastPort);
    this.controllerAddress = address;
    if (node.roles.role !== Role.joining || this.registers[0] !== Number.POSITIVE_INFINITY) return;
    const holdsTheBeginning = this.holdsTheBeginning(info, frame);
    const term = node.applier.termIndex(node.roles.term.number, node.roles.term.node);
    if (term < 0) {
      node.core.counters.termsRefused++;
      node.setHealth(HealthCode.lost, TERMS_TEXT);
    } else if (holdsTheBeginning) {
      node.core.lineage.note(info.forkSequence);
      node.core.lineage.follow(term);
      node.follower.follow(term);
      this.arrived();
    } else {
      node.follower.join(term, frame.doubles[1] as number);
      this.fetch();
    }
  }

  /**
   * Whether this node holds exactly what the term began with, and all that came since can still be repaired. It does
   * when it followed the parent term, without a gap, just up to the fork; digests prove it at the next heartbeat.
   */
  private holdsTheBeginning(info: StreamInfo, frame: StreamFrameReader): boolean {
    const { core, follower } = this.node;
    const { number, node } = core.terms.at(core.term);
    const isParent = number > 0 && number === info.parentNumber && node === info.parentNode;
    return isParent && follower.wasWhole && core.sequence[0] === info.forkSequence && (frame.doubles[2] as number) <= 1;
  }

  private fetch(): void {
    const { info, node } = this;
    if (info === undefined) return;
    this.registers[0] = node.core.clock.nowUs + SNAPSHOT_PATIENCE_US;
    const minSequence = Math.max(info.sequence, this.heldSequence, node.healing.handedOverAt(node.roles.term));
    this.ports.fetchSnapshot({ address: this.controllerAddress, port: info.snapshotPort, minSequence });
  }

  /**
   * What this node has of the term that it joins again, be it because frames were missing: values that came past the gap
   * are shown, and must not go back. Word of where the controller stood may have been long on its way,
   * and the controller may count on what it was told to be here.
   */
  private get heldSequence(): number {
    const { core, roles, applier } = this.node;
    const { lineage } = core;
    const isHere = lineage.present === applier.termIndex(roles.term.number, roles.term.node);
    const whole = this.isAgain && isHere ? lineage.through(lineage.present) : 0;
    return Math.max(whole, this.registers[1] as number);
  }

  /** The snapshot is here. */
  snapshotArrived(snapshot: Snapshot): void {
    const { node } = this;
    const { roles, core } = node;
    const isWanted = roles.role === Role.joining && node.follower.state === FollowState.joining;
    if (!isWanted || snapshot.termNumber !== roles.term.number || snapshot.termNode !== roles.term.node) return;
    if (!node.healing.mayAdopt(snapshot, roles.term.node)) {
      this.registers[0] = node.core.clock.nowUs + OFFER_PATIENCE_US;
      return;
    }
    const incoming = decodeSnapshot(core, node.applier, snapshot);
    if (incoming === undefined) {
      this.snapshotFailed("the snapshot's bytes are no image");
      return;
    }
    const offers = this.membership.offers.take(incoming);
    takeSnapshot(node, incoming, snapshot, snapshot.told);
    node.follower.joined(snapshot.sequence, snapshot.told);
    this.arrived();
    this.membership.offers.offer(offers);
  }

  snapshotFailed(reason: string): void {
    const { node } = this;
    node.core.counters.snapshotsFailed++;
    // A connection that was given up may break long after.
    if (node.roles.role !== Role.joining) return;
    node.setHealth(HealthCode.snapshot, `joining the mesh is slow: ${reason}`);
    if (this.registers[0] !== Number.POSITIVE_INFINITY) this.registers[0] = node.core.clock.nowUs + SNAPSHOT_RETRY_US;
  }

  private arrived(): void {
    const { node } = this;
    this.registers[0] = Number.POSITIVE_INFINITY;
    node.roles.inSync();
    node.healing.onInSync();
    node.setHealth(HealthCode.snapshot, "");
    node.setHealth(HealthCode.lost, "");
    this.membership.onInSync();
    this.ports.onRole();
    this.ports.requestSettle();
  }

  /** Repair cannot close the gap: join anew. */
  onLost(reason: string): void {
    const { node } = this;
    if (node.roles.role === Role.controlling) return;
    node.setHealth(HealthCode.lost, `${reason}; the state is being fetched again`);
    this.registers[1] = node.core.sequence[0] as number;
    node.follower.stop();
    node.roles.lost();
    this.registers[0] = Number.POSITIVE_INFINITY;
  }

  get isControllerSilent(): boolean {
    return this.node.roles.silenceUs > QUIET_US;
  }

  sendNak(ranges: Float64Array, count: number): void {
    const pairs = Array.from(ranges.subarray(0, count * 2));
    const fields = nakFields({ term: this.node.roles.term.number, ranges: pairs });
    this.node.io.message(FrameType.nak, fields, this.node.roles.target);
  }

  /** Digests compare nodes that have the same sequence and no gap. */
  private compareDigests(info: StreamInfo, frame: StreamFrameReader): void {
    const { core, follower, sameness } = this.node;
    if ((frame.flags & StreamFlag.unsettled) !== 0) return;
    sameness.announced(info.sequence);
    const isSamePlace = follower.window.complete === frame.doubles[1] && core.sequence[0] === info.sequence;
    if (!isSamePlace) return;
    if (!sameness.compare(info.digests, info.sequence)) core.counters.digestMismatches++;
    if (!this.repair.compared(sameness.differs)) this.onLost(DIFFERS_TEXT);
  }

  onWriteResult(plain: Uint8Array, length: number, sender: string): void {
    const { node } = this;
    const result = decodeWriteResult(plain, length);
    if (result === undefined) {
      node.core.counters.messagesMalformed++;
      return;
    }
    const { roles, pending } = node;
    const isMine = result.session === node.core.identity.session && sender === roles.term.node;
    if (!isMine || result.term !== roles.term.number) return;
    for (const refusal of result.refusals) pending.refuse(refusal.write, refusal.reject);
    pending.acknowledge(result.write, result.frame);
    node.follower.settlePending();
  }

  tick(): void {
    this.repair.tick();
    if (this.node.core.clock.nowUs < (this.registers[0] as number)) return;
    if (this.node.roles.role === Role.joining) this.fetch();
    else this.registers[0] = Number.POSITIVE_INFINITY;
  }
}
