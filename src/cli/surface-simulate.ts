/**
 * Surface simulate: a virtual twin of a device, for rehearsals without it. Needs no node: nodes find it as they would find
 * the device, by its port.
 *
 * Lines on stdin move its controls; what it is sent is printed, a line each. It ends with its stdin, or by a signal.
 */
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Profile } from "../config/profile.js";
import { midiSystem } from "../edge/midi-system.js";
import { readProfile, readProfiles } from "../edge/profile-library.js";
import { formatComplaint } from "../config/complaint.js";
import { parseMotion, SurfaceTwin } from "../input/surface-twin.js";
import { CommandError, ExitCode } from "./command-error.js";
import { printJson, printLine, printWarning } from "./output.js";

interface SimulateOptions {
  /** What others see its ports as. */
  readonly name?: string;
  readonly json?: boolean;
}

const HELP = "CONTROL 0..1 | down | up | +N | -N | touch | release";

/** @throws CommandError: 69 without MIDI, 78 for a profile that is none. */
export async function simulate(profileName: string, { name, json }: SimulateOptions): Promise<void> {
  const { id, profile } = profileOf(profileName);
  if (profile.transport !== "midi") {
    throw new CommandError(`${id}: speaks OSC: play it from a program that does`, ExitCode.usage);
  }
  const twin = new SurfaceTwin(profile);
  const alias = name ?? id;
  const tell = (heard: string): void => (json === true ? printJson({ shows: heard }) : printLine(heard));
  const ports = openPorts(alias, (bytes, send) => {
    const answer = twin.answer(bytes);
    if (answer === undefined) tell(twin.hear(bytes));
    else send(answer);
  });
  printWarning(`${profile.name} is there as ${alias}; move its controls: ${HELP}`);
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    for (const message of messagesOf(twin, line.trim())) ports.send(message);
  });
  const onSignal = (): void => lines.close();
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  await once(lines, "close");
  ports.close();
}

function messagesOf(twin: SurfaceTwin, line: string): readonly Uint8Array[] {
  if (line === "") return [];
  const [control = "", text = ""] = line.split(/\s+/);
  const motion = parseMotion(text);
  if (motion === undefined) {
    printWarning(`${line}: write ${HELP}`);
    return [];
  }
  const moved = twin.move(control, motion);
  if (!("problem" in moved)) return moved;
  printWarning(`${control}: ${moved.problem}`);
  return [];
}

/** By its id, or a file. */
function profileOf(name: string): { readonly id: string; readonly profile: Profile } {
  const known = readProfiles().find(({ id }) => id === name);
  const parsed = known?.parsed ?? readProfile(name);
  if ("profile" in parsed) return { id: known?.id ?? "twin", profile: parsed.profile };
  throw new CommandError(parsed.complaints.map(formatComplaint), ExitCode.badConfiguration);
}

interface TwinPorts {
  send(message: Uint8Array): void;
  close(): void;
}

function openPorts(name: string, onMessage: (bytes: Uint8Array, send: TwinPorts["send"]) => void): TwinPorts {
  const system = midiSystem();
  try {
    const output = system.makeOutput(name);
    const send = (message: Uint8Array): void => output.send(message);
    const input = system.makeInput(name, true, (bytes) => onMessage(bytes, send));
    const close = (): void => {
      input.close();
      output.close();
    };
    return { send, close };
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), ExitCode.unavailable);
  }
}
