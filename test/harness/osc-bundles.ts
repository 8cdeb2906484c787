/** OSC bundles for tests that send them to a running node, encoded by osc-min, which knows nothing of our codec. */
import { createSocket } from "node:dgram";
import { type OscPacketInput, toBuffer } from "osc-min";

/** "At once", as OSC writes it. */
const AT_ONCE = [0, 1] as const;

/** The same number to every path, in bundles within bundles, as a renderer's snapshot of a scene would be. */
export function nestedBundle(paths: readonly string[], value: number): Buffer {
  const third = Math.ceil(paths.length / 3);
  const message = (address: string): OscPacketInput => ({ address, args: [{ type: "float", value }] });
  const bundle = (elements: OscPacketInput[]): OscPacketInput => ({
    timetag: [...AT_ONCE],
    elements,
  });
  const [first, second, rest] = [0, 1, 2].map((part) => paths.slice(part * third, (part + 1) * third).map(message));
  const view = toBuffer(bundle([...(first ?? []), bundle([...(second ?? []), bundle(rest ?? [])])]));
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

/** Sends each datagram to a port of this machine, in order, without a pause. */
export async function sendTo(port: number, datagrams: readonly Buffer[], address = "127.0.0.1"): Promise<void> {
  const socket = createSocket("udp4");
  try {
    for (const datagram of datagrams) {
      await new Promise<void>((resolve, reject) => {
        socket.send(datagram, port, address, (error) => (error === null ? resolve() : reject(error)));
      });
    }
  } finally {
    socket.close();
  }
}
