/** MIDI in: control changes as bytes of a device, and what takes them to paths, made as the composition root does. */
import { Bindings } from "../../src/input/bindings.js";
import { MidiControls } from "../../src/input/midi-controls.js";
import { MidiCounters } from "../../src/input/midi-counters.js";
import type { MidiEvent } from "../../src/input/midi-event.js";
import { MidiStream } from "../../src/input/midi-stream.js";
import type { HanaNode } from "../../src/node/node.js";
import { entityKind, instantiate, MAPPINGS_PREFIX } from "../../src/state/templates.js";
import { loadPath } from "./load.js";

/** Room that the paths of a binding take. */
export const PATHS_PER_BINDING = 10;
const DEVICE = "nano";
const CHANNELS = 16;
const CONTROL_CHANGE = 0xb0;

/** A device whose controls are bound, one to each path, half of them with pick-up. Answers the input of its bytes. */
export function midiInputOf(node: HanaNode, count: number): MidiStream {
  const { core, writes } = node;
  const { memory, clock, origins } = core;
  const profileOf = (): undefined => undefined;
  const parts = { target: writes, shown: writes, memory, clock, origins, profileOf };
  const bindings = new Bindings({ ...parts, onChanged: () => {} });
  for (let index = 0; index < count; index++) bind(node, index);
  node.settle();
  bindings.pump();
  const active = bindings.list().filter(({ standing }) => standing === "active").length;
  if (active !== count) throw new Error(`${active} of ${count} bindings work`);
  const counters = new MidiCounters();
  const sink = {
    control: (event: MidiEvent) => bindings.onMidi(0, event),
    sysex: () => {},
    common: () => {},
    realTime: () => {},
  };
  return new MidiStream(new MidiControls(sink, core.clock, counters), counters);
}

/** The message of a bound control, as `midiInputOf` numbers them; the value is its last byte. */
export function controlChange(index: number): Uint8Array {
  return Uint8Array.of(CONTROL_CHANGE | (index % CHANNELS), Math.floor(index / CHANNELS), 0);
}

function bind({ writes, core }: HanaNode, index: number): void {
  const id = `m${index}`;
  const values: Readonly<Record<string, string>> = {
    source: `${DEVICE}/ch${(index % CHANNELS) + 1}/cc${Math.floor(index / CHANNELS)}`,
    path: loadPath(index),
    takeover: index % 2 === 0 ? "jump" : "pickup",
  };
  for (const { path, declaration } of instantiate(entityKind(MAPPINGS_PREFIX), id)) {
    writes.declare(path, declaration, 0);
    const value = values[path.slice(path.lastIndexOf("/") + 1)];
    if (value === undefined) continue;
    core.staging.value(value);
    writes.write(core.state.idOf(path), 0);
  }
}
