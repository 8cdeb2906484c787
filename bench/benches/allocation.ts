/** Allocation: bytes per million changes, into a node and out of it, with no collection in between. */
import type { Bench, BenchResult, Row } from "../harness/bench.js";
import { Children } from "../harness/remote.js";
import { type Allocated, CHANGES } from "../hana/allocation.js";
import type { PartsPeer } from "../parts-peer.js";

const PARTS_PEER = new URL("../parts-peer.js", import.meta.url);
/** A young generation of 512 MB from the start: nothing in it is collected while we look. */
const FLAGS = ["--min-semi-space-size=512", "--max-semi-space-size=512"];

export const allocation: Bench = {
  name: "allocation",
  what: "bytes allocated over a million changes",
  async run(): Promise<BenchResult> {
    const children = new Children();
    try {
      const { input, output, midi } = await children.spawn<PartsPeer>(PARTS_PEER, FLAGS).allocation();
      return {
        rows: [
          rowOf("allocation.in", "decode, bind, apply, ring, delta, frame", input),
          rowOf("allocation.out", "open, read, adopt, ring", output),
          rowOf("allocation.midi", "MIDI bytes, parse, bind, transform, apply, ring, delta, frame", midi),
        ],
      };
    } finally {
      await children.end();
    }
  },
};

function rowOf(id: string, what: string, { bytes, outsideBytes, collections, changes }: Allocated): Row {
  const isVoid = collections > 0 || changes !== CHANGES;
  const counted = `${(bytes / changes).toFixed(2)} bytes a change, ${outsideBytes} outside the heap`;
  return {
    id,
    what: `allocated over ${changes.toLocaleString("en-US")} changes: ${what}`,
    unit: "MB",
    value: isVoid ? Number.POSITIVE_INFINITY : bytes / 1e6,
    note: isVoid ? `void: ${collections} collections, ${changes} changes; ${counted}` : counted,
  };
}
