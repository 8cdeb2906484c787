/**
 * Twin ask: gives a node that starts the time and the turns to ask whether another one has its id, while the rest of the
 * start goes on, and lets it speak then. Nothing waits for it: who is refused after `ready` ends all the same, and has said
 * nothing that disturbs anybody. It decides nothing: the node does.
 */
import type { HanaNode } from "../node/node.js";
import type { LiveLoop } from "./live-loop.js";

const STEP_MS = 10;

export class TwinAsk {
  private readonly node: HanaNode;
  private readonly loop: LiveLoop;
  private readonly timer: NodeJS.Timeout;
  private isWanted = false;

  /** Asks at once. The sockets must be heard by then, and the loop not run yet. */
  constructor(node: HanaNode, loop: LiveLoop) {
    this.node = node;
    this.loop = loop;
    loop.enter();
    node.ask();
    this.timer = setInterval(() => this.step(), STEP_MS);
  }

  /** All is open: the node may speak as soon as it has asked for long enough. */
  startWhenAsked(): void {
    this.isWanted = true;
  }

  /** Looks before it asks again: what was answered to the last one has been read by then. */
  private step(): void {
    const { node, loop } = this;
    loop.enter();
    if (!this.isWanted || !node.twin.hasAsked) {
      node.tick();
      return;
    }
    this.stop();
    node.start();
    loop.requestSettle();
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
