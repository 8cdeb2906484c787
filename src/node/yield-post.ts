/**
 * YieldPost: sends what sides say to each other until they are one, from wherever this node is reached.
 */
import type { FrameTarget } from "../sync/stream-frames.js";
import { FrameType } from "../wire/frame.js";
import { type YieldStage, yieldFields } from "../wire/yield.js";
import type { NodeParts } from "./parts.js";
import { type Head, headOf } from "./side.js";

export class YieldPost {
  private readonly node: NodeParts;

  constructor(node: NodeParts) {
    this.node = node;
  }

  /** To one node; nothing is sent where it is not known. `head`: whose contents are meant; else this node's. */
  send(stage: YieldStage, target: FrameTarget | undefined, head?: Head): void {
    if (target !== undefined) this.put(stage, target, head);
  }

  sendToAll(stage: YieldStage): void {
    this.put(stage, undefined);
  }

  private put(stage: YieldStage, target: FrameTarget | undefined, head = headOf(this.node.core)): void {
    const { controller, roles, io, core } = this.node;
    const { number, node, sequence } = head;
    const { unicastPort, snapshotPort } = controller.reachability;
    const [stays, staysSequence] = [roles.term.number, core.sequence[0] as number];
    const message = { stage, number, node, sequence, stays, staysSequence, unicastPort, snapshotPort };
    io.message(FrameType.yield, yieldFields(message), target);
  }
}
