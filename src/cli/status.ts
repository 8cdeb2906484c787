/**
 * Status: how a node is, for a person; or as the node says it with `--json`.
 */
import type { HealthFinding, StatusReport } from "../manage/reports.js";
import { NodeClient, type NodeOptions } from "./node-client.js";
import { durationText, mebibytesText, percentText, printLine, tableText } from "./output.js";

interface ReportOptions extends NodeOptions {
  readonly json?: boolean;
}

export async function status(options: ReportOptions): Promise<void> {
  const text = await new NodeClient(options).get("/-/status");
  printLine(options.json ? text.trimEnd() : statusText(JSON.parse(text) as StatusReport));
}

export function statusText(report: StatusReport): string {
  const { network, state, memory } = report;
  const rows = [
    ["node", `${report.name} (${report.node})`],
    ["mesh", report.mesh],
    ["role", roleText(report)],
    ["sameness", samenessText(report)],
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

/** How many differing nodes are named. */
const NAMED_MAX = 8;

/** Who proved to hold the same, then a line for each node that did not. */
export function samenessText({ sameness, sequence }: StatusReport): string {
  const { version, nodes, holding, different } = sameness;
  if (version.sequence < 0) return `no version was announced yet; ${nodes} nodes are heard`;
  const isOld = version.sequence < sequence;
  const newest = isOld ? `, newest ${sequence}` : "";
  const said = `${holding} of ${nodes} nodes hold exactly version ${version.term}/${version.sequence}${newest}`;
  const lines = different.slice(0, NAMED_MAX).map((one) => `${one.name || one.node} ${differenceText(one)}`);
  if (different.length > NAMED_MAX) lines.push(`and ${different.length - NAMED_MAX} more`);
  return [said, ...lines].join("\n".padEnd(LABEL_WIDTH + 1));
}

/** Lines that follow stand under the first one: the longest label and two spaces. */
const LABEL_WIDTH = "interface".length + 2;

function differenceText({ components, behind, isInSync }: StatusReport["sameness"]["different"][number]): string {
  if (!isInSync) return "is joining";
  if (components.length > 0) return `differs in ${components.map((name) => `/${name}`).join(", ")}`;
  return behind > 0 ? `is ${behind} versions behind` : "has yet to prove it";
}

function clockText({ clock: { sessionMs, offsetMs, boundMs } }: StatusReport): string {
  const bound =
    boundMs === undefined ? "not measured yet" : boundMs === 0 ? "the mesh's" : `\u00b1 ${boundMs.toFixed(3)} ms`;
  const size = Math.abs(offsetMs);
  const offset = size < 1_000 ? `${size.toFixed(3)} ms` : durationText(size);
  const own = `this machine's own is ${offset} ${offsetMs < 0 ? "behind" : "ahead"}`;
  return `${new Date(sessionMs).toISOString()}, ${bound}; ${own}`;
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
