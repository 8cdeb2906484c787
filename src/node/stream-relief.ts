/**
 * Stream relief: gets a follower its controller's frames by unicast while multicast does not bring them, and says why.
 *
 * On the follower it asks, as `sync/stream-watch.ts` decides; on the controller it grants (`sync/unicast-copies.ts`) and
 * answers at once, so that whoever asks knows that the controller lives. The groups are joined anew once, when the
 * trouble is told: that is up to the edge, which sees the finding.
 */
import type { Term } from "../state/change.js";
import type { LossMeasure } from "../sync/loss-measure.js";
import { NO_TERM, Role } from "../sync/roles.js";
import type { FrameTarget } from "../sync/stream-frames.js";
import { StreamTrouble, StreamWatch } from "../sync/stream-watch.js";
import { FrameType, StreamFlag, type StreamFrameReader } from "../wire/frame.js";
import { readStreamAsk, StreamAskKind, writeStreamAsk } from "../wire/stream-ask.js";
import { HealthCode } from "./health.js";
import type { NodeParts } from "./parts.js";

const CAUSES =
  "a switch has pruned it (IGMP snooping without a querier), a firewall drops it, or the network is wireless";
const TEXTS = {
  [StreamTrouble.none]: "",
  [StreamTrouble.stream]: `the multicast group of the stream does not reach this node, which gets it by unicast: ${CAUSES}`,
  [StreamTrouble.all]: `no multicast of the controller reaches this node, which gets the stream by unicast: ${CAUSES}`,
} as const;
const NOT_FIRST = StreamFlag.repair | StreamFlag.info;
const NOT_BY_GROUP = StreamFlag.copy | StreamFlag.repair | StreamFlag.info;

export class StreamRelief {
  private readonly node: NodeParts;
  private readonly loss: LossMeasure;
  readonly watch: StreamWatch;
  private term: Term = NO_TERM;

  constructor(node: NodeParts) {
    this.node = node;
    this.loss = node.conflatedFollowing.loss;
    this.watch = new StreamWatch(node.core.clock);
  }

  /** A frame of the followed controller was heard. */
  onFrame(frame: StreamFrameReader): void {
    const { flags } = frame;
    if ((flags & NOT_BY_GROUP) === 0) this.watch.heardStream();
    if ((flags & NOT_FIRST) === 0) this.loss.onStream((flags & StreamFlag.heartbeat) !== 0);
    if ((flags & NOT_BY_GROUP) !== 0 && (flags & StreamFlag.copy) === 0 && frame.info?.answers === 0)
      this.watch.heardMeeting();
  }

  /** Whether multicast of the controller has not been heard for a while, though it lived. */
  get isWithoutMulticast(): boolean {
    return this.watch.finding !== StreamTrouble.none;
  }

  /** A follower asks for frames. */
  onAsk(plain: Uint8Array, length: number, from: string, target: FrameTarget): void {
    const { controller, conflated, core } = this.node;
    if (readStreamAsk(plain, length) === undefined) {
      core.counters.messagesMalformed++;
      return;
    }
    if (!controller.isOpen) return;
    conflated.relieve(from, target);
    controller.relieveListener(target);
  }

  tick(): void {
    const { node, watch } = this;
    const { roles, io } = node;
    const isFollowing = roles.role === Role.following || roles.role === Role.joining;
    if (node.controller.isOpen) io.copies.tick();
    else io.copies.clear();
    if (roles.term !== this.term || !isFollowing) {
      watch.restart();
      this.loss.restart();
      // One that loses much hears little, and gets what it needs: that is no trouble of the group.
    } else if (node.conflatedFollowing.isSlow) watch.restart();
    this.term = roles.term;
    if (isFollowing && watch.tick(roles.silenceUs) && roles.target.port !== 0) {
      io.unicast(FrameType.streamAsk, writeStreamAsk(io.plain, StreamAskKind.copies), roles.target);
    }
    node.setHealth(HealthCode.unicast, TEXTS[watch.finding]);
  }
}
