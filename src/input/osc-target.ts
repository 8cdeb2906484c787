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

const OSC_SURFACE = "osc:";

/** A host's surface, or that of one of its ports: the name under which its changes are known. */
export function surfaceName(address: string, port?: number): string {
  return port === undefined ? `${OSC_SURFACE}${address}` : `${OSC_SURFACE}${address}:${port}`;
}

/** Every machine has programs of its own at these: two of them are no one surface. */
const OF_EACH_MACHINE = ["127.0.0.1", "::1"].map((address) => {
  return { host: surfaceName(address), port: `${surfaceName(address)}:` };
});

/**
 * Whether what two nodes hear is one surface: one that an address names is the same wherever it is heard. A node where it
 * has subscribed knows its port too; where it has not, it is its host. Two ports are two surfaces. The names are
 * to be of two nodes: one node tells a host from its port with reason. Allocates nothing.
 */
export function isOneOscSurface(name: string, other: string): boolean {
  if (!(name === other || isPortOf(name, other) || isPortOf(other, name))) return false;
  if (!name.startsWith(OSC_SURFACE)) return false;
  return !OF_EACH_MACHINE.some(({ host, port }) => name === host || name.startsWith(port));
}

/** Whether a name is that of a port of the host that the other names: an address with colons names no host and no port. */
function isPortOf(name: string, host: string): boolean {
  const end = host.length;
  return name.length > end && name.startsWith(host) && name.indexOf(":", OSC_SURFACE.length) === end;
}

/** The pattern of every path. */
export const EVERYTHING = "//*";
