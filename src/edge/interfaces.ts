/**
 * Interfaces: which network interfaces this machine has, and which one the mesh lives on.
 *
 * The choice matters more than anything else on the network: multicast on the wrong card is the commonest fault of
 * such systems. So the default is the card of the default route and nothing clever; where that is no answer, the only
 * other card; else loopback, which at least harms nobody. Every error lists what there is.
 */
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { ResourceUnavailable } from "./trouble.js";

export interface NetworkInterface {
  readonly name: string;
  /** IPv4. An interface with several addresses appears once for each. */
  readonly address: string;
  readonly netmask: string;
  readonly isInternal: boolean;
  /** Loopback counts as able: it lacks the system's flag, and works when it is named as the multicast interface. */
  readonly canMulticast: boolean;
}

/** Up and with an IPv4 address, in the system's order. */
export function listInterfaces(): NetworkInterface[] {
  const listed: NetworkInterface[] = [];
  for (const [name, entries] of Object.entries(networkInterfaces())) {
    for (const { address, family, internal, netmask } of entries ?? []) {
      if (family !== "IPv4") continue;
      listed.push({ name, address, netmask, isInternal: internal, canMulticast: internal || hasMulticastFlag(name) });
    }
  }
  return listed;
}

/**
 * The interface to use: the one wanted by IPv4 address or name (its first address), else the default.
 * Rejects with `ResourceUnavailable` when it is not there, naming those that are.
 */
export async function selectInterface(wanted?: string): Promise<NetworkInterface> {
  const listed = listInterfaces();
  if (wanted !== undefined) return findInterface(listed, wanted);
  return chooseDefault(listed, await defaultRouteInterface(listed));
}

export function findInterface(listed: readonly NetworkInterface[], wanted: string): NetworkInterface {
  const found = listed.find(({ address }) => address === wanted) ?? listed.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  throw new ResourceUnavailable("interface", `there is no interface ${wanted}; there are:\n${interfaceTable(listed)}`);
}

/** `routed`: the name of the interface of the default route, if there is one. */
export function chooseDefault(listed: readonly NetworkInterface[], routed: string | undefined): NetworkInterface {
  const able = listed.filter(({ canMulticast, isInternal }) => canMulticast && !isInternal);
  const ofRoute = able.find(({ name }) => name === routed);
  const names = new Set(able.map(({ name }) => name));
  const chosen = ofRoute ?? (names.size === 1 ? able[0] : undefined) ?? listed.find(({ isInternal }) => isInternal);
  if (chosen !== undefined) return chosen;
  const table = listed.length === 0 ? "none is up" : `there are:\n${interfaceTable(listed)}`;
  throw new ResourceUnavailable("interface", `no interface to choose by default, use --interface; ${table}`);
}

/** One line for each, columns aligned: for `--list-interfaces` and for errors. */
export function interfaceTable(listed: readonly NetworkInterface[]): string {
  const nameWidth = Math.max(0, ...listed.map(({ name }) => name.length));
  const addressWidth = Math.max(0, ...listed.map(({ address }) => address.length));
  return listed
    .map((entry) => {
      const remark = entry.isInternal ? "loopback" : entry.canMulticast ? "multicast" : "no multicast";
      return `  ${entry.name.padEnd(nameWidth)}  ${entry.address.padEnd(addressWidth)}  ${remark}`;
    })
    .join("\n");
}

/** linux/if.h. */
const IFF_MULTICAST = 0x1000;

/** Where the system does not say, an interface is taken to be able. */
function hasMulticastFlag(name: string): boolean {
  // An address label such as eth0:1 is no interface of its own.
  const device = name.split(":")[0] ?? name;
  const text = process.platform === "linux" ? readSystemFile(`/sys/class/net/${device}/flags`) : undefined;
  return text === undefined || (Number.parseInt(text, 16) & IFF_MULTICAST) !== 0;
}

async function defaultRouteInterface(listed: readonly NetworkInterface[]): Promise<string | undefined> {
  const table = process.platform === "linux" ? readSystemFile("/proc/net/route") : undefined;
  if (table !== undefined) return parseDefaultRoute(table);
  const address = await addressTowardsOutside();
  return listed.find((entry) => entry.address === address)?.name;
}

/** linux/route.h: the route is usable. */
const RTF_UP = 1;

/** The interface of the default route with the lowest metric in the text of /proc/net/route. */
export function parseDefaultRoute(table: string): string | undefined {
  let best: { readonly name: string; readonly metric: number } | undefined;
  for (const line of table.split("\n").slice(1)) {
    const [name, destination, , flags, , , metric, mask] = line.trim().split(/\s+/);
    const isDefault = destination === "00000000" && mask === "00000000";
    if (name === undefined || !isDefault || (Number.parseInt(flags ?? "0", 16) & RTF_UP) === 0) continue;
    const route = { name, metric: Number(metric) };
    if (best === undefined || route.metric < best.metric) best = route;
  }
  return best?.name;
}

/**
 * The source address the system would use towards the outside: connecting a UDP socket asks the routing table and
 * sends nothing. The target is a documentation address (RFC 5737).
 */
async function addressTowardsOutside(): Promise<string | undefined> {
  const socket = createSocket("udp4");
  return await new Promise((resolve) => {
    const finish = (address: string | undefined): void => {
      socket.close();
      resolve(address);
    };
    socket.once("error", () => finish(undefined));
    socket.connect(9, "192.0.2.1", () => finish(socket.address().address));
  });
}

function readSystemFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
