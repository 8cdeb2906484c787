/**
 * Flood peer: a process that throws datagrams at a node as fast as it is told: OSC that is sound, or garbage that looks
 * like the mesh's own from nodes that do not exist.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { LOOPBACK } from "./harness/network.js";
import { serve } from "./harness/remote.js";

export interface FloodPlan {
  readonly kind: "osc" | "garbage";
  readonly address: string;
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** For garbage: a datagram's first bytes, up to the sender's id, as the mesh has them. */
  readonly header: Uint8Array;
}

const TICK_MS = 5;
const GARBAGE_BYTES = 120;
const RANDOM_FROM = 8;

export class FloodPeer {
  /** Answers how many datagrams were sent. */
  async flood(plan: FloodPlan): Promise<number> {
    const socket = createSocket("udp4");
    socket.bind(0, LOOPBACK);
    await once(socket, "listening");
    socket.setMulticastInterface(LOOPBACK);
    const sent = await send(socket, plan);
    socket.close();
    return sent;
  }
}

function send(socket: Socket, plan: FloodPlan): Promise<number> {
  const { perSecond, seconds, port, address } = plan;
  const beganMs = performance.now();
  let sent = 0;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const elapsedS = (performance.now() - beganMs) / 1_000;
      const due = Math.min(seconds, elapsedS) * perSecond;
      for (; sent < due; sent++) socket.send(plan.kind === "osc" ? osc(sent) : garbage(plan.header), port, address);
      if (elapsedS < seconds) return;
      clearInterval(timer);
      // What the sockets still hold is sent before the socket closes.
      setTimeout(() => resolve(sent), TICK_MS * 20);
    }, TICK_MS);
  });
}

/** `/viz/flood/0 .. 15` with a float that differs from message to message. */
function osc(index: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.write(`/viz/flood/${index & 15}`, 0, "ascii");
  bytes.write(",f", 16, "ascii");
  bytes.writeFloatBE((index % 1_000) / 1_000, 20);
  return bytes;
}

function garbage(header: Uint8Array): Buffer {
  const bytes = Buffer.alloc(GARBAGE_BYTES);
  for (let at = RANDOM_FROM; at < GARBAGE_BYTES; at++) bytes[at] = Math.random() * 256;
  bytes.set(header.subarray(0, RANDOM_FROM));
  return bytes;
}

serve(new FloodPeer());
