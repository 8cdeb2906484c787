/**
 * MIDI: which devices are there, and which of them the show's aliases mean on this machine.
 */
import type { DeviceReport } from "../manage/surface-reports.js";
import { NodeClient, type NodeOptions } from "./node-client.js";
import { printLine, tableText } from "./output.js";

interface ListOptions extends NodeOptions {
  readonly json?: boolean;
}

interface AdoptOptions extends ListOptions {
  readonly profile?: string;
  readonly identify?: boolean;
}

export async function listMidi(options: ListOptions): Promise<void> {
  print(await new NodeClient(options).get("/-/midi"), options);
}

export async function adopt(alias: string, device: string | undefined, options: AdoptOptions): Promise<void> {
  const { profile, identify } = options;
  print(await new NodeClient(options).post("/-/midi/adopt", { alias, device, profile, identify }), options);
}

export async function forget(alias: string, options: ListOptions): Promise<void> {
  print(await new NodeClient(options).post("/-/midi/forget", { alias }), options);
}

/** Lets the lights of a device blink for two seconds. */
export async function blink(alias: string, options: ListOptions): Promise<void> {
  await new NodeClient(options).post("/-/midi/blink", { alias });
}

function print(text: string, { json }: ListOptions): void {
  printLine(json === true ? text.trimEnd() : devicesText(JSON.parse(text) as DeviceReport[]));
}

export function devicesText(reports: readonly DeviceReport[]): string {
  if (reports.length === 0) return "no MIDI devices";
  const head = ["alias", "profile", "state", "input", "output"];
  const rows = reports.map(({ alias, profile, adopted, state, input, output, reason }) => {
    const name = adopted ? `${alias} (adopted)` : alias;
    return [name, profile, reason === "" ? state : `${state}: ${reason}`, input, output];
  });
  return tableText([head, ...rows]);
}
