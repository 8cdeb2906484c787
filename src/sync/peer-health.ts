/**
 * Peer health: green, yellow or red, from what a node says of itself and how long it has been silent. Pure.
 */
import { FitnessLevel } from "../wire/fitness.js";
import type { Peer } from "./peers.js";

/** Reports come once a second: one that is late may be lost, two are not. */
export const LATE_US = 1_600_000;
export const SILENT_US = 2_600_000;
const LOSSY_PERMILLE = 10;
const VERY_LOSSY_PERMILLE = 300;

export const PeerHealth = { green: "green", yellow: "yellow", red: "red" } as const;
export type PeerHealth = (typeof PeerHealth)[keyof typeof PeerHealth];

/**
 * `agreed`: the sequence that every node had the time to reach and to prove; `asOfUs`: until when it is known who spoke
 * (`Peers.asOfUs`).
 */
export function healthOfPeer(peer: Peer, agreed: number, asOfUs: number): PeerHealth {
  const silentUs = asOfUs - peer.heardUs;
  if (silentUs > SILENT_US || peer.level === FitnessLevel.red || peer.differs !== 0) return PeerHealth.red;
  if (peer.lossPermille >= VERY_LOSSY_PERMILLE) return PeerHealth.red;
  if (silentUs > LATE_US || peer.level === FitnessLevel.yellow || !peer.isInSync) return PeerHealth.yellow;
  return peer.lossPermille >= LOSSY_PERMILLE || lagOf(peer, agreed) > 0 ? PeerHealth.yellow : PeerHealth.green;
}

/** How many versions a peer is behind what it had the time to reach. */
export function lagOf(peer: Peer, agreed: number): number {
  return Math.max(0, agreed - Math.max(peer.sequence, peer.provenSequence));
}
