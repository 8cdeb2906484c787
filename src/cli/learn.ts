/**
 * Learn: waits for a control to be moved, and says how to bind it to a path; with `--accept` binds it.
 */
import type { LearnReport } from "../manage/learn-reports.js";
import type { BindRequest } from "../manage/surface-reports.js";
import { boundText } from "./bindings.js";
import { NodeClient, type NodeOptions } from "./node-client.js";
import { printLine, printWarning } from "./output.js";

interface LearnOptions extends NodeOptions {
  readonly json?: boolean;
  readonly accept?: boolean;
  readonly mode?: string;
  /** Seconds. */
  readonly timeout?: number;
}

const CONFIRMATION_MS = 5_000;

export async function learn(path: string, options: LearnOptions): Promise<void> {
  const { accept = false, timeout = 30, mode } = options;
  const limitMs = timeout * 1_000;
  const client = new NodeClient(options);
  printWarning(`move the control that is to move ${path}; waiting ${timeout} s`);
  const body = { path, accept, limitMs, options: { mode }, timeoutMs: CONFIRMATION_MS, surface: "cli" };
  const text = await client.post("/-/learn", body, limitMs + CONFIRMATION_MS);
  printLine(options.json === true ? text.trimEnd() : learnText(JSON.parse(text) as LearnReport));
}

/** What was moved, what else there is to know, and what to do next or what was done. */
export function learnText({ proposal, kind, encoding, remarks, others, binding }: LearnReport): string {
  const what = kind === "encoder" ? `encoder (${encoding ?? "unknown"})` : WORDS[kind];
  const lines = [`${proposal.source}: ${what}`, ...remarks];
  if (others.length > 0) lines.push(`moved too: ${others.join(", ")}`);
  lines.push(binding === null ? commandText(proposal) : boundText(binding));
  return lines.join("\n");
}

const WORDS: Readonly<Record<Exclude<LearnReport["kind"], "encoder">, string>> = {
  fader: "fader or knob",
  momentary: "button or key, on while it is down",
  toggle: "button that is on and off by turns",
  trigger: "button that only says that it was pressed",
  program: "program change",
  pressure: "pressure",
};

/** As it is to be typed. */
function commandText({ source, path, range, curve, takeover, options = {} }: BindRequest): string {
  const words = ["hana bind", shellWord(source), shellWord(path)];
  if (range !== undefined) words.push(`--range ${range[0]}..${range[1]}`);
  if (curve !== undefined) words.push(`--curve ${curve}`);
  if (takeover !== undefined) words.push(`--takeover ${takeover}`);
  for (const [name, value] of Object.entries(options)) words.push(`--${name}`, shellWord(String(value)));
  return words.join(" ");
}

/** Whoever sends OSC chooses its addresses: what is typed must not be a command of theirs. */
function shellWord(text: string): string {
  return /^[A-Za-z0-9/._:-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
