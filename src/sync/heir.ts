/**
 * Heir: to whom a controller that goes hands its term. The first in rank of those in sync (`roles.ts`); among equals in
 * priority one that fares well goes before one that does not. Never a node of priority 0.
 */
import type { Peer } from "./peers.js";

/** The node's id; undefined when nobody can take it. */
export function heirOf(peers: Iterable<Peer>): string | undefined {
  let first: Peer | undefined;
  for (const peer of peers) {
    if (!peer.isInSync || peer.priority === 0) continue;
    if (first === undefined || isBefore(peer, first)) first = peer;
  }
  return first?.node;
}

function isBefore(one: Peer, other: Peer): boolean {
  if (one.priority !== other.priority) return one.priority > other.priority;
  if (one.isConflated !== other.isConflated) return other.isConflated;
  return one.level === other.level ? one.node < other.node : one.level < other.level;
}
