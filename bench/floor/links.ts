/**
 * Links: the floor. The same hops as hana's with the least code of Node that makes them: a socket in, a socket out.
 *
 * A sender's socket is connected and its buffer used again, as in hana. Every datagram carries the time at which it
 * was first sent in its last eight bytes, so a relay passes it on untouched.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { LOOPBACK } from "../harness/network.js";

/** Where datagrams are taken in: with a group, by multicast. */
export interface Inlet {
  readonly port: number;
  readonly group?: string;
}

/** Where datagrams go: a group or an address. */
export interface Outlet {
  readonly port: number;
  readonly address: string;
}

export const TIME_BYTES = 8;

export async function openInlet({ port, group }: Inlet, onDatagram: (bytes: Buffer) => void): Promise<void> {
  const socket = createSocket({ type: "udp4", reuseAddr: group !== undefined });
  socket.bind({ port, address: group ?? LOOPBACK, exclusive: true });
  await once(socket, "listening");
  if (group !== undefined) socket.addMembership(group, LOOPBACK);
  socket.on("message", onDatagram);
}

export async function openOutlet({ port, address }: Outlet): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind({ port: 0, address: LOOPBACK, exclusive: true });
  await once(socket, "listening");
  socket.setMulticastInterface(LOOPBACK);
  socket.setMulticastLoopback(true);
  socket.connect(port, address);
  await once(socket, "connect");
  return socket;
}

/** The time in a datagram, microseconds of the monotonic clock. */
export function timeIn(bytes: Buffer): number {
  return bytes.readDoubleBE(bytes.length - TIME_BYTES);
}

export function putTime(bytes: Buffer, timeUs: number): void {
  bytes.writeDoubleBE(timeUs, bytes.length - TIME_BYTES);
}
