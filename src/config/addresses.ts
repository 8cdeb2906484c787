/**
 * Addresses: IPv4 and IPv6 addresses, blocks of them, hosts and ports, as people write them.
 *
 * Pure text work, because settings are checked before any socket opens and this folder may not use `node:net`.
 * It never asks a name server: a host name is only judged by its letters.
 */

/** An address in network order: 4 bytes or 16. */
export type AddressBytes = Uint8Array;

/** Every address whose first `prefixBits` bits are those of `bytes`. A single address is a block of its own. */
export interface AddressBlock {
  readonly text: string;
  readonly bytes: AddressBytes;
  readonly prefixBits: number;
}

/** A host name or address without brackets, and a UDP or TCP port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Without leading zeros, which some systems read as octal. */
const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;
/** RFC 1123: labels of letters, digits and inner hyphens; not something that looks like an IPv4 address. */
const HOST_NAME =
  /^(?=.{1,253}$)(?!.*\.\d+$)(?!\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?$/i;

/**
 * The bytes of an address, or undefined. A zone (`%eth0`) is left out; an IPv4 address in IPv6 clothes
 * (`::ffff:10.0.0.1`, which dual-stack sockets report) comes out as IPv4.
 */
export function parseAddress(text: string): AddressBytes | undefined {
  const address = parseIpv4(text) ?? parseIpv6(text.replace(/%[^%]*$/, ""));
  return address !== undefined && isMapped(address) ? address.slice(12) : address;
}

function parseIpv4(text: string): AddressBytes | undefined {
  const match = IPV4.exec(text);
  if (match === null) return undefined;
  const parts = match.slice(1).map(Number);
  return parts.every((part) => part <= 255) ? Uint8Array.from(parts) : undefined;
}

function parseIpv6(text: string): AddressBytes | undefined {
  const halves = text.split("::");
  if (halves.length > 2 || !text.includes(":")) return undefined;
  const head = groupsOf(halves[0] as string, halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] as string, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** 16-bit groups; the last may be an IPv4 address, where the text ends the address. */
function groupsOf(text: string, isEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    const ipv4 = isEnd && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) groups.push(pair(ipv4, 0), pair(ipv4, 2));
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

function pair(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function isMapped(bytes: AddressBytes): boolean {
  if (bytes.length !== 16) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0);
}

/** `10.0.0.0/8`, `fd00::/8`, or one address. Bits behind the prefix are ignored. Undefined for anything else. */
export function parseBlock(text: string): AddressBlock | undefined {
  const [address, prefix, ...rest] = text.split("/");
  const bytes = parseAddress(address as string);
  if (bytes === undefined || rest.length > 0) return undefined;
  const bits = bytes.length * 8;
  if (prefix === undefined) return { text, bytes, prefixBits: bits };
  // A mapped address has become shorter than the prefix was meant for.
  const isMappedText = bits === 32 && (address as string).includes(":");
  const prefixBits = /^\d{1,3}$/.test(prefix) ? Number(prefix) - (isMappedText ? 96 : 0) : -1;
  return prefixBits >= 0 && prefixBits <= bits ? { text, bytes, prefixBits } : undefined;
}

/** Whether an address (from `parseAddress`) lies in a block. */
export function blockContains(block: AddressBlock, address: AddressBytes): boolean {
  if (block.bytes.length !== address.length) return false;
  const whole = block.prefixBits >> 3;
  for (let index = 0; index < whole; index++) if (block.bytes[index] !== address[index]) return false;
  const mask = (0xff00 >> (block.prefixBits & 7)) & 0xff;
  return mask === 0 || (((block.bytes[whole] as number) ^ (address[whole] as number)) & mask) === 0;
}

/** A name or address, or an IPv6 address in brackets. Undefined for anything else. */
export function parseHost(text: string): string | undefined {
  const bracketed = /^\[(.*)\]$/.exec(text);
  if (bracketed !== null) return parseIpv6((bracketed[1] as string).replace(/%[^%]*$/, "")) && bracketed[1];
  return parseIpv4(text) !== undefined || HOST_NAME.test(text) ? text : undefined;
}

/** `HOST:PORT`, the port 1 to 65535. Undefined for anything else. */
export function parseHostPort(text: string): HostPort | undefined {
  const colon = text.lastIndexOf(":");
  const host = parseHost(text.slice(0, Math.max(0, colon)));
  const port = parsePort(text.slice(colon + 1));
  return host === undefined || port === undefined ? undefined : { host, port };
}

export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** The host as it stands before `:PORT`. */
export function hostText(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
