/** Parts: what the steps of a change cost inside a process. */
import type { Bench, BenchOptions, BenchResult, Row } from "../harness/bench.js";
import { Children } from "../harness/remote.js";
import { median } from "../harness/samples.js";
import type { PartTimes } from "../hana/parts.js";
import type { PartsPeer } from "../parts-peer.js";

const PARTS_PEER = new URL("../parts-peer.js", import.meta.url);

export const parts: Bench = {
  name: "parts",
  what: "the steps of a change inside a process",
  async run({ runs }: BenchOptions): Promise<BenchResult> {
    const children = new Children();
    try {
      const times = await children.spawn<PartsPeer>(PARTS_PEER).parts(runs);
      return { rows: rowsOf(new Map(times.map((part) => [part.name, part]))) };
    } finally {
      await children.end();
    }
  },
};

function rowsOf(times: ReadonlyMap<string, PartTimes>): Row[] {
  const of = (name: string): number => median(times.get(name)?.nanoseconds ?? []);
  const apply = of("apply");
  return [
    {
      id: "parts.apply",
      what: "local apply: clip, change detection, version, digest, ring (floor: a store)",
      unit: "million/s",
      value: 1_000 / apply,
      floor: 1_000 / of("store"),
      note: `${apply.toFixed(0)} ns each`,
    },
    row(
      "parts.osc",
      "OSC message to the ring: decode, bind, apply (floor: read and store a float)",
      of("osc"),
      of("bytes"),
    ),
    row(
      "parts.midi",
      "MIDI control change to the ring, 1,000 bindings: parse, bind, transform, apply (floor: read and store a float)",
      of("midi"),
      of("bytes"),
    ),
    row("parts.publish", "ring to sealed frame, bursts of 100, per change", of("publish")),
    row("parts.follow", "sealed frame to the follower's ring, bursts of 100, per change", of("follow")),
  ];
}

function row(id: string, what: string, value: number, floor?: number): Row {
  return { id, what, unit: "ns", value, ...(floor === undefined ? {} : { floor, ratio: value / floor }) };
}
