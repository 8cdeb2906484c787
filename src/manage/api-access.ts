/**
 * API access: which HTTP requests may be answered at all.
 *
 * The attack: a page on the internet makes a browser on this machine talk to the node. By DNS rebinding its own name
 * resolves to this machine, so the browser lets it read the answers; the name is then in `Host`. Or it posts blindly
 * across origins; its address is then in `Origin`. So `Host` must be a name or address that only means this machine,
 * with our port, and `Origin` must be absent or the same place. Pure: told the headers, answers with a reason.
 */

export interface AccessRequest {
  /** The headers as they came. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** The address of this machine that the connection reached. */
  readonly localAddress: string;
}

export interface AccessRules {
  /** Where HTTP is served beside loopback. */
  readonly httpHost: string;
  /** The port that is listened on. */
  readonly port: number;
}

/** Why the request is not answered, or "". */
export function refuseAccess(request: AccessRequest, rules: AccessRules): string {
  const { host, origin } = request;
  if (host === undefined) return "the Host header is missing";
  const { name, port } = splitHost(host);
  if (port !== rules.port) return "the Host header names another port";
  if (!isOwnName(name, request.localAddress, rules.httpHost)) return "the Host header names another machine";
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    return "the request comes from a page of another origin";
  }
  return "";
}

/** `127.0.0.1:7700`, `[::1]:7700`, `localhost` (port 80, as HTTP says). */
function splitHost(host: string): { name: string; port: number } {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i.exec(host);
  if (match === null) return { name: "", port: -1 };
  const name = (match[1] as string).toLowerCase().replace(/^\[|\]$/g, "");
  return { name, port: match[2] === undefined ? 80 : Number(match[2]) };
}

/** An address cannot be rebound, a name can: names are `localhost` and the configured one. */
function isOwnName(name: string, localAddress: string, httpHost: string): boolean {
  if (name === "localhost" || isLoopback(name)) return true;
  return name === plainAddress(localAddress) || (name === httpHost.toLowerCase() && !isWildcard(name));
}

/** Whether HTTP is served on the connection: loopback always, else only where the settings say. */
export function servesHttp(localAddress: string, remoteAddress: string, httpHost: string): boolean {
  const local = plainAddress(localAddress);
  if (isLoopback(local)) return isLoopback(plainAddress(remoteAddress));
  return isWildcard(httpHost) || local === plainAddress(httpHost);
}

export function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

export function isLoopback(address: string): boolean {
  return address === "::1" || /^127(\.\d{1,3}){3}$/.test(plainAddress(address));
}

/** An IPv4 address that a dual-stack socket shows as IPv6 (RFC 4291, 2.5.5.2), as it is written; no zone. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address);
  return mapped === null ? (address.toLowerCase().split("%")[0] as string) : (mapped[1] as string);
}
