/**
 * Bindings: binds a control to a path, lists what is bound, unbinds.
 */
import { gapText } from "../input/input-trace.js";
import type { BindingReport, DeviceReport } from "../manage/surface-reports.js";
import { CommandError, ExitCode } from "./command-error.js";
import { NodeClient, type NodeOptions } from "./node-client.js";
import { printLine, tableText } from "./output.js";

interface ListOptions extends NodeOptions {
  readonly json?: boolean;
}

interface WriteOptions extends ListOptions {
  readonly wait?: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

/** Flags that are handed on as they are, and those whose text is a number. */
const WORDS = [
  "mode",
  "encoding",
  "deadZoneAt",
  "value",
  "when",
  "expression",
  "merge",
  "feedback",
  "colour",
  "look",
] as const;
const NUMBERS = ["step", "acceleration", "steps", "smooth", "deadZone", "priority"] as const;
type WordFlags = { readonly [Name in (typeof WORDS)[number] | (typeof NUMBERS)[number]]?: string };

interface BindOptions extends WriteOptions, WordFlags {
  /** `MIN..MAX` */
  readonly range?: string;
  readonly curve?: string;
  readonly takeover?: string;
  readonly invert?: boolean;
  readonly id?: string;
}

export async function bind(source: string, paths: readonly string[], options: BindOptions): Promise<void> {
  const { range, curve, takeover, invert, id } = options;
  const ends = range === undefined ? undefined : rangeOf(range);
  const words = Object.fromEntries(WORDS.map((name) => [name, options[name]]));
  const numbers = Object.fromEntries(NUMBERS.map((name) => [name, numberOf(name, options[name])]));
  const body = {
    source,
    path: paths.join(" "),
    range: ends,
    curve,
    takeover,
    invert,
    id,
    options: { ...words, ...numbers },
  };
  const text = await post("/-/bindings", body, options);
  const report = JSON.parse(text) as BindingReport;
  printLine(options.json === true ? text.trimEnd() : boundText(report));
  // It is there and can be mended, but a script must not take it for one that works.
  if (report.standing === "refused") throw new CommandError(`${report.id} moves nothing: ${report.reason}`);
}

export async function bindings(options: ListOptions): Promise<void> {
  const text = await new NodeClient(options).get("/-/bindings");
  printLine(options.json === true ? text.trimEnd() : bindingsText(JSON.parse(text) as BindingReport[]));
}

export async function unbind(id: string, options: WriteOptions): Promise<void> {
  const text = await post("/-/unbind", { id }, options);
  if (options.json === true) printLine(text.trimEnd());
}

function post(route: string, body: object, options: WriteOptions): Promise<string> {
  const { wait = true, timeout = 5 } = options;
  const timeoutMs = timeout * 1_000;
  return new NodeClient(options).post(route, { ...body, wait, timeoutMs, surface: "cli" }, timeoutMs);
}

const RANGE = /^(.+?)\.\.(.+)$/;

function rangeOf(text: string): [number, number] {
  const [, low = "", high = ""] = RANGE.exec(text) ?? [];
  const ends: [number, number] = [Number(low.trim() || Number.NaN), Number(high.trim() || Number.NaN)];
  if (ends.every(Number.isFinite) && ends[0] !== ends[1]) return ends;
  throw new CommandError(`--range ${text}: is not MIN..MAX, two different numbers`, ExitCode.usage);
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (text.trim() === "" || !Number.isFinite(Number(text))) {
    throw new CommandError(`--${flag} ${text}: is not a number`, ExitCode.usage);
  }
  return Number(text);
}

/** One line: what was bound, and whether it works already. */
export function boundText(report: BindingReport): string {
  const { id, source, path } = report;
  return `${id}: ${source} moves ${path}; ${workText(report)}`;
}

function workText({ standing, reason, device, gap }: BindingReport): string {
  if (standing === "off") return "it is off";
  if (standing === "dormant") return `dormant: ${reason}`;
  if (standing === "refused") return `refused: ${reason}`;
  const text = device === null ? "ready" : deviceText(device);
  if (gap !== 0) return `${text}; the control has to go ${gapText(gap)} to find the value`;
  return reason === "" ? text : `${text}; ${reason}`;
}

function deviceText({ state, alias, input, reason }: DeviceReport): string {
  if (state === "open") return `port open: ${input}`;
  if (state === "absent") return `${alias} is absent: it works as soon as it is plugged in`;
  return reason === "" ? `${alias} is not open yet` : `${alias}: ${reason}`;
}

export function bindingsText(reports: readonly BindingReport[]): string {
  if (reports.length === 0) return "no bindings";
  const head = ["id", "source", "path", "range", "curve", "takeover", "options", "state"];
  return tableText([
    head,
    ...reports.map((report) => {
      const { id, source, path, range, curve, invert, takeover, options } = report;
      const said = Object.entries(options).map(([name, value]) => `${name}=${String(value)}`);
      const ends = range === null ? "(the path's)" : `${range[0]}..${range[1]}`;
      return [id, source, path, invert ? `${ends} inverted` : ends, curve, takeover, said.join(" "), workText(report)];
    }),
  ]);
}
