/**
 * Quorum: what policy `hold` adds to a node. Electors echo their controller; a controller counts what they echo, and
 * writes only as long as that lasts; a side without the majority says so.
 *
 * Under `island` there is none, and every node's side keeps a controller.
 */
import { type ElectionRules, Policy } from "../sync/election.js";
import { QuorumLease } from "../sync/quorum-lease.js";
import { Role } from "../sync/roles.js";
import { decodeEcho, echoFields } from "../wire/echo.js";
import { FrameType } from "../wire/frame.js";
import { HealthCode } from "./health.js";
import type { NodeParts } from "./parts.js";

/** A lease of 400 ms is to survive the loss of two announcements. */
const ANNOUNCE_US = 100_000;
/** A change of controller takes less. */
const FROZEN_US = 1_000_000;
const FROZEN_TEXT =
  "no majority of the electors is heard: this side keeps what it has, and writes wait until the majority is back";

export class Quorum {
  private readonly node: NodeParts;
  /** Undefined under `island`. */
  readonly lease: QuorumLease | undefined;

  constructor(node: NodeParts, rules: ElectionRules) {
    this.node = node;
    if (rules.policy !== Policy.hold) return;
    const { core, controller, io } = node;
    const lease = new QuorumLease(core.clock, rules, core.identity.id, (voter) => node.elections.nameOf(voter));
    this.lease = lease;
    // A controller that the majority does not confirm gives up before it could say so.
    controller.hasMajority = true;
    controller.heartbeats.busyUs = ANNOUNCE_US;
    controller.onAnnounced = () => lease.announced(io.packetsSent);
  }

  /** A frame in which a controller says of itself was opened and read: an elector tells its own that it was heard. */
  onInfo(): void {
    const { lease, node } = this;
    if (lease === undefined) return;
    const { opener } = node.io;
    const { role, term, target } = node.roles;
    const controller = opener.senderNode(opener.sender);
    const isFollowed = (role === Role.following || role === Role.joining) && term.node === controller;
    if (!isFollowed || target.port === 0) return;
    if (!lease.isElector(node.core.identity.id) || !node.elections.mayEcho(controller)) return;
    const session = opener.senderBoot(opener.sender);
    const counter = opener.newestCounter(opener.sender);
    node.io.message(FrameType.echo, echoFields({ session, counter }), target);
  }

  /** An elector heard this controller. */
  onEcho(plain: Uint8Array, length: number, from: string): void {
    const { lease, node } = this;
    const echo = decodeEcho(plain, length);
    if (echo === undefined) node.core.counters.messagesMalformed++;
    else if (lease !== undefined && node.controller.isOpen && echo.session === node.core.identity.session) {
      lease.echoed(from, echo.counter);
      node.lease.renew(true);
    }
  }

  tick(): void {
    if (this.lease === undefined) return;
    const { roles } = this.node;
    const isFrozen = !roles.hearsController && roles.silenceUs >= FROZEN_US;
    this.node.setHealth(HealthCode.noController, isFrozen ? FROZEN_TEXT : "");
  }
}
