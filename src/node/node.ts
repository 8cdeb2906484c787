/**
 * Node: one member of the mesh. Takes datagrams, time and writes; answers with effects on its ports.
 *
 * It is the coordinator and stays thin: it hands each frame to the machine that it is for and carries out what `roles`
 * decides. A new behaviour is a new machine with its own file, not a method here.
 */
import { Opener, OpenResult } from "../security/opener.js";
import { Sealer } from "../security/sealer.js";
import { ForeignKeys } from "../security/foreign-keys.js";
import { Deafness } from "../sync/deafness.js";
import { MulticastCheck } from "../sync/multicast-check.js";
import { PendingWrites } from "../sync/pending-writes.js";
import { Peers } from "../sync/peers.js";
import { type ElectionRules, Policy } from "../sync/election.js";
import { type OwnVersion, Role, RoleAction, Roles } from "../sync/roles.js";
import { WIRED_LIMITS } from "../sync/send-budget.js";
import { UnicastCopies } from "../sync/unicast-copies.js";
import type { Term } from "../state/change.js";
import { FrameType, StreamFrameReader } from "../wire/frame.js";
import type { Standing } from "../wire/standing.js";
import type { Snapshot } from "./adoption.js";
import { Applier } from "./applier.js";
import { AskBudget } from "./ask-budget.js";
import { Cleanup } from "./cleanup.js";
import { ConflatedFollowing } from "./conflated-following.js";
import { ConflatedStreams } from "./conflated-streams.js";
import { ConflictWatch } from "./conflict-watch.js";
import { Controller } from "./controller.js";
import { Elections } from "./elections.js";
import { NodeCore } from "./core.js";
import { Follower, FollowState } from "./follower.js";
import { FrameIo } from "./frame-io.js";
import { Handover } from "./handover.js";
import { Healing } from "./healing.js";
import { Health, HealthCode } from "./health.js";
import { Lease } from "./lease.js";
import { Membership } from "./membership.js";
import type { NodeOptions } from "./options.js";
import type { NodeParts } from "./parts.js";
import type { NodePorts } from "./ports.js";
import { PeerPaths } from "./peer-paths.js";
import { Quorum } from "./quorum.js";
import { Sameness } from "./sameness.js";
import { SessionClock } from "./session-clock.js";
import { writeController } from "./system-paths.js";
import { StreamRelief } from "./stream-relief.js";
import { StreamFollowing } from "./stream-following.js";
import { Twin } from "./twin.js";
import { WriteSender } from "./write-sender.js";
import { Writes } from "./writes.js";

export class HanaNode implements NodeParts {
  readonly core: NodeCore;
  readonly applier: Applier;
  readonly pending: PendingWrites;
  readonly controller: Controller;
  readonly follower: Follower;
  readonly writes: Writes;
  readonly peers = new Peers();
  readonly roles: Roles;
  readonly io: FrameIo;
  readonly health = new Health();
  readonly sameness: Sameness;
  private readonly peerPaths: PeerPaths | undefined;
  readonly foreignKeys = new ForeignKeys();
  readonly membership: Membership;
  readonly following: StreamFollowing;
  readonly sessionClock: SessionClock;
  readonly relief: StreamRelief;
  private readonly asks: AskBudget;
  readonly conflated: ConflatedStreams;
  readonly conflatedFollowing: ConflatedFollowing;
  readonly elections: Elections;
  readonly handover: Handover;
  private readonly quorum: Quorum;
  readonly lease: Lease;
  readonly twin: Twin;
  private readonly cleanup: Cleanup;
  private readonly conflictWatch = new ConflictWatch(this);
  readonly healing: Healing;
  private readonly sender: WriteSender;
  private readonly multicastCheck: MulticastCheck;
  private readonly deafness: Deafness;
  private readonly ports: NodePorts;
  private readonly frame = new StreamFrameReader();
  /** [0] when the house is to be kept again, [1] when a blocked node says hello again. */
  private readonly keepDue = new Float64Array(2);
  private isClosed = false;

  constructor(options: NodeOptions, ports: NodePorts) {
    this.ports = ports;
    const core = new NodeCore(options.identity, options.limits);
    this.core = core;
    const { nodeId, session, meshKey, meshTag } = options;
    const sealer = new Sealer(meshKey, meshTag, nodeId, session, options.cipher);
    const opener = new Opener(meshKey, meshTag, nodeId, SENDERS_MAX, session, options.cipher);
    this.multicastCheck = new MulticastCheck(core.clock);
    this.deafness = new Deafness(core.clock);
    this.io = new FrameIo(sealer, opener, ports.datagrams, this.multicastCheck, new UnicastCopies(core.clock));
    this.twin = new Twin({ core, io: this.io, ports, reachability: options.reachability, session });
    this.pending = new PendingWrites(core.state, core.clock);
    this.applier = new Applier(core, this.pending);
    const rules = options.electionRules ?? ISLAND;
    this.controller = new Controller(
      core,
      this.applier,
      this.io,
      options.sendLimits ?? WIRED_LIMITS,
      options.reachability,
      this.peers,
      rules,
    );
    this.controller.frames.redundancy = options.redundancy ?? 3;
    this.roles = new Roles(core.clock, this.peers, core.identity.id, core.identity.priority, ownVersion(this));
    this.handover = new Handover(this);
    this.quorum = new Quorum(this, rules);
    this.lease = new Lease(core.clock, this.peers, this.quorum.lease);
    this.sameness = new Sameness(this);
    if (options.showsPeers === true) this.peerPaths = new PeerPaths(this, options.interfaceName ?? "");
    this.sessionClock = new SessionClock(this, ports);
    this.asks = new AskBudget(core.clock);
    this.conflated = new ConflatedStreams(this);
    this.conflatedFollowing = new ConflatedFollowing(this);
    this.relief = new StreamRelief(this);
    this.membership = new Membership(this, options);
    this.cleanup = new Cleanup(this, this.membership.watch);
    this.following = new StreamFollowing(this, this.membership, ports);
    this.elections = new Elections(this, this.membership, ports, rules, options.termRecord);
    this.healing = new Healing(this, ports, options.mergePolicies ?? {});
    this.follower = new Follower(core, this.applier, this.pending, this.following, ports.random, rules.policy);
    this.sender = new WriteSender(core, this.pending, this.io, this.sessionClock);
    this.writes = new Writes({
      core,
      applier: this.applier,
      pending: this.pending,
      controller: this.controller,
      follower: this.follower,
      requestSettle: () => ports.requestSettle(),
      declaresAuto: options.declaresAuto,
    });
  }

  /** Begins to ask whether a node of this id is there, before it says anything else; `start` ends that. */
  ask(): void {
    this.twin.ask();
  }

  /** Begins to listen for a mesh. */
  start(): void {
    this.twin.hold();
    this.roles.start();
    this.elections.start();
    this.tick();
  }

  /** Takes in a datagram as it came from a socket. */
  receive(datagram: Uint8Array, address: string, port: number): void {
    const { opener } = this.io;
    opener.source = address;
    const result = opener.open(datagram, datagram.length);
    if (result !== OpenResult.ok) {
      this.onUnopened(result, address);
      return;
    }
    if (this.twin.isSilent) return;
    if (!this.foreignKeys.isEmpty) this.foreignKeys.clear(address);
    if (opener.type === FrameType.stream) this.onStream(address);
    else this.onMessage(opener.type as FrameType, address, port);
  }

  private onUnopened(result: OpenResult, address: string): void {
    if (result === OpenResult.ownFrame) this.multicastCheck.onHeard();
    else if (result === OpenResult.wrongKey) this.foreignKeys.note(address, this.core.clock.nowUs);
    else if (result === OpenResult.twinNode) this.twin.onSpeech(this.io.opener.header, address);
    else if (result === OpenResult.twinFrame) {
      const { plain, plainLength, header } = this.io.opener;
      this.twin.onFrame(plain, plainLength, header, address);
    }
  }

  private onStream(address: string): void {
    const { opener } = this.io;
    const { frame } = this;
    if (!frame.read(opener.plain, opener.plainLength)) {
      this.core.counters.framesMalformed++;
      return;
    }
    const { sender } = opener;
    this.following.onFrame(frame, opener.plain, opener.senderNode(sender), opener.senderBoot(sender), address);
    if (frame.info !== undefined) this.quorum.onInfo();
  }

  private onMessage(type: FrameType, address: string, port: number): void {
    const { opener } = this.io;
    const node = opener.senderNode(opener.sender);
    if (!this.asks.take(type, node)) {
      this.core.counters.messagesThrottled++;
      return;
    }
    this.deafness.heard();
    const { plain, plainLength: length } = opener;
    const { controller } = this;
    const session = opener.senderBoot(opener.sender);
    if (type === FrameType.write && controller.takesWrites) {
      controller.writeDesk.onFrame(plain, length, node, session, { address, port });
      this.ports.requestSettle();
    } else if (type === FrameType.writePart && controller.takesWrites) {
      controller.writeDesk.onPart(plain, length, node, session, { address, port });
      this.ports.requestSettle();
    } else if (type === FrameType.nak && controller.isOpen) {
      controller.onNak(plain, length, { address, port });
      // A repair is due in a millisecond, and the end of the turn sets the timer.
      this.ports.requestSettle();
    } else if (type === FrameType.bucketAsk && controller.isOpen) {
      controller.onBucketAsk(plain, length, { address, port });
    } else if (type === FrameType.buckets) this.following.repair.onRange(plain, length, node);
    else if (type === FrameType.applied && controller.isOpen)
      controller.onApplied(plain, length, node, { address, port });
    else if (type === FrameType.replicated) this.following.onReplicated(plain, length, node, session);
    else if (type === FrameType.writeResult) this.following.onWriteResult(plain, length, node);
    else if (type === FrameType.clockAsk) this.sessionClock.onAsk(plain, length, { address, port });
    else if (type === FrameType.streamAsk) this.relief.onAsk(plain, length, node, { address, port });
    else if (type === FrameType.conflated) {
      if (this.following.follows(node, session)) this.conflatedFollowing.onPart(plain, length);
    } else if (type === FrameType.conflatedAnswer && controller.isOpen) this.conflated.onAnswer(plain, length, node);
    else if (type === FrameType.clockAnswer) this.sessionClock.onAnswer(plain, length, node, session);
    else if (type === FrameType.voteAsk || type === FrameType.vote) {
      this.elections.onMessage(type, plain, length, node, address);
    } else if (type === FrameType.control) this.handover.onMessage(plain, length, node, { address, port });
    else if (type === FrameType.echo) this.quorum.onEcho(plain, length, node);
    else if (type === FrameType.yield) {
      const merged = this.healing.onMessage(plain, length, node, address);
      if (merged !== undefined) this.following.switchTo(merged.stays, node, session, address);
    } else if (
      type === FrameType.hello ||
      type === FrameType.report ||
      type === FrameType.peers ||
      type === FrameType.leave
    ) {
      this.membership.onMessage(type, plain, length, node, address);
    }
  }

  /** Ends a turn of the event loop: publishes what changed, or sends it to the controller. */
  settle(): void {
    if (this.isClosed || this.twin.isSilent) return;
    if (this.controller.isOpen) this.controller.settle();
    else if (this.roles.role === Role.following) this.sender.send(this.roles.term.number, this.roles.target);
  }

  /** Does what is due by the clock. */
  tick(): void {
    if (this.isClosed) return;
    if (this.twin.isSilent) {
      this.twin.tick();
      return;
    }
    if (this.core.clock.nowUs >= (this.keepDue[0] as number)) this.keepHouse();
    if (this.controller.isOpen) this.controller.tick();
    else if (this.roles.role === Role.following) this.sender.tick(this.roles.term.number, this.roles.target);
    this.follower.tick();
  }

  /** More time passed than a controller may let pass: it gives up its term before it does anything else. */
  late(): void {
    const text = this.lease.end();
    if (!this.controller.isOpen) return;
    this.abdicate();
    this.setHealth(HealthCode.stalled, text);
  }

  /** What needs no better time than some 20 ms: heartbeats and repair of a stream at 1 kHz must not pay for it. */
  private keepHouse(): void {
    const { nowUs } = this.core.clock;
    this.keepDue[0] = nowUs + KEEP_US;
    this.io.opener.nowMs = nowUs / 1_000;
    this.twin.tick();
    this.setHealth(HealthCode.twin, this.twin.finding);
    this.noteWhole();
    this.lease.renew(this.controller.isOpen);
    if (!this.lease.isTold) this.setHealth(HealthCode.stalled, "");
    this.act(this.roles.tick());
    this.elections.tick();
    this.handover.tick();
    this.sameness.tick();
    // While its term is handed over, or its side yields, nothing is changed.
    if (this.controller.takesWrites) this.peerPaths?.tick();
    this.membership.tick();
    this.cleanup.tick();
    this.conflictWatch.tick();
    this.following.tick();
    this.sessionClock.tick();
    this.relief.tick();
    this.conflated.tick();
    this.conflatedFollowing.tick();
    this.healing.tick();
    if (this.controller.isOpen) this.controller.isDeaf = this.deafness.tick(this.controller.nodes - 1);
    this.checkForeignKeys();
    this.quorum.tick();
    this.checkMulticast(nowUs);
  }

  /** What is here without a gap counts as included from now on. */
  private noteWhole(): void {
    const { core } = this;
    if (this.controller.isOpen) core.lineage.note(core.sequence[0] as number);
    else this.follower.noteWhole();
  }

  /** When `tick` is wanted, in microseconds of own time. */
  dueUs(): number {
    if (this.twin.isSilent) return this.twin.dueUs;
    const steady = this.keepDue[0] as number;
    const { controller, follower, pending } = this;
    if (controller.isOpen) return Math.min(steady, controller.dueUs);
    if (this.roles.role !== Role.following) return steady;
    return Math.min(steady, follower.naks.dueUs, pending.retryDueUs);
  }

  private act(action: RoleAction): void {
    if (action === RoleAction.hello) this.membership.sendHello();
    else if (action === RoleAction.campaign) this.elections.campaign();
    else if (action === RoleAction.startOver) {
      this.follower.stop();
      this.roles.start();
    }
  }

  /** Opens a term of this node's own, be it in place of one that it holds; what was pending is its first changes. */
  takeControl(number: number, isHandedOver = false): void {
    const isRaised = this.controller.isOpen;
    if (isRaised) this.controller.settle();
    const term = this.roles.takeControl(number);
    this.core.counters.takeovers++;
    this.follower.stop();
    // Whatever kept it from being in sync with another controller is over.
    this.setHealth(HealthCode.snapshot, "");
    this.setHealth(HealthCode.lost, "");
    // One that controls already knows better than what it heard while it followed.
    if (!isRaised) this.follower.heard.handOver(this.controller.writeDesk.intake);
    this.controller.frames.isHandedOver = isHandedOver;
    const held = this.follower.releaseCopies();
    this.controller.open(term.number, isRaised || this.follower.wasWhole);
    for (const write of held) this.controller.critical.begin(write);
    writeController(this.core, this.applier, term.number);
    this.writes.commitPending();
    this.healing.onOpened();
    this.controller.settle();
    this.membership.onRole();
    this.deafness.begin();
    this.lease.renew(true);
    this.ports.hearStream(false);
    this.ports.onRole();
    this.handover.tick();
  }

  /** Another controller's term is above this node's. */
  stepDown(): void {
    this.endControl();
    this.ports.onRole();
  }

  /** Gives up the term without knowing of another: what it took stays known, in case that it goes on itself. */
  abdicate(): void {
    this.endControl();
    this.roles.abdicate();
    this.ports.onRole();
  }

  private endControl(): void {
    this.core.counters.stepDowns++;
    const unanswered = this.controller.close();
    // It holds its own term as nobody else does.
    this.core.lineage.note(this.core.sequence[0] as number);
    this.follower.hold(this.core.term, true);
    this.follower.copies.takeOver(unanswered);
    this.ports.hearStream(true);
    // A writer that was not told asks the other controller. What was taken here counts while this state stays.
    this.follower.heard.replace(this.controller.writeDesk.intake.standings());
    this.controller.writeDesk.intake.clear();
    this.setHealth(HealthCode.stepDown, "");
  }

  /** The term whose contents others may fetch here: the one that is held, or what nobody else may have. */
  get serving(): Term | undefined {
    return this.healing.serving ?? this.elections.serving;
  }

  /** Puts where the writers stand into the ring: before anybody else is told to fetch this node's snapshot. */
  tellStandings(): void {
    if (this.controller.isOpen) this.controller.tellStandings();
    else this.follower.tellStandings();
  }

  /** Where the writers stand in this node's state. */
  standings(): Standing[] {
    return this.controller.isOpen ? this.controller.standings() : this.follower.heard.list();
  }

  /** A snapshot that was fetched is here. */
  snapshotArrived(snapshot: Snapshot): void {
    if (this.elections.isFetching) this.elections.snapshotArrived(snapshot);
    else if (this.healing.isFetching) this.healing.snapshotArrived(snapshot);
    else this.following.snapshotArrived(snapshot);
  }

  snapshotFailed(reason: string): void {
    if (this.elections.isFetching) this.elections.snapshotFailed();
    else if (this.healing.isFetching) this.healing.snapshotFailed();
    else this.following.snapshotFailed(reason);
  }

  /** The index of the term whose impulses may go out to renderers and surfaces; -1 for none (fencing). */
  get outputTerm(): number {
    return this.controller.isOpen || this.follower.state === FollowState.inSync ? this.core.term : -1;
  }

  /** A number for this node's session is on disk: whoever heard its twin instead hears it again. */
  sessionRaised(number: number): void {
    this.twin.raised(number);
    if (!this.twin.isSilent && !this.isClosed) this.membership.sendHello();
  }

  setHealth(code: HealthCode, text: string): void {
    if (this.health.set(code, text, this.core.clock.nowUs)) this.ports.onHealth(code, text);
  }

  /** A follower multicasts nothing by itself, so while it is blocked it says hello now and then to hear it return. */
  private checkMulticast(nowUs: number): void {
    const { isBlocked } = this.multicastCheck;
    this.setHealth(HealthCode.multicast, isBlocked ? BLOCKED_TEXT : "");
    if (!isBlocked || nowUs < (this.keepDue[1] as number)) return;
    this.keepDue[1] = nowUs + PROBE_US;
    this.membership.sendHello();
  }

  private checkForeignKeys(): void {
    this.setHealth(HealthCode.foreignKey, this.foreignKeys.list(this.core.clock.nowUs).join("; "));
  }

  /** Says goodbye; nothing is sent after that. */
  close(): void {
    if (this.isClosed) return;
    this.settle();
    // Where its twin goes on nobody leaves.
    if (!this.twin.isSilent) this.membership.sendLeave();
    this.isClosed = true;
  }
}

/** The follower is made after `roles`. */
function ownVersion(node: HanaNode): OwnVersion {
  return {
    get whole() {
      const { lineage } = node.core;
      return Math.max(0, lineage.through(lineage.present));
    },
    get isWhole() {
      const { follower } = node;
      return follower.state === FollowState.inSync ? follower.isWhole : follower.wasWhole;
    },
  };
}

const ISLAND: ElectionRules = { policy: Policy.island, electors: [] };
const SENDERS_MAX = 256;
const BLOCKED_TEXT =
  "this node's own multicast does not come back to it: a firewall drops it, or its interface has no multicast";
const KEEP_US = 20_000;
const PROBE_US = 1_000_000;
