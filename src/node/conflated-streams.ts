/**
 * ConflatedStreams: the controller's side of conflated unicast. Who gets it, why, and what the stream does instead when
 * many lose.
 *
 * Two kinds of followers get it: the few that lose much more than the others (`sync/slow-peers.ts`), and those whom the
 * group does not reach where all places for whole copies are taken. It judges at the rate of the house-keeping; what is in
 * a round is up to `sync/conflation.ts`, when it goes to `sync/conflated-lanes.ts`.
 */
import { ConflatedLanes } from "../sync/conflated-lanes.js";
import { Conflation } from "../sync/conflation.js";
import { LossSteering } from "../sync/loss-steering.js";
import { SlowPeers } from "../sync/slow-peers.js";
import type { FrameTarget } from "../sync/stream-frames.js";
import { LEASE_US } from "../sync/unicast-copies.js";
import { ConflatedReason, readRoundAnswer, writeRoundPart } from "../wire/conflated.js";
import { FrameType } from "../wire/frame.js";
import type { Controller } from "./controller.js";
import type { NodeCore } from "./core.js";
import type { FrameIo } from "./frame-io.js";
import { HealthCode } from "./health.js";
import type { NodeParts } from "./parts.js";

const STEER_US = 1_000_000;
const STEER_SHARE = 0.9;
/** A slow peer's lane is kept open at every tick. */
const SLOW_LEASE_US = 1_000_000;

export class ConflatedStreams {
  private readonly node: Pick<NodeParts, "peers" | "setHealth">;
  private readonly core: NodeCore;
  private readonly io: FrameIo;
  private readonly controller: Controller;
  readonly lanes: ConflatedLanes;
  readonly slowPeers: SlowPeers;
  private readonly steering: LossSteering;
  /** [0] when the stream is steered again. */
  private readonly registers = new Float64Array(1);

  constructor(node: Pick<NodeParts, "peers" | "setHealth" | "core" | "io" | "controller">) {
    const { core, io, controller } = node;
    this.node = node;
    this.core = core;
    this.io = io;
    this.controller = controller;
    const conflation = new Conflation(controller.sent);
    this.slowPeers = new SlowPeers(core.clock);
    this.steering = new LossSteering(controller.frames.redundancy);
    this.lanes = new ConflatedLanes(core.clock, {
      newest: () => controller.sent.newest,
      term: () => controller.frames.term,
      stretch: (since) => conflation.stretch(since),
      send: (head, entries, target) => {
        const length = writeRoundPart(io.plain, head, entries);
        controller.budget.spend(io.unicast(FrameType.conflated, length, target));
      },
    });
  }

  /** A follower said what it loses. */
  onReport(node: string, permille: number): void {
    this.slowPeers.report(node, permille);
  }

  onAnswer(plain: Uint8Array, length: number, node: string): void {
    const answer = readRoundAnswer(plain, length);
    if (answer === undefined) this.core.counters.messagesMalformed++;
    else this.lanes.answer(node, answer);
  }

  /** A follower that the group does not reach gets whole copies of the frames if there is a place, else rounds. */
  relieve(node: string, target: FrameTarget): void {
    // Copies of all frames would be lost as the frames are.
    if (this.slowPeers.isSlow(node)) return;
    if (this.io.copies.lease(node, target)) this.lanes.end(node);
    else this.lanes.lease(node, target, ConflatedReason.cutOff, LEASE_US);
  }

  listeners(): Iterable<FrameTarget> {
    return this.lanes.cutOff();
  }

  tick(): void {
    const { controller, slowPeers, lanes } = this;
    if (!controller.isOpen) {
      slowPeers.clear();
      lanes.clear();
    }
    slowPeers.tick();
    for (const node of slowPeers.slow()) {
      const peer = this.node.peers.get(node);
      if (peer !== undefined) lanes.lease(node, peer.target, ConflatedReason.slow, SLOW_LEASE_US);
    }
    lanes.tick();
    this.steer();
    this.node.setHealth(HealthCode.slowPeer, this.finding);
  }

  private steer(): void {
    const { nowUs } = this.core.clock;
    if (nowUs < (this.registers[0] as number)) return;
    this.registers[0] = nowUs + STEER_US;
    if (!this.controller.isOpen) return;
    for (const peer of this.node.peers.values()) peer.isConflated = this.slowPeers.isSlow(peer.node);
    this.steering.steer(this.slowPeers.percentile(STEER_SHARE));
    this.controller.frames.redundancy = this.steering.redundancy;
    this.controller.budget.share = this.steering.share;
  }

  private get finding(): string {
    const slow = this.slowPeers.slow();
    if (slow.size === 0) return "";
    const names = [...slow].map((node) => this.node.peers.get(node)?.name || node);
    const [verb, pronoun] = names.length === 1 ? ["loses", "it gets"] : ["lose", "they get"];
    return `${names.join(", ")} ${verb} much more than the others, and ${pronoun} only the newest values by unicast: look at cable, switch port and wireless link there`;
  }
}
