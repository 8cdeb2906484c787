/**
 * System tables: what Linux says of its network, as text from `/proc` and from `nft`, read for what multicast needs.
 *
 * The texts come from the kernel or from a tool, of whatever version; lines that have another shape are passed over, and
 * nothing here throws. Pure: whoever reads the files hands the text in.
 */
import { parseAddress } from "../config/addresses.js";

/** A group that an interface has joined. */
export interface Membership {
  readonly device: string;
  /** 239.77.x.y */
  readonly group: string;
}

const LINES_MAX = 10_000;
const LINE_MAX = 4_096;

/** The memberships in `/proc/net/igmp`: a line for each device, and below it one for each of its groups. */
export function membershipsIn(igmp: string): Membership[] {
  const found: Membership[] = [];
  let device = "";
  for (const line of linesOf(igmp)) {
    const head = /^\d+\s+([^\s:]+)\s*:/.exec(line);
    if (head !== null) device = head[1] as string;
    const group = /^\s+([0-9A-Fa-f]{8})\s/.exec(line);
    if (group !== null && device !== "") found.push({ device, group: addressOf(group[1] as string) });
  }
  return found;
}

/**
 * Which querier a device has heard, as its line in `/proc/net/igmp` says: `V1` and `V2` are said only after one was
 * heard; `V3` is what stands there from the beginning too. "" when the device has no line.
 */
export function querierIn(igmp: string, device: string): string {
  for (const line of linesOf(igmp)) {
    const head = /^\d+\s+([^\s:]+)\s*:\s*\d+\s+(V\d)/.exec(line);
    if (head?.[1] === device) return head[2] as string;
  }
  return "";
}

/** The device of the route in `/proc/net/route` that an address takes: the longest mask, then the lowest metric. */
export function routeTo(table: string, address: string): string | undefined {
  const wanted = numberOf(address);
  if (wanted === undefined) return undefined;
  let best: { readonly device: string; readonly mask: number; readonly metric: number } | undefined;
  for (const line of linesOf(table).slice(1)) {
    const [device, destination, , flags, , , metric, maskText] = line.trim().split(/\s+/);
    const [target, mask] = [hexNumberOf(destination), hexNumberOf(maskText)];
    if (device === undefined || target === undefined || mask === undefined) continue;
    // linux/route.h: up, and not a route that says there is none.
    const isUsable = (Number.parseInt(flags ?? "", 16) & 0x201) === 1;
    if (!isUsable || (wanted & mask) >>> 0 !== (target & mask) >>> 0) continue;
    const route = { device, mask, metric: Number(metric) };
    if (best === undefined || mask > best.mask || (mask === best.mask && route.metric < best.metric)) best = route;
  }
  return best?.device;
}

/** The devices that `/proc/net/wireless` lists. */
export function wirelessIn(table: string): string[] {
  return linesOf(table).flatMap((line) => /^\s*([^\s:|]+):\s/.exec(line)?.[1] ?? []);
}

/** What to look for in the rules of a firewall. */
export interface Traffic {
  readonly groups: readonly string[];
  readonly ports: readonly number[];
}

/** A rule of a firewall, and whether it names what the mesh's groups are: else it only may be meant for them. */
export interface SuspectRule {
  readonly text: string;
  readonly namesGroup: boolean;
}

/**
 * The rules of `nft list ruleset` that look as if they drop what the mesh needs: a rule that drops or rejects one of the
 * groups (by address or network) or ports, or all UDP or multicast. No proof: what stands before may let it through.
 */
export function suspectRules(ruleset: string, { groups, ports }: Traffic): SuspectRule[] {
  const found: SuspectRule[] = [];
  for (const raw of linesOf(ruleset)) {
    const text = raw.trim();
    if (text.length > LINE_MAX || !/\b(drop|reject)\b/.test(text) || /\bpolicy\b/.test(text)) continue;
    const blocks = text.match(/\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(\/\d{1,2})?/g) ?? [];
    const isGroup = /\bdaddr\b/.test(text) && blocks.some((block) => groups.some((group) => isIn(group, block)));
    const namesGroup = isGroup || /\bpkttype multicast\b/.test(text);
    const ofPort = /\bdport\b(.*)/.exec(text)?.[1];
    const isPort = ofPort !== undefined && ports.some((port) => new RegExp(`(^|\\D)${port}(\\D|$)`).test(ofPort));
    const isAllUdp = ofPort === undefined && blocks.length === 0 && /\b(l4proto|protocol) udp\b/.test(text);
    if (namesGroup || isPort || isAllUdp) found.push({ text, namesGroup });
  }
  return found;
}

/** Whether an address lies in a block such as `224.0.0.0/4`, or is it. */
function isIn(address: string, block: string): boolean {
  const [base = "", bitsText] = block.split("/");
  const bits = bitsText === undefined ? 32 : Number(bitsText);
  const [one, other] = [numberOf(address), numberOf(base)];
  if (one === undefined || other === undefined || bits > 32) return false;
  const mask = bits === 0 ? 0 : (0xffff_ffff << (32 - bits)) >>> 0;
  return (one & mask) >>> 0 === (other & mask) >>> 0;
}

function linesOf(text: string): string[] {
  return text.split("\n", LINES_MAX);
}

/** Eight hex digits as the kernel prints an address: as this machine stores it, the first byte last. */
function addressOf(hex: string): string {
  return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(".");
}

function hexNumberOf(hex: string | undefined): number | undefined {
  return hex !== undefined && /^[0-9A-Fa-f]{8}$/.test(hex) ? numberOf(addressOf(hex)) : undefined;
}

function numberOf(address: string): number | undefined {
  if (parseAddress(address) === undefined || address.includes(":")) return undefined;
  return address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}
