/**
 * Wire: bytes per change of a burst of 100 changed floats among 10,000 paths in one turn, everything counted that a
 * wire carries: Ethernet, IP and UDP headers, our header, the tag. At the datagram port of a real node, so heartbeats
 * are not among them.
 */
import type { Bench, BenchResult, Row } from "../harness/bench.js";
import { QuietMesh } from "../hana/quiet-mesh.js";

const PATHS = 10_000;
const BURST = 100;
const BURSTS = 200;
const DEFAULT_REDUNDANCY = 3;
/** Ethernet 14, IPv4 20, UDP 8. */
const HEADERS_BYTES = 14 + 20 + 8;
/** Between two bursts: a display's frame. */
const PAUSE_US = 16_000;

export const wire: Bench = {
  name: "wire",
  what: "bytes on the wire per changed float, bursts of 100",
  async run(): Promise<BenchResult> {
    return Promise.resolve({
      rows: [
        rowOf("wire.bare", "per change of a burst of 100, redundancy off", 0),
        rowOf(
          "wire.default",
          `the same with the default redundancy (${DEFAULT_REDUNDANCY} frames)`,
          DEFAULT_REDUNDANCY,
        ),
      ],
    });
  },
};

function rowOf(id: string, what: string, redundancy: number): Row {
  const mesh = new QuietMesh(PATHS, redundancy);
  const { controller, ids } = mesh;
  const deliver = mesh.carry;
  let bytes = 0;
  let packets = 0;
  mesh.carry = (datagram) => {
    bytes += datagram.length + HEADERS_BYTES;
    packets++;
    deliver(datagram);
  };
  for (let burst = 0; burst < BURSTS; burst++) {
    for (let index = 0; index < BURST; index++) {
      // 7,919 is prime to 10,000: a walk over all paths that looks like chance.
      const id = ids[((burst * BURST + index) * 7_919) % PATHS] as number;
      controller.core.staging.number(burst + index / BURST);
      controller.writes.write(id, 0);
    }
    controller.settle();
    mesh.pass(PAUSE_US);
  }
  if (mesh.follower.core.sequence[0] !== controller.core.sequence[0]) throw new Error("the follower missed changes");
  const note = `${(packets / BURSTS).toFixed(2)} datagrams of ${Math.round(bytes / packets)} bytes a burst`;
  return { id, what, unit: "bytes", value: bytes / (BURSTS * BURST), note };
}
