/**
 * Allocation: how many bytes our code allocates over a million changes, from the OSC datagram to the sealed frame
 * (decode, bind, apply, ring, delta, frame), and from the frame to the follower's ring (open, read, adopt, ring).
 *
 * The young generation is made so large (flags in `benches/allocation.ts`) that nothing is collected meanwhile; a
 * collection that is seen makes the figure void. Nobody calls `gc()`: it would sweep away what is counted. The heap's
 * growth is then what was allocated, by our code and by the loop around it, which allocates nothing itself.
 */
import { PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { ViewCache } from "../../src/security/view-cache.js";
import { DATAGRAM_MAX_BYTES } from "../../src/wire/envelope.js";
import { loadPath } from "./load.js";
import { controlChange, midiInputOf, PATHS_PER_BINDING } from "./midi-in.js";
import { oscFloat, oscInputOf, putFloat } from "./osc-in.js";
import { QuietMesh } from "./quiet-mesh.js";

const PATHS = 10_000;
const BINDINGS = 1_000;
export const CHANGES = 1_000_000;
/** Messages that come in one turn of the event loop, and what a turn takes. */
const TURN = 20;
const TURN_US = 100;
const FRAMES_MAX = CHANGES / TURN;
const ADDRESS = "127.0.0.1";
const PORT = 9_000;

export interface Allocated {
  readonly bytes: number;
  /** Of those, outside the heap: buffers. */
  readonly outsideBytes: number;
  readonly collections: number;
  readonly changes: number;
}

export interface AllocationReport {
  /** From the OSC datagram to the sealed frame. */
  readonly input: Allocated;
  /** From the sealed frame to the follower's ring. */
  readonly output: Allocated;
  /** From the bytes of a MIDI device to the sealed frame. */
  readonly midi: Allocated;
}

export async function measureAllocation(): Promise<AllocationReport> {
  const mesh = new QuietMesh(PATHS, 3);
  const frames = new FrameStore();
  mesh.carry = (datagram) => frames.put(datagram);
  const inward = new Inward(mesh);
  const outward = (): void => frames.replay((datagram) => mesh.follower.receive(datagram, ADDRESS, PORT));
  // Once for the compiler, both ways, so that the follower has heard what comes next.
  inward.run();
  outward();
  frames.clear();
  const input = await allocatedBy(
    () => inward.run(),
    () => mesh.controller.core.counters.changesApplied,
  );
  const output = await allocatedBy(outward, () => mesh.follower.core.counters.changesApplied);
  return { input, output, midi: await measureMidi() };
}

function measureMidi(): Promise<Allocated> {
  const mesh = new QuietMesh(BINDINGS, 3, BINDINGS * PATHS_PER_BINDING);
  mesh.carry = () => {};
  const device = new Device(mesh);
  device.run();
  return allocatedBy(
    () => device.run(),
    () => mesh.controller.core.counters.changesApplied,
  );
}

/** Control changes into the controller, likewise: each is of another control, and another value than its last. */
class Device {
  private readonly mesh: QuietMesh;
  private readonly messages = Array.from({ length: BINDINGS }, (_, index) => controlChange(index));
  private readonly input;

  constructor(mesh: QuietMesh) {
    this.mesh = mesh;
    this.input = midiInputOf(mesh.controller, BINDINGS);
  }

  run(): void {
    const { mesh, messages, input } = this;
    for (let change = 0; change < CHANGES; change++) {
      const message = messages[change % BINDINGS] as Uint8Array;
      // Not 0: it turns no encoder.
      message[2] = ((change / BINDINGS) % 127) + 1;
      input.push(message);
      if (change % TURN === TURN - 1) {
        mesh.controller.settle();
        mesh.pass(TURN_US);
      }
    }
  }
}

/** OSC messages into the controller, some in each turn, each turn ended as the event loop would end it. */
class Inward {
  private readonly mesh: QuietMesh;
  private readonly packets = Array.from({ length: PATHS }, (_, index) => oscFloat(loadPath(index)));
  private readonly input;
  private round = 0;

  constructor(mesh: QuietMesh) {
    this.mesh = mesh;
    this.input = oscInputOf(mesh.controller);
  }

  run(): void {
    const { mesh, packets, input } = this;
    this.round++;
    for (let change = 0; change < CHANGES; change++) {
      // 7,919 is prime to 10,000: a walk over all paths that looks like chance.
      const packet = packets[(change * 7_919) % PATHS] as Uint8Array;
      putFloat(packet, this.round * 256 + ((change / PATHS) | 0));
      input.receive(packet, 0, packet.length, ADDRESS, PORT);
      if (change % TURN === TURN - 1) {
        input.pump();
        mesh.controller.settle();
        mesh.pass(TURN_US);
      }
    }
  }
}

/** Keeps frames to be read later, in memory that was there before. */
class FrameStore {
  private readonly bytes = new Uint8Array(FRAMES_MAX * DATAGRAM_MAX_BYTES);
  private readonly lengths = new Uint16Array(FRAMES_MAX * 2);
  private readonly receiveBuffer = new Uint8Array(DATAGRAM_MAX_BYTES);
  private readonly views = new ViewCache(this.receiveBuffer);
  private count = 0;
  private end = 0;

  put(datagram: Uint8Array): void {
    if (this.end + datagram.length > this.bytes.length) throw new Error("more frames than there is room for");
    this.bytes.set(datagram, this.end);
    this.lengths[this.count++] = datagram.length;
    this.end += datagram.length;
  }

  replay(receive: (datagram: Uint8Array) => void): void {
    const { bytes, receiveBuffer } = this;
    let at = 0;
    for (let frame = 0; frame < this.count; frame++) {
      const length = this.lengths[frame] as number;
      for (let byte = 0; byte < length; byte++) receiveBuffer[byte] = bytes[at + byte] as number;
      receive(this.views.of(length));
      at += length;
    }
  }

  clear(): void {
    this.count = 0;
    this.end = 0;
  }
}

async function allocatedBy(work: () => void, changesOf: () => number): Promise<Allocated> {
  const collections: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) collections.push(entry.startTime);
  });
  observer.observe({ entryTypes: ["gc"] });
  const changesBefore = changesOf();
  const startMs = performance.now();
  const before = getHeapStatistics();
  work();
  const after = getHeapStatistics();
  const endMs = performance.now();
  // The observer is told in a later turn.
  await new Promise((resolve) => setTimeout(resolve, 100));
  observer.disconnect();
  const outsideBytes = after.external_memory - before.external_memory;
  return {
    bytes: after.used_heap_size - before.used_heap_size + outsideBytes,
    outsideBytes,
    collections: collections.filter((timeMs) => timeMs >= startMs && timeMs <= endMs).length,
    changes: changesOf() - changesBefore,
  };
}
