/**
 * Allow list: which addresses may send OSC, as IPv4 networks in CIDR form (RFC 4632), such as `192.168.1.0/24`.
 *
 * OSC has no sender that could be proved, so this is a fence around a neighbourhood and no authentication. It judges
 * one address in full; whoever asks often keeps the answer (see `OscSources`). Never resolves a name.
 */
export interface Network {
  /** The first address, and the mask, as signed 32-bit words. */
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
    const plain = plainAddress(address);
    if (!isIpv4(plain)) return false;
    const word = ipv4Word(plain);
    return this.networks.some((network) => (word & network.mask) === network.base);
  }
}

/** `a.b.c.d/n` with n 0 to 32, or `a.b.c.d` for that address alone; null when it is neither. Host bits are dropped. */
export function parseNetwork(text: string): Network | null {
  const match = /^([0-9.]+)(?:\/(0|[1-9][0-9]?))?$/.exec(text);
  if (match === null || !isIpv4(match[1])) return null;
  const bits = match[2] === undefined ? 32 : Number(match[2]);
  if (bits > 32) return null;
  const mask = bits === 0 ? 0 : -1 << (32 - bits);
  return { base: ipv4Word(match[1]) & mask, mask };
}

/** An address as IPv4 where a dual-stack socket tells it as IPv6: `::ffff:10.0.0.1` is 10.0.0.1, `::1` is 127.0.0.1. */
export function plainAddress(address: string): string {
  if (address === "::1") return "127.0.0.1";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** Dotted decimal, four parts, without leading zeros (some systems read those as octal). */
function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256);
}

function ipv4Word(text: string): number {
  return text.split(".").reduce((word, part) => (word << 8) | Number(part), 0);
}
