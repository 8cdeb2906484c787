/**
 * Peers: who else is in the mesh and how each of them fares, once or every second.
 *
 * On a terminal health is coloured and a watch draws over itself; anywhere else it is plain text, one table after the
 * other, or with `--json` what the node says, one line each time.
 */
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import type { PeerReport } from "../manage/reports.js";
import { NodeClient, type NodeOptions } from "./node-client.js";
import { percentText, tableText } from "./output.js";

interface PeersOptions extends NodeOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
}

const EVERY_MS = 1_000;
/** ECMA-48: cursor home, erase to the end of the display. */
const REDRAW = "\u001b[H\u001b[J";
const RESET = "\u001b[0m";
/** SGR foreground colours. */
const COLOURS = { green: "\u001b[32m", yellow: "\u001b[33m", red: "\u001b[31m" } as const;

export async function peers(options: PeersOptions): Promise<void> {
  const client = new NodeClient(options, options.watch === true);
  const isTerminal = process.stdout.isTTY && options.json !== true;
  // no-color.org
  const isColoured = isTerminal && (process.env["NO_COLOR"] ?? "") === "";
  do {
    const text = await client.get("/-/peers");
    const shown = options.json ? text.trimEnd() : peersText(JSON.parse(text) as PeerReport[], isColoured);
    const isFull = !process.stdout.write(`${frameOf(shown, options, isTerminal)}\n`);
    if (options.watch !== true) return;
    if (isFull) await once(process.stdout, "drain");
    await pause(EVERY_MS);
  } while (true);
}

function frameOf(shown: string, options: PeersOptions, isTerminal: boolean): string {
  if (options.watch !== true || options.json) return shown;
  return isTerminal ? `${REDRAW}${shown}` : `${shown}\n`;
}

const HEAD = ["name", "node", "role", "health", "address", "interface", "sequence", "lag"];
const MEASURES = ["differs", "loss", "delay", "clock", "NAKs", "heard"];

export function peersText(reports: readonly PeerReport[], isColoured = false): string {
  if (reports.length === 0) return "no other node is heard";
  const table = tableText([[...HEAD, ...MEASURES], ...reports.map((peer) => [...standing(peer), ...measures(peer)])]);
  return isColoured ? coloured(table, reports) : table;
}

function standing(peer: PeerReport): string[] {
  const address = `${peer.address}:${peer.port}`;
  const lag = peer.inSync ? String(peer.lag) : "joining";
  return [peer.name, peer.node, peer.role, peer.health, address, peer.interface, String(peer.sequence), lag];
}

function measures(peer: PeerReport): string[] {
  return [
    peer.differs.map((component) => `/${component}`).join(" "),
    peer.conflated ? `${percentText(peer.loss)}, conflated` : percentText(peer.loss),
    peer.roundTripMs === undefined ? "" : `${peer.roundTripMs.toFixed(2)} ms`,
    clockText(peer),
    String(peer.naks),
    `${peer.silentMs.toFixed(0)} ms ago`,
  ];
}

function clockText({ clockOffsetMs, clockBoundMs }: PeerReport): string {
  if (clockOffsetMs === undefined || clockBoundMs === undefined) return "";
  const sign = clockOffsetMs < 0 ? "" : "+";
  return `${sign}${clockOffsetMs.toFixed(2)} \u00b1 ${clockBoundMs.toFixed(2)} ms`;
}

/** Each line's health in its colour: after the columns are aligned, since a colour has no width. */
function coloured(table: string, reports: readonly PeerReport[]): string {
  const [head = "", ...lines] = table.split("\n");
  const at = head.indexOf(" health") + 1;
  const painted = lines.map((line, index) => {
    const { health } = reports[index] as PeerReport;
    return `${line.slice(0, at)}${COLOURS[health]}${health}${RESET}${line.slice(at + health.length)}`;
  });
  return [head, ...painted].join("\n");
}
