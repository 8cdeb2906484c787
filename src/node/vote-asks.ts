/**
 * Vote asks: how a candidate's question gets to the others, those too whom multicast does not reach.
 *
 * It goes to the group in which all meet. Who has not answered when it is repeated gets it by unicast as well, and all do
 * at once where this node had its controller by unicast: else each node would be controller of itself. For the same
 * reason the new controller begins by sending its frames by unicast to those whom it asked so, and to whoever asks for
 * votes while it is there. Bounded; counted.
 */
import type { Peer } from "../sync/peers.js";
import type { FrameTarget } from "../sync/stream-frames.js";
import { FrameType } from "../wire/frame.js";
import type { NodeParts } from "./parts.js";

/** Of one question; of the next one others. */
const UNICAST_MAX = 32;

export class VoteAsks {
  private readonly node: NodeParts;
  /** Who answered this attempt, and who was asked by unicast before it had. */
  private readonly heard = new Set<string>();
  private readonly unreached = new Set<string>();
  private isRepeat = false;
  /** This node had its controller by unicast. */
  private isBlind = false;
  private next = 0;

  constructor(node: NodeParts) {
    this.node = node;
  }

  begin(): void {
    this.heard.clear();
    this.unreached.clear();
    this.isRepeat = false;
    this.isBlind = this.node.relief.isWithoutMulticast;
  }

  answered(node: string): void {
    this.heard.add(node);
  }

  send(fields: readonly unknown[]): void {
    const { io, core } = this.node;
    io.message(FrameType.voteAsk, fields, undefined);
    const isDirect = this.isRepeat || this.isBlind;
    this.isRepeat = true;
    if (!isDirect) return;
    for (const { node, target } of this.unheard()) {
      this.unreached.add(node);
      core.counters.votesAskedByUnicast++;
      io.message(FrameType.voteAsk, fields, target);
    }
  }

  /** Who may live and has not answered; the next ones of them each time. */
  private unheard(): Peer[] {
    const { peers, roles } = this.node;
    const unheard: Peer[] = [];
    for (const peer of peers.values()) {
      const isGone = peer.node === roles.term.node || this.heard.has(peer.node);
      if (!isGone && peer.target.port !== 0) unheard.push(peer);
    }
    if (unheard.length <= UNICAST_MAX) return unheard;
    const from = this.next % unheard.length;
    this.next = from + UNICAST_MAX;
    return [...unheard.slice(from), ...unheard.slice(0, from)].slice(0, UNICAST_MAX);
  }

  /**
   * This node controls now: who may not hear its groups is told so, and gets its frames until it says what it needs. Of
   * many not all were asked before enough had answered. Where the group brought all answers there is nobody.
   */
  relieve(): void {
    if (!this.isBlind && this.unreached.size === 0) return;
    for (const { node, target } of this.node.peers.values()) {
      const isReached = !this.isBlind && this.heard.has(node) && !this.unreached.has(node);
      if (!isReached && target.port !== 0) this.relieveOne(node, target);
    }
  }

  /** A node asks for votes. Where this one controls it is not heard there. */
  onAsk(node: string, target: FrameTarget): void {
    if (this.node.controller.isOpen) this.relieveOne(node, target);
  }

  private relieveOne(node: string, target: FrameTarget): void {
    const { conflated, controller } = this.node;
    conflated.relieve(node, target);
    controller.relieveListener(target);
  }
}
