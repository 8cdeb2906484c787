/**
 * Parting: how a node that is told to stop leaves its mesh. A controller hands its term to the first in rank, so nobody
 * has to notice that it is gone; then what was written here and waits for a controller is waited for. A last datagram
 * that the network loses costs nothing so.
 *
 * It never takes longer than `PARTING_MS`: whoever stops a node wants it to stop.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { HanaNode } from "../node/node.js";
import { heirOf } from "../sync/heir.js";
import { Role } from "../sync/roles.js";
import type { LiveLoop } from "./live-loop.js";

export const PARTING_MS = 500;
const LOOK_MS = 5;

/** Resolves when the node may go. */
export async function part(node: HanaNode, loop: LiveLoop): Promise<void> {
  const untilMs = performance.now() + PARTING_MS;
  const heir = node.roles.role === Role.controlling ? heirOf(node.peers.values()) : undefined;
  if (heir !== undefined)
    await Promise.race([handOver(node, loop, heir), pause(PARTING_MS, undefined, { ref: false })]);
  while (isWaiting(node) && performance.now() < untilMs) await pause(LOOK_MS);
}

function handOver(node: HanaNode, loop: LiveLoop, heir: string): Promise<void> {
  return new Promise((resolve) => {
    loop.enter();
    node.handover.begin(heir, () => resolve());
    loop.requestSettle();
  });
}

/** Whether writes of this node wait for a controller that is there. */
function isWaiting({ pending, roles }: HanaNode): boolean {
  const isIn = roles.role === Role.following || roles.role === Role.joining;
  return pending.size > 0 && isIn && roles.hearsController;
}
