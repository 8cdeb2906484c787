/**
 * Handover: control passes from one node to another while both are well, without a lost or doubled write.
 *
 * The controller takes no more writes and settles; its followers' writes and its own wait as pending. The successor waits
 * until it has everything, puts its promise on disk, says so, and opens the child term when the controller lets go. All
 * others hold what that term begins with, so they follow without a snapshot. Until it has let go, the controller can take
 * everything back in the same term; after that it goes on only as anybody does, by votes.
 */
import { Role } from "../sync/roles.js";
import type { FrameTarget } from "../sync/stream-frames.js";
import { ControlKind, type ControlMessage, controlFields, decodeControl } from "../wire/control-message.js";
import { FrameType } from "../wire/frame.js";
import type { Term } from "../state/change.js";
import type { NodeParts } from "./parts.js";

const ASK_US = 100_000;
const ASK_LIMIT_US = 2_000_000;
const OFFER_US = 20_000;
const OFFER_LIMIT_US = 300_000;
/** A successor that was let go and is not heard by then is given up. */
const GONE_LIMIT_US = 400_000;
/** So long a node that is not in sync is waited for: it reports once a second. Whoever asks gives up later. */
const SYNC_LIMIT_US = 1_500_000;
const NOT_IN_SYNC = "that node is not in sync";

/** What came of a request: "" when it was carried out, else a sentence. */
export type ControlDone = (reason: string, tookUs: number) => void;

interface Request {
  readonly to: string;
  readonly nonce: number;
  readonly begunUs: number;
  readonly done: ControlDone;
}

interface Giving {
  readonly to: string;
  readonly nonce: number;
  readonly term: Term;
  readonly target: FrameTarget;
  readonly begunUs: number;
  /** Who asked for it; undefined when it was this node. */
  readonly asker: FrameTarget | undefined;
  goneUs: number | undefined;
}

interface Taking {
  readonly nonce: number;
  readonly term: Term;
  /** The last change of the offer. */
  sequence: number;
  /** The number of the new term, once it is on disk. */
  number: number;
  /** When the controller was told so first: what was left of its lease is counted from there. */
  readyUs: number;
}

export class Handover {
  private readonly node: NodeParts;
  private request: Request | undefined;
  private giving: Giving | undefined;
  private taking: Taking | undefined;
  private nonce: number;
  /** The request whose successor is not in sync yet. */
  private waiting = 0;
  /** [0] when the question or the offer goes out again, [1] since when `waiting` waits. */
  private readonly registers = new Float64Array(2);

  constructor(node: NodeParts) {
    this.node = node;
    this.nonce = node.core.identity.session >>> 0;
  }

  /** Whether this controller is about to let its term go. */
  get isGiving(): boolean {
    return this.giving !== undefined;
  }

  /** Asks for control to pass to a node, this one or another. One request at a time. */
  begin(to: string, done: ControlDone): void {
    if (this.request !== undefined) {
      done("another change of controller is under way", 0);
      return;
    }
    const { roles, core } = this.node;
    if (roles.role === Role.controlling && to === core.identity.id) {
      done("", 0);
      return;
    }
    this.nonce = (this.nonce + 1) >>> 0;
    this.request = { to, nonce: this.nonce, begunUs: core.clock.nowUs, done };
    this.ask(this.request);
  }

  /** Again and again, until it is answered. */
  private ask({ to, nonce }: Request): void {
    const { roles, core } = this.node;
    this.registers[0] = core.clock.nowUs + ASK_US;
    if (roles.role === Role.controlling) this.give(to, nonce, undefined);
    else if (roles.target.port !== 0) this.send({ kind: ControlKind.ask, nonce, to }, roles.target);
  }

  private send(message: ControlMessage, target: FrameTarget): void {
    this.node.io.message(FrameType.control, controlFields(message), target);
  }

  tick(): void {
    if (this.giving !== undefined) this.tickGiving(this.giving);
    if (this.request !== undefined) this.tickRequest(this.request);
  }

  private tickRequest(request: Request): void {
    const { to, begunUs } = request;
    const { roles, core } = this.node;
    const { nowUs } = core.clock;
    const isIn = roles.role === Role.controlling || roles.role === Role.following;
    if (isIn && roles.term.node === to) this.finish("");
    else if (nowUs - begunUs >= ASK_LIMIT_US) this.finish("it did not come about in time");
    else if (this.giving === undefined && nowUs >= (this.registers[0] as number)) this.ask(request);
  }

  private finish(reason: string): void {
    const { request } = this;
    this.request = undefined;
    request?.done(reason, this.node.core.clock.nowUs - request.begunUs);
  }

  onMessage(plain: Uint8Array, length: number, from: string, target: FrameTarget): void {
    const message = decodeControl(plain, length);
    if (message === undefined) {
      this.node.core.counters.messagesMalformed++;
      return;
    }
    if (message.kind === ControlKind.ask) this.onAsk(message.to, message.nonce, target);
    else if (message.kind === ControlKind.offer) this.onOffer(message, from);
    else if (message.kind === ControlKind.ready) this.onReady(message.nonce, message.sequence, from);
    else if (message.kind === ControlKind.go) this.onGo(message.nonce, from, message.leaseUs);
    else if (message.nonce === this.request?.nonce) this.finish(message.reason);
  }

  // The controller

  private onAsk(to: string, nonce: number, asker: FrameTarget): void {
    const { roles } = this.node;
    if (roles.role !== Role.controlling || nonce === this.giving?.nonce) return;
    this.give(to, nonce, asker);
  }

  private give(to: string, nonce: number, asker: FrameTarget | undefined): void {
    const { node } = this;
    const reason = this.reasonAgainst(to);
    if (reason !== "") {
      if (reason !== NOT_IN_SYNC || !this.waits(nonce)) this.refuse(reason, nonce, asker);
      return;
    }
    const target = node.peers.get(to)?.target as FrameTarget;
    const begunUs = node.core.clock.nowUs;
    this.giving = { to, nonce, term: node.roles.term, target, begunUs, asker, goneUs: undefined };
    this.registers[0] = 0;
    node.controller.settle();
    node.controller.takesWrites = false;
    this.tickGiving(this.giving);
  }

  private reasonAgainst(to: string): string {
    const { peers, core } = this.node;
    const peer = peers.get(to);
    if (this.giving !== undefined) return "another change of controller is under way";
    if (to === core.identity.id) return "it is controller already";
    if (peer === undefined) return "the controller does not hear that node";
    if (peer.priority === 0) return "that node's priority is 0: it is never controller";
    return peer.isInSync ? "" : NOT_IN_SYNC;
  }

  /** A node that follows a new term is in sync at once, and its report says so up to a second later. It is asked again. */
  private waits(nonce: number): boolean {
    const { nowUs } = this.node.core.clock;
    if (this.waiting !== nonce) {
      this.waiting = nonce;
      this.registers[1] = nowUs;
    }
    return nowUs - (this.registers[1] as number) < SYNC_LIMIT_US;
  }

  private refuse(reason: string, nonce: number, asker: FrameTarget | undefined): void {
    if (asker === undefined) this.finish(reason);
    else this.send({ kind: ControlKind.no, nonce, reason }, asker);
  }

  private tickGiving(giving: Giving): void {
    const { roles, controller, core } = this.node;
    const { nowUs } = core.clock;
    if (roles.role !== Role.controlling || roles.term !== giving.term) {
      this.giving = undefined;
      return;
    }
    if (giving.goneUs !== undefined) {
      if (nowUs - giving.goneUs >= GONE_LIMIT_US) this.giveUp();
      else if (nowUs >= (this.registers[0] as number)) this.letGo(giving);
      return;
    }
    if (nowUs - giving.begunUs >= OFFER_LIMIT_US) this.takeBack(giving);
    else if (!controller.publisher.isIdle) controller.settle();
    if (controller.publisher.isIdle && nowUs >= (this.registers[0] as number)) this.offer(giving);
  }

  private offer(giving: Giving): void {
    if (this.giving !== giving) return;
    const { core, controller } = this.node;
    this.registers[0] = core.clock.nowUs + OFFER_US;
    const sequence = core.sequence[0] as number;
    const { number: term } = giving.term;
    const { frameSequence: frame } = controller;
    this.send({ kind: ControlKind.offer, nonce: giving.nonce, term, frame, sequence }, giving.target);
  }

  /** The successor is not ready in time and cannot begin any more: this term goes on, with what waited. */
  private takeBack(giving: Giving): void {
    const { node } = this;
    this.giving = undefined;
    node.controller.takesWrites = true;
    node.writes.commitPending();
    node.controller.settle();
    this.refuse("that node was not ready in time", giving.nonce, giving.asker);
  }

  /** The successor was let go and is not heard: whoever is controller now is found out by votes. */
  private giveUp(): void {
    this.giving = undefined;
    this.node.abdicate();
  }

  private onReady(nonce: number, sequence: number, from: string): void {
    const { giving, node } = this;
    if (giving === undefined || giving.nonce !== nonce || giving.to !== from) return;
    if (node.roles.role !== Role.controlling || node.roles.term !== giving.term) return;
    // It answers an offer that was taken back, and may lack what was written since.
    if (sequence !== node.core.sequence[0]) return;
    giving.goneUs ??= node.core.clock.nowUs;
    // It has all of this term.
    node.controller.critical.onApplied(from, node.controller.frameSequence);
    this.letGo(giving);
  }

  /** Again and again, until the successor is heard: what was let go cannot be taken back. */
  private letGo({ nonce, target }: Giving): void {
    const { core, lease } = this.node;
    this.registers[0] = core.clock.nowUs + OFFER_US;
    this.send({ kind: ControlKind.go, nonce, leaseUs: Math.floor(lease.leftUs) }, target);
  }

  // The successor

  private onOffer(offer: Extract<ControlMessage, { kind: typeof ControlKind.offer }>, from: string): void {
    const { roles, follower, core } = this.node;
    const isMine = roles.role === Role.following && roles.term.node === from && roles.term.number === offer.term;
    if (isMine) follower.settled(offer.frame);
    const isHere = follower.isWhole && follower.window.complete >= offer.frame && core.sequence[0] === offer.sequence;
    if (!isMine || !isHere) return;
    if (this.taking?.nonce === offer.nonce && this.taking.term === roles.term) {
      this.taking.sequence = offer.sequence;
      if (this.taking.number !== 0) this.ready();
      return;
    }
    const taking = { nonce: offer.nonce, term: roles.term, sequence: offer.sequence, number: 0, readyUs: 0 };
    this.taking = taking;
    this.node.elections.prepare((number) => {
      taking.number = number;
      taking.readyUs = this.node.core.clock.nowUs;
      if (this.taking === taking) this.ready();
    });
  }

  private ready(): void {
    const { taking, node } = this;
    if (taking === undefined || node.roles.term !== taking.term || node.roles.target.port === 0) return;
    const { nonce, sequence } = taking;
    this.send({ kind: ControlKind.ready, nonce, sequence }, node.roles.target);
  }

  private onGo(nonce: number, from: string, leaseUs: number): void {
    const { taking, node } = this;
    const { roles } = node;
    if (taking === undefined || taking.nonce !== nonce || taking.number === 0) return;
    if (roles.role !== Role.following || roles.term !== taking.term || from !== roles.term.node) return;
    this.taking = undefined;
    const untilUs = taking.readyUs + leaseUs;
    const { quorum } = node.lease;
    if (taking.number <= roles.term.number || (quorum !== undefined && node.core.clock.nowUs >= untilUs)) return;
    quorum?.takeOver(untilUs);
    node.takeControl(taking.number, true);
  }
}
