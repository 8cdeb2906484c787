/**
 * MIDI node: a whole node whose knob moves a path, with the bytes of the knob put in where a port's callback hands them
 * over. The library has no such place, so the node is composed here, as the command composes it.
 */
import { setTimeout as delay } from "node:timers/promises";
import type * as Compose from "../../src/compose.js";
import { resolveSettings } from "../../src/config/settings.js";
import { MidiControls } from "../../src/input/midi-controls.js";
import { MidiCounters } from "../../src/input/midi-counters.js";
import type { MidiEvent } from "../../src/input/midi-event.js";
import { MidiStream } from "../../src/input/midi-stream.js";
import { Reject } from "../../src/state/reject.js";
import { entityKind, instantiate, MAPPINGS_PREFIX } from "../../src/state/templates.js";
import { Role } from "../../src/sync/roles.js";
import { monotonicUs } from "../harness/clock.js";
import { LOOPBACK } from "../harness/network.js";
import type { NodePlan } from "./node-host.js";

/** The built package, as it is installed: seen from dist-bench/bench/hana. */
const BUILT = new URL("../../../dist/compose.js", import.meta.url).href;
const ROLE_WAIT_US = 10_000_000;
const SOURCE = "knobs/ch1/bend";
const ID = "bench";
/** The highest number of a pitch bend. */
const BEND_MAX = 16_383;
const SILENT = { level: "silent", info: () => {}, warn: () => {} } as const;

export class MidiNode {
  private readonly composed: Compose.ComposedNode;
  private readonly stream: MidiStream;
  private readonly bytes = new Uint8Array([0xe0, 0, 0]);

  private constructor(composed: Compose.ComposedNode) {
    const { node, bindings, loop } = composed;
    const counters = new MidiCounters();
    const sink = {
      control: (event: MidiEvent) => {
        bindings.onMidi(0, event);
        loop.requestSettle();
      },
      sysex: () => {},
    };
    this.composed = composed;
    this.stream = new MidiStream(new MidiControls(sink, node.core.clock, counters), counters);
  }

  static async start({ name, folder, mesh, key, meshPort, priority }: NodePlan): Promise<MidiNode> {
    const flags = { mesh, name, meshPort, priority, interface: LOOPBACK, port: 0, dataDir: `${folder}/${name}` };
    const resolved = resolveSettings({ flags });
    if ("complaints" in resolved) throw new Error(JSON.stringify(resolved.complaints));
    const { startNode } = (await import(BUILT)) as typeof Compose;
    return new MidiNode(await startNode(resolved.settings, SILENT, key));
  }

  /** Resolves once the node is the controller. */
  async settled(): Promise<void> {
    const untilUs = monotonicUs() + ROLE_WAIT_US;
    while (this.composed.node.roles.role !== Role.controlling) {
      if (monotonicUs() > untilUs) throw new Error("not controller in time");
      await delay(10);
    }
  }

  /** Binds the bend to a path, which holds the bend's number from then on. */
  bind(path: string): void {
    const { node, loop } = this.composed;
    const { writes } = node;
    const surface = writes.surface("bench");
    const entries = { source: SOURCE, path, range: [0, BEND_MAX] };
    loop.enter();
    for (const { path: parameter, declaration } of instantiate(entityKind(MAPPINGS_PREFIX), ID)) {
      must(writes.declare(parameter, declaration, surface));
    }
    for (const [parameter, value] of Object.entries(entries)) {
      const id = node.core.state.idOf(`${MAPPINGS_PREFIX}/${ID}/${parameter}`);
      node.core.staging.value(value);
      must(writes.write(id, surface));
    }
    loop.requestSettle();
  }

  /** The message of a bend has come. */
  bend(number: number): void {
    const { bytes } = this;
    const { loop } = this.composed;
    bytes[1] = number & 0x7f;
    bytes[2] = number >> 7;
    loop.begin();
    this.stream.push(bytes);
    loop.end();
  }

  async close(): Promise<void> {
    await this.composed.close();
  }
}

function must(reject: Reject): void {
  if (reject !== Reject.none) throw new Error(`refused: ${reject}`);
}
