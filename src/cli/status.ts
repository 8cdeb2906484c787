/**
 * Status: how a node is, and who else is there, for a person; or as the node says it with `--json`.
 */
import type { HealthFinding, PeerReport, StatusReport } from "../manage/reports.js";
import { NodeClient, type NodeOptions } from "./node-client.js";
import { durationText, mebibytesText, percentText, printLine, tableText } from "./output.js";

interface ReportOptions extends NodeOptions {
  readonly json?: boolean;
}

export async function status(options: ReportOptions): Promise<void> {
  const text = await new NodeClient(options).get("/-/status");
  printLine(options.json ? text.trimEnd() : statusText(JSON.parse(text) as StatusReport));
}

export async function peers(options: ReportOptions): Promise<void> {
  const text = await new NodeClient(options).get("/-/peers");
  printLine(options.json ? text.trimEnd() : peersText(JSON.parse(text) as PeerReport[]));
}

export function statusText(report: StatusReport): string {
  const { network, state, memory } = report;
  const rows = [
    ["node", `${report.name} (${report.node})`],
    ["mesh", report.mesh],
    ["role", roleText(report)],
    ["in sync", syncText(report)],
    ["interface", `${network.interface} ${network.address}`],
    [
      "multicast",
      `${network.group} and ${network.meetingGroup}, port ${network.meshPort}, redundancy ${network.redundancy}, loss ${percentText(network.loss)}`,
    ],
    ["ports", `OSC and control API ${network.port}, mesh ${network.unicastPort}, snapshots ${network.snapshotPort}`],
    ["paths", `${state.paths} of ${state.pathsMax}, ${state.pendingWrites} writes pending`],
    ["clock", clockText(report)],
    ["up for", durationText(report.uptimeMs)],
    ["memory", mebibytesText(memory.residentBytes)],
    ["data", report.dataDir],
    ["version", report.version],
  ];
  return [tableText(rows), componentsText(report), healthText(report.health)].join("\n\n");
}

function syncText({ peers: { heard, inSync }, sequence }: StatusReport): string {
  if (heard === 0) return `no other node is heard; sequence ${sequence}`;
  return `${inSync} of ${heard} other nodes hold exactly sequence ${sequence}`;
}

function clockText({ clock: { sessionMs, offsetMs, errorMs } }: StatusReport): string {
  const bound =
    errorMs === undefined ? "not measured yet" : errorMs === 0 ? "the mesh's" : `± ${errorMs.toFixed(3)} ms`;
  return `${new Date(sessionMs).toISOString()}, ${bound}; ${offsetText(offsetMs)} this machine's own`;
}

function offsetText(offsetMs: number): string {
  const size = Math.abs(offsetMs);
  const text = size < 1_000 ? `${size.toFixed(3)} ms` : durationText(size);
  return `${text} ${offsetMs < 0 ? "behind" : "ahead of"}`;
}

function roleText(report: StatusReport): string {
  const term = `term ${report.term.number}`;
  if (report.role === "follower") return `follower of ${report.controller}, ${term}`;
  return report.role === "starting" ? "starting: nobody is controller yet" : `controller, ${term}`;
}

function componentsText({ state }: StatusReport): string {
  const used = Object.entries(state.components).filter(([, { sequence }]) => sequence > 0);
  if (used.length === 0) return "nothing has been written yet";
  const rows = used.map(([name, { sequence, digest }]) => [`/${name}`, String(sequence), digest]);
  return tableText([["component", "sequence", "digest"], ...rows]);
}

function healthText(health: readonly HealthFinding[]): string {
  if (health.length === 0) return "healthy";
  return health.map((finding) => `${finding.level}: ${finding.text}`).join("\n");
}

export function peersText(reports: readonly PeerReport[]): string {
  if (reports.length === 0) return "no other node is heard";
  const rows = reports.map((peer) => [
    peer.name,
    peer.node,
    peer.role,
    `${peer.address}:${peer.port}`,
    String(peer.sequence),
    peer.inSync ? "yes" : "no",
    `${peer.silentMs.toFixed(0)} ms ago`,
    peer.loss === undefined ? "" : percentText(peer.loss),
    peer.roundTripMs === undefined ? "" : `${peer.roundTripMs.toFixed(2)} ms`,
    peer.clockErrorMs === undefined ? "" : `± ${peer.clockErrorMs.toFixed(3)} ms`,
  ]);
  return tableText([
    ["name", "node", "role", "address", "sequence", "in sync", "heard", "loss", "round trip", "clock"],
    ...rows,
  ]);
}
