/**
 * OSC out: a renderer or surface that is told of changes, as `--osc-out` names it.
 *
 * `HOST:PORT[,PATTERN][,from=HOST[:PORT]]`. The text is taken apart once, here; the pattern is compiled where patterns
 * are matched. Commas inside `{a,b}` belong to the pattern.
 */
import { type HostPort, hostText, parseHost, parseHostPort } from "./addresses.js";

export interface OscOut extends HostPort {
  /** OSC address pattern of the paths that it wants; undefined for all. */
  readonly pattern: string | undefined;
  /** What it sends from: its own changes are not sent back. Undefined: exactly `host` and `port`. */
  readonly from: { readonly host: string; readonly port: number | undefined } | undefined;
}

export type ParsedOscOut = { readonly out: OscOut } | { readonly problem: string };

const FORM = "HOST:PORT[,PATTERN][,from=HOST[:PORT]]";
const PATTERN_MAX_BYTES = 255;

export function parseOscOut(text: string): ParsedOscOut {
  const [address, ...options] = splitOutsideBraces(text);
  const hostPort = parseHostPort((address as string).trim());
  if (hostPort === undefined) return { problem: `is not ${FORM}: no host and port of 1 to 65535` };
  if (hostPort.host.includes(":")) return { problem: "is an IPv6 address: OSC goes out by IPv4" };
  let pattern: string | undefined;
  let from: OscOut["from"];
  for (const option of options.map((part) => part.trim())) {
    if (option.startsWith("/") && pattern === undefined) pattern = option;
    else if (option.startsWith("from=") && from === undefined) from = parseFrom(option.slice("from=".length));
    else return { problem: `is not ${FORM}: what is ${JSON.stringify(option)}?` };
    if (option.startsWith("from=") && from === undefined) return { problem: `is not ${FORM}: from= names no host` };
  }
  const problem = pattern === undefined ? "" : patternProblem(pattern);
  return problem === "" ? { out: { ...hostPort, pattern, from } } : { problem: `has a pattern that ${problem}` };
}

/** The text that `parseOscOut` reads as this out. */
export function formatOscOut(out: OscOut): string {
  const { host, port, pattern, from } = out;
  const parts = [`${hostText(host)}:${port}`];
  if (pattern !== undefined) parts.push(pattern);
  if (from !== undefined) parts.push(`from=${hostText(from.host)}${from.port === undefined ? "" : `:${from.port}`}`);
  return parts.join(",");
}

function parseFrom(text: string): OscOut["from"] {
  const host = parseHost(text);
  return host === undefined ? parseHostPort(text) : { host, port: undefined };
}

function splitOutsideBraces(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const character of text) {
    if (character === "{") depth++;
    else if (character === "}") depth--;
    if (character === "," && depth <= 0) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts;
}

/** What is wrong with `text` as an OSC address pattern (OSC 1.0; `//` of OSC 1.1), or "". */
export function patternProblem(text: string): string {
  if (!text.startsWith("/")) return "does not begin with /";
  if (text.length > PATTERN_MAX_BYTES) return "is longer than 255 bytes";
  if (!/^[!-~]+$/.test(text) || text.includes("#")) return "holds a space, a # or a character that is not ASCII";
  return /^(?:[^[\]{}]|\[[^[\]{}/]*\]|\{[^[\]{}/]*\})*$/.test(text) ? "" : "has brackets or braces that do not match";
}
