/**
 * Allow list: which addresses may send OSC, as IPv4 and IPv6 blocks. Datagrams come from IPv4 only, connections from both.
 *
 * OSC has no sender that could be proved, so this is a fence around a neighbourhood and no authentication. It judges
 * one address in full; whoever asks often keeps the answer (see `OscSources`). Never resolves a name.
 */
import { type AddressBlock, blockContains, parseAddress } from "../config/addresses.js";

export class AllowList {
  private readonly blocks: readonly AddressBlock[];

  constructor(blocks: readonly AddressBlock[]) {
    this.blocks = blocks;
  }

  /** Whether an address as a socket tells it may send; `::1` also where 127.0.0.1 may. */
  allows(address: string): boolean {
    return this.contains(address) || this.contains(plainAddress(address));
  }

  private contains(address: string): boolean {
    const bytes = parseAddress(address);
    return bytes !== undefined && this.blocks.some((block) => blockContains(block, bytes));
  }
}

/** An address as IPv4 where a dual-stack socket tells it as IPv6: `::ffff:10.0.0.1` is 10.0.0.1, `::1` is 127.0.0.1. */
export function plainAddress(address: string): string {
  if (address === "::1") return "127.0.0.1";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
