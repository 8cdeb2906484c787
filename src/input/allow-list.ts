/**
 * Allow list: which addresses may send OSC, as IPv4 networks.
 *
 * OSC has no sender that could be proved, so this is a fence around a neighbourhood and no authentication. It judges
 * one address in full; whoever asks often keeps the answer (see `OscSources`). Never resolves a name.
 */
import { parseAddress } from "../config/addresses.js";

/** Every address whose bits under `mask` are those of `base`; both are 32-bit words, signed. */
export interface Network {
  readonly base: number;
  readonly mask: number;
}

export class AllowList {
  private readonly networks: readonly Network[];

  constructor(networks: readonly Network[]) {
    this.networks = networks;
  }

  /** Whether an address as a socket tells it may send. Nothing but IPv4, and IPv6's forms of it, ever may. */
  allows(address: string): boolean {
    const bytes = parseAddress(plainAddress(address));
    if (bytes?.length !== 4) return false;
    const word = bytes.reduce((sum, byte) => (sum << 8) | byte, 0);
    return this.networks.some((network) => (word & network.mask) === network.base);
  }
}

/** An address as IPv4 where a dual-stack socket tells it as IPv6: `::ffff:10.0.0.1` is 10.0.0.1, `::1` is 127.0.0.1. */
export function plainAddress(address: string): string {
  if (address === "::1") return "127.0.0.1";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
