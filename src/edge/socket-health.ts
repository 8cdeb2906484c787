/**
 * Socket health: what is wrong with the node's sockets, in one sentence. Each that cannot send is well again by itself: that
 * another one sends says nothing about it. Whatever else failed is over when a socket sends again, for the groups are
 * joined anew then. It is told, and sends nothing.
 */
import { NetworkEvent, type NetworkTrouble } from "./trouble.js";

export class SocketHealth {
  /** By socket, the one that has failed for longest first. */
  private readonly sending = new Map<string, string>();
  /** What failed last beside sending. */
  private other = "";

  /** Takes in a trouble, or its end. Answers what is to be said now; "" when all is well. */
  hear({ event, socket, message }: NetworkTrouble): string {
    if (event === NetworkEvent.sendFailed) this.sending.set(socket, message);
    else if (event !== NetworkEvent.sendRecovered) this.other = message;
    else {
      this.sending.delete(socket);
      this.other = "";
    }
    const [first = this.other] = this.sending.values();
    return first;
  }
}
