/**
 * MIDI against a real ALSA sequencer, alsa-utils and USB devices that come and go, in a machine of its own.
 *
 * The machine (see `midi-vm/README.md`) boots once and runs the programs of `midi/` one after the other, for a boot
 * costs as much as all their checks. Each check is a test here; what a check does is to be read there.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Line, type RunningProcess, Sandbox } from "../harness/process.js";

const PROGRAMS = ["hub.mjs", "node.mjs"];
/** Boot, node's start and everything before a check; some twenty times what it takes on the machine itself. */
const CHECK_MS = 240_000;

/** RtMidi's thread says these, one or both, whenever the kernel's queue for it ran over. */
const OVERRUN = /alsaMidiHandler: (MIDI input buffer overrun|unknown MIDI input error)!|^System reports: Resource temp/;

const folder = join(import.meta.dirname, "midi");
const sandbox = new Sandbox();
let machine: RunningProcess;

beforeAll(() => {
  const programs = PROGRAMS.map((program) => `node '${join(folder, program)}'`).join("; ");
  // Files of the folder that is shared for writing are slow to read: that one is not the project's.
  const command = ["--dir", sandbox.folder, "--timeout", "700", "--", "bash", "-c", programs];
  machine = sandbox.start(join(import.meta.dirname, "midi-vm/midi-vm"), command, { env: process.env });
});

afterAll(() => sandbox.close());

/** The checks' names, as they stand in the program: one that is never reported is a failed test. */
function checksOf(program: string): string[] {
  const source = readFileSync(join(folder, program), "utf8");
  return [...source.matchAll(/^check\(\s*"([^"]+)"/gm)].map(([, name = ""]) => name);
}

describe.each(PROGRAMS)("in the MIDI machine, %s", (program) => {
  it.each(checksOf(program))(
    "%s",
    async (name) => {
      const { error }: Line = await machine.waitFor((line) => line.name === name, CHECK_MS);
      if (error !== undefined) expect.unreachable(JSON.stringify(error));
    },
    CHECK_MS,
  );
});

it(
  "makes native code print nothing but that its queue ran over, which cannot be known before",
  async () => {
    await machine.ended;
    const lines = machine.stderr.split("\n").filter((line) => line !== "" && !OVERRUN.test(line));
    expect(lines).toEqual([]);
  },
  CHECK_MS,
);
