/** MIDI in: control changes as bytes of a device, and what takes them to paths, made as the composition root does. */
import { Bindings } from "../../src/input/bindings.js";
import { MidiControls } from "../../src/input/midi-controls.js";
import { MidiCounters } from "../../src/input/midi-counters.js";
import type { MidiEvent } from "../../src/input/midi-event.js";
import { MidiStream } from "../../src/input/midi-stream.js";
import type { Value } from "../../src/state/declaration.js";
import type { HanaNode } from "../../src/node/node.js";
import { entityKind, everyPath, isOptional, MAPPINGS_PREFIX } from "../../src/state/templates.js";
import { loadPath } from "./load.js";

/** Room that the paths of a binding take. */
export const PATHS_PER_BINDING = 11;
const DEVICE = "nano";
const CHANNELS = 16;
const CONTROL_CHANGE = 0xb0;

/** What bindings say, in turn. */
const KINDS: readonly Readonly<Record<string, Value>>[] = [
  { takeover: "jump", range: [0, 1] },
  { takeover: "pickup" },
  { encoding: "twos-complement", acceleration: 2, step: 1_000 },
  { when: `x >= 0 && ${loadPath(0)} > -1e10`, expression: "lerp(0, 1, x ^ 2) + value * 0", steps: 128 },
];

/**
 * A device whose controls are bound, one to each path: a quarter as they are, with values that are not whole numbers, a quarter with pick-up, a quarter endless
 * encoders, a quarter with a condition and a formula. Answers the input of its bytes.
 */
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
  };
  return new MidiStream(new MidiControls(sink, core.clock, counters), counters);
}

/** The message of a bound control, as `midiInputOf` numbers them; the value is its last byte. */
export function controlChange(index: number): Uint8Array {
  return Uint8Array.of(CONTROL_CHANGE | (index % CHANNELS), Math.floor(index / CHANNELS), 0);
}

function bind({ writes, core }: HanaNode, index: number): void {
  const id = `m${index}`;
  const values: Readonly<Record<string, Value>> = {
    source: `${DEVICE}/ch${(index % CHANNELS) + 1}/cc${Math.floor(index / CHANNELS)}`,
    path: loadPath(index),
    ...KINDS[index % KINDS.length],
  };
  for (const { path, declaration } of everyPath(entityKind(MAPPINGS_PREFIX), id)) {
    const value = values[path.slice(path.lastIndexOf("/") + 1)];
    if (value === undefined && isOptional(path)) continue;
    writes.declare(path, declaration, 0);
    if (value === undefined) continue;
    core.staging.value(value);
    writes.write(core.state.idOf(path), 0);
  }
}
