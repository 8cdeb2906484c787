/**
 * Parts: the steps of a change inside one process, in nanoseconds, each beside the least code that could do it.
 *
 * By tinybench. A step takes less than a clock's reading costs, so each call makes many and hands tinybench the mean.
 * All parts are measured once in each round, rounds follow each other: what the machine does meanwhile meets them all.
 */
import { Bench } from "tinybench";
import { coerce } from "../../src/state/coerce.js";
import type { QuietMesh } from "./quiet-mesh.js";
import { QuietMesh as Mesh } from "./quiet-mesh.js";
import { loadPath } from "./load.js";
import { controlChange, midiInputOf, PATHS_PER_BINDING } from "./midi-in.js";
import { oscFloat, oscInputOf, putFloat } from "./osc-in.js";

const PATHS = 10_000;
const BATCH = 10_000;
const BURST = 100;
const BINDINGS = 1_000;
const ADDRESS = "127.0.0.1";
const PORT = 9_000;
const ROUND_MS = 300;
const WARM_MS = 300;
const FRAME_US = 16_000;

/** Nanoseconds per change: the median of each round. */
export interface PartTimes {
  readonly name: string;
  readonly nanoseconds: readonly number[];
}

/** Makes some changes and answers how many milliseconds the part took of it, and how many changes it was. */
interface Part {
  readonly name: string;
  readonly run: () => void;
  /** [0] milliseconds, [1] changes. */
  readonly took: Float64Array;
}

export async function measureParts(rounds: number): Promise<PartTimes[]> {
  const parts = makeParts();
  const times = new Map(parts.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    const bench = new Bench({ time: ROUND_MS, warmupTime: WARM_MS, throws: true, iterations: 16 });
    for (const part of parts) bench.add(part.name, () => perChange(part));
    await bench.run();
    for (const { name, result } of bench.tasks) {
      if (result.state !== "completed") throw new Error(`${name}: ${result.state}`);
      times.get(name)?.push(result.latency.p50 * 1e6);
    }
  }
  return [...times].map(([name, nanoseconds]) => ({ name, nanoseconds }));
}

function perChange({ run, took }: Part): { overriddenDuration: number; overriddenIterationCost: number } {
  run();
  const milliseconds = took[0] as number;
  return { overriddenDuration: milliseconds / (took[1] as number), overriddenIterationCost: milliseconds };
}

function makeParts(): Part[] {
  const mesh = new Mesh(PATHS, 3);
  const order = Int32Array.from({ length: PATHS }, (_, index) => mesh.ids[(index * 7_919) % PATHS] as number);
  return [
    timed("store", BATCH, storeLoop(order)),
    timed("apply", BATCH, applyLoop(mesh, order)),
    timed("bytes", BATCH, bytesLoop()),
    timed("osc", BATCH, oscLoop(mesh)),
    timed("midi", BATCH, midiLoop()),
    ...streamParts(mesh, order),
  ];
}

function timed(name: string, changes: number, loop: () => void): Part {
  const took = new Float64Array([0, changes]);
  const run = (): void => {
    const start = performance.now();
    loop();
    took[0] = performance.now() - start;
  };
  return { name, run, took };
}

/** The floor of a change: a number into its place. */
function storeLoop(order: Int32Array): () => void {
  const numbers = new Float64Array(PATHS * 4 * 2);
  let value = 0;
  return () => {
    value++;
    for (let index = 0; index < BATCH; index++) numbers[(order[index] as number) * 4] = value + index;
  };
}

/** A number in hand to the ring: coerce with clip, change detection, version, digest, ring. */
function applyLoop({ controller }: QuietMesh, order: Int32Array): () => void {
  const { applier, core } = controller;
  const { state, staging, digests } = core;
  let value = 0;
  return () => {
    value++;
    for (let index = 0; index < BATCH; index++) {
      const id = order[index] as number;
      staging.number(value);
      coerce(state, id, staging);
      applier.commit(id, 0, 0);
      digests.touch(id);
    }
    if (digests.words.length === 0) throw new Error("there are no digests");
  };
}

/** The floor of a message: its float read, and put into its place. */
function bytesLoop(): () => void {
  const packets = oscPackets();
  const views = packets.map((packet) => new DataView(packet.buffer));
  const numbers = new Float64Array(PATHS * 4);
  return () => {
    for (let index = 0; index < BATCH; index++) {
      const view = views[index] as DataView;
      numbers[index * 4] = view.getFloat32(view.byteLength - 4);
    }
  };
}

/** An OSC message with one float to the ring: decode, bind, apply. */
function oscLoop({ controller }: QuietMesh): () => void {
  const packets = oscPackets();
  const input = oscInputOf(controller);
  const { register } = controller.core.clock;
  let value = 0;
  return () => {
    value++;
    register[0] = (register[0] as number) + FRAME_US;
    for (let index = 0; index < BATCH; index++) {
      const packet = packets[index] as Uint8Array;
      putFloat(packet, value);
      input.receive(packet, 0, packet.length, ADDRESS, PORT);
    }
  };
}

/** A control change to the ring: parse, bind, transform, apply. Bindings of four kinds: see `midiInputOf`. */
function midiLoop(): () => void {
  const { controller } = new Mesh(BINDINGS, 3, BINDINGS * PATHS_PER_BINDING);
  const input = midiInputOf(controller, BINDINGS);
  const messages = Array.from({ length: BINDINGS }, (_, index) => controlChange(index));
  const { register } = controller.core.clock;
  let value = 0;
  return () => {
    for (let index = 0; index < BATCH; index++) {
      // Another value in each round over all controls, so that each message is a change.
      if (index % BINDINGS === 0) value = (value + 1) % 128;
      register[0] = (register[0] as number) + 1;
      const message = messages[index % BINDINGS] as Uint8Array;
      message[2] = value;
      input.push(message);
    }
  };
}

function oscPackets(): Uint8Array[] {
  return Array.from({ length: PATHS }, (_, index) => oscFloat(loadPath(index)));
}

/** A burst of changes from the ring to sealed frames, and from those to the follower's ring. */
function streamParts(mesh: QuietMesh, order: Int32Array): Part[] {
  const { controller, ids } = mesh;
  const deliver = mesh.carry;
  const frames: Uint8Array[] = [];
  mesh.carry = (datagram) => void frames.push(datagram.slice());
  let value = 0;
  const burst = (): void => {
    frames.length = 0;
    value++;
    const first = (value * BURST) % PATHS;
    for (let index = 0; index < BURST; index++) {
      controller.core.staging.number(value);
      controller.writes.write(order[first + index] ?? (ids[0] as number), 0);
    }
    mesh.pass(FRAME_US);
  };
  const publish = { name: "publish", took: new Float64Array([0, BURST]), run: () => {} };
  publish.run = (): void => {
    burst();
    const start = performance.now();
    controller.settle();
    publish.took[0] = performance.now() - start;
    for (const frame of frames) deliver(frame);
  };
  const follow = { name: "follow", took: new Float64Array([0, BURST]), run: () => {} };
  follow.run = (): void => {
    burst();
    controller.settle();
    const start = performance.now();
    for (const frame of frames) deliver(frame);
    follow.took[0] = performance.now() - start;
  };
  return [publish, follow];
}
