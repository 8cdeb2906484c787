/**
 * Doctor: looks at this machine, and at the node that runs on it if there is one, and says what is wrong: one finding,
 * one sentence, one fix. Ends with 1 when something is.
 */
import type { Settings } from "../config/settings.js";
import { type ProbeTarget, probe } from "../edge/doctor-probe.js";
import { listInterfaces } from "../edge/interfaces.js";
import { type Check, type CheckResult, diagnose } from "../manage/doctor.js";
import type { StatusReport } from "../manage/reports.js";
import { meetingGroup, streamGroup } from "../security/mesh-identity.js";
import { CommandError } from "./command-error.js";
import { NodeClient } from "./node-client.js";
import { printJson, printLine, tableText } from "./output.js";
import { loadSettings, type SettingOptions } from "./settings-loader.js";

export interface DoctorOptions extends SettingOptions {
  readonly node?: string;
  readonly json?: boolean;
}

export async function doctor(options: DoctorOptions): Promise<void> {
  const settings = loadSettings(options);
  const checks = diagnose(await probe(await targetOf(settings, options)));
  const wrong = checks.filter(({ result }) => result === "wrong").length;
  if (options.json) printJson({ healthy: wrong === 0, checks });
  else printLine(checksText(checks));
  if (wrong > 0) throw new CommandError(wrong === 1 ? "one thing is wrong" : `${wrong} things are wrong`);
}

/** A node that runs says where it is; else the settings say where it would be. */
async function targetOf(settings: Settings, options: DoctorOptions): Promise<ProbeTarget> {
  const { node, nodeProblem } = await askNode(settings, options);
  const { mesh, meshPort, port } = settings;
  if (node === undefined) {
    const groups = [streamGroup(mesh), meetingGroup(mesh)];
    return { interface: settings.interface, groups, meshPort, oscPort: port, node, nodeProblem };
  }
  const { network } = node;
  const groups = [network.group, network.meetingGroup];
  return { interface: network.address, groups, meshPort: network.meshPort, oscPort: network.port, node, nodeProblem };
}

/** What the node of this machine says; why nothing is known of it if something else answers. */
async function askNode(
  settings: Settings,
  { node: url }: DoctorOptions,
): Promise<{ node: StatusReport | undefined; nodeProblem: string }> {
  const wanted = url ?? (process.env["HANA_NODE"] || `http://127.0.0.1:${settings.port || 7_700}`);
  try {
    const report = reportOf(await new NodeClient({ node: wanted }).get("/-/status"));
    if (report === undefined) return { node: undefined, nodeProblem: `what answers at ${wanted} is no hana node` };
    if (listInterfaces().some(({ address }) => address === report.network.address))
      return { node: report, nodeProblem: "" };
    return { node: undefined, nodeProblem: `the node at ${wanted} is not on an interface of this machine` };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const isNone = error.message.startsWith("no node at ");
    return { node: undefined, nodeProblem: isNone ? "" : error.message };
  }
}

function reportOf(text: string): StatusReport | undefined {
  try {
    const report = JSON.parse(text) as Partial<StatusReport> | null;
    return typeof report?.network?.address === "string" && Array.isArray(report.health)
      ? (report as StatusReport)
      : undefined;
  } catch {
    return undefined;
  }
}

const MARKS: Readonly<Record<CheckResult, string>> = { ok: "ok", wrong: "WRONG", note: "note", unknown: "?" };

/** A line for each check, and below what is wrong what to do. */
export function checksText(checks: readonly Check[]): string {
  const rows = checks.flatMap(({ name, result, text, fix }) => {
    const row = [MARKS[result], name, text];
    return result === "ok" || fix === "" ? [row] : [row, ["", "", `-> ${fix}`]];
  });
  return tableText(rows);
}
