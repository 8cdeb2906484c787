/**
 * Twin ask: gives a node that starts the time and the turns to ask whether another one has its id, while the rest of the
 * start goes on. It decides nothing: the node does.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { HanaNode } from "../node/node.js";
import type { LiveLoop } from "./live-loop.js";

const STEP_MS = 10;

export class TwinAsk {
  private readonly node: HanaNode;
  private readonly loop: LiveLoop;
  private readonly timer: NodeJS.Timeout;
  private isStopped = false;

  /** Asks at once. The sockets must be heard by then, and the loop not run yet. */
  constructor(node: HanaNode, loop: LiveLoop) {
    this.node = node;
    this.loop = loop;
    loop.enter();
    node.ask();
    this.timer = setInterval(() => this.step(), STEP_MS);
  }

  private step(): void {
    this.loop.enter();
    this.node.tick();
  }

  /** Resolves when it has asked for long enough, mostly at once, with all that has come meanwhile read. */
  async done(): Promise<void> {
    do await delay(1);
    while (!this.isStopped && !this.node.twin.hasAsked);
    this.stop();
  }

  stop(): void {
    this.isStopped = true;
    clearInterval(this.timer);
  }
}
