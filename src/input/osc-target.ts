/**
 * OSC target: where a packet goes, and the seams to whoever sends it and whoever holds the values.
 *
 * The edge owns sockets and connections; below it there is only this. Nothing here knows a subscription.
 */
import type { Staging } from "../state/staging.js";

/** The connection of whatever came as a datagram. */
export const NO_CONNECTION = -1;

export interface OscTarget {
  /** An IPv4 address. */
  readonly address: string;
  readonly port: number;
  /** The edge's number of the TCP connection to that address and port; `NO_CONNECTION` for UDP. */
  readonly connection: number;
}

export interface OscSender {
  /**
   * Sends the first `length` bytes of `bytes` as one packet, now: the buffer is used again after this returns. Never
   * throws; a target that cannot be reached is the sender's to count. A subscriber's target is the same object every
   * time.
   */
  send(target: OscTarget, bytes: Uint8Array, length: number): void;
}

/** What this node shows: the confirmed values, and over them what was written here and waits for the controller. */
export interface ShownValues {
  /** Puts the shown value of a path that exists in hand. Allocates nothing. */
  load(id: number, staging: Staging): void;
}

/** A host's surface, or that of one of its ports: the name under which its changes are known. */
export function surfaceName(address: string, port?: number): string {
  return port === undefined ? `osc:${address}` : `osc:${address}:${port}`;
}

/** The pattern of every path. */
export const EVERYTHING = "//*";
