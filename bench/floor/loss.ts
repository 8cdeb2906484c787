/**
 * Loss: makes a process deaf to a share of its datagrams, whatever socket they come to.
 *
 * Multicast cannot be sent through a relay that drops, and a network that drops needs root. So the datagram is dropped
 * where Node hands it to its socket's listeners: the system call and its cost stay, the program never sees it. The
 * chance is seeded: two runs lose by the same pattern.
 */
import { Socket } from "node:dgram";
import { Random } from "../../src/base/random.js";

type Emit = (this: Socket, event: string | symbol, ...args: unknown[]) => boolean;

/** `share`: 0..1. */
export function loseDatagrams(share: number, seed: number): void {
  const random = new Random(seed);
  const prototype = Socket.prototype as unknown as { emit: Emit };
  const { emit } = prototype;
  prototype.emit = function (event, ...args) {
    if (event === "message" && random.next() < share) return true;
    return emit.call(this, event, ...args);
  };
}
