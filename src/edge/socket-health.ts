/**
 * Socket health: what is wrong with the node's sockets, in one sentence. Each is well again by itself: that one can send
 * says nothing about another. It is told, and sends nothing.
 */
import { NetworkEvent, type NetworkTrouble } from "./trouble.js";

export class SocketHealth {
  /** What failed last, by socket, the one that has failed for longest first. */
  private readonly failing = new Map<string, string>();

  /** Takes in a trouble, or its end. Answers what is to be said now; "" when all is well. */
  hear({ event, socket, message }: NetworkTrouble): string {
    if (event === NetworkEvent.sendRecovered) this.failing.delete(socket);
    else this.failing.set(socket, message);
    const [first = ""] = this.failing.values();
    return first;
  }
}
